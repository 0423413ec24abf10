//! From the reload to the end of the page: whose the envelope is, when the page lives on.

use changeover::{
    engine::{
        departure::{Origin, is_for},
        io::{Asker, EnvelopeMark, Input},
    },
    time::Timestamp,
};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::page::{MINUTE, NOON, Page, SECOND, page, release};

#[test]
fn a_page_that_goes_leaves_its_state_to_the_next() {
    leaving()
        .when("the browser unloads", asked(false))
        .then(&["MarkEnvelope left"])
        .when("the page hides", Input::PageHid)
        .then_among(&["MarkEnvelope gone"]);
}

#[test]
fn a_user_who_stays_and_reloads_later_does_not_get_the_older_state_back() {
    leaving()
        .when("the app objects", asked(true))
        .then(&["MarkEnvelope asked"])
        .when("the page runs on", Input::UnloadSettled)
        .then(&["MarkEnvelope left"])
        .later("the user works on", 3 * SECOND)
        .when("the user reloads by hand", asked(true))
        .then(&["MarkEnvelope void"])
        .when("the page hides", Input::PageHid)
        .never("MarkEnvelope");
}

#[test]
fn a_user_who_stays_and_saves_does_not_get_the_older_state_back_either() {
    leaving()
        .when("the app objects", asked(true))
        .when("the page runs on", Input::UnloadSettled)
        .later("the user saves", 13 * SECOND)
        .when("the user reloads by hand", asked(false))
        .then(&["MarkEnvelope void"]);
}

#[test]
fn a_user_who_leaves_and_waits_a_minute_for_the_server_gets_the_state() {
    leaving()
        .when("the app objects", asked(true))
        .when("the page runs on", Input::UnloadSettled)
        .then(&["MarkEnvelope left"])
        .later("a slow server", MINUTE)
        .never("MarkEnvelope")
        .when("the page hides", Input::PageHid)
        .then_among(&["MarkEnvelope gone"]);
}

#[test]
fn impatience_with_a_slow_server_loses_nothing() {
    leaving()
        .when("the browser unloads", asked(false))
        .later("a slow server", 20 * SECOND)
        .when("the user reloads by hand", asked(false))
        .then(&["MarkEnvelope left"]);
}

#[test]
fn what_the_user_does_while_the_server_thinks_goes_along() {
    leaving()
        .when("the browser unloads", asked(false))
        .when("the user types", Input::UserActed)
        .then(&["CaptureState a to b"])
        .later("a slow server", 20 * SECOND)
        .when("the user types on", Input::UserActed)
        .then(&["CaptureState a to b"])
        .with(|server| server.state = Err("full".into()))
        .when(
            "the user types more than there is room for",
            Input::UserActed,
        )
        .later("the answer comes", SECOND)
        .never("problem");
}

#[test]
fn a_page_from_the_back_forward_cache_has_lived_on() {
    leaving()
        .when("the browser unloads", asked(false))
        .when("the user goes elsewhere", asked(false))
        .when("the page hides", Input::PageHid)
        .never("MarkEnvelope")
        .when("the user comes back", Input::PageShown { persisted: true })
        .then_among(&["MarkEnvelope void"]);
}

#[test]
fn after_five_minutes_no_server_answers_any_more() {
    leaving()
        .when("the browser unloads", asked(false))
        .then(&["MarkEnvelope left"])
        .later("four minutes", 4 * MINUTE)
        .never("MarkEnvelope")
        .later("two more", 2 * MINUTE)
        .then_among(&["MarkEnvelope void"])
        .when("the user types", Input::UserActed)
        .never("CaptureState");
}

#[test]
fn nothing_is_marked_in_a_page_that_was_not_told_to_reload() {
    page()
        .opens()
        .when_all(
            "the page is left and comes back",
            [
                asked(true),
                Input::UnloadSettled,
                Input::UserActed,
                Input::PageHid,
                Input::PageShown { persisted: true },
            ],
        )
        .never("MarkEnvelope")
        .never("CaptureState");
}

#[test]
fn an_envelope_is_for_the_document_that_its_reload_has_brought() {
    let at = Timestamp(NOON);
    let reload = |after| Origin {
        began: Some(Timestamp(NOON + after)),
        is_reload: Some(true),
    };
    let link = |after| Origin {
        is_reload: Some(false),
        ..reload(after)
    };
    for (mark, origin, is_its) in [
        // The reload itself, before or a moment after the last mark; however long the server takes, it began then.
        (EnvelopeMark::Left, reload(0), true),
        (EnvelopeMark::Left, reload(400), true),
        // A reload by hand, a copy of the tab, a tab that was closed and opened again.
        (EnvelopeMark::Left, reload(5 * SECOND), false),
        (EnvelopeMark::Left, link(0), false),
        // A dialog may be open for as long as the user likes.
        (EnvelopeMark::Asked, reload(MINUTE), true),
        (EnvelopeMark::Asked, link(MINUTE), false),
        // The page to sign in came in between.
        (EnvelopeMark::Gone, link(MINUTE), true),
        (EnvelopeMark::Void, reload(0), false),
        // A browser that says nothing.
        (EnvelopeMark::Left, Origin::default(), true),
    ] {
        assert_eq!(is_for(mark, at, origin), is_its, "{mark:?} {origin:?}");
    }
}

fn asked(objected: bool) -> Input {
    Input::UnloadAsked { objected }
}

/// A page that has just been told to reload for build b.
fn leaving() -> Page {
    page()
        .opens()
        .meanwhile("a release", |server| server.publishes(release(2, "b")))
        .when("the app asks", Input::CheckRequested)
        .later("the answers come", SECOND)
        .when(
            "the user says yes",
            Input::ReloadRequested { by: Asker::User },
        )
        .later("the answers come", SECOND)
        .then_among(&["CaptureState a to b", "Reload"])
}
