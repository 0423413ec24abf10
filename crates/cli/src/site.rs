//! A site on disk: where its files are, and which release is live.
//!
//! ```text
//! SITE/changeover/release.json             the pointer
//! SITE/changeover/releases/<sequence>.json the history
//! SITE/changeover/builds/<id>.json         the manifests
//! SITE/changeover/files/<id>/**            every retained build, whole
//! SITE/changeover/replaced/**              files that were there before and that no build knows
//! SITE/**                                  the view of a static host: assets of all retained builds, current documents
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use changeover::engine::manifest::Manifest;
use changeover::engine::release::{BuildRef, Release};

use crate::error::{At, Error, Result};
use crate::lock::Lock;
use crate::release_document::ReleaseDocument;

/// A folder that is, or becomes, the root of a site.
#[derive(Clone, Debug)]
pub struct Site {
    root: PathBuf,
}

impl Site {
    /// A site that must exist. Errors: `site-missing`, `site-not-a-folder`.
    pub fn open(path: &Path) -> Result<Self> {
        match fs::metadata(path) {
            Ok(kind) if kind.is_dir() => Ok(Self {
                root: path.canonicalize().at("open", path)?,
            }),
            Ok(_) => Err(Error::new(
                "site-not-a-folder",
                format!("the site {} is a file, not a folder", path.display()),
            )),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Error::new(
                "site-missing",
                format!(
                    "there is no site at {}; `changeover publish DIST --to {}` makes one",
                    path.display(),
                    path.display()
                ),
            )),
            Err(error) => Err(Error::io("open", path, &error)),
        }
    }

    /// A site that is made if it does not exist.
    pub fn create(path: &Path) -> Result<Self> {
        if !path.exists() {
            fs::create_dir_all(path).at("create the folder", path)?;
        }
        let site = Self::open(path)?;
        for folder in [
            site.guard(),
            site.guard().join("builds"),
            site.guard().join("releases"),
            site.guard().join("files"),
        ] {
            fs::create_dir_all(&folder).at("create the folder", &folder)?;
        }
        Ok(site)
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `SITE/changeover`.
    pub fn guard(&self) -> PathBuf {
        self.root.join("changeover")
    }

    pub fn pointer(&self) -> PathBuf {
        self.guard().join("release.json")
    }

    pub fn manifest_file(&self, build: &str) -> PathBuf {
        self.guard().join("builds").join(format!("{build}.json"))
    }

    /// The folder with every file of a build.
    pub fn files(&self, build: &str) -> PathBuf {
        self.guard().join("files").join(build)
    }

    /// Where files are written before they are renamed into place; on the same file system as the site.
    pub fn temporary(&self) -> PathBuf {
        self.guard().join(".tmp")
    }

    /// The release that the pointer names; `None` when nothing was published yet.
    ///
    /// Errors: `release-invalid` with what is wrong, `release-newer` for a format of the future.
    pub fn live(&self) -> Result<Option<Release>> {
        Ok(self.live_document()?.map(|document| (*document).clone()))
    }

    /// [`Self::live`] with all fields of the file.
    pub fn live_document(&self) -> Result<Option<ReleaseDocument>> {
        let path = self.pointer();
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).at("read", &path),
        };
        let text = String::from_utf8_lossy(&bytes);
        ReleaseDocument::parse(&text, &path.display().to_string()).map(Some)
    }

    /// Errors: `manifest-missing`, `manifest-invalid`.
    pub fn manifest(&self, build: &str) -> Result<Manifest> {
        self.manifest_at(&self.manifest_file(build), build)
    }

    /// The manifest that a release names. Errors: as [`Self::manifest`].
    pub fn manifest_of(&self, build: &BuildRef) -> Result<Manifest> {
        match &build.manifest {
            Some(manifest) => self.manifest_at(&self.guard().join(manifest), &build.id.0),
            None => Err(no_manifest(build)),
        }
    }

    /// The manifest at the path that a release names. A site made by hand may use any path.
    pub fn manifest_at(&self, path: &Path, build: &str) -> Result<Manifest> {
        let bytes = fs::read(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::new(
                "manifest-missing",
                format!("the manifest of build {build} is not at {}", path.display()),
            ),
            _ => Error::io("read", path, &error),
        })?;
        let manifest = Manifest::parse(&String::from_utf8_lossy(&bytes)).map_err(|error| {
            Error::new(
                "manifest-invalid",
                format!("{} cannot be used: {error}", path.display()),
            )
        })?;
        if manifest.id.0 == build {
            Ok(manifest)
        } else {
            Err(Error::new(
                "manifest-invalid",
                format!(
                    "{} describes build {}, not {build}",
                    path.display(),
                    manifest.id.0
                ),
            ))
        }
    }

    /// The files of all manifests.
    pub fn manifests(&self) -> Result<Vec<PathBuf>> {
        let folder = self.guard().join("builds");
        let names = names_in(&folder)?.into_iter();
        Ok(names
            .filter(|name| name.ends_with(".json"))
            .map(|name| folder.join(name))
            .collect())
    }

    /// The ids of the builds that have a folder of their own.
    pub fn builds(&self) -> Result<Vec<String>> {
        names_in(&self.guard().join("files"))
    }

    /// Waits until no other command changes this site. Errors: `site-busy`.
    pub fn lock(&self) -> Result<Lock> {
        Lock::take(self)
    }
}

/// A release made by hand may name a build without a manifest. Pages can use it, but no command can.
pub fn no_manifest(build: &BuildRef) -> Error {
    Error::new(
        "manifest-missing",
        format!(
            "the release names no manifest of build {}; `changeover stamp` writes one",
            build.id.0
        ),
    )
}

/// The names in a folder, sorted; none when it is not there.
pub fn names_in(folder: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).at("list", folder),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry.at("list", folder)?.file_name().into_string());
    }
    names.sort();
    Ok(names)
}
