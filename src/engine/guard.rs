//! The guard: one door in, one door out.
//!
//! `handle_input` takes a fact and the time, moves the parts, and leaves what follows in a queue. `poll_output` hands
//! the queue out and ends with a `Wake` that says when the guard wants to be called again, and why. The guard routes
//! between the parts; what each of them decides is theirs.

mod checks;
mod chunks;
mod decide;
mod moves;
mod odd;
mod ready;
mod report;
mod start;
#[cfg_attr(not(feature = "swap"), path = "guard/no_swaps.rs")]
mod swaps;

use crate::rng::Rng;
use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use super::{
    changeover::Changeover,
    check_schedule::{self, CheckSchedule, CheckTrigger},
    departure::Departure,
    hold::Holds,
    io::{
        AbortReason, Decision, DecisionKind, Effect, Event, Input, Output, PeerMessage, Prompt,
        Reason, Reloads, Snooze, WakeReason,
    },
    manifest_cache::{ManifestCache, Way},
    recovery::AppOrigin,
    releases::Releases,
    rollout, skew,
    status::{Status, Trouble},
    stream::{self, Stream},
    tabs::Tabs,
};
use crate::{
    ids::BuildId,
    time::{Millis, Timestamp},
};

/// What the app has set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Config {
    /// Releases for another app are ignored.
    pub app: Option<String>,
    /// Releases of another channel are ignored.
    pub channel: Option<String>,
    /// Time between two checks, before jitter; at least a second.
    pub interval: Millis,
    /// Absolute URL of `release.json`.
    pub release: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            app: None,
            channel: None,
            interval: 60_000,
            release: "/changeover/release.json".into(),
        }
    }
}

/// The longest that a snooze can last; a stored one that ends later comes from a clock that was wrong.
const LONGEST_SNOOZE: Millis = 60 * 60 * 1_000;

/// Guards one page.
#[derive(Debug)]
pub struct Guard {
    config: Config,
    /// Path of the site, which chunk paths are relative to.
    root: String,
    now: Timestamp,
    life: Life,
    rng: Rng,
    outputs: Vec<Output>,
    last_status: Status,

    running: Running,
    visitor: String,
    online: bool,
    storage: bool,
    /// A service worker answers for the page.
    controlled: bool,
    reloads: Vec<Reloads>,
    snooze: Option<Snooze>,

    checks: CheckSchedule,
    stream: Stream,
    tabs: Tabs,
    holds: Holds,
    releases: Releases,
    manifests: ManifestCache,
    app: AppOrigin,
    changeover: Option<Changeover>,
    /// The reload that was commanded last, while this page may have to hand over to what it brings.
    departure: Option<Departure>,

    listing: decide::Listing,
    work: decide::Work,
    comparison: Option<decide::Comparison>,
    ready: ready::Readiness,
    decision: Decision,
    prompt: Option<Prompt>,
    /// The build that the app was told about as a skew.
    announced_skew: Option<BuildId>,
    chunks: chunks::ChunkFailures,
    countdown: moves::Countdown,
    swaps: swaps::Swaps,
    /// Why the last attempt ended, and for which build.
    trouble: Option<(BuildId, AbortReason)>,
    last_check: Option<Timestamp>,
    last_failure: Option<Trouble>,
    last_problem: Option<Trouble>,
    /// It was said what to do about a release that is not there.
    is_advised: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    New,
    Running,
    Disposed,
}

/// What the page runs.
#[derive(Clone, Debug, Default)]
struct Running {
    /// As the page says.
    build: Option<BuildId>,
    /// As the first release suggests, when the page says nothing.
    assumed: Option<BuildId>,
    /// A swap brought the page here, not a load.
    swapped: bool,
}

impl Running {
    fn best_guess(&self) -> Option<&BuildId> {
        self.build.as_ref().or(self.assumed.as_ref())
    }
}

impl Guard {
    pub fn new(config: Config) -> Self {
        let interval = config.interval;
        Self {
            root: root_of(&config.release),
            now: Timestamp(0),
            life: Life::New,
            rng: Rng::new(0),
            outputs: Vec::new(),
            last_status: Status::default(),
            running: Running::default(),
            visitor: String::new(),
            online: true,
            storage: false,
            controlled: false,
            reloads: Vec::new(),
            snooze: None,
            checks: CheckSchedule::new(interval),
            stream: Stream::default(),
            tabs: Tabs::new(String::new(), interval, false, false),
            holds: Holds::default(),
            releases: Releases::default(),
            manifests: ManifestCache::default(),
            app: AppOrigin::new(&config.release),
            changeover: None,
            departure: None,
            listing: decide::Listing::default(),
            work: decide::Work::default(),
            comparison: None,
            ready: ready::Readiness::default(),
            decision: Decision {
                kind: DecisionKind::Ignore,
                reason: Reason::NoReleaseYet,
            },
            prompt: None,
            announced_skew: None,
            chunks: chunks::ChunkFailures::default(),
            countdown: moves::Countdown::default(),
            swaps: swaps::Swaps::default(),
            trouble: None,
            last_check: None,
            last_failure: None,
            last_problem: None,
            is_advised: false,
            config,
        }
    }

    /// Takes in one fact. `now` that lies before an earlier one counts as that.
    pub fn handle_input(&mut self, input: Input, now: Timestamp) {
        self.now = self.now.max(now);
        self.work = decide::Work::default();
        match (self.life, input) {
            (Life::New, Input::Started(start)) => self.start(start),
            // Nothing is known before the start, and nothing is wanted after the end.
            (Life::New, Input::Disposed) => self.life = Life::Disposed,
            (Life::New | Life::Disposed, _) => return,
            (Life::Running, Input::Disposed) => self.dispose(),
            (Life::Running, input) => self.route(input),
        }
        if self.life == Life::Running {
            self.advance();
        }
        self.tell_status();
    }

    /// Hands out what follows from the inputs so far; ends with a `Wake`.
    pub fn poll_output(&mut self) -> Output {
        // A handful at most, so that taking the first is cheap.
        if self.outputs.is_empty() {
            self.wake()
        } else {
            self.outputs.remove(0)
        }
    }

    /// Whether all that was asked of the server is answered: no check in flight, no manifest pending,
    /// no file of the target build being checked.
    pub fn is_settled(&self) -> bool {
        self.life != Life::Running
            || !self.checks.is_checking()
                && !self.ready.is_checking()
                && self.decision.reason != Reason::ManifestPending
    }

    fn route(&mut self, input: Input) {
        let now = self.now;
        match input {
            // A page starts once.
            Input::Started(_) => {}
            // Handled above.
            Input::Disposed => {}
            Input::ReleaseFetched { body, events, date } => {
                self.on_release_text(&body, events, date);
            }
            Input::ReleaseFailed {
                failure,
                retry_after,
            } => self.on_release_failed(&failure, retry_after),
            Input::ManifestFetched { build, body } => {
                self.on_manifest_text(&build, body, Way::Anew)
            }
            Input::ManifestKept { build, body } => self.on_manifest_text(&build, body, Way::Usual),
            Input::ManifestFailed { build, failure } => {
                self.on_manifest_failed(
                    &build,
                    Way::Usual,
                    checks::fetch_trouble(&checks::manifest_name(&build), &failure),
                );
            }
            Input::LoadedFilesListed {
                files,
                elements,
                complete,
            } => self.listing.on_listed(files, elements, complete),
            Input::FilesChecked { build, wrong } => self.on_files_checked(&build, wrong),
            Input::SlotsListed { slots } => self.on_slots_listed(slots),
            Input::SwapAnswered {
                changeover,
                round,
                answer,
            } => self.on_swap_answered(changeover, round, answer),
            Input::Sighted {
                source: _,
                sequence,
                build,
            } => self.on_sighted(sequence, build),
            Input::LoadFailed { kind, message, url } => {
                self.on_load_failed(kind, message, url.as_deref())
            }
            Input::StreamOpened => self.stream.on_opened(now),
            Input::StreamClosed => self.stream.on_closed(now, &mut self.rng),
            Input::BecameVisible => {
                self.on_swap_visible(true);
                self.apply_tabs(|tabs| tabs.on_visible(true));
                self.on_page_back(CheckTrigger::Focus);
            }
            Input::BecameHidden => {
                self.on_swap_visible(false);
                self.apply_tabs(|tabs| tabs.on_visible(false));
            }
            Input::Focused => self.on_page_back(CheckTrigger::Focus),
            Input::Resumed => self.on_page_back(CheckTrigger::Return),
            Input::PageShown { persisted } => {
                if persisted {
                    self.stay();
                }
                self.on_page_back(if persisted {
                    CheckTrigger::Return
                } else {
                    CheckTrigger::Focus
                });
            }
            Input::PageHid => {
                self.chunks.on_gone();
                self.mark_envelope(|departure| departure.on_hid());
                self.apply_tabs(Tabs::on_away);
            }
            Input::LeavingBegan => self.chunks.on_leaving(now),
            Input::UnloadAsked { objected } => {
                self.mark_envelope(|departure| Some(departure.on_unload_asked(objected)));
            }
            Input::UnloadSettled => {
                self.mark_envelope(|departure| Some(departure.on_unload_settled()));
            }
            Input::UserActed => self.capture_again(),
            Input::WentOnline => {
                self.online = true;
                self.trouble
                    .take_if(|(_, reason)| *reason == AbortReason::Offline);
                self.stream.on_online(now, &mut self.rng);
                self.manifests.retry_now(now);
                self.ready.retry_now(now);
                self.on_swap_retry(false);
                self.checks.on_trigger(CheckTrigger::Return, now);
            }
            Input::WentOffline => self.online = false,
            Input::Elected => self.apply_tabs(|tabs| tabs.on_elected(now)),
            Input::Deposed => self.apply_tabs(Tabs::on_deposed),
            Input::PeerHeard { message } => self.on_peer(&message),
            Input::HoldTaken {
                hold,
                reason,
                deadline,
            } => self.holds.on_taken(hold, reason, deadline, now),
            Input::HoldReleased { hold } => self.holds.on_released(hold),
            Input::CheckRequested => {
                self.manifests.retry_now(now);
                self.ready.retry_now(now);
                self.on_swap_retry(true);
                self.checks.on_trigger(CheckTrigger::App, now);
            }
            Input::ReloadRequested { by } => self.on_reload_requested(by.into()),
            Input::SnoozeRequested => self.on_snooze_requested(),
            Input::DocumentProbed { failure, ours } => {
                self.on_document_probed(failure.as_ref(), ours)
            }
            Input::WorkerSeen { controls } => self.controlled = controls,
            Input::WorkerRenewed {
                changeover,
                outcome: _,
            } => self.on_worker_renewed(&changeover),
            Input::StateSaved => self.on_state_saved(None),
            Input::StateSaveFailed { message } => self.on_state_saved(Some(message)),
            Input::StateRestored { restored, failed } => {
                self.tell(Event::StateRestored { restored, failed })
            }
            Input::Woke => {}
        }
    }

    /// Lets every part do what is due now, and then decides.
    fn advance(&mut self) {
        let now = self.now;
        self.holds.on_time(now);
        if self
            .departure
            .as_ref()
            .is_some_and(|departure| departure.is_over(now))
        {
            self.stay();
        }
        // Before the schedule, which checks for them.
        self.release_chunks();
        let highest = self.releases.highest();
        self.apply_tabs(|tabs| tabs.poll(highest, now));
        self.stream.on_allowed(self.tabs.may_stream());
        self.drive_stream();
        self.checks
            .on_stream(self.stream.is_open(), now, &mut self.rng);
        self.checks
            .on_poll_role(self.tabs.poll_role(), now, &mut self.rng);
        if !self.tabs.is_away() {
            while let Some(step) = self.checks.poll(now) {
                match step {
                    check_schedule::Step::Check => self.perform(Effect::FetchRelease),
                    check_schedule::Step::TimedOut => {
                        self.on_check_failed(checks::check_timed_out(), None)
                    }
                }
            }
        }
        self.read_manifests();
        self.settle();
    }

    fn drive_stream(&mut self) {
        while let Some(step) = self.stream.poll(self.now, &mut self.rng) {
            self.perform(match step {
                stream::Step::Open { url } => Effect::OpenStream { url },
                stream::Step::Close => Effect::CloseStream,
            });
        }
    }

    /// The page is there again, or was all the time.
    fn on_page_back(&mut self, trigger: CheckTrigger) {
        let was_away = self.tabs.is_away();
        self.apply_tabs(Tabs::on_back);
        self.checks.on_trigger(
            if was_away {
                CheckTrigger::Return
            } else {
                trigger
            },
            self.now,
        );
    }

    fn on_peer(&mut self, message: &PeerMessage) {
        self.apply_tabs(|tabs| tabs.on_peer(message));
        match message {
            PeerMessage::Checked {
                sequence: Some(sequence),
            } if !self.releases.knows(*sequence) => {
                self.checks
                    .on_hint(Some(*sequence), None, self.now, &mut self.rng);
            }
            PeerMessage::Checked { .. } if !self.tabs.is_leader() => {
                self.checks.on_all_quiet(self.now, &mut self.rng);
            }
            PeerMessage::Checked { .. }
            | PeerMessage::WhoIsVisible
            | PeerMessage::Visible { .. }
            | PeerMessage::Hidden { .. } => {}
        }
    }

    fn wake(&self) -> Output {
        let never = Output::Wake {
            at: None,
            reason: WakeReason::Nothing,
        };
        if self.life != Life::Running {
            return never;
        }
        let awake = !self.tabs.is_away();
        let term = self
            .releases
            .accepted()
            .and_then(|release| rollout::next_term(release, self.now));
        let moments = [
            self.checks.next().filter(|_| awake),
            self.tabs.next().filter(|_| awake),
            self.stream.next(),
            self.manifests.next(self.now),
            self.holds
                .next_deadline()
                .map(|at| (at, WakeReason::HoldDeadline)),
            self.next_move(),
            self.departure.as_ref().map(Departure::next),
            self.chunks.next(),
            self.next_swap(),
            self.next_decision_at(),
            self.next_in_files(),
            self.work
                .is_put_off
                .then_some((self.now, WakeReason::Reading)),
            term.map(|at| (at, WakeReason::Term)),
        ];
        match moments.into_iter().flatten().min_by_key(|(at, _)| *at) {
            Some((at, reason)) => Output::Wake {
                at: Some(at),
                reason,
            },
            None => never,
        }
    }

    /// Tells once per input that something in the status is different.
    fn tell_status(&mut self) {
        let status = self.status();
        if self.last_status != status {
            self.last_status = status;
            self.tell(Event::StatusChanged);
        }
    }

    fn apply_tabs<E: IntoIterator<Item = Effect>>(&mut self, hear: impl FnOnce(&mut Tabs) -> E) {
        for effect in hear(&mut self.tabs) {
            self.perform(effect);
        }
    }

    fn perform(&mut self, effect: Effect) {
        self.outputs.push(Output::Effect(effect));
    }

    fn tell(&mut self, event: Event) {
        self.outputs.push(Output::Event(event));
    }
}

/// The path that the files of the site are relative to: where `changeover/release.json` lies.
fn root_of(release: &str) -> String {
    let path = skew::path_of(release);
    let root = path.strip_suffix("changeover/release.json");
    let folder = || path.rfind('/').and_then(|slash| path.get(..=slash));
    root.or_else(folder)
        .filter(|root| root.starts_with('/'))
        .unwrap_or("/")
        .into()
}
