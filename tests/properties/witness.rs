//! Watches a guard and knows, independently, what it must never do.

mod samples;

use std::collections::BTreeMap;

use changeover::{
    engine::{
        guard::{Config, Guard},
        io::{
            AbortReason, Asker, Effect, Event, FetchFailure, Input, Output, WorkerOutcome,
            WrongFile,
        },
        release::Release,
        status::{Level, Status},
    },
    ids::BuildId,
    time::Timestamp,
};

pub use samples::{build_ref, manifest_text, release_of, release_text};
use samples::{done, trouble};

pub const NOON: u64 = 1_785_499_200_000;
pub const LOOK_TIMEOUT: u64 = 15_000;

// A test makes some dozens of them.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug)]
pub enum Step {
    Happens(Input),
    /// The oldest effect that waits for an answer gets one.
    Answers(bool),
    Passes(u64),
}

/// Watches a guard and knows, independently, what it must never do.
pub struct Witness {
    guard: Guard,
    now: u64,
    wake: Option<u64>,
    waiting: Vec<Effect>,
    pub seen: Vec<Output>,
    told: Status,

    running: Option<BuildId>,
    pub started: bool,
    disposed: bool,
    online: bool,
    holds: BTreeMap<u32, u64>,
    look: Option<u64>,
    stream: bool,
    elected: bool,
    reloads: BTreeMap<BuildId, u32>,
    clicked: bool,
    sequence: Option<u64>,
    /// When answers came that are lower than the accepted release or contradict it, since the last one that did not.
    misfits: Vec<u64>,
    open: Option<String>,
    manifests: Vec<BuildId>,
}

impl Witness {
    pub fn new() -> Self {
        let guard = Guard::new(Config::default());
        Self {
            told: guard.status(),
            guard,
            now: NOON,
            wake: None,
            waiting: Vec::new(),
            seen: Vec::new(),
            running: None,
            started: false,
            disposed: false,
            online: true,
            holds: BTreeMap::new(),
            look: None,
            stream: false,
            elected: false,
            reloads: BTreeMap::new(),
            clicked: false,
            sequence: None,
            misfits: Vec::new(),
            open: None,
            manifests: Vec::new(),
        }
    }

    pub fn take(&mut self, step: Step) {
        match step {
            Step::Happens(input) => self.feed(input),
            Step::Answers(well) => self.answer(well),
            Step::Passes(span) => self.pass(span),
        }
    }

    pub fn pass(&mut self, span: u64) {
        let end = self.now + span;
        for _ in 0..200 {
            match self.wake {
                Some(at) if at <= end => {
                    self.now = at;
                    self.feed(Input::Woke);
                }
                _ => break,
            }
        }
        self.now = self.now.max(end);
    }

    pub fn answer(&mut self, well: bool) {
        if self.waiting.is_empty() {
            return;
        }
        let input = match self.waiting.remove(0) {
            Effect::FetchRelease if well => Input::ReleaseFetched {
                body: release_text(3, "b"),
                events: None,
                date: None,
            },
            Effect::FetchRelease => Input::ReleaseFailed {
                failure: FetchFailure::Network,
                retry_after: None,
            },
            Effect::FetchManifest { build, .. } | Effect::RefetchManifest { build, .. } if well => {
                Input::ManifestFetched {
                    body: manifest_text(&build.0),
                    build,
                }
            }
            // What was kept of it is damaged.
            Effect::FetchManifest { build, .. } => Input::ManifestKept {
                build,
                body: "{}".into(),
            },
            Effect::RefetchManifest { build, .. } => Input::ManifestFailed {
                build,
                failure: FetchFailure::Timeout,
            },
            Effect::ListLoadedFiles => Input::LoadedFilesListed {
                files: vec!["/index-a.js".into()],
                elements: vec![],
                complete: true,
            },
            Effect::CheckFiles { build, files, .. } => {
                let wrong = files.into_iter().next().filter(|_| !well);
                let wrong = wrong.map(|file| WrongFile {
                    file: file.file,
                    failure: FetchFailure::Integrity,
                });
                Input::FilesChecked { build, wrong }
            }
            Effect::ProbeDocument => Input::DocumentProbed {
                failure: (!well).then_some(FetchFailure::Network),
                ours: false,
            },
            Effect::RenewWorker { changeover } => Input::WorkerRenewed {
                changeover,
                outcome: if well {
                    WorkerOutcome::Activated
                } else {
                    WorkerOutcome::Failed
                },
            },
            Effect::CaptureState { .. } if well => Input::StateSaved,
            Effect::CaptureState { .. } => Input::StateSaveFailed {
                message: "full".into(),
            },
            Effect::RestoreState => Input::StateRestored {
                restored: vec![],
                failed: vec![],
            },
            Effect::TakeSwapStep {
                changeover,
                round,
                step,
                ..
            } => match if well { done(&step) } else { trouble(&step) } {
                Some(answer) => Input::SwapAnswered {
                    changeover,
                    round,
                    answer,
                },
                None => return,
            },
            Effect::OpenStream { .. } if well => Input::StreamOpened,
            Effect::OpenStream { .. } => Input::StreamClosed,
            Effect::JoinElection => Input::Elected,
            Effect::CloseStream
            | Effect::LeaveElection
            | Effect::TellPeers { .. }
            | Effect::RememberSequence { .. }
            | Effect::RememberReload { .. }
            | Effect::RememberSnooze { .. }
            | Effect::Advise { .. }
            | Effect::DiscardSwap { .. }
            | Effect::MarkEnvelope { .. }
            | Effect::Reload => return,
        };
        self.feed(input);
    }

    pub fn feed(&mut self, input: Input) {
        self.note(&input);
        let was_disposed = self.disposed;
        self.disposed |= matches!(input, Input::Disposed);
        let text = format!("{input:?} at {}", self.now);
        let requested =
            matches!(input, Input::ReloadRequested { .. }) && self.started && !was_disposed;
        let had_attempt = self.guard.status().changeover.is_some();
        self.guard.handle_input(input, Timestamp(self.now));
        let mut outcomes = 0;
        let mut changes = 0;
        for count in 0.. {
            assert!(count < 200, "the queue does not end after {text}");
            let output = self.guard.poll_output();
            assert!(
                !was_disposed || matches!(output, Output::Wake { at: None, .. }),
                "{output:?} after the end"
            );
            self.seen.push(output.clone());
            match output {
                Output::Effect(effect) => self.on_effect(effect, &text),
                Output::Event(event) => {
                    outcomes += u32::from(matches!(
                        event,
                        Event::ChangeoverStarted { .. } | Event::ChangeoverAborted { .. }
                    ));
                    changes += u32::from(matches!(event, Event::StatusChanged));
                    self.on_event(event, &text);
                }
                Output::Wake { at, .. } => {
                    assert!(
                        at.is_none_or(|at| at.0 > self.now),
                        "a timer in the past: {at:?} after {text}"
                    );
                    self.wake = at.map(|at| at.0);
                    break;
                }
            }
        }
        assert!(
            !requested || had_attempt || outcomes > 0,
            "a request without an outcome: {text}"
        );
        let status = self.guard.status();
        assert_eq!(
            changes,
            u32::from(status != self.told),
            "the status is told wrongly after {text}"
        );
        self.check(&status, &text);
        self.told = status;
    }

    /// What the witness learns from an input before the guard has it.
    fn note(&mut self, input: &Input) {
        match input {
            Input::Started(start) if !self.started && !self.disposed => {
                self.started = true;
                self.running = start.build.clone();
                self.online = start.online;
                self.sequence = start.highest_sequence;
                for reloads in &start.reloads {
                    self.reloads.insert(reloads.target.clone(), reloads.count);
                }
            }
            Input::WentOnline => self.online = true,
            Input::WentOffline => self.online = false,
            Input::HoldTaken { hold, deadline, .. } => {
                self.holds.insert(
                    *hold,
                    deadline.map_or(self.now + 300_000, |deadline| deadline.0),
                );
            }
            Input::HoldReleased { hold } => drop(self.holds.remove(hold)),
            Input::ReleaseFetched { body, .. } => {
                self.look = None;
                if let (Ok(release), Some(known)) = (Release::parse(body), &self.told.release) {
                    let fits = release.sequence > known.sequence
                        || release.sequence == known.sequence && release.build.id == known.build;
                    if fits {
                        self.misfits.clear();
                    } else {
                        self.misfits.push(self.now);
                    }
                }
            }
            Input::ReleaseFailed { .. } => self.look = None,
            Input::ReloadRequested {
                by: Asker::User | Asker::UserAnyway,
            } => self.clicked = true,
            Input::ManifestFetched { build, .. } | Input::ManifestKept { build, .. } => {
                self.manifests.push(build.clone())
            }
            Input::StreamClosed => {}
            _ => {}
        }
        self.holds.retain(|_, deadline| *deadline > self.now);
        if self
            .look
            .is_some_and(|look| self.now >= look + LOOK_TIMEOUT)
        {
            self.look = None;
        }
    }

    fn on_effect(&mut self, effect: Effect, after: &str) {
        match &effect {
            Effect::FetchRelease => {
                assert!(self.look.is_none(), "two looks in flight after {after}");
                self.look = Some(self.now);
            }
            Effect::OpenStream { .. } => {
                self.stream = true;
            }
            Effect::CloseStream => {
                assert!(
                    self.stream,
                    "closes a stream that is not there after {after}"
                );
                self.stream = false;
            }
            Effect::JoinElection => {
                assert!(
                    !self.elected || after.starts_with("Deposed"),
                    "joins twice after {after}"
                );
                self.elected = true;
            }
            Effect::LeaveElection => {
                assert!(
                    self.elected || after.starts_with("Elected"),
                    "leaves what it has not joined after {after}"
                );
                self.elected = false;
            }
            Effect::RememberSequence { sequence, app: _ } => {
                assert!(
                    self.sequence != Some(*sequence) || self.misfits.len() >= 5,
                    "{sequence} again after {after}"
                );
                self.sequence = Some(*sequence);
            }
            Effect::RememberReload { target, count: 0 } => drop(self.reloads.remove(target)),
            Effect::RememberReload { target, count } => {
                let before = self.reloads.insert(target.clone(), *count).unwrap_or(0);
                assert!(*count > before, "counts wrongly after {after}");
                assert!(
                    before == 0 || self.clicked,
                    "a second reload for {target:?} that was not asked for: {after}"
                );
                self.clicked = false;
            }
            Effect::Reload => {
                assert!(self.online, "reloads offline after {after}");
                assert!(
                    self.holds.is_empty(),
                    "reloads in spite of {:?} after {after}",
                    self.holds
                );
                assert!(
                    self.open.is_some(),
                    "reloads without an attempt after {after}"
                );
            }
            _ => {}
        }
        self.waiting.push(effect);
    }

    fn on_event(&mut self, event: Event, after: &str) {
        match event {
            Event::ChangeoverStarted { changeover, .. } => {
                assert_eq!(
                    self.open.replace(changeover),
                    None,
                    "two attempts after {after}"
                );
            }
            Event::ChangeoverAborted { changeover, reason } => {
                // A request that is refused at once has a name of its own.
                assert!(
                    reason != AbortReason::ReloadIgnored || self.open.is_some(),
                    "{after}"
                );
                if self.open.as_ref() == Some(&changeover) {
                    self.open = None;
                }
            }
            Event::ChangeoverDone { changeover, to, .. }
                if self.open.as_ref() == Some(&changeover) =>
            {
                // A swap: the page is on the build without having been loaded anew.
                self.open = None;
                self.running = Some(to);
            }
            Event::PromptShown { prompt } => {
                assert!(
                    Some(&prompt.build) != self.running.as_ref(),
                    "asks for what runs after {after}"
                );
                assert!(
                    self.manifests.contains(&prompt.build),
                    "asks without a manifest after {after}"
                );
                assert!(
                    prompt.can_snooze || prompt.busy.is_none() || prompt.countdown_until.is_none(),
                    "{prompt:?}"
                );
            }
            _ => {}
        }
    }

    fn check(&self, status: &Status, after: &str) {
        if let Some(release) = &status.release {
            assert!(
                self.sequence >= Some(release.sequence),
                "accepted {} after {after}",
                release.sequence
            );
        }
        let before = self.told.release.as_ref().map(|release| release.sequence);
        let now = status.release.as_ref().map(|release| release.sequence);
        let since = self.misfits.first().copied().unwrap_or(self.now);
        let is_set_back = self.misfits.len() >= 5 && self.now - since >= 30 * 60_000;
        assert!(
            before <= now || is_set_back,
            "the sequence fell from {before:?} to {now:?} after {after}"
        );
        assert_eq!(
            status.changeover.is_some(),
            self.open.is_some(),
            "after {after}"
        );
        assert_eq!(status.level == Level::Off, self.disposed, "after {after}");
    }
}
