//! `changeover verify`: is everything there that the live release needs, byte for byte?

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use changeover::engine::manifest::{MANIFEST_LIMIT, Manifest};
use changeover::engine::release::{BuildRef, RELEASE_LIMIT, Release};

use crate::deploy::files_of;
use crate::error::{Error, Result};
use crate::hash::Fingerprint;
use crate::site::{Site, no_manifest};
use crate::stores;
use crate::url::{encoded, shown};

/// Requests at a time: enough to hide the latency of one, few enough for any server.
const AT_ONCE: usize = 6;

/// For one answer, from connecting to its last byte.
const PATIENCE: Duration = Duration::from_secs(60);

/// Until an answer begins: a server that takes longer is of no use to a page either.
const FIRST_BYTE: Duration = Duration::from_secs(20);

/// For the whole check, unless the caller says otherwise.
pub const DEADLINE: Duration = Duration::from_secs(10 * 60);

/// Most bytes that are read of one file, whatever the manifest says of it; they are hashed as they come.
const FILE_LIMIT: u64 = 1 << 30;

/// So many files in a row that could not be reached are enough to know what the others would give.
const UNREACHABLE_LIMIT: u32 = 12;

/// How often the check starts again because the release moved on meanwhile.
const ATTEMPTS: u32 = 3;

/// Something that a page would stumble over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// `missing`, `wrong-size`, `wrong-bytes`, `too-large`, `html-instead`, `http-status`, `unreachable`, `given-up`,
    /// `deadline`, `release-…`, `manifest-…`.
    pub code: String,
    /// The path or URL.
    pub place: String,
    pub text: String,
}

/// The result of a check that could be made.
#[derive(Debug, Default)]
pub struct Verdict {
    pub release: Option<Release>,
    /// How many files were compared.
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
/// A check of a URL ends at the deadline, whatever the server does. Errors only when there is nothing to check:
/// `site-missing`, `url-invalid`. Everything else is a fault.
pub fn verify(target: &str, deadline: Duration) -> Result<Verdict> {
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
    Ok(verify_folder(&Site::open(Path::new(target))?))
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
    let remote = Remote::new(url, PATIENCE)?;
    let mut verdict = Verdict::default();
    let manifest = remote
        .release(&mut verdict)
        .and_then(|release| remote.manifest(&release.build, &mut verdict));
    manifest.ok_or_else(|| {
        let fault = verdict.faults.first();
        let text = fault.map_or_else(
            || format!("{} has no manifest", shown(url)),
            |fault| shown(&fault.text),
        );
        Error::new("manifest-unreachable", text)
    })
}

fn verify_folder(site: &Site) -> Verdict {
    let mut verdict = Verdict::default();
    let release = match site.live() {
        Ok(Some(release)) => release,
        Ok(None) => {
            let place = site.pointer().display().to_string();
            let text = format!("there is no {place}, so nothing is published here");
            verdict.fault("release-missing", place, text);
            return verdict;
        }
        Err(error) => {
            verdict.fault(
                "release-invalid",
                site.pointer().display().to_string(),
                error.to_string(),
            );
            return verdict;
        }
    };
    let builds = std::iter::once(&release.build).chain(
        release
            .rollout
            .iter()
            .flat_map(|rollout| &rollout.otherwise),
    );
    for (nth, build) in builds.enumerate() {
        let Some(manifest) = &build.manifest else {
            verdict.no_manifest(&site.pointer().display().to_string(), build);
            continue;
        };
        let place = site.guard().join(manifest);
        let shown = place.display().to_string();
        let Ok(bytes) = std::fs::read(&place) else {
            let text = format!("the manifest of build {} is not at {shown}", build.id.0);
            verdict.fault("manifest-missing", shown, text);
            continue;
        };
        let Some(manifest) =
            verdict.manifest(&build.id.0, build.integrity.as_deref(), &shown, &bytes)
        else {
            continue;
        };
        // What `serve` answers from, and what a static host answers from; only the live build is in the latter whole.
        let own = site.files(&build.id.0);
        let mut folders: Vec<PathBuf> = own.is_dir().then_some(own).into_iter().collect();
        if nth == 0 {
            folders.push(site.root().to_path_buf());
        }
        for folder in folders {
            for (path, print) in files_of(&manifest) {
                let file = folder.join(&path);
                verdict.files += 1;
                let found = File::open(&file)
                    .ok()
                    .filter(|open| open.metadata().is_ok_and(|meta| meta.is_file()));
                let shown = file.display().to_string();
                match found {
                    None => {
                        let text = format!("{shown} is missing");
                        verdict.fault("missing", shown, text);
                    }
                    Some(mut open) => match Fingerprint::like(&print.integrity, &mut open) {
                        Ok(measured) => {
                            verdict.compare(&shown, &measured, &print.integrity, print.size)
                        }
                        Err(error) => {
                            let text = format!("{shown} cannot be read: {error}");
                            verdict.fault("unreachable", shown, text);
                        }
                    },
                }
            }
        }
    }
    verdict.release = Some(release);
    verdict
}

impl Verdict {
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

/// A site behind a URL.
struct Remote {
    agent: ureq::Agent,
    /// Of `release.json`.
    pointer: String,
    /// With a slash at the end.
    root: String,
    start: Instant,
    deadline: Duration,
}

enum Fetched {
    Body {
        measured: Fingerprint,
        bytes: Vec<u8>,
        html: bool,
    },
    Status(u16),
    Unreachable(String),
    /// There was no time left to ask.
    Late,
}

impl Remote {
    fn new(url: &str, deadline: Duration) -> Result<Self> {
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
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_recv_response(Some(FIRST_BYTE))
            .timeout_connect(Some(FIRST_BYTE))
            .user_agent(concat!("changeover/", env!("CARGO_PKG_VERSION")))
            .build()
            .into();
        Ok(Self {
            agent,
            pointer: format!("{root}changeover/release.json"),
            root,
            start: Instant::now(),
            deadline,
        })
    }

    /// A release that moves during the check is no fault: the check starts again.
    fn verify(&self) -> Verdict {
        let mut verdict = self.check();
        for _ in 1..ATTEMPTS {
            let Some(checked) = verdict
                .release
                .as_ref()
                .filter(|_| !verdict.faults.is_empty())
            else {
                break;
            };
            let moved = matches!(self.release(&mut Verdict::default()), Some(now) if now.sequence != checked.sequence);
            if !moved {
                break;
            }
            verdict = self.check();
        }
        // What is told ends in logs.
        for fault in &mut verdict.faults {
            fault.place = shown(&fault.place);
            fault.text = shown(&fault.text);
        }
        verdict
    }

    fn check(&self) -> Verdict {
        let mut verdict = Verdict::default();
        let Some(release) = self.release(&mut verdict) else {
            return verdict;
        };
        let builds = std::iter::once(&release.build).chain(
            release
                .rollout
                .iter()
                .flat_map(|rollout| &rollout.otherwise),
        );
        for (nth, build) in builds.enumerate() {
            let Some(mut manifest) = self.manifest(build, &mut verdict) else {
                continue;
            };
            if nth > 0 {
                // Only the live build's documents are served.
                manifest.documents.clear();
            }
            self.check_files(&manifest, &mut verdict);
        }
        verdict.faults.sort_by(|a, b| a.place.cmp(&b.place));
        verdict.release = Some(release);
        verdict
    }

    fn manifest(&self, build: &BuildRef, verdict: &mut Verdict) -> Option<Manifest> {
        let Some(manifest) = &build.manifest else {
            verdict.no_manifest(&self.pointer, build);
            return None;
        };
        let url = format!("{}changeover/{}", self.root, encoded(manifest));
        match self.fetch(&url, "", MANIFEST_LIMIT as u64, true) {
            Fetched::Body { bytes, .. } => {
                verdict.manifest(&build.id.0, build.integrity.as_deref(), &url, &bytes)
            }
            other => {
                verdict.unfetched("manifest-", &url, &other);
                None
            }
        }
    }

    fn release(&self, verdict: &mut Verdict) -> Option<Release> {
        match self.fetch(&self.pointer, "", RELEASE_LIMIT as u64, true) {
            Fetched::Body { bytes, .. } => match Release::parse(&String::from_utf8_lossy(&bytes)) {
                Ok(release) => Some(release),
                Err(error) => {
                    verdict.fault(
                        "release-invalid",
                        &self.pointer,
                        format!("{} cannot be used: {error}", self.pointer),
                    );
                    None
                }
            },
            other => {
                verdict.unfetched("release-", &self.pointer, &other);
                None
            }
        }
    }

    fn check_files(&self, manifest: &Manifest, verdict: &mut Verdict) {
        let files: Vec<_> = files_of(manifest).collect();
        let next = AtomicUsize::new(0);
        let compared = AtomicUsize::new(0);
        let unreachable = AtomicU32::new(0);
        let found = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    let mut mine = Verdict::default();
                    while !self.is_over() && unreachable.load(Ordering::Relaxed) < UNREACHABLE_LIMIT
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
        verdict.files += compared;
        verdict.faults.append(
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
            verdict.fault("given-up", &self.root, text);
        } else {
            let text = format!(
                "the check took longer than {} seconds and was ended, {left} of {} files were not compared; --deadline \
                 gives it more time",
                self.deadline.as_secs(),
                files.len()
            );
            verdict.fault("deadline", &self.root, text);
        }
    }

    fn check_file(&self, path: &str, print: &Fingerprint, verdict: &mut Verdict) -> Reached {
        let url = format!("{}{}", self.root, encoded(path));
        if print.size > FILE_LIMIT {
            let text = format!(
                "the manifest says that {url} has {} bytes, and files of more than {FILE_LIMIT} are not fetched",
                print.size
            );
            verdict.fault("too-large", &url, text);
            return Reached::Yes;
        }
        // One byte more than expected is enough to see that it is too long.
        match self.fetch(&url, &print.integrity, print.size + 1, false) {
            Fetched::Body { html: true, .. } if !crate::build::is_document(path) => verdict.fault(
                "html-instead",
                &url,
                format!(
                    "{url} answers an HTML page instead of the file: a missing file must be a 404"
                ),
            ),
            Fetched::Body { measured, .. } => {
                verdict.compare(&url, &measured, &print.integrity, print.size);
            }
            Fetched::Late => return Reached::Late,
            other => {
                verdict.unfetched("", &url, &other);
                if matches!(other, Fetched::Unreachable(_)) {
                    return if self.is_over() {
                        Reached::Late
                    } else {
                        Reached::No
                    };
                }
            }
        }
        Reached::Yes
    }

    fn is_over(&self) -> bool {
        self.start.elapsed() >= self.deadline
    }

    /// Hashes at most `limit` bytes of the body as they come, and keeps them only if it is told to.
    fn fetch(&self, url: &str, integrity: &str, limit: u64, keep: bool) -> Fetched {
        let left = self.deadline.saturating_sub(self.start.elapsed());
        if left.is_zero() {
            return Fetched::Late;
        }
        let request = self
            .agent
            .get(url)
            .config()
            .timeout_global(Some(left.min(PATIENCE)))
            .build()
            .header("cache-control", "no-cache");
        let mut answer = match request.call() {
            Ok(answer) => answer,
            Err(error) => return Fetched::Unreachable(error.to_string()),
        };
        if answer.status() != 200 {
            return Fetched::Status(answer.status().as_u16());
        }
        let html = answer
            .headers()
            .get("content-type")
            .and_then(|kind| kind.to_str().ok())
            .is_some_and(|kind| kind.starts_with("text/html"));
        let mut body = answer.body_mut().as_reader().take(limit);
        let mut bytes = Vec::new();
        let measured = if keep {
            body.read_to_end(&mut bytes)
                .map(|_| Fingerprint::of(&bytes))
        } else {
            Fingerprint::like(integrity, &mut body)
        };
        match measured {
            Ok(measured) => Fetched::Body {
                measured,
                bytes,
                html,
            },
            Err(error) => Fetched::Unreachable(error.to_string()),
        }
    }
}

/// Whether the server answered for a file, with whatever.
enum Reached {
    Yes,
    No,
    /// The deadline came first.
    Late,
}

impl Verdict {
    fn unfetched(&mut self, prefix: &str, url: &str, fetched: &Fetched) {
        match fetched {
            Fetched::Status(404 | 410) => self.fault(
                &format!("{prefix}missing"),
                url,
                format!("{url} is missing"),
            ),
            Fetched::Status(status) => self.fault(
                &format!("{prefix}http-status"),
                url,
                format!("{url} answers with status {status} instead of 200"),
            ),
            Fetched::Unreachable(why) => self.fault(
                &format!("{prefix}unreachable"),
                url,
                format!("{url} cannot be fetched: {why}"),
            ),
            Fetched::Late => self.fault(
                &format!("{prefix}deadline"),
                url,
                format!(
                    "there was no time left to ask for {url}; --deadline gives the check more time"
                ),
            ),
            Fetched::Body { .. } => {}
        }
    }
}
