//! `changeover stamp` and `publish --in-place`: make a folder a complete deploy by itself, so that a copy of it to any
//! host is enough.
//!
//! The documents get the id of the build and the number of the release, `changeover/builds/<id>.json` the manifest and
//! `changeover/release.json` the pointer, in the order in which a host that serves the folder meanwhile may show them:
//! manifest, what lists the documents' hashes, documents, `index.html`, pointer.

use std::fs;
use std::path::{Path, PathBuf};

use changeover::engine::release::Release;

use crate::amend::Announcement;
use crate::atomic_write::{AtomicWriter, matches, remove_file};
use crate::build::{Build, DESCRIBED_BY, Description, Hints, Note, Source, is_document};
use crate::deploy::{self, Locked};
use crate::error::{At, Error, Result};
use crate::failpoints::failpoint;
use crate::html::Page;
use crate::site::Site;

/// Which folder, and what to say about it.
#[derive(Clone, Debug, Default)]
pub struct StampOptions {
    pub folder: PathBuf,
    pub app: Option<String>,
    pub base: Option<String>,
    pub stores: Option<PathBuf>,
    /// `None`: that of the same build stays, and another build is announced as routine.
    pub announcement: Option<Announcement>,
    /// `None`: that of the release before, else `stable`.
    pub channel: Option<String>,
    pub end_rollout: bool,
    /// Makes a new release although nothing changed, which is how a plain copy goes back to an older build.
    pub anew: bool,
}

/// What a stamp did.
#[derive(Debug)]
pub struct Stamped {
    pub release: Release,
    /// False: the folder was stamped before and has not changed since.
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
            Page::parse(&page).sequence().unwrap_or(live.sequence)
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

/// Says in the manifest that no bundler described this build, so that a later look at the folder can tell.
fn mark(build: &mut Build) {
    if let Ok(mut value) = serde_json::from_slice::<serde_json::Value>(&build.manifest_bytes) {
        value[DESCRIBED_BY] = build.described_by.code().into();
        build.manifest_bytes = format!("{value:#}").into_bytes();
    }
}

/// The manifest and what differs from the files in the folder, documents last and `index.html` last of all.
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
    for note in build
        .notes
        .iter()
        .filter(|note| note.code == "twins-dropped")
    {
        for copy in &note.files {
            remove_file(&site.root().join(copy))?;
        }
    }
    failpoint("documents placed");
    Ok(())
}

/// The manifests of earlier builds, once the pointer no longer names any of them.
fn remove_leftovers(site: &Site, build: &Build) -> Result<()> {
    let manifest = site.manifest_file(build.id());
    for other in site.manifests()? {
        if other != manifest {
            remove_file(&other)?;
        }
    }
    Ok(())
}

/// Where a link inside the folder leads: the file is written there, and the link stays.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}
