//! The files of a dist before they are described.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use changeover::engine::format::is_id;
use changeover::engine::manifest::{Document, Manifest, Store};
use changeover::engine::release::Release;
use changeover::ids::Names;

use super::{Build, Content, Description, Note, PRECOMPRESSED, Source, is_document, named};
use crate::error::{At, Error, Result};
use crate::hash::{Fingerprint, build_id};
use crate::html::{self, Claim, HtmlDocument};
use crate::stores;
use crate::time::unix_now;
use crate::walk::{self, Listing};

/// In seconds. Sequences start at the time and count up, so one that is a year ahead is a mistake.
const FAR: u64 = 366 * 86_400;

/// The files of a dist; the documents do not have their final stamp yet.
pub struct Raw {
    pub(super) listing: Listing,
    /// All files except documents.
    pub(super) prints: BTreeMap<String, Fingerprint>,
    pub(super) documents: BTreeMap<String, Vec<u8>>,
}

impl Raw {
    pub(super) fn read(dist: &Path) -> Result<Self> {
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

    /// The release that the bundler plugin or `changeover stamp` wrote into the dist for plain copies. A site has a
    /// pointer and numbers of its own.
    pub(super) fn release(&self, dist: &Path, notes: &mut Vec<Note>) -> Option<Release> {
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

    /// The fingerprint of any file, document or not.
    pub(super) fn print(&self, path: &str) -> Option<Fingerprint> {
        let document = self.documents.get(path);
        document
            .map(|bytes| Fingerprint::of(bytes))
            .or_else(|| self.prints.get(path).cloned())
    }

    pub(super) fn forget(&mut self, paths: &BTreeSet<String>) {
        self.prints.retain(|path, _| !paths.contains(path));
        self.documents.retain(|path, _| !paths.contains(path));
        self.listing.files.retain(|path, _| !paths.contains(path));
    }

    /// The build that the documents claim to be. Errors when two of them differ.
    pub(super) fn claimed_build(&self) -> Result<Option<String>> {
        let mut claimed: Option<(String, &str)> = None;
        for (path, bytes) in &self.documents {
            let Claim::Build(id) = HtmlDocument::parse(bytes).claim() else {
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

    /// An id made from the content: a hash of all files, documents without their stamp, and of the stores, which are
    /// part of what never changes in a build.
    pub(super) fn content_id(&self, stores: &Names<Store>) -> String {
        let stores =
            stores::identity(stores).map(|text| Fingerprint::of(text.as_bytes()).integrity);
        let documents: Vec<_> = self
            .documents
            .iter()
            .map(|(path, bytes)| {
                (
                    path,
                    Fingerprint::of(&HtmlDocument::parse(bytes).unstamped()),
                )
            })
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

    /// Whether `path` is a precompressed document.
    fn is_precompressed(&self, path: &str) -> bool {
        PRECOMPRESSED.iter().any(|ending| {
            path.strip_suffix(ending)
                .is_some_and(|document| self.documents.contains_key(document))
        })
    }

    pub(super) fn notes(&self) -> Vec<Note> {
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
        if html::unreadable(index).is_none() && HtmlDocument::parse(index).claim() == Claim::Silent
        {
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

    /// A note about names that differ only in case: they are one file on macOS and Windows.
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
    pub(super) fn finish(
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
            left_out: Vec::new(),
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
