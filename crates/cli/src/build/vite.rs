//! Describes a dist by the manifest that Vite writes with `build.manifest: true`: `.vite/manifest.json`.
//!
//! It lists imports and sources, but not every file of the dist. The others are described as in a plain dist.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use aho_corasick::{AhoCorasick, MatchKind};
use changeover::engine::manifest::{ChunkKind, Manifest, Owner};
use serde::Deserialize;

use super::{Raw, plain};
use crate::error::{At, Error, Result};
use crate::hash::Fingerprint;
use crate::html::HtmlDocument;

/// Where Vite 5 and later put it.
const PLACE: &str = ".vite/manifest.json";

/// Vite's records by their keys.
#[derive(Debug)]
pub struct Graph(BTreeMap<String, Record>);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    file: String,
    name: Option<String>,
    #[serde(default)]
    is_entry: bool,
    #[serde(default)]
    imports: Vec<String>,
    #[serde(default)]
    dynamic_imports: Vec<String>,
    #[serde(default)]
    css: Vec<String>,
    #[serde(default)]
    assets: Vec<String>,
}

/// Vite's manifest in the dist, if there is one.
pub fn find(dist: &Path, raw: &Raw) -> Result<Option<Graph>> {
    let path = dist.join(PLACE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).at("read", &path),
    };
    let graph: BTreeMap<String, Record> = serde_json::from_str(&text).map_err(|error| {
        Error::new(
            "vite-manifest-invalid",
            format!("{} is not a manifest of Vite: {error}", path.display()),
        )
    })?;
    for (key, record) in &graph {
        if !raw.prints.contains_key(&record.file) && !raw.documents.contains_key(&record.file) {
            return Err(Error::new(
                "file-missing",
                format!(
                    "{PLACE} lists {} for {key}, but the dist does not have it; build again",
                    record.file
                ),
            ));
        }
    }
    Ok(Some(Graph(graph)))
}

impl Graph {
    pub fn describe(&self, manifest: &mut Manifest, raw: &Raw) -> Result<()> {
        let ids = self.ids(raw);
        let names = Names::of(&ids);
        for (path, print) in &raw.prints {
            let mut chunk = plain::chunk(path, print);
            // Files that the entries do not load belong to the code that imports them.
            chunk.owner = Owner::Shared;
            if let Some(id) = ids.get(path) {
                chunk.id.clone_from(id);
                if matches!(chunk.kind, ChunkKind::Script | ChunkKind::Style) {
                    let real = &raw.listing.files[path];
                    chunk.code = names.code(&fs::read(real).at("read", real)?);
                }
            } else {
                chunk.owner = Owner::Shell;
            }
            manifest.chunks.insert(path.clone(), chunk);
        }
        for record in self.0.values() {
            if let Some(chunk) = manifest.chunks.get_mut(&record.file) {
                chunk.imports = self.files(&record.imports);
                chunk.dynamic_imports = self.files(&record.dynamic_imports);
                chunk.css.clone_from(&record.css);
            }
            if record.is_entry
                && manifest
                    .chunks
                    .get(&record.file)
                    .is_some_and(|c| c.kind == ChunkKind::Script)
            {
                manifest.entries.push(record.file.clone());
            }
        }
        manifest.entries.sort();
        manifest.entries.dedup();
        // A new name of an entry does not count as a change of the document.
        let index = HtmlDocument::parse(&raw.documents["index.html"]).unstamped();
        manifest.html = Some(names.code(&index));
        give_to_shell(manifest);
        Ok(())
    }

    fn files(&self, keys: &[String]) -> Vec<String> {
        keys.iter()
            .filter_map(|key| self.0.get(key))
            .map(|record| record.file.clone())
            .collect()
    }

    /// A name for each file that stays the same when its content changes.
    fn ids(&self, raw: &Raw) -> BTreeMap<String, String> {
        let mut ids = BTreeMap::new();
        for (key, record) in &self.0 {
            // A key such as `_shared-B7PI925R.js` holds the hash; the name does not.
            let id = match (&record.name, key.strip_prefix('_')) {
                (Some(name), Some(_)) => format!("_{name}"),
                _ => key.clone(),
            };
            for (nth, css) in record.css.iter().enumerate() {
                ids.entry(css.clone())
                    .or_insert_with(|| format!("{id}?css={nth}"));
            }
            ids.insert(record.file.clone(), id);
        }
        for record in self.0.values() {
            for asset in &record.assets {
                ids.entry(asset.clone()).or_insert_with(|| unhashed(asset));
            }
        }
        ids.retain(|path, _| raw.prints.contains_key(path));
        let maps: Vec<_> = ids
            .iter()
            .map(|(path, id)| (format!("{path}.map"), format!("{id}.map")))
            .filter(|(path, _)| raw.prints.contains_key(path))
            .collect();
        ids.extend(maps);
        ids
    }
}

/// The path without the part between the last `-` and the ending, where Vite puts the hash of an asset.
fn unhashed(path: &str) -> String {
    let (stem, end) = path.rsplit_once('.').unwrap_or((path, ""));
    match stem.rsplit_once('-') {
        Some((name, _)) => format!("{name}.{end}"),
        None => path.to_owned(),
    }
}

/// Assigns to the shell the entries, what they import statically, and the styles of both.
fn give_to_shell(manifest: &mut Manifest) {
    let mut reached = BTreeSet::new();
    let mut open = manifest.entries.clone();
    while let Some(path) = open.pop() {
        if !reached.insert(path.clone()) {
            continue;
        }
        if let Some(chunk) = manifest.chunks.get_mut(&path) {
            chunk.owner = Owner::Shell;
            open.extend(chunk.imports.iter().chain(&chunk.css).cloned());
        }
    }
}

/// Finds the names of files in code, so that a chunk whose imports were only renamed counts as the same code.
struct Names {
    finder: AhoCorasick,
    ids: Vec<String>,
}

impl Names {
    fn of(ids: &BTreeMap<String, String>) -> Self {
        let mut by_name: BTreeMap<&str, &str> = BTreeMap::new();
        for (path, id) in ids {
            let name = path.rsplit('/').next().unwrap_or(path);
            if !id.ends_with(name) {
                by_name.insert(name, id);
            }
        }
        Self {
            finder: AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostLongest)
                .build(by_name.keys())
                .expect("the names of the files of one dist are few and short enough"),
            ids: by_name
                .values()
                .map(|id| format!("\u{0}{id}\u{0}"))
                .collect(),
        }
    }

    fn code(&self, bytes: &[u8]) -> String {
        Fingerprint::of(&self.finder.replace_all_bytes(bytes, &self.ids)).integrity
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renamed_imports_do_not_change_the_code_but_other_edits_do() {
        let names = |cart: &str| {
            Names::of(&BTreeMap::from([
                (format!("assets/Cart-{cart}.js"), "src/Cart.jsx".to_owned()),
                ("assets/plain.js".to_owned(), "assets/plain.js".to_owned()),
            ]))
        };
        let one = names("aaaaaaaa").code(b"import('./Cart-aaaaaaaa.js')");
        assert_eq!(one, names("bbbbbbbb").code(b"import('./Cart-bbbbbbbb.js')"));
        assert_ne!(
            one,
            names("bbbbbbbb").code(b"import('./Cart-bbbbbbbb.js');x")
        );
    }

    #[test]
    fn the_hash_of_an_asset_is_not_part_of_its_id() {
        assert_eq!(unhashed("assets/logo-DiwrgTda.svg"), "assets/logo.svg");
        assert_eq!(unhashed("assets/logo.svg"), "assets/logo.svg");
    }
}
