use alloc::{string::String, vec::Vec};

use super::{refusal::Refusal, stale::StaleSlot};
use crate::{
    engine::{
        manifest::SlotKind,
        names::Names,
        slots::{Fetch, Pointer, Use},
    },
    ids::BuildId,
};

/// How much a page may take before a refresh is due. Browsers never free the code of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    pub generations: u32,
    pub dead_bytes: u64,
}

impl Default for Budget {
    /// A generation of small chunks leaves some 15 kB of heap behind, and whatever its modules hold.
    fn default() -> Self {
        Self {
            generations: 20,
            dead_bytes: 5 * 1024 * 1024,
        }
    }
}

/// What the page says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Slots of which the code was loaded.
    pub slots: Names<Use>,
    /// Slots whose code has defined custom elements.
    pub elements: Vec<String>,
    pub budget: Budget,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// The page is as good as on the target; only to be noted.
    Nothing(SwapPlan),
    /// Styles change and no code does.
    Styles(SwapPlan),
    /// Slots change. When none of them is mounted, it is a matter of their pointers.
    Swap(SwapPlan),
    Refuse(Vec<Refusal>),
}

/// A way from one build to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwapPlan {
    pub from: BuildId,
    pub to: BuildId,
    /// Mounted slots that get new code, in the order of their names.
    pub slots: Vec<SlotMove>,
    /// Slots that nothing shows, or whose styles alone changed.
    pub moved: Vec<Pointer>,
    /// Slots that cannot follow: their older code stays.
    pub stale: Names<StaleSlot>,
    /// What the page does not have yet and needs at once; a file comes after what it imports.
    pub fetch: Vec<Fetch>,
    /// Some may be there: what the shell has loaded since it started is not known.
    pub styles_in: Vec<String>,
    pub styles_out: Vec<String>,
    /// All bytes of the slots that get new code.
    pub total_bytes: u64,
    /// Those of them, and of new styles, that are fetched.
    pub new_bytes: u64,
    /// Code that will be dead.
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
    /// The way, if there is one.
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
    /// A file that nothing uses any more: a style can be taken out, a script is there for ever.
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
