//! The phases of a swap, and what each allows.

/// Where a swap is, and so what it waits for. The codes are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// No swap is under way.
    Idle,
    Fetching,
    Importing,
    /// A hold of the app delays it.
    Held,
    /// The user is using the slots.
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

    /// Whether the page may already show new code.
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

    /// Whether there are snapshots, which can become stale.
    pub(super) fn has_snapshots(self) -> bool {
        matches!(
            self,
            Self::Snapshots | Self::Migrating | Self::Mounting | Self::Switching
        )
    }

    /// Whether the page is working, for which a slow page needs longer.
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

    /// Whether its time limit is suspended while the page is hidden. Probation ends all the same.
    pub(super) fn rests_hidden(self) -> bool {
        self.is_work() || matches!(self, Self::Held | Self::Quiet | Self::RollingBack)
    }

    /// Whether an error of the new code ends the swap, also while that code is mounted hidden.
    pub(super) fn is_watched(self) -> bool {
        matches!(self, Self::Mounting | Self::Switching | Self::Probation)
    }
}
