//! What the driver is asked for in each phase of a plan, and which phase follows when there is nothing to ask.

use alloc::vec::Vec;

use super::{phase::Phase, swap_plan::SwapPlan};
use crate::engine::slots::{Migration, Module, Step};

/// How a phase begins.
#[derive(Debug)]
pub(super) enum Begin {
    /// The driver is asked for this step.
    Ask(Step),
    /// The plan needs nothing in this phase; the given one comes next.
    Skip(Phase),
    /// No swap is under way.
    Nothing,
}

/// How `phase` begins under this plan.
pub(super) fn begin(phase: Phase, swap_plan: &SwapPlan) -> Begin {
    let has_slots = !swap_plan.slots.is_empty();
    let slots = || {
        let names = swap_plan.slots.iter().map(|slot| slot.pointer.slot.clone());
        names.collect()
    };
    let styles = || swap_plan.styles_in.clone();
    let (step, otherwise) = match phase {
        Phase::Fetching => {
            let files = swap_plan.fetch.clone();
            let is_needed = !files.is_empty();
            (is_needed.then_some(Step::Fetch { files }), Phase::Importing)
        }
        Phase::Importing => {
            let modules = swap_plan.slots.iter().map(Module::of).collect();
            let otherwise = match swap_plan.styles_in.as_slice() {
                [] => Phase::Switching,
                // The old styles stay until the new ones are loaded.
                _ => Phase::Mounting,
            };
            let pointers = swap_plan.pointers();
            let step = Step::Import { modules, pointers };
            (has_slots.then_some(step), otherwise)
        }
        Phase::Held => (None, Phase::Quiet),
        Phase::Quiet => (Some(Step::AwaitQuiet { slots: slots() }), Phase::Snapshots),
        Phase::Snapshots => (Some(Step::Snapshot { slots: slots() }), Phase::Migrating),
        Phase::Migrating => {
            let states: Vec<Migration> = swap_plan.slots.iter().filter_map(Migration::of).collect();
            let is_needed = !states.is_empty();
            (
                is_needed.then_some(Step::Migrate { states }),
                Phase::Mounting,
            )
        }
        Phase::Mounting => {
            let step = Step::Mount {
                slots: slots(),
                pointers: swap_plan.pointers(),
                styles: styles(),
            };
            (Some(step), Phase::Switching)
        }
        Phase::Switching => {
            let step = Step::Switch {
                slots: slots(),
                pointers: swap_plan.pointers(),
                styles: styles(),
                styles_out: swap_plan.styles_out.clone(),
            };
            (Some(step), Phase::Probation)
        }
        Phase::Probation => {
            let fetched = swap_plan.fetch.iter().map(|fetch| &fetch.file);
            let files = fetched.chain(&swap_plan.revived).cloned().collect();
            let step = Step::Watch {
                slots: slots(),
                files,
            };
            // No new code runs yet if only pointers and styles were changed.
            (has_slots.then_some(step), Phase::Committing)
        }
        Phase::Committing => {
            let step = Step::Commit {
                slots: slots(),
                styles: swap_plan.styles_out.clone(),
            };
            (Some(step), Phase::Idle)
        }
        Phase::RollingBack => (Some(Step::RollBack { slots: slots() }), Phase::Idle),
        Phase::Idle => return Begin::Nothing,
    };
    step.map_or(Begin::Skip(otherwise), Begin::Ask)
}
