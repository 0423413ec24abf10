//! What is served at one moment: the pointer as it was read, and the files of its builds.
//!
//! A snapshot is replaced as a whole. Since `release.json` is served from it, too, every page sees a release together
//! with its files. [`Reader`] makes snapshots. It blocks, so it needs a thread that may.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use changeover::engine::manifest::{ChunkKind, Manifest};
use changeover::engine::release::{BuildRef, Release};

use super::arriving::{Arriving, Missing};
use super::hashed_names::bundled_hash;
use super::representation::Representation;
use super::stamp::Stamp;
use super::unready::{Lack, Unready};
use crate::error::{At, Error};
use crate::hash::Fingerprint;
use crate::history::builds_by_recency;
use crate::site::{Site, no_manifest};

/// A consistent state of a site.
#[derive(Debug)]
pub struct Snapshot {
    pub pointer: Option<Pointer>,
    /// The live build first, then the retained ones, the most recently released first.
    builds: Vec<Arc<Files>>,
    /// Names that two builds of the snapshot use for different content. They are never immutable.
    ambiguous: HashSet<String>,
    /// The path where the live build would have its own folder, if it was made by hand and has none yet.
    pub unadopted: Option<PathBuf>,
    /// The integrity of each manifest that a release names, by the path below `changeover/`.
    manifests: HashMap<String, Option<String>>,
    /// The stamps of the folders that the history depends on, from before it was read.
    pub folders: Vec<Option<Stamp>>,
    /// The path under which the site is mounted, with a slash at both ends.
    pub base: String,
}

/// The live release, parsed and as bytes.
#[derive(Debug)]
pub struct Pointer {
    pub release: Release,
    pub representation: Arc<Representation>,
    pub stamp: Stamp,
}

/// The files of one build.
#[derive(Debug)]
pub struct Files {
    id: String,
    base: String,
    pub root: Arc<Path>,
    pub facts: HashMap<String, Fact>,
}

/// What a manifest says about a file.
#[derive(Debug)]
pub struct Fact {
    pub file: Arc<Path>,
    pub integrity: Arc<str>,
    pub size: u64,
    pub is_document: bool,
    /// Whether it is code, a style or a document.
    pub is_essential: bool,
    /// Whether the bundler named it after its content.
    hashed: bool,
}

/// A file to serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub file: Arc<Path>,
    /// The folder that links in its path must not leave.
    pub within: Arc<Path>,
    /// The hash from the manifest.
    pub integrity: Option<Arc<str>>,
    /// Whether the name will never have other bytes than these.
    pub immutable: bool,
    /// Whether two builds have different bytes under this name, so that not even a hash in it proves anything.
    pub ambiguous: bool,
}

impl Snapshot {
    /// The snapshot of a site without a release.
    pub fn empty() -> Self {
        Self {
            pointer: None,
            builds: Vec::new(),
            ambiguous: HashSet::new(),
            unadopted: None,
            manifests: HashMap::new(),
            folders: Vec::new(),
            base: "/".into(),
        }
    }

    /// An asset by name: from the live build, else from the most recent build that has it.
    pub fn asset(&self, path: &str) -> Option<Found> {
        let (files, fact) = self
            .builds
            .iter()
            .find_map(|files| Some((files, files.facts.get(path)?)))?;
        if fact.is_document {
            return None;
        }
        Some(files.found(fact, self.ambiguous.contains(path)))
    }

    /// A document of the live build. One of an older build would start new tabs on that build.
    pub fn document(&self, path: &str) -> Option<Found> {
        let live = self.live()?;
        let fact = live.facts.get(path).filter(|fact| fact.is_document)?;
        Some(live.found(fact, true))
    }

    /// Whether the live build has its own folder by now, which may still be incomplete.
    pub fn is_half_adopted(&self) -> bool {
        self.unadopted.as_ref().is_some_and(|own| own.is_dir())
    }

    /// Whether any build of the snapshot has a file of this name, served or not.
    pub fn knows(&self, path: &str) -> bool {
        self.builds
            .iter()
            .any(|files| files.facts.contains_key(path))
    }

    /// The manifest at `path` below `changeover/`.
    pub fn manifest(&self, site: &Site, path: &str) -> Found {
        let integrity = self.manifests.get(path).cloned().flatten().map(Arc::from);
        Found {
            file: site.guard().join(path).into(),
            within: site.guard().into(),
            // Named by the id of its build, which never changes.
            immutable: integrity.is_some() && path.starts_with("builds/"),
            ambiguous: true,
            integrity,
        }
    }

    fn live(&self) -> Option<&Arc<Files>> {
        self.pointer.as_ref().and(self.builds.first())
    }
}

impl Files {
    fn found(&self, fact: &Fact, ambiguous: bool) -> Found {
        Found {
            file: fact.file.clone(),
            within: self.root.clone(),
            integrity: Some(fact.integrity.clone()),
            immutable: fact.hashed && !ambiguous,
            ambiguous,
        }
    }

    fn of(root: &Path, manifest: &Manifest) -> Self {
        let hashes = hashes(manifest);
        let chunks = manifest.chunks.iter().map(|(path, chunk)| {
            let fact = Fact {
                file: root.join(path).into(),
                integrity: chunk.integrity.as_str().into(),
                size: chunk.size,
                is_document: false,
                is_essential: match chunk.kind {
                    ChunkKind::Script | ChunkKind::Style | ChunkKind::Wasm => true,
                    ChunkKind::Asset => false,
                },
                hashed: hashes.contains(path.as_str()),
            };
            (path.clone(), fact)
        });
        let documents = manifest.documents.iter().map(|(path, document)| {
            let fact = Fact {
                file: root.join(path).into(),
                integrity: document.integrity.as_str().into(),
                size: document.size,
                is_document: true,
                is_essential: true,
                hashed: false,
            };
            (path.clone(), fact)
        });
        Self {
            id: manifest.id.0.clone(),
            base: mount_of(&manifest.base),
            facts: chunks.chain(documents).collect(),
            root: root.into(),
        }
    }
}

/// The files of a manifest that are named after their content. A part that several names share is the id of a commit or
/// a version, and not a hash.
fn hashes(manifest: &Manifest) -> HashSet<&str> {
    let mut found: Vec<(&str, &str, &str)> = Vec::new();
    let mut before: HashMap<&str, Option<&str>> = HashMap::new();
    for (path, chunk) in manifest.chunks.iter() {
        if let Some(hash) = bundled_hash(path, &chunk.id) {
            let stem = path.split(hash).next().unwrap_or_default();
            found.push((path, hash, stem));
            before
                .entry(hash)
                // A script, its map and its style may share the hash of their chunk.
                .and_modify(|one| *one = one.filter(|one| *one == stem))
                .or_insert(Some(stem));
        }
    }
    found
        .into_iter()
        .filter(|(_, hash, _)| before[hash].is_some())
        .map(|(path, _, _)| path)
        .collect()
}

/// Makes snapshots, and remembers builds that do not have to be read again.
#[derive(Debug)]
pub struct Reader {
    site: Site,
    known: BTreeMap<String, Arc<Files>>,
    /// The build whose files were found to be complete.
    complete: Option<String>,
    arriving: Arriving,
}

impl Reader {
    pub fn new(site: Site) -> Self {
        Self {
            site,
            known: BTreeMap::new(),
            complete: None,
            arriving: Arriving::default(),
        }
    }

    /// The snapshot of the release on disk, once all of its files are there; `Ok(None)` without a pointer. Without a
    /// `shown` release there is nothing else to serve, so then the manifest is enough.
    pub fn read(&mut self, shown: Option<&Release>) -> Result<Option<Snapshot>, Unready> {
        let path = self.site.pointer();
        // Before the bytes are read: if they change meanwhile, the next check finds another stamp and reads again.
        let stamp = match Stamp::of(&path) {
            Ok(stamp) => stamp,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("read", &path, &error).into()),
        };
        let folders = folders(&self.site);
        let body = fs::read(&path).at("read", &path)?;
        let release = release_of(&body, &path)?;
        let mut manifests = HashMap::new();
        let live = self.files(&release.build)?;
        if self.complete.as_ref() != Some(&live.id)
            && let Some(missing) = self.missing(&live)
        {
            let is_shown = shown.is_none_or(|shown| shown.build.id == release.build.id);
            if !is_shown && !self.arriving.is_over(&live.id, &missing) {
                return Err(Unready::Waiting(Lack::Files, missing.sentence(&live.id)));
            }
            if shown.is_none() || !is_shown {
                missing.warn(&live.id);
            }
        }
        manifests.extend(named(&release.build));
        let mut builds = vec![live];
        let other = release
            .rollout
            .as_ref()
            .and_then(|rollout| rollout.otherwise.as_ref());
        if let Some(other) = other {
            builds.push(self.files(other)?);
            manifests.extend(named(other));
        }
        let history = self.site.history(Some(&release))?;
        for entry in builds_by_recency(&history) {
            if builds.iter().any(|files| files.id == entry.build)
                || !self.site.files(&entry.build).is_dir()
            {
                continue;
            }
            // A missing manifest of an older build does not delay the live one.
            if let Some(files) = self.retained(&entry.build, &entry.release)? {
                let named = (entry.release.build.id.0 == entry.build)
                    .then(|| entry.release.build.integrity.clone());
                manifests
                    .entry(format!("builds/{}.json", entry.build))
                    .or_insert_with(|| named.flatten());
                builds.push(files);
            }
        }
        self.known
            .retain(|id, _| builds.iter().any(|files| files.id == *id));
        self.complete = self
            .known
            .contains_key(&builds[0].id)
            .then(|| builds[0].id.clone());
        Ok(Some(Snapshot {
            ambiguous: ambiguous(&builds),
            unadopted: Some(self.site.files(&builds[0].id)).filter(|own| **own != *builds[0].root),
            base: builds[0].base.clone(),
            builds,
            manifests,
            folders,
            pointer: Some(Pointer {
                representation: Arc::new(Representation::of_json(body)),
                release,
                stamp,
            }),
        }))
    }

    /// A build never changes, so it is read once. One without its own folder was made by hand and may change.
    fn files(&mut self, build: &BuildRef) -> Result<Arc<Files>, Unready> {
        if let Some(files) = self.known.get(&build.id.0) {
            return Ok(files.clone());
        }
        let Some(manifest) = &build.manifest else {
            return Err(Unready::Refused(no_manifest(build)));
        };
        let path = self.site.guard().join(manifest);
        let manifest = manifest_of(&path, &build.id.0, build.integrity.as_deref())?;
        let own = self.site.files(&build.id.0);
        // A site made by hand has its files only outside `changeover/`, and a copy may bring the folder file by file.
        let by_hand = Files::of(self.site.root(), &manifest);
        if !own.is_dir() {
            return Ok(self.remember(by_hand));
        }
        let files = Files::of(&own, &manifest);
        let is_whole = self.missing(&files).is_none() || self.missing(&by_hand).is_some();
        Ok(self.remember(if is_whole { files } else { by_hand }))
    }

    fn missing(&mut self, files: &Files) -> Option<Missing> {
        let is_own = *files.root != *self.site.root();
        self.arriving.missing(files, is_own)
    }

    fn retained(&mut self, id: &str, release: &Release) -> Result<Option<Arc<Files>>, Unready> {
        if let Some(files) = self.known.get(id) {
            return Ok(Some(files.clone()));
        }
        let integrity = release
            .build
            .integrity
            .as_deref()
            .filter(|_| release.build.id.0 == id);
        let path = self.site.manifest_file(id);
        match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("read", &path, &error).into()),
            Ok(_) => {}
        }
        match manifest_of(&path, id, integrity) {
            Ok(manifest) => {
                let files = Files::of(&self.site.files(id), &manifest);
                Ok(Some(self.remember(files)))
            }
            Err(Unready::Failed(error)) => Err(Unready::Failed(error)),
            Err(Unready::Waiting(..) | Unready::Unfinished(_) | Unready::Refused(_)) => Ok(None),
        }
    }

    fn remember(&mut self, files: Files) -> Arc<Files> {
        let files = Arc::new(files);
        if *files.root == *self.site.files(&files.id) {
            self.known.insert(files.id.clone(), files.clone());
        }
        files
    }
}

/// The stamps of the folders of builds and history, which change with every publish or copy.
pub fn folders(site: &Site) -> Vec<Option<Stamp>> {
    ["releases", "files", "builds"]
        .map(|name| Stamp::of(&site.guard().join(name)).ok())
        .into()
}

fn release_of(body: &[u8], path: &Path) -> Result<Release, Unready> {
    Release::parse(&String::from_utf8_lossy(body)).map_err(|error| {
        let code = if error.code() == "unknown_format" {
            "release-newer"
        } else {
            "release-invalid"
        };
        let sentence = format!("{} cannot be used: {error}", path.display());
        Unready::unparsed(body, Error::new(code, sentence))
    })
}

fn manifest_of(path: &Path, build: &str, integrity: Option<&str>) -> Result<Manifest, Unready> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Unready::Waiting(
                Lack::Manifest,
                format!(
                    "the manifest of build {build}, which is not at {} yet",
                    path.display()
                ),
            ));
        }
        Err(error) => return Err(Error::io("read", path, &error).into()),
    };
    let is_it = match integrity {
        Some(named) => {
            let print = Fingerprint::like(named, &mut bytes.as_slice()).at("read", path)?;
            if print.integrity != named {
                return Err(Unready::Waiting(
                    Lack::Manifest,
                    format!(
                        "the manifest of build {build}: {} does not have the bytes that release.json names",
                        path.display()
                    ),
                ));
            }
            true
        }
        None => false,
    };
    let invalid = |why: String| Error::new("manifest-invalid", why);
    let manifest = Manifest::parse(&String::from_utf8_lossy(&bytes)).map_err(|error| {
        let error = invalid(format!("{} cannot be used: {error}", path.display()));
        match Unready::unparsed(&bytes, error) {
            Unready::Unfinished(error) if !is_it => Unready::Waiting(
                Lack::Manifest,
                format!("the rest of the manifest of build {build}: {error}"),
            ),
            Unready::Unfinished(error) => Unready::Refused(error),
            other => other,
        }
    })?;
    if manifest.id.0 == build {
        return Ok(manifest);
    }
    let sentence = format!(
        "{} describes build {}, not {build}",
        path.display(),
        manifest.id.0
    );
    Err(if is_it {
        Unready::Refused(invalid(sentence))
    } else {
        Unready::Waiting(
            Lack::Manifest,
            format!("the manifest of build {build}: {sentence}"),
        )
    })
}

/// The path and the integrity of a manifest in a release.
fn named(build: &BuildRef) -> Option<(String, Option<String>)> {
    Some((build.manifest.clone()?, build.integrity.clone()))
}

fn ambiguous(builds: &[Arc<Files>]) -> HashSet<String> {
    let mut first: HashMap<&str, &str> = HashMap::new();
    let mut ambiguous = HashSet::new();
    for files in builds {
        for (path, fact) in &files.facts {
            if **first.entry(path).or_insert(&fact.integrity) != *fact.integrity {
                ambiguous.insert(path.clone());
            }
        }
    }
    ambiguous
}

/// The path of a manifest's base. A base on another origin is only for assets, so the site itself is at `/`.
fn mount_of(base: &str) -> String {
    let inner = base.trim_matches('/');
    if !base.starts_with('/') || inner.is_empty() {
        "/".into()
    } else {
        format!("/{inner}/")
    }
}
