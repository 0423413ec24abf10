use alloc::string::String;

use super::{
    swap_plan::SlotMove,
    words::{Phase, SwapReason},
};
use crate::{
    engine::{
        io::FetchFailure,
        slots::{Answer, Migration, Module, Step},
    },
    ids::BuildId,
    time::{Millis, Timestamp},
};

/// How long each step may take in a page that is visible, at the first attempt; a page that was too slow for it gets more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    pub fetch: Millis,
    pub import: Millis,
    /// From the first moment the swap could go on to the moment the page lets it.
    pub quiet: Millis,
    pub snapshot: Millis,
    pub migrate: Millis,
    pub mount: Millis,
    pub switch: Millis,
    /// How long the new code is watched before the old is dropped.
    pub probation: Millis,
    /// For dropping the old code, and for going back to it.
    pub settle: Millis,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            fetch: 30_000,
            import: 15_000,
            // A user who goes on writing for longer than this is asked instead.
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

/// A fact. Answers carry the changeover and the round of their question: what belongs to another one, or comes late, is
/// ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SwapInput {
    Answered {
        changeover: String,
        round: u32,
        answer: Answer,
    },
    /// The build that the release wants for this page; `None`: the one it was on before the swap.
    Wanted {
        build: Option<BuildId>,
    },
    /// Whether the app holds changeovers back.
    Held {
        held: bool,
    },
    /// Whether the page is shown. In a hidden page timers and rendering rest, so that time says nothing.
    Visible {
        visible: bool,
    },
    /// A slot was shown, hidden or loaded, so the plan may not be right any more.
    PageChanged,
    /// The timer went off, or may have.
    Woke,
    Disposed,
}

/// Do this, tell this, or sleep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SwapOutput {
    /// Take a step, and answer with the changeover and the round.
    Ask {
        changeover: String,
        round: u32,
        step: Step,
    },
    /// Drop what was mounted hidden, and the copies: nothing of it was seen.
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
    /// Going back failed too: only a refresh helps.
    Broken(Failure),
}

/// Why a swap did not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub reason: SwapReason,
    pub slot: Option<String>,
    pub message: Option<String>,
    /// The file that could not be had, and why.
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
