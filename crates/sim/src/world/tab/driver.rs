//! The driver of a tab: performs the effects of its guard, and answers as a network, a storage, a lock and a user would.

use changeover::engine::io::{
    Arrival, Asker, Effect, EnvelopeMark, Event, FetchFailure, Input, Reloads, Source, WrongFile,
};
use changeover::engine::slots::Fetch;
use changeover::time::Timestamp;

use super::super::{Happening, MINUTE, SECOND, World};

impl World {
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

    pub(super) fn perform(&mut self, number: usize, effect: Effect) {
        let delay = 5 + self.rng.at_most(400);
        self.promises.on_effect(
            number,
            &effect,
            self.lock.first() == Some(&number),
            self.tabs[number].locks,
        );
        match effect {
            Effect::FetchRelease => {
                self.outcome.checks += 1;
                self.promises.on_check(self.now);
                let replica = self.rng.below(self.server.replicas.len());
                let failed = |failure| Input::ReleaseFailed {
                    failure,
                    retry_after: None,
                };
                if !self.online {
                    return self.answer_in(number, 3, failed(FetchFailure::Network));
                }
                match self.server.answer(replica) {
                    Some(answer) => self.answer_in(number, delay, answer),
                    // A driver that gives up after a timeout, or one that never answers.
                    None if self.rng.one_in(2) => {
                        self.answer_in(number, 15 * SECOND, failed(FetchFailure::Timeout))
                    }
                    None => {}
                }
            }
            // The copy that tabs share may be missing or damaged.
            Effect::FetchManifest { build, .. } if self.rng.one_in(3) => {
                let body = match self.server.kept(&build) {
                    Some(body) if !self.rng.one_in(4) => body,
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
            // Sometimes a cache has half a file.
            Effect::CheckFiles { build, files, .. } => {
                let wrong = !self.calm && self.rng.one_in(4);
                let wrong = files.into_iter().next().filter(|_| wrong);
                let wrong = wrong.map(|Fetch { file, size, .. }| WrongFile {
                    file,
                    failure: FetchFailure::Length { bytes: size / 2 },
                });
                self.answer_in(number, delay, Input::FilesChecked { build, wrong });
            }
            Effect::OpenStream { .. } => {
                let replica = self.rng.below(self.server.replicas.len());
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
                    let delay = 1 + self.rng.at_most(4);
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
                let fails = !self.calm && self.rng.one_in(10);
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
                // Sometimes the browser ignores it.
                if self.calm || !self.rng.one_in(8) {
                    self.tabs[number].arrival = self.tabs[number].capture.take();
                    self.later(50, Happening::Load { tab: number });
                }
            }
        }
    }

    pub(super) fn on_event(&mut self, number: usize, event: Event) {
        match event {
            Event::PromptShown { prompt }
                if prompt.busy.is_none() && self.tabs[number].answers_at.is_none() =>
            {
                self.outcome.prompts += 1;
                self.tabs[number].answers_at = Some(self.now);
                let delay = 2 * SECOND + self.rng.at_most(4 * MINUTE);
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

    pub(in crate::world) fn user_answers(&mut self, number: usize) {
        self.tabs[number].answers_at = None;
        match self.rng.below(4) {
            0 | 1 => self.give(number, Input::ReloadRequested { by: Asker::User }),
            2 => self.give(number, Input::SnoozeRequested),
            _ => {}
        }
    }

    /// The first in the queue gets the lock.
    pub(in crate::world) fn grant(&mut self) {
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

    pub(super) fn unlock(&mut self, number: usize) {
        let held = self.lock.first() == Some(&number);
        self.lock.retain(|waiting| *waiting != number);
        self.tabs[number].elected_told = false;
        if held {
            self.later(1, Happening::Unlocked);
        }
    }
}
