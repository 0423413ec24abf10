//! `changeover rollback`: a newer release of an older build.

use std::path::PathBuf;

use changeover::engine::release::Release;

use crate::amend::Announcement;
use crate::atomic_write::{matches, same_bytes};
use crate::build::{Note, named};
use crate::collisions;
use crate::deploy::{self, Contents, Locked, Who, files_of};
use crate::error::{At, Error, Result};
use crate::git;
use crate::history::{Entry, builds_by_recency};
use crate::retain;
use crate::site::Site;
use crate::stores;

/// Which build to go back to, and how to announce it.
#[derive(Clone, Debug)]
pub struct RollbackOptions {
    pub site: PathBuf,
    pub to: Target,
    pub announcement: Announcement,
    /// `None` takes git's user name or the login name.
    pub by: Option<String>,
}

/// How the older build is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The build that was live before the current one.
    Previous,
    Build(String),
    /// The build of that release.
    Sequence(u64),
}

/// The result of a rollback.
#[derive(Debug)]
pub struct RolledBack {
    pub release: Release,
    /// The build that was live before.
    pub from: String,
    /// False when this build is live already: then nothing was done.
    pub is_new: bool,
    pub notes: Vec<Note>,
}

/// Makes an older build live again, with a sequence above all earlier ones.
///
/// Errors: `site-missing`, `nothing-published`, `no-previous-build`, `unknown-build`, `unknown-sequence`,
/// `build-incomplete`, and what the operating system refuses.
pub fn rollback(options: &RollbackOptions) -> Result<RolledBack> {
    let locked = Locked::published(Site::open(&options.site)?)?;
    let site = locked.site().clone();
    let live = locked.live().expect("a published site has one").clone();
    let history = site.history(Some(&live))?;
    let entry = find(&site, &history, &live, &options.to)?;
    let is_live = entry.build == live.build.id.0;
    if is_live && documents_are_of(&site, &entry.build)? {
        return Ok(RolledBack {
            from: live.build.id.0.clone(),
            release: (*live).clone(),
            is_new: false,
            notes: Vec::new(),
        });
    }
    let manifest = site.manifest(&entry.build)?;
    let mut broken = Vec::new();
    for (path, print) in files_of(&manifest) {
        if !matches(&site.files(&entry.build).join(&path), &print)? {
            broken.push(path);
        }
    }
    if !manifest.documents.contains_key("index.html") {
        broken.push("index.html".into());
    }
    if !broken.is_empty() {
        return Err(Error::new(
            "build-incomplete",
            format!(
                "build {} cannot be made live again, because files are missing or damaged: {}; publish its dist instead",
                entry.build,
                named(&broken)
            ),
        ));
    }

    let replaced = site.manifest_of(&live.build).ok();
    let handed_back = replaced.map(|replaced| stores::going_back(&manifest, &replaced));

    let deployment = locked.begin()?;
    let path = site.manifest_file(&entry.build);
    let manifest_bytes = std::fs::read(&path).at("read", &path)?;
    let who = Who {
        by: options.by.clone().or_else(|| git::publisher(&options.site)),
    };
    let done = deployment.go_live(
        Contents::Kept {
            manifest: &manifest,
            commit: entry.commit.clone(),
        },
        &who,
        |draft| {
            if let Some(app) = &entry.release.app {
                draft.set_app(app);
            }
            draft.set_announcement(&options.announcement);
            if !is_live {
                // Pages must leave the current build whether the rollout includes them or not.
                draft.end_rollout("a rollback is for every browser");
            }
            draft.set_build(&deploy::reference(&entry.build, &manifest_bytes));
            Ok(())
        },
    )?;
    retain::tidy_documents(&site, &done.release)?;
    let mut notes = done.notes;
    notes.extend(collisions::note(&manifest, done.colliding));
    notes.extend(handed_back.into_iter().flatten());
    drop(done.locked);
    Ok(RolledBack {
        release: (*done.release).clone(),
        from: live.build.id.0.clone(),
        is_new: true,
        notes,
    })
}

/// Whether the documents that a static host answers with are those of this build. A killed publish may have left
/// others.
fn documents_are_of(site: &Site, build: &str) -> Result<bool> {
    let Ok(manifest) = site.manifest(build) else {
        return Ok(true);
    };
    for path in manifest.documents.keys() {
        if !same_bytes(&site.files(build).join(path), &site.root().join(path))? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn find<'h>(
    site: &Site,
    history: &'h [Entry],
    live: &Release,
    target: &Target,
) -> Result<&'h Entry> {
    let known = builds_by_recency(history);
    let has_files = |build: &str| site.files(build).is_dir() && site.manifest_file(build).is_file();
    let entry = match target {
        Target::Previous => known
            .iter()
            .copied()
            .find(|entry| entry.build != live.build.id.0)
            .ok_or_else(|| {
                Error::new(
                    "no-previous-build",
                    format!(
                        "build {} is the only one that was ever live here",
                        live.build.id.0
                    ),
                )
            })?,
        Target::Build(id) => known
            .iter()
            .copied()
            .find(|entry| entry.build == *id)
            .ok_or_else(|| {
                let builds: Vec<_> = known
                    .iter()
                    .map(|entry| entry.build.clone())
                    .filter(|id| has_files(id))
                    .collect();
                Error::new(
                    "unknown-build",
                    format!(
                        "build {id} was never live here; there are {}",
                        builds.join(", ")
                    ),
                )
            })?,
        Target::Sequence(sequence) => history
            .iter()
            .find(|entry| entry.release.sequence == *sequence)
            .ok_or_else(|| {
                Error::new(
                    "unknown-sequence",
                    format!(
                        "there was no release {sequence} here; the last ones are {}",
                        last_sequences(history)
                    ),
                )
            })?,
    };
    if entry.build != live.build.id.0 && !has_files(&entry.build) {
        return Err(Error::new(
            "build-pruned",
            format!(
                "the files of build {} are no longer kept here; publish its dist again (and see --keep and --keep-days)",
                entry.build
            ),
        ));
    }
    Ok(entry)
}

fn last_sequences(history: &[Entry]) -> String {
    let numbers: Vec<_> = history
        .iter()
        .rev()
        .take(5)
        .map(|entry| entry.release.sequence.to_string())
        .collect();
    numbers.join(", ")
}
