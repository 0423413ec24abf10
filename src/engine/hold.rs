//! Holds: "not now" from the app or the user, each with a reason and a deadline.

use alloc::{string::String, vec::Vec};

use crate::time::{Millis, Timestamp};

/// Deadline of a hold that names none: longer than most uploads, shorter than a lunch break.
pub const DEFAULT_DEADLINE: Millis = 5 * 60 * 1_000;

/// All holds of the page.
#[derive(Clone, Debug, Default)]
pub struct Holds(Vec<(u32, Hold)>);

/// One "not now".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    pub reason: String,
    pub deadline: Timestamp,
}

impl Holds {
    pub fn on_taken(
        &mut self,
        hold: u32,
        reason: String,
        deadline: Option<Timestamp>,
        now: Timestamp,
    ) {
        let deadline = deadline.unwrap_or(Timestamp(now.0.saturating_add(DEFAULT_DEADLINE)));
        self.on_released(hold);
        self.0.push((hold, Hold { reason, deadline }));
    }

    pub fn on_released(&mut self, hold: u32) {
        self.0.retain(|(number, _)| *number != hold);
    }

    /// Drops holds whose deadline has passed.
    pub fn on_time(&mut self, now: Timestamp) {
        self.0.retain(|(_, hold)| hold.deadline > now);
    }

    /// In the order they were taken.
    pub fn iter(&self) -> impl Iterator<Item = &Hold> {
        self.0.iter().map(|(_, hold)| hold)
    }

    pub fn reasons(&self) -> Vec<String> {
        self.iter().map(|hold| hold.reason.clone()).collect()
    }

    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.iter().map(|hold| hold.deadline).min()
    }
}
