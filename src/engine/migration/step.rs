//! One step of a migration: what people call it, and the function that takes it.

use alloc::string::String;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::engine::lineage::numbers;

/// Names a function that the caller keeps; the engine never sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepRef(pub u32);

/// Which function of an edge runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    Up,
    Down,
}

/// A step as people read it: `2 -> 3 (up)`, and its way back `3 -> 2 (down)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StepName {
    pub from: u32,
    pub to: u32,
    pub direction: Direction,
}

impl StepName {
    /// `2 -> 3 (up)`
    pub fn to_text(self) -> String {
        let direction = match self.direction {
            Direction::Up => " (up)",
            Direction::Down => " (down)",
        };
        format!("{}{direction}", numbers(&[self.from, self.to], " -> "))
    }

    /// The way back.
    pub fn reversed(self) -> Self {
        Self {
            from: self.to,
            to: self.from,
            direction: match self.direction {
                Direction::Up => Direction::Down,
                Direction::Down => Direction::Up,
            },
        }
    }
}

impl fmt::Display for StepName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}

/// One step of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    pub name: StepName,
    pub run: StepRef,
    /// The function that goes back, when the edge has one.
    pub inverse: Option<StepRef>,
    pub lossy: bool,
    pub is_async: bool,
}
