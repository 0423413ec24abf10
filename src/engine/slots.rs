//! What a swap asks of the page, step by step, and what the page answers.
//!
//! The swap itself decides in `swap`; these are the words that travel between it and the driver, and through traces.

use alloc::{string::String, vec::Vec};
#[cfg(feature = "replay")]
use serde::Deserialize;
use serde::Serialize;

use super::{
    failure::FetchFailure,
    manifest::{ChunkKind, SlotKind},
};

/// A slot of the page and how it is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "replay", derive(Deserialize))]
#[serde(rename_all = "camelCase")]
pub struct SlotUse {
    pub slot: String,
    pub state: Use,
}

/// How a slot is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "replay", derive(Deserialize))]
#[serde(rename_all = "camelCase")]
pub enum Use {
    /// Its code was loaded, and nothing shows it now.
    Idle,
    /// It is shown, and the component that mounted it can put new code in its place.
    Mounted,
    /// Its code may be in use for ever: the caller that loaded it has not said where it is shown.
    Taken,
}

/// A step of a swap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "replay", derive(Deserialize))]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Step {
    /// Fetch and verify all files.
    Fetch {
        files: Vec<Fetch>,
    },
    /// Import the new modules, one after the other. They may already name slots that the pointers bring.
    Import {
        modules: Vec<Module>,
        pointers: Vec<Pointer>,
    },
    /// Answer as soon as the user does not use the slots, which may be at once.
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
    /// Mount the new modules with the copies, hidden and inert beside the old, the new styles loaded but not in force. What
    /// is mounted inside another of them comes with that one, which loads its slots by the pointers to come.
    Mount {
        slots: Vec<String>,
        pointers: Vec<Pointer>,
        styles: Vec<String>,
    },
    /// In one task: answer `Disturbed` when the user has used the page since the snapshots; else show the new, hide the
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "replay", derive(Deserialize))]
#[serde(rename_all = "camelCase")]
pub struct Module {
    pub slot: String,
    pub file: String,
    pub kind: SlotKind,
}

/// A state to migrate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "replay", derive(Deserialize))]
#[serde(rename_all = "camelCase")]
pub struct Migration {
    pub slot: String,
    pub from: u32,
    pub to: u32,
}

/// Where a slot points to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "replay", derive(Deserialize))]
#[serde(rename_all = "camelCase")]
pub struct Pointer {
    pub slot: String,
    pub file: String,
    /// Beside the shell's, in the order of the document.
    pub css: Vec<String>,
}

/// A file to fetch and verify.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "replay", derive(Deserialize))]
#[serde(rename_all = "camelCase")]
pub struct Fetch {
    pub file: String,
    pub integrity: String,
    pub size: u64,
    pub kind: ChunkKind,
}

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "replay", derive(Deserialize))]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
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
    /// Nothing says whether a slot is inside another one of the swap.
    PlaceUnknown {
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
    /// The new code around a slot does not show that slot, whose state would be lost.
    NotShown {
        slot: String,
    },
    /// The user has used the page since the snapshots were taken, so they are stale.
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
