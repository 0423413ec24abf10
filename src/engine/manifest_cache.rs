//! The manifests of this page: that of the running build and that of the target build.
//!
//! A manifest is fetched once. A missing one is fetched again at growing intervals: its deploy may be half done. That of
//! the running build is fetched early, since many hosts serve it only until the next deploy.

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

/// Time limit of a fetch: enough for the largest manifest on a slow connection.
const TIMEOUT: Millis = 60_000;

/// First pause between two tries; doubled each time.
const PAUSE: Millis = 1_000;

/// Longest pause between two tries.
const LONGEST_PAUSE: Millis = 5 * 60 * 1_000;

/// Most tries for a manifest that can only save the user a prompt.
const TRIES_WHEN_HELPFUL: u32 = 3;

/// Fetches and keeps manifests.
#[derive(Debug, Default)]
pub struct ManifestCache(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    request: ManifestRequest,
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
    /// It has arrived, and is parsed slice by slice.
    Reading {
        reading: Box<Reading<'static>>,
        way: Way,
    },
    /// The links are made when they are first needed.
    Ready(Box<Manifest>, Option<Links>),
    GivenUp,
}

/// A manifest to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestRequest {
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
    /// It may save the user a prompt.
    Helpful,
    /// The guard waits for it.
    Vital,
}

/// Where a manifest may come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the browser's cache, else from the server.
    Usual,
    /// From the server: the cached copy is unusable.
    Anew,
}

/// What is known of a build's manifest.
#[derive(Clone, Copy, Debug)]
pub enum Lookup<'a> {
    Ready(&'a Manifest),
    /// The first fetch is under way.
    Pending,
    /// The last fetch failed.
    Missing,
}

impl ManifestCache {
    /// Keeps the entries that are requested, drops the rest, and adds new ones.
    pub fn on_requests(&mut self, requests: &[ManifestRequest], now: Timestamp) {
        self.0.retain(|entry| {
            requests
                .iter()
                .any(|request| request.build == entry.request.build)
        });
        for request in requests {
            match self.find_mut(&request.build) {
                Some(entry) if entry.serves(request) => entry.on_need(request.need, now),
                found => {
                    let entry = Entry {
                        request: request.clone(),
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

    /// A manifest arrived by `way` and has to be parsed.
    pub fn on_text(&mut self, build: &BuildId, reading: Reading<'static>, way: Way) {
        // An earlier try that answers after a later one brings nothing new.
        if let Some(entry) = self.find_mut(build)
            && !matches!(entry.state, State::Ready(..))
        {
            let reading = Box::new(reading);
            entry.state = State::Reading { reading, way };
        }
    }

    /// Parses about so many bytes more. Returns a manifest that is parsed to its end, and how it came.
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
        // The entry waits until the manifest is accepted or refused.
        entry.state = State::Loading {
            since: Timestamp(0),
        };
        Some((entry.request.build.clone(), way, read))
    }

    /// Whether a text of more than so many bytes is being parsed.
    pub fn reads_more_than(&self, bytes: usize) -> bool {
        self.0.iter().any(|entry| match &entry.state {
            State::Reading { reading, .. } => reading.size() > bytes,
            State::Due { .. } | State::Loading { .. } | State::Ready(..) | State::GivenUp => false,
        })
    }

    /// A manifest was parsed and accepted.
    pub fn on_manifest(&mut self, build: &BuildId, manifest: Manifest) {
        if let Some(entry) = self.find_mut(build) {
            entry.state = State::Ready(Box::new(manifest), None);
        }
    }

    /// Makes the links of a manifest, if they are missing and `may` allows it for that number of files. Returns the number
    /// of files, or `None` when the links have to wait.
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

    /// A build with its links, once these are made.
    pub fn graph(&self, build: &BuildId) -> Option<Graph<'_>> {
        match &self.entry(build)?.state {
            State::Ready(manifest, Some(links)) => Some(Graph::new(manifest, links)),
            _ => None,
        }
    }

    /// A manifest was missing or invalid; the next try goes by `way`. Returns true on the first failure, which is reported.
    pub fn on_failed(&mut self, build: &BuildId, way: Way, now: Timestamp, rng: &mut Rng) -> bool {
        match self.find_mut(build) {
            Some(entry) if matches!(entry.state, State::Loading { .. }) => {
                entry.way = way;
                entry.fail(now, rng);
                entry.tries == 1 && entry.request.need > Need::Early
            }
            _ => false,
        }
    }

    /// The cached copy is not the manifest of this build.
    pub fn on_copy_refused(&mut self, build: &BuildId, now: Timestamp) {
        if let Some(entry) = self.find_mut(build)
            && matches!(entry.state, State::Loading { .. })
        {
            entry.way = Way::Anew;
            entry.state = State::Due { at: now };
        }
    }

    /// Retries missing manifests immediately.
    pub fn retry_now(&mut self, now: Timestamp) {
        for entry in &mut self.0 {
            if matches!(entry.state, State::Due { .. } | State::GivenUp) {
                entry.state = State::Due { at: now };
            }
        }
    }

    /// The next manifest to fetch, one at a time until there is none.
    pub fn poll(&mut self, now: Timestamp, rng: &mut Rng) -> Option<(ManifestRequest, Way)> {
        for entry in &mut self.0 {
            match entry.state {
                State::Loading { since } if now.0 >= since.0.saturating_add(TIMEOUT) => {
                    entry.fail(now, rng)
                }
                _ => {}
            }
            if matches!(entry.state, State::Due { at } if at <= now) {
                entry.state = State::Loading { since: now };
                return Some((entry.request.clone(), entry.way));
            }
        }
        None
    }

    fn entry(&self, build: &BuildId) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.request.build == *build)
    }

    fn find_mut(&mut self, build: &BuildId) -> Option<&mut Entry> {
        self.0
            .iter_mut()
            .find(|entry| entry.request.build == *build)
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
    /// Whether it answers `request`. The running build does not change, whatever its release says later.
    fn serves(&self, request: &ManifestRequest) -> bool {
        let is_kept = request.need < Need::Vital && matches!(self.state, State::Ready(..));
        is_kept || self.request.path == request.path && self.request.integrity == request.integrity
    }

    fn on_need(&mut self, need: Need, now: Timestamp) {
        if need > self.request.need && matches!(self.state, State::Due { .. } | State::GivenUp) {
            self.state = State::Due { at: now };
            self.tries = 0;
        }
        self.request.need = need;
    }

    fn fail(&mut self, now: Timestamp, rng: &mut Rng) {
        self.tries = self.tries.saturating_add(1);
        self.state = if self.request.need == Need::Vital || self.tries < TRIES_WHEN_HELPFUL {
            State::Due {
                at: Timestamp(now.0 + rng.backed_off(PAUSE, self.tries, LONGEST_PAUSE)),
            }
        } else {
            State::GivenUp
        };
    }
}
