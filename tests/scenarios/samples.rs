//! Builds, releases and inputs that many scenarios use.

use changeover::{
    engine::{
        io::{Arrival, Input, PeerMessage, Reloads, Source, Start},
        manifest::{Chunk, ChunkKind, Manifest, Owner},
        release::{BuildRef, Release, Urgency},
    },
    ids::BuildId,
    time::Timestamp,
};

use super::page::{NOON, SECOND};

/// How a page starts on build `a`, unless a scenario says otherwise.
pub fn start() -> Start {
    Start {
        build: Some(build("a")),
        document_sequence: None,
        seed: 7,
        visitor: "ada".into(),
        visible: true,
        online: true,
        locks: false,
        storage: true,
        highest_sequence: None,
        highest_app: None,
        reloads: Vec::new(),
        snooze: None,
        arrival: None,
    }
}

pub fn build(id: &str) -> BuildId {
    BuildId(id.into())
}

pub fn build_ref(id: &str) -> BuildRef {
    BuildRef {
        id: build(id),
        manifest: Some(format!("builds/{id}.json")),
        integrity: None,
    }
}

pub fn release(sequence: u64, id: &str) -> Release {
    Release::new(
        "shop",
        "stable",
        sequence,
        "2026-07-31T12:00:00Z",
        build_ref(id),
    )
}

/// A release that moves pages by itself.
pub fn urgent(sequence: u64, id: &str) -> Release {
    let mut release = release(sequence, id);
    release.urgency = Urgency::Now;
    release
}

/// A build whose entry differs from that of every other build, with a lazy file that does not.
pub fn manifest(id: &str) -> Manifest {
    let mut manifest = Manifest::new("shop", build(id), "2026-07-31T12:00:00Z");
    let entry = format!("assets/index-{id}.js");
    let mut main = chunk("src/main.js", &format!("main of {id}"));
    main.dynamic_imports.push("assets/help.js".into());
    manifest.chunks.insert(entry.clone(), main);
    manifest
        .chunks
        .insert("assets/help.js".into(), chunk("src/help.js", "help"));
    manifest.entries.push(entry);
    manifest
}

pub fn chunk(id: &str, code: &str) -> Chunk {
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
        imports: Vec::new(),
        dynamic_imports: Vec::new(),
        css: Vec::new(),
        exports: Vec::new(),
        owner: Owner::Shell,
    }
}

pub fn arrival(from: &str, to: &str) -> Arrival {
    Arrival {
        changeover: "c1".into(),
        from: Some(build(from)),
        to: build(to),
        at: Timestamp(NOON - SECOND),
    }
}

pub fn reloads(target: &str, count: u32) -> Reloads {
    Reloads {
        target: build(target),
        count,
    }
}

pub fn hint(sequence: u64) -> Input {
    Input::Sighted {
        source: Source::Stream,
        sequence: Some(sequence),
        build: None,
    }
}

pub fn peer(message: PeerMessage) -> Input {
    Input::PeerHeard { message }
}

pub fn checked(sequence: u64) -> Input {
    peer(PeerMessage::Checked {
        sequence: Some(sequence),
    })
}
