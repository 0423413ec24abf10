//! The manifests this page needs: that of the build it runs and that of the build it is wanted on.
//!
//! A manifest is fetched once. One that is not there is asked for again, at growing distances: its release may be
//! half a deploy.

use alloc::{boxed::Box, string::String, vec::Vec};

use super::{
    chance::Chance,
    io::{BuildId, Millis, Timestamp, WakeReason},
    manifest::Manifest,
};

/// Longest time for the largest manifest on a slow line.
const TIMEOUT: Millis = 60_000;

/// The base of the pause between two tries, doubled each time.
const PAUSE: Millis = 1_000;

/// Longest pause between two tries.
const LONGEST_PAUSE: Millis = 5 * 60 * 1_000;

/// How often a manifest is tried that only spares the user a prompt.
const TRIES_WHEN_HELPFUL: u32 = 2;

/// Fetches and keeps manifests.
#[derive(Clone, Debug, Default)]
pub struct Shelf(Vec<Entry>);

#[derive(Clone, Debug)]
struct Entry {
    want: Want,
    state: State,
    tries: u32,
}

#[derive(Clone, Debug)]
enum State {
    Due { at: Timestamp },
    Loading { since: Timestamp },
    Ready(Box<Manifest>),
    GivenUp,
}

/// A manifest to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    pub build: BuildId,
    /// Relative to `release.json`.
    pub path: String,
    pub integrity: Option<String>,
    /// Nothing goes on without it.
    pub needed: bool,
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
                Some(entry)
                    if entry.want.path == want.path && entry.want.integrity == want.integrity =>
                {
                    if want.needed && !entry.want.needed && matches!(entry.state, State::GivenUp) {
                        entry.state = State::Due { at: now };
                    }
                    entry.want.needed = want.needed;
                }
                found => {
                    let entry = Entry {
                        want: want.clone(),
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

    /// A manifest was read.
    pub fn on_manifest(&mut self, build: &BuildId, manifest: Manifest) {
        if let Some(entry) = self.find_mut(build) {
            entry.state = State::Ready(Box::new(manifest));
        }
    }

    /// A manifest is not there, or is none. Returns whether that is news.
    pub fn on_failed(&mut self, build: &BuildId, now: Timestamp, chance: &mut Chance) -> bool {
        match self.find_mut(build) {
            Some(entry) if matches!(entry.state, State::Loading { .. }) => {
                entry.fail(now, chance);
                entry.tries == 1
            }
            _ => false,
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
    pub fn poll(&mut self, now: Timestamp, chance: &mut Chance) -> Option<Want> {
        for entry in &mut self.0 {
            match entry.state {
                State::Loading { since } if now.0 >= since.0.saturating_add(TIMEOUT) => {
                    entry.fail(now, chance)
                }
                _ => {}
            }
            if matches!(entry.state, State::Due { at } if at <= now) {
                entry.state = State::Loading { since: now };
                return Some(entry.want.clone());
            }
        }
        None
    }

    fn find_mut(&mut self, build: &BuildId) -> Option<&mut Entry> {
        self.0.iter_mut().find(|entry| entry.want.build == *build)
    }

    pub fn find(&self, build: &BuildId) -> Lookup<'_> {
        match self.0.iter().find(|entry| entry.want.build == *build) {
            None => Lookup::Pending,
            Some(entry) => match &entry.state {
                State::Ready(manifest) => Lookup::Ready(manifest),
                State::GivenUp => Lookup::Missing,
                State::Due { .. } | State::Loading { .. } if entry.tries > 0 => Lookup::Missing,
                State::Due { .. } | State::Loading { .. } => Lookup::Pending,
            },
        }
    }

    pub fn next(&self) -> Option<(Timestamp, WakeReason)> {
        let moment = |entry: &Entry| match entry.state {
            State::Due { at } => Some((at, WakeReason::Manifest)),
            State::Loading { since } => Some((
                Timestamp(since.0.saturating_add(TIMEOUT)),
                WakeReason::Timeout,
            )),
            State::Ready(_) | State::GivenUp => None,
        };
        self.0.iter().filter_map(moment).min_by_key(|(at, _)| *at)
    }
}

impl Entry {
    fn fail(&mut self, now: Timestamp, chance: &mut Chance) {
        self.tries = self.tries.saturating_add(1);
        self.state = if self.want.needed || self.tries < TRIES_WHEN_HELPFUL {
            State::Due {
                at: Timestamp(now.0 + chance.backed_off(PAUSE, self.tries, LONGEST_PAUSE)),
            }
        } else {
            State::GivenUp
        };
    }
}
