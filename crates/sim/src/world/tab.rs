//! A tab with its page, its driver and its user.

use changeover::{
    engine::{
        guard::{Config, Guard},
        io::{
            Arrival, Asker, Effect, EnvelopeMark, Event, FetchFailure, Input, Output, Reloads,
            Snooze, Source, Start, WrongFile,
        },
        slots::Fetch,
    },
    ids::BuildId,
    rng::{FNV_OFFSET, fnv},
    time::Timestamp,
};

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
    /// What waits until the tab is thawed.
    backlog: Vec<Input>,
    /// Counts how often the timer was set.
    pub armed: u64,
    /// The replica its stream is connected to.
    pub stream: Option<usize>,
    /// Whether it is on the channel of its peers.
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
    /// An input for the page of a tab: now, or when the tab is thawed.
    pub(super) fn give(&mut self, number: usize, input: Input) {
        let now = Timestamp(self.now);
        let tab = &mut self.tabs[number];
        let Some(guard) = &mut tab.guard else { return };
        if tab.away && matches!(input, Input::PageShown { .. }) {
            // A page in the back/forward cache hears of nothing that happened meanwhile.
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
                // Taken out above.
                Output::Wake { .. } => {}
            }
        }
        self.promises.on_status(number, page, &status);
        if let Some(at) = wake {
            self.promises.on_wake(number, at.0, self.now);
            // Timers are late: by little, or by a throttled minute in a hidden tab.
            let late = if self.tabs[number].visible {
                1 + self.chance.up_to(15)
            } else {
                self.chance.up_to(SECOND)
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

    fn answer_in(&mut self, number: usize, delay: u64, input: Input) {
        let page = self.tabs[number].page;
        self.later(
            delay,
            Happening::Input {
                tab: number,
                page,
                input,
            },
        );
    }

    fn perform(&mut self, number: usize, effect: Effect) {
        let delay = 5 + self.chance.up_to(400);
        self.promises.on_effect(
            number,
            &effect,
            self.lock.first() == Some(&number),
            self.tabs[number].locks,
        );
        match effect {
            Effect::FetchRelease => {
                self.outcome.looks += 1;
                self.promises.on_look(self.now);
                let replica = self.chance.below(self.server.replicas.len());
                let failed = |failure| Input::ReleaseFailed {
                    failure,
                    retry_after: None,
                };
                if !self.online {
                    return self.answer_in(number, 3, failed(FetchFailure::Network));
                }
                match self.server.answer(replica) {
                    Some(answer) => self.answer_in(number, delay, answer),
                    // A driver that gives up, or one that does not even do that.
                    None if self.chance.one_in(2) => {
                        self.answer_in(number, 15 * SECOND, failed(FetchFailure::Timeout))
                    }
                    None => {}
                }
            }
            // What tabs share: it is not there yet, or it is damaged.
            Effect::FetchManifest { build, .. } if self.chance.one_in(3) => {
                let body = match self.server.kept(&build) {
                    Some(body) if !self.chance.one_in(4) => body,
                    _ => "{\"format\":1".into(),
                };
                self.answer_in(number, 2, Input::ManifestKept { build, body });
            }
            Effect::FetchManifest { build, .. } | Effect::RefetchManifest { build, .. } => {
                let answer = if self.online {
                    self.server.manifest(build)
                } else {
                    Some(Input::ManifestFailed {
                        build,
                        failure: FetchFailure::Network,
                    })
                };
                if let Some(answer) = answer {
                    self.answer_in(number, delay, answer);
                }
            }
            Effect::ListLoadedFiles => {
                self.answer_in(
                    number,
                    1,
                    Input::LoadedFilesListed {
                        files: vec!["/assets/index.js".into()],
                        elements: vec![],
                        complete: true,
                    },
                );
            }
            // A cache has half a file now and then.
            Effect::CheckFiles { build, files, .. } => {
                let wrong = !self.calm && self.chance.one_in(4);
                let wrong = files.into_iter().next().filter(|_| wrong);
                let wrong = wrong.map(|Fetch { file, size, .. }| WrongFile {
                    file,
                    failure: FetchFailure::Length { bytes: size / 2 },
                });
                self.answer_in(number, delay, Input::FilesChecked { build, wrong });
            }
            Effect::OpenStream { .. } => {
                let replica = self.chance.below(self.server.replicas.len());
                if self.online && self.server.is_up() {
                    self.tabs[number].stream = Some(replica);
                    let sequence = Some(self.server.release_of(replica).sequence);
                    self.answer_in(number, delay, Input::StreamOpened);
                    self.answer_in(
                        number,
                        delay + 1,
                        Input::Sighted {
                            source: Source::Stream,
                            sequence,
                            build: None,
                        },
                    );
                } else {
                    self.answer_in(number, delay, Input::StreamClosed);
                }
            }
            Effect::CloseStream => self.tabs[number].stream = None,
            Effect::JoinElection => {
                self.tabs[number].listens = true;
                if !self.lock.contains(&number) {
                    self.lock.push(number);
                }
                self.grant();
            }
            Effect::LeaveElection => {
                self.tabs[number].listens = false;
                self.unlock(number);
            }
            Effect::TellPeers { message } => {
                for peer in (0..self.tabs.len()).filter(|peer| *peer != number) {
                    let delay = 1 + self.chance.up_to(4);
                    self.later(
                        delay,
                        Happening::Message {
                            tab: peer,
                            message: message.clone(),
                        },
                    );
                }
            }
            Effect::ProbeDocument => {
                let failure =
                    (!self.online || !self.server.is_up()).then_some(FetchFailure::Network);
                self.answer_in(
                    number,
                    delay,
                    Input::DocumentProbed {
                        failure,
                        ours: false,
                    },
                );
            }
            // No tab has a service worker.
            Effect::RenewWorker { .. } => {}
            Effect::CaptureState {
                changeover,
                from,
                to,
                stores: _,
            } => {
                self.tabs[number].capture = Some(Arrival {
                    changeover,
                    from,
                    to,
                    at: Timestamp(self.now),
                });
                let fails = !self.calm && self.chance.one_in(10);
                let saved = Input::StateSaved;
                let failed = Input::StateSaveFailed {
                    message: "the storage is full".into(),
                };
                self.answer_in(number, delay, if fails { failed } else { saved });
            }
            // Pages without slots.
            Effect::TakeSwapStep { .. } | Effect::DiscardSwap { .. } => {}
            Effect::RestoreState => {
                self.answer_in(
                    number,
                    2,
                    Input::StateRestored {
                        restored: vec![],
                        failed: vec![],
                    },
                );
            }
            Effect::MarkEnvelope { mark } => {
                if mark == EnvelopeMark::Void {
                    self.tabs[number].arrival = None;
                }
            }
            Effect::RememberSequence { sequence, app: _ } => {
                self.highest = self.highest.max(Some(sequence));
            }
            Effect::RememberReload { target, count } => {
                let reloads = &mut self.tabs[number].reloads;
                reloads.retain(|reloads| reloads.target != target);
                if count > 0 {
                    reloads.push(Reloads { target, count });
                }
            }
            Effect::RememberSnooze { snooze } => self.tabs[number].snooze = Some(snooze),
            Effect::Advise { .. } => {}
            Effect::Reload => {
                self.outcome.reloads += 1;
                // Now and then the browser ignores it.
                if self.calm || !self.chance.one_in(8) {
                    self.tabs[number].arrival = self.tabs[number].capture.take();
                    self.later(50, Happening::Load { tab: number });
                }
            }
        }
    }

    fn on_event(&mut self, number: usize, event: Event) {
        match event {
            Event::PromptShown { prompt }
                if prompt.busy.is_none() && self.tabs[number].answers_at.is_none() =>
            {
                self.outcome.prompts += 1;
                self.tabs[number].answers_at = Some(self.now);
                let delay = 2 * SECOND + self.chance.up_to(4 * MINUTE);
                self.later(
                    delay,
                    Happening::Answer {
                        tab: number,
                        page: self.tabs[number].page,
                    },
                );
            }
            _ => {}
        }
    }

    pub(super) fn user_answers(&mut self, number: usize) {
        self.tabs[number].answers_at = None;
        match self.chance.below(4) {
            0 | 1 => self.give(number, Input::ReloadRequested { by: Asker::User }),
            2 => self.give(number, Input::SnoozeRequested),
            _ => {}
        }
    }

    /// The tab loads the document, from any replica.
    pub(super) fn load(&mut self, number: usize) {
        self.leave(number);
        let replica = self.chance.below(self.server.replicas.len());
        if !self.online || !self.server.is_up() {
            // The browser's error page; the user tries again.
            return self.later(20 * SECOND, Happening::Load { tab: number });
        }
        let build = self.server.release_of(replica).build.id.clone();
        let seed = self.chance.draw();
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

    /// The page of a tab goes for good.
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
        // A tab that crashes says no goodbye.
        if self.chance.one_in(2) {
            self.tabs[number].frozen = true;
            self.tabs[number].away = true;
        }
        self.leave(number);
        self.promises.on_close(number);
        self.tabs[number].visible = false;
        self.tabs[number].reloads.clear();
        self.tabs[number].snooze = None;
        self.tabs[number].arrival = None;
        let delay = self.chance.up_to(5 * MINUTE);
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
        if self.chance.one_in(2) {
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
        let delay = self.chance.up_to(10 * MINUTE);
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

    /// The first in the queue gets the lock.
    pub(super) fn grant(&mut self) {
        if let Some(holder) = self.lock.first().copied()
            && !self.tabs[holder].elected_told
        {
            self.tabs[holder].elected_told = true;
            self.answer_in(
                holder,
                1 + self.tabs[holder].number as u64 % 3,
                Input::Elected,
            );
        }
    }

    fn unlock(&mut self, number: usize) {
        let held = self.lock.first() == Some(&number);
        self.lock.retain(|waiting| *waiting != number);
        self.tabs[number].elected_told = false;
        if held {
            self.later(1, Happening::Unlocked);
        }
    }
}

/// FNV-1a, continued.
fn mixed(hash: u64, text: &str) -> u64 {
    fnv(if hash == 0 { FNV_OFFSET } else { hash }, text.as_bytes())
}
