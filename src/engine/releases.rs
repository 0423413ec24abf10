//! Which releases count: they are ordered by sequence, and a hint, a stale replica or a reused number moves nothing.

use alloc::vec::Vec;

use super::{io::BuildId, release::Release};

/// How many builds a tab remembers; more than it meets in a life of weeks.
const MEMORY: usize = 64;

/// What this tab has been told so far.
#[derive(Clone, Debug, Default)]
pub struct Releases {
    /// The highest sequence that any tab of the origin accepted.
    highest: Option<u64>,
    accepted: Option<Release>,
    /// The newest sequence under which each build was seen.
    seen: Vec<(BuildId, u64)>,
    returns: bool,
}

/// What became of a parsed release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is newer than any before.
    New,
    /// The origin knew it already, this page did not.
    Known,
    /// Nothing changed.
    Same,
    /// A replica that lags behind, or an old copy.
    Older { highest: u64 },
    /// The number of the accepted release, but another build.
    Reused { accepted: BuildId },
}

impl Releases {
    pub fn new(highest: Option<u64>) -> Self {
        Self {
            highest,
            ..Self::default()
        }
    }

    pub fn on_release(&mut self, release: Release) -> Verdict {
        if let Some(highest) = self.highest.filter(|highest| release.sequence < *highest) {
            return Verdict::Older { highest };
        }
        let verdict = match &self.accepted {
            Some(accepted) if accepted.sequence == release.sequence => {
                if accepted.build.id != release.build.id {
                    return Verdict::Reused {
                        accepted: accepted.build.id.clone(),
                    };
                }
                Verdict::Same
            }
            _ if self.highest == Some(release.sequence) => Verdict::Known,
            _ => Verdict::New,
        };
        let full = self.seen.len() >= MEMORY;
        let known = self
            .seen
            .iter_mut()
            .find(|(build, _)| *build == release.build.id);
        if self
            .accepted
            .as_ref()
            .is_none_or(|accepted| accepted.build.id != release.build.id)
        {
            self.returns = known.is_some();
        }
        match known {
            Some((_, sequence)) => *sequence = release.sequence,
            None if !full => self.seen.push((release.build.id.clone(), release.sequence)),
            None => {}
        }
        self.highest = Some(release.sequence);
        self.accepted = Some(release);
        verdict
    }

    pub fn accepted(&self) -> Option<&Release> {
        self.accepted.as_ref()
    }

    /// Whether `sequence` says nothing that this tab does not know.
    pub fn knows(&self, sequence: u64) -> bool {
        self.accepted
            .as_ref()
            .is_some_and(|accepted| sequence <= accepted.sequence)
    }

    pub fn highest(&self) -> Option<u64> {
        self.highest
    }

    /// Whether the accepted release goes back to a build that this tab met before another one: a rollback.
    pub fn goes_back(&self) -> bool {
        self.returns
    }

    /// The newest release under which this tab saw `build`.
    pub fn born(&self, build: &BuildId) -> Option<u64> {
        self.seen
            .iter()
            .find(|(seen, _)| seen == build)
            .map(|(_, sequence)| *sequence)
    }
}
