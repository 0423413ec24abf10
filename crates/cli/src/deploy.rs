//! The steps that make a build live, in the order that keeps every reader safe:
//! the build's own folder, new assets, manifest, colliding assets and documents, history, and last the pointer.
//!
//! [`Locked`] holds the site and knows what is live; [`Locked::begin`] clears what a killed predecessor left behind;
//! [`Deployment::go_live`] makes the writes.

use std::fs;
use std::path::{Path, PathBuf};

use changeover::{
    engine::{
        manifest::{Commit, Manifest},
        release::{BuildRef, Release},
    },
    ids::BuildId,
};

use crate::{
    amend::Draft,
    atomic_write::{AtomicWriter, matches, remove_file, same_bytes},
    build::{Build, Note, Source, named},
    error::{At, Error, Result},
    failpoints::failpoint,
    hash::Fingerprint,
    release_document::ReleaseDocument,
    site::{Entry, Lock, Publication, Site},
    time::{rfc3339, unix_now},
};

/// A site that this process alone may change, and what is live there.
pub struct Locked {
    site: Site,
    _lock: Lock,
    live: Option<ReleaseDocument>,
    /// The pointer names nothing that pages could use, and why.
    damaged: Option<Error>,
    sequence: u64,
}

/// One change of a site, from lock to pointer.
pub struct Deployment {
    locked: Locked,
    history: Vec<Entry>,
    writer: AtomicWriter,
    /// The builds that have a folder, the one being deployed included once it is placed.
    builds: Vec<String>,
    /// Files of no build that had to make room.
    replaced: Vec<String>,
    replaced_folder: PathBuf,
    notes: Vec<Note>,
}

/// What is to be live.
pub enum Contents<'a> {
    /// A build from a dist.
    New {
        build: &'a Build,
        manifest_bytes: &'a [u8],
        /// Builds whose files it may share.
        earlier: &'a [Manifest],
    },
    /// A build that has a folder of its own on the site.
    Kept {
        manifest: &'a Manifest,
        commit: Option<Commit>,
    },
    /// The build that is live.
    Same,
}

/// Who changes the site.
#[derive(Clone, Debug, Default)]
pub struct Who {
    pub by: Option<String>,
}

/// What [`Deployment::go_live`] did.
pub struct GoneLive {
    pub release: ReleaseDocument,
    /// False: exactly this release was live before, and stays.
    pub is_new: bool,
    pub placed: Placed,
    /// Names that an earlier build uses with other content.
    pub colliding: Vec<String>,
    pub notes: Vec<Note>,
    /// Still held, for what follows the pointer.
    pub locked: Locked,
}

/// How many files a publish had to write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Placed {
    /// Copied from the dist.
    pub copied: usize,
    /// Shared with an earlier build.
    pub linked: usize,
    /// There already.
    pub kept: usize,
}

impl Locked {
    /// Waits for the lock. A pointer that pages cannot use counts as none: [`Deployment::go_live`] replaces it.
    ///
    /// Errors: `site-busy`, `release-newer`.
    pub fn new(site: Site) -> Result<Self> {
        let lock = site.lock()?;
        let (live, damaged) = match site.live_document() {
            Ok(live) => (live, None),
            Err(error) if error.code() == "release-invalid" => (None, Some(error)),
            Err(error) => return Err(error),
        };
        let sequence = next_sequence(&site, live.as_deref())?;
        Ok(Self {
            site,
            _lock: lock,
            live,
            damaged,
            sequence,
        })
    }

    /// A site on which something must be live. Errors: `nothing-published`, `site-busy`, `release-*`.
    pub fn published(site: Site) -> Result<Self> {
        let nothing = |site: &Site| {
            Error::new(
                "nothing-published",
                format!(
                    "nothing is published at {}, so there is nothing to change",
                    site.root().display()
                ),
            )
        };
        // Before the lock, which would make a folder in what may be no site at all.
        if site.live()?.is_none() {
            return Err(nothing(&site));
        }
        let locked = Self::new(site)?;
        match &locked {
            Self {
                damaged: Some(error),
                ..
            } => Err(Error::new(error.code(), error.to_string())),
            Self { live: None, .. } => Err(nothing(&locked.site)),
            _ => Ok(locked),
        }
    }

    pub fn site(&self) -> &Site {
        &self.site
    }

    pub fn live(&self) -> Option<&ReleaseDocument> {
        self.live.as_ref()
    }

    /// The number of the release to come, above all before.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// A number from elsewhere that the release to come must be above.
    pub fn go_above(&mut self, sequence: u64) {
        self.sequence = self.sequence.max(sequence + 1);
    }

    /// Settles what killed predecessors left behind and gives a site that was made by hand a history.
    pub fn begin(self) -> Result<Deployment> {
        let site = &self.site;
        let mut deployment = Deployment {
            writer: AtomicWriter::new(site)?,
            builds: site.builds()?,
            replaced: Vec::new(),
            replaced_folder: site.guard().join("replaced").join(unix_now().to_string()),
            history: Vec::new(),
            notes: Vec::new(),
            locked: self,
        };
        deployment.settle_history()?;
        deployment.adopt()?;
        Ok(deployment)
    }
}

impl Deployment {
    pub fn site(&self) -> &Site {
        &self.locked.site
    }

    pub fn live(&self) -> Option<&ReleaseDocument> {
        self.locked.live()
    }

    pub fn sequence(&self) -> u64 {
        self.locked.sequence
    }

    /// Every release that was ever live, oldest first.
    pub fn history(&self) -> &[Entry] {
        &self.history
    }

    /// Makes `contents` live with the release that `change` makes of the one before.
    ///
    /// Errors: `release-invalid`, `dist-changed`, those of `change`, and what the operating system refuses.
    pub fn go_live(
        mut self,
        contents: Contents,
        who: &Who,
        change: impl FnOnce(&mut Draft) -> Result<()>,
    ) -> Result<GoneLive> {
        // Before the first write: a release that cannot be published leaves everything as it is.
        let mut draft = Draft::new(self.live(), self.sequence(), unix_now());
        change(&mut draft)?;
        let (release, notes) = draft.finish()?;

        let mut placed = Placed::default();
        if let Contents::New { build, earlier, .. } = contents {
            placed = self.place_build(build, earlier)?;
        }
        let manifest = match contents {
            Contents::New { build, .. } => Some(&build.manifest),
            Contents::Kept { manifest, .. } => Some(manifest),
            Contents::Same => None,
        };
        let mut colliding = Vec::new();
        let mut documents = 0;
        if let Some(manifest) = manifest {
            colliding = self.place_new_assets(manifest)?;
            if let Contents::New { manifest_bytes, .. } = contents {
                self.place_manifest(&manifest.id.0, manifest_bytes)?;
            }
            documents = self.place_documents(manifest, &colliding)?;
        }
        // Documents that had to be replaced were of a build that a killed publish never made live: its tabs hear of this
        // one only by a release that is newer than the one they were made for.
        let before = self
            .live()
            .filter(|live| documents == 0 && live.says_the_same(&release))
            .cloned();
        let is_new = before.is_none();
        let release = match before {
            Some(live) => live,
            None => {
                let commit = match contents {
                    Contents::New { build, .. } => build.manifest.commit.clone(),
                    Contents::Kept { commit, .. } => commit,
                    Contents::Same => self.commit_of(&release.build.id.0),
                };
                self.place_release(&release, Publication::now(who.by.clone()), commit)?;
                self.notes.extend(notes);
                release
            }
        };
        self.note_replaced();
        Ok(GoneLive {
            release,
            is_new,
            placed,
            colliding,
            notes: std::mem::take(&mut self.notes),
            locked: self.locked,
        })
    }

    fn commit_of(&self, build: &str) -> Option<Commit> {
        self.history
            .iter()
            .rev()
            .find(|entry| entry.build == build)
            .and_then(|entry| entry.commit.clone())
    }

    /// The history of what was live. Entries of publishes that were killed before the pointer moved are removed, and the
    /// mark is made up for that one killed right after it did not make.
    fn settle_history(&mut self) -> Result<()> {
        let mut history = self.site().history(self.locked.live.as_deref())?;
        for entry in self.site().recorded()? {
            let sequence = entry.release.sequence;
            if history
                .iter()
                .all(|known| known.release.sequence != sequence)
            {
                remove_file(&self.site().history_file(sequence))?;
            }
        }
        for entry in history.iter_mut().filter(|entry| !entry.live) {
            entry.live = true;
            self.place_entry(entry)?;
        }
        self.history = history;
        Ok(())
    }

    /// Fills `changeover/files/<id>/`. A folder that a killed publish left incomplete is completed.
    fn place_build(&mut self, build: &Build, donors: &[Manifest]) -> Result<Placed> {
        let folder = self.site().files(build.id());
        let mut placed = Placed::default();
        for (path, content) in &build.files {
            let target = folder.join(path);
            if matches(&target, &content.print)? {
                placed.kept += 1;
            } else if let Some(donor) = self.donor(path, &content.print, build.id(), donors)? {
                self.writer.link(&donor, &target)?;
                placed.linked += 1;
            } else {
                match &content.source {
                    Source::Disk(from) => self.writer.copy(from, &target, &content.print)?,
                    Source::Memory(bytes) => self.writer.write(&target, bytes)?,
                }
                placed.copied += 1;
            }
        }
        self.writer.settle()?;
        if !self.builds.contains(&build.manifest.id.0) {
            self.builds.push(build.id().to_owned());
        }
        failpoint("build placed");
        Ok(placed)
    }

    /// Names of the static view that no earlier build uses with other content. Gives back those that one does.
    fn place_new_assets(&mut self, manifest: &Manifest) -> Result<Vec<String>> {
        let folder = self.site().files(&manifest.id.0);
        let mut colliding = Vec::new();
        for path in manifest.chunks.keys() {
            let (source, target) = (folder.join(path), self.site().root().join(path));
            if !exists(&target) {
                self.writer.link(&source, &target)?;
            } else if !same_bytes(&source, &target)? {
                colliding.push(path.clone());
            }
        }
        self.writer.settle()?;
        failpoint("new assets placed");
        Ok(colliding)
    }

    /// Writes the manifest, unless it is there: a manifest never changes.
    fn place_manifest(&mut self, id: &str, bytes: &[u8]) -> Result<()> {
        let target = self.site().manifest_file(id);
        if !matches(&target, &Fingerprint::of(bytes))? {
            self.writer.write(&target, bytes)?;
        }
        self.writer.settle()?;
        failpoint("manifest placed");
        Ok(())
    }

    /// Replaces what has the same name in every build: colliding assets, then documents, `index.html` last of all.
    /// Gives back how many documents were not there yet.
    fn place_documents(&mut self, manifest: &Manifest, colliding: &[String]) -> Result<usize> {
        let folder = self.site().files(&manifest.id.0);
        let documents = manifest
            .documents
            .keys()
            .filter(|path| *path != "index.html");
        let index = "index.html".to_owned();
        let mut changed = 0;
        for path in colliding.iter().chain(documents).chain([&index]) {
            let (source, target) = (folder.join(path), self.site().root().join(path));
            if same_bytes(&source, &target)? {
                continue;
            }
            if exists(&target) && !self.is_of_a_build(path, &target)? {
                self.writer
                    .link(&target, &self.replaced_folder.join(path))?;
                self.replaced.push(path.clone());
            }
            self.writer.link(&source, &target)?;
            changed += usize::from(manifest.documents.contains_key(path));
        }
        self.writer.settle()?;
        failpoint("documents placed");
        Ok(changed)
    }

    /// The last writes: the history, the pointer that makes everything above visible at once, and the mark that it did.
    fn place_release(
        &mut self,
        release: &ReleaseDocument,
        published: Publication,
        commit: Option<Commit>,
    ) -> Result<()> {
        if let Some(why) = &self.locked.damaged {
            let copy = self.replaced_folder.join("changeover/release.json");
            let text = format!(
                "{why}; it is being replaced, and a copy is kept at {}",
                copy.display()
            );
            self.writer.link(&self.site().pointer(), &copy)?;
            self.notes.push(Note {
                code: "release-replaced",
                text,
                files: Vec::new(),
            });
        }
        let mut entry = Entry {
            live: false,
            build: release.build.id.0.clone(),
            release: release.clone(),
            published,
            commit,
        };
        self.place_entry(&entry)?;
        failpoint("history placed");
        let pointer = self.site().pointer();
        self.writer.write(&pointer, release.to_json().as_bytes())?;
        failpoint("pointer moved");
        self.writer.settle()?;
        entry.live = true;
        self.place_entry(&entry)
    }

    /// Gives the live release of a site that was made by hand a folder and a line in the history, so that its files are
    /// retained and it can be rolled back to. What does not match its own manifest is left alone, with a note.
    fn adopt(&mut self) -> Result<()> {
        let Some(live) = self.live().cloned() else {
            return Ok(());
        };
        let id = &live.build.id.0;
        if self.builds.contains(id) {
            return Ok(());
        }
        let mut refused = |why: String| {
            self.notes.push(Note {
                code: "not-adopted",
                text: format!(
                    "the release that was live, {} of build {id}, was not made by publish and {why}, so it cannot be rolled back to",
                    live.sequence
                ),
                files: Vec::new(),
            });
            Ok(())
        };
        let site = self.locked.site.clone();
        let Some(manifest) = &live.build.manifest else {
            return refused("names no manifest".into());
        };
        let place = site.guard().join(manifest);
        let manifest = match site.manifest_at(&place, id) {
            Ok(manifest) => manifest,
            Err(error) => return refused(error.to_string()),
        };
        let mut wrong = Vec::new();
        for (path, print) in files_of(&manifest) {
            if !matches(&site.root().join(&path), &print)? {
                wrong.push(path);
            }
        }
        if !wrong.is_empty() {
            return refused(format!(
                "these files are not what its manifest says: {}",
                named(&wrong)
            ));
        }
        // `serve` answers from the folder as soon as it is there, so it must come whole.
        let staged = site.temporary().join("adopted");
        for (path, _) in files_of(&manifest) {
            self.writer
                .link(&site.root().join(&path), &staged.join(&path))?;
        }
        if place != site.manifest_file(id) {
            let bytes = fs::read(&place).at("read", &place)?;
            self.place_manifest(id, &bytes)?;
        }
        if self
            .history
            .iter()
            .all(|entry| entry.release.sequence != live.sequence)
        {
            let entry = Entry {
                release: live.clone(),
                published: Publication {
                    by: None,
                    time: live.issued.clone().unwrap_or_else(|| rfc3339(unix_now())),
                    host: None,
                },
                build: id.clone(),
                commit: manifest.commit.clone(),
                live: true,
            };
            self.place_entry(&entry)?;
            self.history.push(entry);
        }
        self.writer.move_folder(&staged, &site.files(id))?;
        failpoint("release adopted");
        self.builds.push(id.clone());
        Ok(())
    }

    fn note_replaced(&mut self) {
        if self.replaced.is_empty() {
            return;
        }
        self.notes.push(Note {
            code: "replaced",
            text: format!(
                "files that no build put there were replaced ({}); they are kept in {}",
                named(&self.replaced),
                self.replaced_folder.display()
            ),
            files: self.replaced.clone(),
        });
    }

    fn place_entry(&mut self, entry: &Entry) -> Result<()> {
        let text = serde_json::to_string_pretty(entry).expect("an entry has only string keys");
        let place = self.site().history_file(entry.release.sequence);
        self.writer.write(&place, (text + "\n").as_bytes())?;
        self.writer.settle()
    }

    /// An earlier build's file with these very bytes.
    fn donor(
        &self,
        path: &str,
        print: &Fingerprint,
        id: &str,
        donors: &[Manifest],
    ) -> Result<Option<PathBuf>> {
        for manifest in donors.iter().filter(|manifest| manifest.id.0 != id) {
            let known = manifest
                .chunks
                .get(path)
                .is_some_and(|chunk| chunk.integrity == print.integrity)
                || manifest
                    .documents
                    .get(path)
                    .is_some_and(|document| document.integrity == print.integrity);
            let file = self.site().files(&manifest.id.0).join(path);
            if known && matches(&file, print)? {
                return Ok(Some(file));
            }
        }
        Ok(None)
    }

    fn is_of_a_build(&self, path: &str, target: &Path) -> Result<bool> {
        for build in &self.builds {
            if same_bytes(&self.site().files(build).join(path), target)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Every file of a build with what its manifest says about the bytes.
pub fn files_of(manifest: &Manifest) -> impl Iterator<Item = (String, Fingerprint)> + '_ {
    let chunks = manifest
        .chunks
        .iter()
        .map(|(path, chunk)| (path, &chunk.integrity, chunk.size));
    let documents = manifest
        .documents
        .iter()
        .map(|(path, document)| (path, &document.integrity, document.size));
    chunks.chain(documents).map(|(path, integrity, size)| {
        let print = Fingerprint {
            integrity: integrity.clone(),
            size,
        };
        (path.clone(), print)
    })
}

/// Where the pages find a build.
pub fn reference(id: &str, manifest_bytes: &[u8]) -> BuildRef {
    BuildRef {
        id: BuildId(id.to_owned()),
        manifest: Some(format!("builds/{id}.json")),
        integrity: Some(Fingerprint::of(manifest_bytes).integrity),
    }
}

/// The sequence of the next release. A fresh site starts at the time in seconds, so that a site made again from
/// nothing never goes below what browsers remember.
fn next_sequence(site: &Site, live: Option<&Release>) -> Result<u64> {
    let recorded = site
        .history_files()?
        .into_iter()
        .map(|(sequence, _)| sequence)
        .max();
    let highest = live
        .map(|release| release.sequence)
        .into_iter()
        .chain(recorded)
        .max();
    Ok(highest.map_or_else(unix_now, |highest| highest + 1))
}

fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
