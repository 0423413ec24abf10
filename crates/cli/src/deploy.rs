//! The steps that make a build live, in the order that keeps every reader safe:
//! the build's own folder, new assets, manifest, colliding assets and documents, history, and last the pointer.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use changeover::engine::io::BuildId;
use changeover::engine::manifest::{ChunkKind, Commit, Manifest};
use changeover::engine::release::{BuildRef, Release};

use crate::build::{Build, Note, Source, named};
use crate::error::{At, Error, Result};
use crate::hash::Fingerprint;
use crate::place::{Placer, has_print, remove_file, same_bytes};
use crate::site::{Entry, Publication, Site};
use crate::steps::step;
use crate::time::{rfc3339, unix_now};

/// One change of a site, from lock to pointer.
pub struct Deployment<'a> {
    site: &'a Site,
    placer: Placer,
    /// The builds that have a folder, the one being deployed included once it is placed.
    builds: Vec<String>,
    /// Files of nobody's build that had to make room.
    replaced: Vec<String>,
    replaced_folder: PathBuf,
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

impl<'a> Deployment<'a> {
    /// The caller holds the lock.
    pub fn begin(site: &'a Site) -> Result<Self> {
        Ok(Self {
            site,
            placer: Placer::new(site)?,
            builds: site.builds()?,
            replaced: Vec::new(),
            replaced_folder: site.guard().join("replaced").join(unix_now().to_string()),
        })
    }

    /// The history of what was live. Entries of publishes that were killed before the pointer moved are removed, and the
    /// mark is made up for that one killed right after it did not make.
    pub fn settle_history(&mut self, live: Option<&Release>) -> Result<Vec<Entry>> {
        let mut history = self.site.history(live)?;
        for entry in self.site.recorded()? {
            let sequence = entry.release.sequence;
            if history
                .iter()
                .all(|known| known.release.sequence != sequence)
            {
                remove_file(&self.site.history_file(sequence))?;
            }
        }
        for entry in history.iter_mut().filter(|entry| !entry.live) {
            entry.live = true;
            self.place_entry(entry)?;
        }
        Ok(history)
    }

    /// Fills `changeover/files/<id>/`. A folder that a killed publish left incomplete is completed.
    pub fn place_build(&mut self, build: &Build, donors: &[Manifest]) -> Result<Placed> {
        let folder = self.site.files(build.id());
        let mut placed = Placed::default();
        for (path, content) in &build.files {
            let target = folder.join(path);
            if has_print(&target, &content.print)? {
                placed.kept += 1;
            } else if let Some(donor) = self.donor(path, &content.print, build.id(), donors)? {
                self.placer.link(&donor, &target)?;
                placed.linked += 1;
            } else {
                match &content.source {
                    Source::Disk(from) => self.placer.copy(from, &target, &content.print)?,
                    Source::Memory(bytes) => self.placer.write(&target, bytes)?,
                }
                placed.copied += 1;
            }
        }
        self.placer.settle()?;
        if !self.builds.contains(&build.manifest.id.0) {
            self.builds.push(build.id().to_owned());
        }
        step("build placed");
        Ok(placed)
    }

    /// Names of the static view that no earlier build uses with other content. Gives back those that one does.
    pub fn place_new_assets(&mut self, manifest: &Manifest) -> Result<Vec<String>> {
        let folder = self.site.files(&manifest.id.0);
        let mut colliding = Vec::new();
        for path in manifest.chunks.keys() {
            let (source, target) = (folder.join(path), self.site.root().join(path));
            if !exists(&target) {
                self.placer.link(&source, &target)?;
            } else if !same_bytes(&source, &target)? {
                colliding.push(path.clone());
            }
        }
        self.placer.settle()?;
        step("new assets placed");
        Ok(colliding)
    }

    /// Writes the manifest, unless it is there: a manifest never changes.
    pub fn place_manifest(&mut self, id: &str, bytes: &[u8]) -> Result<()> {
        let target = self.site.manifest_file(id);
        if !has_print(&target, &Fingerprint::of(bytes))? {
            self.placer.write(&target, bytes)?;
        }
        self.placer.settle()?;
        step("manifest placed");
        Ok(())
    }

    /// Replaces what has the same name in every build: colliding assets, then documents, `index.html` last of all.
    pub fn place_documents(&mut self, manifest: &Manifest, colliding: &[String]) -> Result<()> {
        let folder = self.site.files(&manifest.id.0);
        let documents = manifest
            .documents
            .keys()
            .filter(|path| *path != "index.html");
        let index = "index.html".to_owned();
        for path in colliding.iter().chain(documents).chain([&index]) {
            let (source, target) = (folder.join(path), self.site.root().join(path));
            if same_bytes(&source, &target)? {
                continue;
            }
            if exists(&target) && !self.is_of_a_build(path, &target)? {
                self.placer
                    .link(&target, &self.replaced_folder.join(path))?;
                self.replaced.push(path.clone());
            }
            self.placer.link(&source, &target)?;
        }
        self.placer.settle()?;
        step("documents placed");
        Ok(())
    }

    /// The last writes: the history, the pointer that makes everything above visible at once, and the mark that it did.
    pub fn place_release(
        &mut self,
        release: &Release,
        published: Publication,
        commit: Option<Commit>,
    ) -> Result<()> {
        let mut entry = Entry {
            live: false,
            build: release.build.id.0.clone(),
            release: release.clone(),
            published,
            commit,
        };
        self.place_entry(&entry)?;
        step("history placed");
        self.placer.write(
            &self.site.pointer(),
            with_newline(release.to_json()).as_bytes(),
        )?;
        step("pointer moved");
        self.placer.settle()?;
        entry.live = true;
        self.place_entry(&entry)
    }

    /// Gives the live release of a site that was made by hand a folder and a line in the history, so that its files are
    /// retained and it can be rolled back to. What does not match its own manifest is left alone, with a note.
    pub fn adopt(&mut self, live: &Release, history: &mut Vec<Entry>) -> Result<Option<Note>> {
        let id = &live.build.id.0;
        if self.builds.contains(id) {
            return Ok(None);
        }
        let refused = |why: String| {
            Ok(Some(Note {
                code: "not-adopted",
                text: format!(
                    "the release that was live, {} of build {id}, was not made by publish and {why}, so it cannot be rolled back to",
                    live.sequence
                ),
                files: Vec::new(),
            }))
        };
        let place = self.site.guard().join(&live.build.manifest);
        let manifest = match self.site.manifest_at(&place, id) {
            Ok(manifest) => manifest,
            Err(error) => return refused(error.to_string()),
        };
        let mut wrong = Vec::new();
        for (path, print) in files_of(&manifest) {
            if !has_print(&self.site.root().join(&path), &print)? {
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
        let staged = self.site.temporary().join("adopted");
        for (path, _) in files_of(&manifest) {
            self.placer
                .link(&self.site.root().join(&path), &staged.join(&path))?;
        }
        if place != self.site.manifest_file(id) {
            let bytes = fs::read(&place).at("read", &place)?;
            self.place_manifest(id, &bytes)?;
        }
        if history
            .iter()
            .all(|entry| entry.release.sequence != live.sequence)
        {
            let entry = Entry {
                release: live.clone(),
                published: Publication {
                    by: None,
                    time: live.issued.clone(),
                    host: None,
                },
                build: id.clone(),
                commit: manifest.commit.clone(),
                live: true,
            };
            self.place_entry(&entry)?;
            history.push(entry);
        }
        self.placer.move_folder(&staged, &self.site.files(id))?;
        step("release adopted");
        self.builds.push(id.clone());
        Ok(None)
    }

    /// What was said nowhere else: files of nobody's build that were replaced.
    pub fn notes(&self) -> Option<Note> {
        (!self.replaced.is_empty()).then(|| Note {
            code: "replaced",
            text: format!(
                "files that no build put there were replaced ({}); they are kept in {}",
                named(&self.replaced),
                self.replaced_folder.display()
            ),
            files: self.replaced.clone(),
        })
    }

    fn place_entry(&mut self, entry: &Entry) -> Result<()> {
        let text = serde_json::to_string_pretty(entry).expect("an entry has only string keys");
        self.placer.write(
            &self.site.history_file(entry.release.sequence),
            with_newline(text).as_bytes(),
        )?;
        self.placer.settle()
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
            let file = self.site.files(&manifest.id.0).join(path);
            if known && has_print(&file, print)? {
                return Ok(Some(file));
            }
        }
        Ok(None)
    }

    fn is_of_a_build(&self, path: &str, target: &Path) -> Result<bool> {
        for build in &self.builds {
            if same_bytes(&self.site.files(build).join(path), target)? {
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

/// Names that this build shares, with other content, with a build that tabs may still run.
pub fn collisions<'m>(
    manifest: &Manifest,
    others: impl IntoIterator<Item = &'m Manifest>,
) -> Vec<String> {
    let mut names = BTreeSet::new();
    for other in others {
        for (path, chunk) in &manifest.chunks {
            if other
                .chunks
                .get(path)
                .is_some_and(|old| old.integrity != chunk.integrity)
            {
                names.insert(path.clone());
            }
        }
    }
    names.into_iter().collect()
}

/// Says what a purely static host cannot promise about colliding names; those that every page loads come first.
pub fn collision_note(manifest: &Manifest, mut names: Vec<String>) -> Option<Note> {
    names.sort_by_cached_key(|name| {
        let entry = manifest.entries.iter().position(|entry| entry == name);
        let kind = manifest
            .chunks
            .get(name)
            .map_or(ChunkKind::Asset, |chunk| chunk.kind);
        let rank = match kind {
            ChunkKind::Script => 0,
            ChunkKind::Style => 1,
            ChunkKind::Wasm => 2,
            ChunkKind::Asset => 3,
        };
        (entry.unwrap_or(usize::MAX), rank, name.clone())
    });
    let (subject, one) = match names.len() {
        0 => return None,
        1 => ("1 file has".to_owned(), "this name"),
        n => (format!("{n} files have"), "one of these names"),
    };
    Some(Note {
        code: "colliding-names",
        text: format!(
            "{subject} the same name as in an earlier build but other content: {}. `changeover serve` keeps a folder for \
             each build and switches all names at once. A purely static host has one file for a name and cannot promise \
             that: while a publish runs it may answer a mix of old and new, and afterwards a tab of the earlier build that \
             asks for {one} gets the new content. Content hashes in file names remove this limit",
            named(&names)
        ),
        files: names,
    })
}

/// Where the pages find a build.
pub fn reference(id: &str, manifest_bytes: &[u8]) -> BuildRef {
    BuildRef {
        id: BuildId(id.to_owned()),
        manifest: format!("builds/{id}.json"),
        integrity: Some(Fingerprint::of(manifest_bytes).integrity),
    }
}

/// The sequence of the next release. A fresh site starts at the time in seconds, so that a site made again from
/// nothing never goes below what browsers remember.
pub fn next_sequence(site: &Site, live: Option<&Release>) -> Result<u64> {
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

/// Refuses a release that pages would refuse. Errors: `release-invalid`.
pub fn checked(release: Release) -> Result<Release> {
    match Release::parse(&release.to_json()) {
        Ok(_) => Ok(release),
        Err(error) => Err(Error::new(
            "release-invalid",
            format!("this release cannot be published: {error}"),
        )),
    }
}

pub fn publication(by: Option<String>) -> Publication {
    let host = fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .or_else(|| std::env::var("COMPUTERNAME").ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty());
    Publication {
        by,
        time: rfc3339(unix_now()),
        host,
    }
}

fn with_newline(text: String) -> String {
    text + "\n"
}

fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
