//! The phases of a swap, and what each allows.

use crate::listed::listed;

listed! {
    /// Where a swap is, and so what it waits for. The codes are stable.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Phase {
        /// No swap is under way.
        Idle => "idle",
        Fetching => "fetching",
        Importing => "importing",
        /// A hold of the app delays it.
        Held => "held",
        /// The user is using the slots.
        Quiet => "quiet",
        Snapshots => "snapshots",
        Migrating => "migrating",
        Mounting => "mounting",
        Switching => "switching",
        Probation => "probation",
        Committing => "committing",
        RollingBack => "rollingBack",
    }
}

impl Phase {
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
