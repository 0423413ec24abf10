//! From "yes" to a page on the new build, and all the ways in which that does not happen.

use changeover::engine::{
    io::{Asker, FetchFailure, Input, Reason},
    status::PhaseName,
};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::page::{MINUTE, Page, SECOND, page, release, unchanged, urgent};

#[test]
fn a_user_who_says_yes_is_moved_once_document_and_state_are_safe() {
    asking()
        .when("the user says yes", yes())
        .then(&[
            "changeoverStarted a to b",
            "decision Reload Reloading",
            "ProbeDocument",
            "prompt NewBuild 2 b reloading",
        ])
        .so("it is probing", |status| {
            status.changeover.as_ref().is_some_and(|changeover| {
                changeover.phase == PhaseName::Probing && changeover.id.len() == 10
            })
        })
        .later("the answers come", SECOND)
        .then(&["CaptureState a to b", "RememberReload b 1", "Reload"]);
}

#[test]
fn a_reload_that_the_browser_ignores_is_noticed_after_ten_seconds() {
    asking()
        .when("the user says yes", yes())
        .later("ten seconds", 11 * SECOND)
        .then_among(&[
            "Reload",
            "changeoverAborted ReloadIgnored",
            "prompt ReloadDidNotTake 2 b after ReloadIgnored",
        ])
        .asks(Reason::ReloadDidNotTake);
}

#[test]
fn the_app_gets_one_reload_for_a_target_and_the_user_as_many_as_he_asks_for() {
    asking()
        .when("the app reloads", app())
        .later("ten seconds, and the page is still here", 11 * SECOND)
        .then_among(&["Reload", "changeoverAborted ReloadIgnored"])
        .when("the app reloads again", app())
        .later("the answers come", SECOND)
        .then(&[
            "changeoverAborted ReloadDidNotTake",
            "prompt ReloadDidNotTake 2 b after ReloadDidNotTake",
        ])
        .when("the user says yes", yes())
        .later("the answers come", SECOND)
        .then_among(&["RememberReload b 2", "Reload"]);
}

#[test]
fn an_app_that_reloads_by_itself_shows_no_prompt_of_ours() {
    unchanged()
        .with(|server| server.publishes(release(2, "b")))
        .opens()
        .asks_nothing()
        .when("the app reloads", app())
        .later("the answers come", SECOND)
        .then(&[
            "changeoverStarted a to b",
            "CheckFiles b",
            "decision Reload Reloading",
            "ProbeDocument",
            "CaptureState a to b",
            "RememberReload b 1",
            "Reload",
        ]);
}

#[test]
fn a_reload_right_after_the_news_waits_for_the_manifest() {
    page()
        .opens()
        .meanwhile("a release", |server| server.publishes(release(2, "b")))
        .when("the app asks", Input::CheckRequested)
        .later("the release is known", 20)
        .when("the app reloads", app())
        .then_among(&["changeoverStarted a to b"])
        .later("the answers come", SECOND)
        .then_among(&["ProbeDocument", "Reload"]);
}

#[test]
fn a_reload_is_refused_for_half_a_deploy() {
    page()
        .with(|server| drop(server.manifests.remove("b")))
        .opens()
        .meanwhile("a release", |server| server.publishes(release(2, "b")))
        .when("the app asks", Input::CheckRequested)
        .later("nothing is there", SECOND / 2)
        .when("the app reloads", app())
        .then(&["changeoverAborted Unreachable"]);
}

#[test]
fn a_manifest_that_does_not_come_ends_the_attempt() {
    page()
        .with(|server| {
            drop(
                server
                    .manifests
                    .insert("b".into(), crate::page::Answer::Never),
            )
        })
        .opens()
        .meanwhile("a release", |server| server.publishes(release(2, "b")))
        .when("the app asks", Input::CheckRequested)
        .later("it is on its way", SECOND / 2)
        .when("the app reloads", app())
        .later("half a minute", 31 * SECOND)
        .then_among(&["changeoverStarted a to b", "changeoverAborted Unreachable"]);
}

#[test]
fn there_is_nothing_to_reload_for_without_a_skew() {
    page()
        .opens()
        .when("the app reloads", app())
        .then(&["changeoverAborted NoSkew"])
        .asks_nothing();
    page()
        .with(|server| server.release = crate::page::Answer::Never)
        .starts()
        .when("the app reloads", app())
        .then(&["changeoverAborted NoSkew"]);
}

#[test]
fn an_offline_page_is_not_reloaded() {
    asking()
        .when("the network goes", Input::WentOffline)
        .when("the user says yes", yes())
        .then(&[
            "changeoverAborted Offline",
            "prompt NewBuild 2 b after Offline",
        ])
        .when("the network is back", Input::WentOnline)
        .then_among(&["prompt NewBuild 2 b"])
        .so("the trouble is over", |status| {
            status
                .prompt
                .as_ref()
                .is_some_and(|prompt| prompt.trouble.is_none())
        });
}

#[test]
fn a_status_is_no_reachability() {
    let failed = |status| Some(FetchFailure::Status { status });
    for (failure, ours, goes) in [
        (failed(404), true, true),
        (failed(403), true, true),
        (failed(404), false, false),
        (failed(500), true, false),
        (Some(FetchFailure::TooLarge { limit: 1 }), false, true),
        (Some(FetchFailure::Network), true, false),
    ] {
        let page = asking()
            .meanwhile("the host answers so", |server| {
                server.document = failure;
                server.document_is_ours = ours;
            })
            .when("the user says yes", yes())
            .later("the answers come", SECOND);
        if goes {
            page.then_among(&["Reload"]);
        } else {
            page.then_among(&["changeoverAborted Unreachable"]);
        }
    }
}

#[test]
fn a_network_that_goes_on_the_way_ends_the_attempt() {
    asking()
        .when("the user says yes", yes())
        .when("the network goes", Input::WentOffline)
        .later("the answers come", SECOND)
        .then(&[
            "changeoverAborted Offline",
            "decision Prompt NewBuild",
            "prompt NewBuild 2 b after Offline",
        ]);
}

#[test]
fn a_server_that_does_not_answer_never_costs_the_page() {
    for failure in [
        FetchFailure::Network,
        FetchFailure::Timeout,
        FetchFailure::Status { status: 502 },
    ] {
        asking()
            .meanwhile("the document is not to be had", |server| {
                server.document = Some(failure)
            })
            .when("the user says yes", yes())
            .later("the answers come", SECOND)
            .then_among(&[
                "ProbeDocument",
                "changeoverAborted Unreachable",
                "prompt NewBuild 2 b after Unreachable",
            ])
            .meanwhile("it heals", |server| server.document = None)
            .when("the user says yes", yes())
            .later("the answers come", SECOND)
            .then_among(&["Reload"]);
    }
}

#[test]
fn a_driver_that_does_not_answer_ends_the_attempt_too() {
    asking()
        .meanwhile("no answers", |server| server.silent.push("ProbeDocument"))
        .when("the user says yes", yes())
        .later("fifteen seconds", 15 * SECOND)
        .then_among(&["changeoverAborted Unreachable"]);
    asking()
        .meanwhile("no answers", |server| server.silent.push("CaptureState"))
        .when("the user says yes", yes())
        .later("fifteen seconds", 16 * SECOND)
        .then_among(&["changeoverAborted StateNotSaved"])
        .never("Reload");
}

#[test]
fn state_that_cannot_be_saved_stops_the_reload_until_the_user_insists() {
    asking()
        .meanwhile("the storage is full", |server| {
            server.state = Err("draft: the storage is full".into())
        })
        .when("the user says yes", yes())
        .later("the answers come", SECOND)
        .then(&[
            "changeoverStarted a to b",
            "decision Reload Reloading",
            "ProbeDocument",
            "prompt NewBuild 2 b reloading",
            "CaptureState a to b",
            "problem state_not_saved",
            "changeoverAborted StateNotSaved",
            "decision Prompt NewBuild",
            "prompt NewBuild 2 b after StateNotSaved",
        ])
        .when(
            "the user insists",
            Input::ReloadRequested {
                by: Asker::UserAnyway,
            },
        )
        .later("the answers come", SECOND)
        .then_among(&[
            "CaptureState a to b",
            "problem state_not_saved",
            "RememberReload b 1",
            "Reload",
        ]);
}

#[test]
fn without_storage_only_the_user_reloads() {
    let page = || {
        page()
            .where_(|start| start.storage = false)
            .opens()
            .meanwhile("an urgent release", |server| {
                server.publishes(urgent(2, "b"))
            })
            .later("an interval", 73 * SECOND)
            .asks(Reason::Urgent)
            .so("it does not count down", |status| {
                status
                    .prompt
                    .as_ref()
                    .is_some_and(|p| p.countdown_until.is_none())
            })
    };
    page()
        .when("the app reloads", app())
        .then_among(&["changeoverAborted ReloadDidNotTake"])
        .later("soon", MINUTE)
        .never("Reload");
    page()
        .when("the user says yes", yes())
        .later("the answers come", SECOND)
        .then_among(&["Reload"]);
}

#[test]
fn a_release_that_arrives_on_the_way_becomes_the_target() {
    asking()
        .when("an upload begins", hold())
        .when("the user says yes", yes())
        .meanwhile("a newer release", |server| {
            server.publishes(release(3, "c"))
        })
        .later("an interval", 73 * SECOND)
        .never("changeoverAborted")
        .so("it is the target", |status| {
            status
                .changeover
                .as_ref()
                .is_some_and(|move_| move_.to.0 == "c")
        })
        .when("the upload ends", Input::HoldReleased { hold: 1 })
        .later("the answers come", SECOND)
        .then_among(&[
            "ProbeDocument",
            "CaptureState a to c",
            "RememberReload c 1",
            "Reload",
        ]);
}

#[test]
fn a_release_that_arrives_after_the_capture_makes_another_capture() {
    asking()
        .meanwhile("no answers for now", |server| {
            server.silent.push("CaptureState")
        })
        .when("the user says yes", yes())
        .later("it captures", SECOND)
        .meanwhile("a newer release", |server| {
            server.silent.clear();
            server.publishes(release(3, "c"));
        })
        .when("the app asks", Input::CheckRequested)
        .later("it is known", SECOND)
        .when("the first capture ends", Input::StateSaved)
        .later("the answers come", SECOND)
        .then_among(&[
            "ProbeDocument",
            "CaptureState a to c",
            "RememberReload c 1",
            "Reload",
        ]);
}

#[test]
fn a_rollback_to_the_running_build_ends_the_attempt() {
    asking()
        .when("an upload begins", hold())
        .when("the user says yes", yes())
        .meanwhile("a rollback", |server| server.publishes(release(3, "a")))
        .later("an interval", 73 * SECOND)
        .then_among(&["changeoverAborted NoSkew", "promptHidden"])
        .asks_nothing();
}

#[test]
fn a_second_request_joins_the_attempt_under_way() {
    asking()
        .when("an upload begins", hold())
        .when("the app reloads", app())
        .when("the user says yes", yes())
        .then(&[])
        .when("the upload ends", Input::HoldReleased { hold: 1 })
        .later("the answers come", SECOND)
        .then_among(&["ProbeDocument", "Reload"]);
}

#[test]
fn the_user_can_put_it_off_while_it_waits() {
    asking()
        .when("an upload begins", hold())
        .when("the user says yes", yes())
        .when("the user says later", Input::SnoozeRequested)
        .then(&[
            "changeoverAborted Superseded",
            "RememberSnooze 2",
            "decision Wait Snoozed",
            "promptHidden",
        ])
        .when("the upload ends", Input::HoldReleased { hold: 1 })
        .later("ten minutes", 10 * MINUTE)
        .never("Reload");
}

#[test]
fn a_disposed_page_is_left_alone_for_good() {
    asking()
        .when("an upload begins", hold())
        .when("the user says yes", yes())
        .when("the app disposes of the guard", Input::Disposed)
        .then(&["changeoverAborted Disposed", "promptHidden"])
        .sleeps_for_ever()
        .when_all(
            "everything happens",
            [
                Input::Woke,
                Input::Focused,
                yes(),
                Input::CheckRequested,
                Input::Resumed,
            ],
        )
        .then(&[])
        .sleeps_for_ever();
}

/// Release 2 of build b is asked for.
fn asking() -> Page {
    page()
        .opens()
        .meanwhile("a release", |server| server.publishes(release(2, "b")))
        .later("an interval", 73 * SECOND)
        .asks(Reason::NewBuild)
}

fn yes() -> Input {
    Input::ReloadRequested { by: Asker::User }
}

fn app() -> Input {
    Input::ReloadRequested { by: Asker::App }
}

fn hold() -> Input {
    Input::HoldTaken {
        hold: 1,
        reason: "upload".into(),
        deadline: None,
    }
}
