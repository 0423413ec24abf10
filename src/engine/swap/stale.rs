//! Code that could not follow: the slots that point to an older build than the others.

use alloc::string::String;

use crate::ids::Names;

/// A slot whose code is older than the build that the others point to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaleSlot {
    pub file: String,
    pub(super) integrity: String,
    pub schema: u32,
    /// All that it holds, without the shell.
    pub(super) files: Names<StaleFile>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StaleFile {
    pub(super) module: String,
    pub(super) integrity: String,
    pub(super) size: u64,
    pub(super) is_style: bool,
    /// It came with the slot, and not perhaps later.
    pub(super) is_loaded: bool,
}
