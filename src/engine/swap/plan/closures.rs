//! Checks what the slots import: a module must not be loaded a second time beside the copy that runs, and a file whose
//! content changed under its old name cannot be loaded again.

use alloc::{string::String, vec::Vec};

use super::{MOST_REFUSALS, Planner, is_style_of, slot_diff::SlotDiff};
use crate::{
    engine::{
        graph::Trace,
        manifest::Manifest,
        swap::{
            comparison::Comparison,
            refusal::{Refusal, Why},
            stale::StaleSlot,
        },
    },
    ids::Names,
};

impl<'a> Planner<'a> {
    /// The name under which the page has loaded a script of the target's shell.
    pub(in crate::engine::swap) fn loaded_from(&self, place: usize) -> Option<&'a String> {
        let (_, chunk) = self.both.chunk(place)?;
        let origin = self.both.origin(place, chunk);
        let file = origin.and_then(|origin| self.both.base.chunk(origin));
        let known = self.running.aliases.get(&chunk.id);
        known.or(file.map(|(file, _)| file))
    }

    /// Checks everything that the slots import whose pointers move.
    pub(super) fn check_closures(
        &mut self,
        diffs: &[SlotDiff<'a>],
        stale: &Names<StaleSlot>,
        shell_changed: bool,
    ) {
        let target = self.both.target.build;
        let old = superseded(stale, target);
        let moving = diffs.iter().filter(|diff| diff.moves());
        let starts = self
            .both
            .target
            .places(&mut moving.map(|diff| &diff.to.file));
        let reached = self.both.target.trace(&starts, &|_| true, &|_| false);
        for (index, place) in reached.places() {
            if self.refusals.len() >= MOST_REFUSALS {
                return;
            }
            let Some((path, chunk)) = self.both.chunk(place) else {
                continue;
            };
            let (why, missing) = if self.whole_shell.has(place) {
                let clashes = if shell_changed {
                    self.both.is_root(place, chunk)
                } else {
                    self.loaded_from(place).is_some_and(|file| file != path)
                };
                if !clashes || is_style_of(chunk.kind) {
                    continue;
                }
                match self.both.missing_export(chunk) {
                    Some(export) => (Why::SignatureMissing, Some(export)),
                    None => (Why::SecondCopy, None),
                }
            } else if self.both.is_pinned_anew(place, chunk) {
                (Why::PinnedChanged, None)
            } else if self.both.is_replaced(place, path)
                || self.is_taken(path, &chunk.integrity, stale)
            {
                (Why::FileReplaced, None)
            } else if let Some(path) = self.both.target.unlisted(place) {
                (Why::FileUnlisted, Some(path.clone()))
            } else if old.binary_search(&chunk.id.as_str()).is_ok() {
                (Why::SecondCopy, None)
            } else {
                continue;
            };
            self.refuse_in_slot(why, missing, &reached, index, diffs);
        }
    }

    /// Checks the loaded slots whose own files are the same. If file names do not depend on content, such a slot may import a
    /// file whose bytes changed, which a browser does not load again.
    pub(super) fn check_kept(&mut self, diffs: &[SlotDiff<'a>]) {
        let is_replaced = |both: &Comparison<'a>, place| {
            let chunk = both.chunk(place);
            chunk.is_some_and(|(path, _)| both.is_replaced(place, path))
        };
        if !(0..self.both.target.build.chunks.len()).any(|place| is_replaced(&self.both, place)) {
            return;
        }
        let kept = diffs.iter().filter(|diff| diff.is_kept());
        let starts = self.both.target.places(&mut kept.map(|diff| &diff.to.file));
        let passes = |place| !self.whole_shell.has(place);
        let reached = self.both.target.trace(&starts, &passes, &|_| false);
        for (index, place) in reached.places() {
            let is_known = |refusal: &Refusal| {
                let file = self.both.chunk(place).map(|(path, _)| path);
                refusal.why == Why::FileReplaced && refusal.file.as_ref() == file
            };
            if is_replaced(&self.both, place) && !self.refusals.iter().any(is_known) {
                self.refuse_in_slot(Why::FileReplaced, None, &reached, index, diffs);
            }
        }
    }

    /// Refuses because of a chunk that `reached` found, and names the slot that leads to it.
    fn refuse_in_slot(
        &mut self,
        why: Why,
        missing: Option<String>,
        reached: &Trace,
        index: usize,
        diffs: &[SlotDiff<'a>],
    ) {
        if self.refusals.len() >= MOST_REFUSALS {
            return;
        }
        let way = reached.way(index);
        let start = way.first().and_then(|place| self.both.chunk(*place));
        let slot = diffs
            .iter()
            .find(|diff| !diff.is_left() && start.is_some_and(|(path, _)| *path == diff.to.file));
        self.refuse_file(why, slot.map(|diff| diff.name.as_str()), &way);
        if let Some(last) = self.refusals.last_mut() {
            last.missing = missing;
        }
    }

    /// Whether an earlier build loaded other content from this path into the page.
    fn is_taken(&self, path: &str, integrity: &str, stale: &Names<StaleSlot>) -> bool {
        let gone = self.running.gone.get(path);
        let stale = self.running.stale.values().chain(stale.values());
        let held = stale.filter_map(|stale_slot| stale_slot.files.get(path));
        gone.into_iter()
            .chain(held.map(|file| &file.integrity))
            .any(|other| other != integrity)
    }
}

/// The modules that remaining old code holds and that the target has other content for, sorted.
fn superseded<'s>(stale: &'s Names<StaleSlot>, target: &Manifest) -> Vec<&'s str> {
    let mut modules: Vec<&str> = stale
        .values()
        .flat_map(|stale_slot| stale_slot.files.iter())
        .filter(|(path, file)| {
            let kept = target.chunks.get(path.as_str());
            !file.is_style && kept.is_none_or(|chunk| chunk.integrity != file.integrity)
        })
        .map(|(_, file)| file.module.as_str())
        .collect();
    modules.sort_unstable();
    modules
}
