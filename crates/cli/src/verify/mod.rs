//! `changeover verify`: checks that everything the live release needs is there, byte for byte.

mod fetch;
mod folder;
mod remote;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use changeover::engine::manifest::Manifest;
use changeover::engine::release::{BuildRef, Release};

use self::fetch::PER_REQUEST;
use self::remote::Remote;
use crate::error::{Error, Result};
use crate::hash::Fingerprint;
use crate::site::{Site, no_manifest};
use crate::stores;
use crate::url::shown;

/// The default time limit of the whole check.
pub const DEADLINE: Duration = Duration::from_secs(10 * 60);

/// Something that would break a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// `missing`, `wrong-size`, `wrong-bytes`, `too-large`, `html-instead`, `http-status`, `unreachable`, `given-up`,
    /// `deadline`, `release-…`, `manifest-…`.
    pub code: String,
    /// The path or URL.
    pub place: String,
    pub text: String,
}

/// The result of a check.
#[derive(Debug, Default)]
pub struct Findings {
    pub release: Option<Release>,
    /// The number of files that were compared.
    pub files: usize,
    pub faults: Vec<Fault>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.text)
    }
}

/// Checks a site on disk or behind a URL (its root, or its `release.json`).
///
/// A check of a URL ends at the deadline, whatever the server does. It returns an error only when there is nothing to
/// check (`site-missing`, `url-invalid`); everything else is a fault.
pub fn verify(target: &str, deadline: Duration) -> Result<Findings> {
    if target.starts_with("http://") || target.starts_with("https://") {
        return Remote::new(target, deadline).map(|remote| remote.verify());
    }
    if target.contains("://") {
        return Err(Error::new(
            "url-invalid",
            format!(
                "{} is neither a folder nor a URL that starts with http:// or https://",
                shown(target)
            ),
        ));
    }
    Ok(folder::verify(&Site::open(Path::new(target))?))
}

/// The manifest of the build that is live at a URL.
///
/// Errors: `url-invalid`, `manifest-unreachable` with what is wrong.
pub(crate) fn live_manifest(url: &str) -> Result<Manifest> {
    if !(url.starts_with("http://") || url.starts_with("https://")) {
        return Err(Error::new(
            "url-invalid",
            format!(
                "{} is not a URL that starts with http:// or https://",
                shown(url)
            ),
        ));
    }
    let remote = Remote::new(url, PER_REQUEST)?;
    let mut findings = Findings::default();
    let manifest = remote
        .release(&mut findings)
        .and_then(|release| remote.manifest(&release.build, &mut findings));
    manifest.ok_or_else(|| {
        let fault = findings.faults.first();
        let text = fault.map_or_else(
            || format!("{} has no manifest", shown(url)),
            |fault| shown(&fault.text),
        );
        Error::new("manifest-unreachable", text)
    })
}

impl Findings {
    fn fault(&mut self, code: &str, place: impl Into<String>, text: impl Into<String>) {
        self.faults.push(Fault {
            code: code.into(),
            place: place.into(),
            text: text.into(),
        });
    }

    fn no_manifest(&mut self, place: &str, build: &BuildRef) {
        self.fault("manifest-missing", place, no_manifest(build).to_string());
    }

    fn manifest(
        &mut self,
        id: &str,
        integrity: Option<&str>,
        place: &str,
        bytes: &[u8],
    ) -> Option<Manifest> {
        if let Some(integrity) = integrity {
            let measured = Fingerprint::like(integrity, &mut &*bytes).ok()?;
            if measured.integrity != integrity {
                self.fault(
                    "manifest-wrong-bytes",
                    place,
                    format!("{place} is not the manifest that the release names: its hash is {}, not {integrity}", measured.integrity),
                );
            }
        }
        match Manifest::parse(&String::from_utf8_lossy(bytes)) {
            Ok(manifest) if manifest.id.0 != id => {
                let text = format!("{place} describes build {}, not {id}", manifest.id.0);
                self.fault("manifest-invalid", place, text);
                None
            }
            Ok(manifest) => {
                if !manifest.documents.contains_key("index.html") {
                    self.fault(
                        "manifest-no-index",
                        place,
                        format!(
                            "{place} lists no index.html, so that the served one cannot be checked"
                        ),
                    );
                }
                if let Some(fault) = stores::fault(&manifest.stores) {
                    self.fault("manifest-stores", place, format!("{place} {fault}"));
                }
                Some(manifest)
            }
            Err(error) => {
                self.fault(
                    "manifest-invalid",
                    place,
                    format!("{place} cannot be used: {error}"),
                );
                None
            }
        }
    }

    fn compare(&mut self, place: &str, measured: &Fingerprint, integrity: &str, size: u64) {
        if measured.size != size {
            let text = format!(
                "{place} has {} bytes, but the manifest says {size}",
                measured.size
            );
            self.fault("wrong-size", place, text);
        } else if measured.integrity != integrity {
            self.fault(
                "wrong-bytes",
                place,
                format!("{place} has the right size but other bytes than the manifest says"),
            );
        }
    }
}

/// The builds that a release gives to browsers, the live one first.
fn selected_builds(release: &Release) -> impl Iterator<Item = &BuildRef> {
    let rollout = release.rollout.as_ref();
    std::iter::once(&release.build).chain(rollout.and_then(|rollout| rollout.otherwise.as_ref()))
}
