//! Checks a site behind a URL.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use changeover::engine::manifest::{MANIFEST_LIMIT, Manifest};
use changeover::engine::release::{BuildRef, RELEASE_LIMIT, Release};

use super::fetch::{Fetched, Fetcher};
use super::{Findings, selected_builds};
use crate::deploy::files_of;
use crate::error::{Error, Result};
use crate::hash::Fingerprint;
use crate::url::{encoded, shown};

/// Requests at a time: enough to hide the latency of one, few enough for any server.
const AT_ONCE: usize = 6;

/// Larger files are not fetched, whatever the manifest says about them.
const FILE_LIMIT: u64 = 1 << 30;

/// After so many files in a row that could not be reached, the check expects the same of the others and ends.
const UNREACHABLE_LIMIT: u32 = 12;

/// The check is made at most this often when the release keeps changing during it.
const ATTEMPTS: u32 = 3;

/// A site behind a URL.
pub struct Remote {
    fetcher: Fetcher,
    /// Of `release.json`.
    pointer: String,
    /// With a slash at the end.
    root: String,
}

impl Remote {
    pub fn new(url: &str, deadline: Duration) -> Result<Self> {
        let url = url.split(['?', '#']).next().unwrap_or_default();
        let root = match url.strip_suffix("changeover/release.json") {
            Some(root) => root.to_owned(),
            None if url.ends_with(".json") => {
                return Err(Error::new(
                    "url-invalid",
                    format!(
                        "{} is neither the root of a site nor its changeover/release.json",
                        shown(url)
                    ),
                ));
            }
            None => format!(
                "{}/",
                url.trim_end_matches("index.html").trim_end_matches('/')
            ),
        };
        Ok(Self {
            fetcher: Fetcher::new(deadline),
            pointer: format!("{root}changeover/release.json"),
            root,
        })
    }

    /// A change of the release during the check is not a fault: the check starts again.
    pub fn verify(&self) -> Findings {
        let mut findings = self.check();
        for _ in 1..ATTEMPTS {
            let Some(checked) = findings
                .release
                .as_ref()
                .filter(|_| !findings.faults.is_empty())
            else {
                break;
            };
            let moved = matches!(self.release(&mut Findings::default()), Some(now) if now.sequence != checked.sequence);
            if !moved {
                break;
            }
            findings = self.check();
        }
        // The output ends up in logs.
        for fault in &mut findings.faults {
            fault.place = shown(&fault.place);
            fault.text = shown(&fault.text);
        }
        findings
    }

    fn check(&self) -> Findings {
        let mut findings = Findings::default();
        let Some(release) = self.release(&mut findings) else {
            return findings;
        };
        for (nth, build) in selected_builds(&release).enumerate() {
            let Some(mut manifest) = self.manifest(build, &mut findings) else {
                continue;
            };
            if nth > 0 {
                // Only the live build's documents are served.
                manifest.documents.clear();
            }
            self.check_files(&manifest, &mut findings);
        }
        findings.faults.sort_by(|a, b| a.place.cmp(&b.place));
        findings.release = Some(release);
        findings
    }

    pub fn manifest(&self, build: &BuildRef, findings: &mut Findings) -> Option<Manifest> {
        let Some(manifest) = &build.manifest else {
            findings.no_manifest(&self.pointer, build);
            return None;
        };
        let url = format!("{}changeover/{}", self.root, encoded(manifest));
        match self.fetcher.fetch_whole(&url, MANIFEST_LIMIT as u64) {
            Fetched::Body { bytes, .. } => {
                findings.manifest(&build.id.0, build.integrity.as_deref(), &url, &bytes)
            }
            other => {
                findings.unfetched("manifest-", &url, &other);
                None
            }
        }
    }

    pub fn release(&self, findings: &mut Findings) -> Option<Release> {
        match self
            .fetcher
            .fetch_whole(&self.pointer, RELEASE_LIMIT as u64)
        {
            Fetched::Body { bytes, .. } => match Release::parse(&String::from_utf8_lossy(&bytes)) {
                Ok(release) => Some(release),
                Err(error) => {
                    findings.fault(
                        "release-invalid",
                        &self.pointer,
                        format!("{} cannot be used: {error}", self.pointer),
                    );
                    None
                }
            },
            other => {
                findings.unfetched("release-", &self.pointer, &other);
                None
            }
        }
    }

    fn check_files(&self, manifest: &Manifest, findings: &mut Findings) {
        let files: Vec<_> = files_of(manifest).collect();
        let next = AtomicUsize::new(0);
        let compared = AtomicUsize::new(0);
        let unreachable = AtomicU32::new(0);
        let found = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    let mut mine = Findings::default();
                    while !self.fetcher.is_over()
                        && unreachable.load(Ordering::Relaxed) < UNREACHABLE_LIMIT
                    {
                        let Some((path, print)) = files.get(next.fetch_add(1, Ordering::Relaxed))
                        else {
                            break;
                        };
                        match self.check_file(path, print, &mut mine) {
                            Reached::Yes => unreachable.store(0, Ordering::Relaxed),
                            Reached::No => {
                                unreachable.fetch_add(1, Ordering::Relaxed);
                            }
                            Reached::Late => break,
                        }
                        compared.fetch_add(1, Ordering::Relaxed);
                    }
                    found
                        .lock()
                        .expect("no thread panics while it holds this")
                        .append(&mut mine.faults);
                });
            }
        });
        let compared = compared.into_inner();
        findings.files += compared;
        findings.faults.append(
            &mut found
                .into_inner()
                .expect("no thread panicked while it held this"),
        );
        let left = files.len() - compared;
        if left == 0 {
            return;
        }
        if unreachable.into_inner() >= UNREACHABLE_LIMIT {
            let text = format!(
                "{UNREACHABLE_LIMIT} files in a row could not be fetched, so the other {left} of {} were not asked for",
                files.len()
            );
            findings.fault("given-up", &self.root, text);
        } else {
            let text = format!(
                "the check took longer than {} seconds and was ended, {left} of {} files were not compared; --deadline \
                 gives it more time",
                self.fetcher.deadline().as_secs(),
                files.len()
            );
            findings.fault("deadline", &self.root, text);
        }
    }

    fn check_file(&self, path: &str, print: &Fingerprint, findings: &mut Findings) -> Reached {
        let url = format!("{}{}", self.root, encoded(path));
        if print.size > FILE_LIMIT {
            let text = format!(
                "the manifest says that {url} has {} bytes, and files of more than {FILE_LIMIT} are not fetched",
                print.size
            );
            findings.fault("too-large", &url, text);
            return Reached::Yes;
        }
        // One byte more than expected is enough to see that the file is too long.
        match self
            .fetcher
            .fetch_hash(&url, print.size + 1, &print.integrity)
        {
            Fetched::Body { html: true, .. } if !crate::build::is_document(path) => findings.fault(
                "html-instead",
                &url,
                format!(
                    "{url} answers an HTML page instead of the file: a missing file must be a 404"
                ),
            ),
            Fetched::Body { measured, .. } => {
                findings.compare(&url, &measured, &print.integrity, print.size);
            }
            Fetched::Late => return Reached::Late,
            other => {
                findings.unfetched("", &url, &other);
                if matches!(other, Fetched::Unreachable(_)) {
                    return if self.fetcher.is_over() {
                        Reached::Late
                    } else {
                        Reached::No
                    };
                }
            }
        }
        Reached::Yes
    }
}

/// Whether the server could be reached for a file.
enum Reached {
    Yes,
    No,
    /// The deadline came first.
    Late,
}
