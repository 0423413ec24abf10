//! The messages between a run and its driver.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use super::report::Report;
use crate::{
    engine::migration::{
        error::MigrationError,
        step::{StepName, StepRef},
    },
    time::{Millis, Timestamp},
};

/// Settings of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunOptions {
    /// Time limit for one snapshot, one step or one validation. A later answer is ignored, even if the timer itself was
    /// late.
    pub budget: Millis,
    /// End in a report instead of `Ready`; a failing store does not stop the others.
    pub dry: bool,
    /// After each step that has an inverse and is not lossy, run the inverse on another copy and compare. This finds
    /// steps that lose data, and doubles the time.
    pub verify: bool,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            budget: 3_000,
            dry: false,
            verify: false,
        }
    }
}

/// What the driver reports to a run. `index` counts the steps of a store from 0. An answer to an earlier question is
/// ignored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum RunInput {
    SnapshotTaken {
        store: String,
    },
    SnapshotFailed {
        store: String,
        message: String,
    },
    StepDone {
        store: String,
        index: usize,
    },
    StepFailed {
        store: String,
        index: usize,
        message: String,
        /// The place in the value, if the step reported one.
        path: Option<String>,
    },
    /// The driver stopped waiting for the step.
    StepTimedOut {
        store: String,
        index: usize,
    },
    /// The inverse gave the value from before the step.
    Restored {
        store: String,
        index: usize,
    },
    /// The inverse gave another value at `path`.
    NotRestored {
        store: String,
        index: usize,
        path: String,
    },
    Validated {
        store: String,
    },
    Invalid {
        store: String,
        path: Option<String>,
        message: String,
    },
    /// The timer of `Wake` may have fired.
    Woke,
    /// The app or a newer release cancelled the run.
    Cancelled,
}

/// What a run hands out: work for the driver, progress, the result, or a wake-up time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunOutput {
    /// Keep a deep copy of the store's value.
    Snapshot {
        store: String,
    },
    /// Run the function on the store's working copy. The result is the new working copy; keep the old one until the next
    /// output about this store.
    RunStep {
        store: String,
        index: usize,
        name: StepName,
        step: StepRef,
        is_async: bool,
    },
    /// Run the function on a copy of the working copy and compare with the value before the step.
    GoBack {
        store: String,
        index: usize,
        step: StepRef,
    },
    /// Check the working copy.
    Validate {
        store: String,
        schema: u32,
    },
    Progress {
        done: usize,
        total: usize,
    },
    /// All stores are migrated and valid: the working copies may replace the values.
    Ready {
        stores: Vec<Carried>,
    },
    /// The migration failed: no value may be replaced, and the snapshots are unchanged.
    Failed {
        error: MigrationError,
    },
    /// The result of a dry run.
    Reported {
        report: Report,
    },
    /// Nothing to do until an input arrives, or until `at`.
    Wake {
        at: Option<Timestamp>,
    },
}

/// A migrated store, and the schema that it has now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    pub store: String,
    pub schema: u32,
}
