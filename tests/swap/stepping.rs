//! Helpers that take a swap through its steps.

use changeover::engine::{
    io::Timestamp,
    swap::{Answer, Step},
};

pub const START: Timestamp = Timestamp(1_000_000);

/// The answer of a page in which everything works, or breaks once it is shown. Probation is answered by silence.
pub fn agreeable(step: &Step, is_broken: bool) -> Option<Answer> {
    Some(match step {
        Step::Fetch { .. } => Answer::Fetched,
        Step::Import { .. } => Answer::Imported,
        Step::AwaitQuiet { .. } => Answer::Quiet,
        Step::Snapshot { .. } => Answer::Snapshotted,
        Step::Migrate { .. } => Answer::Migrated,
        Step::Mount { .. } => Answer::Mounted,
        Step::Switch { .. } => Answer::Switched,
        Step::Watch { .. } if is_broken => Answer::Threw {
            slot: None,
            message: "cart is undefined".into(),
        },
        Step::Watch { .. } => return None,
        Step::Commit { .. } => Answer::Committed,
        Step::RollBack { .. } => Answer::RolledBack,
    })
}
