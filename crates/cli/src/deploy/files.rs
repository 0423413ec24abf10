//! Places the files of a build: its own folder, and its part of what a static host answers from.

use std::path::{Path, PathBuf};

use changeover::engine::manifest::Manifest;

use super::{Deployment, Placed};
use crate::atomic_write::{matches, same_bytes};
use crate::build::{Build, Source};
use crate::error::Result;
use crate::failpoints::failpoint;
use crate::hash::Fingerprint;

impl Deployment {
    /// Fills `changeover/files/<id>/`. A folder that a killed publish left incomplete is completed.
    pub(super) fn place_build(&mut self, build: &Build, earlier: &[Manifest]) -> Result<Placed> {
        let folder = self.site().files(build.id());
        let mut placed = Placed::default();
        for (path, content) in &build.files {
            let target = folder.join(path);
            if matches(&target, &content.print)? {
                placed.kept += 1;
            } else if let Some(same) = self.same_file(path, &content.print, build.id(), earlier)? {
                self.writer.link(&same, &target)?;
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

    /// Adds the build's assets to what a static host answers from. Returns the names that are taken by other content: those
    /// can only be replaced, which happens after the manifest is there.
    pub(super) fn place_new_assets(&mut self, manifest: &Manifest) -> Result<Vec<String>> {
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

    /// Writes the manifest unless it is there: a manifest never changes.
    pub(super) fn place_manifest(&mut self, id: &str, bytes: &[u8]) -> Result<()> {
        let target = self.site().manifest_file(id);
        if !matches(&target, &Fingerprint::of(bytes))? {
            self.writer.write(&target, bytes)?;
        }
        self.writer.settle()?;
        failpoint("manifest placed");
        Ok(())
    }

    /// Replaces the files that have the same name in several builds: colliding assets, then documents, and `index.html`
    /// last. Returns how many documents had to be replaced.
    pub(super) fn place_documents(
        &mut self,
        manifest: &Manifest,
        colliding: &[String],
    ) -> Result<usize> {
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

    /// The file of an earlier build with the same path and bytes.
    fn same_file(
        &self,
        path: &str,
        print: &Fingerprint,
        id: &str,
        earlier: &[Manifest],
    ) -> Result<Option<PathBuf>> {
        for manifest in earlier.iter().filter(|manifest| manifest.id.0 != id) {
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

fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
