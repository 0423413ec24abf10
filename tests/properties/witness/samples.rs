//! The releases, manifests and answers that a witness gives to its guard.

use changeover::{
    engine::{
        io::FetchFailure,
        manifest::{Chunk, ChunkKind, Manifest, Owner},
        release::{BuildRef, Release},
        slots::{Answer, Step as SwapStep},
    },
    ids::BuildId,
};

pub fn release_of(sequence: u64, build: &str) -> Release {
    Release::new(
        "shop",
        "stable",
        sequence,
        "2026-07-31T12:00:00Z",
        build_ref(build),
    )
}

pub fn release_text(sequence: u64, build: &str) -> String {
    release_of(sequence, build).to_json()
}

pub fn build_ref(id: &str) -> BuildRef {
    BuildRef {
        id: BuildId(id.into()),
        manifest: Some(format!("builds/{id}.json")),
        integrity: None,
    }
}

pub fn manifest_text(id: &str) -> String {
    let mut manifest = Manifest::new("shop", BuildId(id.into()), "2026-07-31T12:00:00Z");
    let entry = format!("index-{id}.js");
    let chunk = Chunk {
        id: "src/main.js".into(),
        code: format!("main of {id}"),
        integrity: "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=".into(),
        size: 1,
        kind: ChunkKind::Script,
        imports: vec![],
        dynamic_imports: vec![],
        css: vec![],
        exports: vec![],
        owner: Owner::Shell,
    };
    manifest.chunks.insert(entry.clone(), chunk);
    manifest.entries.push(entry);
    manifest.to_json()
}

/// What a page answers to a step of a swap when all is well; watching is answered only by trouble.
pub fn done(step: &SwapStep) -> Option<Answer> {
    Some(match step {
        SwapStep::Fetch { .. } => Answer::Fetched,
        SwapStep::Import { .. } => Answer::Imported,
        SwapStep::AwaitQuiet { .. } => Answer::Quiet,
        SwapStep::Snapshot { .. } => Answer::Snapshotted,
        SwapStep::Migrate { .. } => Answer::Migrated,
        SwapStep::Mount { .. } => Answer::Mounted,
        SwapStep::Switch { .. } => Answer::Switched,
        SwapStep::Watch { .. } => return None,
        SwapStep::Commit { .. } => Answer::Committed,
        SwapStep::RollBack { .. } => Answer::RolledBack,
    })
}

/// What a page answers to a step of a swap that fails.
pub fn trouble(step: &SwapStep) -> Option<Answer> {
    let (slot, message) = (String::from("cart"), String::from("no"));
    Some(match step {
        SwapStep::Fetch { .. } => Answer::FetchFailed {
            file: "cart.js".into(),
            failure: FetchFailure::Network,
        },
        SwapStep::Import { .. } => Answer::ImportFailed { slot, message },
        SwapStep::AwaitQuiet { .. } => Answer::Vetoed { slot },
        SwapStep::Snapshot { .. } => Answer::SnapshotFailed { slot, message },
        SwapStep::Migrate { .. } => Answer::NoMigrationPath { slot, message },
        SwapStep::Mount { .. } => Answer::MountFailed { slot, message },
        SwapStep::Switch { .. } => Answer::Disturbed,
        SwapStep::Watch { .. } => Answer::Threw {
            slot: Some(slot),
            message,
        },
        SwapStep::Commit { .. } => return None,
        SwapStep::RollBack { .. } => Answer::RollBackFailed { message },
    })
}
