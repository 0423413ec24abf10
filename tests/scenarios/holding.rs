//! "Not now" from the app: a move waits, but not for ever.

use changeover::{
    engine::io::{Asker, Input, Reason, WakeReason},
    time::Timestamp,
};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::page::{MINUTE, NOON, Page, SECOND, page, release};

#[test]
fn a_move_waits_until_the_last_hold_is_released() {
    asking()
        .when("an upload", hold(1, "upload", None))
        .when("a call", hold(2, "call", None))
        .so("the app sees them", |status| status.holds.len() == 2)
        .when("the user says yes", yes())
        .then(&[
            "changeoverStarted a to b",
            "decision Reload Reloading",
            "changeoverWaiting upload and call",
            "prompt NewBuild 2 b waiting for upload and call",
        ])
        .when("the call ends", Input::HoldReleased { hold: 2 })
        .then(&[
            "changeoverWaiting upload",
            "prompt NewBuild 2 b waiting for upload",
        ])
        .when("the upload ends", Input::HoldReleased { hold: 1 })
        .then(&["ProbeDocument", "prompt NewBuild 2 b reloading"])
        .later("the answers come", SECOND)
        .then_among(&["Reload"]);
}

#[test]
fn a_hold_that_names_no_deadline_ends_after_five_minutes() {
    asking()
        .when("an upload", hold(1, "upload", None))
        .when("the user says yes", yes())
        .later("nearly five minutes", 5 * MINUTE - SECOND)
        .never("ProbeDocument")
        .later("two seconds", 2 * SECOND)
        .then_among(&["ProbeDocument", "Reload"]);
}

#[test]
fn a_hold_ends_at_its_own_deadline() {
    let deadline = NOON + 10 * MINUTE;
    asking()
        .when("an upload", hold(1, "upload", Some(deadline)))
        .when("the user says yes", yes())
        .later("nearly until then", deadline - NOON - 90 * SECOND)
        .never("ProbeDocument")
        .later("until then", 90 * SECOND)
        .then_among(&["ProbeDocument", "Reload"]);
}

#[test]
fn a_page_without_skew_wakes_for_a_deadline_and_forgets_the_hold() {
    page()
        .opens()
        .when(
            "a long look ahead",
            hold(1, "upload", Some(NOON + 10 * SECOND)),
        )
        .sleeps(WakeReason::HoldDeadline, 8 * SECOND, 10 * SECOND)
        .later("ten seconds", 10 * SECOND)
        .so("it is gone", |status| status.holds.is_empty())
        .when("its end is told late", Input::HoldReleased { hold: 1 })
        .then(&[]);
}

#[test]
fn a_hold_taken_during_the_last_steps_stops_them() {
    asking()
        .meanwhile("no answers for now", |server| {
            server.silent.push("CaptureState")
        })
        .when("the user says yes", yes())
        .later("it captures", SECOND)
        .when("an upload", hold(1, "upload", None))
        .meanwhile("answers again", |server| server.silent.clear())
        .when("the capture ends", Input::StateSaved)
        .then(&[
            "changeoverWaiting upload",
            "prompt NewBuild 2 b waiting for upload",
        ])
        .when("the upload ends", Input::HoldReleased { hold: 1 })
        .later("the answers come", SECOND)
        .then_among(&["ProbeDocument", "CaptureState a to b", "Reload"]);
}

#[test]
fn a_hold_does_not_keep_the_prompt_away() {
    page()
        .opens()
        .when("an upload", hold(1, "upload", Some(NOON + 60 * MINUTE)))
        .meanwhile("a release", |server| server.publishes(release(2, "b")))
        .later("an interval", 73 * SECOND)
        .asks(Reason::NewBuild);
}

fn asking() -> Page {
    page()
        .opens()
        .meanwhile("a release", |server| server.publishes(release(2, "b")))
        .later("an interval", 73 * SECOND)
        .asks(Reason::NewBuild)
}

fn hold(hold: u32, reason: &str, deadline: Option<u64>) -> Input {
    Input::HoldTaken {
        hold,
        reason: reason.into(),
        deadline: deadline.map(Timestamp),
    }
}

fn yes() -> Input {
    Input::ReloadRequested { by: Asker::User }
}
