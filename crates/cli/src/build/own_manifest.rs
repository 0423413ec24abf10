//! A dist with our own manifest, which the bundler plugin wrote.
//!
//! Other tools may have changed the dist since: deleted maps after an upload, written debug ids into scripts, added a
//! robots.txt. Such a dist is another build: its manifest is amended and gets the id of the actual files, and the
//! documents get its stamp. A dist that lacks a file of its graph is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use changeover::{
    engine::manifest::{Manifest, Store},
    ids::{BuildId, Names},
};

use serde_json::Value;

use super::{Build, DESCRIBED_BY, Description, Hints, Note, Raw, base, named, plain};
use crate::{
    deploy::files_of,
    error::{At, Error, Result},
    hash::Fingerprint,
    html::HtmlDocument,
    stores,
};

/// The manifest in the dist and its exact bytes.
pub struct Found {
    path: PathBuf,
    bytes: Vec<u8>,
    manifest: Manifest,
}

/// The manifest in `changeover/builds/` that describes this dist, if there is one.
///
/// A folder that several builds were copied into, or that the bundler does not empty, has manifests of earlier builds,
/// too. The documents or the release in the folder say which one counts.
pub fn find(
    dist: &Path,
    raw: &mut Raw,
    claimed: Option<&str>,
    released: Option<&str>,
) -> Result<Option<Found>> {
    let folder = dist.join("changeover/builds");
    if !raw.listing.has_changeover || !folder.is_dir() {
        return Ok(None);
    }
    let mut manifests = Vec::new();
    for entry in fs::read_dir(&folder).at("list", &folder)? {
        let path = entry.at("list", &folder)?.path();
        if path.extension().is_some_and(|end| end == "json") {
            manifests.push(path);
        }
    }
    manifests.sort();
    let path = match manifests.len() {
        0 => return Ok(None),
        1 => manifests.remove(0),
        n => {
            let named = |id: Option<&str>| {
                let name = format!("{}.json", id?);
                manifests
                    .iter()
                    .position(|path| path.file_name().is_some_and(|found| *found == *name))
            };
            match named(claimed).or_else(|| named(released)) {
                Some(place) => manifests.remove(place),
                None => {
                    return Err(Error::new(
                        "manifest-several",
                        format!(
                            "{} has {n} manifests, so it is not clear which build this is; empty the dist and build again",
                            folder.display()
                        ),
                    ));
                }
            }
        }
    };
    let bytes = fs::read(&path).at("read", &path)?;
    let manifest = Manifest::parse(&String::from_utf8_lossy(&bytes)).map_err(|error| {
        Error::new(
            "manifest-invalid",
            format!("{} cannot be used: {error}", path.display()),
        )
    })?;
    if let Some(fault) = stores::fault(&manifest.stores) {
        return Err(Error::new(
            "manifest-invalid",
            format!("{} {fault}", path.display()),
        ));
    }
    if is_described_here(&bytes) && claimed.is_none() {
        // The documents have no stamp: a bundler without the plugin has built into the folder since.
        return Ok(None);
    }
    raw.forget(&leftovers(&manifests, &manifest, raw));
    Ok(Some(Found {
        path,
        bytes,
        manifest,
    }))
}

/// Whether `changeover stamp` wrote the manifest.
fn is_described_here(bytes: &[u8]) -> bool {
    let described_by = |value: Value| value.get(DESCRIBED_BY)?.as_str().map(str::to_owned);
    serde_json::from_slice(bytes)
        .ok()
        .and_then(described_by)
        .is_some_and(|by| by != Description::OwnManifest.code())
}

/// Files of earlier builds: listed by their manifests and not by this one, and unchanged.
fn leftovers(earlier: &[PathBuf], manifest: &Manifest, raw: &Raw) -> BTreeSet<String> {
    let mut leftovers = BTreeSet::new();
    for path in earlier {
        let Some(old) = fs::read_to_string(path)
            .ok()
            .and_then(|text| Manifest::parse(&text).ok())
        else {
            continue;
        };
        for (file, print) in files_of(&old) {
            let is_mine =
                manifest.chunks.contains_key(&file) || manifest.documents.contains_key(&file);
            if !is_mine && raw.print(&file).is_some_and(|found| found == print) {
                leftovers.insert(file);
            }
        }
    }
    leftovers
}

pub fn build(
    raw: Raw,
    found: Found,
    claimed: Option<String>,
    hints: &Hints,
    stores: Option<Names<Store>>,
) -> Result<Build> {
    let Found {
        path,
        bytes,
        mut manifest,
    } = found;
    if let Some(claimed) = claimed.filter(|claimed| *claimed != manifest.id.0) {
        return Err(Error::new(
            "build-id-mixed",
            format!(
                "the documents say they are build {claimed}, but {} describes build {}; build again",
                path.display(),
                manifest.id.0
            ),
        ));
    }
    let touched = touched(&raw, &manifest)?;
    let mut rewritten = false;
    if let Some(stores) = stores {
        if manifest.stores.is_empty() {
            rewritten = !stores.is_empty();
            manifest.stores = stores;
        } else if !stores::equal(&manifest.stores, &stores) {
            return Err(Error::new(
                "stores-differ",
                format!(
                    "{} says what the stores of build {} are, and {} says something else; correct one of them, and build \
                     again when it is the first",
                    path.display(),
                    manifest.id.0,
                    hints.stores.as_ref().map_or_else(
                        || format!("{} in the dist", stores::FILE),
                        |file| file.display().to_string()
                    )
                ),
            ));
        }
    }
    if let Some(app) = hints.app.as_ref().filter(|app| **app != manifest.app) {
        manifest.app.clone_from(app);
        rewritten = true;
    }
    if let Some(base) = &hints.base {
        let base = base::normalised(base)?;
        rewritten |= base != manifest.base;
        manifest.base = base;
    }
    let mut build = if touched.is_empty() {
        let documents = raw.documents.clone();
        raw.finish(manifest, documents, Description::OwnManifest)
    } else {
        rewritten = true;
        amended(raw, manifest, touched)?
    };
    build.bundled = Some(bytes.clone());
    if rewritten {
        build.write_manifest();
    } else {
        build.manifest_bytes = bytes;
    }
    Ok(build)
}

/// `rewritten` with those fields of `original` that this version does not know, in the manifest and in its chunks.
pub fn with_unknown_fields(rewritten: &[u8], original: &[u8]) -> Vec<u8> {
    let read = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).ok();
    let (Some(mut new), Some(old)) = (read(rewritten), read(original)) else {
        return rewritten.to_vec();
    };
    complete(&mut new, &old);
    let chunks = new.get_mut("chunks").and_then(Value::as_object_mut);
    for (path, chunk) in chunks.into_iter().flatten() {
        if let Some(before) = old.get("chunks").and_then(|chunks| chunks.get(path)) {
            complete(chunk, before);
        }
    }
    serde_json::to_vec_pretty(&new).unwrap_or_else(|_| rewritten.to_vec())
}

fn complete(new: &mut Value, old: &Value) {
    if let (Some(new), Some(old)) = (new.as_object_mut(), old.as_object()) {
        for (name, value) in old {
            new.entry(name).or_insert_with(|| value.clone());
        }
    }
}

/// The files that differ from the manifest: changed, added, or deleted (only maps may be).
fn touched(raw: &Raw, manifest: &Manifest) -> Result<Vec<String>> {
    let mut touched = Vec::new();
    for (path, chunk) in &manifest.chunks {
        match raw.prints.get(path) {
            Some(print) if print.integrity == chunk.integrity && print.size == chunk.size => {}
            Some(_) => touched.push(path.clone()),
            None if path.ends_with(".map") => touched.push(path.clone()),
            None => return Err(missing(path, manifest)),
        }
    }
    for (path, document) in &manifest.documents {
        match raw.documents.get(path) {
            Some(bytes) if Fingerprint::of(bytes).integrity == document.integrity => {}
            Some(_) => touched.push(path.clone()),
            None => return Err(missing(path, manifest)),
        }
    }
    let added = raw
        .prints
        .keys()
        .filter(|path| !manifest.chunks.contains_key(path.as_str()))
        .chain(
            raw.documents
                .keys()
                .filter(|path| !manifest.documents.contains_key(path.as_str())),
        );
    touched.extend(added.cloned());
    touched.sort();
    Ok(touched)
}

fn missing(path: &str, manifest: &Manifest) -> Error {
    Error::new(
        "file-missing",
        format!(
            "the manifest of build {} lists {path}, but the dist does not have it; build again",
            manifest.id.0
        ),
    )
}

fn amended(raw: Raw, mut manifest: Manifest, touched: Vec<String>) -> Result<Build> {
    let id = raw.content_id(&manifest.stores);
    let touched_index = touched.iter().any(|path| path == "index.html");
    manifest
        .chunks
        .retain(|path, _| raw.prints.contains_key(path));
    for (path, print) in &raw.prints {
        let chunk = manifest
            .chunks
            .entry(path.to_owned())
            .or_insert_with(|| plain::chunk(path, print));
        if chunk.integrity != print.integrity || chunk.size != print.size {
            chunk.integrity.clone_from(&print.integrity);
            chunk.code.clone_from(&print.integrity);
            chunk.size = print.size;
        }
    }
    let note = Note {
        code: "changed-after-build",
        text: format!(
            "{} of the dist changed after the bundler described it ({}), so this is published as build {id} instead of {}",
            if touched.len() == 1 {
                "a file".into()
            } else {
                format!("{} files", touched.len())
            },
            named(&touched),
            manifest.id.0
        ),
        files: touched,
    };
    manifest.id = BuildId(id.clone());
    if touched_index {
        let index = HtmlDocument::parse(&raw.documents["index.html"]).substance();
        manifest.html = Some(Fingerprint::of(&index).integrity);
    }
    let documents: BTreeMap<_, _> = raw
        .documents
        .iter()
        .map(|(path, bytes)| {
            (
                path.clone(),
                HtmlDocument::parse(bytes).restamped(&id, None),
            )
        })
        .collect();
    let mut build = raw.finish(manifest, documents, Description::OwnManifest);
    build.notes.push(note);
    Ok(build)
}
