//! A virtual world: tabs of one origin, their users, and a server with replicas.
//!
//! A world first has trouble: releases, flapping replicas, half deploys, odd answers, freezes, closed tabs, lost
//! networks. Then everything heals. What must always hold is checked at each step, and what must be reached after
//! healing is checked at the end. The same seed gives the same run.

mod promises;
mod rng;
mod server;
mod tab;

use std::{collections::BTreeMap, fmt};

use changeover::engine::{
    io::{Input, PeerMessage, Source},
    release::Urgency,
};

use self::{
    promises::Promises,
    rng::Rng,
    server::{Fault, Server},
    tab::Tab,
};

pub const SECOND: u64 = 1_000;
pub const MINUTE: u64 = 60 * SECOND;

/// How long the trouble lasts.
const TROUBLE: u64 = 40 * MINUTE;

/// How long the calm lasts before the end is checked: longer than the longest back-off.
const CALM: u64 = 45 * MINUTE;

/// The time at which every world begins.
const BEGINNING: u64 = 1_785_499_200_000;

/// The result of a world.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// A hash over all outputs of all tabs, with their times.
    pub trace: u64,
    pub inputs: u64,
    pub checks: u64,
    pub reloads: u64,
    pub prompts: u64,
}

impl Outcome {
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self {
            trace: self.trace.rotate_left(7) ^ other.trace,
            inputs: self.inputs + other.inputs,
            checks: self.checks + other.checks,
            reloads: self.reloads + other.reloads,
            prompts: self.prompts + other.prompts,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            trace,
            inputs,
            checks,
            reloads,
            prompts,
        } = self;
        write!(
            f,
            "{inputs} inputs, {checks} checks, {prompts} prompts, {reloads} reloads, trace {trace:016x}"
        )
    }
}

/// A broken promise, with the last events before it.
#[derive(Clone, Debug)]
pub struct Broken {
    pub promise: String,
    pub story: Vec<String>,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.promise)?;
        self.story
            .iter()
            .try_for_each(|line| writeln!(f, "  {line}"))
    }
}

impl std::error::Error for Broken {}

/// Runs one world.
pub fn run(seed: u64) -> Result<Outcome, Broken> {
    World::new(seed).live()
}

// Few of them are queued at a time.
#[allow(clippy::large_enum_variant)]
/// A scheduled event.
#[derive(Clone, Debug)]
enum Happening {
    /// An input reaches a page, if the tab still has that page.
    Input {
        tab: usize,
        page: u64,
        input: Input,
    },
    /// The timer of a page goes off.
    Timer {
        tab: usize,
        page: u64,
        armed: u64,
    },
    /// A tab loads the document.
    Load {
        tab: usize,
    },
    /// Another tab's message arrives.
    Message {
        tab: usize,
        message: PeerMessage,
    },
    /// A tab freed the lock.
    Unlocked,
    /// The user reacts to the prompt of a tab.
    Answer {
        tab: usize,
        page: u64,
    },
    /// A replica catches up with the newest release.
    CatchUp {
        replica: usize,
    },
    /// The manifest of a build arrives on the server.
    ManifestArrives {
        build: usize,
    },
    Mischief,
    Calm,
    /// Each tab becomes visible for a moment.
    Show {
        tab: usize,
    },
    End,
}

/// The world.
pub struct World {
    now: u64,
    rng: Rng,
    queue: BTreeMap<(u64, u64), Happening>,
    count: u64,
    tabs: Vec<Tab>,
    server: Server,
    /// Tabs that hold or want the lock, the holder first.
    lock: Vec<usize>,
    calm: bool,
    online: bool,
    /// The highest sequence in the storage of the origin.
    highest: Option<u64>,
    promises: Promises,
    outcome: Outcome,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let replicas = rng.pick(&[1, 1, 2, 3]);
        let locks = !rng.one_in(6);
        let tabs = rng.pick(&[1, 2, 3, 5, 8, 20]);
        Self {
            now: BEGINNING,
            queue: BTreeMap::new(),
            count: 0,
            tabs: (0..tabs).map(|number| Tab::new(number, locks)).collect(),
            server: Server::new(replicas, rng.one_in(2)),
            lock: Vec::new(),
            calm: false,
            online: true,
            highest: None,
            promises: Promises::default(),
            outcome: Outcome::default(),
            rng,
        }
    }

    #[cfg(test)]
    /// A world without trouble: `tabs` tabs with locks, one replica, a stream.
    fn calm(seed: u64, tabs: usize) -> Self {
        let mut world = Self::new(seed);
        world.tabs = (0..tabs).map(|number| Tab::new(number, true)).collect();
        world.server = Server::new(1, true);
        world.calm = true;
        for tab in 0..tabs {
            world.later(100 * tab as u64, Happening::Load { tab });
        }
        world
    }

    #[cfg(test)]
    /// Runs for some more time.
    fn runs(&mut self, span: u64) {
        let end = self.now + span;
        while let Some(entry) = self.queue.first_entry()
            && entry.key().0 <= end
        {
            let ((at, _), happening) = entry.remove_entry();
            self.now = self.now.max(at);
            self.happen(happening);
        }
        self.now = end;
    }

    fn live(mut self) -> Result<Outcome, Broken> {
        for tab in 0..self.tabs.len() {
            let delay = self.rng.at_most(20 * SECOND);
            self.later(delay, Happening::Load { tab });
        }
        self.later(30 * SECOND, Happening::Mischief);
        self.later(TROUBLE, Happening::Calm);
        self.later(TROUBLE + CALM, Happening::End);
        while let Some(((at, _), happening)) = self.queue.pop_first() {
            self.now = self.now.max(at);
            self.promises.tell(self.now - BEGINNING, &happening);
            if matches!(happening, Happening::End) {
                break;
            }
            self.happen(happening);
            if let Some(promise) = self.promises.broken.take() {
                return Err(self.broken(promise));
            }
        }
        match self.promises.at_the_end(&self.tabs, &self.server, self.now) {
            None => Ok(self.outcome),
            Some(promise) => Err(self.broken(promise)),
        }
    }

    fn broken(&mut self, promise: String) -> Broken {
        Broken {
            promise,
            story: self.promises.story(),
        }
    }

    fn later(&mut self, delay: u64, happening: Happening) {
        self.count += 1;
        self.queue.insert((self.now + delay, self.count), happening);
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Input { tab, page, input } => {
                if self.tabs[tab].page == page {
                    self.give(tab, input);
                }
            }
            Happening::Timer { tab, page, armed } => {
                let there = &self.tabs[tab];
                if there.page == page && there.armed == armed {
                    self.give(tab, Input::Woke);
                }
            }
            Happening::Load { tab } => self.load(tab),
            Happening::Message { tab, message } => {
                if self.tabs[tab].listens {
                    self.give(tab, Input::PeerHeard { message });
                }
            }
            Happening::Unlocked => self.grant(),
            Happening::Answer { tab, page } => {
                if self.tabs[tab].page == page {
                    self.user_answers(tab);
                }
            }
            Happening::CatchUp { replica } => {
                for sequence in self.server.catch_up(replica) {
                    self.announce(replica, sequence);
                }
            }
            Happening::ManifestArrives { build } => self.server.manifest_arrives(build),
            Happening::Mischief => self.mischief(),
            Happening::Calm => self.heal(),
            Happening::Show { tab } => {
                self.give(tab, Input::BecameVisible);
                self.later(
                    self.now % 7 * SECOND + 3 * SECOND,
                    Happening::Input {
                        tab,
                        page: self.tabs[tab].page,
                        input: Input::BecameHidden,
                    },
                );
            }
            Happening::End => {}
        }
    }

    /// A replica announces a newer release on its streams.
    fn announce(&mut self, replica: usize, sequence: u64) {
        for tab in 0..self.tabs.len() {
            if self.tabs[tab].stream == Some(replica) {
                let delay = 1 + self.rng.at_most(200);
                let input = Input::Sighted {
                    source: Source::Stream,
                    sequence: Some(sequence),
                    build: None,
                };
                self.later(
                    delay,
                    Happening::Input {
                        tab,
                        page: self.tabs[tab].page,
                        input,
                    },
                );
            }
        }
    }

    /// Causes some trouble or user activity, and schedules the next.
    fn mischief(&mut self) {
        if self.calm {
            return;
        }
        let tab = self.rng.below(self.tabs.len());
        match self.rng.below(16) {
            0..=2 => self.publish(),
            3 => self.publish_half(),
            4 => {
                self.server.fault = self.rng.pick(&[
                    Some(Fault::Status(404)),
                    Some(Fault::Status(500)),
                    Some(Fault::RetryAfter(120 * SECOND)),
                    Some(Fault::Html),
                    Some(Fault::CutOff),
                    Some(Fault::Empty),
                    Some(Fault::Silence),
                    Some(Fault::Network),
                    Some(Fault::OtherApp),
                ]);
            }
            5 | 6 => self.server.fault = None,
            7 => self.freeze(tab),
            8 => self.thaw(tab),
            9 => self.close(tab),
            10 => {
                self.online = !self.online;
                for tab in 0..self.tabs.len() {
                    let input = if self.online {
                        Input::WentOnline
                    } else {
                        Input::WentOffline
                    };
                    self.give(tab, input);
                }
            }
            11 => self.put_away(tab),
            12 => {
                let visible = self.tabs[tab].visible;
                self.give(
                    tab,
                    if visible {
                        Input::BecameHidden
                    } else {
                        Input::BecameVisible
                    },
                );
            }
            13 => self.lively(tab),
            14 => self.break_stream(tab),
            _ => self.promises.forget_clicks(),
        }
        let pause = self.rng.at_most(90 * SECOND);
        self.later(pause, Happening::Mischief);
    }

    fn publish(&mut self) {
        let urgency = self.rng.pick(&[
            Urgency::Routine,
            Urgency::Routine,
            Urgency::Soon,
            Urgency::Now,
        ]);
        let rollback = self.rng.one_in(4);
        let build = if rollback {
            self.rng.below(self.server.builds.len())
        } else {
            self.server.new_build(true)
        };
        self.release(build, urgency);
    }

    /// Publishes a release before its manifest is there.
    fn publish_half(&mut self) {
        let build = self.server.new_build(false);
        self.release(build, Urgency::Routine);
        let delay = self.rng.at_most(5 * MINUTE);
        self.later(delay, Happening::ManifestArrives { build });
    }

    fn release(&mut self, build: usize, urgency: Urgency) {
        self.server.publish(build, urgency);
        for replica in 0..self.server.replicas.len() {
            let delay = if replica == 0 {
                0
            } else {
                self.rng.at_most(3 * MINUTE)
            };
            self.later(delay, Happening::CatchUp { replica });
        }
    }

    /// The user works, takes a hold, requests a check, or needs a chunk that is gone.
    fn lively(&mut self, tab: usize) {
        let hold = self.rng.at_most(3) as u32;
        let input = match self.rng.below(6) {
            0 => Input::HoldTaken {
                hold,
                reason: "upload".into(),
                deadline: None,
            },
            1 => Input::HoldReleased { hold },
            2 => Input::CheckRequested,
            3 => Input::ReloadRequested {
                by: changeover::engine::io::Asker::App,
            },
            4 => Input::Focused,
            _ => Input::LoadFailed {
                kind: changeover::engine::io::LoadKind::Script,
                message: String::new(),
                url: Some("/assets/lazy.js".into()),
            },
        };
        self.give(tab, input);
    }

    /// Ends all trouble.
    fn heal(&mut self) {
        self.calm = true;
        self.server.heal();
        self.online = true;
        for replica in 0..self.server.replicas.len() {
            self.later(0, Happening::CatchUp { replica });
        }
        for tab in 0..self.tabs.len() {
            self.thaw(tab);
            if !self.tabs[tab].is_open() {
                self.later(SECOND, Happening::Load { tab });
            }
            self.give(tab, Input::WentOnline);
            self.give(tab, Input::PageShown { persisted: true });
            let delay = 10 * SECOND + self.rng.at_most(10 * MINUTE);
            self.later(delay, Happening::Show { tab });
        }
    }
}

#[cfg(test)]
mod tests;
