//! Why a swap ended early, and what that says about the build.

/// Why a swap did not commit. The codes are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwapReason {
    /// A file is missing, is not what the manifest says, or could not be fetched.
    FetchFailed,
    /// A module threw when it was evaluated, or could not be linked.
    ImportFailed,
    ImportTimedOut,
    /// The user did not pause for as long as a swap waits.
    NeverQuiet,
    Vetoed,
    /// Nothing says whether a slot is inside another one that is swapped too.
    PlaceUnknown,
    SnapshotFailed,
    SnapshotTimedOut,
    NoMigrationPath,
    MigrationFailed,
    MigrationTimedOut,
    MountFailed,
    /// The new code around a slot does not show it, and its state would be lost.
    NotShown,
    /// The new code was mounted and did not become ready.
    NotReady,
    SwitchFailed,
    SwitchTimedOut,
    Threw,
    Empty,
    Unhealthy,
    /// The release has moved on to another build.
    Superseded,
    PageChanged,
    Disposed,
}

impl SwapReason {
    pub const ALL: [Self; 22] = [
        Self::FetchFailed,
        Self::ImportFailed,
        Self::ImportTimedOut,
        Self::NeverQuiet,
        Self::Vetoed,
        Self::PlaceUnknown,
        Self::SnapshotFailed,
        Self::SnapshotTimedOut,
        Self::NoMigrationPath,
        Self::MigrationFailed,
        Self::MigrationTimedOut,
        Self::MountFailed,
        Self::NotShown,
        Self::NotReady,
        Self::SwitchFailed,
        Self::SwitchTimedOut,
        Self::Threw,
        Self::Empty,
        Self::Unhealthy,
        Self::Superseded,
        Self::PageChanged,
        Self::Disposed,
    ];

    pub fn code(self) -> &'static str {
        match self {
            Self::FetchFailed => "fetchFailed",
            Self::ImportFailed => "importFailed",
            Self::ImportTimedOut => "importTimedOut",
            Self::NeverQuiet => "neverQuiet",
            Self::Vetoed => "vetoed",
            Self::PlaceUnknown => "placeUnknown",
            Self::SnapshotFailed => "snapshotFailed",
            Self::SnapshotTimedOut => "snapshotTimedOut",
            Self::NoMigrationPath => "noMigrationPath",
            Self::MigrationFailed => "migrationFailed",
            Self::MigrationTimedOut => "migrationTimedOut",
            Self::MountFailed => "mountFailed",
            Self::NotShown => "notShown",
            Self::NotReady => "notReady",
            Self::SwitchFailed => "switchFailed",
            Self::SwitchTimedOut => "switchTimedOut",
            Self::Threw => "threw",
            Self::Empty => "empty",
            Self::Unhealthy => "unhealthy",
            Self::Superseded => "superseded",
            Self::PageChanged => "pageChanged",
            Self::Disposed => "disposed",
        }
    }

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
