//! The server: builds, releases, replicas that lag behind, and every kind of wrong answer.

use changeover::{
    engine::{
        io::{FetchFailure, Input},
        manifest::{Chunk, ChunkKind, Manifest, Owner},
        release::{BuildRef, Release, Urgency},
    },
    ids::BuildId,
};

/// What is wrong with the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Status(u16),
    RetryAfter(u64),
    Html,
    CutOff,
    Empty,
    /// No answer comes.
    Silence,
    Network,
    /// A release of another app.
    OtherApp,
}

pub struct Server {
    pub builds: Vec<Build>,
    pub releases: Vec<Release>,
    /// For each replica, how many releases it has.
    pub replicas: Vec<usize>,
    pub fault: Option<Fault>,
    has_stream: bool,
}

pub struct Build {
    manifest: Manifest,
    /// Whether its manifest is on the server.
    there: bool,
}

impl Server {
    pub fn new(replicas: usize, has_stream: bool) -> Self {
        let mut server = Self {
            builds: vec![],
            releases: vec![],
            replicas: vec![0; replicas],
            fault: None,
            has_stream,
        };
        let first = server.new_build(true);
        server.publish(first, Urgency::Routine);
        for replica in 0..replicas {
            server.catch_up(replica);
        }
        server
    }

    /// Every third build differs from the one before only in a file that no page loads.
    pub fn new_build(&mut self, there: bool) -> usize {
        let number = self.builds.len();
        let mut manifest = Manifest::new(
            "shop",
            BuildId(format!("b{number}")),
            "2026-07-31T12:00:00Z",
        );
        let main = number - number / 3;
        manifest.entries.push("assets/index.js".into());
        manifest.chunks.insert(
            "assets/index.js".into(),
            chunk("src/main.js", &format!("main {main}")),
        );
        manifest.chunks.insert(
            "assets/lazy.js".into(),
            chunk("src/lazy.js", &format!("lazy {number}")),
        );
        self.builds.push(Build { manifest, there });
        number
    }

    pub fn publish(&mut self, build: usize, urgency: Urgency) {
        let id = self.builds[build].manifest.id.clone();
        let manifest = Some(format!("builds/{}.json", id.0));
        let sequence = 100 + self.releases.len() as u64;
        let build = BuildRef {
            id,
            manifest,
            integrity: None,
        };
        let mut release = Release::new("shop", "stable", sequence, "2026-07-31T12:00:00Z", build);
        release.urgency = urgency;
        self.releases.push(release);
    }

    /// Gives the newest release to a replica. Returns the sequences that are new to it.
    pub fn catch_up(&mut self, replica: usize) -> Vec<u64> {
        let had = std::mem::replace(&mut self.replicas[replica], self.releases.len());
        let news = if had < self.releases.len() {
            self.releases.last()
        } else {
            None
        };
        news.map(|release| release.sequence).into_iter().collect()
    }

    pub fn manifest_arrives(&mut self, build: usize) {
        self.builds[build].there = true;
    }

    pub fn heal(&mut self) {
        self.fault = None;
        self.builds.iter_mut().for_each(|build| build.there = true);
    }

    pub fn newest(&self) -> &Release {
        self.releases
            .last()
            .expect("a server has a release from the beginning")
    }

    /// The release as a replica has it.
    pub fn release_of(&self, replica: usize) -> &Release {
        &self.releases[self.replicas[replica] - 1]
    }

    /// The answer of a replica to a check; `None` when it never answers.
    pub fn answer(&self, replica: usize) -> Option<Input> {
        let text = self.release_of(replica).to_json();
        let fetched = |body: String| {
            Some(Input::ReleaseFetched {
                body,
                events: self.stream_url(),
                date: None,
            })
        };
        let failed = |failure, retry_after| {
            Some(Input::ReleaseFailed {
                failure,
                retry_after,
            })
        };
        match self.fault {
            None => fetched(text),
            Some(Fault::Status(status)) => failed(FetchFailure::Status { status }, None),
            Some(Fault::RetryAfter(pause)) => {
                failed(FetchFailure::Status { status: 503 }, Some(pause))
            }
            Some(Fault::Html) => fetched("<!doctype html><title>Log in</title>".into()),
            Some(Fault::CutOff) => fetched(text[..text.len() / 2].into()),
            Some(Fault::Empty) => fetched(String::new()),
            Some(Fault::Silence) => None,
            Some(Fault::Network) => failed(FetchFailure::Network, None),
            Some(Fault::OtherApp) => fetched(text.replace("\"shop\"", "\"bank\"")),
        }
    }

    pub fn manifest(&self, build: BuildId) -> Option<Input> {
        let found = self
            .builds
            .iter()
            .find(|there| there.manifest.id == build && there.there);
        match (self.fault, found) {
            (Some(Fault::Silence), _) => None,
            (Some(Fault::Network), _) => Some(Input::ManifestFailed {
                build,
                failure: FetchFailure::Network,
            }),
            (Some(Fault::Html), _) => Some(Input::ManifestFetched {
                build,
                body: "<html>".into(),
            }),
            (_, Some(there)) => Some(Input::ManifestFetched {
                build,
                body: there.manifest.to_json(),
            }),
            (_, None) => Some(Input::ManifestFailed {
                build,
                failure: FetchFailure::Status { status: 404 },
            }),
        }
    }

    /// A copy of a manifest, as a tab keeps it.
    pub fn kept(&self, build: &BuildId) -> Option<String> {
        let mut builds = self.builds.iter();
        let there = builds.find(|there| there.manifest.id == *build && there.there);
        there.map(|there| there.manifest.to_json())
    }

    /// Whether documents are served at all.
    pub fn is_up(&self) -> bool {
        !matches!(
            self.fault,
            Some(Fault::Status(_) | Fault::RetryAfter(_) | Fault::Silence | Fault::Network)
        )
    }

    /// Whether the two builds differ in what a page loads.
    pub fn differ(&self, one: &BuildId, other: &BuildId) -> bool {
        let main = |id: &BuildId| {
            let build = self.builds.iter().find(|build| build.manifest.id == *id)?;
            Some(
                build
                    .manifest
                    .chunks
                    .get("assets/index.js")
                    .unwrap()
                    .code
                    .clone(),
            )
        };
        main(one) != main(other)
    }

    pub fn stream_url(&self) -> Option<String> {
        self.has_stream.then(|| "/changeover/events".into())
    }
}

fn chunk(id: &str, code: &str) -> Chunk {
    let letters: String = code
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .chain(['A'; 43])
        .take(43)
        .collect();
    Chunk {
        id: id.into(),
        code: code.into(),
        integrity: format!("sha256-{letters}="),
        size: 1,
        kind: ChunkKind::Script,
        imports: vec![],
        dynamic_imports: vec![],
        css: vec![],
        exports: vec![],
        owner: Owner::Shell,
    }
}
