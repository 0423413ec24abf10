//! What a page really runs after its swaps.

use alloc::{string::String, vec::Vec};

use super::{stale::StaleSlot, swap_plan::SwapPlan};
use crate::{
    engine::manifest::ChunkKind,
    ids::{BuildId, Names},
};

/// What a page runs. The shell never changes; the slots all point to one build, and those that could not follow stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Composition {
    /// The build that the slots point to.
    pub build: BuildId,
    /// Of the document, as the last manifest that said it.
    pub(super) html: Option<String>,
    /// Modules of the shell that the page has loaded under another name than the build gives them, with that name.
    pub(super) aliases: Names<String>,
    /// Slots with older code, by name.
    pub(super) stale: Names<StaleSlot>,
    /// Files that were loaded and that nothing uses any more, with their integrity: their URLs are taken.
    pub(super) gone: Names<String>,
    pub generations: u32,
    pub dead_bytes: u64,
    pub(super) bad: Vec<Bad>,
    /// Attempts that proved nothing, by build.
    pub(super) tries: Names<u32>,
    pub(super) is_broken: bool,
}

/// What is not tried again in this session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bad {
    pub build: BuildId,
    /// The slot's file that did not work, if it is known which.
    pub file: Option<String>,
}

impl Composition {
    /// The page as its document started it.
    pub fn new(build: BuildId) -> Self {
        Self {
            build,
            html: None,
            aliases: Names::new(),
            stale: Names::new(),
            gone: Names::new(),
            generations: 0,
            dead_bytes: 0,
            bad: Vec::new(),
            tries: Names::new(),
            is_broken: false,
        }
    }

    /// Slots that run older code than the build the others point to.
    pub fn stale(&self) -> &Names<StaleSlot> {
        &self.stale
    }

    /// How many attempts to go to a build took too long.
    pub fn tries(&self, build: &BuildId) -> u32 {
        self.tries.get(&build.0).copied().unwrap_or_default()
    }

    pub fn is_bad(&self, build: &BuildId) -> bool {
        self.bad.iter().any(|bad| bad.build == *build)
    }

    pub fn on_bad(&mut self, bad: Bad) {
        if !self.bad.contains(&bad) {
            self.bad.push(bad);
        }
    }

    /// The page has moved as planned.
    pub fn on_committed(&mut self, swap_plan: &SwapPlan) {
        self.build.clone_from(&swap_plan.to);
        if swap_plan.html.is_some() {
            self.html.clone_from(&swap_plan.html);
        }
        self.aliases.clone_from(&swap_plan.aliases);
        for slot in &swap_plan.slots {
            self.stale.remove(&slot.pointer.slot);
        }
        for pointer in &swap_plan.moved {
            self.stale.remove(&pointer.slot);
        }
        self.stale
            .retain(|name, _| !swap_plan.caught_up.contains(name));
        for (name, stale_slot) in &swap_plan.stale {
            self.stale.insert(name.clone(), stale_slot.clone());
        }
        for file in &swap_plan.revived {
            self.gone.remove(file);
        }
        for (file, integrity) in &swap_plan.gone {
            self.gone.insert(file.clone(), integrity.clone());
        }
        let dead = self.dead_bytes.saturating_sub(swap_plan.revived_bytes);
        self.dead_bytes = dead + swap_plan.dead_bytes;
        self.generations += u32::from(!swap_plan.slots.is_empty());
    }

    /// The new modules were imported, and the page does not run them.
    pub(super) fn on_imported_in_vain(&mut self, swap_plan: &SwapPlan) {
        let scripts = swap_plan.fetch.iter();
        let is_new = scripts
            .clone()
            .any(|fetch| fetch.kind != ChunkKind::Style && !self.gone.contains_key(&fetch.file));
        for fetch in scripts {
            if fetch.kind != ChunkKind::Style {
                self.gone
                    .insert(fetch.file.clone(), fetch.integrity.clone());
                self.dead_bytes += fetch.size;
            }
        }
        // A second try evaluates nothing anew.
        self.generations += u32::from(is_new);
    }
}
