//! Slots whose code nobody can replace: whoever loaded it has not said where it is shown.

use changeover::engine::{
    io::{Input, LoadKind},
    manifest::{Manifest, Owner, Slot, SlotKind},
    slots::{SlotUse, Use},
};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::page::{Page, SECOND, build, chunk, manifest, page, release};

/// A build with two slots, each with code of its own.
fn with_slots(id: &str, cart: &str, help: &str) -> Manifest {
    let mut manifest = manifest("a");
    manifest.id = build(id);
    for (slot, code) in [("cart", cart), ("help", help)] {
        let file = format!("assets/{slot}-{code}.js");
        let mut chunk = chunk(&format!("src/{slot}.js"), code);
        chunk.owner = Owner::Slot;
        manifest.chunks.insert(file.clone(), chunk);
        let (kind, schema) = (SlotKind::Module, 0);
        manifest
            .slots
            .insert(slot.into(), Slot { file, kind, schema });
    }
    manifest
}

fn cart(state: Use) -> Input {
    let slot = "cart".into();
    Input::SlotsListed {
        slots: vec![SlotUse { slot, state }],
    }
}

#[test]
fn code_that_would_stay_behind_is_asked_about_and_code_that_can_follow_is_not() {
    for (state, cart_code, decision) in [
        (Use::Mounted, "2", "decision Swap SlotsChanged"),
        (Use::Idle, "2", "decision Swap SlotsChanged"),
        (Use::Taken, "2", "decision Prompt NewBuild"),
        (Use::Taken, "1", "decision Swap SlotsChanged"),
    ] {
        opened(state, cart_code)
            .when("the app asks", Input::CheckRequested)
            .later("the answers come", SECOND)
            .then_among(&["skewFound a to b", decision]);
    }
}

#[test]
fn a_chunk_that_is_missing_is_worth_leaving_code_behind() {
    let failed = Input::LoadFailed {
        kind: LoadKind::Import,
        message: "Failed to fetch dynamically imported module: https://shop.test/assets/help-1.js"
            .into(),
        url: None,
    };
    opened(Use::Taken, "2")
        .when("help cannot be loaded", failed)
        .later("the answers come", SECOND)
        .then_among(&["decision Swap SlotsChanged", "changeoverDone a to b"]);
}

/// A page that has loaded cart; the release wants a build with another help, and perhaps another cart.
fn opened(state: Use, cart_code: &str) -> Page {
    page()
        .with(|server| {
            server.has(with_slots("a", "1", "1"));
            server.has(with_slots("b", cart_code, "2"));
            server.loaded = vec!["/assets/cart-1.js".into()];
        })
        .opens()
        .when("the slots are known", cart(state))
        .meanwhile("a release", |server| server.publishes(release(2, "b")))
}
