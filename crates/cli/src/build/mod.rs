//! A build as it will be published: read from a dist folder, described by a manifest, stamped with its id.
//!
//! The description comes from the best source there is: the manifest that the bundler plugin left in
//! `changeover/builds/` (`own_manifest`), a Vite manifest (`vite`), or only the files (`plain`). `raw` reads the files,
//! `seal` puts the number of the release into the documents. Nothing is written during all of this.

mod app;
mod base;
mod hashes;
mod own_manifest;
mod plain;
mod raw;
mod seal;
mod vite;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use changeover::engine::manifest::{ChunkKind, Commit, MANIFEST_LIMIT, Manifest, Store};
use changeover::ids::{BuildId, Names};

pub use self::app::NAMELESS;

use self::app::{app_name, package_json};
use self::raw::Raw;
use crate::error::{Error, Result};
use crate::git;
use crate::hash::Fingerprint;
use crate::html::HtmlDocument;
use crate::stores;
use crate::time::{rfc3339, unix_now};

/// A complete and consistent build that is not on any server yet.
#[derive(Debug)]
pub struct Build {
    pub manifest: Manifest,
    /// The exact bytes to publish. A bundler's manifest is published unchanged.
    pub manifest_bytes: Vec<u8>,
    /// Every file by its path, including documents.
    pub files: BTreeMap<String, Content>,
    pub described_by: Description,
    pub notes: Vec<Note>,
    /// The number of the release in the dist, which is there for plain copies.
    pub release: Option<u64>,
    /// Precompressed documents of the dist that are not part of the build, because this tool cannot write their format.
    pub left_out: Vec<String>,
    /// The documents as they are in the dist.
    originals: BTreeMap<String, Vec<u8>>,
    /// The bundler's manifest, for the fields that this version does not know.
    bundled: Option<Vec<u8>>,
}

/// One file of a build.
#[derive(Clone, Debug)]
pub struct Content {
    pub source: Source,
    pub print: Fingerprint,
}

/// Where the bytes of a file are.
#[derive(Clone, Debug)]
pub enum Source {
    Disk(PathBuf),
    /// A document, which may have a stamp that the file on disk does not have.
    Memory(Vec<u8>),
}

/// The source of the chunk graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Description {
    OwnManifest,
    Vite,
    Plain,
}

impl Description {
    pub fn code(self) -> &'static str {
        match self {
            Self::OwnManifest => "changeover",
            Self::Vite => "vite",
            Self::Plain => "bare",
        }
    }
}

/// Something that the operator should know and that is not an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub code: &'static str,
    pub text: String,
    /// All files that it is about; the text may name fewer.
    pub files: Vec<String>,
}

/// Endings of precompressed files, which static hosts send in place of the file without the ending.
const PRECOMPRESSED: [&str; 3] = [".gz", ".br", ".zst"];

/// The field of a manifest that names the source of the chunk graph, unless it was the bundler plugin.
pub const DESCRIBED_BY: &str = "describedBy";

/// What the caller knows about the dist.
#[derive(Clone, Debug, Default)]
pub struct Hints {
    pub app: Option<String>,
    /// Used when neither the caller nor the dist names the app.
    pub fallback_app: Option<String>,
    pub base: Option<String>,
    /// The file that describes the stores, in place of the one in the dist.
    pub stores: Option<PathBuf>,
}

impl Build {
    /// Reads a dist. Nothing is written anywhere.
    ///
    /// Errors: `dist-missing`, `dist-not-a-folder`, `no-index`, `file-name`, `link-*`, `manifest-*`, `build-id-*`, `stores-*`, …
    pub fn read(dist: &Path, hints: &Hints) -> Result<Self> {
        let mut raw = Raw::read(dist)?;
        let mut notes = raw.notes();
        let claimed = raw.claimed_build()?;
        let released = raw.release(dist, &mut notes);
        let stores = hints.stores.as_ref().or(raw.listing.stores.as_ref());
        let stores = stores.map(|path| stores::read(path)).transpose()?;
        let of_release = released.as_ref().map(|release| release.build.id.0.as_str());
        let mut build = match own_manifest::find(dist, &mut raw, claimed.as_deref(), of_release)? {
            Some(found) => own_manifest::build(raw, found, claimed, hints, stores)?,
            None => {
                let graph = vite::find(dist, &raw)?;
                described(raw, graph, claimed, dist, hints, stores.unwrap_or_default())?
            }
        };
        if build.manifest_bytes.len() > MANIFEST_LIMIT {
            return Err(Error::new(
                "manifest-too-large",
                format!(
                    "the manifest of {} files has {} bytes, and pages read at most {MANIFEST_LIMIT}",
                    build.files.len(),
                    build.manifest_bytes.len()
                ),
            ));
        }
        notes.append(&mut build.notes);
        build.notes = notes;
        build.release = released.map(|release| release.sequence);
        Ok(build)
    }

    pub fn id(&self) -> &str {
        &self.manifest.id.0
    }

    /// Writes the manifest again and keeps fields of the bundler's manifest that this version does not know.
    fn write_manifest(&mut self) {
        let bytes = self.manifest.to_json().into_bytes();
        self.manifest_bytes = match &self.bundled {
            Some(bundled) => own_manifest::with_unknown_fields(&bytes, bundled),
            None => bytes,
        };
    }
}

/// Describes a dist without a manifest of the bundler plugin.
fn described(
    raw: Raw,
    graph: Option<vite::Graph>,
    claimed: Option<String>,
    dist: &Path,
    hints: &Hints,
    stores: Names<Store>,
) -> Result<Build> {
    let id = claimed.unwrap_or_else(|| raw.content_id(&stores));
    let index = HtmlDocument::parse(&raw.documents["index.html"]);
    let base = match &hints.base {
        Some(base) => base::normalised(base)?,
        None => base::inferred(&index, |path| raw.prints.contains_key(path)),
    };
    let app = app_name(dist, hints);
    let mut manifest = Manifest::new(&app, BuildId(id.clone()), &rfc3339(unix_now()));
    manifest.html = Some(Fingerprint::of(&index.unstamped()).integrity);
    manifest.stores = stores;
    let described_by = match graph {
        Some(graph) => {
            graph.describe(&mut manifest, &raw)?;
            Description::Vite
        }
        None => {
            plain::describe(&mut manifest, &raw, &index, &base);
            Description::Plain
        }
    };
    manifest.base = base;
    manifest.version =
        package_json(dist).and_then(|package| Some(package.get("version")?.as_str()?.to_owned()));
    manifest.commit = git::head_commit(dist).map(|facts| Commit {
        sha: facts.sha,
        author: Some(facts.author),
        message: Some(facts.message),
        time: Some(facts.time),
    });
    let stamped = raw
        .documents
        .iter()
        .map(|(path, bytes)| (path.clone(), HtmlDocument::parse(bytes).stamped(&id, None)))
        .collect();
    Ok(raw.finish(manifest, stamped, described_by))
}

impl Content {
    fn in_memory(bytes: Vec<u8>) -> Self {
        Self {
            print: Fingerprint::of(&bytes),
            source: Source::Memory(bytes),
        }
    }
}

/// HTML files are documents: they change without changing their name.
pub fn is_document(path: &str) -> bool {
    matches!(extension(path).as_str(), "html" | "htm")
}

/// The kind of a file, by its ending.
fn kind_of(path: &str) -> ChunkKind {
    match extension(path).as_str() {
        "js" | "mjs" | "cjs" => ChunkKind::Script,
        "css" => ChunkKind::Style,
        "wasm" => ChunkKind::Wasm,
        _ => ChunkKind::Asset,
    }
}

/// Lower case, without the dot; empty when there is none.
pub fn extension(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.')
        .map_or_else(String::new, |(_, end)| end.to_ascii_lowercase())
}

/// At most three names, then how many more.
pub fn named(files: &[String]) -> String {
    let shown = files.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
    match files.len().saturating_sub(3) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
