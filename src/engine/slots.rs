//! The messages between the swap engine and the driver: steps, and their results. They are part of traces.
//!
//! The decisions are made in `swap`.

use alloc::{string::String, vec::Vec};
use serde::{Deserialize, Serialize};

use super::{
    failure::FetchFailure,
    manifest::{ChunkKind, SlotKind},
};

/// A slot of the page and how it is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SlotUse {
    pub slot: String,
    pub state: Use,
}

/// How a slot is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Use {
    /// Its code was loaded, and it is not mounted now.
    Idle,
    /// It is mounted by an adapter, which can replace its code.
    Mounted,
    /// It was loaded outside an adapter, so that its code cannot be replaced.
    Taken,
}

/// A step of a swap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Import the new modules, one after the other. They may name slots that only the pointers define.
    Import {
        modules: Vec<Module>,
        pointers: Vec<Pointer>,
    },
    /// Wait until the user is not using the slots.
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
    /// Mount the new modules with the copies, hidden and inert beside the old ones; the new styles are loaded but not
    /// applied. A slot inside another one of these is mounted by that one, which loads it by the new pointers.
    Mount {
        slots: Vec<String>,
        pointers: Vec<Pointer>,
        styles: Vec<String>,
    },
    /// In one task: answer `Disturbed` if the user has used the page since the snapshots; otherwise show the new code, hide
    /// the old, apply the new styles instead of the old ones, and set the pointers.
    Switch {
        slots: Vec<String>,
        pointers: Vec<Pointer>,
        styles: Vec<String>,
        styles_out: Vec<String>,
    },
    /// Report errors that involve these files, until the new code is committed.
    Watch {
        slots: Vec<String>,
        files: Vec<String>,
    },
    /// Drop the old code, styles and snapshots.
    Commit {
        slots: Vec<String>,
        styles: Vec<String>,
    },
    /// Show the old modules with their snapshots again, in one task; restore pointers and styles.
    RollBack {
        slots: Vec<String>,
    },
}

/// A module to import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Module {
    pub slot: String,
    pub file: String,
    pub kind: SlotKind,
}

/// A state to migrate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Migration {
    pub slot: String,
    pub from: u32,
    pub to: u32,
}

/// The file that a slot loads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pointer {
    pub slot: String,
    pub file: String,
    /// Styles beyond those of the shell, in document order.
    pub css: Vec<String>,
}

/// A file to fetch and verify.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fetch {
    pub file: String,
    pub integrity: String,
    pub size: u64,
    pub kind: ChunkKind,
}

/// The result of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// A slot declined to be swapped.
    Vetoed {
        slot: String,
    },
    /// It is unknown whether a slot is inside another one of the swap.
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
    /// The migrations of the new code have no path between the schemas.
    NoMigrationPath {
        slot: String,
        message: String,
    },
    Mounted,
    MountFailed {
        slot: String,
        message: String,
    },
    /// The new code around a slot does not mount that slot, whose state would be lost.
    NotShown {
        slot: String,
    },
    /// The user has used the page since the snapshots were taken, which are stale now.
    Disturbed,
    Switched,
    SwitchFailed {
        message: String,
    },
    /// An error that involves a file of the new generation, from an error boundary or from the window.
    Threw {
        slot: Option<String>,
        message: String,
    },
    /// A slot renders nothing.
    Empty {
        slot: String,
    },
    /// The health check of the app failed.
    Unhealthy {
        message: String,
    },
    /// The new code has written data that the old code cannot read: a rollback is no longer possible.
    WroteDurable,
    Committed,
    RolledBack,
    RollBackFailed {
        message: String,
    },
}
