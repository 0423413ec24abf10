//! Why a swap ended early, and what that says about the build.

use crate::listed::listed;

listed! {
    /// Why a swap did not commit. The codes are stable.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum SwapReason {
        /// A file is missing, is not what the manifest says, or could not be fetched.
        FetchFailed => "fetchFailed",
        /// A module threw when it was evaluated, or could not be linked.
        ImportFailed => "importFailed",
        ImportTimedOut => "importTimedOut",
        /// The user did not pause for as long as a swap waits.
        NeverQuiet => "neverQuiet",
        Vetoed => "vetoed",
        /// Nothing says whether a slot is inside another one that is swapped too.
        PlaceUnknown => "placeUnknown",
        SnapshotFailed => "snapshotFailed",
        SnapshotTimedOut => "snapshotTimedOut",
        NoMigrationPath => "noMigrationPath",
        MigrationFailed => "migrationFailed",
        MigrationTimedOut => "migrationTimedOut",
        MountFailed => "mountFailed",
        /// The new code around a slot does not show it, and its state would be lost.
        NotShown => "notShown",
        /// The new code was mounted and did not become ready.
        NotReady => "notReady",
        SwitchFailed => "switchFailed",
        SwitchTimedOut => "switchTimedOut",
        Threw => "threw",
        Empty => "empty",
        Unhealthy => "unhealthy",
        /// The release has moved on to another build.
        Superseded => "superseded",
        PageChanged => "pageChanged",
        Disposed => "disposed",
    }
}

impl SwapReason {
    /// What the reason says about the build.
    pub fn verdict(self) -> Verdict {
        match self {
            Self::ImportFailed
            | Self::MountFailed
            | Self::SwitchFailed
            | Self::Threw
            | Self::Unhealthy => Verdict::Bad,
            Self::SnapshotFailed | Self::NoMigrationPath | Self::MigrationFailed => Verdict::State,
            Self::FetchFailed => Verdict::Missing,
            Self::ImportTimedOut
            | Self::SnapshotTimedOut
            | Self::MigrationTimedOut
            | Self::NotReady
            | Self::SwitchTimedOut
            | Self::Empty => Verdict::Unproven,
            Self::NeverQuiet | Self::Vetoed | Self::PlaceUnknown | Self::NotShown => {
                Verdict::Declined
            }
            Self::Superseded | Self::PageChanged | Self::Disposed => Verdict::Moot,
        }
    }
}

/// What the end of a swap says about the build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Its code threw, or the app rejected it. Not retried, and a refresh would load the same code.
    Bad,
    /// The state of this page cannot be migrated. Not retried; a refresh may help.
    State,
    /// A file is missing or damaged for now. Retried for as long as the build is the target; a refresh would need the same
    /// file.
    Missing,
    /// Something took too long, which also happens to good code in a slow page. Retried a few times while the page is
    /// visible; then the user is asked.
    Unproven,
    /// The page declined the swap. The user is asked.
    Declined,
    /// A new plan is made, or none is needed any more.
    Moot,
}
