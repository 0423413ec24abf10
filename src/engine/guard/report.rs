//! The status: everything that the app can see.

use super::{Guard, Life};
use crate::engine::{
    io::{Decision, DecisionKind, Reason},
    status::{ChangeoverSummary, HoldSummary, Level, ReleaseSummary, Status, StreamState},
};

impl Guard {
    pub fn status(&self) -> Status {
        Status {
            level: match self.life {
                Life::New => Level::Starting,
                Life::Running => Level::Full,
                Life::Disposed => Level::Off,
            },
            level_reason: None,
            build: self.running.build.clone(),
            release: self.releases.accepted().map(|release| ReleaseSummary {
                sequence: release.sequence,
                build: release.build.id.clone(),
                urgency: release.urgency,
                message: release.message.clone(),
            }),
            skew: self.announced_skew.is_some(),
            decision: self.decision.clone(),
            leader: self.tabs.is_leader(),
            stream: self.stream.state(),
            last_check: self.last_check,
            failures: self.checks.failures(),
            last_failure: self.last_failure.clone(),
            holds: self
                .holds
                .iter()
                .map(|hold| HoldSummary {
                    reason: hold.reason.clone(),
                    deadline: Some(hold.deadline),
                })
                .collect(),
            prompt: self.prompt.clone(),
            changeover: self
                .changeover
                .as_ref()
                .map(|changeover| ChangeoverSummary {
                    id: changeover.id.clone(),
                    from: changeover.from.clone(),
                    to: changeover.to.clone(),
                    phase: changeover.phase(),
                })
                .or_else(|| self.swap_summary()),
        }
    }
}

impl Default for Status {
    fn default() -> Self {
        Self {
            level: Level::Starting,
            level_reason: None,
            build: None,
            release: None,
            skew: false,
            decision: Decision {
                kind: DecisionKind::Ignore,
                reason: Reason::NoReleaseYet,
            },
            leader: false,
            stream: StreamState::Off,
            last_check: None,
            failures: 0,
            last_failure: None,
            holds: alloc::vec::Vec::new(),
            prompt: None,
            changeover: None,
        }
    }
}
