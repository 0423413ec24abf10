//! `changeover rollback`: a newer release of an older build.

use std::path::PathBuf;

use changeover::engine::release::{Release, Urgency};

use crate::build::{Note, named};
use crate::deploy::{self, Deployment, files_of};
use crate::error::{At, Error, Result};
use crate::git;
use crate::place::has_print;
use crate::retain;
use crate::site::{Entry, Site, builds_by_recency};
use crate::stores;
use crate::time::{rfc3339, unix_now};

/// Which build to go back to, and what to say about it.
#[derive(Clone, Debug)]
pub struct RollbackOptions {
    pub site: PathBuf,
    pub to: Target,
    pub urgency: Urgency,
    pub message: Option<String>,
    /// `None`: git's user name or the login name.
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

/// What a rollback did.
#[derive(Debug)]
pub struct RolledBack {
    pub release: Release,
    /// The build that was live before.
    pub from: String,
    /// False: exactly this build was live before, and nothing was done.
    pub is_new: bool,
    pub notes: Vec<Note>,
}

/// Makes an older build live again, with a sequence above all before.
///
/// Errors: `site-missing`, `nothing-published`, `no-previous-build`, `unknown-build`, `unknown-sequence`,
/// `build-incomplete`, and what the operating system refuses.
pub fn rollback(options: &RollbackOptions) -> Result<RolledBack> {
    let site = Site::open(&options.site)?;
    let nothing = || {
        Error::new(
            "nothing-published",
            format!(
                "nothing is published at {}, so there is nothing to go back to",
                site.root().display()
            ),
        )
    };
    if site.live()?.is_none() {
        return Err(nothing());
    }
    let _lock = site.lock()?;
    let live = site.live()?.ok_or_else(nothing)?;
    let sequence = deploy::next_sequence(&site, Some(&live))?;
    let history = site.history(Some(&live))?;
    let entry = find(&site, &history, &live, &options.to)?;
    if entry.build == live.build.id.0 {
        return Ok(RolledBack {
            from: live.build.id.0.clone(),
            release: live,
            is_new: false,
            notes: Vec::new(),
        });
    }
    let manifest = site.manifest(&entry.build)?;
    let mut broken = Vec::new();
    for (path, print) in files_of(&manifest) {
        if !has_print(&site.files(&entry.build).join(&path), &print)? {
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

    let mut deployment = Deployment::begin(&site)?;
    let mut settled = deployment.settle_history(Some(&live))?;
    let mut notes: Vec<Note> = deployment.adopt(&live, &mut settled)?.into_iter().collect();
    let path = site.manifest_file(&entry.build);
    let manifest_bytes = std::fs::read(&path).at("read", &path)?;
    let mut release = Release::new(
        &entry.release.app,
        &live.channel,
        sequence,
        &rfc3339(unix_now()),
        deploy::reference(&entry.build, &manifest_bytes),
    );
    release.urgency = options.urgency;
    release.message.clone_from(&options.message);
    release.floor = live.floor;
    release.retire = live.retire.clone();
    release
        .retire
        .retain(|order| order.build != release.build.id);
    let release = deploy::checked(release)?;

    let colliding = deployment.place_new_assets(&manifest)?;
    deployment.place_documents(&manifest, &colliding)?;
    let by = options.by.clone().or_else(|| git::publisher(&options.site));
    deployment.place_release(&release, deploy::publication(by), entry.commit.clone())?;
    retain::tidy_documents(&site, &release)?;
    notes.extend(deployment.notes());
    notes.extend(deploy::collision_note(&manifest, colliding));
    notes.extend(handed_back.into_iter().flatten());
    Ok(RolledBack {
        release,
        from: live.build.id.0,
        is_new: true,
        notes,
    })
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
