//! A build as it will be published: read from a dist folder, described by a manifest, stamped with its id.
//!
//! Where the description comes from, best first: our own manifest that the bundler plugin left in
//! `changeover/builds/`, a Vite manifest, or nothing but the files. All of it happens before anything is written.

mod bare;
mod base;
mod ours;
mod vite;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use changeover::engine::format::is_id;
use changeover::engine::io::BuildId;
use changeover::engine::manifest::{ChunkKind, Commit, Document, MANIFEST_LIMIT, Manifest, Store};
use changeover::engine::names::Names;

use crate::error::{At, Error, Result};
use crate::git;
use crate::hash::{Fingerprint, build_id};
use crate::html::{Claim, Page};
use crate::stores;
use crate::time::{rfc3339, unix_now};
use crate::walk::{self, Listing};

/// A build, complete and consistent, not yet on any server.
#[derive(Debug)]
pub struct Build {
    pub manifest: Manifest,
    /// The exact bytes to publish; a bundler's manifest is passed on as it is.
    pub manifest_bytes: Vec<u8>,
    /// Every file, documents included, by path.
    pub files: BTreeMap<String, Content>,
    pub described_by: Description,
    pub notes: Vec<Note>,
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
    /// Documents: they may carry a stamp that the file on disk does not have.
    Memory(Vec<u8>),
}

/// Who knew the chunk graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Description {
    Ours,
    Vite,
    Bare,
}

impl Description {
    pub fn code(self) -> &'static str {
        match self {
            Self::Ours => "changeover",
            Self::Vite => "vite",
            Self::Bare => "bare",
        }
    }
}

/// Something worth a sentence that is not an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub code: &'static str,
    pub text: String,
    /// The files it is about; the text may name fewer.
    pub files: Vec<String>,
}

/// Endings of files that static hosts answer with in place of the file without them.
const TWINS: [&str; 3] = [".gz", ".br", ".zst"];

/// What the caller knows that the dist may not say.
#[derive(Clone, Debug, Default)]
pub struct Hints {
    pub app: Option<String>,
    /// Used when neither the caller nor the dist names the app.
    pub fallback_app: Option<String>,
    pub base: Option<String>,
    /// The file that says what the stores are, in place of the one in the dist.
    pub stores: Option<PathBuf>,
}

/// The files before they are described; documents still without their final stamp.
struct Raw {
    listing: Listing,
    /// Everything but documents.
    prints: BTreeMap<String, Fingerprint>,
    documents: BTreeMap<String, Vec<u8>>,
}

impl Build {
    /// Reads a dist. Nothing is written anywhere.
    ///
    /// Errors: `dist-missing`, `dist-not-a-folder`, `no-index`, `file-name`, `link-*`, `manifest-*`, `build-id-*`, `stores-*`, …
    pub fn read(dist: &Path, hints: &Hints) -> Result<Self> {
        let raw = Raw::read(dist)?;
        let mut notes = raw.notes();
        let claimed = raw.claimed_build()?;
        let stores = hints.stores.as_ref().or(raw.listing.stores.as_ref());
        let stores = stores.map(|path| stores::read(path)).transpose()?;
        let mut build = match ours::find(dist, &raw)? {
            Some(found) => ours::build(raw, found, claimed, hints, stores)?,
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
        Ok(build)
    }

    pub fn id(&self) -> &str {
        &self.manifest.id.0
    }
}

/// Describes a dist that has no manifest of ours.
fn described(
    raw: Raw,
    graph: Option<vite::Graph>,
    claimed: Option<String>,
    dist: &Path,
    hints: &Hints,
    stores: Names<Store>,
) -> Result<Build> {
    let id = claimed.unwrap_or_else(|| raw.content_id(&stores));
    let index = Page::parse(&raw.documents["index.html"]);
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
            bare::describe(&mut manifest, &raw, &index, &base);
            Description::Bare
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
        .map(|(path, bytes)| (path.clone(), Page::parse(bytes).stamped(&id)))
        .collect();
    Ok(raw.finish(manifest, stamped, described_by))
}

impl Raw {
    fn read(dist: &Path) -> Result<Self> {
        match fs::metadata(dist) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(Error::new(
                    "dist-missing",
                    format!("there is no folder {}; build the app first", dist.display()),
                ));
            }
            Err(error) => return Err(Error::io("open", dist, &error)),
            Ok(kind) if !kind.is_dir() => {
                return Err(Error::new(
                    "dist-not-a-folder",
                    format!(
                        "{} is a file; publish takes the folder with index.html",
                        dist.display()
                    ),
                ));
            }
            Ok(_) => {}
        }
        let listing = walk::list(dist)?;
        if !listing.files.contains_key("index.html") {
            return Err(Error::new(
                "no-index",
                format!(
                    "{} has no index.html, so it is not the dist of a single-page app; publish the folder that the bundler writes",
                    dist.display()
                ),
            ));
        }
        let (mut prints, mut documents) = (BTreeMap::new(), BTreeMap::new());
        for (path, real) in &listing.files {
            if is_document(path) {
                documents.insert(path.clone(), fs::read(real).at("read", real)?);
            } else {
                prints.insert(path.clone(), Fingerprint::of_file(real).at("read", real)?);
            }
        }
        Ok(Self {
            listing,
            prints,
            documents,
        })
    }

    /// What all documents together say which build they are; one answer or an error.
    fn claimed_build(&self) -> Result<Option<String>> {
        let mut claimed: Option<(String, &str)> = None;
        for (path, bytes) in &self.documents {
            let Claim::Build(id) = Page::parse(bytes).claim() else {
                continue;
            };
            if !is_id(&id) {
                return Err(Error::new(
                    "build-id-invalid",
                    format!(
                        "{path} says it is build {id:?}; an id has 1 to 64 letters, digits, '.', '_' or '-'"
                    ),
                ));
            }
            match &claimed {
                Some((other, at)) if *other != id => {
                    return Err(Error::new(
                        "build-id-mixed",
                        format!(
                            "{at} says it is build {other}, but {path} says it is build {id}; a dist is one build"
                        ),
                    ));
                }
                _ => claimed = Some((id, path)),
            }
        }
        Ok(claimed.map(|(id, _)| id))
    }

    /// The id that the content itself gives: the hash of all files, documents without their stamp, and of what the
    /// stores are, since a build never changes what it says about them.
    fn content_id(&self, stores: &Names<Store>) -> String {
        let stores =
            stores::identity(stores).map(|text| Fingerprint::of(text.as_bytes()).integrity);
        let documents: Vec<_> = self
            .documents
            .iter()
            .map(|(path, bytes)| (path, Fingerprint::of(&Page::parse(bytes).unstamped())))
            .collect();
        build_id(
            self.prints
                .iter()
                // Compressed twins follow the stamp, so they cannot be part of what it is made from.
                .filter(|(path, _)| !self.is_twin(path))
                .chain(documents.iter().map(|(path, print)| (*path, print)))
                .map(|(path, print)| (path.as_str(), print.integrity.as_str()))
                .chain(stores.iter().map(|hash| (stores::FILE, hash.as_str()))),
        )
    }

    /// Whether `path` is a document compressed ahead of time.
    fn is_twin(&self, path: &str) -> bool {
        TWINS.iter().any(|ending| {
            path.strip_suffix(ending)
                .is_some_and(|document| self.documents.contains_key(document))
        })
    }

    fn notes(&self) -> Vec<Note> {
        let mut notes = Vec::new();
        let hidden: Vec<_> = self
            .listing
            .hidden
            .iter()
            .filter(|path| *path != ".vite")
            .cloned()
            .collect();
        if !hidden.is_empty() {
            notes.push(Note {
                code: "hidden-skipped",
                text: format!("hidden files are not published: {}", named(&hidden)),
                files: hidden,
            });
        }
        if Page::parse(&self.documents["index.html"]).claim() == Claim::Silent {
            notes.push(Note {
                code: "no-tag",
                text: "index.html has no changeover tag (<script src data-release>), so its pages learn their build only \
                       from the option `build`; without either they are left alone"
                    .into(),
                files: vec!["index.html".into()],
            });
        }
        notes
    }

    /// Joins the manifest, the final documents and the files into a build.
    fn finish(
        mut self,
        mut manifest: Manifest,
        documents: BTreeMap<String, Vec<u8>>,
        described_by: Description,
    ) -> Build {
        let notes = self.drop_stale_twins(&mut manifest, &documents);
        let mut files = self.assets();
        manifest.documents.clear();
        for (path, bytes) in documents {
            let content = Content::in_memory(bytes);
            let document = Document {
                integrity: content.print.integrity.clone(),
                size: content.print.size,
            };
            manifest.documents.insert(path.clone(), document);
            files.insert(path, content);
        }
        Build {
            manifest_bytes: manifest.to_json().into_bytes(),
            manifest,
            files,
            described_by,
            notes,
        }
    }

    /// The dist is exactly what `manifest` says: every byte is published as it is.
    fn finish_untouched(self, manifest: Manifest) -> Build {
        let mut files = self.assets();
        for (path, bytes) in self.documents {
            files.insert(path, Content::in_memory(bytes));
        }
        Build {
            manifest_bytes: manifest.to_json().into_bytes(),
            manifest,
            files,
            described_by: Description::Ours,
            notes: Vec::new(),
        }
    }

    fn assets(&self) -> BTreeMap<String, Content> {
        self.prints
            .iter()
            .map(|(path, print)| {
                let source = Source::Disk(self.listing.files[path].clone());
                let print = print.clone();
                (path.clone(), Content { source, print })
            })
            .collect()
    }

    /// A compressed twin of a document that gets another stamp would be the document without it.
    fn drop_stale_twins(
        &mut self,
        manifest: &mut Manifest,
        documents: &BTreeMap<String, Vec<u8>>,
    ) -> Vec<Note> {
        let mut dropped = Vec::new();
        let restamped = documents
            .iter()
            .filter(|(path, bytes)| self.documents[*path] != **bytes);
        for path in restamped.map(|(path, _)| path).collect::<Vec<_>>() {
            for twin in TWINS.map(|ending| format!("{path}{ending}")) {
                if self.prints.remove(&twin).is_some() {
                    manifest.chunks.remove(&twin);
                    dropped.push(twin);
                }
            }
        }
        if dropped.is_empty() {
            return Vec::new();
        }
        vec![Note {
            code: "twins-dropped",
            text: format!(
                "compressed copies of documents hold them without the id of their build and are not published: {}",
                named(&dropped)
            ),
            files: dropped,
        }]
    }
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

/// What a file is, by the end of its name.
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

/// What an app is called when nobody named it.
pub const NAMELESS: &str = "app";

/// The caller's word, what the site serves already, the package around the dist, `app`.
fn app_name(dist: &Path, hints: &Hints) -> String {
    hints
        .app
        .clone()
        .or_else(|| hints.fallback_app.clone())
        .or_else(|| id_of_name(package_json(dist)?.get("name")?.as_str()?))
        .unwrap_or_else(|| NAMELESS.into())
}

/// `@shop/web` becomes `shop-web`, as in the bundler plugin.
fn id_of_name(name: &str) -> Option<String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let mut id = String::new();
    for part in name.split(|c| !allowed(c)).filter(|part| !part.is_empty()) {
        if !id.is_empty() {
            id.push('-');
        }
        id.push_str(part);
    }
    let id: String = id.trim_start_matches(['-', '.']).chars().take(64).collect();
    is_id(&id).then_some(id)
}

/// The `package.json` in the dist or one of the two folders above it: where bundlers are run.
fn package_json(dist: &Path) -> Option<serde_json::Value> {
    let dist = dist.canonicalize().ok()?;
    dist.ancestors().take(3).find_map(|folder| {
        let text = fs::read_to_string(folder.join("package.json")).ok()?;
        serde_json::from_str(&text).ok()
    })
}
