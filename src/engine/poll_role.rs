//! How a tab takes part in the polling of its origin.

/// What the poll schedule asks of this tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PollRole {
    /// It polls for all tabs.
    Lead,
    /// Another tab polls; this one polls when it has heard nothing for a while.
    Follow,
    /// It does not poll: it is hidden, and no visible tab depends on it.
    Rest,
}
