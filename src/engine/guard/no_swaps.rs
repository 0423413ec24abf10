//! The guard of a page without slots: the same doors, and nothing behind them.

use alloc::{string::String, vec::Vec};

use super::{Guard, target::TargetState};
use crate::{
    engine::{
        io::WakeReason,
        policy::Changed,
        slots::{Answer, SlotUse},
        status::ChangeoverSummary,
    },
    ids::BuildId,
    time::Timestamp,
};

#[derive(Debug, Default)]
pub(super) struct Swaps {}

impl Guard {
    pub(super) fn on_slots_listed(&mut self, _slots: Vec<SlotUse>) {}

    pub(super) fn on_swap_answered(&mut self, _changeover: String, _round: u32, _answer: Answer) {}

    pub(super) fn on_swap_visible(&mut self, _visible: bool) {}

    pub(super) fn on_swap_retry(&mut self, _by_app: bool) {}

    pub(super) fn on_swap_time(&mut self) {}

    pub(super) fn loaded_slots(&self) -> Option<Vec<&str>> {
        None
    }

    pub(super) fn changed_slots(&mut self, _target: &BuildId) -> Option<Changed> {
        None
    }

    pub(super) fn drive_swap(&mut self, _target_state: &TargetState) -> bool {
        false
    }

    pub(super) fn dispose_swap(&mut self) {
        let Swaps {} = self.swaps;
    }

    pub(super) fn swap_summary(&self) -> Option<ChangeoverSummary> {
        None
    }

    pub(super) fn next_swap(&self) -> Option<(Timestamp, WakeReason)> {
        None
    }
}
