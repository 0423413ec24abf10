//! `publish` killed at random points while readers poll: no reader ever sees a release whose files are not all served
//! and intact. The seed is printed; `CHANGEOVER_SEED=… cargo test --test killing` repeats a run's choices.

mod common;

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, RwLock};
use std::time::{Duration, Instant, SystemTime};

use changeover::engine::manifest::Manifest;
use changeover::engine::release::Release;
use changeover_cli::deploy::files_of;
use changeover_cli::hash::Fingerprint;
use changeover_cli::url::encoded;
use common::{BINARY, Client, Served, changeover_json, index, kill, publish, publish_up_to, put};

const READERS: usize = 4;
const HTTP_KILLS: u32 = 50;
const STATIC_KILLS: u32 = 25;
const FILES: usize = 150;

/// Some 2 MB a build, so that a publish takes long enough to be hit.
const SIZES: std::ops::Range<u64> = 1_000..25_000;

#[test]
fn over_http_a_killed_publish_leaves_exactly_the_old_or_the_new_release() {
    // A third of the files keep their names from build to build: only the pointer can switch those.
    let mut world = World::new("http", 50);
    let served = Served::start(&world.site);
    let facts = Facts::default();
    std::thread::scope(|scope| {
        let _stop = StopOnDrop(&facts);
        for _ in 0..READERS {
            scope.spawn(|| {
                let client = RefCell::new(Client::new(&served.address));
                read_until_stopped(&facts, &|path| over_http(&mut client.borrow_mut(), path));
            });
        }
        facts.wait_for_fresh_passes(2);
        world.kill_publishes(HTTP_KILLS, &facts);
        world.publish_to_the_end(&facts);
    });
    facts.assert_clean(&world);
    let (exit, verdict) = changeover_json(["verify", &served.url]);
    assert_eq!(exit, 0, "{verdict}");
}

#[test]
fn on_a_static_host_the_same_holds_for_a_hashed_dist() {
    let mut world = World::new("static", 0);
    let facts = Facts::default();
    let site = world.site.clone();
    std::thread::scope(|scope| {
        let _stop = StopOnDrop(&facts);
        for _ in 0..READERS / 2 {
            scope.spawn(|| read_until_stopped(&facts, &|path| from_disk(&site, path)));
            scope.spawn(|| follow_the_document(&facts, &site));
        }
        facts.wait_for_fresh_passes(2);
        world.kill_publishes(STATIC_KILLS, &facts);
        world.publish_to_the_end(&facts);
    });
    facts.assert_clean(&world);
    let (exit, verdict) = changeover_json(["verify", world.site.to_str().unwrap()]);
    assert_eq!(exit, 0, "{verdict}");
}

/// A dist that changes from round to round, the site, and what happened so far.
struct World {
    _root: tempfile::TempDir,
    dist: PathBuf,
    site: PathBuf,
    chance: Chance,
    /// How many files have the same name in every build.
    colliding: usize,
    generation: u64,
    hashed: Vec<String>,
    steps: u64,
    duration: Duration,
    outcomes: HashMap<&'static str, u32>,
}

impl World {
    fn new(name: &str, colliding: usize) -> Self {
        let root = tempfile::tempdir().unwrap();
        let mut world = Self {
            dist: root.path().join("dist"),
            site: root.path().join("site"),
            _root: root,
            chance: Chance::from_environment(name),
            colliding,
            generation: 0,
            hashed: Vec::new(),
            steps: 0,
            duration: Duration::ZERO,
            outcomes: HashMap::new(),
        };
        world.next_build();
        publish(&world.dist, &world.site, KEEP);
        world.next_build();
        world.measure();
        world
    }

    /// Replaces a fifth of the hashed files, every colliding one and the documents.
    fn next_build(&mut self) {
        self.generation += 1;
        let names = self.hashed.len();
        if names == 0 {
            for _ in 0..FILES - self.colliding {
                let name = self.write_hashed();
                self.hashed.push(name);
            }
        } else {
            for _ in 0..names / 5 {
                let which = self.chance.below(names as u64) as usize;
                fs::remove_file(self.dist.join(&self.hashed[which])).unwrap();
                self.hashed[which] = self.write_hashed();
            }
        }
        for n in 0..self.colliding {
            let bytes = self.chance.bytes(SIZES);
            put(&self.dist, &format!("plain/{n}.js"), bytes);
        }
        let generation = self.generation;
        put(
            &self.dist,
            "index.html",
            index(&[&format!("/{}", self.hashed[0])]) + &format!("<p>{generation}"),
        );
        put(&self.dist, "sub/page.html", format!("<p>{generation}"));
    }

    fn write_hashed(&mut self) -> String {
        let bytes = self.chance.bytes(SIZES);
        let hash: String = Fingerprint::of(&bytes).integrity[7..]
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(12)
            .collect();
        let name = format!("assets/chunk-{hash}.js");
        put(&self.dist, &name, bytes);
        name
    }

    /// Counts the steps of a typical publish and how long it takes.
    fn measure(&mut self) {
        let start = Instant::now();
        let out = self
            .command()
            .env("CHANGEOVER_FAILPOINTS", "trace")
            .output()
            .unwrap();
        assert!(out.status.success());
        self.duration = start.elapsed();
        self.steps = String::from_utf8(out.stderr)
            .unwrap()
            .lines()
            .filter(|line| line.starts_with("step "))
            .count() as u64;
        assert!(self.steps > 100, "{} steps", self.steps);
    }

    fn command(&self) -> Command {
        let mut command = Command::new(BINARY);
        command
            .args([
                "publish",
                self.dist.to_str().unwrap(),
                "--to",
                self.site.to_str().unwrap(),
            ])
            .args(KEEP)
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    /// One that was done before its kill does not count.
    fn kill_publishes(&mut self, wanted: u32, facts: &Facts) {
        for round in 0.. {
            self.kill_one_publish(round, facts);
            if self.kills("old") + self.kills("new") >= wanted || !facts.complaints().is_empty() {
                return;
            }
        }
    }

    fn kills(&self, outcome: &str) -> u32 {
        self.outcomes.get(outcome).copied().unwrap_or_default()
    }

    fn kill_one_publish(&mut self, round: u32, facts: &Facts) {
        self.next_build();
        let before = live(&self.site);
        // By turns: a stop at an exact step, where every reader gets to look at the half-done site; a stop between the
        // kinds of writes, where the order matters most; and a moment that falls wherever it falls.
        let (mut child, how) = match round % 3 {
            0 => {
                let step = 1 + self.chance.below(self.steps);
                self.stop_at(&step.to_string())
            }
            1 => {
                let name = LATE_STEPS[(round / 3) as usize % LATE_STEPS.len()];
                self.stop_at(name)
            }
            _ => {
                let child = self.command().spawn().unwrap();
                let most = self.duration.as_micros() as u64 * 5 / 4;
                std::thread::sleep(Duration::from_micros(self.chance.below(most)));
                (child, "by delay")
            }
        };
        if how == "at a step" {
            facts.wait_for_fresh_passes(2);
        }
        let ended = child.try_wait().unwrap().is_some();
        kill(child);
        let after = live(&self.site);
        let outcome = match (ended, after == before) {
            (true, _) => "was done",
            (false, true) => "old",
            (false, false) => "new",
        };
        *self.outcomes.entry(outcome).or_default() += 1;
        assert!(after == before || after.sequence > before.sequence);
        facts.wait_for_fresh_passes(1);
        if self.chance.below(2) == 0 {
            self.publish_to_the_end(facts);
        }
    }

    fn stop_at(&self, step: &str) -> (Child, &'static str) {
        (
            publish_up_to(step, &self.dist, &self.site, KEEP),
            "at a step",
        )
    }

    /// A rerun after a kill completes what was begun.
    fn publish_to_the_end(&mut self, facts: &Facts) {
        let published = publish(&self.dist, &self.site, KEEP);
        let release = live(&self.site);
        assert_eq!(published["build"], release.build.id.0);
        assert_eq!(publish(&self.dist, &self.site, KEEP)["live"], "already");
        assert!(!self.site.join("changeover/.tmp").exists());
        facts.wait_for_fresh_passes(1);
    }
}

/// The steps around the pointer.
const LATE_STEPS: [&str; 9] = [
    "build placed",
    "new assets placed",
    "manifest placed",
    "documents placed",
    "history placed",
    "pointer moved",
    "asset pruned",
    "manifest pruned",
    "build pruned",
];

/// Small, so that removing old builds is part of what is killed.
const KEEP: &[&str] = &["--keep", "3", "--keep-days", "0", "--by", "test"];

fn live(site: &Path) -> Release {
    Release::parse(&fs::read_to_string(site.join("changeover/release.json")).unwrap()).unwrap()
}

/// What the readers have to say.
#[derive(Default)]
struct Facts {
    stop: AtomicBool,
    passes: AtomicU64,
    /// Counts the moments from which on passes are fresh.
    epoch: AtomicU64,
    /// Passes that began in this epoch.
    fresh: AtomicU64,
    complaints: Mutex<Vec<String>>,
    /// Hashes that were computed before, by content, so that a slow test build hashes each file once.
    known: RwLock<HashMap<Vec<u8>, String>>,
}

impl Facts {
    fn passes(&self) -> u64 {
        self.passes.load(Ordering::SeqCst)
    }

    fn complaints(&self) -> Vec<String> {
        self.complaints.lock().unwrap().clone()
    }

    fn complain(&self, text: String) {
        self.complaints.lock().unwrap().push(text);
    }

    /// Waits for passes that began after now: what was read before does not count.
    fn wait_for_fresh_passes(&self, wanted: u64) {
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

    fn integrity(&self, bytes: &[u8]) -> String {
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

    fn assert_clean(&self, world: &World) {
        println!(
            "seed {}: {} passes of the readers, {} steps a publish, kills: {:?}",
            world.chance.seed,
            self.passes(),
            world.steps,
            world.outcomes
        );
        assert_eq!(
            self.complaints(),
            Vec::<String>::new(),
            "seed {}",
            world.chance.seed
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

struct StopOnDrop<'a>(&'a Facts);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::SeqCst);
    }
}

/// Release, manifest, every file; whatever does not fit is a complaint unless the release has moved on meanwhile.
fn read_until_stopped(facts: &Facts, fetch: &dyn Fn(&str) -> Result<Vec<u8>, String>) {
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

fn pointer(fetch: &dyn Fn(&str) -> Result<Vec<u8>, String>) -> Result<Release, String> {
    let bytes = fetch("changeover/release.json")?;
    Release::parse(&String::from_utf8_lossy(&bytes)).map_err(|error| error.to_string())
}

fn check(
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

fn over_http(client: &mut Client, path: &str) -> Result<Vec<u8>, String> {
    let answer = client
        .get(&format!("/{}", encoded(path)))
        .map_err(|error| format!("{path}: {error}"))?;
    match answer.status {
        200 => Ok(answer.body),
        status => Err(format!("{path} answers {status}")),
    }
}

/// A static host has nothing but files. Between the document and the pointer a killed publish may leave the new
/// document before the old pointer: that is checked by [`follow_the_document`], so here documents are taken from the
/// folder of the build.
fn from_disk(site: &Path, path: &str) -> Result<Vec<u8>, String> {
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

/// Whatever build the document says it is: its manifest is there, the document is whole, and so is every file.
fn follow_the_document(facts: &Facts, site: &Path) {
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
        if manifest.documents["index.html"].integrity != facts.integrity(html) {
            return Err(format!("the document of build {id} is not whole"));
        }
        // A page of a build that is not live yet is told by its document that the pointer is older than itself.
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
            // A build may go while an old document of it is being followed, but not while it is the current one.
            if read("index.html").as_deref() == Ok(&html) {
                return facts.complain(why);
            }
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// xorshift64*: good enough to choose by, and the same everywhere.
struct Chance {
    seed: u64,
    state: u64,
}

impl Chance {
    fn from_environment(name: &str) -> Self {
        let seed = std::env::var("CHANGEOVER_SEED")
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or_else(|| {
                SystemTime::now()
                    .duration_since(SystemTime::UNIX_EPOCH)
                    .unwrap()
                    .as_nanos() as u64
            });
        println!("{name}: CHANGEOVER_SEED={seed}");
        Self {
            seed,
            state: seed | 1,
        }
    }

    fn next(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    fn bytes(&mut self, sizes: std::ops::Range<u64>) -> Vec<u8> {
        let size = sizes.start + self.below(sizes.end - sizes.start);
        (0..size.div_ceil(8))
            .flat_map(|_| self.next().to_le_bytes())
            .collect()
    }
}
