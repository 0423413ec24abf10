/// Where a swap is, and so what it waits for. The codes are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// There is none.
    Idle,
    Fetching,
    Importing,
    /// The app holds it back.
    Held,
    /// Somebody uses the slots.
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
    SnapshotFailed,
    SnapshotTimedOut,
    NoMigrationPath,
    MigrationFailed,
    MigrationTimedOut,
    MountFailed,
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
    pub const ALL: [Self; 20] = [
        Self::FetchFailed,
        Self::ImportFailed,
        Self::ImportTimedOut,
        Self::NeverQuiet,
        Self::Vetoed,
        Self::SnapshotFailed,
        Self::SnapshotTimedOut,
        Self::NoMigrationPath,
        Self::MigrationFailed,
        Self::MigrationTimedOut,
        Self::MountFailed,
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
            Self::SnapshotFailed => "snapshotFailed",
            Self::SnapshotTimedOut => "snapshotTimedOut",
            Self::NoMigrationPath => "noMigrationPath",
            Self::MigrationFailed => "migrationFailed",
            Self::MigrationTimedOut => "migrationTimedOut",
            Self::MountFailed => "mountFailed",
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

    /// Whether it is about the state of this page, and not about the new code.
    pub fn is_about_state(self) -> bool {
        matches!(
            self,
            Self::SnapshotFailed
                | Self::SnapshotTimedOut
                | Self::NoMigrationPath
                | Self::MigrationFailed
                | Self::MigrationTimedOut
        )
    }
}
