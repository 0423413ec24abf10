//! The event stream: opened, lost, reopened, with the poll behind it.

use changeover::engine::io::Input;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::page::{HOUR, MINUTE, Page, SECOND, hint, page, release};

#[test]
fn the_stream_is_opened_as_soon_as_an_answer_names_it() {
    named()
        .starts()
        .when("it leads", Input::Elected)
        .later("the answer comes", SECOND)
        .then_among(&["OpenStream /events"]);
}

#[test]
fn the_poll_is_five_times_rarer_while_the_stream_is_open() {
    open()
        .later("an hour", HOUR)
        .so("all is well", |s| s.failures == 0);
    let looks = open().later("an hour", HOUR).looks();
    assert!((10..=16).contains(&looks), "{looks} looks in an hour");
}

#[test]
fn a_release_told_by_the_stream_is_asked_for_within_half_a_second() {
    open()
        .meanwhile("a release", |server| server.publishes(release(2, "b")))
        .when("the stream tells", hint(2))
        .later("half a second", SECOND / 2)
        .asks(changeover::engine::io::Reason::NewBuild);
}

#[test]
fn a_lost_stream_is_reopened_with_a_growing_pause_and_the_poll_goes_on() {
    let mut page = open().when("the stream breaks", Input::StreamClosed);
    page = page.so("it waits", |status| {
        status.stream == changeover::engine::status::StreamState::Waiting
    });
    let mut pauses = Vec::new();
    for _ in 0..20 {
        let before = page.now;
        page = page.meanwhile("then", |_| ());
        while page.status().stream == changeover::engine::status::StreamState::Waiting {
            page = page.later("a moment", 200);
        }
        pauses.push(page.now - before);
        page = page.when("it breaks again", Input::StreamClosed);
    }
    assert!(
        pauses
            .iter()
            .all(|pause| (800..=5 * MINUTE + SECOND).contains(pause)),
        "{pauses:?}"
    );
    assert!(
        pauses.iter().skip(10).sum::<u64>() > 10 * MINUTE,
        "{pauses:?}"
    );
    page.so("the poll went on", |status| {
        status.failures == 0 && status.last_check.is_some()
    });
}

#[test]
fn a_stream_that_lived_long_is_reopened_soon() {
    open()
        .later("an hour", HOUR)
        .when("the stream breaks", Input::StreamClosed)
        .later("two seconds", 2 * SECOND)
        .then_among(&["OpenStream /events"]);
}

#[test]
fn a_stream_that_never_opens_is_given_up_and_tried_again() {
    leads()
        .later("half a minute", 30 * SECOND)
        .then_among(&["CloseStream"])
        .later("two seconds", 2 * SECOND)
        .then_among(&["OpenStream /events"]);
}

#[test]
fn an_answer_without_the_name_does_not_close_an_open_stream() {
    open()
        .meanwhile("another replica answers", |server| server.events = None)
        .when("the app asks", Input::CheckRequested)
        .later("the answer comes", SECOND)
        .never("CloseStream")
        .when("the stream breaks", Input::StreamClosed)
        .later("the pause", 5 * MINUTE)
        .then_among(&["OpenStream /events"]);
}

#[test]
fn a_stream_that_is_named_no_longer_is_not_reopened() {
    open()
        .meanwhile("the server has no stream any more", |server| {
            server.events = None
        })
        .when("the stream breaks", Input::StreamClosed)
        .when("the app asks", Input::CheckRequested)
        .later("an hour", HOUR)
        .never("OpenStream")
        .so("it is off", |status| {
            status.stream == changeover::engine::status::StreamState::Off
        });
}

#[test]
fn being_online_again_reopens_the_stream_at_once() {
    let mut page = open();
    for _ in 0..12 {
        page = page
            .when("the stream breaks", Input::StreamClosed)
            .when("and", Input::WentOnline)
            .later("a second", SECOND + 1);
        page = page.then_among(&["OpenStream /events"]);
    }
}

#[test]
fn word_of_a_stream_that_is_closed_is_ignored() {
    page()
        .opens()
        .when("a late word", Input::StreamOpened)
        .when("and another", Input::StreamClosed)
        .then(&[])
        .so("it is off", |status| {
            status.stream == changeover::engine::status::StreamState::Off
        });
}

#[test]
fn a_tab_that_cannot_agree_with_others_holds_no_stream() {
    page()
        .with(|server| server.events = Some("/events".into()))
        .starts()
        .later("an hour", HOUR)
        .never("OpenStream")
        .so("it polls", |status| {
            status.stream == changeover::engine::status::StreamState::Off
                && status.last_check.is_some()
        });
}

#[test]
fn a_stream_that_is_refused_is_tried_again_and_the_poll_goes_on() {
    let page = leads().when("the connection is taken", Input::StreamClosed);
    let looks = page.looks();
    let page = page.later("ten minutes", 10 * MINUTE);
    assert!(page.looks() >= looks + 8, "{} looks", page.looks());
    page.then_among(&["OpenStream /events"]);
}

fn named() -> Page {
    page()
        .where_(|start| start.locks = true)
        .with(|server| server.events = Some("/events".into()))
}

fn leads() -> Page {
    named().opens().when("it leads", Input::Elected)
}

fn open() -> Page {
    leads().when("the stream opens", Input::StreamOpened)
}
