//! The page after the reload.

use changeover::engine::io::{Input, Reason};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::page::{HOUR, Page, SECOND, arrival, build, page, release, reloads};

#[test]
fn a_page_that_arrives_on_the_target_tells_so_and_gets_its_state_back() {
    arriving("b")
        .starts()
        .then(&[
            "RestoreState",
            "RememberReload b 0",
            "changeoverDone a to b",
            "FetchRelease",
        ])
        .later("the answers come", SECOND)
        .then(&[
            "stateRestored 1 of 1",
            "RememberSequence 2",
            "releaseSeen 2 b",
            "FetchManifest b",
            "decision Ignore SameBuild",
        ])
        .asks_nothing();
}

#[test]
fn the_build_that_the_page_came_from_may_be_reloaded_for_again() {
    arriving("b")
        .where_(|start| start.reloads.push(reloads("a", 1)))
        .starts()
        .then_among(&["RememberReload b 0", "RememberReload a 0"])
        .with(|server| server.publishes(release(3, "a")))
        .later("a rollback is seen", HOUR)
        .asks(Reason::NewBuild);
}

#[test]
fn a_page_that_is_still_on_the_old_build_gets_its_state_back_and_only_asks() {
    arriving("a")
        .starts()
        .then(&["RestoreState", "FetchRelease"])
        .later("the answers come", SECOND)
        .then_among(&["stateRestored 1 of 1", "prompt ReloadDidNotTake 2 b"])
        .later("a day", 24 * HOUR)
        .never("changeoverStarted")
        .asks(Reason::ReloadDidNotTake);
}

#[test]
fn a_lost_mark_does_not_buy_another_reload() {
    arriving("a")
        .where_(|start| start.reloads.clear())
        .opens()
        .asks(Reason::ReloadDidNotTake)
        .when(
            "the app reloads",
            Input::ReloadRequested {
                by: changeover::engine::io::Asker::App,
            },
        )
        .then_among(&["changeoverAborted ReloadDidNotTake"]);
}

#[test]
fn a_page_that_arrives_on_a_third_build_has_moved_and_had_its_reload() {
    arriving("c")
        .starts()
        .then(&["RestoreState", "changeoverDone a to c", "FetchRelease"])
        .later("the answers come", SECOND)
        .asks(Reason::ReloadDidNotTake);
}

#[test]
fn state_that_is_claimed_later_is_told_later() {
    arriving("b")
        .opens()
        .when(
            "a provider registers",
            Input::StateRestored {
                restored: vec!["cart".into()],
                failed: vec!["form".into()],
            },
        )
        .then(&["stateRestored 1 of 2"]);
}

#[test]
fn a_reload_that_did_not_take_can_be_put_off() {
    arriving("a")
        .opens()
        .asks(Reason::ReloadDidNotTake)
        .when("the user says later", Input::SnoozeRequested)
        .asks_nothing()
        .later("an hour", HOUR)
        .asks(Reason::ReloadDidNotTake);
}

/// The page was reloaded for build b and runs `id`.
fn arriving(id: &str) -> Page {
    page()
        .where_(|start| {
            start.build = Some(build(id));
            start.arrival = Some(arrival("a", "b"));
            start.reloads = vec![reloads("b", 1)];
        })
        .with(|server| server.publishes(release(2, "b")))
}
