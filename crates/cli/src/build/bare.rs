//! Describes a dist about which nothing is known but its files: every file is a chunk of the shell, named by its path.

use changeover::engine::manifest::{Chunk, Manifest, Owner};

use super::{Raw, base, kind_of};
use crate::hash::Fingerprint;
use crate::html::Page;

pub fn describe(manifest: &mut Manifest, raw: &Raw, index: &Page, site_base: &str) {
    manifest.entries = entries(raw, index, site_base);
    manifest.chunks = raw
        .prints
        .iter()
        .map(|(path, print)| (path.clone(), chunk(path, print)))
        .collect();
}

/// A chunk without facts from a bundler.
pub fn chunk(path: &str, print: &Fingerprint) -> Chunk {
    Chunk {
        id: path.to_owned(),
        code: print.integrity.clone(),
        integrity: print.integrity.clone(),
        size: print.size,
        kind: kind_of(path),
        imports: Vec::new(),
        dynamic_imports: Vec::new(),
        css: Vec::new(),
        exports: Vec::new(),
        owner: Owner::Shell,
    }
}

/// The scripts that `index.html` starts the app with, as far as they are files of the dist.
pub fn entries(raw: &Raw, index: &Page, site_base: &str) -> Vec<String> {
    let mut entries = Vec::new();
    for source in index.script_sources() {
        let Some(path) = base::resolved(source, index.base(), site_base) else {
            continue;
        };
        if raw.prints.contains_key(&path) && !entries.contains(&path) {
            entries.push(path);
        }
    }
    entries
}
