//! The events that the app receives.

use alloc::{string::String, vec::Vec};
use serde::{Deserialize, Serialize};

use crate::{ids::BuildId, listed::listed, time::Timestamp};

/// An event for the app; the tag is its name in JavaScript.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Event {
    StatusChanged,
    ReleaseSeen {
        sequence: u64,
        build: BuildId,
    },
    SkewFound {
        from: Option<BuildId>,
        to: BuildId,
        sequence: u64,
    },
    /// The running build is the target again, for instance after a rollback.
    SkewGone,
    DecisionMade {
        decision: Decision,
    },
    PromptShown {
        prompt: Prompt,
    },
    PromptHidden,
    ChangeoverStarted {
        changeover: String,
        from: Option<BuildId>,
        to: BuildId,
    },
    ChangeoverWaiting {
        changeover: String,
        reason: WaitReason,
        /// Reasons of the holds that it waits for.
        holds: Vec<String>,
    },
    ChangeoverAborted {
        changeover: String,
        reason: AbortReason,
    },
    /// Sent by the page that arrived on the target build.
    ChangeoverDone {
        changeover: String,
        from: Option<BuildId>,
        to: BuildId,
    },
    /// The slots of this page cannot be swapped to the release, and why; sent once for a build.
    SwapRefused {
        to: BuildId,
        refusals: Vec<SwapRefusal>,
    },
    /// A swap ended.
    SwapEnded {
        changeover: String,
        from: Option<BuildId>,
        to: BuildId,
        /// The slots that the swap was to change.
        slots: Vec<String>,
        outcome: SwapOutcome,
        /// A stable code, unless it was committed.
        reason: Option<String>,
        slot: Option<String>,
        message: Option<String>,
    },
    StateRestored {
        restored: Vec<String>,
        failed: Vec<String>,
    },
    /// A chunk failed and no other build explains it: network trouble.
    ChunkFailed {
        url: Option<String>,
        message: String,
        skew: bool,
    },
    Problem {
        code: String,
        message: String,
    },
}

listed! {
    /// What a changeover waits for.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub enum WaitReason {
        Holds,
        /// For the next version of the service worker that controls the page.
        ServiceWorker,
    }
}

listed! {
    /// How a swap ended.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub enum SwapOutcome {
        Committed,
        /// Before the switch: the page is as it was.
        Aborted,
        /// After it: the page is as it was before.
        RolledBack,
        /// After it, and with data written that the old code cannot read: the page stays on the new build.
        Kept,
        /// The rollback failed too: only a refresh helps.
        Broken,
    }
}

/// Why slots cannot be swapped to a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwapRefusal {
    /// A stable code, such as `entryChanged`.
    pub why: String,
    pub slot: Option<String>,
    pub file: Option<String>,
    /// Modules from the entry or the slot to the one at the root of it.
    pub root: Vec<String>,
}

listed! {
    /// What the page does about a release.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub enum DecisionKind {
        Ignore,
        Wait,
        Swap,
        Prompt,
        Reload,
    }
}

/// A decision and its reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    pub kind: DecisionKind,
    pub reason: Reason,
}

listed! {
    /// Stable reason codes, the same in logs, events, UI and tests.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub enum Reason {
        NoReleaseYet,
        SameBuild,
        UnknownRunningBuild,
        NothingLoadedChanged,
        ManifestUnavailable,
        ManifestPending,
        /// The files that a refresh would load are being checked.
        FilesPending,
        /// One of them is missing or wrong.
        TargetNotReady,
        Snoozed,
        NewBuild,
        Rollback,
        Urgent,
        Retired,
        ChunkFailed,
        ReloadDidNotTake,
        Expired,
        Reloading,
        /// Only slots changed, which can be swapped in the open page.
        SlotsChanged,
        /// A swap lacked a file or time, and is tried again.
        SwapPaused,
        /// The build already failed in this page: its code threw, or the app rejected it. The user is not prompted until the app
        /// checks.
        BadBuild,
    }
}

listed! {
    /// Why a changeover did not happen.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub enum AbortReason {
        Offline,
        Unreachable,
        StateNotSaved,
        /// This target already had its one reload; only the user may ask for another.
        ReloadDidNotTake,
        ReloadIgnored,
        /// There is no other build to move to.
        NoSkew,
        /// The user postponed it while it waited, or another release came.
        Superseded,
        /// A swap failed; `swapEnded` says why.
        SwapFailed,
        Disposed,
    }
}

/// What the prompt shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Prompt {
    pub reason: Reason,
    pub sequence: u64,
    pub build: BuildId,
    /// The release's own words; plain text.
    pub message: Option<String>,
    pub can_snooze: bool,
    /// When the page reloads by itself (urgency `now`).
    pub countdown_until: Option<Timestamp>,
    /// Set while accepted: what is being waited for.
    pub busy: Option<Busy>,
    /// Why the last attempt ended, if it did.
    pub trouble: Option<AbortReason>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Busy {
    Holds {
        reasons: Vec<String>,
    },
    /// The service worker installs its next version.
    ServiceWorker,
    Reloading,
}
