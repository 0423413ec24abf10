//! Compares the shell: the code that the document started, which only a load of the page can replace.

use alloc::{string::String, vec::Vec};

use super::{MOST_REFUSALS, Planner, is_style_of};
use crate::engine::{
    manifest::Manifest,
    swap::refusal::{Refusal, Why},
};

impl<'a> Planner<'a> {
    /// Refuses changes that need a load of the page. Returns whether code of the shell changed.
    pub(super) fn check_shell(&mut self) -> bool {
        self.check_document();
        let news = self.whole_shell.order.iter().copied();
        let news = news.filter(|place| self.both.is_new(*place));
        // A style of the start is a link of the document, which can be changed; a later style is named by a script.
        let (styles, code): (Vec<usize>, Vec<usize>) =
            news.partition(|place| self.is_start_style(*place));
        for place in styles {
            let chunk = self.both.chunk(place);
            if chunk.is_some_and(|(path, _)| self.both.is_replaced(place, path)) {
                self.refuse_file(Why::FileReplaced, None, &[place]);
            }
        }
        // A script that only has a new name because a style has one does what it did before.
        let is_root = |place: &usize| {
            let chunk = self.both.chunk(*place);
            chunk.is_some_and(|(_, chunk)| self.both.is_root(*place, chunk))
        };
        let changed: Vec<usize> = code.into_iter().filter(is_root).collect();
        let lost = self.lost_style();
        if changed.is_empty() && lost.is_none() && !self.entries_differ() {
            return false;
        }
        let before = self.refusals.len();
        self.refuse_changed_modules();
        if self.refusals.len() == before {
            self.refuse_entries(&changed, lost);
        }
        true
    }

    /// Refuses changes of what the document itself says.
    fn check_document(&mut self) {
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
    }

    /// Whether a chunk of the target is a style that the document loads at start.
    fn is_start_style(&self, place: usize) -> bool {
        let chunk = self.both.chunk(place);
        self.shell.has(place) && chunk.is_some_and(|(_, chunk)| is_style_of(chunk.kind))
    }

    fn entries_differ(&self) -> bool {
        let (base, target) = (self.both.base.build, self.both.target.build);
        base.entries
            .iter()
            .any(|entry| !has_entry(target, base, entry))
            || target
                .entries
                .iter()
                .any(|entry| !has_entry(base, target, entry))
    }

    /// A style of the base that a script of the running shell may still load, and that the target does not have.
    fn lost_style(&self) -> Option<usize> {
        let mut places = self.old_whole_shell.order.iter().copied();
        places.find(|place| {
            let chunk = self.both.base.chunk(*place);
            let is_style = chunk.is_some_and(|(_, chunk)| is_style_of(chunk.kind));
            is_style && !self.old_shell.has(*place) && self.both.same_in_target(*place).is_none()
        })
    }

    /// Refuses each module of the shell whose own code changed, with the imports that lead to it.
    fn refuse_changed_modules(&mut self) {
        let target = self.both.target.build;
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
            if !self.both.is_root(place, chunk) || self.is_start_style(place) {
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
    }

    /// Names a file when the shell changed but none of its modules did: file names do not depend on content, or an entry is
    /// not listed as a chunk.
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
}

/// Whether `build` has the entry `entry` of `other`.
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
