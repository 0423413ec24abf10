//! The manifests this page needs: that of the build it runs and that of the build it is wanted on.
//!
//! A manifest is fetched once. One that is not there is asked for again, at growing distances: its release may be
//! half a deploy. That of the running build is asked for early, since many hosts serve it only until the next deploy.

use alloc::{boxed::Box, string::String, vec::Vec};

use super::{
    format::ParseError,
    graph::{Graph, Links},
    io::WakeReason,
    manifest::{Manifest, Reading},
};
use crate::{
    ids::BuildId,
    rng::Rng,
    time::{Millis, Timestamp},
};

/// Longest time for the largest manifest on a slow line.
const TIMEOUT: Millis = 60_000;

/// The base of the pause between two tries, doubled each time.
const PAUSE: Millis = 1_000;

/// Longest pause between two tries.
const LONGEST_PAUSE: Millis = 5 * 60 * 1_000;

/// How often a manifest is tried that only spares the user a prompt.
const TRIES_WHEN_HELPFUL: u32 = 3;

/// Fetches and keeps manifests.
#[derive(Debug, Default)]
pub struct Shelf(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    want: Want,
    way: Way,
    state: State,
    tries: u32,
}

#[derive(Debug)]
enum State {
    Due {
        at: Timestamp,
    },
    Loading {
        since: Timestamp,
    },
    /// It is here, and read slice by slice.
    Reading {
        reading: Box<Reading<'static>>,
        way: Way,
    },
    /// The links are made when they are wanted for the first time.
    Ready(Box<Manifest>, Option<Links>),
    GivenUp,
}

/// A manifest to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    pub build: BuildId,
    /// Relative to `release.json`.
    pub path: String,
    pub integrity: Option<String>,
    pub need: Need,
}

/// What depends on a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Nothing yet.
    Early,
    /// It may spare the user a prompt.
    Helpful,
    /// Nothing goes on without it.
    Vital,
}

/// How a manifest is to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A copy that the browser has kept will do.
    Usual,
    /// From the server: the kept copy is of no use.
    Anew,
}

/// What the shelf holds for a build.
#[derive(Clone, Copy, Debug)]
pub enum Lookup<'a> {
    Ready(&'a Manifest),
    /// It is on its way for the first time.
    Pending,
    /// It was not there the last time.
    Missing,
}

impl Shelf {
    /// Keeps what is wanted, drops the rest, and notes what is new.
    pub fn on_wanted(&mut self, wants: &[Want], now: Timestamp) {
        self.0
            .retain(|entry| wants.iter().any(|want| want.build == entry.want.build));
        for want in wants {
            match self.find_mut(&want.build) {
                Some(entry) if entry.serves(want) => entry.on_need(want.need, now),
                found => {
                    let entry = Entry {
                        want: want.clone(),
                        way: Way::Usual,
                        state: State::Due { at: now },
                        tries: 0,
                    };
                    match found {
                        Some(old) => *old = entry,
                        None => self.0.push(entry),
                    }
                }
            }
        }
    }

    /// A manifest has come in that `way`, and is to be read.
    pub fn on_text(&mut self, build: &BuildId, reading: Reading<'static>, way: Way) {
        // One that is late, after another try has had it, brings nothing new.
        if let Some(entry) = self.find_mut(build)
            && !matches!(entry.state, State::Ready(..))
        {
            let reading = Box::new(reading);
            entry.state = State::Reading { reading, way };
        }
    }

    /// Reads on for about so many bytes. Returns what has been read to its end, and the way it came.
    pub fn read_on(
        &mut self,
        bytes: usize,
    ) -> Option<(BuildId, Way, Result<Manifest, ParseError>)> {
        let mut entries = self.0.iter_mut();
        let entry = entries.find(|entry| matches!(entry.state, State::Reading { .. }))?;
        let State::Reading { reading, way } = &mut entry.state else {
            return None;
        };
        let (way, read) = (*way, reading.step(bytes)?);
        // It is wanted as before until it is taken or refused.
        entry.state = State::Loading {
            since: Timestamp(0),
        };
        Some((entry.want.build.clone(), way, read))
    }

    /// Whether a text of more than so many bytes is being read.
    pub fn reads_more_than(&self, bytes: usize) -> bool {
        self.0.iter().any(|entry| match &entry.state {
            State::Reading { reading, .. } => reading.size() > bytes,
            State::Due { .. } | State::Loading { .. } | State::Ready(..) | State::GivenUp => false,
        })
    }

    /// A manifest was read.
    pub fn on_manifest(&mut self, build: &BuildId, manifest: Manifest) {
        if let Some(entry) = self.find_mut(build) {
            entry.state = State::Ready(Box::new(manifest), None);
        }
    }

    /// Makes the links of a manifest when they are not there and `may` lets it, which is told how many files there are.
    /// Returns that number, or `None` when it is to be done later.
    pub fn link(&mut self, build: &BuildId, may: impl FnOnce(usize) -> bool) -> Option<usize> {
        let Some(entry) = self.find_mut(build) else {
            return Some(0);
        };
        let State::Ready(manifest, links) = &mut entry.state else {
            return Some(0);
        };
        let files = manifest.chunks.len();
        if links.is_none() && may(files) {
            *links = Some(Links::of(manifest));
        }
        links.is_some().then_some(files)
    }

    /// A build whose links are made.
    pub fn graph(&self, build: &BuildId) -> Option<Graph<'_>> {
        match &self.entry(build)?.state {
            State::Ready(manifest, Some(links)) => Some(Graph::new(manifest, links)),
            _ => None,
        }
    }

    /// A manifest is missing or invalid; the next try goes that `way`. Returns whether this is worth telling: the first failure.
    pub fn on_failed(&mut self, build: &BuildId, way: Way, now: Timestamp, rng: &mut Rng) -> bool {
        match self.find_mut(build) {
            Some(entry) if matches!(entry.state, State::Loading { .. }) => {
                entry.way = way;
                entry.fail(now, rng);
                entry.tries == 1 && entry.want.need > Need::Early
            }
            _ => false,
        }
    }

    /// The browser kept a copy that is not the manifest of this build.
    pub fn on_copy_refused(&mut self, build: &BuildId, now: Timestamp) {
        if let Some(entry) = self.find_mut(build)
            && matches!(entry.state, State::Loading { .. })
        {
            entry.way = Way::Anew;
            entry.state = State::Due { at: now };
        }
    }

    /// There is reason to hope: tries what is missing now.
    pub fn on_hope(&mut self, now: Timestamp) {
        for entry in &mut self.0 {
            if matches!(entry.state, State::Due { .. } | State::GivenUp) {
                entry.state = State::Due { at: now };
            }
        }
    }

    /// The next manifest to fetch, one at a time until there is none.
    pub fn poll(&mut self, now: Timestamp, rng: &mut Rng) -> Option<(Want, Way)> {
        for entry in &mut self.0 {
            match entry.state {
                State::Loading { since } if now.0 >= since.0.saturating_add(TIMEOUT) => {
                    entry.fail(now, rng)
                }
                _ => {}
            }
            if matches!(entry.state, State::Due { at } if at <= now) {
                entry.state = State::Loading { since: now };
                return Some((entry.want.clone(), entry.way));
            }
        }
        None
    }

    fn entry(&self, build: &BuildId) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.want.build == *build)
    }

    fn find_mut(&mut self, build: &BuildId) -> Option<&mut Entry> {
        self.0.iter_mut().find(|entry| entry.want.build == *build)
    }

    pub fn find(&self, build: &BuildId) -> Lookup<'_> {
        match self.entry(build) {
            None => Lookup::Pending,
            Some(entry) => match &entry.state {
                State::Ready(manifest, _) => Lookup::Ready(manifest),
                State::GivenUp => Lookup::Missing,
                State::Due { .. } | State::Loading { .. } | State::Reading { .. }
                    if entry.tries > 0 =>
                {
                    Lookup::Missing
                }
                State::Due { .. } | State::Loading { .. } | State::Reading { .. } => {
                    Lookup::Pending
                }
            },
        }
    }

    pub fn next(&self, now: Timestamp) -> Option<(Timestamp, WakeReason)> {
        let moment = |entry: &Entry| match entry.state {
            State::Due { at } => Some((at, WakeReason::Manifest)),
            State::Loading { since } => Some((
                Timestamp(since.0.saturating_add(TIMEOUT)),
                WakeReason::Timeout,
            )),
            State::Reading { .. } => Some((now, WakeReason::Reading)),
            State::Ready(..) | State::GivenUp => None,
        };
        self.0.iter().filter_map(moment).min_by_key(|(at, _)| *at)
    }
}

impl Entry {
    /// Whether it is what `want` asks for. What a page runs does not change, whatever its release says later.
    fn serves(&self, want: &Want) -> bool {
        let is_kept = want.need < Need::Vital && matches!(self.state, State::Ready(..));
        is_kept || self.want.path == want.path && self.want.integrity == want.integrity
    }

    fn on_need(&mut self, need: Need, now: Timestamp) {
        if need > self.want.need && matches!(self.state, State::Due { .. } | State::GivenUp) {
            self.state = State::Due { at: now };
            self.tries = 0;
        }
        self.want.need = need;
    }

    fn fail(&mut self, now: Timestamp, rng: &mut Rng) {
        self.tries = self.tries.saturating_add(1);
        self.state = if self.want.need == Need::Vital || self.tries < TRIES_WHEN_HELPFUL {
            State::Due {
                at: Timestamp(now.0 + rng.backed_off(PAUSE, self.tries, LONGEST_PAUSE)),
            }
        } else {
            State::GivenUp
        };
    }
}
