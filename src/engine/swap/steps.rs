//! Time limits, inputs and outputs of the swap machine.

use alloc::string::String;

use super::{phase::Phase, reason::SwapReason, swap_plan::SlotMove};
use crate::{
    engine::{
        io::FetchFailure,
        slots::{Answer, Migration, Module, Step},
    },
    ids::BuildId,
    time::{Millis, Timestamp},
};

/// Time limits of the steps in a visible page, for the first attempt; later attempts get more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    pub fetch: Millis,
    pub import: Millis,
    /// For the user to pause, counted from when the swap is ready to go on.
    pub quiet: Millis,
    pub snapshot: Millis,
    pub migrate: Millis,
    pub mount: Millis,
    pub switch: Millis,
    /// How long new code is watched before the old code is dropped.
    pub probation: Millis,
    /// For dropping the old code, or for restoring it.
    pub settle: Millis,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            fetch: 30_000,
            import: 15_000,
            // A user who does not pause for this long is asked instead.
            quiet: 5 * 60_000,
            snapshot: 3_000,
            // Each step of a migration has a budget of its own.
            migrate: 15_000,
            mount: 10_000,
            switch: 5_000,
            probation: 10_000,
            settle: 5_000,
        }
    }
}

/// A fact for the swap machine. Answers name the changeover and the round that they belong to; late ones are ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SwapInput {
    Answered {
        changeover: String,
        round: u32,
        answer: Answer,
    },
    /// The target build of the page; `None`: the one that it ran before the swap.
    Wanted {
        build: Option<BuildId>,
    },
    /// Whether a hold of the app delays changeovers.
    Held {
        held: bool,
    },
    /// Whether the page is visible. In a hidden page timers and rendering are suspended, so that elapsed time means nothing.
    Visible {
        visible: bool,
    },
    /// A slot was shown, hidden or loaded, so that the plan may be out of date.
    PageChanged,
    /// The timer may have fired.
    Woke,
    Disposed,
}

/// What the swap machine hands out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SwapOutput {
    /// A step for the driver; its answer names the changeover and the round.
    Ask {
        changeover: String,
        round: u32,
        step: Step,
    },
    /// Drop what was mounted hidden, and the copies of the state.
    Discard {
        changeover: String,
    },
    Ended {
        changeover: String,
        to: BuildId,
        ending: Ending,
    },
    Wake {
        at: Option<Timestamp>,
        waits: Phase,
    },
}

/// How a swap ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    Committed,
    /// Before the switch: the page is as it was.
    Aborted(Failure),
    /// After it: the page is as it was before.
    RolledBack(Failure),
    /// After it, and with data written that the old code cannot read: the page stays on the new build.
    Kept(Failure),
    /// The rollback failed too: only a refresh helps.
    Broken(Failure),
}

/// Why a swap failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub reason: SwapReason,
    pub slot: Option<String>,
    pub message: Option<String>,
    /// The file that could not be fetched, and why.
    pub fetch: Option<(String, FetchFailure)>,
}

impl Module {
    pub(super) fn of(slot: &SlotMove) -> Self {
        Self {
            slot: slot.pointer.slot.clone(),
            file: slot.pointer.file.clone(),
            kind: slot.kind,
        }
    }
}

impl Migration {
    pub(super) fn of(slot: &SlotMove) -> Option<Self> {
        (slot.from_schema != slot.to_schema).then(|| Self {
            slot: slot.pointer.slot.clone(),
            from: slot.from_schema,
            to: slot.to_schema,
        })
    }
}
