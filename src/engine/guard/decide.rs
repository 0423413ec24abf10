//! From what is known to a decision.
//!
//! [`Guard::settle`] runs after every input. It collects the facts, decides, starts or ends what follows, and updates the
//! prompt. `target` finds the build to compare with, `compare` says whether it differs for this page.

use super::{Guard, target::TargetState};
use crate::{
    engine::{
        io::{Decision, Event, Reason, Snooze, WakeReason},
        policy::{self, Changed, Facts, Target},
        release::Urgency,
        rollout,
    },
    ids::BuildId,
    time::Timestamp,
};

impl Guard {
    /// Decides and acts until nothing changes any more, then updates the prompt.
    pub(super) fn settle(&mut self) {
        self.on_swap_time();
        // Each round but the last begins or ends an attempt, or explains a chunk; none of that happens twice.
        for _ in 0..4 {
            if !self.settle_once() {
                break;
            }
        }
        let target_state = self.target_state();
        let facts = self.facts(&target_state);
        self.show(&facts, &target_state);
    }

    /// Returns whether the decision may have changed.
    fn settle_once(&mut self) -> bool {
        self.assume_running();
        self.fetch_manifests();
        let target_state = self.target_state();
        self.announce_skew(&target_state);
        let explained = self.judge_chunks(&target_state);
        self.check_files(&target_state);
        let facts = self.facts(&target_state);
        self.decide(policy::decide(&facts));
        let began = self.drive_countdown(&facts, &target_state);
        let ended = self.drive_changeover(&target_state);
        let swapped = self.drive_swap(&target_state);
        explained || began || ended || swapped
    }

    /// What the policy decides from.
    pub(super) fn facts(&mut self, target_state: &TargetState) -> Facts {
        let changed = match target_state {
            TargetState::Ready { build, .. } => self.changed(build),
            TargetState::Nothing | TargetState::Pending { .. } | TargetState::Missing { .. } => {
                Changed::Pending
            }
        };
        let release = self.releases.accepted();
        let target = match target_state {
            TargetState::Nothing if release.is_none() => Target::NoRelease,
            TargetState::Nothing if self.running.build.is_none() => Target::Assumed,
            TargetState::Nothing => Target::Same,
            TargetState::Pending { .. } => Target::Pending,
            TargetState::Missing { .. } => Target::Unavailable,
            TargetState::Ready { .. } => Target::Other,
        };
        let build = target_state.target().map(|(build, _)| build);
        let snoozed =
            |snooze: &Snooze| release.is_some_and(|release| snooze.sequence >= release.sequence);
        Facts {
            target,
            changed,
            urgency: release.map_or(Urgency::Routine, |release| release.urgency),
            leave: self.leave(),
            chunk_failed: build.is_some() && self.chunks.explained_by == build,
            expired: release.is_some_and(|release| rollout::is_expired(release, self.now)),
            rollback: self.releases.goes_back(),
            snoozed: self
                .snooze
                .as_ref()
                .is_some_and(|snooze| self.now < snooze.until && snoozed(snooze)),
            reload_did_not_take: build.is_some_and(|build| self.had_reload(&build)),
            files: self.files_in(target_state),
            reloading: self.changeover.is_some(),
        }
    }

    /// Whether the page was reloaded for this build before.
    pub(super) fn had_reload(&self, build: &BuildId) -> bool {
        self.reloads
            .iter()
            .any(|reloads| reloads.target == *build && reloads.count > 0)
    }

    /// Tells the app when another build is found, and when it is gone again.
    fn announce_skew(&mut self, target_state: &TargetState) {
        match target_state {
            TargetState::Nothing => {
                if self.announced_skew.take().is_some() {
                    self.tell(Event::SkewGone);
                }
            }
            TargetState::Ready { build, sequence } => {
                if self.announced_skew.as_ref() != Some(build) {
                    self.announced_skew = Some(build.clone());
                    let from = self.running.build.clone();
                    self.tell(Event::SkewFound {
                        from,
                        to: build.clone(),
                        sequence: *sequence,
                    });
                }
            }
            TargetState::Pending { .. } | TargetState::Missing { .. } => {}
        }
    }

    /// Tells the app if the decision has changed.
    fn decide(&mut self, decision: Decision) {
        if self.decision != decision {
            self.decision = decision.clone();
            self.tell(Event::DecisionMade { decision });
        }
    }

    /// When the decision changes by time alone.
    pub(super) fn next_decision_at(&self) -> Option<(Timestamp, WakeReason)> {
        let snoozed = self.decision.reason == Reason::Snoozed;
        let snooze = self
            .snooze
            .as_ref()
            .filter(|_| snoozed)
            .map(|snooze| (snooze.until, WakeReason::SnoozeOver));
        let listing = self
            .listing
            .gives_up_at()
            .filter(|at| *at > self.now)
            .map(|at| (at, WakeReason::Timeout));
        [snooze, listing]
            .into_iter()
            .flatten()
            .min_by_key(|(at, _)| *at)
    }
}
