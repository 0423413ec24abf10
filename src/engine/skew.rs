//! What differs between the build a page runs and the build the release wants for it.
//!
//! Two files are the same in substance when they carry the same module and the same code; that a file was renamed
//! because something it imports was renamed changes nothing for who has loaded it.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::String,
    vec::Vec,
};

use super::manifest::{Chunk, Manifest};

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

/// Compares `running` with `target` for a page that has loaded `files` (URLs or paths). Linear in the chunks.
///
/// `root`: the path of the site. What the entries import statically counts as loaded too, since browsers forget
/// what they loaded after some hundred files.
pub fn between(running: &Manifest, target: &Manifest, files: &[String], root: &str) -> Skew {
    let code: BTreeSet<(&str, &str)> = target
        .chunks
        .values()
        .map(|chunk| (chunk.id.as_str(), chunk.code.as_str()))
        .collect();
    let is_same = |path: &str, chunk: &Chunk| {
        let kept = target
            .chunks
            .get(path)
            .is_some_and(|other| other.integrity == chunk.integrity);
        kept || code.contains(&(chunk.id.as_str(), chunk.code.as_str()))
    };
    let loaded = loaded(running, files, root);
    let mut skew = Skew {
        document: matches!((&running.html, &target.html), (Some(ours), Some(theirs)) if ours != theirs),
        ..Skew::default()
    };
    for (path, chunk) in &running.chunks {
        if is_same(path, chunk) {
            continue;
        }
        if loaded.contains(path.as_str()) {
            skew.loaded.push(path.clone());
        } else {
            skew.unloaded += 1;
        }
    }
    let changed = |entry: &&String| {
        running
            .chunks
            .get(*entry)
            .is_none_or(|chunk| !is_same(entry, chunk))
    };
    skew.entries = running.entries.iter().filter(changed).cloned().collect();
    for entry in &skew.entries {
        // An entry that the running manifest does not list cannot be compared; its name has to do.
        if !running.chunks.contains_key(entry) && !target.entries.contains(entry) {
            skew.loaded.push(entry.clone());
        }
    }
    skew
}

/// The chunks of `running` that the page has loaded.
fn loaded<'a>(running: &'a Manifest, files: &[String], root: &str) -> BTreeSet<&'a str> {
    let names: BTreeMap<&str, ()> = running
        .chunks
        .keys()
        .map(|path| (path.as_str(), ()))
        .collect();
    let known = |path: &str| names.get_key_value(path).map(|(name, ())| *name);
    let bases = [path_of(&running.base), root];
    let mut loaded: BTreeSet<&str> = BTreeSet::new();
    for file in files {
        let decoded = decoded(path_of(file));
        let below = bases
            .iter()
            .filter(|base| base.starts_with('/'))
            .filter_map(|base| decoded.strip_prefix(*base));
        loaded.extend(below.filter_map(|path| known(path.trim_start_matches('/'))));
    }
    let mut open: Vec<&str> = running
        .entries
        .iter()
        .filter_map(|entry| known(entry))
        .collect();
    open.extend(loaded.iter().copied());
    let mut closed: BTreeSet<&str> = BTreeSet::new();
    while let Some(path) = open.pop() {
        if closed.insert(path)
            && let Some(chunk) = running.chunks.get(path)
        {
            open.extend(
                chunk
                    .imports
                    .iter()
                    .chain(&chunk.css)
                    .filter_map(|import| known(import)),
            );
        }
    }
    closed
}

/// The path in a URL or a path, without query and fragment.
pub(super) fn path_of(url: &str) -> &str {
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
        None => url,
    };
    path.split(['?', '#']).next().unwrap_or_default()
}

/// Undoes percent-encoding; what is not valid stays as it is.
fn decoded(path: &str) -> String {
    if !path.contains('%') {
        return path.into();
    }
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
