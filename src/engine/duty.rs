//! How a tab takes part in the regular looks of its origin.

/// What the regular schedule asks of this tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// It looks for all.
    Lead,
    /// Another tab looks; this one steps in when it hears nothing for a while.
    Follow,
    /// Nobody is watching.
    Rest,
}
