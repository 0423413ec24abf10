//! Planning: whether a page can be swapped from its build to another, and if not, why.

use alloc::{string::String, vec::Vec};

use super::{
    comparison::Comparison,
    composition::Composition,
    refusal::{Refusal, Why},
    stale::{StaleFile, StaleSlot},
    swap_plan::{Page, Plan},
};
use crate::engine::{
    graph::{Graph, Reach, Trace, Walk},
    manifest::{ChunkKind, Manifest, Slot, SlotKind},
    slots::Use,
};
use crate::ids::Names;

/// More reasons than these are not read, and each may name a long way.
const MOST_REFUSALS: usize = 32;

/// Compares what runs with a target. `base`: the build of [`Composition::build`].
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

pub(super) struct Planner<'a> {
    pub(super) both: Comparison<'a>,
    pub(super) running: &'a Composition,
    pub(super) page: &'a Page,
    /// Of the target: what is loaded as the page starts, and what the shell may load later.
    pub(super) shell: Walk,
    pub(super) whole_shell: Walk,
    /// The same of the base.
    pub(super) old_shell: Walk,
    pub(super) old_whole_shell: Walk,
    pub(super) refusals: Vec<Refusal>,
}

/// A slot of the target.
pub(super) struct SlotDiff<'a> {
    pub(super) name: &'a String,
    pub(super) to: &'a Slot,
    /// `None`: the slot is new.
    pub(super) from: Option<Running<'a>>,
    pub(super) used: Option<Use>,
    pub(super) changed: bool,
}

/// What a slot runs, or would run.
pub(super) struct Running<'a> {
    pub(super) file: &'a String,
    pub(super) schema: u32,
    pub(super) stale_slot: Option<&'a StaleSlot>,
}

impl SlotDiff<'_> {
    /// Whether its pointer goes to another file.
    pub(super) fn moves(&self) -> bool {
        self.changed && self.used != Some(Use::Taken)
    }

    pub(super) fn swaps(&self) -> bool {
        self.changed && self.used == Some(Use::Mounted)
    }

    pub(super) fn is_left(&self) -> bool {
        self.changed && self.used == Some(Use::Taken)
    }

    /// Whether what the page has loaded for it counts as what the target has.
    pub(super) fn is_kept(&self) -> bool {
        self.used.is_some() && !self.changed
    }

    /// The file of the base that the page has loaded for it.
    pub(super) fn loaded(&self) -> Option<&String> {
        let from = self.from.as_ref()?;
        (self.used.is_some() && from.stale_slot.is_none()).then_some(from.file)
    }
}

impl<'a> Planner<'a> {
    fn refuse(&mut self, refusal: Refusal) {
        if self.refusals.len() < MOST_REFUSALS {
            self.refusals.push(refusal);
        }
    }

    /// Whether code of the shell changed.
    fn check_shell(&mut self) -> bool {
        let (base, target) = (self.both.base.build, self.both.target.build);
        if base.epoch != target.epoch {
            self.refuse(Refusal::new(Why::EpochChanged));
        }
        if base.base != target.base {
            self.refuse(Refusal::new(Why::BaseChanged));
        }
        let html = self.running.html.as_ref().or(base.html.as_ref());
        if html
            .zip(target.html.as_ref())
            .is_some_and(|(one, other)| one != other)
        {
            self.refuse(Refusal::new(Why::HtmlChanged));
        }
        let is_style = |place: &usize| {
            self.both
                .chunk(*place)
                .is_some_and(|(_, chunk)| chunk.kind == ChunkKind::Style)
        };
        let news: Vec<usize> = self
            .whole_shell
            .order
            .iter()
            .copied()
            .filter(|place| self.both.is_new(*place))
            .collect();
        // A style of the start is a link of the document, which can be changed; one of a later part is named by a script.
        let replaced: Vec<usize> = news
            .iter()
            .copied()
            .filter(|place| self.shell.has(*place) && is_style(place))
            .filter(|place| {
                self.both
                    .chunk(*place)
                    .is_some_and(|(path, _)| self.both.is_replaced(*place, path))
            })
            .collect();
        let changed: Vec<usize> = news
            .iter()
            .copied()
            .filter(|place| !(self.shell.has(*place) && is_style(place)))
            .filter(|place| {
                // A script that has another name for the sake of a style does what it did.
                let chunk = self.both.chunk(*place);
                chunk.is_some_and(|(_, chunk)| self.both.is_root(*place, chunk))
            })
            .collect();
        for place in replaced {
            self.refuse_file(Why::FileReplaced, None, &[place]);
        }
        let differ = base
            .entries
            .iter()
            .any(|entry| !has_entry(target, base, entry))
            || target
                .entries
                .iter()
                .any(|entry| !has_entry(base, target, entry));
        // Nor can a later part do without a style that its script names.
        let lost = self.old_whole_shell.order.iter().copied().find(|place| {
            let chunk = self.both.base.chunk(*place);
            let is_style = chunk.is_some_and(|(_, chunk)| is_style_of(chunk.kind));
            is_style && !self.old_shell.has(*place) && self.both.same_in_target(*place).is_none()
        });
        if changed.is_empty() && !differ && lost.is_none() {
            return false;
        }
        let before = self.refusals.len();
        let entries = self.both.target.places(&mut target.entries.iter());
        let is_new = |place| self.both.is_new(place);
        let found = self.both.target.trace(&entries, &is_new, &|_| false);
        for (index, place) in found.places() {
            let Some((_, chunk)) = self.both.chunk(place) else {
                continue;
            };
            if self.refusals.len() >= MOST_REFUSALS {
                break;
            }
            if !self.both.is_root(place, chunk) || self.shell.has(place) && is_style_of(chunk.kind)
            {
                continue;
            }
            let way = found.way(index);
            let why = if self.both.is_pinned_anew(place, chunk) {
                Why::PinnedChanged
            } else if way.len() == 1 {
                Why::EntryChanged
            } else {
                Why::ShellChanged
            };
            self.refuse_file(why, None, &way);
        }
        if self.refusals.len() == before {
            self.refuse_entries(&changed, lost);
        }
        true
    }

    /// The shell changed, and no module of it did: names do not follow content, or an entry is not listed.
    fn refuse_entries(&mut self, changed: &[usize], lost: Option<usize>) {
        let (base, target) = (self.both.base.build, self.both.target.build);
        if let Some(place) = changed.first() {
            return self.refuse_file(Why::ShellChanged, None, &[*place]);
        }
        let came = |build: &'a Manifest, other: &'a Manifest| {
            let mut entries = build.entries.iter();
            entries.find(|entry| !has_entry(other, build, entry))
        };
        let entry = came(target, base).or_else(|| came(base, target));
        let lost = lost.and_then(|place| self.both.base.chunk(place));
        let file = entry.or(lost.map(|(path, _)| path));
        let module = file
            .and_then(|file| target.chunks.get(file).or_else(|| base.chunks.get(file)))
            .map(|chunk| chunk.id.clone());
        let why = match entry {
            Some(_) => Why::EntryChanged,
            None => Why::ShellChanged,
        };
        self.refuse(Refusal {
            file: file.cloned(),
            root: module.iter().cloned().collect(),
            module,
            ..Refusal::new(why)
        });
    }

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

    /// Looks at each slot, in the order of their names.
    fn sort_slots(&mut self) -> Vec<SlotDiff<'a>> {
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
                Some(Running {
                    file,
                    stale_slot: None,
                    ..
                }) => *file != &to.file || self.both.is_new(place),
                Some(Running {
                    file,
                    stale_slot: Some(stale_slot),
                    ..
                }) => {
                    let integrity = Some(&stale_slot.integrity);
                    *file != &to.file
                        || integrity != target.chunks.get(&to.file).map(|chunk| &chunk.integrity)
                }
            };
            let diff = SlotDiff {
                name,
                to,
                from,
                // What did not exist is not loaded.
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

    /// The slots that will run older code than their pointers say.
    fn stale(&self, diffs: &[SlotDiff<'a>]) -> Names<StaleSlot> {
        let base = self.both.base.build;
        let is_shell = |place| self.old_whole_shell.has(place);
        let mut stale = Vec::new();
        for diff in diffs.iter().filter(|diff| diff.is_left()) {
            let Some(from) = &diff.from else { continue };
            let stale_slot = match from.stale_slot {
                Some(stale_slot) => stale_slot.clone(),
                None => {
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
            };
            stale.push((diff.name.clone(), stale_slot));
        }
        Names::from_iter(stale)
    }

    /// Under which name the page has loaded a script of the target's shell.
    pub(super) fn loaded_from(&self, place: usize) -> Option<&'a String> {
        let (_, chunk) = self.both.chunk(place)?;
        let origin = self.both.origin(place, chunk);
        let file = origin.and_then(|origin| self.both.base.chunk(origin));
        let known = self.running.aliases.get(&chunk.id);
        known.or(file.map(|(file, _)| file))
    }

    /// Looks at everything that the pointers to move lead to.
    fn check_closures(
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

    /// Looks at the slots that the page has loaded and whose own files are the same. Where names do not follow content, they
    /// may lead to other bytes all the same, which a browser does not load again.
    fn check_kept(&mut self, diffs: &[SlotDiff<'a>]) {
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

    /// Whether the page has loaded something else from this path, builds ago.
    fn is_taken(&self, path: &str, integrity: &str, stale: &Names<StaleSlot>) -> bool {
        let gone = self.running.gone.get(path);
        let stale = self.running.stale.values().chain(stale.values());
        let held = stale.filter_map(|stale_slot| stale_slot.files.get(path));
        gone.into_iter()
            .chain(held.map(|file| &file.integrity))
            .any(|other| other != integrity)
    }
}

/// Whether one build starts with what `entry` is in another.
fn has_entry(build: &Manifest, other: &Manifest, entry: &String) -> bool {
    match other.chunks.get(entry) {
        Some(chunk) => build
            .entries
            .iter()
            .filter_map(|entry| build.chunks.get(entry))
            .any(|started| started.id == chunk.id),
        None => build.entries.contains(entry),
    }
}

/// The modules that old code holds and of which the target has another file, in order.
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

pub(super) fn is_style_of(kind: ChunkKind) -> bool {
    kind == ChunkKind::Style
}
