//! Makes a release live. The order of the writes is the same for every command, and every reader is safe at each point of
//! it: the build's own folder, new assets, the manifest, colliding assets and documents, the history, and last the pointer.
//!
//! 1. [`Locked`] waits for the lock, reads what is live and numbers the next release.
//! 2. [`Locked::begin`] completes or removes what publishes left that were killed.
//! 3. [`Deployment::go_live`] drafts the release, places the files and moves the pointer.
//!
//! `changeover stamp` has one build and no history, so it shares only the first step and the draft: see [`crate::stamp`].

mod files;
mod locked;
mod record;

use std::path::PathBuf;

use changeover::engine::manifest::{Commit, Manifest};
use changeover::engine::release::BuildRef;
use changeover::ids::BuildId;

pub use self::locked::Locked;

use crate::amend::Draft;
use crate::atomic_write::AtomicWriter;
use crate::build::{Build, Note, named};
use crate::error::Result;
use crate::hash::Fingerprint;
use crate::history::{Entry, Publication};
use crate::release_document::ReleaseDocument;
use crate::site::Site;
use crate::time::unix_now;

/// One change of a site, from lock to pointer.
pub struct Deployment {
    locked: Locked,
    history: Vec<Entry>,
    writer: AtomicWriter,
    /// The builds that have a folder, with the one that is being deployed once it is placed.
    builds: Vec<String>,
    /// Files that belong to no build and had to be replaced.
    replaced: Vec<String>,
    replaced_folder: PathBuf,
    notes: Vec<Note>,
}

/// What becomes live.
pub enum Contents<'a> {
    /// A build from a dist.
    New {
        build: &'a Build,
        manifest_bytes: &'a [u8],
        /// Builds with which it can share files.
        earlier: &'a [Manifest],
    },
    /// A build that the site has kept.
    Kept {
        manifest: &'a Manifest,
        commit: Option<Commit>,
    },
    /// The build that is live already.
    Same,
}

/// Who changes the site.
#[derive(Clone, Debug, Default)]
pub struct Who {
    pub by: Option<String>,
}

/// The result of [`Deployment::go_live`].
pub struct GoneLive {
    pub release: ReleaseDocument,
    /// False when the same release is live already: then it stays.
    pub is_new: bool,
    pub placed: Placed,
    /// Names that an earlier build uses with other content.
    pub colliding: Vec<String>,
    pub notes: Vec<Note>,
    /// The lock is still held, for the work that follows the pointer.
    pub locked: Locked,
}

/// How many files a publish had to write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Placed {
    /// Copied from the dist.
    pub copied: usize,
    /// Shared with an earlier build.
    pub linked: usize,
    /// In place already.
    pub kept: usize,
}

impl Deployment {
    fn new(locked: Locked) -> Result<Self> {
        let site = locked.site();
        let mut deployment = Self {
            writer: AtomicWriter::new(site)?,
            builds: site.builds()?,
            replaced: Vec::new(),
            replaced_folder: site.guard().join("replaced").join(unix_now().to_string()),
            history: Vec::new(),
            notes: Vec::new(),
            locked,
        };
        deployment.settle_history()?;
        deployment.adopt()?;
        Ok(deployment)
    }

    pub fn site(&self) -> &Site {
        self.locked.site()
    }

    pub fn live(&self) -> Option<&ReleaseDocument> {
        self.locked.live()
    }

    pub fn sequence(&self) -> u64 {
        self.locked.sequence()
    }

    /// Every release that was ever live, oldest first.
    pub fn history(&self) -> &[Entry] {
        &self.history
    }

    /// Makes `contents` live with the release that `change` makes of the live one.
    ///
    /// Errors: `release-invalid`, `dist-changed`, those of `change`, and what the operating system refuses.
    pub fn go_live(
        mut self,
        contents: Contents,
        who: &Who,
        change: impl FnOnce(&mut Draft) -> Result<()>,
    ) -> Result<GoneLive> {
        let (release, notes) = self.locked.draft(change)?;

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
        // Documents that had to be replaced came from a publish that was killed before its release was live. Tabs that
        // loaded them ignore releases that are not newer than the number in the document, so this needs a new release.
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
