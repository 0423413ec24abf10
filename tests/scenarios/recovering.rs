//! Chunks that fail to load.

use changeover::engine::io::{FetchFailure, Input, LoadKind, Reason, WakeReason};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::page::{Answer, HOUR, MINUTE, Page, SECOND, Server, page, release};

#[test]
fn a_failed_chunk_that_another_build_explains_is_asked_about_at_once() {
    page()
        .opens()
        .later("a while", 20 * SECOND)
        .meanwhile("a release", |server| server.publishes(release(2, "b")))
        .when("a chunk fails", failed("/assets/help.js"))
        .then(&["FetchRelease", "ListLoadedFiles"])
        .later("the answers come", SECOND)
        .then_among(&[
            "chunkFailed https://shop.test/assets/help.js skew",
            "prompt ChunkFailed 2 b",
        ])
        .asks(Reason::ChunkFailed);
}

#[test]
fn a_failed_chunk_that_no_build_explains_is_network_trouble() {
    page()
        .opens()
        .later("a while", 20 * SECOND)
        .when("a chunk fails", failed("/assets/help.js"))
        .later("the answers come", SECOND)
        .then_among(&[
            "FetchRelease",
            "chunkFailed https://shop.test/assets/help.js no skew",
        ])
        .asks_nothing()
        .later("half a minute", 25 * SECOND)
        .looked(5);
}

#[test]
fn a_failed_chunk_is_told_about_though_the_server_does_not_answer() {
    page()
        .opens()
        .later("a while", 20 * SECOND)
        .meanwhile("the server is gone", |server| {
            server.release = Answer::Fails(FetchFailure::Network)
        })
        .when("a chunk fails", failed("/assets/help.js"))
        .later("soon", SECOND)
        .then_among(&["chunkFailed https://shop.test/assets/help.js no skew"]);
}

#[test]
fn a_chunk_that_failed_during_the_deploy_is_explained_by_the_release_that_follows() {
    page()
        .opens()
        .later("a while", 20 * SECOND)
        .when("a chunk fails", failed("/assets/help.js"))
        .later("no build explains it yet", 2 * SECOND)
        .meanwhile("the release follows", |server| {
            server.publishes(release(2, "b"))
        })
        .later("half a minute", 25 * SECOND)
        .asks(Reason::ChunkFailed);
}

#[test]
fn a_failed_chunk_asks_although_the_release_was_put_off() {
    page()
        .with(|server| server.publishes(release(2, "b")))
        .opens()
        .when("the user says later", Input::SnoozeRequested)
        .asks_nothing()
        .when("a chunk fails", failed("/assets/help.js"))
        .then_among(&["chunkFailed https://shop.test/assets/help.js skew"])
        .asks(Reason::ChunkFailed)
        .when("the user says later again", Input::SnoozeRequested)
        .asks_nothing();
}

#[test]
fn a_broken_page_does_not_make_a_storm() {
    let elsewhere = |server: &mut Server| server.loaded = vec!["/elsewhere/index-a.js".into()];
    let mut page = page().with(elsewhere).opens().later("a while", 20 * SECOND);
    let before = page.looks();
    for number in 0..600 {
        page = page
            .when(
                "a chunk fails",
                failed(&format!("/assets/{}.js", number % 7)),
            )
            .later("a moment", 100);
    }
    let looks = page.looks() - before;
    assert!(looks <= 35, "{looks} looks in a minute");
}

#[test]
fn an_error_of_the_app_is_not_a_failed_chunk() {
    page()
        .opens()
        .later("a while", 20 * SECOND)
        .when(
            "the app throws",
            Input::LoadFailed {
                kind: LoadKind::Error,
                message: "TypeError: x is not a function".into(),
                url: Some("https://shop.test/assets/index-a.js".into()),
            },
        )
        .then(&[])
        .looked(1);
}

#[test]
fn a_failed_chunk_waits_for_the_manifest_of_a_deploy_under_way() {
    page()
        .with(|server| drop(server.manifests.remove("b")))
        .opens()
        .later("a while", 20 * SECOND)
        .meanwhile("half a deploy", |server| server.publishes(release(2, "b")))
        .when("a chunk fails", failed("/assets/help.js"))
        .later("soon", SECOND)
        .then_among(&["chunkFailed https://shop.test/assets/help.js no skew"])
        .asks_nothing()
        .meanwhile("the deploy ends", |server| {
            server.has(crate::page::manifest("b"))
        })
        .later("a minute", MINUTE)
        .asks(Reason::ChunkFailed);
}

#[test]
fn an_old_failure_explains_nothing() {
    page()
        .opens()
        .later("a while", 20 * SECOND)
        .when("a chunk fails", failed("/assets/help.js"))
        .later("an hour", HOUR)
        .meanwhile("a release", |server| server.publishes(release(2, "b")))
        .later("an interval", 73 * SECOND)
        .asks(Reason::NewBuild);
}

#[test]
fn what_fails_while_the_page_is_being_left_is_not_told() {
    leaving()
        .never("chunkFailed")
        .asks_nothing()
        .later("a slow server answers", 20 * SECOND)
        .when("the page goes", Input::PageHid)
        .when("another chunk fails", failed("/assets/index-a.js"))
        .later("in the cache", HOUR)
        .when("the user comes back", Input::PageShown { persisted: true })
        .later("the answers come", SECOND)
        .never("chunkFailed")
        .looked(3);
}

#[test]
fn what_failed_while_the_page_was_to_be_left_counts_when_it_stays() {
    leaving()
        .sleeps(WakeReason::Leaving, 29 * SECOND, 30 * SECOND)
        .later("it was a download", 31 * SECOND)
        .then_among(&["chunkFailed https://shop.test/assets/help.js skew"])
        .asks(Reason::ChunkFailed);
}

#[test]
fn a_dialog_that_was_open_for_long_holds_back_what_the_answer_stops() {
    page_with_news()
        .when("something wants to leave the page", Input::LeavingBegan)
        .frozen("while the user reads the question", MINUTE)
        .when("the page runs on", Input::LeavingBegan)
        .when("a chunk fails", failed("/assets/help.js"))
        .when("the page goes", Input::PageHid)
        .never("chunkFailed");
}

#[test]
fn a_page_that_stays_is_helped_at_once_when_it_fails_later() {
    page_with_news()
        .when("something wants to leave the page", Input::LeavingBegan)
        .when("the page runs on", Input::LeavingBegan)
        .later("the user has stayed", 3 * SECOND)
        .when("a chunk fails", failed("/assets/help.js"))
        .then_among(&["chunkFailed https://shop.test/assets/help.js skew"])
        .asks(Reason::ChunkFailed);
}

/// An ad blocker takes a script that counts visits, from the same host.
#[test]
fn a_file_that_the_running_build_does_not_have_is_no_chunk_of_the_app() {
    page()
        .opens()
        .later("a while", 20 * SECOND)
        .when("something else fails", blocked("/analytics.js"))
        .later("the answers come", SECOND)
        .then_among(&["FetchRelease", "ListLoadedFiles"])
        .never("chunkFailed")
        .meanwhile("a release", |server| server.publishes(release(2, "b")))
        .later("two intervals", 150 * SECOND)
        .asks(Reason::NewBuild)
        .when("something else fails again", blocked("/analytics.js"))
        .never("chunkFailed")
        .never("FetchRelease")
        .asks(Reason::NewBuild)
        .when("the app imports what is not there", failed("/gone.js"))
        .then_among(&["chunkFailed https://shop.test/gone.js skew"]);
}

/// Where nothing shows how the files of the build are addressed, any of this host may be one of them.
#[test]
fn a_file_that_may_be_one_of_the_running_build_counts() {
    page()
        .with(|server| server.loaded = vec!["/elsewhere/index-a.js".into()])
        .opens()
        .later("a while", 20 * SECOND)
        .when("a chunk fails", blocked("/elsewhere/help.js"))
        .later("the answers come", SECOND)
        .then_among(&["chunkFailed https://shop.test/elsewhere/help.js no skew"]);
}

/// A page without a stamp is taken for the first build that is seen, and may be older.
#[test]
fn where_only_a_guess_says_what_runs_any_file_of_this_host_counts() {
    page()
        .where_(|start| start.build = None)
        .opens()
        .later("a while", 20 * SECOND)
        .when("a chunk fails", blocked("/assets/of-yesterday.js"))
        .later("the answers come", SECOND)
        .then_among(&["chunkFailed https://shop.test/assets/of-yesterday.js no skew"]);
}

/// A page whose loads have just been stopped by a navigation, while a build is live that would explain it.
fn leaving() -> Page {
    page_with_news()
        .when("something wants to leave the page", Input::LeavingBegan)
        .when("the page runs on", Input::LeavingBegan)
        .when("a chunk fails", failed("/assets/help.js"))
}

/// A page that needs nothing of the build that is live.
fn page_with_news() -> Page {
    page()
        .opens()
        .later("a while", 20 * SECOND)
        .meanwhile("a release", |server| server.publishes(release(2, "b")))
        .when("the app asks", Input::CheckRequested)
        .later("the answers come", SECOND)
        .when("the user says later", Input::SnoozeRequested)
}

fn failed(path: &str) -> Input {
    let url = format!("https://shop.test{path}");
    let message = format!("TypeError: Failed to fetch dynamically imported module: {url}");
    Input::LoadFailed {
        kind: LoadKind::Import,
        message,
        url: None,
    }
}

fn blocked(path: &str) -> Input {
    Input::LoadFailed {
        kind: LoadKind::Script,
        message: format!("https://shop.test{path} failed to load"),
        url: Some(format!("https://shop.test{path}")),
    }
}
