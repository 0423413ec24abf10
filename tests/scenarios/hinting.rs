//! What a page does about hints of a new release: from the stream, from headers and from other tabs.

use changeover::engine::io::{Input, Reason, Source, WakeReason};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::page::{MINUTE, SECOND, build, checked, hint, page, release};

#[test]
fn a_hint_makes_a_look_within_a_third_of_a_second() {
    page()
        .opens()
        .meanwhile("a release", |server| server.publishes(release(2, "b")))
        .when("the stream tells", hint(2))
        .sleeps(WakeReason::Jitter, 0, 300)
        .later("a third of a second, and the answers", 300 + 60)
        .asks(Reason::NewBuild)
        .looked(2);
}

#[test]
fn a_hint_of_what_is_known_does_nothing() {
    page()
        .opens()
        .when("the stream tells", hint(1))
        .when("and an older one", hint(0))
        .when(
            "and a header",
            Input::Sighted {
                source: Source::Header,
                sequence: None,
                build: Some(build("a")),
            },
        )
        .later("ten seconds", 10 * SECOND)
        .looked(1);
}

#[test]
fn a_hint_that_nothing_confirms_is_worth_four_looks() {
    page()
        .opens()
        .when_all(
            "a tab claims a release again and again",
            [hint(9), hint(9), hint(8), hint(9)],
        )
        .later("half a minute", 30 * SECOND)
        .looked(5)
        .when("and once more", hint(9))
        .later("ten seconds", 10 * SECOND)
        .looked(5);
}

#[test]
fn ever_growing_hints_cannot_make_a_storm() {
    let mut page = page().opens();
    for sequence in 0..3_000 {
        page = page
            .when("a tab lies", hint(100 + sequence))
            .later("a moment", 100);
    }
    let looks = page.looks();
    assert!(looks < 30, "{looks} looks in five minutes");
}

#[test]
fn a_hint_heard_during_a_look_is_looked_after_again() {
    page()
        .opens()
        .later("a minute", MINUTE / 2)
        .when("the app asks", Input::CheckRequested)
        .when("the stream tells before the answer", hint(2))
        .meanwhile("the release is there now", |server| {
            server.publishes(release(2, "b"))
        })
        .later("half a second", SECOND / 2)
        .asks(Reason::NewBuild)
        .looked(3);
}

#[test]
fn a_header_that_names_another_build_is_a_hint_too() {
    page()
        .opens()
        .meanwhile("a release", |server| server.publishes(release(2, "b")))
        .when(
            "a header",
            Input::Sighted {
                source: Source::Header,
                sequence: None,
                build: Some(build("b")),
            },
        )
        .later("half a second", SECOND / 2)
        .asks(Reason::NewBuild);
}

#[test]
fn a_peer_that_has_seen_more_makes_a_look_and_is_not_believed() {
    page()
        .opens()
        .when("a peer claims", checked(7))
        .later("half a second", SECOND / 2)
        .looked(2)
        .asks_nothing()
        .so("release 1 it is", |status| {
            status
                .release
                .as_ref()
                .is_some_and(|release| release.sequence == 1)
        });
}
