//! What a page has loaded, and what it may have: unknown means "may be loaded".

use changeover::engine::{
    io::{Input, Reason},
    slots::{SlotUse, Use},
};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::page::{Page, SECOND, build, chunk, manifest, page, release};

#[test]
fn a_lazy_file_that_the_page_has_not_loaded_may_change() {
    sees_new_help(page()).asks_nothing().so("why", |status| {
        status.decision.reason == Reason::NothingLoadedChanged
    });
}

#[test]
fn a_list_that_the_browser_cut_off_is_no_proof() {
    sees_new_help(page().with(|server| server.complete = false)).asks(Reason::NewBuild);
}

#[test]
fn a_list_that_the_app_cleared_is_no_proof() {
    sees_new_help(page().with(|server| server.loaded.clear())).asks(Reason::NewBuild);
    sees_new_help(page().with(|server| server.loaded = vec!["/tile.svg".into()]))
        .asks(Reason::NewBuild);
}

#[test]
fn an_empty_list_of_a_page_that_is_not_there_any_more_is_asked_for_again() {
    sees_new_help(page().with(|server| server.complete = false))
        .meanwhile("the next release brings the old help back", |server| {
            let mut next = manifest("a");
            next.id = build("c");
            server.has(next);
            server.publishes(release(3, "c"));
        })
        .later("an interval", 73 * SECOND)
        .asks_nothing();
}

#[test]
fn the_code_of_a_slot_that_was_never_loaded_may_change_even_when_the_list_was_cut_off() {
    let slots = |slots: &[&str]| Input::SlotsListed {
        slots: slots
            .iter()
            .map(|slot| SlotUse {
                slot: (*slot).into(),
                state: Use::Taken,
            })
            .collect(),
    };
    let opens = || {
        let page = page().with(|server| {
            server.complete = false;
            server.has(with_slot("a", "cart 1"));
            server.has(with_slot("b", "cart 2"));
        });
        page.opens()
            .meanwhile("a release", |server| server.publishes(release(2, "b")))
    };
    opens()
        .when("the page has loaded the cart", slots(&["cart"]))
        .later("an interval", 73 * SECOND)
        .asks(Reason::NewBuild);
    opens()
        .when("the page has loaded no slot", slots(&[]))
        .later("an interval", 73 * SECOND)
        .asks_nothing();
}

/// The page opens, and build b changes nothing but the lazy file.
fn sees_new_help(page: Page) -> Page {
    page.with(|server| {
        let mut next = manifest("a");
        next.id = build("b");
        next.chunks
            .insert("assets/help.js".into(), chunk("src/help.js", "new help"));
        server.has(next);
    })
    .opens()
    .meanwhile("a release", |server| server.publishes(release(2, "b")))
    .later("an interval", 73 * SECOND)
}

/// Build a under another name, with a slot.
fn with_slot(id: &str, code: &str) -> changeover::engine::manifest::Manifest {
    let mut with = manifest("a");
    with.id = build(id);
    with.chunks
        .insert("assets/cart.js".into(), chunk("src/cart.js", code));
    let slot = changeover::engine::manifest::Slot {
        file: "assets/cart.js".into(),
        kind: changeover::engine::manifest::SlotKind::Module,
        schema: 0,
    };
    with.slots.insert("cart".into(), slot);
    with
}
