//! What a comparison says about one slot.

use alloc::string::String;

use crate::engine::{manifest::Slot, slots::Use, swap::stale::StaleSlot};

/// A slot of the target.
pub(in crate::engine::swap) struct SlotDiff<'a> {
    pub(in crate::engine::swap) name: &'a String,
    pub(in crate::engine::swap) to: &'a Slot,
    /// `None` if the slot is new.
    pub(in crate::engine::swap) from: Option<Running<'a>>,
    pub(in crate::engine::swap) used: Option<Use>,
    pub(in crate::engine::swap) changed: bool,
}

/// What a slot runs, or would run.
pub(in crate::engine::swap) struct Running<'a> {
    pub(in crate::engine::swap) file: &'a String,
    pub(in crate::engine::swap) schema: u32,
    pub(in crate::engine::swap) stale_slot: Option<&'a StaleSlot>,
}

impl SlotDiff<'_> {
    /// Whether its pointer moves to another file.
    pub(in crate::engine::swap) fn moves(&self) -> bool {
        self.changed && self.used != Some(Use::Taken)
    }

    /// Whether the code that is mounted is replaced.
    pub(in crate::engine::swap) fn swaps(&self) -> bool {
        self.changed && self.used == Some(Use::Mounted)
    }

    /// Whether its old code stays, since it was loaded outside an adapter.
    pub(in crate::engine::swap) fn is_left(&self) -> bool {
        self.changed && self.used == Some(Use::Taken)
    }

    /// Whether the page has loaded what the target has for it.
    pub(in crate::engine::swap) fn is_kept(&self) -> bool {
        self.used.is_some() && !self.changed
    }

    /// The file of the base that the page has loaded for it.
    pub(in crate::engine::swap) fn loaded(&self) -> Option<&String> {
        let from = self.from.as_ref()?;
        (self.used.is_some() && from.stale_slot.is_none()).then_some(from.file)
    }
}
