//! One page on a virtual clock, with a server that answers as it is told to.

use std::{collections::BTreeMap, fmt::Write as _};

use changeover::{
    engine::{
        guard::{Config, Guard},
        io::{Effect, Event, Input, Output, Reason, Start, WakeReason, WorkerOutcome},
        status::Status,
    },
    time::Timestamp,
};

use super::words::{effect_text, event_text};
pub use super::{
    samples::{
        arrival, build, build_ref, checked, chunk, hint, manifest, peer, release, reloads, start,
        urgent,
    },
    server::{Answer, Server},
};

pub const SECOND: u64 = 1_000;
pub const MINUTE: u64 = 60 * SECOND;
pub const HOUR: u64 = 60 * MINUTE;

/// When every story begins: 2026-07-31T12:00:00Z.
pub const NOON: u64 = 1_785_499_200_000;

/// One page and its server.
pub struct Page {
    guard: Guard,
    start: Option<Start>,
    pub server: Server,
    pub now: u64,
    wake: Option<(u64, WakeReason)>,
    inbox: Vec<(u64, Input)>,
    outputs: Vec<String>,
    told: Vec<String>,
    /// What the app heard of problems: code and sentence.
    pub problems: Vec<(String, String)>,
    /// The looks at files of a build.
    pub checks: Vec<Effect>,
    /// How often the guard let the page have its turn before it went on.
    turns: usize,
}

/// A page on build `a`, alone on its origin, visible and online; the server has release 1 of build `a`.
pub fn page() -> Page {
    Page::new(Config {
        release: "https://shop.test/changeover/release.json".into(),
        ..Config::default()
    })
}

impl Page {
    pub fn new(config: Config) -> Self {
        let mut server = Server {
            release: Answer::Never,
            manifests: BTreeMap::new(),
            kept: BTreeMap::new(),
            events: None,
            date: None,
            loaded: vec!["/assets/index-a.js".into()],
            complete: true,
            wrong: BTreeMap::new(),
            document: None,
            document_is_ours: false,
            worker: WorkerOutcome::Activated,
            state: Ok(()),
            swap: vec![],
            silent: Vec::new(),
            looks: Vec::new(),
        };
        server.publishes(release(1, "a"));
        for build in ["a", "b", "c"] {
            server.has(manifest(build));
        }
        Self {
            guard: Guard::new(config),
            start: Some(start()),
            server,
            now: NOON,
            wake: None,
            inbox: Vec::new(),
            outputs: Vec::new(),
            told: Vec::new(),
            problems: Vec::new(),
            checks: Vec::new(),
            turns: 0,
        }
    }

    /// Changes what the page knows when it starts.
    pub fn where_(mut self, change: impl FnOnce(&mut Start)) -> Self {
        change(self.start.as_mut().expect("the page has not started yet"));
        self
    }

    /// Changes the server before the page starts.
    pub fn with(mut self, change: impl FnOnce(&mut Server)) -> Self {
        change(&mut self.server);
        self
    }

    /// The page starts and has its first answers.
    pub fn opens(mut self) -> Self {
        let start = self.start.take().expect("a page starts once");
        self = self.when("the page starts", Input::Started(start));
        self.runs_until(self.now + SECOND);
        self.outputs.clear();
        self
    }

    pub fn starts(mut self) -> Self {
        let start = self.start.take().expect("a page starts once");
        self.when("the page starts", Input::Started(start))
    }

    /// Something happens to the page.
    pub fn when(mut self, what: &str, input: Input) -> Self {
        self.told.push(format!("when {what}"));
        self.outputs.clear();
        self.feeds(input);
        self
    }

    /// Several things happen within the same moment.
    pub fn when_all(mut self, what: &str, inputs: impl IntoIterator<Item = Input>) -> Self {
        self.told.push(format!("when {what}"));
        self.outputs.clear();
        for input in inputs {
            self.now += 3;
            self.feeds(input);
        }
        self
    }

    /// Something changes on the server.
    pub fn meanwhile(mut self, what: &str, change: impl FnOnce(&mut Server)) -> Self {
        self.told.push(format!("meanwhile {what}"));
        self.outputs.clear();
        change(&mut self.server);
        self
    }

    /// Time passes; timers go off when they are due.
    pub fn later(mut self, what: &str, span: u64) -> Self {
        self.told.push(format!("{what} ({span} ms)"));
        self.runs_until(self.now + span);
        self
    }

    /// Time passes while the page is frozen: no timer goes off.
    pub fn frozen(mut self, what: &str, span: u64) -> Self {
        self.told.push(format!("frozen {what} ({span} ms)"));
        self.outputs.clear();
        self.now += span;
        self.inbox.clear();
        self
    }

    /// Since the last step, exactly this came out.
    #[track_caller]
    pub fn then(mut self, expected: &[&str]) -> Self {
        let outputs = std::mem::take(&mut self.outputs);
        assert_eq!(outputs, expected, "{}", self.story());
        self
    }

    /// Since the last step, this came out among others, in this order.
    #[track_caller]
    pub fn then_among(mut self, expected: &[&str]) -> Self {
        let outputs = std::mem::take(&mut self.outputs);
        let mut rest = outputs.iter();
        for wanted in expected {
            assert!(
                rest.any(|output| output == wanted),
                "no {wanted:?} in {outputs:#?}\n{}",
                self.story()
            );
        }
        self
    }

    /// Since the last step, nothing came out that starts with `what`.
    #[track_caller]
    pub fn never(mut self, what: &str) -> Self {
        let outputs = std::mem::take(&mut self.outputs);
        assert!(
            !outputs.iter().any(|output| output.starts_with(what)),
            "{what} in {outputs:#?}\n{}",
            self.story()
        );
        self
    }

    /// How often this came out since the last step.
    pub fn count(&mut self, output: &str) -> usize {
        let outputs = std::mem::take(&mut self.outputs);
        outputs.iter().filter(|text| *text == output).count()
    }

    /// The page shows a prompt for this reason.
    #[track_caller]
    pub fn asks(self, reason: Reason) -> Self {
        let shown = self.guard.status().prompt.map(|prompt| prompt.reason);
        assert_eq!(shown, Some(reason), "{}", self.story());
        self
    }

    /// The page shows no prompt.
    #[track_caller]
    pub fn asks_nothing(self) -> Self {
        assert_eq!(self.guard.status().prompt, None, "{}", self.story());
        self
    }

    /// The status is as described.
    #[track_caller]
    pub fn so(self, what: &str, holds: impl FnOnce(&Status) -> bool) -> Self {
        let status = self.guard.status();
        assert!(
            holds(&status),
            "not so: {what}\n{status:#?}\n{}",
            self.story()
        );
        self
    }

    /// How often the page looked, so far.
    pub fn looks(&self) -> usize {
        self.server.looks.len()
    }

    /// The page looked so often in all.
    #[track_caller]
    pub fn looked(self, times: usize) -> Self {
        assert_eq!(
            self.looks(),
            times,
            "looks at {:?}\n{}",
            self.server.looks,
            self.story()
        );
        self
    }

    /// The timer is set for a time between `from` and `to` from now, for `reason`.
    #[track_caller]
    pub fn sleeps(self, reason: WakeReason, from: u64, to: u64) -> Self {
        let (at, why) = self
            .wake
            .unwrap_or_else(|| panic!("no timer is set\n{}", self.story()));
        let span = at.saturating_sub(self.now);
        assert!(
            why == reason && (from..=to).contains(&span),
            "sleeps {span} ms for {why:?}, not {from} to {to} ms for {reason:?}\n{}",
            self.story()
        );
        self
    }

    /// No timer is set.
    #[track_caller]
    pub fn sleeps_for_ever(self) -> Self {
        assert_eq!(self.wake, None, "{}", self.story());
        self
    }

    pub fn status(&self) -> Status {
        self.guard.status()
    }

    pub fn turns(&self) -> usize {
        self.turns
    }

    pub fn is_settled(&self) -> bool {
        self.guard.is_settled()
    }

    fn story(&self) -> String {
        let mut story = String::from("the story so far:\n");
        for step in &self.told {
            let _ = writeln!(story, "  {step}");
        }
        story
    }

    fn runs_until(&mut self, end: u64) {
        let mut spins = 0;
        loop {
            let inbox = self.inbox.iter().map(|(at, _)| *at).min();
            let wake = self.wake.map(|(at, _)| at);
            let Some(next) = inbox.into_iter().chain(wake).min().filter(|at| *at <= end) else {
                break;
            };
            let reads = matches!(self.wake, Some((_, WakeReason::Reading)));
            self.turns += usize::from(reads);
            spins = if next > self.now || reads {
                0
            } else {
                spins + 1
            };
            assert!(
                spins < 50 && self.turns < 1_000,
                "the timer spins: {:?}\n{}",
                self.wake,
                self.story()
            );
            self.now = self.now.max(next);
            if inbox == Some(next) {
                let place = self
                    .inbox
                    .iter()
                    .position(|(at, _)| *at == next)
                    .expect("found above");
                let (_, input) = self.inbox.remove(place);
                self.feeds(input);
            } else {
                self.feeds(Input::Woke);
            }
        }
        self.now = self.now.max(end);
    }

    fn feeds(&mut self, input: Input) {
        self.guard.handle_input(input, Timestamp(self.now));
        loop {
            match self.guard.poll_output() {
                Output::Effect(effect) => {
                    self.outputs.push(effect_text(&effect));
                    let name = self
                        .outputs
                        .last()
                        .and_then(|text| text.split(' ').next())
                        .unwrap_or_default();
                    if matches!(effect, Effect::FetchRelease) {
                        self.server.looks.push(self.now);
                    }
                    if matches!(effect, Effect::CheckFiles { .. }) {
                        self.checks.push(effect.clone());
                    }
                    if !self.server.silent.contains(&name) {
                        self.server.answers(effect, self.now, &mut self.inbox);
                    }
                }
                Output::Event(Event::StatusChanged) => {}
                Output::Event(event) => {
                    self.outputs.push(event_text(&event));
                    if let Event::Problem { code, message } = event {
                        self.problems.push((code, message));
                    }
                }
                Output::Wake { at, reason } => {
                    self.wake = at.map(|at| (at.0, reason));
                    break;
                }
            }
        }
    }
}

/// Build b is build a under another name.
pub fn unchanged() -> Page {
    page().with(|server| {
        let mut next = manifest("a");
        next.id = build("b");
        server.has(next);
    })
}
