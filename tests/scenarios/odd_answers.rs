//! Answers that are none. Not one of them changes anything but a counter.

use changeover::engine::{
    guard::Config,
    io::{FetchFailure, Input, Reason},
};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::page::{Answer, HOUR, MINUTE, Page, SECOND, page, release};

#[test]
fn an_odd_answer_leaves_the_app_alone_is_told_and_heals() {
    let cut_off = release(2, "b").to_json();
    let cut_off = cut_off[..cut_off.len() / 2].to_string();
    let body = |text: &str| Answer::Body(text.to_string());
    let status = |status| Answer::Fails(FetchFailure::Status { status });
    for (what, answer, code, sentence) in [
        (
            "404",
            status(404),
            "status",
            "release.json was answered with status 404",
        ),
        (
            "500",
            status(500),
            "status",
            "release.json was answered with status 500",
        ),
        (
            "a login page",
            body("<!DOCTYPE html><title>Log in"),
            "html",
            "release.json answered HTML instead of JSON",
        ),
        (
            "half a JSON",
            Answer::Body(cut_off),
            "cut_off",
            "release.json ends in the middle",
        ),
        ("nothing", body(""), "empty", "release.json is empty"),
        (
            "ten megabytes",
            Answer::Fails(FetchFailure::TooLarge { limit: 65_536 }),
            "too_large",
            "release.json has more than the 65536 bytes that are read",
        ),
        (
            "ten megabytes that the driver let through",
            Answer::Body("[".repeat(10_000_000)),
            "too_large",
            "release.json has 10000000 bytes, more than the 65536 that are read",
        ),
        (
            "a redirect to another origin",
            Answer::Fails(FetchFailure::Network),
            "network",
            "release.json could not be fetched: no connection",
        ),
        (
            "silence",
            Answer::Never,
            "timeout",
            "release.json was not answered in time",
        ),
        (
            "plain words",
            body("Bad gateway"),
            "not_json",
            "release.json is not JSON: line 1, column 1 is wrong",
        ),
        (
            "another format",
            body("{\"format\":2}"),
            "unknown_format",
            "release.json has format 2, and only format 1 is known",
        ),
        (
            "another document",
            body("{\"version\":\"1\"}"),
            "missing_field",
            "release.json has no sequence",
        ),
    ] {
        page()
            .opens()
            .meanwhile(what, |server| server.release = answer)
            .later("ten minutes", 10 * MINUTE)
            .never("p")
            .so("it is told", |status| {
                status.failures > 0
                    && status.last_failure.as_ref().is_some_and(|failure| {
                        (failure.code.as_str(), failure.message.as_str()) == (code, sentence)
                    })
            })
            .asks_nothing()
            .so("release 1 stands", |status| {
                status
                    .release
                    .as_ref()
                    .is_some_and(|release| release.sequence == 1)
            })
            .meanwhile("it heals", |server| server.publishes(release(2, "b")))
            .when("the user clicks into the page", Input::Focused)
            .later("the answers come", 16 * SECOND)
            .so("all is forgotten", |status| {
                status.failures == 0 && status.last_failure.is_none()
            })
            .asks(Reason::NewBuild);
    }
}

#[test]
fn replicas_that_answer_old_new_old_new_cannot_make_a_tab_flap() {
    let mut page = page().opens();
    for turn in 0..40 {
        page = page
            .meanwhile("another replica answers", |server| {
                server.publishes(if turn % 2 == 0 {
                    release(2, "b")
                } else {
                    release(1, "a")
                });
            })
            .later("an interval", 72 * SECOND);
        page = if turn == 0 {
            page.then_among(&["prompt NewBuild 2 b"])
        } else {
            page.never("prompt")
        };
        page = page.asks(Reason::NewBuild);
    }
    page.so("the old one is no failure, but it is told", |status| {
        status.failures == 0
            && status
                .last_failure
                .as_ref()
                .is_some_and(|failure| failure.code == "older_release")
    });
}

#[test]
fn a_release_below_what_another_tab_has_seen_is_ignored() {
    page()
        .where_(|start| start.highest_sequence = Some(5))
        .with(|server| server.publishes(release(4, "b")))
        .opens()
        .asks_nothing()
        .so("there is no release yet", |status| status.release.is_none())
        .so("and why", |status| {
            status.last_failure.as_ref().is_some_and(|failure| {
                failure.message
                    == "release.json has sequence 4, older than 5, which was seen before"
            })
        })
        .meanwhile("the replica catches up", |server| {
            server.publishes(release(5, "b"))
        })
        .later("an interval", 73 * SECOND)
        .asks(Reason::NewBuild);
}

#[test]
fn a_pointer_from_before_the_document_never_asks_back() {
    page()
        .where_(|start| start.document_sequence = Some(5))
        .with(|server| server.publishes(release(4, "b")))
        .opens()
        .later("three intervals", 3 * 73 * SECOND)
        .asks_nothing()
        .never("prompt")
        .so("and why", |status| {
            status
                .last_failure
                .as_ref()
                .is_some_and(|failure| failure.code == "older_release")
        })
        .meanwhile("the publish is made again, and gets to its end", |server| {
            server.publishes(release(5, "a"))
        })
        .later("an interval", 73 * SECOND)
        .asks_nothing()
        .meanwhile(
            "a rollback is a newer release of the build before",
            |server| server.publishes(release(6, "b")),
        )
        .later("an interval", 73 * SECOND)
        .asks(Reason::NewBuild);
}

#[test]
fn the_same_sequence_with_another_build_is_a_problem_and_changes_nothing() {
    page()
        .opens()
        .meanwhile("the operator reuses the number", |server| server.publishes(release(1, "b")))
        .later("three intervals", 3 * 73 * SECOND)
        .then_among(&["problem sequence_reused"])
        .asks_nothing()
        .later("three more", 3 * 73 * SECOND)
        .never("problem")
        .so("it is told", |status| {
            status.last_failure.as_ref().is_some_and(|failure| {
                failure.message
                    == "release.json has sequence 1 with build \"b\", and the same sequence had build \"a\" before"
            })
        });
}

#[test]
fn a_release_for_another_app_or_channel_is_refused_with_both_names() {
    let ours = |app: Option<&str>, channel: Option<&str>| Config {
        app: app.map(Into::into),
        channel: channel.map(Into::into),
        release: "https://shop.test/changeover/release.json".into(),
        ..Config::default()
    };
    for (config, code, sentence) in [
        (
            ours(Some("bank"), None),
            "wrong_app",
            "release.json is for app \"shop\", and this page belongs to app \"bank\"",
        ),
        (
            ours(Some("shop"), Some("beta")),
            "wrong_channel",
            "release.json is for channel \"stable\", and this page belongs to channel \"beta\"",
        ),
    ] {
        Page::new(config)
            .with(|server| server.publishes(release(2, "b")))
            .starts()
            .later("the answer comes", SECOND)
            .then(&["FetchRelease", &format!("problem {code}")])
            .asks_nothing()
            .so("it is told", |status| {
                status.release.is_none()
                    && status
                        .last_failure
                        .as_ref()
                        .is_some_and(|failure| failure.message == sentence)
            })
            .later("an hour", HOUR)
            .never("problem");
    }
    Page::new(ours(Some("shop"), Some("stable")))
        .with(|server| server.publishes(release(2, "b")))
        .opens()
        .asks(Reason::NewBuild);
}

#[test]
fn where_there_is_no_release_it_is_said_once_what_to_do() {
    let advice = |what: &str| {
        format!(
            "Advise changeover: release.json {what} at https://shop.test/changeover/release.json, so this page hears of no new \
             build; the Vite plugin, `changeover stamp` and `changeover publish` write that file"
        )
    };
    let html = || Answer::Body("<!doctype html><title>Shop</title>".into());
    let gone = || Answer::Fails(FetchFailure::Status { status: 404 });
    for (answer, what) in [
        (gone(), "was answered with status 404"),
        (html(), "answered HTML instead of JSON"),
    ] {
        page()
            .with(|server| server.release = answer)
            .starts()
            .later("the answer comes", SECOND)
            .then_among(&[&advice(what)])
            .meanwhile("the other kind", |server| server.release = html())
            .later("ten minutes", 10 * MINUTE)
            .never("Advise")
            .meanwhile("and back", |server| server.release = gone())
            .later("ten minutes", 10 * MINUTE)
            .never("Advise")
            .meanwhile("the file comes", |server| server.publishes(release(2, "b")))
            .later("an hour", HOUR)
            .asks(Reason::NewBuild);
    }
    // A token in an address is for the server only.
    let config = Config {
        release: "https://shop.test/changeover/release.json?token=secret".into(),
        ..Config::default()
    };
    Page::new(config)
        .with(|server| server.release = gone())
        .starts()
        .later("the answer comes", SECOND)
        .then_among(&[&advice("was answered with status 404")]);
    page()
        .opens()
        .meanwhile("it goes", |server| server.release = gone())
        .later("ten minutes", 10 * MINUTE)
        .never("Advise");
    page()
        .with(|server| server.release = Answer::Fails(FetchFailure::Network))
        .starts()
        .later("ten minutes", 10 * MINUTE)
        .never("Advise");
}
