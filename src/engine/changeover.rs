//! One attempt to take the page from one build to another by a reload.
//!
//! Draining: wait for holds and for the target's manifest. Probing: check that the server has the document. Capturing:
//! save the state. Renewing: let a service worker that controls the page install its next version, since it would answer
//! the reload with its old document. Reloading: the page should be gone. A step that fails ends the attempt with a reason,
//! and the page goes on unchanged. Changes meanwhile (another release, another hold, no network) are checked before each
//! step.

use alloc::{string::String, vec::Vec};

use super::{
    io::{AbortReason, Asker, FetchFailure, WakeReason},
    status::PhaseName,
};
use crate::{
    ids::BuildId,
    time::{Millis, Timestamp},
};

/// Time limit for the answer about the document, or about the state. The driver gives providers 3 s.
const ANSWER_TIMEOUT: Millis = 15_000;

/// Longest wait for a manifest that is being fetched.
const MANIFEST_PATIENCE: Millis = 30_000;

/// How long the result of probing the document is valid. A page that was frozen in between probes again.
const PROBE_FRESH: Millis = 30_000;

/// Time limit for a service worker to install its next version. It may cache some megabytes of a large app, and the user
/// waits for it.
const WORKER_PATIENCE: Millis = 8_000;

/// A page that still runs this long after its reload was not reloaded.
const RELOAD_PATIENCE: Millis = 10_000;

/// An attempt under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changeover {
    pub id: String,
    pub from: Option<BuildId>,
    pub to: BuildId,
    pub sequence: u64,
    pub by: Initiator,
    phase: Phase,
    told: Vec<String>,
}

/// Who asked for the reload; a later variant overrides an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Initiator {
    /// The countdown of an urgent release ran out.
    Countdown,
    App,
    User,
    UserAnyway,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Draining { pending_since: Option<Timestamp> },
    Probing { since: Timestamp },
    Probed { at: Timestamp },
    Capturing { since: Timestamp, probed: Timestamp },
    Captured { probed: Timestamp },
    Renewing { since: Timestamp },
    Renewed,
    Reloading { since: Timestamp },
}

/// What an attempt depends on, read before each step.
#[derive(Clone, Debug)]
pub struct ReloadContext {
    /// The target build and its sequence; `None`: the page runs the right build.
    pub target: Option<(BuildId, u64)>,
    pub manifest: Availability,
    /// The files that the page would load.
    pub files: Availability,
    /// Reasons of the active holds.
    pub holds: Vec<String>,
    pub online: bool,
    /// A service worker controls the page.
    pub controlled: bool,
    /// This tab was already reloaded for the target.
    pub had_reload: bool,
}

/// Whether the manifest or the files of the target are available.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    Ready,
    Pending,
    Missing,
}

/// What the guard has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Report that the attempt waits for these holds.
    Wait {
        holds: Vec<String>,
    },
    Probe,
    Capture,
    /// Have the service worker install its next version.
    Renew,
    Reload,
    Abort {
        reason: AbortReason,
    },
}

impl Changeover {
    pub fn begin(
        id: String,
        from: Option<BuildId>,
        to: BuildId,
        sequence: u64,
        by: Initiator,
    ) -> Self {
        Self {
            id,
            from,
            to,
            sequence,
            by,
            phase: Phase::Draining {
                pending_since: None,
            },
            told: Vec::new(),
        }
    }

    /// The user or the app asks again while the attempt is under way: the stronger request counts.
    pub fn on_asked(&mut self, by: Initiator) {
        self.by = self.by.max(by);
    }

    /// Returns the next step. It is called until it returns `None`.
    pub fn poll(&mut self, context: &ReloadContext, now: Timestamp) -> Option<Step> {
        let abort = |reason| Some(Step::Abort { reason });
        let late = |since: Timestamp, patience: Millis| now.0 >= since.0.saturating_add(patience);
        match self.phase {
            Phase::Draining { pending_since } => {
                let Some((build, sequence)) = &context.target else {
                    return abort(AbortReason::NoSkew);
                };
                self.to.clone_from(build);
                self.sequence = *sequence;
                if context.had_reload && !self.by.is_user() {
                    return abort(AbortReason::ReloadDidNotTake);
                }
                match context.manifest {
                    Availability::Missing => return abort(AbortReason::Unreachable),
                    Availability::Pending => {
                        let since = pending_since.unwrap_or(now);
                        self.phase = Phase::Draining {
                            pending_since: Some(since),
                        };
                        let given_up = late(since, MANIFEST_PATIENCE);
                        return given_up.then_some(Step::Abort {
                            reason: AbortReason::Unreachable,
                        });
                    }
                    Availability::Ready => {
                        self.phase = Phase::Draining {
                            pending_since: None,
                        }
                    }
                }
                match context.files {
                    Availability::Missing => return abort(AbortReason::Unreachable),
                    // The answer comes, or the time limit counts as one.
                    Availability::Pending => return None,
                    Availability::Ready => {}
                }
                if !context.holds.is_empty() {
                    if self.told == context.holds {
                        return None;
                    }
                    self.told.clone_from(&context.holds);
                    return Some(Step::Wait {
                        holds: context.holds.clone(),
                    });
                }
                self.told.clear();
                if !context.online {
                    return abort(AbortReason::Offline);
                }
                self.phase = Phase::Probing { since: now };
                Some(Step::Probe)
            }
            Phase::Probed { at } | Phase::Captured { probed: at }
                if !self.still_holds(context) || late(at, PROBE_FRESH) =>
            {
                self.phase = Phase::Draining {
                    pending_since: None,
                };
                self.poll(context, now)
            }
            // If the page has to wait now, the attempt starts over.
            Phase::Renewed if !self.still_holds(context) || !context.online => {
                self.phase = Phase::Draining {
                    pending_since: None,
                };
                self.poll(context, now)
            }
            Phase::Probed { .. } | Phase::Captured { .. } if !context.online => {
                abort(AbortReason::Offline)
            }
            Phase::Probed { at } => {
                self.phase = Phase::Capturing {
                    since: now,
                    probed: at,
                };
                Some(Step::Capture)
            }
            Phase::Captured { .. } if context.controlled => {
                self.phase = Phase::Renewing { since: now };
                Some(Step::Renew)
            }
            // Also after a failure: the worker may still fetch the document from the server.
            Phase::Renewing { since } if late(since, WORKER_PATIENCE) => {
                self.phase = Phase::Renewed;
                self.poll(context, now)
            }
            Phase::Captured { .. } | Phase::Renewed => {
                self.phase = Phase::Reloading { since: now };
                Some(Step::Reload)
            }
            Phase::Probing { since } if late(since, ANSWER_TIMEOUT) => {
                abort(AbortReason::Unreachable)
            }
            Phase::Capturing { since, .. } if late(since, ANSWER_TIMEOUT) => {
                self.on_captured(false);
                if matches!(self.phase, Phase::Captured { .. }) {
                    self.poll(context, now)
                } else {
                    abort(AbortReason::StateNotSaved)
                }
            }
            Phase::Reloading { since } if late(since, RELOAD_PATIENCE) => {
                abort(AbortReason::ReloadIgnored)
            }
            Phase::Probing { .. }
            | Phase::Capturing { .. }
            | Phase::Renewing { .. }
            | Phase::Reloading { .. } => None,
        }
    }

    /// Whether the prepared step is still right.
    fn still_holds(&self, context: &ReloadContext) -> bool {
        let same = context
            .target
            .as_ref()
            .is_some_and(|(build, _)| *build == self.to);
        same && context.holds.is_empty()
    }

    /// The document was probed. Returns the reason if that ends the attempt.
    pub fn on_probed(&mut self, reachable: bool) -> Option<AbortReason> {
        match self.phase {
            Phase::Probing { since } if reachable => {
                self.phase = Phase::Probed { at: since };
                None
            }
            Phase::Probing { .. } => Some(AbortReason::Unreachable),
            // An answer to an earlier attempt.
            _ => None,
        }
    }

    /// The state was saved, or could not be. Returns the reason if that ends the attempt.
    pub fn on_captured(&mut self, saved: bool) -> Option<AbortReason> {
        match self.phase {
            Phase::Capturing { probed, .. } if saved || self.by == Initiator::UserAnyway => {
                self.phase = Phase::Captured { probed };
                None
            }
            Phase::Capturing { .. } => Some(AbortReason::StateNotSaved),
            // An answer to an earlier attempt.
            _ => None,
        }
    }

    /// The service worker has installed its next version, or failed to.
    pub fn on_renewed(&mut self) {
        if matches!(self.phase, Phase::Renewing { .. }) {
            self.phase = Phase::Renewed;
        }
    }

    /// Whether it waits for the service worker.
    pub fn is_renewing(&self) -> bool {
        matches!(self.phase, Phase::Renewing { .. })
    }

    /// Whether the user can still postpone it.
    pub fn is_draining(&self) -> bool {
        matches!(self.phase, Phase::Draining { .. })
    }

    pub fn next(&self) -> Option<(Timestamp, WakeReason)> {
        let after = |since: Timestamp, span| Timestamp(since.0.saturating_add(span));
        match self.phase {
            Phase::Draining { pending_since } => {
                pending_since.map(|since| (after(since, MANIFEST_PATIENCE), WakeReason::Timeout))
            }
            Phase::Probing { since } | Phase::Capturing { since, .. } => {
                Some((after(since, ANSWER_TIMEOUT), WakeReason::Timeout))
            }
            Phase::Renewing { since } => {
                Some((after(since, WORKER_PATIENCE), WakeReason::ServiceWorker))
            }
            Phase::Probed { .. } | Phase::Captured { .. } | Phase::Renewed => None,
            Phase::Reloading { since } => {
                Some((after(since, RELOAD_PATIENCE), WakeReason::ReloadIgnored))
            }
        }
    }

    pub fn phase(&self) -> PhaseName {
        match self.phase {
            Phase::Draining { .. } => PhaseName::Draining,
            Phase::Probing { .. } | Phase::Probed { .. } => PhaseName::Probing,
            Phase::Capturing { .. } | Phase::Captured { .. } => PhaseName::Capturing,
            Phase::Renewing { .. } | Phase::Renewed => PhaseName::Renewing,
            Phase::Reloading { .. } => PhaseName::Reloading,
        }
    }
}

/// Whether a reload would bring the app, judged by the server's answer for the document.
///
/// A 4xx status does not count as a failure, since hosts without rules for single-page apps serve them with 404. A broken
/// server or a missing network does.
pub fn is_reachable(failure: Option<&FetchFailure>, ours: bool) -> bool {
    match failure {
        None | Some(FetchFailure::TooLarge { .. }) => true,
        Some(FetchFailure::Status { status }) => ours && *status < 500,
        Some(
            FetchFailure::Network
            | FetchFailure::Timeout
            | FetchFailure::Redirected { .. }
            | FetchFailure::Integrity
            | FetchFailure::Length { .. }
            | FetchFailure::Html,
        ) => false,
    }
}

impl Initiator {
    /// A request of the user is carried out where the page would not reload by itself.
    pub fn is_user(self) -> bool {
        matches!(self, Self::User | Self::UserAnyway)
    }
}

impl From<Asker> for Initiator {
    fn from(asker: Asker) -> Self {
        match asker {
            Asker::App => Self::App,
            Asker::User => Self::User,
            Asker::UserAnyway => Self::UserAnyway,
        }
    }
}
