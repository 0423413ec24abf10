//! Readers that poll a site while publishes are killed, over HTTP or as a static host would, and what they complain about.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, RwLock};
use std::time::{Duration, Instant};

use changeover::engine::manifest::Manifest;
use changeover::engine::release::Release;
use changeover_cli::deploy::files_of;
use changeover_cli::hash::Fingerprint;
use changeover_cli::url::encoded;

use super::common::Client;
use super::{FILES, World, live};

/// The findings of the readers.
#[derive(Default)]
pub struct Facts {
    stop: AtomicBool,
    passes: AtomicU64,
    /// Passes are fresh when they began in the current epoch.
    epoch: AtomicU64,
    /// Passes that began in this epoch.
    fresh: AtomicU64,
    complaints: Mutex<Vec<String>>,
    /// Computed hashes by content, so that each file is hashed once.
    known: RwLock<HashMap<Vec<u8>, String>>,
}

impl Facts {
    pub fn passes(&self) -> u64 {
        self.passes.load(Ordering::SeqCst)
    }

    pub fn complaints(&self) -> Vec<String> {
        self.complaints.lock().unwrap().clone()
    }

    pub fn complain(&self, text: String) {
        self.complaints.lock().unwrap().push(text);
    }

    /// Waits for passes that begin after this call.
    pub fn wait_for_fresh_passes(&self, wanted: u64) {
        self.fresh.store(0, Ordering::SeqCst);
        self.epoch.fetch_add(1, Ordering::SeqCst);
        let start = Instant::now();
        while self.fresh.load(Ordering::SeqCst) < wanted && self.complaints().is_empty() {
            assert!(
                start.elapsed() < Duration::from_secs(120),
                "the readers are stuck"
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    pub fn integrity(&self, bytes: &[u8]) -> String {
        if let Some(known) = self.known.read().unwrap().get(bytes) {
            return known.clone();
        }
        let integrity = Fingerprint::of(bytes).integrity;
        self.known
            .write()
            .unwrap()
            .insert(bytes.to_vec(), integrity.clone());
        integrity
    }

    pub fn assert_clean(&self, world: &World) {
        println!(
            "seed {}: {} passes of the readers, {} failpoints per publish, kills: {:?}",
            world.rng.seed,
            self.passes(),
            world.failpoints,
            world.outcomes
        );
        assert_eq!(
            self.complaints(),
            Vec::<String>::new(),
            "seed {}",
            world.rng.seed
        );
        assert!(
            world.kills("old") >= 5,
            "too few kills hit before the pointer: {:?}",
            world.outcomes
        );
        assert!(
            world.kills("new") >= 1,
            "too few kills hit after the pointer: {:?}",
            world.outcomes
        );
    }
}

pub struct StopOnDrop<'a>(pub &'a Facts);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::SeqCst);
    }
}

/// Reads the release, its manifest and every file. A mismatch is a complaint, unless the release has changed meanwhile.
pub fn read_until_stopped(facts: &Facts, fetch: &dyn Fn(&str) -> Result<Vec<u8>, String>) {
    let mut highest = 0;
    while !facts.stop.load(Ordering::SeqCst) {
        let epoch = facts.epoch.load(Ordering::SeqCst);
        let release = match pointer(fetch) {
            Ok(release) => release,
            Err(why) => return facts.complain(why),
        };
        if release.sequence < highest {
            return facts.complain(format!(
                "release {} after release {highest}",
                release.sequence
            ));
        }
        highest = release.sequence;
        if let Err(why) = check(facts, &release, fetch) {
            match pointer(fetch) {
                Ok(now) if now.sequence > release.sequence => {}
                Ok(now) => {
                    return facts
                        .complain(format!("release {} is still live, but {why}", now.sequence));
                }
                Err(why) => return facts.complain(why),
            }
        }
        facts.passes.fetch_add(1, Ordering::SeqCst);
        if facts.epoch.load(Ordering::SeqCst) == epoch {
            facts.fresh.fetch_add(1, Ordering::SeqCst);
        }
        // Leaves the processor to the publisher for a moment.
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub fn pointer(fetch: &dyn Fn(&str) -> Result<Vec<u8>, String>) -> Result<Release, String> {
    let bytes = fetch("changeover/release.json")?;
    Release::parse(&String::from_utf8_lossy(&bytes)).map_err(|error| error.to_string())
}

pub fn check(
    facts: &Facts,
    release: &Release,
    fetch: &dyn Fn(&str) -> Result<Vec<u8>, String>,
) -> Result<(), String> {
    let place = format!("changeover/{}", release.build.manifest.as_deref().unwrap());
    let bytes = fetch(&place)?;
    let integrity = release.build.integrity.clone().unwrap();
    if Fingerprint::of(&bytes).integrity != integrity {
        return Err(format!(
            "{place} is not the manifest that the release names"
        ));
    }
    let manifest =
        Manifest::parse(&String::from_utf8_lossy(&bytes)).map_err(|error| error.to_string())?;
    if manifest.chunks.len() < FILES || manifest.documents.len() != 2 {
        return Err(format!("{place} lists {} chunks", manifest.chunks.len()));
    }
    for (path, print) in files_of(&manifest) {
        let bytes = fetch(&path)?;
        if bytes.len() as u64 != print.size || facts.integrity(&bytes) != print.integrity {
            return Err(format!("{path} is not what the manifest says"));
        }
    }
    Ok(())
}

pub fn over_http(client: &mut Client, path: &str) -> Result<Vec<u8>, String> {
    let answer = client
        .get(&format!("/{}", encoded(path)))
        .map_err(|error| format!("{path}: {error}"))?;
    match answer.status {
        200 => Ok(answer.body),
        status => Err(format!("{path} answers {status}")),
    }
}

/// Reads files as a static host does. A killed publish may leave new documents with the old pointer.
/// [`follow_the_document`] checks that, so here documents are read from the folder of the build.
pub fn from_disk(site: &Path, path: &str) -> Result<Vec<u8>, String> {
    let file = if path.ends_with(".html") {
        let release = live(site);
        site.join("changeover/files")
            .join(&release.build.id.0)
            .join(path)
    } else {
        site.join(path)
    };
    fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))
}

/// Checks the build that the document names: its manifest is there, and the document and all files are intact.
pub fn follow_the_document(facts: &Facts, site: &Path) {
    let read = |path: &str| fs::read(site.join(path)).map_err(|error| format!("{path}: {error}"));
    let check_once = |html: &[u8]| -> Result<(), String> {
        let text = String::from_utf8_lossy(html);
        let id = text
            .split("data-build=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .ok_or("a document without a stamp")?;
        let bytes = read(&format!("changeover/builds/{id}.json"))?;
        let manifest =
            Manifest::parse(&String::from_utf8_lossy(&bytes)).map_err(|error| error.to_string())?;
        if manifest.documents.get("index.html").unwrap().integrity != facts.integrity(html) {
            return Err(format!("the document of build {id} is not whole"));
        }
        // The number in a document of a build that is not live yet tells its page that the pointer is older.
        let release = live(site);
        let number: u64 = text
            .split("data-sequence=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next()?.parse().ok())
            .ok_or("a document without a number")?;
        if release.build.id.0 != id && release.sequence >= number {
            return Err(format!(
                "the document of build {id} is of release {number}, and release {} is live",
                release.sequence
            ));
        }
        for (path, chunk) in &manifest.chunks {
            if facts.integrity(&read(path)?) != chunk.integrity {
                return Err(format!("the document is of build {id}, but {path} is not"));
            }
        }
        Ok(())
    };
    while !facts.stop.load(Ordering::SeqCst) {
        let html = match read("index.html") {
            Ok(html) => html,
            Err(why) => return facts.complain(why),
        };
        if let Err(why) = check_once(&html) {
            // A build may be removed while its old document is being checked, but not while that document is the
            // current one.
            if read("index.html").as_deref() == Ok(&html) {
                return facts.complain(why);
            }
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
