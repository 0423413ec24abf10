//! The status that the app sees: `Status` of the JavaScript contract.

use alloc::{string::String, vec::Vec};

use serde::Serialize;

use super::{
    io::{Decision, Prompt},
    release::Urgency,
};
use crate::{ids::BuildId, listed::listed, time::Timestamp};

/// The state of the guard after the last input.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    pub level: Level,
    /// Why the level is not `full`; the driver knows more than the engine.
    pub level_reason: Option<String>,
    /// The running build.
    pub build: Option<BuildId>,
    /// The newest release this page has accepted.
    pub release: Option<ReleaseSummary>,
    pub skew: bool,
    pub decision: Decision,
    pub leader: bool,
    pub stream: StreamState,
    /// When the last check ended.
    pub last_check: Option<Timestamp>,
    /// Failed checks in a row.
    pub failures: u32,
    pub last_failure: Option<Trouble>,
    pub holds: Vec<HoldSummary>,
    pub prompt: Option<Prompt>,
    pub changeover: Option<ChangeoverSummary>,
}

listed! {
    /// How much of the guard runs.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
    #[serde(rename_all = "camelCase")]
    pub enum Level {
        Starting,
        Full,
        Off,
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseSummary {
    pub sequence: u64,
    pub build: BuildId,
    pub urgency: Urgency,
    pub message: Option<String>,
}

listed! {
    /// The state of the event stream.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
    #[serde(rename_all = "camelCase")]
    pub enum StreamState {
        Off,
        Connecting,
        Open,
        Waiting,
    }
}

/// What went wrong: a stable code and a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trouble {
    pub code: String,
    pub message: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HoldSummary {
    pub reason: String,
    pub deadline: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangeoverSummary {
    pub id: String,
    pub from: Option<BuildId>,
    pub to: BuildId,
    pub phase: PhaseName,
}

listed! {
    /// What a changeover is doing.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
    #[serde(rename_all = "camelCase")]
    pub enum PhaseName {
        Draining,
        Probing,
        Capturing,
        /// The service worker installs its next version.
        Renewing,
        Reloading,
        /// New code is being fetched and mounted.
        Swapping,
        /// New code is shown, and the old code is kept until probation ends.
        Probation,
    }
}
