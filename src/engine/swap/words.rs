/// Where a swap is, and so what it waits for. The codes are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// There is none.
    Idle,
    Fetching,
    Importing,
    /// The app holds it back.
    Held,
    /// The user is busy in the slots.
    Quiet,
    Snapshots,
    Migrating,
    Mounting,
    Switching,
    Probation,
    Committing,
    RollingBack,
}

impl Phase {
    pub const ALL: [Self; 12] = [
        Self::Idle,
        Self::Fetching,
        Self::Importing,
        Self::Held,
        Self::Quiet,
        Self::Snapshots,
        Self::Migrating,
        Self::Mounting,
        Self::Switching,
        Self::Probation,
        Self::Committing,
        Self::RollingBack,
    ];

    pub fn code(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Fetching => "fetching",
            Self::Importing => "importing",
            Self::Held => "held",
            Self::Quiet => "quiet",
            Self::Snapshots => "snapshots",
            Self::Migrating => "migrating",
            Self::Mounting => "mounting",
            Self::Switching => "switching",
            Self::Probation => "probation",
            Self::Committing => "committing",
            Self::RollingBack => "rollingBack",
        }
    }

    /// Whether the page may show new code.
    pub(super) fn is_past_switch(self) -> bool {
        match self {
            Self::Switching | Self::Probation | Self::Committing | Self::RollingBack => true,
            Self::Idle
            | Self::Fetching
            | Self::Importing
            | Self::Held
            | Self::Quiet
            | Self::Snapshots
            | Self::Migrating
            | Self::Mounting => false,
        }
    }

    /// Whether snapshots are there that can be stale.
    pub(super) fn has_snapshots(self) -> bool {
        matches!(
            self,
            Self::Snapshots | Self::Migrating | Self::Mounting | Self::Switching
        )
    }

    /// Whether the page has something to do, for which a slow one needs longer.
    pub(super) fn is_work(self) -> bool {
        match self {
            Self::Fetching
            | Self::Importing
            | Self::Snapshots
            | Self::Migrating
            | Self::Mounting
            | Self::Switching => true,
            Self::Idle
            | Self::Held
            | Self::Quiet
            | Self::Probation
            | Self::Committing
            | Self::RollingBack => false,
        }
    }

    /// Whether its time stands still while the page is hidden. The end of a trial comes all the same.
    pub(super) fn rests_hidden(self) -> bool {
        self.is_work() || matches!(self, Self::Held | Self::Quiet | Self::RollingBack)
    }

    /// Whether an error of the new generation ends it. Rendering hidden counts too.
    pub(super) fn is_watched(self) -> bool {
        matches!(self, Self::Mounting | Self::Switching | Self::Probation)
    }
}

/// Why a swap ended otherwise than planned. The codes are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwapReason {
    /// A file is missing, is not what the manifest says, or could not be fetched.
    FetchFailed,
    /// A module threw when it was evaluated, or could not be linked.
    ImportFailed,
    ImportTimedOut,
    /// The page was in use for as long as a swap waits.
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
    /// Mounted, and never ready.
    NotReady,
    SwitchFailed,
    SwitchTimedOut,
    Threw,
    Empty,
    Unhealthy,
    /// Another build is wanted by now.
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

    /// What it says about the build.
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
    /// Its code threw, or the app refused it. It is not tried again, and a refresh would load the same.
    Bad,
    /// This page's state cannot follow. It is not tried again, and a refresh may do better.
    State,
    /// A file of it cannot be had, intact, just now. It is tried again for as long as the build is wanted; a refresh would
    /// need the same file.
    Missing,
    /// Something took too long, which a slow page does with good code too. It is tried again when the page is visible, a
    /// few times, and then the user is asked.
    Unproven,
    /// The page does not let it. The user is asked.
    Declined,
    /// Another plan is made, or none is needed any more.
    Moot,
}
