//! Releases that people write by hand: a number and the id of a build.

use changeover::engine::io::{Input, Reason};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::page::{Answer, HOUR, MINUTE, Page, SECOND, Server, manifest, page, release};

#[test]
fn a_number_and_a_build_are_enough_to_be_asked() {
    by_hand()
        .starts()
        .later("the answers come", SECOND)
        .then_among(&["releaseSeen 1 a", "decision Ignore SameBuild"])
        .meanwhile("the next release", |server| writes(server, 2, "b"))
        .later("two minutes", 2 * MINUTE)
        .then_among(&[
            "RememberSequence 2",
            "releaseSeen 2 b",
            "prompt NewBuild 2 b",
        ])
        .asks(Reason::NewBuild);
}

#[test]
fn no_manifest_is_looked_for_where_the_release_names_none() {
    let mut page = by_hand()
        .starts()
        .later("a while", MINUTE)
        .meanwhile("the next release", |server| writes(server, 2, "b"))
        .later("ten minutes", 10 * MINUTE);
    for build in ["a", "b"] {
        assert_eq!(page.count(&format!("FetchManifest {build}")), 0);
    }
}

#[test]
fn a_page_that_does_not_say_what_it_runs_is_told_of_the_second_release() {
    by_hand()
        .where_(|start| start.build = None)
        .opens()
        .asks_nothing()
        .meanwhile("the next release", |server| writes(server, 2, "b"))
        .later("two minutes", 2 * MINUTE)
        .asks(Reason::NewBuild);
}

#[test]
fn a_reload_goes_where_the_release_says() {
    by_hand()
        .opens()
        .meanwhile("the next release", |server| writes(server, 2, "b"))
        .later("two minutes", 2 * MINUTE)
        .when(
            "the user agrees",
            Input::ReloadRequested {
                by: changeover::engine::io::Asker::User,
            },
        )
        .then_among(&["changeoverStarted a to b"])
        .later("a second", SECOND)
        .then_among(&["Reload"]);
}

/// An older copy of the file, as a lagging replica gives it, moves nothing.
#[test]
fn numbers_count_as_in_any_release() {
    by_hand()
        .with(|server| writes(server, 5, "a"))
        .opens()
        .meanwhile("an old copy", |server| writes(server, 4, "b"))
        .later("twenty minutes", 20 * MINUTE)
        .asks_nothing();
}

#[test]
fn releases_of_the_tools_follow_those_by_hand_and_the_other_way_round() {
    by_hand()
        .opens()
        .meanwhile("the tools take over", |server| {
            server.has(manifest("b"));
            server.publishes(release(2, "b"));
        })
        .later("two minutes", 2 * MINUTE)
        .asks(Reason::NewBuild);
    page()
        .opens()
        .meanwhile("by hand from now on", |server| writes(server, 2, "b"))
        .later("two minutes", 2 * MINUTE)
        .never("problem")
        .asks(Reason::NewBuild)
        .later("an hour", HOUR)
        .never("problem");
}

fn by_hand() -> Page {
    page().with(|server| {
        server.manifests.clear();
        writes(server, 1, "a");
    })
}

fn writes(server: &mut Server, sequence: u64, build: &str) {
    let text = format!(r#"{{"sequence": {sequence}, "build": {{"id": "{build}"}}}}"#);
    server.release = Answer::Body(text);
}
