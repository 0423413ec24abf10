//! Describes a dist of which only the files are known: every file is a chunk of the shell, named by its path.

use std::sync::LazyLock;

use changeover::engine::manifest::{Chunk, ChunkKind, Manifest, Owner};
use regex::Regex;

use super::{Raw, base, kind_of};
use crate::hash::Fingerprint;
use crate::html::HtmlDocument;

pub fn describe(manifest: &mut Manifest, raw: &Raw, index: &HtmlDocument, site_base: &str) {
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

/// The scripts of the dist that `index.html` starts the app with: those in its tags, and those that its inline modules
/// name.
pub fn entries(raw: &Raw, index: &HtmlDocument, site_base: &str) -> Vec<String> {
    let mut entries = Vec::new();
    let inline = index.inline_scripts();
    let named = inline.iter().flat_map(|code| texts_in(code));
    for source in index.script_sources().into_iter().chain(named) {
        let Some(path) = base::resolved(source, index.base(), site_base) else {
            continue;
        };
        let is_script = kind_of(&path) == ChunkKind::Script;
        if raw.prints.contains_key(&path) && is_script && !entries.contains(&path) {
            entries.push(path);
        }
    }
    entries
}

/// Every quoted text in a script, which includes all that it imports. Callers keep those that are files of the dist, so
/// other texts do no harm.
pub fn texts_in(code: &str) -> impl Iterator<Item = &str> {
    static TEXT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#""([^"\\\n]*)"|'([^'\\\n]*)'|`([^`\\]*)`"#).expect("it is right")
    });
    TEXT.captures_iter(code)
        .filter_map(|found| (1..=3).find_map(|group| found.get(group)))
        .map(|text| text.as_str())
        .filter(|text| text.contains(['/', '.']))
}
