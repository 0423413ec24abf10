//! The result of planning.

use alloc::{string::String, vec::Vec};

use super::{refusal::Refusal, stale::StaleSlot};
use crate::{
    engine::{
        manifest::SlotKind,
        slots::{Fetch, Pointer, Use},
    },
    ids::{BuildId, Names},
};

/// How much dead code a page may hold before a refresh is due. Browsers never free the code of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    pub generations: u32,
    pub dead_bytes: u64,
}

impl Default for Budget {
    /// A generation of small chunks leaves about 15 kB of heap, and whatever its modules hold.
    fn default() -> Self {
        Self {
            generations: 20,
            dead_bytes: 5 * 1024 * 1024,
        }
    }
}

/// What is known of the page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Slots of which the code was loaded.
    pub slots: Names<Use>,
    /// Slots whose code has defined custom elements.
    pub elements: Vec<String>,
    pub budget: Budget,
}

/// Whether and how a page can be swapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// The page runs the same code as the target already.
    Nothing(SwapPlan),
    /// Only styles change.
    Styles(SwapPlan),
    /// Slots change. If none of them is mounted, only their pointers change.
    Swap(SwapPlan),
    Refuse(Vec<Refusal>),
}

/// All changes that take a page from one build to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwapPlan {
    pub from: BuildId,
    pub to: BuildId,
    /// Mounted slots that get new code, in the order of their names.
    pub slots: Vec<SlotMove>,
    /// Slots that are not mounted, or of which only styles changed.
    pub moved: Vec<Pointer>,
    /// Slots that cannot be swapped and keep their older code.
    pub stale: Names<StaleSlot>,
    /// Files that the page still needs, each after those that it imports.
    pub fetch: Vec<Fetch>,
    /// Some of them may be loaded already: what the shell loaded after its start is unknown.
    pub styles_in: Vec<String>,
    pub styles_out: Vec<String>,
    /// Size of all files of the slots that get new code.
    pub total_bytes: u64,
    /// Size of what is fetched of them, new styles included.
    pub new_bytes: u64,
    /// Size of the code that stays in memory unused.
    pub dead_bytes: u64,
    pub(super) revived_bytes: u64,
    pub(super) revived: Vec<String>,
    pub(super) gone: Vec<(String, String)>,
    pub(super) caught_up: Vec<String>,
    pub(super) aliases: Names<String>,
    pub(super) html: Option<String>,
}

/// A mounted slot that gets new code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotMove {
    pub pointer: Pointer,
    pub kind: SlotKind,
    pub from_file: String,
    pub from_schema: u32,
    pub to_schema: u32,
    /// Modules from the slot to the nearest one that changed.
    pub root: Vec<String>,
}

impl Plan {
    /// The changes, unless the swap is refused.
    pub fn swap_plan(&self) -> Option<&SwapPlan> {
        match self {
            Self::Nothing(swap_plan) | Self::Styles(swap_plan) | Self::Swap(swap_plan) => {
                Some(swap_plan)
            }
            Self::Refuse(_) => None,
        }
    }
}

impl SwapPlan {
    /// Notes a file that is no longer used: a style can be removed, a script stays in memory.
    pub(super) fn leave(&mut self, file: String, integrity: String, size: u64, is_style: bool) {
        if is_style {
            self.styles_out.push(file);
        } else {
            self.dead_bytes += size;
            self.gone.push((file, integrity));
        }
    }
}

impl SwapPlan {
    /// All pointers that change.
    pub(super) fn pointers(&self) -> Vec<Pointer> {
        let swapped = self.slots.iter().map(|slot| &slot.pointer);
        swapped.chain(&self.moved).cloned().collect()
    }
}
