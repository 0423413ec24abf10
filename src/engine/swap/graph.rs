//! The files of a build and what they ask for, by number. Names are looked up once: a plan walks often.

use alloc::{string::String, vec, vec::Vec};

use crate::engine::{
    manifest::{Chunk, Manifest},
    text::hash,
};

/// Which imports are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// What is there as soon as the start is: static imports and styles.
    Static,
    /// And what may come later: dynamic imports too.
    Whole,
}

/// No file.
const NOWHERE: u32 = u32::MAX;

/// A build with its files numbered in the order of their names.
pub(super) struct Graph<'a> {
    pub(super) build: &'a Manifest,
    /// Numbers of files, each where the hash of its name says or in the next free place after that.
    index: Vec<u32>,
    /// What each file asks for, file after file.
    imports: Vec<u32>,
    /// For each file, where its part of `imports` begins and where the dynamic ones in it do; at the end, the end.
    parts: Vec<(usize, usize)>,
}

impl<'a> Graph<'a> {
    pub(super) fn new(build: &'a Manifest) -> Self {
        let count = build.chunks.len();
        let mut graph = Self {
            build,
            index: vec![NOWHERE; (2 * count).next_power_of_two()],
            imports: Vec::new(),
            parts: Vec::with_capacity(count + 1),
        };
        for (place, path) in build.chunks.keys().enumerate() {
            let (_, spot) = graph.look_up(path);
            if let Some(spot) = graph.index.get_mut(spot) {
                *spot = place as u32;
            }
        }
        for chunk in build.chunks.values() {
            let start = graph.imports.len();
            for path in chunk.imports.iter().chain(&chunk.css) {
                graph.link(path);
            }
            graph.parts.push((start, graph.imports.len()));
            for path in &chunk.dynamic_imports {
                graph.link(path);
            }
        }
        let end = graph.imports.len();
        graph.parts.push((end, end));
        graph
    }

    fn link(&mut self, path: &str) {
        let (place, _) = self.look_up(path);
        self.imports.push(place);
    }

    /// The number of a file and its spot in the index.
    fn look_up(&self, path: &str) -> (u32, usize) {
        let mut spot = hash(path) as usize;
        loop {
            spot &= self.index.len() - 1;
            match self.index.get(spot).copied() {
                // Half of the spots are free.
                None | Some(NOWHERE) => return (NOWHERE, spot),
                Some(place)
                    if self
                        .chunk(place as usize)
                        .is_some_and(|(name, _)| name == path) =>
                {
                    return (place, spot);
                }
                Some(_) => spot += 1,
            }
        }
    }

    pub(super) fn place(&self, path: &str) -> Option<usize> {
        let (place, _) = self.look_up(path);
        (place != NOWHERE).then_some(place as usize)
    }

    pub(super) fn chunk(&self, place: usize) -> Option<(&'a String, &'a Chunk)> {
        self.build.chunks.nth(place)
    }

    fn imports(&self, place: usize, reach: Reach) -> &[u32] {
        let (start, later) = self.parts.get(place).copied().unwrap_or_default();
        let end = match reach {
            Reach::Static => later,
            Reach::Whole => self.parts.get(place + 1).map_or(later, |(next, _)| *next),
        };
        self.imports.get(start..end).unwrap_or_default()
    }

    /// A file that is asked for and not described.
    pub(super) fn unlisted(&self, place: usize) -> Option<&'a String> {
        let imports = self.imports(place, Reach::Whole);
        let nth = imports.iter().position(|import| *import == NOWHERE)?;
        let (_, chunk) = self.chunk(place)?;
        let lists = [&chunk.imports, &chunk.css, &chunk.dynamic_imports];
        lists.into_iter().flatten().nth(nth)
    }

    /// Walks from `starts`, not into what `stops` says.
    pub(super) fn walk<'s>(
        &self,
        starts: impl Iterator<Item = &'s String>,
        reach: Reach,
        stops: &dyn Fn(usize) -> bool,
    ) -> Walk {
        let mut walk = Walk {
            order: Vec::new(),
            marks: vec![false; self.build.chunks.len()],
        };
        let starts: Vec<u32> = starts.map(|start| self.look_up(start).0).collect();
        self.go_on(&mut walk, &starts, reach, stops);
        walk
    }

    fn go_on(&self, walk: &mut Walk, starts: &[u32], reach: Reach, stops: &dyn Fn(usize) -> bool) {
        // What is to be looked at next, and how far that is: chains of imports are deeper than the stack.
        let mut open = vec![(NOWHERE, starts)];
        while let Some((place, rest)) = open.last_mut() {
            let Some((next, others)) = rest.split_first() else {
                if *place != NOWHERE {
                    walk.order.push(*place as usize);
                }
                open.pop();
                continue;
            };
            *rest = others;
            let at = *next as usize;
            if let Some(mark) = walk.marks.get_mut(at)
                && !*mark
                && !stops(at)
            {
                *mark = true;
                open.push((*next, self.imports(at, reach)));
            }
        }
    }

    /// Finds ways from `starts` over everything that `passes`, dynamic imports included, up to the first file that
    /// `ends` the search.
    pub(super) fn trace<'s>(
        &self,
        starts: impl Iterator<Item = &'s String>,
        passes: &dyn Fn(usize) -> bool,
        ends: &dyn Fn(usize) -> bool,
    ) -> Trace {
        let mut marks = vec![false; self.build.chunks.len()];
        let mut steps: Vec<(usize, usize)> = Vec::new();
        let mut take = |next: u32, from: Option<usize>, steps: &mut Vec<(usize, usize)>| {
            let place = next as usize;
            if let Some(mark) = marks.get_mut(place)
                && !*mark
                && passes(place)
            {
                *mark = true;
                steps.push((place, from.unwrap_or(steps.len())));
            }
        };
        starts.for_each(|start| take(self.look_up(start).0, None, &mut steps));
        let mut at = 0;
        while let Some((place, _)) = steps.get(at).copied() {
            if ends(place) {
                steps.truncate(at + 1);
                break;
            }
            for next in self.imports(place, Reach::Whole) {
                take(*next, Some(at), &mut steps);
            }
            at += 1;
        }
        Trace { steps }
    }
}

/// The files that can be reached, each after what it imports.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) order: Vec<usize>,
    marks: Vec<bool>,
}

impl Walk {
    pub(super) fn has(&self, place: usize) -> bool {
        self.marks.get(place).is_some_and(|mark| *mark)
    }
}

/// The shortest ways to every file that can be reached.
#[derive(Debug)]
pub(super) struct Trace {
    /// Places and, for each, the index in this list of the file that imports it; its own for a start.
    steps: Vec<(usize, usize)>,
}

impl Trace {
    /// The places in the order of their distance, each with its index.
    pub(super) fn places(
        &self,
    ) -> impl DoubleEndedIterator<Item = (usize, usize)> + ExactSizeIterator {
        self.steps
            .iter()
            .enumerate()
            .map(|(index, (place, _))| (index, *place))
    }

    /// The places from a start to the file at `index`.
    pub(super) fn way(&self, index: usize) -> Vec<usize> {
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
