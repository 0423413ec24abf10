//! The guard: one door in, one door out.
//!
//! `handle_input` takes a fact and the time, and leaves effects and events in a queue. `poll_output` hands the queue out
//! and ends with a `Wake` that says when the guard wants to be called again, and why.
//!
//! 1. `start` sets up the parts; `route` hands each later input to the parts that it concerns.
//! 2. `advance` lets every part do what is due.
//! 3. `decide` collects what the parts know and decides; `target`, `compare` and `ready` answer what it asks.
//! 4. `moves` and `swaps` take the page to the other build, `prompt` says what the app shows.
//!
//! The parts do not know each other; only the guard does.

mod checks;
mod chunks;
mod compare;
mod decide;
mod listing;
mod moves;
mod odd;
mod prompt;
mod ready;
mod report;
mod route;
mod start;
#[cfg_attr(not(feature = "swap"), path = "guard/no_swaps.rs")]
mod swaps;
mod target;

use crate::rng::Rng;
use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use super::{
    changeover::Changeover,
    check_schedule::{self, CheckSchedule},
    departure::Departure,
    hold::Holds,
    io::{
        AbortReason, Decision, DecisionKind, Effect, Event, Input, Output, Prompt, Reason, Reloads,
        Snooze, WakeReason,
    },
    manifest_cache::ManifestCache,
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

/// The settings of the app.
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

/// The longest that a snooze can last. If a stored one ends later, it comes from a clock that was wrong.
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
    /// The last reload that the guard asked for, while this page may still have to hand over its state.
    departure: Option<Departure>,

    listing: listing::Listing,
    work: compare::Work,
    comparison: Option<compare::Comparison>,
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
    /// The app was told what to do about a missing release.
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
            listing: listing::Listing::default(),
            work: compare::Work::default(),
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
        self.work = compare::Work::default();
        match (self.life, input) {
            (Life::New, Input::Started(start)) => self.start(start),
            // Inputs before the start and after the end are ignored.
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
        // The queue is short, so taking the first is cheap.
        if self.outputs.is_empty() {
            self.wake()
        } else {
            self.outputs.remove(0)
        }
    }

    /// Whether the server has answered every request: no check in flight, no manifest pending, no file of the target build
    /// being checked.
    pub fn is_settled(&self) -> bool {
        self.life != Life::Running
            || !self.checks.is_checking()
                && !self.ready.is_checking()
                && self.decision.reason != Reason::ManifestPending
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
