//! When a page looks at the release.

use changeover::engine::{
    guard::Config,
    io::{FetchFailure, Input, Reason, WakeReason},
};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::page::{Answer, HOUR, MINUTE, Page, SECOND, hint, page, release};

#[test]
fn a_page_looks_at_once_and_then_once_an_interval_give_or_take() {
    page()
        .starts()
        .then(&["FetchRelease"])
        .later("the answer comes", SECOND)
        .then(&[
            "RememberSequence 1",
            "releaseSeen 1 a",
            "FetchManifest a",
            "decision Ignore SameBuild",
        ])
        .sleeps(WakeReason::Poll, 48 * SECOND - SECOND, 72 * SECOND)
        .later("half an hour", 30 * MINUTE)
        .so("it looked 25 to 38 times", |status| {
            status.failures == 0 && status.last_failure.is_none()
        })
        .asks_nothing();
    let looks = page().opens().later("half an hour", 30 * MINUTE).looks();
    assert!((25..=38).contains(&looks), "{looks} looks");
}

#[test]
fn no_two_pauses_are_alike() {
    let page = page().opens().later("half an hour", 30 * MINUTE);
    let mut pauses: Vec<u64> = page
        .server
        .looks
        .windows(2)
        .map(|pair| pair[1] - pair[0])
        .collect();
    assert!(
        pauses.iter().all(|pause| (48_000..=72_020).contains(pause)),
        "{pauses:?}"
    );
    pauses.dedup();
    assert!(pauses.len() > 20, "{pauses:?}");
}

#[test]
fn the_interval_is_the_apps_but_never_below_a_second() {
    let config = |interval| Config {
        interval,
        release: "https://shop.test/changeover/release.json".into(),
        ..Config::default()
    };
    Page::new(config(10_000))
        .opens()
        .sleeps(WakeReason::Poll, 7_000, 12_000);
    Page::new(config(0))
        .opens()
        .later("a minute", MINUTE)
        .so("it is well", |status| status.failures == 0);
    let looks = Page::new(config(0))
        .opens()
        .later("a minute", MINUTE)
        .looks();
    assert!((50..=76).contains(&looks), "{looks} looks");
}

#[test]
fn a_hidden_page_does_not_look_and_the_first_glance_does() {
    page()
        .opens()
        .when("the user leaves", Input::BecameHidden)
        .sleeps_for_ever()
        .later("a day", 24 * HOUR)
        .looked(1)
        .when("the user is back", Input::BecameVisible)
        .then(&["FetchRelease"])
        .later("the answer comes", SECOND)
        .sleeps(WakeReason::Poll, 47 * SECOND, 72 * SECOND)
        .looked(2);
}

#[test]
fn a_page_that_starts_hidden_looks_once() {
    page()
        .where_(|start| start.visible = false)
        .opens()
        .later("a day", 24 * HOUR)
        .looked(1)
        .sleeps_for_ever();
}

#[test]
fn the_wake_ups_of_one_burst_make_one_look() {
    page()
        .opens()
        .when("the user leaves", Input::BecameHidden)
        .later("ten minutes", 10 * MINUTE)
        .when_all(
            "everything tells that the page is back",
            [
                Input::Resumed,
                Input::PageShown { persisted: true },
                Input::BecameVisible,
                Input::Focused,
                Input::WentOnline,
                Input::Focused,
                Input::Woke,
            ],
        )
        .later("a few seconds", 5 * SECOND)
        .then(&["FetchRelease"])
        .looked(2);
}

#[test]
fn a_look_younger_than_two_seconds_answers_a_glance_as_well() {
    page()
        .opens()
        .when("the user clicks into the page", Input::Focused)
        .then(&[])
        .later("three seconds", 3 * SECOND)
        .when("the user clicks into the page", Input::Focused)
        .then(&["FetchRelease"])
        .when("and again before the answer", Input::Focused)
        .then(&[]);
}

#[test]
fn a_return_from_the_back_forward_cache_looks_even_right_after_a_look() {
    page()
        .opens()
        .when("the page is put away", Input::PageHid)
        .then(&[])
        .sleeps_for_ever()
        .when(
            "the page is shown again",
            Input::PageShown { persisted: true },
        )
        .then(&["FetchRelease"]);
}

#[test]
fn a_frozen_tab_that_wakes_after_a_night_looks_once_and_goes_on() {
    page()
        .opens()
        .frozen("over night", 9 * HOUR)
        .when("the page runs again", Input::Resumed)
        .then(&["FetchRelease"])
        .when("the old timer goes off too", Input::Woke)
        .then(&[])
        .later("the answer comes", SECOND)
        .looked(2)
        .sleeps(WakeReason::Poll, 47 * SECOND, 72 * SECOND);
}

#[test]
fn a_timer_that_comes_hours_late_makes_one_look() {
    page()
        .opens()
        .frozen("without a word", 9 * HOUR)
        .when("the timer goes off", Input::Woke)
        .then(&["FetchRelease"]);
}

#[test]
fn a_timer_that_comes_early_or_twice_does_nothing() {
    page()
        .opens()
        .when("a timer goes off", Input::Woke)
        .then(&[])
        .when("and again", Input::Woke)
        .then(&[])
        .looked(1);
}

#[test]
fn a_clock_that_runs_backwards_counts_as_standing_still() {
    let mut page = page()
        .opens()
        .later("a second", SECOND)
        .when("a timer goes off", Input::Woke);
    page.now -= HOUR;
    page.when("a timer goes off an hour ago", Input::Woke)
        .then(&[])
        .when("the app asks", Input::CheckRequested)
        .then(&["FetchRelease"]);
}

#[test]
fn failures_back_off_further_and_further_and_the_first_success_forgets_them() {
    let page = page()
        .opens()
        .meanwhile("the server is down", |server| {
            server.release = Answer::Fails(FetchFailure::Status { status: 503 })
        })
        .later("a day", 24 * HOUR)
        .so("failures are counted", |status| {
            status.failures > 40 && status.failures < 200
        })
        .so("and named", |status| {
            status.last_failure.as_ref().is_some_and(|failure| {
                failure.code == "status"
                    && failure.message == "release.json was answered with status 503"
            })
        })
        .asks_nothing();
    let pauses: Vec<u64> = page
        .server
        .looks
        .windows(2)
        .map(|pair| pair[1] - pair[0])
        .collect();
    assert!(
        pauses
            .iter()
            .all(|pause| (SECOND..=30 * MINUTE + SECOND).contains(pause)),
        "{pauses:?}"
    );
    assert!(
        pauses.iter().skip(20).sum::<u64>() / (pauses.len() as u64 - 20) > 10 * MINUTE,
        "{pauses:?}"
    );
    page.meanwhile("it heals", |server| server.publishes(release(1, "a")))
        .later("at most half an hour", 30 * MINUTE + SECOND)
        .so("all is forgotten", |status| {
            status.failures == 0 && status.last_failure.is_none()
        })
        .sleeps(WakeReason::Poll, 0, 72 * SECOND);
}

#[test]
fn retry_after_is_honoured_by_everybody_but_an_app_that_asks() {
    page()
        .opens()
        .meanwhile("the server asks for an hour", |server| {
            server.release = Answer::RetryAfter(429, HOUR)
        })
        .later("one look", 73 * SECOND)
        .looked(2)
        .when("the user clicks into the page", Input::Focused)
        .when("a stream hints", hint(2))
        .later("half an hour", HOUR / 2)
        .looked(2)
        .when("the app asks", Input::CheckRequested)
        .then(&["FetchRelease"])
        .meanwhile("it heals", |server| server.publishes(release(1, "a")))
        .later("the rest", HOUR + MINUTE)
        .so("it looks again", |status| status.failures == 0);
}

#[test]
fn retry_after_is_honoured_for_a_day_at_most() {
    page()
        .opens()
        .meanwhile("the server asks for a year", |server| {
            server.release = Answer::RetryAfter(503, 365 * 24 * HOUR)
        })
        .later("one look", 73 * SECOND)
        .looked(2)
        .later("a day", 24 * HOUR + SECOND)
        .looked(3);
}

#[test]
fn a_look_that_is_never_answered_ends_after_fifteen_seconds() {
    page()
        .with(|server| server.release = Answer::Never)
        .starts()
        .sleeps(WakeReason::Timeout, 15 * SECOND, 15 * SECOND)
        .later("fourteen seconds", 14 * SECOND)
        .so("nothing is known", |status| status.failures == 0)
        .later("two more", 2 * SECOND)
        .so("it failed", |status| {
            status.failures == 1
                && status.last_failure.as_ref().is_some_and(|failure| {
                    failure.code == "timeout"
                        && failure.message == "release.json was not answered in time"
                })
        })
        .asks_nothing();
}

#[test]
fn an_answer_that_comes_after_its_time_is_still_read() {
    page()
        .with(|server| server.release = Answer::Never)
        .starts()
        .later("it times out", 16 * SECOND)
        .when(
            "the answer comes",
            Input::ReleaseFetched {
                body: release(2, "b").to_json(),
                events: None,
                date: None,
            },
        )
        .then_among(&["releaseSeen 2 b"])
        .later("the manifests come", SECOND)
        .asks(Reason::NewBuild);
}

#[test]
fn there_is_never_more_than_one_look_in_flight() {
    page()
        .with(|server| server.release = Answer::Never)
        .starts()
        .then(&["FetchRelease"])
        .later("a second", SECOND)
        .when_all(
            "everybody wants one",
            [
                Input::CheckRequested,
                Input::Resumed,
                Input::WentOnline,
                Input::PageShown { persisted: true },
                hint(9),
                Input::Focused,
            ],
        )
        .later("ten seconds", 10 * SECOND)
        .then(&[]);
}

#[test]
fn an_app_that_asks_while_a_look_is_in_flight_gets_one_of_its_own_afterwards() {
    page()
        .with(|server| server.release = Answer::Never)
        .starts()
        .later("a second", SECOND)
        .when("the app asks, having just published", Input::CheckRequested)
        .then(&[])
        .when(
            "the first answer comes",
            Input::ReleaseFetched {
                body: release(1, "a").to_json(),
                events: None,
                date: None,
            },
        )
        .then_among(&["FetchRelease"])
        .meanwhile("the app waits", |_| ())
        .when(
            "the second comes",
            Input::ReleaseFetched {
                body: release(1, "a").to_json(),
                events: None,
                date: None,
            },
        )
        .then(&[]);
}

#[test]
fn an_app_that_asks_while_a_look_hangs_is_told_of_its_end_and_of_no_other() {
    let page = page()
        .with(|server| server.release = Answer::Never)
        .starts()
        .later("a second", SECOND)
        .when("the app asks", Input::CheckRequested)
        .later("the look times out", 14 * SECOND)
        .then(&[]);
    assert!(page.is_settled());
}

#[test]
fn a_check_is_settled_once_the_manifests_are_there() {
    let page = page()
        .opens()
        .meanwhile("a release", |server| server.publishes(release(2, "b")))
        .when("the app asks", Input::CheckRequested);
    assert!(!page.is_settled());
    let page = page.later("the release is answered", 30);
    assert!(!page.is_settled());
    let page = page
        .later("the manifests are answered", 30)
        .asks(Reason::NewBuild);
    assert!(page.is_settled());
}

#[test]
fn going_online_looks_at_once() {
    page()
        .opens()
        .when("the network goes", Input::WentOffline)
        .meanwhile("nothing answers", |server| {
            server.release = Answer::Fails(FetchFailure::Network)
        })
        .later("an hour", HOUR)
        .so("the status tells", |status| {
            status
                .last_failure
                .as_ref()
                .is_some_and(|failure| failure.code == "network")
        })
        .meanwhile("it heals", |server| server.publishes(release(1, "a")))
        .when("the network is back", Input::WentOnline)
        .then(&["FetchRelease"])
        .later("the answer comes", SECOND)
        .so("all is well", |status| status.failures == 0);
}
