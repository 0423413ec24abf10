//! The guard under any order of events: what it must never do.

use std::collections::BTreeMap;

use changeover::engine::{
    guard::{Config, Guard},
    io::{
        AbortReason, Arrival, Asker, BuildId, Effect, Event, FetchFailure, Input, LoadKind, Output,
        PeerMessage, Reloads, Snooze, Source, Start, Timestamp,
    },
    manifest::Manifest,
    release::{BuildRef, How, Release, Retire, Rollout, Urgency},
    status::{Level, Status},
};
use proptest::{collection, option, prelude::*, sample::select};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::texts::config;

proptest! {
    #![proptest_config(config())]

    #[test]
    fn whatever_happens_the_guard_keeps_its_promises(start in start(), steps in collection::vec(step(), 0..120)) {
        let mut witness = Witness::new();
        witness.feed(Input::Started(start));
        for step in steps {
            match step {
                Step::Happens(input) => witness.feed(input),
                Step::Answers(well) => witness.answer(well),
                Step::Passes(span) => witness.pass(span),
            }
        }
    }

    #[test]
    fn the_same_inputs_give_the_same_outputs(start in start(), steps in collection::vec(step(), 0..60)) {
        let run = || {
            let mut witness = Witness::new();
            witness.feed(Input::Started(start.clone()));
            for step in steps.clone() {
                match step {
                    Step::Happens(input) => witness.feed(input),
                    Step::Answers(well) => witness.answer(well),
                    Step::Passes(span) => witness.pass(span),
                }
            }
            witness.seen
        };
        prop_assert_eq!(run(), run());
    }

    #[test]
    fn nothing_comes_of_what_happens_before_the_start(steps in collection::vec(input(), 0..20)) {
        let mut guard = Guard::new(Config::default());
        let early = |input: &Input| !matches!(input, Input::Started(_) | Input::Disposed);
        for input in steps.into_iter().filter(early) {
            guard.handle_input(input, Timestamp(NOON));
            let sleeps = matches!(guard.poll_output(), Output::Wake { at: None, .. });
            prop_assert!(sleeps);
        }
        prop_assert_eq!(guard.status().level, Level::Starting);
    }
}

const NOON: u64 = 1_785_499_200_000;
const LOOK_TIMEOUT: u64 = 15_000;

#[derive(Clone, Debug)]
enum Step {
    Happens(Input),
    /// The oldest effect that waits for an answer gets one.
    Answers(bool),
    Passes(u64),
}

/// Watches a guard and knows, independently, what it must never do.
struct Witness {
    guard: Guard,
    now: u64,
    wake: Option<u64>,
    waiting: Vec<Effect>,
    seen: Vec<Output>,
    told: Status,

    running: Option<BuildId>,
    started: bool,
    disposed: bool,
    online: bool,
    holds: BTreeMap<u32, u64>,
    look: Option<u64>,
    stream: bool,
    elected: bool,
    reloads: BTreeMap<BuildId, u32>,
    clicked: bool,
    sequence: Option<u64>,
    open: Option<String>,
    manifests: Vec<BuildId>,
}

impl Witness {
    fn new() -> Self {
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
            open: None,
            manifests: Vec::new(),
        }
    }

    fn pass(&mut self, span: u64) {
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

    fn answer(&mut self, well: bool) {
        if self.waiting.is_empty() {
            return;
        }
        let input = match self.waiting.remove(0) {
            Effect::FetchRelease if well => Input::ReleaseFetched {
                body: release_text(3, "b"),
                events: None,
            },
            Effect::FetchRelease => Input::ReleaseFailed {
                failure: FetchFailure::Network,
                retry_after: None,
            },
            Effect::FetchManifest { build, .. } if well => Input::ManifestFetched {
                body: manifest_text(&build.0),
                build,
            },
            Effect::FetchManifest { build, .. } => Input::ManifestFailed {
                build,
                failure: FetchFailure::Timeout,
            },
            Effect::ListLoadedFiles => Input::LoadedFilesListed { files: vec![] },
            Effect::ProbeDocument => Input::DocumentProbed {
                failure: (!well).then_some(FetchFailure::Network),
            },
            Effect::CaptureState { .. } if well => Input::StateSaved,
            Effect::CaptureState { .. } => Input::StateSaveFailed {
                message: "full".into(),
            },
            Effect::RestoreState => Input::StateRestored {
                restored: vec![],
                failed: vec![],
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
            | Effect::Reload => return,
        };
        self.feed(input);
    }

    fn feed(&mut self, input: Input) {
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
            Input::ReleaseFetched { .. } | Input::ReleaseFailed { .. } => self.look = None,
            Input::ReloadRequested {
                by: Asker::User | Asker::UserAnyway,
            } => self.clicked = true,
            Input::ManifestFetched { build, .. } => self.manifests.push(build.clone()),
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
            Effect::RememberSequence { sequence } => {
                assert!(
                    self.sequence.is_none_or(|highest| *sequence > highest),
                    "{sequence} after {after}"
                );
                self.sequence = Some(*sequence);
            }
            Effect::RememberReload { target, count: 0 } => drop(self.reloads.remove(target)),
            Effect::RememberReload { target, count } => {
                let before = self.reloads.insert(target.clone(), *count).unwrap_or(0);
                assert!(*count > before, "counts wrongly after {after}");
                assert!(
                    before == 0 || self.clicked,
                    "a second reload for {target:?} that nobody asked for: {after}"
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
        assert!(
            before <= now,
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

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => input().prop_map(Step::Happens),
        1 => Just(Step::Happens(Input::ReloadRequested { by: Asker::User })),
        5 => any::<bool>().prop_map(Step::Answers),
        3 => Just(Step::Answers(true)),
        2 => (0_u64..40_000).prop_map(Step::Passes),
        1 => (0_u64..100_000_000).prop_map(Step::Passes),
    ]
}

fn start() -> impl Strategy<Value = Start> {
    let first = (
        option::of(build()),
        any::<u64>(),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
    );
    let second = (
        option::of(0..6_u64),
        option::of(snooze()),
        option::of(arrival()),
        collection::vec(build(), 0..2),
    );
    (first, second).prop_map(|(first, second)| {
        let (build, seed, visible, online, locks, storage) = first;
        let (highest_sequence, snooze, arrival, reloads) = second;
        let reloads = reloads
            .into_iter()
            .map(|target| Reloads { target, count: 1 })
            .collect();
        let visitor = "ada".into();
        Start {
            build,
            seed,
            visitor,
            visible,
            online,
            locks,
            storage,
            highest_sequence,
            reloads,
            snooze,
            arrival,
        }
    })
}

fn snooze() -> impl Strategy<Value = Snooze> {
    (0..6_u64, any::<u32>()).prop_map(|(sequence, later)| Snooze {
        sequence,
        until: Timestamp(NOON + u64::from(later)),
    })
}

fn arrival() -> impl Strategy<Value = Arrival> {
    (option::of(build()), build()).prop_map(|(from, to)| Arrival {
        changeover: "c".into(),
        from,
        to,
        at: Timestamp(NOON),
    })
}

fn build() -> impl Strategy<Value = BuildId> {
    select(&["a", "b", "c"][..]).prop_map(|id| BuildId(id.into()))
}

fn input() -> impl Strategy<Value = Input> {
    let text = any::<String>;
    prop_oneof![
        start().prop_map(Input::Started),
        release().prop_map(|(body, events)| Input::ReleaseFetched { body, events }),
        text().prop_map(|body| Input::ReleaseFetched { body, events: None }),
        (failure(), option::of(any::<u64>())).prop_map(|(failure, retry_after)| {
            Input::ReleaseFailed {
                failure,
                retry_after,
            }
        }),
        build().prop_map(|build| Input::ManifestFetched {
            body: manifest_text(&build.0),
            build
        }),
        (build(), text()).prop_map(|(build, body)| Input::ManifestFetched { build, body }),
        (build(), failure()).prop_map(|(build, failure)| Input::ManifestFailed { build, failure }),
        collection::vec(text(), 0..3).prop_map(|files| Input::LoadedFilesListed { files }),
        (option::of(any::<u64>()), option::of(build())).prop_map(|(sequence, build)| {
            Input::Sighted {
                source: Source::Stream,
                sequence,
                build,
            }
        }),
        (kind(), text(), option::of(text())).prop_map(|(kind, message, url)| Input::LoadFailed {
            kind,
            message,
            url
        }),
        Just(Input::LoadFailed {
            kind: LoadKind::Script,
            message: String::new(),
            url: Some("/a.js".into())
        }),
        select(simple()),
        peer().prop_map(|message| Input::PeerHeard { message }),
        (0..3_u32, option::of(0..400_000_u64)).prop_map(|(hold, deadline)| Input::HoldTaken {
            hold,
            reason: "busy".into(),
            deadline: deadline.map(|later| Timestamp(NOON + later)),
        }),
        (0..3_u32).prop_map(|hold| Input::HoldReleased { hold }),
        select(&[Asker::App, Asker::User, Asker::UserAnyway][..])
            .prop_map(|by| Input::ReloadRequested { by }),
        option::of(failure()).prop_map(|failure| Input::DocumentProbed { failure }),
        text().prop_map(|message| Input::StateSaveFailed { message }),
        any::<bool>().prop_map(|persisted| Input::PageShown { persisted }),
    ]
}

fn simple() -> Vec<Input> {
    let mut inputs = vec![
        Input::StreamOpened,
        Input::StreamClosed,
        Input::BecameVisible,
        Input::BecameHidden,
        Input::Focused,
        Input::WentOnline,
        Input::WentOffline,
        Input::Resumed,
        Input::PageHid,
        Input::Elected,
        Input::Deposed,
        Input::CheckRequested,
        Input::SnoozeRequested,
        Input::StateSaved,
        Input::StateRestored {
            restored: vec![],
            failed: vec![],
        },
        Input::Woke,
    ];
    // The end is rare, or nothing else is tried.
    inputs = inputs
        .iter()
        .cloned()
        .cycle()
        .take(inputs.len() * 10)
        .collect();
    inputs.push(Input::Disposed);
    inputs
}

fn failure() -> impl Strategy<Value = FetchFailure> {
    prop_oneof![
        Just(FetchFailure::Network),
        Just(FetchFailure::Timeout),
        any::<u16>().prop_map(|status| FetchFailure::Status { status }),
        any::<u32>().prop_map(|limit| FetchFailure::TooLarge { limit }),
        Just(FetchFailure::Integrity),
    ]
}

fn kind() -> impl Strategy<Value = LoadKind> {
    select(
        &[
            LoadKind::Script,
            LoadKind::Style,
            LoadKind::Import,
            LoadKind::Error,
        ][..],
    )
}

fn peer() -> impl Strategy<Value = PeerMessage> {
    prop_oneof![
        option::of(any::<u64>()).prop_map(|sequence| PeerMessage::Checked { sequence }),
        option::of(0..6_u64).prop_map(|sequence| PeerMessage::Checked { sequence }),
        Just(PeerMessage::WhoIsVisible),
        any::<String>().prop_map(|tab| PeerMessage::Visible { tab }),
        any::<String>().prop_map(|tab| PeerMessage::Hidden { tab }),
    ]
}

fn release() -> impl Strategy<Value = (String, Option<String>)> {
    let events = option::of(Just("/events".to_string()));
    let urgency = select(&[Urgency::Routine, Urgency::Soon, Urgency::Now][..]);
    let rollout = option::of((0..=100_u8, option::of(build())));
    let retire = option::of((build(), any::<bool>()));
    (
        0..6_u64,
        build(),
        urgency,
        rollout,
        retire,
        any::<bool>(),
        events,
    )
        .prop_map(
            |(sequence, build, urgency, rollout, retire, expired, events)| {
                let mut release = release_of(sequence, &build.0);
                release.urgency = urgency;
                release.rollout = rollout.map(|(percent, otherwise)| Rollout {
                    percent,
                    salt: "s".into(),
                    otherwise: otherwise.map(|build| build_ref(&build.0)),
                });
                release.retire = retire
                    .map(|(build, force)| Retire {
                        build,
                        how: if force { How::Force } else { How::Drain },
                        by: None,
                    })
                    .into_iter()
                    .collect();
                release.expires = expired.then(|| "2026-07-31T12:10:00Z".into());
                (release.to_json(), events)
            },
        )
}

fn release_of(sequence: u64, build: &str) -> Release {
    Release::new(
        "shop",
        "stable",
        sequence,
        "2026-07-31T12:00:00Z",
        build_ref(build),
    )
}

fn release_text(sequence: u64, build: &str) -> String {
    release_of(sequence, build).to_json()
}

fn build_ref(id: &str) -> BuildRef {
    BuildRef {
        id: BuildId(id.into()),
        manifest: format!("builds/{id}.json"),
        integrity: None,
    }
}

fn manifest_text(id: &str) -> String {
    let mut manifest = Manifest::new("shop", BuildId(id.into()), "2026-07-31T12:00:00Z");
    manifest.entries.push(format!("index-{id}.js"));
    manifest.to_json()
}
