//! What is served at one moment: the pointer as it was read, and every file that follows from it.
//!
//! A view is replaced as a whole when the pointer file changes. Since `release.json` itself is answered from the view,
//! nobody sees a release before its files or files before their release.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use changeover::engine::manifest::Manifest;
use changeover::engine::release::Release;

use crate::error::{At, Result};
use crate::hash::Fingerprint;
use crate::serve::names::looks_hashed;
use crate::site::{Site, builds_by_recency};

/// A consistent picture of a site.
#[derive(Debug, Default)]
pub struct View {
    pub pointer: Option<Pointer>,
    /// The live build first, then the retained ones, the most recently released first.
    builds: Vec<Arc<Files>>,
    /// Names that two builds of the view use with different content: never immutable, whatever they look like.
    ambiguous: std::collections::HashSet<String>,
    /// Where the live build would have a folder of its own, if it was made by hand and has none yet.
    unadopted: Option<PathBuf>,
    /// The path under which the site is mounted, with a slash at both ends.
    pub base: String,
}

/// The live release, parsed and as bytes.
#[derive(Debug)]
pub struct Pointer {
    pub release: Release,
    pub body: Bytes,
    pub etag: String,
    modified: Stamp,
}

/// The files of one build.
#[derive(Debug)]
struct Files {
    id: String,
    base: String,
    root: PathBuf,
    facts: HashMap<String, Fact>,
}

#[derive(Debug)]
struct Fact {
    integrity: String,
    is_document: bool,
    /// The bundler named it after its content.
    hashed: bool,
}

/// A file that a view answers with.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    pub file: PathBuf,
    /// Strong: it follows from the content.
    pub etag: String,
    pub immutable: bool,
}

/// What changes when a file is replaced by rename.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    size: u64,
    modified: Option<SystemTime>,
}

impl View {
    /// An asset by name: in the live build, else in the build that had it last.
    pub fn asset(&self, path: &str) -> Option<Found> {
        let (files, fact) = self
            .builds
            .iter()
            .find_map(|files| Some((files, files.facts.get(path)?)))?;
        if fact.is_document {
            return None;
        }
        Some(files.found(path, fact, fact.hashed && !self.ambiguous.contains(path)))
    }

    /// A document of the live build: one of an older build would start new tabs on an old build.
    pub fn document(&self, path: &str) -> Option<Found> {
        let live = self.live()?;
        let fact = live.facts.get(path).filter(|fact| fact.is_document)?;
        Some(live.found(path, fact, false))
    }

    /// Whether any build of the view has a file of this name, served or not.
    pub fn knows(&self, path: &str) -> bool {
        self.builds
            .iter()
            .any(|files| files.facts.contains_key(path))
    }

    fn live(&self) -> Option<&Arc<Files>> {
        self.pointer.as_ref().and(self.builds.first())
    }
}

impl Files {
    fn found(&self, path: &str, fact: &Fact, immutable: bool) -> Found {
        Found {
            file: self.root.join(path),
            etag: etag_of(&fact.integrity),
            immutable,
        }
    }

    fn of(site: &Site, manifest: &Manifest) -> Self {
        let own = site.files(&manifest.id.0);
        // A site made by hand has its files only in the static view.
        let root = if own.is_dir() {
            own
        } else {
            site.root().to_path_buf()
        };
        let chunks = manifest.chunks.iter().map(|(path, chunk)| {
            let fact = Fact {
                integrity: chunk.integrity.clone(),
                is_document: false,
                hashed: looks_hashed(path, &chunk.id),
            };
            (path.clone(), fact)
        });
        let documents = manifest.documents.iter().map(|(path, document)| {
            let fact = Fact {
                integrity: document.integrity.clone(),
                is_document: true,
                hashed: false,
            };
            (path.clone(), fact)
        });
        Self {
            id: manifest.id.0.clone(),
            base: mount_of(&manifest.base),
            facts: chunks.chain(documents).collect(),
            root,
        }
    }
}

/// Keeps the current view of a site; shared by all requests.
#[derive(Debug)]
pub struct Views {
    site: Site,
    current: Mutex<Arc<View>>,
    /// The last pointer that could not be used, so that it is reported once.
    refused: Mutex<Option<Stamp>>,
    known: Mutex<BTreeMap<String, Arc<Files>>>,
}

impl Views {
    /// Errors: a pointer that is there but cannot be used, or whose manifest cannot.
    pub fn new(site: Site) -> Result<Self> {
        let views = Self {
            site,
            current: Mutex::new(Arc::new(View {
                base: "/".into(),
                ..View::default()
            })),
            refused: Mutex::new(None),
            known: Mutex::new(BTreeMap::new()),
        };
        if let Some(view) = views.read()? {
            *lock(&views.current) = Arc::new(view);
        }
        Ok(views)
    }

    pub fn site(&self) -> &Site {
        &self.site
    }

    /// The view that belongs to the pointer on disk. While that cannot be used, the last one that could.
    pub fn current(&self) -> Arc<View> {
        // Held throughout: two requests must not install views in the wrong order.
        let mut current = lock(&self.current);
        let on_disk = stamp(&self.site.pointer());
        let in_view = current
            .pointer
            .as_ref()
            .map(|pointer| pointer.modified.clone());
        let adopted = current
            .unadopted
            .as_ref()
            .is_some_and(|folder| folder.is_dir());
        let unchanged = on_disk == in_view && !adopted;
        if unchanged || on_disk.is_none() || *lock(&self.refused) == on_disk {
            return current.clone();
        }
        match self.read() {
            Ok(Some(view)) => *current = Arc::new(view),
            Ok(None) => {}
            Err(error) => {
                eprintln!("warning: {error}; the release before stays served");
                *lock(&self.refused) = on_disk;
            }
        }
        current.clone()
    }

    fn read(&self) -> Result<Option<View>> {
        let path = self.site.pointer();
        // Before the bytes: if it changes in between, the next look finds another stamp and reads again.
        let Some(modified) = stamp(&path) else {
            return Ok(None);
        };
        let body = fs::read(&path).at("read", &path)?;
        let Some(release) = self.site.live()? else {
            return Ok(None);
        };
        if Release::parse(&String::from_utf8_lossy(&body))
            .ok()
            .as_ref()
            != Some(&release)
        {
            // It moved between the two reads.
            return self.read();
        }
        let manifest_place = self.site.guard().join(&release.build.manifest);
        let mut builds = vec![self.files(&manifest_place, &release.build.id.0)?];
        if let Some(other) = release
            .rollout
            .as_ref()
            .and_then(|rollout| rollout.otherwise.as_ref())
        {
            builds.extend(self.files(&self.site.guard().join(&other.manifest), &other.id.0));
        }
        let history = self.site.history(Some(&release))?;
        for entry in builds_by_recency(&history) {
            if builds.iter().all(|files| files.id != entry.build)
                && self.site.files(&entry.build).is_dir()
            {
                builds.extend(self.files(&self.site.manifest_file(&entry.build), &entry.build));
            }
        }
        lock(&self.known).retain(|id, _| builds.iter().any(|files| files.id == *id));
        Ok(Some(View {
            ambiguous: ambiguous(&builds),
            unadopted: Some(self.site.files(&builds[0].id)).filter(|own| *own != builds[0].root),
            base: builds[0].base.clone(),
            builds,
            pointer: Some(Pointer {
                etag: etag_of(&Fingerprint::of(&body).integrity),
                body: body.into(),
                release,
                modified,
            }),
        }))
    }

    /// A build never changes, so it is read once; one without a folder of its own is made by hand and may.
    fn files(&self, manifest: &Path, id: &str) -> Result<Arc<Files>> {
        if let Some(files) = lock(&self.known).get(id) {
            return Ok(files.clone());
        }
        let files = Arc::new(Files::of(&self.site, &self.site.manifest_at(manifest, id)?));
        if self.site.files(id).is_dir() {
            lock(&self.known).insert(id.to_owned(), files.clone());
        }
        Ok(files)
    }
}

fn ambiguous(builds: &[Arc<Files>]) -> std::collections::HashSet<String> {
    let mut first: HashMap<&str, &str> = HashMap::new();
    let mut ambiguous = std::collections::HashSet::new();
    for files in builds {
        for (path, fact) in &files.facts {
            if *first.entry(path).or_insert(&fact.integrity) != fact.integrity {
                ambiguous.insert(path.clone());
            }
        }
    }
    ambiguous
}

/// The path part of a manifest's base; a base on another origin concerns only the assets, so the site itself is at `/`.
fn mount_of(base: &str) -> String {
    let inner = base.trim_matches('/');
    if !base.starts_with('/') || inner.is_empty() {
        "/".into()
    } else {
        format!("/{inner}/")
    }
}

/// Enough of the hash to tell any two files apart.
pub fn etag_of(integrity: &str) -> String {
    let hash = integrity
        .split_once('-')
        .map_or(integrity, |(_, hash)| hash);
    format!("\"{}\"", &hash[..hash.len().min(22)])
}

fn stamp(path: &Path) -> Option<Stamp> {
    let found = fs::metadata(path).ok()?;
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(&found);
    #[cfg(not(unix))]
    let inode = 0;
    Some(Stamp {
        inode,
        size: found.len(),
        modified: found.modified().ok(),
    })
}

/// A panic elsewhere must not stop the server; the values are replaced whole, so they are never half written.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
