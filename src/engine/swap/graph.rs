//! Walks over the files of a build.

use alloc::{string::String, vec, vec::Vec};

use crate::engine::manifest::{Chunk, Manifest};

/// Which imports are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// What is there as soon as the start is: static imports and styles.
    Static,
    /// And what may come later: dynamic imports too.
    Whole,
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

/// Walks from `starts`, not into what `stops` says.
pub(super) fn walk<'a>(
    build: &Manifest,
    starts: impl Iterator<Item = &'a String>,
    reach: Reach,
    stops: &dyn Fn(usize) -> bool,
) -> Walk {
    let mut marks = vec![false; build.chunks.len()];
    let mut order = Vec::new();
    // A file and the number of its imports that were followed: chains of imports are deeper than the stack.
    let mut open: Vec<(usize, usize)> = Vec::new();
    for start in starts {
        enter(build, start, &mut marks, &mut open, stops);
        while let Some((place, next)) = open.last_mut() {
            let place = *place;
            let import = build
                .chunks
                .nth(place)
                .and_then(|(_, chunk)| import(chunk, *next, reach));
            *next += 1;
            match import {
                Some(path) => enter(build, path, &mut marks, &mut open, stops),
                None => {
                    order.push(place);
                    open.pop();
                }
            }
        }
    }
    Walk { order, marks }
}

fn enter(
    build: &Manifest,
    path: &str,
    marks: &mut [bool],
    open: &mut Vec<(usize, usize)>,
    stops: &dyn Fn(usize) -> bool,
) {
    if let Some(place) = build.chunks.position(path)
        && let Some(mark) = marks.get_mut(place)
        && !*mark
        && !stops(place)
    {
        *mark = true;
        open.push((place, 0));
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
    pub(super) fn places(&self) -> impl Iterator<Item = (usize, usize)> {
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

/// Finds ways from `starts` over everything that `passes`, dynamic imports included, up to the first file that `ends`
/// the search.
pub(super) fn trace<'a>(
    build: &Manifest,
    starts: impl Iterator<Item = &'a String>,
    passes: &dyn Fn(usize) -> bool,
    ends: &dyn Fn(usize) -> bool,
) -> Trace {
    let mut marks = vec![false; build.chunks.len()];
    let mut steps: Vec<(usize, usize)> = Vec::new();
    let mut take = |path: &str, from: Option<usize>, steps: &mut Vec<(usize, usize)>| {
        if let Some(place) = build.chunks.position(path)
            && let Some(mark) = marks.get_mut(place)
            && !*mark
            && passes(place)
        {
            *mark = true;
            steps.push((place, from.unwrap_or(steps.len())));
        }
    };
    starts.for_each(|start| take(start, None, &mut steps));
    let mut at = 0;
    while let Some((place, _)) = steps.get(at).copied() {
        if ends(place) {
            steps.truncate(at + 1);
            break;
        }
        if let Some((_, chunk)) = build.chunks.nth(place) {
            let mut next = 0;
            while let Some(path) = import(chunk, next, Reach::Whole) {
                take(path, Some(at), &mut steps);
                next += 1;
            }
        }
        at += 1;
    }
    Trace { steps }
}

/// The nth file that `chunk` asks for.
fn import(chunk: &Chunk, nth: usize, reach: Reach) -> Option<&String> {
    let mut nth = nth;
    for (list, counts) in [
        (&chunk.imports, true),
        (&chunk.css, true),
        (&chunk.dynamic_imports, reach == Reach::Whole),
    ] {
        if counts {
            if let Some(path) = list.get(nth) {
                return Some(path);
            }
            nth -= list.len();
        }
    }
    None
}

/// Whether a file that is not in the manifest is asked for, and which.
pub(super) fn unlisted<'a>(build: &Manifest, chunk: &'a Chunk) -> Option<&'a String> {
    let mut next = 0;
    while let Some(path) = import(chunk, next, Reach::Whole) {
        if !build.chunks.contains_key(path) {
            return Some(path);
        }
        next += 1;
    }
    None
}
