//! Planning: whether a page can be swapped from its build to another, and if not, why.
//!
//! 1. `shell` compares the code that the document started.
//! 2. `slots` compares each slot and finds those whose old code stays.
//! 3. `closures` follows the imports of the slots that change, and of those that stay.
//! 4. Without a refusal, `build_plan` lists what to fetch, swap and drop.

mod closures;
mod shell;
mod slot_diff;
mod slots;

use alloc::vec::Vec;

use super::{
    comparison::Comparison,
    composition::Composition,
    refusal::{Refusal, Why},
    swap_plan::{Page, Plan},
};
use crate::engine::{
    graph::{Graph, Reach, Walk},
    manifest::ChunkKind,
};

pub(super) use self::slot_diff::SlotDiff;

/// Limit of refusals: more would not be read, and each may name a long chain of imports.
const MOST_REFUSALS: usize = 32;

/// Compares what runs with a target. `base` is the build of [`Composition::build`].
pub fn plan(running: &Composition, base: Graph<'_>, target: Graph<'_>, page: &Page) -> Plan {
    if running.is_broken {
        return Plan::Refuse([Refusal::new(Why::RollBackFailed)].into());
    }
    let to = &target.build.id;
    if *to != running.build && running.is_bad(to) {
        return Plan::Refuse([Refusal::new(Why::BadBuild)].into());
    }
    let both = Comparison::new(base, target);
    let shell = |graph: &Graph<'_>, reach| {
        let entries = graph.places(&mut graph.build.entries.iter());
        graph.walk(&entries, reach, &|_| false)
    };
    let mut planner = Planner {
        shell: shell(&both.target, Reach::Static),
        whole_shell: shell(&both.target, Reach::Whole),
        old_shell: shell(&both.base, Reach::Static),
        old_whole_shell: shell(&both.base, Reach::Whole),
        both,
        running,
        page,
        refusals: Vec::new(),
    };
    let shell_changed = planner.check_shell();
    let slots = planner.sort_slots();
    let stale = planner.stale(&slots);
    planner.check_closures(&slots, &stale, shell_changed);
    planner.check_kept(&slots);
    if planner.refusals.is_empty() {
        planner.build_plan(&slots, stale)
    } else {
        Plan::Refuse(planner.refusals)
    }
}

/// Collects the refusals of one comparison.
pub(super) struct Planner<'a> {
    pub(super) both: Comparison<'a>,
    pub(super) running: &'a Composition,
    pub(super) page: &'a Page,
    /// Of the target: what is loaded at start, and everything that the shell may load.
    pub(super) shell: Walk,
    pub(super) whole_shell: Walk,
    /// The same of the base.
    pub(super) old_shell: Walk,
    pub(super) old_whole_shell: Walk,
    pub(super) refusals: Vec<Refusal>,
}

impl<'a> Planner<'a> {
    /// Adds a refusal, up to the limit.
    fn refuse(&mut self, refusal: Refusal) {
        if self.refusals.len() < MOST_REFUSALS {
            self.refusals.push(refusal);
        }
    }

    /// Refuses because of the last chunk of `way`, which the first one imports.
    fn refuse_file(&mut self, why: Why, slot: Option<&str>, way: &[usize]) {
        let last = way.last().and_then(|place| self.both.chunk(*place));
        let root = self.both.modules(way);
        self.refuse(Refusal {
            slot: slot.map(Into::into),
            file: last.map(|(path, _)| path.clone()),
            module: last.map(|(_, chunk)| chunk.id.clone()),
            root,
            ..Refusal::new(why)
        });
    }
}

pub(super) fn is_style_of(kind: ChunkKind) -> bool {
    kind == ChunkKind::Style
}
