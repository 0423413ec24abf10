//! Names under which two builds have different content. A host with one file per name can serve only one of them.

use std::collections::BTreeSet;

use changeover::engine::manifest::{ChunkKind, Manifest};

use crate::build::{Note, named};

/// Names that this build and one that tabs may still run use for different content.
pub fn names<'m>(
    manifest: &Manifest,
    others: impl IntoIterator<Item = &'m Manifest>,
) -> Vec<String> {
    let mut names = BTreeSet::new();
    for other in others {
        for (path, chunk) in &manifest.chunks {
            if other
                .chunks
                .get(path)
                .is_some_and(|old| old.integrity != chunk.integrity)
            {
                names.insert(path.clone());
            }
        }
    }
    names.into_iter().collect()
}

/// Explains what a purely static host cannot promise about colliding names. Names that every page loads come first.
pub fn note(manifest: &Manifest, mut names: Vec<String>) -> Option<Note> {
    names.sort_by_cached_key(|name| {
        let entry = manifest.entries.iter().position(|entry| entry == name);
        let kind = manifest
            .chunks
            .get(name)
            .map_or(ChunkKind::Asset, |chunk| chunk.kind);
        let rank = match kind {
            ChunkKind::Script => 0,
            ChunkKind::Style => 1,
            ChunkKind::Wasm => 2,
            ChunkKind::Asset => 3,
        };
        (entry.unwrap_or(usize::MAX), rank, name.clone())
    });
    let (subject, one) = match names.len() {
        0 => return None,
        1 => ("1 file has".to_owned(), "this name"),
        n => (format!("{n} files have"), "one of these names"),
    };
    Some(Note {
        code: "colliding-names",
        text: format!(
            "{subject} the same name as in an earlier build but other content: {}. `changeover serve` keeps a folder for \
             each build and switches all names at once. A purely static host has one file for a name and cannot promise \
             that: while a publish runs it may answer a mix of old and new, and afterwards a tab of the earlier build that \
             asks for {one} gets the new content. Content hashes in file names remove this limit",
            named(&names)
        ),
        files: names,
    })
}
