//! One attempt to take the page from one build to another by a reload.
//!
//! Draining: wait for holds, and for the target's manifest. Probing: is the document to be had? Capturing: write the
//! state down. Renewing: a service worker that answers for the page takes its next version, since it would answer the
//! reload with the document it has. Reloading: the page should be gone. A step that cannot be taken ends the attempt with a reason; the
//! page stays as it is. Whatever changes meanwhile (another release, another hold, no network) is looked at before
//! each step.

use alloc::{string::String, vec::Vec};

use super::{
    io::{AbortReason, Asker, FetchFailure, WakeReason},
    status::PhaseName,
};
use crate::{
    ids::BuildId,
    time::{Millis, Timestamp},
};

/// How long the page waits for an answer about the document or about its state. The driver gives providers 3 s.
const ANSWER_TIMEOUT: Millis = 15_000;

/// How long a manifest that is on its way is waited for.
const MANIFEST_PATIENCE: Millis = 30_000;

/// How long the word that the document can be had is good for. A page that was frozen on the way asks again.
const PROBE_FRESH: Millis = 30_000;

/// How long a service worker gets to take its next version. What it keeps of a large app is some megabytes; a user who has said
/// yes waits for all of them.
const WORKER_PATIENCE: Millis = 8_000;

/// A page that still runs so long after its reload was not reloaded.
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

/// On whose word the page moves; the later the stronger.
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

/// What an attempt sees of the world before each step.
#[derive(Clone, Debug)]
pub struct ReloadContext {
    /// The build and the sequence that are wanted now; `None`: the page is where it should be.
    pub target: Option<(BuildId, u64)>,
    pub manifest: Availability,
    /// The files that the page would load.
    pub files: Availability,
    /// Reasons of the holds that count.
    pub holds: Vec<String>,
    pub online: bool,
    /// A service worker answers for the page.
    pub controlled: bool,
    /// This tab had its reload for the target already.
    pub had_reload: bool,
}

/// Whether the target's manifest is there, or its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    Ready,
    Pending,
    Missing,
}

/// What the guard has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Tell that these holds are waited for.
    Wait {
        holds: Vec<String>,
    },
    Probe,
    Capture,
    /// Have the service worker take its next version.
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

    /// The user or the app asks while the attempt is under way: the stronger word counts.
    pub fn on_asked(&mut self, by: Initiator) {
        self.by = self.by.max(by);
    }

    /// Takes the next step that can be taken, one at a time until there is none.
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
                    // The answer comes in time, or counts as one.
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
            // A page that has to wait now begins again.
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
            // Whatever came of it: a worker may well fetch the document although it could not take its next version.
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

    /// Whether the step that was just prepared is still the right one.
    fn still_holds(&self, context: &ReloadContext) -> bool {
        let same = context
            .target
            .as_ref()
            .is_some_and(|(build, _)| *build == self.to);
        same && context.holds.is_empty()
    }

    /// The document was asked for. Returns why the attempt is over, if it is.
    pub fn on_probed(&mut self, reachable: bool) -> Option<AbortReason> {
        match self.phase {
            Phase::Probing { since } if reachable => {
                self.phase = Phase::Probed { at: since };
                None
            }
            Phase::Probing { .. } => Some(AbortReason::Unreachable),
            // The answer to an earlier attempt.
            _ => None,
        }
    }

    /// The state was written down, or not. Returns why the attempt is over, if it is.
    pub fn on_captured(&mut self, saved: bool) -> Option<AbortReason> {
        match self.phase {
            Phase::Capturing { probed, .. } if saved || self.by == Initiator::UserAnyway => {
                self.phase = Phase::Captured { probed };
                None
            }
            Phase::Capturing { .. } => Some(AbortReason::StateNotSaved),
            // The answer to an earlier attempt.
            _ => None,
        }
    }

    /// The service worker has taken its next version, or not.
    pub fn on_renewed(&mut self) {
        if matches!(self.phase, Phase::Renewing { .. }) {
            self.phase = Phase::Renewed;
        }
    }

    /// Whether it waits for the service worker.
    pub fn is_renewing(&self) -> bool {
        matches!(self.phase, Phase::Renewing { .. })
    }

    /// Whether it can still be put off.
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

/// Whether a reload would bring the app, by what the server says when the document is asked for.
///
/// A status says little: hosts without rules for single-page apps serve them with 404. But a server that is broken, or a
/// network that is not there, brings nothing.
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
    /// The user's own word is honoured where the page's own initiative is not.
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
