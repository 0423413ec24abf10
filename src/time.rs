//! Moments and spans. What time it is, only a driver knows.

use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch. The driver clamps its clock so that it never runs backwards.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

/// A span in milliseconds.
pub type Millis = u64;
