//! The import graph of a build, with files numbered in the order of their names.
//!
//! [`Links`] are made once for a manifest, since looking up names is slow; a [`Graph`] is a manifest with its links.

use alloc::{string::String, vec, vec::Vec};

use super::manifest::{Chunk, Manifest};
use crate::rng::hash;

/// Which links are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    Imports,
    /// What is loaded together with a file: static imports and styles.
    Static,
    /// Also what may be loaded later: dynamic imports.
    Whole,
}

/// No file.
const NOWHERE: usize = usize::MAX;

/// What the files of a build import.
#[derive(Debug)]
pub struct Links {
    /// A hash table with open addressing: numbers of files, by the hash of their names.
    index: Vec<usize>,
    /// The imports of all files, one file after the other.
    to: Vec<usize>,
    /// For each file, where in `to` its imports begin, and where its imports, styles and dynamic imports end.
    parts: Vec<[usize; 4]>,
}

impl Links {
    pub fn of(build: &Manifest) -> Self {
        let count = build.chunks.len();
        let mut links = Self {
            index: vec![NOWHERE; (2 * count).next_power_of_two()],
            to: Vec::new(),
            parts: Vec::with_capacity(count),
        };
        for (place, path) in build.chunks.keys().enumerate() {
            let (_, spot) = links.look_up(build, path);
            if let Some(spot) = links.index.get_mut(spot) {
                *spot = place;
            }
        }
        for chunk in build.chunks.values() {
            let mut part = [links.to.len(); 4];
            let lists = [&chunk.imports, &chunk.css, &chunk.dynamic_imports];
            for (list, end) in lists.into_iter().zip(part.iter_mut().skip(1)) {
                for path in list {
                    let (place, _) = links.look_up(build, path);
                    links.to.push(place);
                }
                *end = links.to.len();
            }
            links.parts.push(part);
        }
        links
    }

    /// The number of a file and its spot in the index.
    fn look_up(&self, build: &Manifest, path: &str) -> (usize, usize) {
        let mut spot = hash(path) as usize;
        loop {
            spot &= self.index.len() - 1;
            let place = self.index.get(spot).copied().unwrap_or(NOWHERE);
            let found = build.chunks.get_indexed(place);
            // At least half of the spots are free, so that the search ends.
            if found.is_none_or(|(name, _)| name == path) {
                return (place, spot);
            }
            spot += 1;
        }
    }
}

/// A build with its links.
#[derive(Clone, Copy, Debug)]
pub struct Graph<'a> {
    pub build: &'a Manifest,
    links: &'a Links,
}

impl<'a> Graph<'a> {
    /// `links` are those of `build`.
    pub fn new(build: &'a Manifest, links: &'a Links) -> Self {
        Self { build, links }
    }

    /// The number of a file.
    pub fn place(&self, path: &str) -> Option<usize> {
        let (place, _) = self.links.look_up(self.build, path);
        (place != NOWHERE).then_some(place)
    }

    pub fn chunk(&self, place: usize) -> Option<(&'a String, &'a Chunk)> {
        self.build.chunks.get_indexed(place)
    }

    /// The numbers of what a file imports; `NOWHERE` for files that the manifest does not list.
    pub fn next(&self, place: usize, reach: Reach) -> &'a [usize] {
        let [start, imports, css, dynamic] =
            self.links.parts.get(place).copied().unwrap_or_default();
        let end = match reach {
            Reach::Imports => imports,
            Reach::Static => css,
            Reach::Whole => dynamic,
        };
        let part = self.links.to.get(start..end);
        part.unwrap_or_default()
    }

    /// For each file, whether another one imports it.
    pub fn imported(&self) -> Vec<bool> {
        let mut imported = self.marks();
        for place in &self.links.to {
            if let Some(mark) = imported.get_mut(*place) {
                *mark = true;
            }
        }
        imported
    }

    fn marks(&self) -> Vec<bool> {
        vec![false; self.build.chunks.len()]
    }

    /// A file that is imported and not listed.
    pub fn unlisted(&self, place: usize) -> Option<&'a String> {
        let imports = self.next(place, Reach::Whole);
        let nth = imports.iter().position(|import| *import == NOWHERE)?;
        let (_, chunk) = self.chunk(place)?;
        let lists = [&chunk.imports, &chunk.css, &chunk.dynamic_imports];
        lists.into_iter().flatten().nth(nth)
    }

    /// The numbers of those `paths` that are listed.
    pub fn places(&self, paths: &mut dyn Iterator<Item = &String>) -> Vec<usize> {
        paths.filter_map(|path| self.place(path)).collect()
    }

    /// Walks depth first from `starts`, not into files that `stops` names.
    pub fn walk(&self, starts: &[usize], reach: Reach, stops: &dyn Fn(usize) -> bool) -> Walk {
        let (mut order, mut marks) = (Vec::new(), self.marks());
        // A stack of our own: chains of imports can be deeper than the call stack.
        let mut open = vec![(NOWHERE, starts)];
        while let Some((place, rest)) = open.last_mut() {
            let Some((next, others)) = rest.split_first() else {
                if *place != NOWHERE {
                    order.push(*place);
                }
                open.pop();
                continue;
            };
            *rest = others;
            let at = *next;
            if let Some(mark) = marks.get_mut(at)
                && !*mark
                && !stops(at)
            {
                *mark = true;
                open.push((at, self.next(at, reach)));
            }
        }
        Walk { order, marks }
    }

    /// Finds shortest paths from `starts` through files that `passes` allows, dynamic imports included, up to the first file
    /// that `ends` the search.
    pub fn trace(
        &self,
        starts: &[usize],
        passes: &dyn Fn(usize) -> bool,
        ends: &dyn Fn(usize) -> bool,
    ) -> Trace {
        let mut marks = self.marks();
        let mut steps: Vec<(usize, usize)> = Vec::new();
        let mut take = |place: usize, from: Option<usize>, steps: &mut Vec<(usize, usize)>| {
            if let Some(mark) = marks.get_mut(place)
                && !*mark
                && passes(place)
            {
                *mark = true;
                steps.push((place, from.unwrap_or(steps.len())));
            }
        };
        for start in starts {
            take(*start, None, &mut steps);
        }
        let mut at = 0;
        while let Some((place, _)) = steps.get(at).copied() {
            if ends(place) {
                steps.truncate(at + 1);
                break;
            }
            for next in self.next(place, Reach::Whole) {
                take(*next, Some(at), &mut steps);
            }
            at += 1;
        }
        Trace { steps }
    }
}

/// The files that can be reached, each after what it imports.
#[derive(Debug)]
pub struct Walk {
    pub order: Vec<usize>,
    pub marks: Vec<bool>,
}

impl Walk {
    pub fn has(&self, place: usize) -> bool {
        self.marks.get(place).is_some_and(|mark| *mark)
    }
}

/// The shortest paths to every file that can be reached.
#[derive(Debug)]
pub struct Trace {
    /// Places and, for each, the index in this list of the file that imports it; its own for a start.
    steps: Vec<(usize, usize)>,
}

impl Trace {
    /// The places in the order of their distance, each with its index.
    pub fn places(&self) -> impl DoubleEndedIterator<Item = (usize, usize)> + ExactSizeIterator {
        self.steps
            .iter()
            .enumerate()
            .map(|(index, (place, _))| (index, *place))
    }

    /// The places from a start to the file at `index`.
    pub fn way(&self, index: usize) -> Vec<usize> {
        let mut way = Vec::new();
        let mut at = index;
        while let Some((place, from)) = self.steps.get(at) {
            way.push(*place);
            if *from == at {
                break;
            }
            at = *from;
        }
        way.reverse();
        way
    }
}
