//! A build as it will be published: read from a dist folder, described by a manifest, stamped with its id.
//!
//! Where the description comes from, best first: our own manifest that the bundler plugin left in
//! `changeover/builds/`, a Vite manifest, or nothing but the files. All of it happens before anything is written.

mod base;
mod hashes;
mod own_manifest;
mod plain;
mod seal;
mod vite;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use changeover::{
    engine::{
        format::is_id,
        manifest::{ChunkKind, Commit, Document, MANIFEST_LIMIT, Manifest, Store},
        names::Names,
        release::Release,
    },
    ids::BuildId,
};

use crate::{
    error::{At, Error, Result},
    git,
    hash::{Fingerprint, build_id},
    html::{self, Claim, Page},
    stores,
    time::{rfc3339, unix_now},
    walk::{self, Listing},
};

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
    /// The number of the release that the dist brings along for a plain copy.
    pub release: Option<u64>,
    /// The documents as they lie in the dist.
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
    /// Documents: they may carry a stamp that the file on disk does not have.
    Memory(Vec<u8>),
}

/// Who knew the chunk graph.
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

/// Something worth a sentence that is not an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub code: &'static str,
    pub text: String,
    /// The files it is about; the text may name fewer.
    pub files: Vec<String>,
}

/// Endings of files that static hosts answer with in place of the file without them.
const PRECOMPRESSED: [&str; 3] = [".gz", ".br", ".zst"];

/// The field of a manifest that says who knew the chunk graph, where it was not the bundler plugin.
pub const DESCRIBED_BY: &str = "describedBy";

/// Seconds: a sequence is the time, or counts up from it, so one that is a year ahead of it is a mistake.
const FAR: u64 = 366 * 86_400;

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

    /// Writes the manifest anew, with the fields of the bundler's that this version does not know.
    fn write_manifest(&mut self) {
        let bytes = self.manifest.to_json().into_bytes();
        self.manifest_bytes = match &self.bundled {
            Some(bundled) => own_manifest::with_unknown_fields(&bytes, bundled),
            None => bytes,
        };
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
        .map(|(path, bytes)| (path.clone(), Page::parse(bytes).stamped(&id, None)))
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

    /// The release that the bundler plugin or `changeover stamp` left in the dist, so that a plain copy of it is a deploy.
    /// It is the build's own: a site has its own pointer, with numbers of its own.
    fn release(&self, dist: &Path, notes: &mut Vec<Note>) -> Option<Release> {
        let path = dist.join("changeover/release.json");
        if !self.listing.has_changeover || !path.is_file() {
            return None;
        }
        let read = fs::read_to_string(&path)
            .map_err(|error| error.to_string())
            .and_then(|text| Release::parse(&text).map_err(|error| error.to_string()))
            .and_then(|release| match release.sequence > unix_now() + FAR {
                true => Err(format!(
                    "its sequence {} is further ahead than any clock",
                    release.sequence
                )),
                false => Ok(release),
            });
        read.map_err(|why| {
            notes.push(Note {
                code: "dist-release-ignored",
                text: format!("{} is not taken into account: {why}", path.display()),
                files: Vec::new(),
            });
        })
        .ok()
    }

    /// What is at `path`, document or not.
    fn print(&self, path: &str) -> Option<Fingerprint> {
        let document = self.documents.get(path);
        document
            .map(|bytes| Fingerprint::of(bytes))
            .or_else(|| self.prints.get(path).cloned())
    }

    fn forget(&mut self, paths: &BTreeSet<String>) {
        self.prints.retain(|path, _| !paths.contains(path));
        self.documents.retain(|path, _| !paths.contains(path));
        self.listing.files.retain(|path, _| !paths.contains(path));
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
                // Precompressed documents contain the stamp, so the stamp cannot be made from them.
                .filter(|(path, _)| !self.is_precompressed(path))
                .chain(documents.iter().map(|(path, print)| (*path, print)))
                .map(|(path, print)| (path.as_str(), print.integrity.as_str()))
                .chain(stores.iter().map(|hash| (stores::FILE, hash.as_str()))),
        )
    }

    /// Whether `path` is a document compressed ahead of time.
    fn is_precompressed(&self, path: &str) -> bool {
        PRECOMPRESSED.iter().any(|ending| {
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
        if !self.listing.links_to_hidden.is_empty() {
            let files = self.listing.links_to_hidden.clone();
            notes.push(Note {
                code: "link-to-hidden",
                text: format!("links to hidden files are not published: {}", named(&files)),
                files,
            });
        }
        notes.extend(self.alike());
        let unread: Vec<_> = self
            .documents
            .iter()
            .filter_map(|(path, bytes)| Some((path.clone(), html::unreadable(bytes)?)))
            .collect();
        if let Some((first, why)) = unread.first() {
            notes.push(Note {
                code: "document-unread",
                text: format!("{first} is published as it is, without the id of its build: {why}"),
                files: unread.iter().map(|(path, _)| path.clone()).collect(),
            });
        }
        let index = &self.documents["index.html"];
        if html::unreadable(index).is_none() && Page::parse(index).claim() == Claim::Silent {
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

    /// Names that are one file where upper and lower case are the same, as on macOS and Windows.
    fn alike(&self) -> Option<Note> {
        let mut names: BTreeMap<String, Vec<&String>> = BTreeMap::new();
        for path in self.listing.files.keys() {
            names.entry(path.to_lowercase()).or_default().push(path);
        }
        let files: Vec<_> = names
            .into_values()
            .filter(|paths| paths.len() > 1)
            .flatten()
            .cloned()
            .collect();
        (!files.is_empty()).then(|| Note {
            code: "names-alike",
            text: format!(
                "these names differ in upper and lower case only, so a host on macOS or Windows has one file for them: {}",
                named(&files)
            ),
            files,
        })
    }

    /// Joins the manifest, the documents and the files into a build.
    fn finish(
        self,
        mut manifest: Manifest,
        documents: BTreeMap<String, Vec<u8>>,
        described_by: Description,
    ) -> Build {
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
            notes: Vec::new(),
            release: None,
            originals: self.documents,
            bundled: None,
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

/// The name of an app that was given none.
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
