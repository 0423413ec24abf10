//! Why a page cannot be swapped to a build.

use alloc::{string::String, vec::Vec};

/// Why a page cannot be swapped to a build. The codes are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// An entry script changed, was added or removed.
    EntryChanged,
    /// Another file of the shell changed.
    ShellChanged,
    HtmlChanged,
    /// The base of the files changed.
    BaseChanged,
    EpochChanged,
    /// A slot needs a new file of a module whose old file stays in the page.
    SecondCopy,
    PinnedChanged,
    SlotRemoved,
    SlotKindChanged,
    /// The new slot does not read the schema that the running one writes.
    NoMigrationPath,
    /// The page holds so much dead code that a refresh is due.
    BudgetSpent,
    /// The build already failed in this page.
    BadBuild,
    /// A slot needs an export that the running file of a shared module does not have; pinning it helps.
    SignatureMissing,
    /// The slot defines a custom element, which a page can do only once.
    ElementRedefined,
    UnsupportedKind,
    /// A file has other content than the page may have loaded from the same URL.
    FileReplaced,
    /// The manifest does not say what a file is, so it cannot be verified.
    FileUnlisted,
    /// A rollback failed; what the page shows is unknown.
    RollBackFailed,
}

impl Why {
    pub const ALL: [Self; 18] = [
        Self::EntryChanged,
        Self::ShellChanged,
        Self::HtmlChanged,
        Self::BaseChanged,
        Self::EpochChanged,
        Self::SecondCopy,
        Self::PinnedChanged,
        Self::SlotRemoved,
        Self::SlotKindChanged,
        Self::NoMigrationPath,
        Self::BudgetSpent,
        Self::BadBuild,
        Self::SignatureMissing,
        Self::ElementRedefined,
        Self::UnsupportedKind,
        Self::FileReplaced,
        Self::FileUnlisted,
        Self::RollBackFailed,
    ];

    pub fn code(self) -> &'static str {
        match self {
            Self::EntryChanged => "entryChanged",
            Self::ShellChanged => "shellChanged",
            Self::HtmlChanged => "htmlChanged",
            Self::BaseChanged => "baseChanged",
            Self::EpochChanged => "epochChanged",
            Self::SecondCopy => "secondCopy",
            Self::PinnedChanged => "pinnedChanged",
            Self::SlotRemoved => "slotRemoved",
            Self::SlotKindChanged => "slotKindChanged",
            Self::NoMigrationPath => "noMigrationPath",
            Self::BudgetSpent => "budgetSpent",
            Self::BadBuild => "badBuild",
            Self::SignatureMissing => "signatureMissing",
            Self::ElementRedefined => "elementRedefined",
            Self::UnsupportedKind => "unsupportedKind",
            Self::FileReplaced => "fileReplaced",
            Self::FileUnlisted => "fileUnlisted",
            Self::RollBackFailed => "rollBackFailed",
        }
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
