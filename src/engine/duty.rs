//! How a tab takes part in the regular looks of its origin.

/// What the regular schedule asks of this tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// It looks for all.
    Lead,
    /// Another tab looks; this one steps in when it hears nothing for a while.
    Follow,
    /// No regular looks: this tab is hidden, and looks for no visible one.
    Rest,
}
