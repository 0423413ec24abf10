//! Compares the slots: which of them change, what each runs now, and whose old code stays.

use alloc::vec::Vec;

use super::{
    Planner, is_style_of,
    slot_diff::{Running, SlotDiff},
};
use crate::{
    engine::{
        graph::Reach,
        manifest::{Slot, SlotKind},
        swap::{
            refusal::{Refusal, Why},
            stale::{StaleFile, StaleSlot},
        },
    },
    ids::Names,
};

impl<'a> Planner<'a> {
    /// Compares each slot of the target, in the order of their names.
    pub(super) fn sort_slots(&mut self) -> Vec<SlotDiff<'a>> {
        let (base, target) = (self.both.base.build, self.both.target.build);
        let (running, page) = (self.running, self.page);
        for (name, slot) in &base.slots {
            if !target.slots.contains_key(name) {
                self.refuse(Refusal::of_slot(Why::SlotRemoved, name, &slot.file));
            }
        }
        let mut diffs = Vec::new();
        for (name, to) in &target.slots {
            let before = base.slots.get(name);
            let from = before.map(|slot| match running.stale.get(name) {
                Some(stale_slot) => Running {
                    file: &stale_slot.file,
                    schema: stale_slot.schema,
                    stale_slot: Some(stale_slot),
                },
                None => Running {
                    file: &slot.file,
                    schema: slot.schema,
                    stale_slot: None,
                },
            });
            let Some(place) = self.both.target.place(&to.file) else {
                self.refuse(Refusal {
                    missing: Some(to.file.clone()),
                    ..Refusal::of_slot(Why::FileUnlisted, name, &to.file)
                });
                continue;
            };
            let changed = match &from {
                None => true,
                Some(from) => self.has_changed(from, to, place),
            };
            let diff = SlotDiff {
                name,
                to,
                from,
                // A slot that is new in the target cannot be loaded.
                used: before.and(page.slots.get(name)).copied(),
                changed,
            };
            if diff.moves() {
                self.check_slot(&diff, before.map(|slot| slot.kind));
            }
            diffs.push(diff);
        }
        diffs
    }

    /// Whether a slot runs something else than what the target has for it at `place`.
    fn has_changed(&self, from: &Running<'a>, to: &Slot, place: usize) -> bool {
        let is_new = match from.stale_slot {
            None => self.both.is_new(place),
            Some(stale_slot) => {
                let chunk = self.both.target.build.chunks.get(&to.file);
                Some(&stale_slot.integrity) != chunk.map(|chunk| &chunk.integrity)
            }
        };
        *from.file != to.file || is_new
    }

    /// Refuses a slot that cannot go to its new file.
    fn check_slot(&mut self, diff: &SlotDiff<'a>, kind: Option<SlotKind>) {
        let SlotDiff { name, to, .. } = diff;
        let refusal = |why| Refusal {
            root: self.both.cause(&to.file),
            module: self
                .both
                .target
                .build
                .chunks
                .get(&to.file)
                .map(|chunk| chunk.id.clone()),
            ..Refusal::of_slot(why, name, &to.file)
        };
        let mut found = Vec::new();
        if kind.is_some_and(|kind| kind != to.kind) {
            found.push(refusal(Why::SlotKindChanged));
        } else if to.kind == SlotKind::Unknown {
            found.push(refusal(Why::UnsupportedKind));
        }
        if diff.used.is_some() && self.page.elements.contains(name) {
            found.push(refusal(Why::ElementRedefined));
        }
        let schema = diff.from.as_ref().map_or(to.schema, |from| from.schema);
        let reads = self.both.target.build.stores.get(name.as_str());
        let cannot = reads.is_some_and(|store| !store.reads.contains(&schema));
        if diff.swaps() && to.schema > schema && cannot {
            found.push(refusal(Why::NoMigrationPath));
        }
        if self
            .running
            .bad
            .iter()
            .any(|bad| bad.file.as_ref() == Some(&to.file))
        {
            found.push(refusal(Why::BadBuild));
        }
        found.into_iter().for_each(|refusal| self.refuse(refusal));
    }

    /// The slots whose old code goes on running after their pointers have moved.
    pub(super) fn stale(&self, diffs: &[SlotDiff<'a>]) -> Names<StaleSlot> {
        let mut stale = Vec::new();
        for diff in diffs.iter().filter(|diff| diff.is_left()) {
            let Some(from) = &diff.from else { continue };
            let stale_slot = match from.stale_slot {
                Some(stale_slot) => stale_slot.clone(),
                None => self.stale_slot(from),
            };
            stale.push((diff.name.clone(), stale_slot));
        }
        Names::from_iter(stale)
    }

    /// What a slot of the base holds, apart from the shell.
    fn stale_slot(&self, from: &Running<'a>) -> StaleSlot {
        let base = self.both.base.build;
        let is_shell = |place| self.old_whole_shell.has(place);
        let start = self.both.base.places(&mut [from.file].into_iter());
        let held = |reach| self.both.base.walk(&start, reach, &is_shell);
        let loaded = held(Reach::Static);
        let files = held(Reach::Whole).order.into_iter().filter_map(|place| {
            let (path, chunk) = base.chunks.get_indexed(place)?;
            let file = StaleFile {
                module: chunk.id.clone(),
                integrity: chunk.integrity.clone(),
                size: chunk.size,
                is_style: is_style_of(chunk.kind),
                is_loaded: loaded.has(place),
            };
            Some((path.clone(), file))
        });
        let own = base.chunks.get(from.file);
        StaleSlot {
            file: from.file.clone(),
            integrity: own.map(|chunk| chunk.integrity.clone()).unwrap_or_default(),
            schema: from.schema,
            files: files.collect(),
        }
    }
}
