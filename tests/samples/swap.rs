//! Samples of what a swap asks and is answered.

use changeover::engine::{
    io::FetchFailure,
    manifest::{ChunkKind, SlotKind},
    slots::{Answer, Fetch, Migration, Module, Pointer, Step},
};

use crate::text;

pub fn steps() -> Vec<Step> {
    let slots = vec![text("cart"), text("help")];
    let files = |kind| Fetch {
        file: text("assets/cart.js"),
        integrity: text("sha384-x"),
        size: 599,
        kind,
    };
    let kinds = [
        ChunkKind::Script,
        ChunkKind::Style,
        ChunkKind::Wasm,
        ChunkKind::Asset,
    ];
    let module = |kind| Module {
        slot: text("cart"),
        file: text("assets/cart.js"),
        kind,
    };
    let pointers = || {
        vec![Pointer {
            slot: text("cart"),
            file: text("assets/cart.js"),
            css: vec![text("assets/cart.css")],
        }]
    };
    vec![
        Step::Fetch {
            files: kinds.into_iter().map(files).collect(),
        },
        Step::Import {
            modules: vec![module(SlotKind::Module), module(SlotKind::Wasm)],
            pointers: pointers(),
        },
        Step::AwaitQuiet {
            slots: slots.clone(),
        },
        Step::Snapshot {
            slots: slots.clone(),
        },
        Step::Migrate {
            states: vec![Migration {
                slot: text("cart"),
                from: 1,
                to: 2,
            }],
        },
        Step::Mount {
            slots: slots.clone(),
            pointers: pointers(),
            styles: vec![text("assets/cart.css")],
        },
        Step::Switch {
            slots: slots.clone(),
            pointers: pointers(),
            styles: vec![],
            styles_out: vec![text("assets/old.css")],
        },
        Step::Watch {
            slots: slots.clone(),
            files: vec![],
        },
        Step::Commit {
            slots: slots.clone(),
            styles: vec![],
        },
        Step::RollBack { slots },
    ]
}

pub fn answers() -> Vec<Answer> {
    let slot = || text("cart");
    let message = || text("no \"way\"");
    vec![
        Answer::Fetched,
        Answer::FetchFailed {
            file: text("assets/cart.js"),
            failure: FetchFailure::Integrity,
        },
        Answer::Imported,
        Answer::ImportFailed {
            slot: slot(),
            message: message(),
        },
        Answer::Quiet,
        Answer::Vetoed { slot: slot() },
        Answer::PlaceUnknown { slot: slot() },
        Answer::Snapshotted,
        Answer::SnapshotFailed {
            slot: slot(),
            message: message(),
        },
        Answer::Migrated,
        Answer::MigrationFailed {
            slot: slot(),
            message: message(),
        },
        Answer::NoMigrationPath {
            slot: slot(),
            message: message(),
        },
        Answer::Mounted,
        Answer::MountFailed {
            slot: slot(),
            message: message(),
        },
        Answer::NotShown { slot: slot() },
        Answer::Disturbed,
        Answer::Switched,
        Answer::SwitchFailed { message: message() },
        Answer::Threw {
            slot: None,
            message: message(),
        },
        Answer::Empty { slot: slot() },
        Answer::Unhealthy { message: message() },
        Answer::WroteDurable,
        Answer::Committed,
        Answer::RolledBack,
        Answer::RollBackFailed { message: message() },
    ]
}
