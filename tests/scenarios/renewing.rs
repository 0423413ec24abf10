//! Where a service worker answers for the page, a reload goes through it.

use changeover::engine::{
    io::{Asker, Busy, Input, Reason, WakeReason, WorkerOutcome},
    release::Urgency,
    status::PhaseName,
};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::page::{MINUTE, Page, SECOND, page, release};

#[test]
fn the_worker_takes_its_next_version_between_the_state_and_the_reload() {
    asking()
        .when("the user says yes", yes())
        .later("the answers come", SECOND)
        .then(&[
            "changeoverStarted a to b",
            "decision Reload Reloading",
            "ProbeDocument",
            "prompt NewBuild 2 b reloading",
            "CaptureState a to b",
            "RememberReload b 1",
            "changeoverWaiting for the service worker",
            "RenewWorker",
            "prompt NewBuild 2 b waiting for the service worker",
            "Reload",
            "prompt NewBuild 2 b reloading",
        ]);
}

#[test]
fn a_worker_that_takes_too_long_is_waited_for_eight_seconds() {
    asking()
        .meanwhile("the worker hangs", |server| {
            server.silent.push("RenewWorker")
        })
        .when("the user says yes", yes())
        .later("the answers come", SECOND)
        .sleeps(WakeReason::ServiceWorker, 6 * SECOND, 8 * SECOND)
        .so("it says what it waits for", |status| {
            let phase = status
                .changeover
                .as_ref()
                .map(|changeover| changeover.phase);
            let busy = status
                .prompt
                .as_ref()
                .and_then(|prompt| prompt.busy.clone());
            phase == Some(PhaseName::Renewing) && busy == Some(Busy::ServiceWorker)
        })
        .later("almost eight seconds", 6 * SECOND)
        .never("Reload")
        .later("eight seconds", 2 * SECOND)
        .then(&["Reload", "prompt NewBuild 2 b reloading"])
        .later("the browser ignores it", 11 * SECOND)
        .then_among(&["changeoverAborted ReloadIgnored"]);
}

#[test]
fn whatever_becomes_of_the_worker_the_page_is_reloaded_once() {
    for outcome in [
        WorkerOutcome::Activated,
        WorkerOutcome::Unchanged,
        WorkerOutcome::Failed,
    ] {
        let mut page = asking()
            .meanwhile("the worker answers", |server| server.worker = outcome)
            .when("the user says yes", yes())
            .later("nine seconds", 9 * SECOND);
        assert_eq!(page.count("Reload"), 1, "{outcome:?}");
    }
}

#[test]
fn an_urgent_release_goes_through_the_worker_too() {
    controlled()
        .meanwhile("an urgent release", |server| {
            let mut release = release(2, "b");
            release.urgency = Urgency::Now;
            server.publishes(release);
        })
        .when("the app asks", Input::CheckRequested)
        .later("the countdown", MINUTE)
        .then_among(&["changeoverStarted a to b", "RenewWorker", "Reload"]);
}

#[test]
fn a_user_who_stays_when_the_page_is_to_be_unloaded_is_not_reloaded() {
    let stays = |page: Page| {
        page.when(
            "the app reloads for the worker",
            Input::UnloadAsked { objected: true },
        )
        .when(
            "the user stays, and leaves later",
            Input::UnloadAsked { objected: false },
        )
    };
    stays(
        asking()
            .meanwhile("the worker hangs", |server| {
                server.silent.push("RenewWorker")
            })
            .when("the user says yes", yes())
            .later("the answers come", SECOND),
    )
    .then_among(&["MarkEnvelope void", "changeoverAborted Superseded"])
    .later("the worker has had its time", MINUTE)
    .never("Reload")
    .asks(Reason::ReloadDidNotTake);
}

#[test]
fn a_hold_that_begins_meanwhile_is_waited_for_and_a_network_that_goes_ends_the_attempt() {
    let hold = Input::HoldTaken {
        hold: 1,
        reason: "upload".into(),
        deadline: None,
    };
    let hanging = || {
        asking()
            .meanwhile("the worker hangs", |server| {
                server.silent.push("RenewWorker")
            })
            .when("the user says yes", yes())
            .later("the answers come", SECOND)
    };
    hanging()
        .when("an upload begins", hold)
        .later("the worker has had its time", 8 * SECOND)
        .then_among(&["changeoverWaiting upload"])
        .meanwhile("the worker is the newest", |server| server.silent.clear())
        .when("the upload ends", Input::HoldReleased { hold: 1 })
        .later("the answers come", SECOND)
        .then(&[
            "ProbeDocument",
            "prompt NewBuild 2 b reloading",
            "CaptureState a to b",
            "changeoverWaiting for the service worker",
            "RenewWorker",
            "prompt NewBuild 2 b waiting for the service worker",
            "Reload",
            "prompt NewBuild 2 b reloading",
        ]);
    hanging()
        .when("the network goes", Input::WentOffline)
        .later("the worker has had its time", 8 * SECOND)
        .then_among(&["MarkEnvelope void", "changeoverAborted Offline"])
        .later("a minute", MINUTE)
        .never("Reload");
}

#[test]
fn a_page_that_no_worker_controls_any_more_is_reloaded_at_once() {
    asking()
        .when("the worker goes", Input::WorkerSeen { controls: false })
        .when("the user says yes", yes())
        .later("the answers come", SECOND)
        .never("RenewWorker");
}

#[test]
fn an_answer_about_another_attempt_reloads_nothing() {
    asking()
        .meanwhile("the worker hangs", |server| {
            server.silent.push("RenewWorker")
        })
        .when("the user says yes", yes())
        .later("the answers come", SECOND)
        .when(
            "an answer comes late",
            Input::WorkerRenewed {
                changeover: "another".into(),
                outcome: WorkerOutcome::Activated,
            },
        )
        .then(&[]);
}

/// A page that a service worker answers for.
fn controlled() -> Page {
    page().opens().when(
        "a worker answers for the page",
        Input::WorkerSeen { controls: true },
    )
}

/// Release 2 of build b is asked for in it.
fn asking() -> Page {
    controlled()
        .meanwhile("a release", |server| server.publishes(release(2, "b")))
        .later("an interval", 73 * SECOND)
        .asks(Reason::NewBuild)
}

fn yes() -> Input {
    Input::ReloadRequested { by: Asker::User }
}
