//! `changeover stamp` and `publish --in-place`: turn a folder into a complete deploy, so that copying it to any host is
//! enough.
//!
//! The documents get the id of the build and the number of the release; `changeover/builds/<id>.json` is the manifest
//! and `changeover/release.json` the pointer. A host may serve the folder meanwhile, so the order of the writes is: the
//! manifest, files that list hashes of documents, documents, `index.html`, the pointer, and then the removal of earlier
//! manifests.

use std::fs;
use std::path::{Path, PathBuf};

use changeover::engine::release::Release;

use crate::amend::Announcement;
use crate::atomic_write::{AtomicWriter, matches, remove_file};
use crate::build::{Build, DESCRIBED_BY, Description, Hints, Note, Source, is_document};
use crate::deploy::{self, Locked};
use crate::error::{At, Error, Result};
use crate::failpoints::failpoint;
use crate::html::HtmlDocument;
use crate::site::Site;

/// Which folder to stamp, and how to announce it.
#[derive(Clone, Debug, Default)]
pub struct StampOptions {
    pub folder: PathBuf,
    pub app: Option<String>,
    pub base: Option<String>,
    pub stores: Option<PathBuf>,
    /// `None` keeps the announcement of the same build, and announces another build as routine.
    pub announcement: Option<Announcement>,
    /// `None` keeps the channel of the release before; a first release is on `stable`.
    pub channel: Option<String>,
    pub end_rollout: bool,
    /// Makes a new release even if nothing changed. That is how a plain copy goes back to an older build.
    pub anew: bool,
}

/// The result of a stamp.
#[derive(Debug)]
pub struct Stamped {
    pub release: Release,
    /// False when the folder has not changed since it was stamped.
    pub is_new: bool,
    pub described_by: Description,
    pub notes: Vec<Note>,
}

/// Stamps a folder.
///
/// Errors: those of [`Build::read`], `in-place-site`, `release-*`, and what the operating system refuses.
pub fn stamp(options: &StampOptions) -> Result<Stamped> {
    let folder = options.folder.as_path();
    for part in ["files", "releases"] {
        if folder.join("changeover").join(part).is_dir() {
            return Err(Error::new(
                "in-place-site",
                format!(
                    "{} is a site that publish made, with the files of several builds; publish into it with \
                     `changeover publish DIST --to {}`",
                    folder.display(),
                    folder.display()
                ),
            ));
        }
    }
    let mut build = Build::read(
        folder,
        &Hints {
            app: options.app.clone(),
            base: options.base.clone(),
            stores: options.stores.clone(),
            fallback_app: None,
        },
    )?;
    let locked = Locked::in_place(Site::open(folder)?)?;
    let (site, live) = (locked.site(), locked.live());
    let is_same = live.is_some_and(|live| live.build.id.0 == build.id());
    let number = match live {
        Some(live) if is_same && !options.anew => {
            let index = site.root().join("index.html");
            let page = fs::read(&index).at("read", &index)?;
            HtmlDocument::parse(&page)
                .sequence()
                .unwrap_or(live.sequence)
        }
        _ => locked.sequence(),
    };
    build.seal(Some(number))?;
    if build.described_by != Description::OwnManifest {
        mark(&mut build);
    }

    let (release, changes) = locked.draft(|draft| {
        draft.set_app(&build.manifest.app);
        draft.set_channel(options.channel.as_deref());
        match &options.announcement {
            Some(announcement) => draft.set_announcement(announcement),
            None if is_same => {}
            None => draft.set_announcement(&Announcement::default()),
        }
        if options.end_rollout {
            draft.end_rollout("publish was told so");
        }
        draft.set_build(&deploy::reference(build.id(), &build.manifest_bytes));
        Ok(())
    })?;
    let before = live.filter(|live| !options.anew && live.says_the_same(&release));
    let is_new = before.is_none();
    let mut notes = build.notes.clone();
    if let Some(why) = locked.damaged() {
        notes.push(Note {
            code: "release-replaced",
            text: format!("{why}; it is being replaced"),
            files: Vec::new(),
        });
    }

    let mut writer = AtomicWriter::new(site)?;
    place_files(site, &mut writer, &build)?;
    let release = match before {
        Some(live) => live.clone(),
        None => {
            writer.write(&site.pointer(), release.to_json().as_bytes())?;
            failpoint("pointer moved");
            writer.settle()?;
            notes.extend(changes);
            release
        }
    };
    remove_leftovers(site, &build)?;
    Ok(Stamped {
        release: (*release).clone(),
        is_new,
        described_by: build.described_by,
        notes,
    })
}

/// Notes in the manifest that no bundler described this build, for the next command that reads the folder.
fn mark(build: &mut Build) {
    if let Ok(mut value) = serde_json::from_slice::<serde_json::Value>(&build.manifest_bytes) {
        value[DESCRIBED_BY] = build.described_by.code().into();
        build.manifest_bytes = format!("{value:#}").into_bytes();
    }
}

/// Writes the manifest and the files that changed, documents after the others and `index.html` last.
fn place_files(site: &Site, writer: &mut AtomicWriter, build: &Build) -> Result<()> {
    let manifest = site.manifest_file(build.id());
    if fs::read(&manifest).ok().as_deref() != Some(&build.manifest_bytes) {
        writer.write(&manifest, &build.manifest_bytes)?;
        failpoint("manifest placed");
    }
    let mut rest: Vec<_> = build
        .files
        .iter()
        .filter_map(|(path, content)| match &content.source {
            Source::Memory(bytes) => Some((path, bytes, &content.print)),
            Source::Disk(_) => None,
        })
        .collect();
    rest.sort_by_key(|(path, ..)| (*path == "index.html", is_document(path)));
    for (path, bytes, print) in rest {
        let target = real(&site.root().join(path));
        if !matches(&target, print)? {
            writer.write(&target, bytes)?;
        }
    }
    writer.settle()?;
    // Precompressed copies that hold an old document must not be served in place of the new one.
    for copy in &build.left_out {
        remove_file(&site.root().join(copy))?;
    }
    failpoint("documents placed");
    Ok(())
}

/// Removes the manifests of earlier builds. The pointer must no longer name any of them.
fn remove_leftovers(site: &Site, build: &Build) -> Result<()> {
    let manifest = site.manifest_file(build.id());
    for other in site.manifests()? {
        if other != manifest {
            remove_file(&other)?;
        }
    }
    Ok(())
}

/// The target of a symbolic link: it is written there, and the link stays.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}
