//! Why a page cannot be swapped to a build.

use alloc::{string::String, vec::Vec};

use crate::listed::listed;

listed! {
    /// Why a page cannot be swapped to a build. The codes are stable.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub enum Why {
        /// An entry script changed, was added or removed.
        EntryChanged => "entryChanged",
        /// Another file of the shell changed.
        ShellChanged => "shellChanged",
        HtmlChanged => "htmlChanged",
        /// The base of the files changed.
        BaseChanged => "baseChanged",
        EpochChanged => "epochChanged",
        /// A slot needs a new file of a module whose old file stays in the page.
        SecondCopy => "secondCopy",
        PinnedChanged => "pinnedChanged",
        SlotRemoved => "slotRemoved",
        SlotKindChanged => "slotKindChanged",
        /// The new slot does not read the schema that the running one writes.
        NoMigrationPath => "noMigrationPath",
        /// The page holds so much dead code that a refresh is due.
        BudgetSpent => "budgetSpent",
        /// The build already failed in this page.
        BadBuild => "badBuild",
        /// A slot needs an export that the running file of a shared module does not have; pinning it helps.
        SignatureMissing => "signatureMissing",
        /// The slot defines a custom element, which a page can do only once.
        ElementRedefined => "elementRedefined",
        UnsupportedKind => "unsupportedKind",
        /// A file has other content than the page may have loaded from the same URL.
        FileReplaced => "fileReplaced",
        /// The manifest does not say what a file is, so it cannot be verified.
        FileUnlisted => "fileUnlisted",
        /// A rollback failed; what the page shows is unknown.
        RollBackFailed => "rollBackFailed",
    }
}

/// One reason for which a page cannot be swapped, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub why: Why,
    pub slot: Option<String>,
    /// The file of the target (of the running build, when the target has none).
    pub file: Option<String>,
    /// The module, by the name that it keeps from build to build.
    pub module: Option<String>,
    /// Modules from the entry or the slot to the one at the root of it.
    pub root: Vec<String>,
    /// What is missing: the name of an export, of a file.
    pub missing: Option<String>,
}

impl Refusal {
    pub(super) fn new(why: Why) -> Self {
        Self {
            why,
            slot: None,
            file: None,
            module: None,
            root: Vec::new(),
            missing: None,
        }
    }

    pub(super) fn of_slot(why: Why, slot: &str, file: &str) -> Self {
        Self {
            slot: Some(slot.into()),
            file: Some(file.into()),
            ..Self::new(why)
        }
    }
}
