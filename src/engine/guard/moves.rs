//! Attempts to move the page: who starts them, what each step makes of the world, how they end.

use alloc::string::String;

use super::{Guard, decide::Want};
use crate::engine::{
    changeover::{Availability, By, Changeover, Scene, Step},
    io::{
        AbortReason, BuildId, DecisionKind, Effect, Event, FetchFailure, Millis, Reloads, Snooze,
        Timestamp, WakeReason,
    },
    manifest::Store,
    names::Names,
    policy::{self, Facts},
    release::Urgency,
    shelf::Lookup,
};

/// What the user gets to finish a sentence before an urgent release moves the page.
const COUNTDOWN: Millis = 30_000;

/// A countdown that ran out unseen, since the page was frozen, starts again when it is this late.
const UNSEEN: Millis = 5_000;

/// How long "Later" lasts when nothing is urgent.
const SNOOZE_ROUTINE: Millis = 60 * 60 * 1_000;

/// How long "Later" lasts for a release that should be taken soon.
const SNOOZE_SOON: Millis = 10 * 60 * 1_000;

/// The time until an urgent release moves the page by itself.
#[derive(Debug, Default)]
pub(super) struct Countdown {
    pub(super) until: Option<Timestamp>,
    /// The release that had its one automatic attempt.
    spent: Option<u64>,
}

impl Guard {
    pub(super) fn on_reload_requested(&mut self, by: By) {
        if let Some(changeover) = &mut self.changeover {
            changeover.on_asked(by);
            return;
        }
        let want = self.want();
        let refusal = match want.target() {
            None => Some(AbortReason::NoSkew),
            Some((build, _)) if !by.is_user() && self.had_reload(&build) => {
                Some(AbortReason::ReloadDidNotTake)
            }
            // Without storage neither the state nor the loop guard survives the reload.
            Some(_) if !by.is_user() && !self.storage => Some(AbortReason::StateNotSaved),
            Some(_) if !self.online => Some(AbortReason::Offline),
            Some(_) if want.manifest() == Availability::Missing => Some(AbortReason::Unreachable),
            Some(_) => None,
        };
        let id = self.chance.name();
        match (want.target(), refusal) {
            (Some((to, sequence)), None) => self.begin(id, to, sequence, by),
            (target, reason) => {
                let reason = reason.unwrap_or(AbortReason::NoSkew);
                self.end(id, target.map(|(build, _)| build), reason);
            }
        }
    }

    pub(super) fn on_snooze_requested(&mut self) {
        let want = self.want();
        let facts = self.facts(&want);
        let Some((build, sequence)) = want.target().filter(|_| policy::may_wait(&facts)) else {
            return;
        };
        match self
            .changeover
            .take_if(|changeover| changeover.is_draining())
        {
            Some(changeover) => self.end(changeover.id, Some(build), AbortReason::Superseded),
            // Too late, or nothing to put off.
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

    pub(super) fn on_document_probed(&mut self, failure: Option<FetchFailure>) {
        let reason = self
            .changeover
            .as_mut()
            .and_then(|changeover| changeover.on_probed(failure.is_none()));
        self.end_changeover(reason);
    }

    pub(super) fn on_state_saved(&mut self, error: Option<String>) {
        let reason = self
            .changeover
            .as_mut()
            .and_then(|changeover| changeover.on_captured(error.is_none()));
        if let Some(message) = error {
            self.tell(Event::Problem {
                code: "state_not_saved".into(),
                message,
            });
        }
        self.end_changeover(reason);
    }

    /// Counts down for an urgent release. Returns whether an attempt began.
    pub(super) fn drive_countdown(&mut self, facts: &Facts, want: &Want) -> bool {
        let counts = self.decision.kind == DecisionKind::Prompt && policy::may_act(facts);
        let may = counts && self.storage && self.online && self.changeover.is_none();
        let Some((build, sequence)) = want.target().filter(|_| may) else {
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
                let id = self.chance.name();
                self.begin(id, build, sequence, By::Countdown);
                true
            }
            None => {
                self.countdown.until = Some(afresh);
                false
            }
        }
    }

    /// Takes the steps of the attempt that can be taken. Returns whether it began or ended.
    pub(super) fn drive_changeover(&mut self, want: &Want) -> bool {
        let target = want.target();
        let scene = Scene {
            had_reload: target
                .as_ref()
                .is_some_and(|(build, _)| self.had_reload(build)),
            target,
            manifest: want.manifest(),
            holds: self.holds.reasons(),
            online: self.online,
        };
        while let Some(changeover) = &mut self.changeover {
            let Some(step) = changeover.poll(&scene, self.now) else {
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
                Step::Reload => self.reload(to),
                Step::Abort { reason } => {
                    self.end_changeover(Some(reason));
                    return true;
                }
            }
        }
        false
    }

    /// What a build reads, as far as that is known.
    fn stores_of(&self, build: &BuildId) -> Names<Store> {
        match self.shelf.find(build) {
            Lookup::Ready(manifest) => manifest.stores.clone(),
            Lookup::Pending | Lookup::Missing => Names::new(),
        }
    }

    fn reload(&mut self, target: BuildId) {
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
        self.perform(Effect::Reload);
    }

    fn begin(&mut self, id: String, to: BuildId, sequence: u64, by: By) {
        let from = self.running.build.clone();
        self.trouble = None;
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
