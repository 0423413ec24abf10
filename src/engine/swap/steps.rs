use alloc::{string::String, vec::Vec};

use super::{
    moves::{Fetch, Pointer, SlotMove},
    words::{Phase, SwapReason},
};
use crate::engine::{
    io::{BuildId, FetchFailure, Millis, Timestamp},
    manifest::SlotKind,
};

/// How long each step may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
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

impl Default for Patience {
    fn default() -> Self {
        Self {
            fetch: 30_000,
            import: 15_000,
            // Somebody who writes for longer than this is asked instead.
            quiet: 5 * 60_000,
            snapshot: 3_000,
            // Each step of a migration has a budget of its own.
            migrate: 15_000,
            mount: 5_000,
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
    /// A slot was shown, hidden or loaded, so the plan may not be right any more.
    PageChanged,
    /// The timer went off, or may have.
    Woke,
    Disposed,
}

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Fetched,
    FetchFailed {
        file: String,
        failure: FetchFailure,
    },
    Imported,
    ImportFailed {
        slot: String,
        message: String,
    },
    Quiet,
    /// A slot will not be swapped.
    Vetoed {
        slot: String,
    },
    Snapshotted,
    SnapshotFailed {
        slot: String,
        message: String,
    },
    Migrated,
    MigrationFailed {
        slot: String,
        message: String,
    },
    /// The migrations that came with the code know no way between the schemas.
    NoMigrationPath {
        slot: String,
        message: String,
    },
    Mounted,
    MountFailed {
        slot: String,
        message: String,
    },
    /// Somebody has used the page since the snapshots were taken, so they are stale.
    Disturbed,
    Switched,
    SwitchFailed {
        message: String,
    },
    /// An error with a file of the new generation in it, from a boundary or from the window.
    Threw {
        slot: Option<String>,
        message: String,
    },
    /// A slot shows nothing.
    Empty {
        slot: String,
    },
    /// The app's own check says no.
    Unhealthy {
        message: String,
    },
    /// The new code has written data that the old cannot read: from now on there is no way back.
    WroteDurable,
    Committed,
    RolledBack,
    RollBackFailed {
        message: String,
    },
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

/// A step of a swap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Fetch and verify all files.
    Fetch {
        files: Vec<Fetch>,
    },
    /// Import the new modules, one after the other.
    Import {
        modules: Vec<Module>,
    },
    /// Answer when nobody uses the slots, or at once when nobody does.
    AwaitQuiet {
        slots: Vec<String>,
    },
    Snapshot {
        slots: Vec<String>,
    },
    /// Migrate copies of the snapshots.
    Migrate {
        states: Vec<Migration>,
    },
    /// Mount the new modules with the copies, hidden and inert beside the old, the new styles loaded but not in force.
    Mount {
        slots: Vec<String>,
        styles: Vec<String>,
    },
    /// In one task: answer `Disturbed` when somebody has used the page since the snapshots; else show the new, hide the
    /// old, put the styles in force and the old ones out of it, and set the pointers.
    Switch {
        slots: Vec<String>,
        pointers: Vec<Pointer>,
        styles: Vec<String>,
        styles_out: Vec<String>,
    },
    /// Report errors in which these files occur, until the new code is committed.
    Watch {
        slots: Vec<String>,
        files: Vec<String>,
    },
    /// Drop the old code, styles and snapshots.
    Commit {
        slots: Vec<String>,
        styles: Vec<String>,
    },
    /// Show the old modules with their snapshots again, in one task; pointers and styles go back.
    RollBack {
        slots: Vec<String>,
    },
}

/// A module to import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    pub slot: String,
    pub file: String,
    pub kind: SlotKind,
}

/// A state to migrate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    pub slot: String,
    pub from: u32,
    pub to: u32,
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
