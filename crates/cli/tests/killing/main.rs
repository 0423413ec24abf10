//! `publish` killed at random points while readers poll: no reader ever sees a release whose files are not all served
//! and intact. The seed is printed; `CHANGEOVER_SEED=… cargo test --test killing` repeats a run's choices.

#[path = "../common/mod.rs"]
mod common;
mod readers;

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use changeover::engine::release::Release;
use changeover_cli::hash::Fingerprint;
use common::{BINARY, Client, Served, changeover_json, index, kill, publish, publish_up_to, put};
use readers::{Facts, StopOnDrop, follow_the_document, from_disk, over_http, read_until_stopped};

const READERS: usize = 4;
const HTTP_KILLS: u32 = 50;
const STATIC_KILLS: u32 = 25;
const FILES: usize = 150;

/// About 2 MB per build, so that a publish takes long enough to be killed.
const SIZES: std::ops::Range<u64> = 1_000..25_000;

#[test]
fn over_http_a_killed_publish_leaves_exactly_the_old_or_the_new_release() {
    // A third of the files have the same names in every build: only the pointer can switch those.
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

/// A dist that changes in every round, the site, and the outcomes so far.
struct World {
    _root: tempfile::TempDir,
    dist: PathBuf,
    site: PathBuf,
    rng: Rng,
    /// How many files have the same name in every build.
    colliding: usize,
    generation: u64,
    hashed: Vec<String>,
    failpoints: u64,
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
            rng: Rng::from_environment(name),
            colliding,
            generation: 0,
            hashed: Vec::new(),
            failpoints: 0,
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
                let which = self.rng.below(names as u64) as usize;
                fs::remove_file(self.dist.join(&self.hashed[which])).unwrap();
                self.hashed[which] = self.write_hashed();
            }
        }
        for n in 0..self.colliding {
            let bytes = self.rng.bytes(SIZES);
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
        let bytes = self.rng.bytes(SIZES);
        let hash: String = Fingerprint::of(&bytes).integrity[7..]
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(12)
            .collect();
        let name = format!("assets/chunk-{hash}.js");
        put(&self.dist, &name, bytes);
        name
    }

    /// Counts the failpoints of a typical publish and measures its duration.
    fn measure(&mut self) {
        let start = Instant::now();
        let out = self
            .command()
            .env("CHANGEOVER_FAILPOINTS", "trace")
            .output()
            .unwrap();
        assert!(out.status.success());
        self.duration = start.elapsed();
        self.failpoints = String::from_utf8(out.stderr)
            .unwrap()
            .lines()
            .filter(|line| line.starts_with("failpoint "))
            .count() as u64;
        assert!(self.failpoints > 100, "{} failpoints", self.failpoints);
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

    /// A publish that finished before its kill does not count.
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
        // In turn: at a random failpoint, where every reader reads the unfinished site; at a named failpoint between
        // kinds of writes, where the order matters most; and at a random time.
        let (mut child, how) = match round % 3 {
            0 => {
                let failpoint = 1 + self.rng.below(self.failpoints);
                self.stop_at(&failpoint.to_string())
            }
            1 => {
                let name = NAMED_FAILPOINTS[(round / 3) as usize % NAMED_FAILPOINTS.len()];
                self.stop_at(name)
            }
            _ => {
                let child = self.command().spawn().unwrap();
                let most = self.duration.as_micros() as u64 * 5 / 4;
                std::thread::sleep(Duration::from_micros(self.rng.below(most)));
                (child, "by delay")
            }
        };
        if how == "at a failpoint" {
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
        if self.rng.below(2) == 0 {
            self.publish_to_the_end(facts);
        }
    }

    fn stop_at(&self, failpoint: &str) -> (Child, &'static str) {
        (
            publish_up_to(failpoint, &self.dist, &self.site, KEEP),
            "at a failpoint",
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

/// The named failpoints.
const NAMED_FAILPOINTS: [&str; 9] = [
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

/// Small, so that the removal of old builds is killed, too.
const KEEP: &[&str] = &["--keep", "3", "--keep-days", "0", "--by", "test"];

fn live(site: &Path) -> Release {
    Release::parse(&fs::read_to_string(site.join("changeover/release.json")).unwrap()).unwrap()
}

/// xorshift64*: good enough for choices, and the same on every platform.
struct Rng {
    seed: u64,
    state: u64,
}

impl Rng {
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
