//! Chunks that failed to load, and what they mean.
//!
//! A failure is recognised, waits for a check of the release, and is reported with the result: a new build explains it, or
//! the network has a problem. A script element of a file that the running build does not have does not belong to the app.
//! A failure while the page is being left counts only if the page stays: Firefox and WebKit abort everything that loads as
//! soon as a navigation begins, long before the page is gone.

use alloc::{string::String, vec::Vec};

use super::{Guard, target::TargetState};
use crate::{
    engine::{
        check_schedule::CheckTrigger,
        io::{Event, LoadKind, WakeReason},
        manifest_cache::Lookup,
        recovery, skew,
    },
    ids::BuildId,
    time::{Millis, Timestamp},
};

/// Most failed chunks that are kept and reported at a time; in a broken page dozens of them fail.
const MOST: usize = 20;

/// The same chunk is reported again after this time at the earliest.
const QUIET: Millis = 10_000;

/// A new build explains chunks that failed up to this long before it was seen: about the length of a deploy.
const MEMORY: Millis = 5 * 60 * 1_000;

/// A navigation aborts what loads, and a busy page hears of that within this time.
const STOPPING: Millis = 2_000;

/// A page that is still there this long after a navigation began stays: it was a download, or the user changed their mind.
const STAYING: Millis = 30_000;

/// Failed chunks and what is known about them.
#[derive(Debug, Default)]
pub(super) struct ChunkFailures {
    /// When the page was last about to be left.
    leaving: Option<Timestamp>,
    /// Chunks that failed since then, and when they count if the page stays.
    held: Vec<FailedChunk>,
    held_until: Timestamp,
    /// Chunks that wait for a check, which may find a build that explains them.
    open: Vec<FailedChunk>,
    told: Vec<(FailedChunk, Timestamp)>,
    /// When the last unexplained chunk failed.
    unexplained: Option<Timestamp>,
    /// The build that explains them: the user is asked at once.
    pub(super) explained_by: Option<BuildId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct FailedChunk {
    url: Option<String>,
    message: String,
    /// A script or a style of the document failed, and no import of the app's code.
    is_element: bool,
}

impl Guard {
    pub(super) fn on_load_failed(&mut self, kind: LoadKind, message: String, url: Option<&str>) {
        let Some(failure) = recovery::recognise(kind, &message, url, &self.app) else {
            return;
        };
        let chunk = FailedChunk {
            url: failure.url,
            message,
            is_element: matches!(kind, LoadKind::Script | LoadKind::Style),
        };
        // A page that is gone needs no chunk, and one that is leaving may not either.
        if !self.tabs.is_away() && !self.chunks.hold(&chunk, self.now) {
            self.count_chunk(chunk);
        }
    }

    /// The page has stayed: chunks that failed meanwhile count.
    pub(super) fn release_chunks(&mut self) {
        if self.chunks.next().is_some_and(|(at, _)| at <= self.now) {
            for chunk in core::mem::take(&mut self.chunks.held) {
                self.count_chunk(chunk);
            }
        }
    }

    fn count_chunk(&mut self, chunk: FailedChunk) {
        let now = self.now;
        self.chunks
            .told
            .retain(|(_, at)| now.0 < at.0.saturating_add(QUIET));
        let told = self.chunks.told.iter().any(|(told, _)| *told == chunk);
        let known = told || self.chunks.open.contains(&chunk) || self.is_of_another_app(&chunk);
        if known || self.chunks.open.len() >= MOST {
            return;
        }
        self.chunks.open.push(chunk);
        self.checks.on_trigger(CheckTrigger::Chunk, now);
    }

    /// Reports what failed chunks mean, as soon as that is known. Returns whether it changes anything.
    pub(super) fn judge_chunks(&mut self, target_state: &TargetState) -> bool {
        let now = self.now;
        let open = core::mem::take(&mut self.chunks.open);
        let ours = |chunk: &FailedChunk| !self.is_of_another_app(chunk);
        self.chunks.open = open.into_iter().filter(ours).collect();
        let recent = self
            .chunks
            .unexplained
            .is_some_and(|at| now.0 < at.0.saturating_add(MEMORY));
        let explained_by = match target_state {
            TargetState::Ready { build, .. } if recent || !self.chunks.open.is_empty() => {
                Some(build.clone())
            }
            // Its manifest says whether the deploy is complete.
            TargetState::Pending { .. } => return false,
            TargetState::Ready { .. } | TargetState::Missing { .. } | TargetState::Nothing => None,
        };
        let skew = explained_by.is_some();
        let wait = self.chunks.open.is_empty()
            || self.checks.is_checking()
            || self.listing.is_awaited(now);
        if wait && !skew {
            return false;
        }
        if skew {
            self.chunks.unexplained = None;
            self.chunks.explained_by = explained_by;
            self.checks.on_chunk_explained();
        } else {
            self.chunks.unexplained = Some(now);
            self.checks.on_chunk_unexplained(now, &mut self.rng);
        }
        for chunk in core::mem::take(&mut self.chunks.open) {
            if self.chunks.told.len() < MOST {
                self.chunks.told.push((chunk.clone(), now));
                self.tell(Event::ChunkFailed {
                    url: chunk.url,
                    message: chunk.message,
                    skew,
                });
            }
        }
        skew
    }

    /// Whether an element asked for a file that the running build does not have: an advertisement or a count of visits from
    /// the same host may be blocked. What the app imports is its own.
    fn is_of_another_app(&self, chunk: &FailedChunk) -> bool {
        let has = || {
            let Lookup::Ready(running) = self.manifests.find(self.running.build.as_ref()?) else {
                return None;
            };
            skew::has(running, &self.page()?, chunk.url.as_ref()?)
        };
        // After a swap, the page runs files of earlier builds too.
        chunk.is_element && !self.running.swapped && has() == Some(false)
    }
}

impl ChunkFailures {
    /// Whether some chunks wait for an explanation.
    pub(super) fn are_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// The page is about to be left.
    pub(super) fn on_leaving(&mut self, now: Timestamp) {
        self.leaving = Some(now);
    }

    /// The page goes; what it was still loading is no longer needed.
    pub(super) fn on_gone(&mut self) {
        self.leaving = None;
        self.held.clear();
    }

    /// When the failures that are held back count.
    pub(super) fn next(&self) -> Option<(Timestamp, WakeReason)> {
        (!self.held.is_empty()).then_some((self.held_until, WakeReason::Leaving))
    }

    /// Holds back a failure that may be caused by leaving the page.
    fn hold(&mut self, chunk: &FailedChunk, now: Timestamp) -> bool {
        let Some(leaving) = self
            .leaving
            .filter(|at| now.0 < at.0.saturating_add(STOPPING))
        else {
            return false;
        };
        if self.held.is_empty() {
            self.held_until = Timestamp(leaving.0.saturating_add(STAYING));
        }
        if !self.held.contains(chunk) && self.held.len() < MOST {
            self.held.push(chunk.clone());
        }
        true
    }
}
