//! Slots of an open page and the next build: what follows, what stays behind, what is taken back.

use changeover::engine::{
    io::{FetchFailure, Input, LoadKind, Reason},
    manifest::{Manifest, Owner, Slot, SlotKind},
    slots::{Answer, SlotUse, Use},
};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::page::{Page, SECOND, Server, build, chunk, manifest, page, release};

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

#[test]
fn a_swap_goes_step_by_step_and_the_page_is_on_the_new_build_after_its_trial() {
    opened(Use::Mounted, "2")
        .when("the app asks", Input::CheckRequested)
        .later("the answers come", SECOND)
        .then_among(&[
            "changeoverStarted a to b",
            "TakeSwapStep fetch to b",
            "TakeSwapStep import to b",
            "TakeSwapStep quiet to b",
            "TakeSwapStep snapshot to b",
            "TakeSwapStep mount to b",
            "TakeSwapStep switch to b",
            "TakeSwapStep watch to b",
        ])
        .later("the trial is over", 12 * SECOND)
        .then_among(&[
            "TakeSwapStep commit to b",
            "swapEnded a to b of cart Committed well",
            "changeoverDone a to b",
            "decision Ignore SameBuild",
        ]);
}

/// The build that the page is on by then does not have the files that it was loaded with.
#[test]
fn a_script_of_an_earlier_build_is_still_a_chunk_of_the_app_after_a_swap() {
    let failed = Input::LoadFailed {
        kind: LoadKind::Script,
        message: "https://shop.test/assets/help-1.js failed to load".into(),
        url: Some("https://shop.test/assets/help-1.js".into()),
    };
    opened(Use::Mounted, "2")
        .with(|server| server.loaded.push("/assets/index-a.js".into()))
        .when("the app asks", Input::CheckRequested)
        .later("the swap and its trial", 15 * SECOND)
        .then_among(&["swapEnded a to b of cart Committed well"])
        .when("a script of the old help cannot be loaded", failed)
        .later("the answers come", SECOND)
        .then_among(&["chunkFailed https://shop.test/assets/help-1.js no skew"]);
}

#[test]
fn code_that_breaks_on_trial_is_taken_back_and_the_user_is_not_asked_to_load_it() {
    let threw = Answer::Threw {
        slot: Some("cart".into()),
        message: "TypeError".into(),
    };
    opened(Use::Mounted, "2")
        .with(|server| server.swap.push(("watch", Some(threw))))
        .when("the app asks", Input::CheckRequested)
        .later("the answers come", 2 * SECOND)
        .then_among(&[
            "TakeSwapStep rollBack to b",
            "swapEnded a to b of cart RolledBack threw",
            "changeoverAborted SwapFailed",
            "decision Wait BadBuild",
        ])
        .meanwhile("a better build", |server| {
            server.has(with_slots("c", "3", "2"));
            server.publishes(release(3, "c"));
        })
        .when("the app asks again", Input::CheckRequested)
        .later("the answers come", SECOND)
        .then_among(&["decision Swap SlotsChanged", "changeoverStarted a to c"]);
}

#[test]
fn state_that_cannot_follow_is_asked_about_since_a_refresh_may_do_better() {
    let refused = Answer::SnapshotFailed {
        slot: "cart".into(),
        message: "no".into(),
    };
    opened(Use::Mounted, "2")
        .with(|server| server.swap.push(("snapshot", Some(refused))))
        .when("the app asks", Input::CheckRequested)
        .later("the answers come", 2 * SECOND)
        .then_among(&[
            "swapEnded a to b of cart Aborted snapshotFailed",
            "swapRefused b badBuild",
            "decision Prompt NewBuild",
        ]);
}

#[test]
fn a_page_that_is_too_slow_tries_again_twice_and_then_asks() {
    let slow = |server: &mut Server| server.swap.push(("mount", None));
    opened(Use::Mounted, "2")
        .with(|server| (0..3).for_each(|_| slow(server)))
        .when("the app asks", Input::CheckRequested)
        .later("a mount takes too long", 15 * SECOND)
        .then_among(&[
            "swapEnded a to b of cart Aborted notReady",
            "decision Wait SwapPaused",
        ])
        .asks_nothing()
        .when("nothing in particular", Input::Woke)
        .later("it tries again", 45 * SECOND)
        .then_among(&[
            "changeoverStarted a to b",
            "swapEnded a to b of cart Aborted notReady",
            "decision Wait SwapPaused",
        ])
        .asks_nothing()
        .when("nothing in particular", Input::Woke)
        .later("and again", 4 * 60 * SECOND)
        .then_among(&[
            "changeoverStarted a to b",
            "swapEnded a to b of cart Aborted notReady",
        ])
        .asks(Reason::NewBuild)
        .when("nothing in particular", Input::Woke)
        .later("a long time", 3_600 * SECOND)
        .never("changeoverStarted");
}

#[test]
fn a_page_that_was_too_slow_waits_until_it_is_visible_and_swaps_then() {
    opened(Use::Mounted, "2")
        .with(|server| server.swap.push(("mount", None)))
        .when("the app asks", Input::CheckRequested)
        .later("a mount takes too long", 15 * SECOND)
        .then_among(&["swapEnded a to b of cart Aborted notReady"])
        .when("the user looks at another tab", Input::BecameHidden)
        .later("a long time", 3_600 * SECOND)
        .never("changeoverStarted")
        .when("the user comes back", Input::BecameVisible)
        .later("the swap and its trial", 15 * SECOND)
        .then_among(&[
            "changeoverStarted a to b",
            "swapEnded a to b of cart Committed well",
        ])
        .asks_nothing();
}

#[test]
fn a_hidden_page_that_the_browser_slows_down_is_given_its_time() {
    opened(Use::Mounted, "2")
        .with(|server| server.swap.push(("mount", None)))
        .when("the user looks at another tab", Input::BecameHidden)
        .when("the app asks", Input::CheckRequested)
        .later("a long time", 3_600 * SECOND)
        .never("swapEnded")
        .asks_nothing();
}

#[test]
fn files_that_cannot_be_had_are_tried_again_ever_more_rarely_and_the_user_is_not_asked() {
    let missing = |failure| {
        Some(Answer::FetchFailed {
            file: "assets/cart-2.js".into(),
            failure,
        })
    };
    let answers = [
        FetchFailure::Integrity,
        FetchFailure::Status { status: 404 },
        FetchFailure::Network,
        FetchFailure::Integrity,
    ];
    opened(Use::Mounted, "2")
        .with(|server| {
            let answers = answers.map(|failure| ("fetch", missing(failure)));
            server.swap.extend(answers);
        })
        .when("the app asks", Input::CheckRequested)
        .later("half a file", 20 * SECOND)
        .then_among(&[
            "swapEnded a to b of cart Aborted fetchFailed",
            "decision Wait SwapPaused",
        ])
        .when("nothing in particular", Input::Woke)
        .later("half a minute", 20 * SECOND)
        .then_among(&["swapEnded a to b of cart Aborted fetchFailed"])
        .when("nothing in particular", Input::Woke)
        .later("two minutes", 150 * SECOND)
        .then_among(&["swapEnded a to b of cart Aborted fetchFailed"])
        .when("nothing in particular", Input::Woke)
        .later("five minutes", 300 * SECOND)
        .never("changeoverStarted")
        .asks_nothing()
        .when("nothing in particular", Input::Woke)
        .later("ten minutes", 420 * SECOND)
        .then_among(&["swapEnded a to b of cart Aborted fetchFailed"])
        .asks_nothing()
        .when("the app asks", Input::CheckRequested)
        .later("the file is whole", 20 * SECOND)
        .then_among(&["swapEnded a to b of cart Committed well"])
        .so("the page is on the new build", |status| {
            status.build == Some(build("b"))
        });
}

#[test]
fn a_build_that_broke_is_asked_about_when_the_app_wants_to_know() {
    let threw = Answer::Threw {
        slot: Some("cart".into()),
        message: "TypeError".into(),
    };
    opened(Use::Mounted, "2")
        .with(|server| server.swap.push(("mount", Some(threw))))
        .when("the app asks", Input::CheckRequested)
        .later("the answers come", 3_600 * SECOND)
        .then_among(&[
            "swapEnded a to b of cart Aborted threw",
            "decision Wait BadBuild",
        ])
        .asks_nothing()
        .when("the app asks again", Input::CheckRequested)
        .later("the answers come", 2 * SECOND)
        .then_among(&["decision Prompt NewBuild"])
        .never("changeoverStarted");
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
