//! Sequences that are wrong: nothing that a server said once is believed for good.

use changeover::{
    engine::{io::Reason, release::Release},
    time::Timestamp,
};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::page::{HOUR, MINUTE, NOON, Page, SECOND, page, release};

/// The largest that can be written down.
const ABSURD: u64 = 9_007_199_254_740_991;
const AN_INTERVAL: u64 = 73 * SECOND;

#[test]
fn an_absurd_sequence_is_ignored_and_told_and_the_next_release_arrives() {
    page()
        .opens()
        .meanwhile("one answer is wrong", |server| {
            server.publishes(release(ABSURD, "b"))
        })
        .later("an interval", AN_INTERVAL)
        .then_among(&["problem sequence_implausible"])
        .asks_nothing()
        .meanwhile("the server is itself again", |server| {
            server.publishes(release(2, "c"))
        })
        .later("an interval", AN_INTERVAL)
        .then_among(&["RememberSequence 2", "prompt NewBuild 2 c"]);
}

#[test]
fn an_absurd_sequence_that_stays_is_followed_and_not_remembered() {
    page()
        .opens()
        .meanwhile("the site numbers anew", |server| {
            server.publishes(release(ABSURD, "b"))
        })
        .later("five minutes", 5 * MINUTE)
        .never("RememberSequence")
        .asks(Reason::NewBuild)
        .meanwhile("and numbers as before", |server| {
            server.publishes(release(3, "c"))
        })
        .later("an interval", AN_INTERVAL)
        .then_among(&["RememberSequence 3"])
        .so("the release is followed", |status| {
            status.prompt.as_ref().is_some_and(|it| it.sequence == 3)
        });
}

#[test]
fn a_page_whose_first_answer_is_absurd_follows_the_next_one() {
    page()
        .with(|server| server.publishes(release(ABSURD, "a")))
        .starts()
        .later("the answer comes", SECOND)
        .then_among(&[
            "releaseSeen 9007199254740991 a",
            "problem sequence_implausible",
            "decision Ignore SameBuild",
        ])
        .meanwhile("the server is itself again", |server| {
            server.publishes(release(2, "b"))
        })
        .later("an interval", AN_INTERVAL)
        .then_among(&["RememberSequence 2", "problem sequence_reset"])
        .asks(Reason::NewBuild);
}

#[test]
fn an_absurd_memory_is_dropped_and_told() {
    remembers(ABSURD, None)
        .with(|server| server.publishes(release(2, "b")))
        .starts()
        .later("the answers come", SECOND)
        .then_among(&["problem sequence_implausible", "RememberSequence 2"])
        .asks(Reason::NewBuild);
}

#[test]
fn a_memory_of_another_app_does_not_count() {
    remembers(1_785_499_000, Some("bank"))
        .with(|server| server.publishes(release(2, "b")))
        .starts()
        .later("the answers come", SECOND)
        .then_among(&["RememberSequence 2"])
        .asks(Reason::NewBuild);
    remembers(5, Some("shop"))
        .with(|server| server.publishes(release(2, "b")))
        .opens()
        .asks_nothing();
}

/// Two sites take turns on one port, and their apps have the same name.
#[test]
fn a_page_that_runs_what_the_release_wants_believes_it_whatever_was_remembered() {
    remembers(1_785_499_000, Some("shop"))
        .opens()
        .so("release 1 counts", |status| status.release.is_some())
        .meanwhile("a deploy", |server| server.publishes(release(2, "b")))
        .later("an interval", AN_INTERVAL)
        .asks(Reason::NewBuild)
        .later("an hour", HOUR)
        .then_among(&["RememberSequence 2"]);
}

#[test]
fn a_site_that_was_set_back_is_followed_after_half_an_hour() {
    let set_back = || {
        page()
            .with(|server| server.publishes(release(7, "a")))
            .opens()
            .meanwhile("a backup is restored", |server| {
                server.publishes(release(5, "b"))
            })
    };
    set_back()
        .later("twenty-five minutes", 25 * MINUTE)
        .never("problem")
        .asks_nothing();
    set_back()
        .later("forty minutes", 40 * MINUTE)
        .then_among(&["RememberSequence 5", "problem sequence_reset"])
        .asks(Reason::NewBuild);
}

/// The publish that brought the document was killed before its pointer, and hours go by.
#[test]
fn a_document_that_is_newer_than_the_release_is_not_asked_back_as_long_as_the_publish_is_not_made_again()
 {
    newer_document()
        .opens()
        .later("twelve hours", 12 * HOUR)
        .never("prompt")
        .meanwhile("the publish gets to its end", |server| {
            server.publishes(release(7, "a"))
        })
        .later("forty minutes", 40 * MINUTE)
        .never("p")
        .asks_nothing()
        .so("its number is known", |status| {
            status.release.as_ref().is_some_and(|it| it.sequence == 7)
        });
}

/// A kept copy of a document from before the site was set back, or one with a number that was wrong.
#[test]
fn what_a_document_says_alone_counts_for_a_day() {
    newer_document()
        .opens()
        .later("twenty-six hours", 26 * HOUR)
        .then_among(&["RememberSequence 5", "problem sequence_reset"])
        .asks(Reason::NewBuild);
}

#[test]
fn a_document_from_after_the_site_was_set_back_heals_what_the_browser_remembers() {
    remembers(7, Some("shop"))
        .where_(|start| start.document_sequence = Some(5))
        .with(|server| server.publishes(release(5, "a")))
        .opens()
        .meanwhile("the next release", |server| {
            server.publishes(release(6, "b"))
        })
        .later("an interval", AN_INTERVAL)
        .asks(Reason::NewBuild)
        .later("forty minutes", 40 * MINUTE)
        .then_among(&["RememberSequence 6"]);
}

/// Numbers written by hand over those of the tool that stamped the documents.
#[test]
fn a_release_for_the_very_document_counts_whatever_number_the_document_has() {
    page()
        .where_(|start| start.document_sequence = Some(1_785_499_000))
        .opens()
        .so("release 1 counts", |status| status.release.is_some())
        .meanwhile("the next release", |server| {
            server.publishes(release(2, "b"))
        })
        .later("an interval", AN_INTERVAL)
        .asks(Reason::NewBuild);
}

#[test]
fn an_absurd_number_in_a_document_does_not_count() {
    page()
        .where_(|start| start.document_sequence = Some(ABSURD))
        .with(|server| server.publishes(release(2, "b")))
        .starts()
        .later("the answers come", SECOND)
        .then_among(&["problem sequence_implausible"])
        .asks(Reason::NewBuild);
}

#[test]
fn a_lower_sequence_that_was_issued_later_is_followed_after_some_looks() {
    page()
        .with(|server| server.publishes(release(1_785_499_200, "a")))
        .opens()
        .meanwhile("the releases are counted by hand now", |server| {
            server.publishes(later(release(1, "b")))
        })
        .later("an interval", AN_INTERVAL)
        .asks_nothing()
        .later("five intervals", 5 * AN_INTERVAL)
        .then_among(&["problem sequence_reset"])
        .asks(Reason::NewBuild);
}

#[test]
fn one_answer_that_fits_starts_the_count_anew() {
    let mut page = page()
        .with(|server| server.publishes(release(7, "a")))
        .opens();
    for turn in 0..80 {
        page = page
            .meanwhile("a replica answers", |server| {
                server.publishes(if turn % 4 == 3 {
                    release(7, "a")
                } else {
                    release(5, "b")
                });
            })
            .later("an interval", AN_INTERVAL)
            .never("prompt");
    }
    page.asks_nothing();
}

#[test]
fn a_reused_number_counts_in_the_end() {
    page()
        .opens()
        .meanwhile("the operator forgets to count", |server| {
            server.publishes(later(release(1, "b")))
        })
        .later("six intervals", 6 * AN_INTERVAL)
        .then_among(&["problem sequence_reused", "problem sequence_reset"])
        .asks(Reason::NewBuild);
}

#[test]
fn the_release_of_another_app_is_told_and_not_followed_at_once() {
    let other = |sequence| Release {
        app: Some("bank".into()),
        ..release(sequence, "b")
    };
    page()
        .opens()
        .meanwhile("another app is served here", |server| {
            server.publishes(other(9))
        })
        .later("ten minutes", 10 * MINUTE)
        .then_among(&["problem wrong_app"])
        .asks_nothing()
        .later("forty minutes", 40 * MINUTE)
        .then_among(&["problem sequence_reset"])
        .asks(Reason::NewBuild);
    page()
        .opens()
        .meanwhile("the app is renamed", |server| {
            server.publishes(later(other(9)))
        })
        .later("six intervals", 6 * AN_INTERVAL)
        .asks(Reason::NewBuild);
}

#[test]
fn a_wrong_clock_of_the_user_makes_no_release_wrong() {
    for (what, ahead) in [("years behind", false), ("years ahead", true)] {
        let years = 20 * 365 * 24 * HOUR;
        let mut page = page();
        page.now = if ahead { NOON + years } else { NOON - years };
        page.with(|server| server.publishes(release(1_785_499_200, "a")))
            .starts()
            .later("the answers come", SECOND)
            .then_among(&["RememberSequence 1785499200"])
            .meanwhile(what, |server| {
                server.publishes(later(release(1_785_499_300, "b")))
            })
            .later("an interval", AN_INTERVAL)
            .then_among(&["RememberSequence 1785499300"])
            .asks(Reason::NewBuild);
    }
}

#[test]
fn the_clock_of_the_server_counts_more_than_that_of_the_release() {
    let in_years = Release {
        issued: Some("2046-07-31T12:00:00Z".into()),
        ..release(2_416_651_200, "b")
    };
    page()
        .with(|server| server.date = Some(Timestamp(NOON)))
        .opens()
        .meanwhile("a machine with a wrong clock publishes", |server| {
            server.publishes(in_years)
        })
        .later("an interval", AN_INTERVAL)
        .then_among(&["problem sequence_implausible"])
        .asks_nothing();
}

#[test]
fn a_hint_of_an_absurd_sequence_does_not_silence_the_next_hint() {
    let hint = |sequence| crate::page::hint(sequence);
    page()
        .opens()
        .when("the stream lies", hint(ABSURD))
        .later("half a minute", 30 * SECOND)
        .meanwhile("a release", |server| server.publishes(release(2, "b")))
        .when("the stream tells", hint(2))
        .later("half a minute", 30 * SECOND)
        .asks(Reason::NewBuild);
}

/// The page is build a of release 7, and the pointer is still that of the release before.
fn newer_document() -> Page {
    page()
        .where_(|start| start.document_sequence = Some(7))
        .with(|server| server.publishes(release(5, "b")))
}

fn remembers(sequence: u64, app: Option<&str>) -> Page {
    page().where_(|start| {
        start.highest_sequence = Some(sequence);
        start.highest_app = app.map(Into::into);
    })
}

/// Issued an hour after the others.
fn later(release: Release) -> Release {
    Release {
        issued: Some("2026-07-31T13:00:00Z".into()),
        ..release
    }
}
