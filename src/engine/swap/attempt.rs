//! One attempt to swap: how far it is, and how long its step may take.

use alloc::string::String;

use super::{
    phase::Phase,
    steps::{Failure, Timeouts},
    swap_plan::SwapPlan,
};
use crate::time::{Millis, Timestamp};

/// A timer that fires this much too late shows that the page was busy or suspended.
const STALL: Millis = 1_000;
/// How often a step gets its whole time again for that reason.
const MOST_STALLS: u32 = 3;

#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) id: String,
    pub(super) swap_plan: SwapPlan,
    pub(super) phase: Phase,
    pub(super) since: Timestamp,
    /// How often the step got its whole time again.
    pub(super) stalls: u32,
    /// Each wait for quiet begins a new one.
    pub(super) round: u32,
    /// When the wait for a pause of the user began.
    pub(super) quiet_since: Option<Timestamp>,
    pub(super) has_imported: bool,
    /// New code may be mounted hidden.
    pub(super) has_copies: bool,
    pub(super) has_written: bool,
    /// Why the swap is rolled back.
    pub(super) failure: Option<Failure>,
}

impl Attempt {
    pub(super) fn new(id: String, swap_plan: SwapPlan, now: Timestamp) -> Self {
        Self {
            id,
            swap_plan,
            phase: Phase::Idle,
            since: now,
            stalls: 0,
            round: 0,
            quiet_since: None,
            has_imported: false,
            has_copies: false,
            has_written: false,
            failure: None,
        }
    }

    /// When the time limit of its step ends. `tries`: how many swaps to its build have timed out.
    pub(super) fn due(&self, timeouts: &Timeouts, tries: u32) -> Option<Timestamp> {
        let span = match self.phase {
            Phase::Idle => return None,
            Phase::Fetching => timeouts.fetch,
            Phase::Importing => timeouts.import,
            Phase::Held | Phase::Quiet => timeouts.quiet,
            Phase::Snapshots => timeouts.snapshot,
            Phase::Migrating => timeouts.migrate,
            Phase::Mounting => timeouts.mount,
            Phase::Switching => timeouts.switch,
            Phase::Probation => timeouts.probation,
            Phase::Committing | Phase::RollingBack => timeouts.settle,
        };
        let since = match self.phase {
            Phase::Held | Phase::Quiet => self.quiet_since.unwrap_or(self.since),
            _ => self.since,
        };
        let factor = match self.phase.is_work() {
            true => 1 << tries.min(2),
            false => 1,
        };
        let span = span.saturating_mul(factor);
        Some(Timestamp(since.0.saturating_add(span)))
    }

    /// The page is visible again; suspended time limits go on with what was left.
    pub(super) fn on_shown(&mut self, hidden: Timestamp, now: Timestamp) {
        if self.phase.rests_hidden() {
            self.since = self.since.after_rest(hidden, now);
            let quiet = self.quiet_since;
            self.quiet_since = quiet.map(|since| since.after_rest(hidden, now));
        }
    }

    /// Whether the timer fired so late that the page cannot have had the time: then the step gets it again.
    pub(super) fn takes_a_stall(&mut self, due: Timestamp, now: Timestamp) -> bool {
        let is_late = now.0.saturating_sub(due.0) >= STALL;
        let stalled = is_late && self.phase.is_work() && self.stalls < MOST_STALLS;
        if stalled {
            self.stalls += 1;
            self.since = now;
        }
        stalled
    }
}

impl Timestamp {
    /// This moment, moved by how long the page has been hidden since.
    fn after_rest(self, hidden: Self, now: Self) -> Self {
        let rested = now.0.saturating_sub(hidden.max(self).0);
        Self(self.0.saturating_add(rested))
    }
}
