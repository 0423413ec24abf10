//! Two builds compared file by file.

use alloc::{string::String, vec, vec::Vec};

use crate::engine::{
    graph::Graph,
    manifest::{Chunk, Owner},
};
use crate::rng::hash;

/// Two builds compared. A file is the same when name and bytes are: a browser makes a new instance of the same code under
/// another name.
pub(super) struct Comparison<'a> {
    pub(super) base: Graph<'a>,
    pub(super) target: Graph<'a>,
    /// For each file of the target, the number of the same file in the base.
    same_in_base: Vec<Option<usize>>,
    /// For each file of the base, the number of the same file in the target.
    same_in_target: Vec<Option<usize>>,
    /// Files only in the base: hash of the module, hash of the code and number, sorted.
    old: Vec<(u64, u64, usize)>,
    /// Pinned modules whose file is only in the base, sorted.
    pinned: Vec<&'a str>,
}

impl<'a> Comparison<'a> {
    pub(super) fn new(base: Graph<'a>, target: Graph<'a>) -> Self {
        let (before, after) = (&base.build.chunks, &target.build.chunks);
        let mut same_in_base = vec![None; after.len()];
        let mut same_in_target = vec![None; before.len()];
        let (mut old, mut pinned) = (Vec::new(), Vec::new());
        let mut at = 0;
        for ((place, mate), (path, chunk)) in same_in_target.iter_mut().enumerate().zip(before) {
            while after.get_indexed(at).is_some_and(|(other, _)| other < path) {
                at += 1;
            }
            let same = after
                .get_indexed(at)
                .is_some_and(|(other, found)| other == path && found.integrity == chunk.integrity);
            match same_in_base.get_mut(at) {
                Some(twin) if same => {
                    *twin = Some(place);
                    *mate = Some(at);
                }
                _ => {
                    old.push((hash(&chunk.id), hash(&chunk.code), place));
                    if chunk.owner == Owner::Pinned {
                        pinned.push(chunk.id.as_str());
                    }
                }
            }
        }
        old.sort_unstable();
        pinned.sort_unstable();
        Self {
            base,
            target,
            same_in_base,
            same_in_target,
            old,
            pinned,
        }
    }

    pub(super) fn same_in_base(&self, target: usize) -> Option<usize> {
        self.same_in_base.get(target).copied().flatten()
    }

    pub(super) fn same_in_target(&self, base: usize) -> Option<usize> {
        self.same_in_target.get(base).copied().flatten()
    }

    pub(super) fn is_new(&self, target: usize) -> bool {
        self.same_in_base(target).is_none()
    }

    /// Whether a file of the base has this name and other bytes.
    pub(super) fn is_replaced(&self, target: usize, path: &str) -> bool {
        self.is_new(target) && self.base.place(path).is_some()
    }

    /// The file of the base with the same module and the same code, perhaps under another name.
    pub(super) fn origin(&self, target: usize, chunk: &Chunk) -> Option<usize> {
        let renamed = || {
            let other = self.old_like(chunk, hash(&chunk.code))?;
            let (_, found) = self.base.chunk(other)?;
            (found.id == chunk.id && found.code == chunk.code).then_some(other)
        };
        self.same_in_base(target).or_else(renamed)
    }

    /// The first file that is only in the base, with the module of `chunk` and code of that hash or a later one.
    fn old_like(&self, chunk: &Chunk, code: u64) -> Option<usize> {
        let module = hash(&chunk.id);
        let first = self
            .old
            .partition_point(|(id, other, _)| (*id, *other) < (module, code));
        self.old.get(first).map(|(.., place)| *place)
    }

    /// Whether the code changed, and not only file names inside it.
    pub(super) fn is_root(&self, target: usize, chunk: &Chunk) -> bool {
        self.origin(target, chunk).is_none()
    }

    /// Whether a module is pinned, here or there, and has another file than before.
    pub(super) fn is_pinned_anew(&self, target: usize, chunk: &Chunk) -> bool {
        let id = chunk.id.as_str();
        let was = self.pinned.binary_search(&id).is_ok();
        let known = || {
            let first = self.old_like(chunk, 0);
            first.is_some_and(|place| {
                self.base
                    .chunk(place)
                    .is_some_and(|(_, old)| old.id == chunk.id)
            })
        };
        self.is_new(target) && (was || chunk.owner == Owner::Pinned && known())
    }

    /// An export that the running file of a module lacks, when both say what they export.
    pub(super) fn missing_export(&self, chunk: &Chunk) -> Option<String> {
        let running = self
            .base
            .build
            .chunks
            .values()
            .find(|other| other.id == chunk.id && !other.exports.is_empty())?;
        let missing = |export: &&String| !running.exports.contains(export);
        chunk.exports.iter().find(missing).cloned()
    }

    /// The module and file at a place of the target.
    pub(super) fn chunk(&self, target: usize) -> Option<(&'a String, &'a Chunk)> {
        self.target.chunk(target)
    }

    pub(super) fn modules(&self, way: &[usize]) -> Vec<String> {
        way.iter()
            .filter_map(|place| self.chunk(*place).map(|(_, chunk)| chunk.id.clone()))
            .collect()
    }

    /// Modules from `start` to the nearest one that changed itself.
    pub(super) fn cause(&self, start: &String) -> Vec<String> {
        let is_root = |place: usize| {
            self.chunk(place)
                .is_some_and(|(_, chunk)| self.is_root(place, chunk))
        };
        let passes = |place| self.is_new(place);
        let start = self.target.places(&mut [start].into_iter());
        let found = self.target.trace(&start, &passes, &is_root);
        // Without such a module the names do not follow the content; then it is the slot's own.
        let last = found.places().last();
        let root = last.filter(|(_, place)| is_root(*place));
        self.modules(&found.way(root.map_or(0, |(index, _)| index)))
    }
}
