//! What differs between the build a page runs and the build the release wants for it.
//!
//! Two files are the same in substance when they carry the same module and the same code; that a file was renamed
//! because something it imports was renamed changes nothing for who has loaded it.

use alloc::{string::String, vec, vec::Vec};

use super::{
    manifest::{Chunk, Manifest},
    names::sort,
    text::find,
};

/// The differences that matter to one page. Paths are those of the running build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skew {
    /// The HTML document changed.
    pub document: bool,
    /// Entries that changed or are gone.
    pub entries: Vec<String>,
    /// Files this page has loaded that changed or are gone; entries included.
    pub loaded: Vec<String>,
    /// How many files changed that this page has not loaded.
    pub unloaded: usize,
}

impl Skew {
    /// Whether anything changed that this page uses.
    pub fn touches_the_page(&self) -> bool {
        self.document || !self.loaded.is_empty()
    }
}

/// Compares `running` with `target` for a page that has loaded `files` (URLs or paths). Takes n log n in the chunks
/// when their order differs, else linear time.
///
/// `root`: the path of the site. What the entries import statically counts as loaded too, since browsers forget
/// what they loaded after some hundred files.
pub fn between(running: &Manifest, target: &Manifest, files: &[String], root: &str) -> Skew {
    let mut code: Vec<(&str, &str)> = target.chunks.values().map(substance).collect();
    sort(&mut code, |one, other| one < other);
    let is_same = |path: &str, chunk: &Chunk| {
        let kept = target
            .chunks
            .get(path)
            .is_some_and(|other| other.integrity == chunk.integrity);
        kept || code.binary_search(&substance(chunk)).is_ok()
    };
    let loaded = loaded(running, files, root);
    let mut skew = Skew {
        document: matches!((&running.html, &target.html), (Some(ours), Some(theirs)) if ours != theirs),
        ..Skew::default()
    };
    for ((path, chunk), loaded) in running.chunks.iter().zip(loaded) {
        if is_same(path, chunk) {
            continue;
        }
        if loaded {
            skew.loaded.push(path.clone());
        } else {
            skew.unloaded += 1;
        }
    }
    for entry in &running.entries {
        match running.chunks.get(entry) {
            Some(chunk) if is_same(entry, chunk) => {}
            Some(_) => skew.entries.push(entry.clone()),
            // An entry that the running manifest does not list cannot be compared; its name has to do.
            None if target.entries.contains(entry) => {}
            None => {
                skew.entries.push(entry.clone());
                skew.loaded.push(entry.clone());
            }
        }
    }
    skew
}

/// What makes two chunks the same to who has loaded one.
fn substance(chunk: &Chunk) -> (&str, &str) {
    (&chunk.id, &chunk.code)
}

/// For each chunk of `running`, whether the page has loaded it.
fn loaded(running: &Manifest, files: &[String], root: &str) -> Vec<bool> {
    let mut open: Vec<usize> = running
        .entries
        .iter()
        .filter_map(|entry| running.chunks.position(entry))
        .collect();
    for file in files {
        let path = decoded(path_of(file));
        for base in [path_of(&running.base), root] {
            let below = path.strip_prefix(base).filter(|_| base.starts_with('/'));
            open.extend(
                below.and_then(|path| running.chunks.position(path.trim_start_matches('/'))),
            );
        }
    }
    let mut loaded = vec![false; running.chunks.len()];
    while let Some(place) = open.pop() {
        let (Some(mark), Some((_, chunk))) = (loaded.get_mut(place), running.chunks.nth(place))
        else {
            continue;
        };
        if !core::mem::replace(mark, true) {
            let inner = chunk.imports.iter().chain(&chunk.css);
            open.extend(inner.filter_map(|path| running.chunks.position(path)));
        }
    }
    loaded
}

/// The path in a URL or a path, without query and fragment.
pub(super) fn path_of(url: &str) -> &str {
    let host = find(url, "://").and_then(|at| url.get(at + 3..));
    let path = match host {
        Some(rest) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
        None => url,
    };
    let end = path.find(['?', '#']).unwrap_or(path.len());
    path.get(..end).unwrap_or_default()
}

/// Undoes percent-encoding; what is not valid stays as it is.
fn decoded(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escape = after
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|digits| {
                core::str::from_utf8(digits)
                    .ok()
                    .and_then(|digits| u8::from_str_radix(digits, 16).ok())
            });
        match escape {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| path.into())
}
