//! How an urgent release moves a page by itself, after a countdown that the user can see.

use changeover::engine::io::{Asker, FetchFailure, Input, Reason};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::page::{HOUR, MINUTE, Page, SECOND, page, reloads, urgent};

#[test]
fn an_urgent_release_counts_down_for_half_a_minute_and_moves_the_page() {
    counting_down()
        .when(
            "the user says later, which cannot be",
            Input::SnoozeRequested,
        )
        .then(&[])
        .later("half a minute", 31 * SECOND)
        .then_among(&[
            "changeoverStarted a to b",
            "ProbeDocument",
            "CaptureState a to b",
            "RememberReload b 1",
            "Reload",
        ]);
}

#[test]
fn a_user_who_says_yes_need_not_wait_for_the_countdown() {
    counting_down()
        .when("the user says yes", yes())
        .later("the answers come", SECOND)
        .then_among(&["Reload"]);
}

#[test]
fn a_countdown_stops_offline_and_starts_again_online() {
    counting_down()
        .later("ten seconds", 10 * SECOND)
        .when("the network goes", Input::WentOffline)
        .so("it stops", |status| {
            status
                .prompt
                .as_ref()
                .is_some_and(|prompt| prompt.countdown_until.is_none())
        })
        .later("an hour", HOUR)
        .never("changeoverStarted")
        .when("the network is back", Input::WentOnline)
        .later("twenty-nine seconds", 29 * SECOND)
        .never("changeoverStarted")
        .later("two more", 2 * SECOND)
        .then_among(&["Reload"]);
}

#[test]
fn a_countdown_that_ran_out_in_a_frozen_page_starts_again() {
    counting_down()
        .frozen("for an hour", HOUR)
        .when("the page runs again", Input::Resumed)
        .never("changeoverStarted")
        .so("it counts down", |status| {
            status
                .prompt
                .as_ref()
                .is_some_and(|prompt| prompt.countdown_until.is_some())
        })
        .later("half a minute", 31 * SECOND)
        .then_among(&["Reload"]);
}

#[test]
fn a_hidden_page_moves_though_its_timer_comes_late() {
    counting_down()
        .when("the user leaves", Input::BecameHidden)
        .frozen("by a throttled timer", MINUTE)
        .when("the timer goes off", Input::Woke)
        .then_among(&["changeoverStarted a to b", "ProbeDocument"]);
}

#[test]
fn an_automatic_attempt_that_fails_is_not_repeated_for_this_release() {
    counting_down()
        .meanwhile("the document is not to be had", |server| {
            server.document = Some(FetchFailure::Network)
        })
        .later("half a minute", 31 * SECOND)
        .then_among(&[
            "changeoverAborted Unreachable",
            "prompt Urgent 2 b after Unreachable",
        ])
        .later("an hour", HOUR)
        .never("changeoverStarted")
        .asks(Reason::Urgent);
}

#[test]
fn an_urgent_release_does_not_move_a_page_that_was_moved_in_vain() {
    page()
        .where_(|start| start.reloads = vec![reloads("b", 1)])
        .with(|server| server.publishes(urgent(2, "b")))
        .opens()
        .asks(Reason::ReloadDidNotTake)
        .later("an hour", HOUR)
        .never("changeoverStarted");
}

/// An urgent release of build b was seen this moment.
fn counting_down() -> Page {
    page()
        .opens()
        .meanwhile("an urgent release", |server| {
            server.publishes(urgent(2, "b"))
        })
        .when("the app asks", Input::CheckRequested)
        .later("the answers come", 70)
        .asks(Reason::Urgent)
        .so("it counts down", |status| {
            status
                .prompt
                .as_ref()
                .is_some_and(|prompt| !prompt.can_snooze && prompt.countdown_until.is_some())
        })
}

fn yes() -> Input {
    Input::ReloadRequested { by: Asker::User }
}
