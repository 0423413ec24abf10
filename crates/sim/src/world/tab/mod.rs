//! A tab and the life of its pages: loaded, hidden, frozen, put away, closed.

mod driver;

use changeover::engine::guard::{Config, Guard};
use changeover::engine::io::{Arrival, Input, Output, Reloads, Snooze, Start};
use changeover::ids::BuildId;
use changeover::rng::{FNV_OFFSET, fnv};
use changeover::time::Timestamp;

use super::{Happening, MINUTE, SECOND, World};

/// One tab. It may be empty (closed, or its page could not be loaded).
pub struct Tab {
    number: usize,
    locks: bool,
    pub guard: Option<Guard>,
    /// Counts the pages this tab has loaded; answers to an earlier one are lost.
    pub page: u64,
    pub build: BuildId,
    pub visible: bool,
    frozen: bool,
    /// Inputs that wait until the tab is thawed.
    backlog: Vec<Input>,
    /// Counts how often the timer was set.
    pub armed: u64,
    /// The replica that its stream is connected to.
    pub stream: Option<usize>,
    /// Whether it listens to its peers.
    pub listens: bool,
    away: bool,
    elected_told: bool,
    snooze: Option<Snooze>,
    reloads: Vec<Reloads>,
    arrival: Option<Arrival>,
    capture: Option<Arrival>,
    answers_at: Option<u64>,
}

impl Tab {
    pub fn new(number: usize, locks: bool) -> Self {
        Self {
            number,
            locks,
            guard: None,
            page: 0,
            build: BuildId("b0".into()),
            visible: false,
            frozen: false,
            backlog: Vec::new(),
            armed: 0,
            stream: None,
            listens: false,
            away: false,
            elected_told: false,
            snooze: None,
            reloads: Vec::new(),
            arrival: None,
            capture: None,
            answers_at: None,
        }
    }

    pub fn has_locks(&self) -> bool {
        self.locks
    }

    pub fn is_open(&self) -> bool {
        self.guard.is_some()
    }
}

impl World {
    /// Delivers an input to the page of a tab, now or when the tab is thawed.
    pub(super) fn give(&mut self, number: usize, input: Input) {
        let now = Timestamp(self.now);
        let tab = &mut self.tabs[number];
        let Some(guard) = &mut tab.guard else { return };
        if tab.away && matches!(input, Input::PageShown { .. }) {
            // A page in the back/forward cache gets no inputs for what happened meanwhile.
            tab.frozen = false;
            tab.backlog.clear();
        }
        if tab.frozen {
            tab.backlog.push(input);
            return;
        }
        match input {
            Input::BecameVisible => tab.visible = true,
            Input::BecameHidden => tab.visible = false,
            Input::PageShown { .. } => tab.away = false,
            _ => {}
        }
        self.outcome.inputs += 1;
        self.promises.on_input(number, &input, self.now);
        guard.handle_input(input, now);
        let mut outputs = Vec::new();
        let wake = loop {
            match guard.poll_output() {
                Output::Wake { at, .. } => break at,
                output => outputs.push(output),
            }
        };
        let status = guard.status();
        tab.armed += 1;
        let (page, armed) = (tab.page, tab.armed);
        for output in outputs {
            self.outcome.trace = mixed(
                self.outcome.trace,
                &format!("{} {number} {output:?}", self.now),
            );
            match output {
                Output::Effect(effect) => self.perform(number, effect),
                Output::Event(event) => self.on_event(number, event),
                // Handled above.
                Output::Wake { .. } => {}
            }
        }
        self.promises.on_status(number, page, &status);
        if let Some(at) = wake {
            self.promises.on_wake(number, at.0, self.now);
            // Timers are late: a little, or more in a hidden tab, where they are throttled.
            let late = if self.tabs[number].visible {
                1 + self.rng.at_most(15)
            } else {
                self.rng.at_most(SECOND)
            };
            self.later(
                at.0.saturating_sub(self.now) + late,
                Happening::Timer {
                    tab: number,
                    page,
                    armed,
                },
            );
        }
    }

    /// The tab loads the document, from any replica.
    pub(super) fn load(&mut self, number: usize) {
        self.leave(number);
        let replica = self.rng.below(self.server.replicas.len());
        if !self.online || !self.server.is_up() {
            // The browser's error page; the user tries again.
            return self.later(20 * SECOND, Happening::Load { tab: number });
        }
        let build = self.server.release_of(replica).build.id.clone();
        let seed = self.rng.draw();
        let visible = number == 0 || self.tabs[number].visible;
        let start = {
            let tab = &mut self.tabs[number];
            tab.build = build.clone();
            tab.visible = visible;
            tab.guard = Some(Guard::new(Config {
                app: Some("shop".into()),
                release: "https://shop.test/changeover/release.json".into(),
                ..Config::default()
            }));
            Start {
                build: Some(build),
                document_sequence: None,
                seed,
                visitor: "ada".into(),
                visible,
                online: self.online,
                locks: tab.locks,
                storage: true,
                highest_sequence: self.highest,
                highest_app: None,
                reloads: tab.reloads.clone(),
                snooze: tab.snooze.clone(),
                arrival: tab.arrival.take(),
            }
        };
        self.promises.on_load(number, self.highest);
        self.give(number, Input::Started(start));
    }

    /// The page of a tab ends.
    fn leave(&mut self, number: usize) {
        if self.tabs[number].is_open() && !self.tabs[number].away {
            self.tabs[number].frozen = false;
            self.give(number, Input::PageHid);
        }
        let tab = &mut self.tabs[number];
        tab.guard = None;
        tab.page += 1;
        tab.frozen = false;
        tab.away = false;
        tab.backlog.clear();
        tab.stream = None;
        tab.listens = false;
        tab.answers_at = None;
        self.unlock(number);
    }

    pub(super) fn close(&mut self, number: usize) {
        if self.tabs.iter().filter(|tab| tab.is_open()).count() < 2 {
            return;
        }
        // A tab that crashes sends no `PageHid`.
        if self.rng.one_in(2) {
            self.tabs[number].frozen = true;
            self.tabs[number].away = true;
        }
        self.leave(number);
        self.promises.on_close(number);
        self.tabs[number].visible = false;
        self.tabs[number].reloads.clear();
        self.tabs[number].snooze = None;
        self.tabs[number].arrival = None;
        let delay = self.rng.at_most(5 * MINUTE);
        self.later(delay, Happening::Load { tab: number });
    }

    pub(super) fn freeze(&mut self, number: usize) {
        if self.tabs[number].is_open() {
            self.give(number, Input::BecameHidden);
            self.tabs[number].frozen = true;
        }
    }

    pub(super) fn thaw(&mut self, number: usize) {
        if !self.tabs[number].frozen {
            return;
        }
        self.tabs[number].frozen = false;
        let backlog = std::mem::take(&mut self.tabs[number].backlog);
        if self.rng.one_in(2) {
            self.give(number, Input::Resumed);
        }
        for input in backlog {
            self.give(number, input);
        }
        self.give(number, Input::Resumed);
    }

    /// The page goes into the back/forward cache, and comes back after a while.
    pub(super) fn put_away(&mut self, number: usize) {
        if !self.tabs[number].is_open() || self.tabs[number].frozen || self.tabs[number].away {
            return;
        }
        self.give(number, Input::PageHid);
        self.tabs[number].away = true;
        self.tabs[number].frozen = true;
        let page = self.tabs[number].page;
        let delay = self.rng.at_most(10 * MINUTE);
        self.later(
            delay,
            Happening::Input {
                tab: number,
                page,
                input: Input::PageShown { persisted: true },
            },
        );
    }

    pub(super) fn break_stream(&mut self, number: usize) {
        if self.tabs[number].stream.take().is_some() {
            self.give(number, Input::StreamClosed);
        }
    }
}

/// Continues an FNV-1a hash.
fn mixed(hash: u64, text: &str) -> u64 {
    fnv(if hash == 0 { FNV_OFFSET } else { hash }, text.as_bytes())
}
