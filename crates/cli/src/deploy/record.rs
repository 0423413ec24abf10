//! Writes the history and the pointer, and brings the history in order before.

use std::fs;

use changeover::engine::manifest::Commit;

use super::{Deployment, files_of};
use crate::atomic_write::{matches, remove_file};
use crate::build::{Note, named};
use crate::error::{At, Result};
use crate::failpoints::failpoint;
use crate::history::{Entry, Publication, marked_live};
use crate::release_document::ReleaseDocument;
use crate::time::{rfc3339, unix_now};

impl Deployment {
    /// Reads the history, and completes or removes what killed publishes left of it: an entry that the pointer names is
    /// marked as live, one that was never live is removed.
    pub(super) fn settle_history(&mut self) -> Result<()> {
        let recorded = self.site().recorded()?;
        self.notes.extend(recorded.note());
        let live = self.live().map(|live| live.sequence);
        for mut entry in recorded.entries {
            let sequence = entry.release.sequence;
            if !entry.live {
                if live != Some(sequence) {
                    remove_file(&self.site().history_file(sequence))?;
                    continue;
                }
                self.mark_live(sequence)?;
                entry.live = true;
            }
            self.history.push(entry);
        }
        Ok(())
    }

    /// The last writes: the history, then the pointer, which makes everything above visible at once, then the mark that
    /// the release was live.
    pub(super) fn place_release(
        &mut self,
        release: &ReleaseDocument,
        published: Publication,
        commit: Option<Commit>,
    ) -> Result<()> {
        self.keep_damaged_pointer()?;
        let entry = Entry {
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
        self.mark_live(release.sequence)
    }

    /// A pointer that pages cannot use may still be of use to the person who wrote it.
    fn keep_damaged_pointer(&mut self) -> Result<()> {
        let Some(why) = self.locked.damaged() else {
            return Ok(());
        };
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
        Ok(())
    }

    /// Takes over the live release of a site that was made by hand: its build gets a folder of its own and its release an
    /// entry in the history, so that its files are retained and it can be rolled back to. A build that is not what its own
    /// manifest says is left alone, with a note.
    pub(super) fn adopt(&mut self) -> Result<()> {
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
        // `serve` answers from the folder as soon as it exists, so it has to appear complete.
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

    fn place_entry(&mut self, entry: &Entry) -> Result<()> {
        let path = self.site().history_file(entry.release.sequence);
        self.writer.write(&path, entry.to_json().as_bytes())?;
        self.writer.settle()
    }

    fn mark_live(&mut self, sequence: u64) -> Result<()> {
        let path = self.site().history_file(sequence);
        let text = fs::read_to_string(&path).at("read", &path)?;
        let marked = marked_live(&text).expect("it was read as an entry, or written as one");
        self.writer.write(&path, marked.as_bytes())?;
        self.writer.settle()
    }
}
