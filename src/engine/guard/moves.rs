//! Attempts to reload the page: who starts them, what each step needs, how they end.

use alloc::{string::String, vec::Vec};

use super::{Guard, target::TargetState};
use crate::{
    engine::{
        changeover::{self, Availability, Changeover, Initiator, ReloadContext, Step},
        departure::Departure,
        io::{
            AbortReason, DecisionKind, Effect, EnvelopeMark, Event, FetchFailure, Reloads, Snooze,
            WaitReason, WakeReason,
        },
        manifest::Store,
        manifest_cache::Lookup,
        policy::{self, Facts},
        release::Urgency,
    },
    ids::{BuildId, Names},
    time::{Millis, Timestamp},
};

/// Time for the user to finish a sentence before an urgent release reloads the page.
const COUNTDOWN: Millis = 30_000;

/// A countdown that ran out while the page was frozen starts again when it is this late.
const UNSEEN: Millis = 5_000;

/// How long "Later" lasts when nothing is urgent.
const SNOOZE_ROUTINE: Millis = 60 * 60 * 1_000;

/// How long "Later" lasts for a release that should be taken soon.
const SNOOZE_SOON: Millis = 10 * 60 * 1_000;

/// The time until an urgent release reloads the page.
#[derive(Debug, Default)]
pub(super) struct Countdown {
    pub(super) until: Option<Timestamp>,
    /// The release that had its one automatic attempt.
    spent: Option<u64>,
}

impl Guard {
    pub(super) fn on_reload_requested(&mut self, by: Initiator) {
        if let Some(changeover) = &mut self.changeover {
            changeover.on_asked(by);
            return;
        }
        self.ready.retry_now(self.now);
        let target_state = self.target_state();
        let refusal = match target_state.target() {
            None => Some(AbortReason::NoSkew),
            // Without storage it is unknown whether the page was already reloaded.
            Some((build, _)) if !by.is_user() && (self.had_reload(&build) || !self.storage) => {
                Some(AbortReason::ReloadDidNotTake)
            }
            Some(_) if !self.online => Some(AbortReason::Offline),
            Some(_) if target_state.manifest() == Availability::Missing => {
                Some(AbortReason::Unreachable)
            }
            Some(_) => None,
        };
        let id = self.rng.random_id();
        match (target_state.target(), refusal) {
            (Some((to, sequence)), None) => self.begin(id, to, sequence, by),
            (target, reason) => {
                let reason = reason.unwrap_or(AbortReason::NoSkew);
                self.end(id, target.map(|(build, _)| build), reason);
            }
        }
    }

    pub(super) fn on_snooze_requested(&mut self) {
        let target_state = self.target_state();
        let facts = self.facts(&target_state);
        let Some((build, sequence)) = target_state.target().filter(|_| policy::may_wait(&facts))
        else {
            return;
        };
        match self
            .changeover
            .take_if(|changeover| changeover.is_draining())
        {
            Some(changeover) => self.end(changeover.id, Some(build), AbortReason::Superseded),
            // Too late, or there is nothing to postpone.
            None if self.changeover.is_some() || self.prompt.is_none() => return,
            None => {}
        }
        let span = if facts.urgency == Urgency::Routine {
            SNOOZE_ROUTINE
        } else {
            SNOOZE_SOON
        };
        let snooze = Snooze {
            sequence,
            until: Timestamp(self.now.0.saturating_add(span)),
        };
        self.chunks.explained_by = None;
        self.snooze = Some(snooze.clone());
        self.perform(Effect::RememberSnooze { snooze });
    }

    pub(super) fn on_document_probed(&mut self, failure: Option<&FetchFailure>, ours: bool) {
        let reachable = changeover::is_reachable(failure, ours);
        let reason = self
            .changeover
            .as_mut()
            .and_then(|changeover| changeover.on_probed(reachable));
        self.end_changeover(reason);
    }

    pub(super) fn on_state_saved(&mut self, error: Option<String>) {
        let reason = self
            .changeover
            .as_mut()
            .and_then(|changeover| changeover.on_captured(error.is_none()));
        // State that is captured again while the page goes was captured before.
        if let Some(message) = error
            && self.departure.is_none()
        {
            self.tell(Event::Problem {
                code: "state_not_saved".into(),
                message,
            });
        }
        self.end_changeover(reason);
    }

    /// Counts down for an urgent release. Returns whether an attempt began.
    pub(super) fn drive_countdown(&mut self, facts: &Facts, target_state: &TargetState) -> bool {
        let counts = self.decision.kind == DecisionKind::Prompt && policy::may_act(facts);
        let may = counts && self.storage && self.online && self.changeover.is_none();
        let Some((build, sequence)) = target_state.target().filter(|_| may) else {
            self.countdown.until = None;
            return false;
        };
        if self.countdown.spent == Some(sequence) {
            return false;
        }
        let afresh = Timestamp(self.now.0.saturating_add(COUNTDOWN));
        match self.countdown.until {
            Some(until) if self.now < until => false,
            Some(until)
                if self.tabs.is_visible() && self.now.0 > until.0.saturating_add(UNSEEN) =>
            {
                self.countdown.until = Some(afresh);
                false
            }
            Some(_) => {
                self.countdown = Countdown {
                    until: None,
                    spent: Some(sequence),
                };
                let id = self.rng.random_id();
                self.begin(id, build, sequence, Initiator::Countdown);
                true
            }
            None => {
                self.countdown.until = Some(afresh);
                false
            }
        }
    }

    /// Takes all steps of the attempt that are possible now. Returns whether it began or ended.
    pub(super) fn drive_changeover(&mut self, target_state: &TargetState) -> bool {
        let target = target_state.target();
        let context = ReloadContext {
            had_reload: target
                .as_ref()
                .is_some_and(|(build, _)| self.had_reload(build)),
            target,
            manifest: target_state.manifest(),
            files: self.files_of(target_state),
            holds: self.holds.reasons(),
            online: self.online,
            controlled: self.controlled,
        };
        while let Some(changeover) = &mut self.changeover {
            let Some(step) = changeover.poll(&context, self.now) else {
                return false;
            };
            let (id, from, to) = (
                changeover.id.clone(),
                changeover.from.clone(),
                changeover.to.clone(),
            );
            match step {
                Step::Wait { holds } => self.tell(Event::ChangeoverWaiting {
                    changeover: id,
                    reason: WaitReason::Holds,
                    holds,
                }),
                Step::Probe => self.perform(Effect::ProbeDocument),
                Step::Capture => {
                    let stores = self.stores_of(&to);
                    self.perform(Effect::CaptureState {
                        changeover: id,
                        from,
                        to,
                        stores,
                    });
                }
                Step::Renew => {
                    // Some apps reload by themselves as soon as a new worker is active.
                    if !self.departs(&id) {
                        self.depart(id.clone(), from, to);
                    }
                    self.tell(Event::ChangeoverWaiting {
                        changeover: id.clone(),
                        reason: WaitReason::ServiceWorker,
                        holds: Vec::new(),
                    });
                    self.perform(Effect::RenewWorker { changeover: id });
                }
                Step::Reload => {
                    if !self.departs(&id) {
                        self.depart(id, from, to);
                    }
                    self.perform(Effect::Reload);
                }
                Step::Abort { reason } => {
                    // State that was captured for a reload that does not happen must not be kept for another one.
                    if reason != AbortReason::ReloadIgnored && self.departs(&id) {
                        self.stay();
                    }
                    self.end_changeover(Some(reason));
                    return true;
                }
            }
        }
        false
    }

    /// The schemas that a build reads, as far as they are known.
    fn stores_of(&self, build: &BuildId) -> Names<Store> {
        match self.manifests.find(build) {
            Lookup::Ready(manifest) => manifest.stores.clone(),
            Lookup::Pending | Lookup::Missing => Names::new(),
        }
    }

    /// Whether the page is on its way already.
    fn departs(&self, changeover: &str) -> bool {
        let departure = self.departure.as_ref();
        departure.is_some_and(|departure| departure.changeover == changeover)
    }

    pub(super) fn on_worker_renewed(&mut self, changeover: &str) {
        let Some(current) = &mut self.changeover else {
            return;
        };
        if current.id == changeover {
            current.on_renewed();
        }
    }

    /// From here on the page may go at any moment.
    fn depart(&mut self, changeover: String, from: Option<BuildId>, target: BuildId) {
        self.departure = Some(Departure::begin(changeover, from, target.clone(), self.now));
        let known = self
            .reloads
            .iter_mut()
            .find(|reloads| reloads.target == target);
        let count = known
            .as_ref()
            .map_or(0, |reloads| reloads.count)
            .saturating_add(1);
        match known {
            Some(reloads) => reloads.count = count,
            None => self.reloads.push(Reloads {
                target: target.clone(),
                count,
            }),
        }
        self.perform(Effect::RememberReload { target, count });
    }

    /// More is known about whether the page goes.
    pub(super) fn mark_envelope(
        &mut self,
        learn: impl FnOnce(&mut Departure) -> Option<EnvelopeMark>,
    ) {
        let Some(mark) = self.departure.as_mut().and_then(learn) else {
            return;
        };
        self.perform(Effect::MarkEnvelope { mark });
        if mark == EnvelopeMark::Void {
            self.departure = None;
            // The user stayed when the page was about to unload for another reason.
            let renews = self
                .changeover
                .as_ref()
                .is_some_and(Changeover::is_renewing);
            self.end_changeover(renews.then_some(AbortReason::Superseded));
        }
    }

    /// The page should have been reloaded and lives on.
    pub(super) fn stay(&mut self) {
        self.mark_envelope(|_| Some(EnvelopeMark::Void));
    }

    /// The user goes on working while the reload is under way: the new state is captured, too.
    pub(super) fn capture_again(&mut self) {
        let Some(departure) = &self.departure else {
            return;
        };
        let (changeover, from, to) = (
            departure.changeover.clone(),
            departure.from.clone(),
            departure.to.clone(),
        );
        let stores = self.stores_of(&to);
        self.perform(Effect::CaptureState {
            changeover,
            from,
            to,
            stores,
        });
    }

    fn begin(&mut self, id: String, to: BuildId, sequence: u64, by: Initiator) {
        let from = self.running.build.clone();
        self.trouble = None;
        self.departure = None;
        self.tell(Event::ChangeoverStarted {
            changeover: id.clone(),
            from: from.clone(),
            to: to.clone(),
        });
        self.changeover = Some(Changeover::begin(id, from, to, sequence, by));
    }

    fn end_changeover(&mut self, reason: Option<AbortReason>) {
        if let Some(reason) = reason
            && let Some(changeover) = self.changeover.take()
        {
            self.end(changeover.id, Some(changeover.to), reason);
        }
    }

    fn end(&mut self, changeover: String, target: Option<BuildId>, reason: AbortReason) {
        self.tell(Event::ChangeoverAborted { changeover, reason });
        self.trouble = match reason {
            AbortReason::NoSkew | AbortReason::Superseded | AbortReason::Disposed => None,
            AbortReason::Offline
            | AbortReason::Unreachable
            | AbortReason::StateNotSaved
            | AbortReason::ReloadDidNotTake
            | AbortReason::ReloadIgnored
            | AbortReason::SwapFailed => target.map(|target| (target, reason)),
        };
    }

    pub(super) fn next_move(&self) -> Option<(Timestamp, WakeReason)> {
        let countdown = self
            .countdown
            .until
            .map(|until| (until, WakeReason::Countdown));
        let step = self
            .changeover
            .as_ref()
            .and_then(|changeover| changeover.next());
        [countdown, step]
            .into_iter()
            .flatten()
            .min_by_key(|(at, _)| *at)
    }
}
