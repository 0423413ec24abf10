//! Every input meets every state.

use changeover::{
    engine::{
        io::{
            Asker, FetchFailure, Input, LoadKind, PeerMessage, Source, Start, WorkerOutcome,
            WrongFile,
        },
        release::Urgency,
        slots::{Answer, SlotUse, Use},
    },
    ids::BuildId,
};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::witness::{Step, Witness, manifest_text, release_of, release_text};

#[test]
fn every_input_meets_every_state_twice() {
    let inputs = inputs();
    let mut met = [false; KINDS];
    inputs.iter().for_each(|input| met[number_of(input)] = true);
    assert_eq!(met, [true; KINDS], "an input is missing from the list");
    for (state, steps) in states() {
        for input in &inputs {
            for later in [1, 20_000] {
                let mut witness = Witness::new();
                witness.feed(Input::Started(plain_start()));
                steps.iter().cloned().for_each(|step| witness.take(step));
                witness.pass(later);
                witness.feed(input.clone());
                witness.feed(input.clone());
                // Whatever it was, time goes on, and every effect is answered in the end.
                for turn in 0..40 {
                    witness.answer(turn % 3 != 0);
                    witness.pass(7_000);
                }
                assert!(witness.started, "{state}");
            }
        }
    }
}

/// Ways into the states that a guard can be in.
fn states() -> Vec<(&'static str, Vec<Step>)> {
    use Step::{Answers, Happens, Passes};
    let release = |sequence, build, urgency| {
        let mut release = release_of(sequence, build);
        release.urgency = urgency;
        Happens(Input::ReleaseFetched {
            body: release.to_json(),
            events: Some("/events".into()),
            date: None,
        })
    };
    let skew = |urgency| {
        let manifest = |id: &str| {
            Happens(Input::ManifestFetched {
                build: BuildId(id.into()),
                body: manifest_text(id),
            })
        };
        vec![
            release(3, "b", urgency),
            manifest("b"),
            manifest("a"),
            Happens(Input::LoadedFilesListed {
                files: vec![],
                elements: vec![],
                complete: true,
            }),
        ]
    };
    let then = |mut steps: Vec<Step>, more: Vec<Step>| {
        steps.extend(more);
        steps
    };
    let yes = || Happens(Input::ReloadRequested { by: Asker::User });
    let hold = Happens(Input::HoldTaken {
        hold: 1,
        reason: "upload".into(),
        deadline: None,
    });
    let prompting = || skew(Urgency::Routine);
    let draining = then(prompting(), vec![hold.clone(), yes()]);
    let probing = then(prompting(), vec![yes()]);
    let probed = Happens(Input::DocumentProbed {
        failure: None,
        ours: false,
    });
    let capturing = then(probing.clone(), vec![probed]);
    let controlled = Happens(Input::WorkerSeen { controls: true });
    let reloading = then(capturing.clone(), vec![Happens(Input::StateSaved)]);
    vec![
        ("looking", vec![]),
        ("resting", vec![Answers(false)]),
        (
            "on the release's build",
            vec![release(2, "a", Urgency::Routine)],
        ),
        (
            "waiting for manifests",
            vec![release(3, "b", Urgency::Routine)],
        ),
        ("asking", prompting()),
        (
            "put off",
            then(prompting(), vec![Happens(Input::SnoozeRequested)]),
        ),
        ("counting down", skew(Urgency::Now)),
        (
            "counting down offline",
            then(skew(Urgency::Now), vec![Happens(Input::WentOffline)]),
        ),
        ("draining", draining),
        ("probing", probing),
        ("capturing", capturing.clone()),
        (
            "capturing with a hold",
            then(prompting(), vec![yes(), Answers(true), hold]),
        ),
        (
            "renewing the worker",
            then(capturing, vec![controlled, Happens(Input::StateSaved)]),
        ),
        ("reloading", reloading.clone()),
        ("reload ignored", then(reloading, vec![Passes(11_000)])),
        (
            "leading",
            vec![
                Happens(Input::Elected),
                release(2, "a", Urgency::Routine),
                Happens(Input::StreamOpened),
            ],
        ),
        ("away", vec![Happens(Input::PageHid)]),
        (
            "hidden",
            vec![
                release(2, "a", Urgency::Routine),
                Happens(Input::BecameHidden),
            ],
        ),
        ("disposed", vec![Happens(Input::Disposed)]),
    ]
}

/// One or more of every input.
fn inputs() -> Vec<Input> {
    let failures = [
        FetchFailure::Network,
        FetchFailure::Timeout,
        FetchFailure::Status { status: 503 },
    ];
    let build = BuildId("b".into());
    let mut inputs = simple();
    inputs.sort_by_key(|input| format!("{input:?}"));
    inputs.dedup();
    inputs.extend([
        Input::Started(plain_start()),
        Input::ReleaseFetched {
            body: release_text(4, "c"),
            events: None,
            date: None,
        },
        Input::ReleaseFetched {
            body: release_text(4, "a"),
            events: None,
            date: None,
        },
        Input::ReleaseFetched {
            body: "<html>".into(),
            events: None,
            date: None,
        },
        Input::ManifestFetched {
            build: build.clone(),
            body: manifest_text("b"),
        },
        Input::ManifestFetched {
            build: build.clone(),
            body: String::new(),
        },
        Input::ManifestKept {
            build: build.clone(),
            body: manifest_text("b"),
        },
        Input::ManifestKept {
            build: build.clone(),
            body: String::new(),
        },
        Input::LoadedFilesListed {
            files: vec!["/index-a.js".into()],
            elements: vec![],
            complete: true,
        },
        Input::FilesChecked {
            build: build.clone(),
            wrong: None,
        },
        Input::FilesChecked {
            build: build.clone(),
            wrong: Some(WrongFile {
                file: "index-b.js".into(),
                failure: FetchFailure::Html,
            }),
        },
        Input::Sighted {
            source: Source::Stream,
            sequence: Some(9),
            build: None,
        },
        Input::Sighted {
            source: Source::Header,
            sequence: None,
            build: Some(build.clone()),
        },
        Input::LoadFailed {
            kind: LoadKind::Script,
            message: String::new(),
            url: Some("/a.js".into()),
        },
        Input::PageShown { persisted: true },
        Input::PageShown { persisted: false },
        Input::HoldTaken {
            hold: 2,
            reason: "call".into(),
            deadline: None,
        },
        Input::HoldReleased { hold: 1 },
        Input::StateSaveFailed {
            message: "full".into(),
        },
        Input::DocumentProbed {
            failure: None,
            ours: false,
        },
    ]);
    for failure in failures {
        inputs.push(Input::ReleaseFailed {
            failure: failure.clone(),
            retry_after: Some(60_000),
        });
        inputs.push(Input::ManifestFailed {
            build: build.clone(),
            failure: failure.clone(),
        });
        inputs.push(Input::DocumentProbed {
            failure: Some(failure),
            ours: false,
        });
    }
    for by in [Asker::App, Asker::User, Asker::UserAnyway] {
        inputs.push(Input::ReloadRequested { by });
    }
    for message in [
        PeerMessage::Checked { sequence: Some(9) },
        PeerMessage::Checked { sequence: None },
        PeerMessage::WhoIsVisible,
        PeerMessage::Visible { tab: "t".into() },
        PeerMessage::Hidden { tab: "t".into() },
    ] {
        inputs.push(Input::PeerHeard { message });
    }
    inputs
}

fn plain_start() -> Start {
    Start {
        build: Some(BuildId("a".into())),
        document_sequence: None,
        seed: 7,
        visitor: "ada".into(),
        visible: true,
        online: true,
        locks: true,
        storage: true,
        highest_sequence: None,
        highest_app: None,
        reloads: vec![],
        snooze: None,
        arrival: None,
    }
}

/// A number for each kind of input. A new kind does not compile until it is named here.
fn number_of(input: &Input) -> usize {
    match input {
        Input::Started(_) => 0,
        Input::ReleaseFetched { .. } => 1,
        Input::ReleaseFailed { .. } => 2,
        Input::ManifestFetched { .. } => 3,
        Input::ManifestFailed { .. } => 4,
        Input::LoadedFilesListed { .. } => 5,
        Input::Sighted { .. } => 6,
        Input::LoadFailed { .. } => 7,
        Input::StreamOpened => 8,
        Input::StreamClosed => 9,
        Input::BecameVisible => 10,
        Input::BecameHidden => 11,
        Input::Focused => 12,
        Input::WentOnline => 13,
        Input::WentOffline => 14,
        Input::Resumed => 15,
        Input::PageShown { .. } => 16,
        Input::PageHid => 17,
        Input::Elected => 18,
        Input::Deposed => 19,
        Input::PeerHeard { .. } => 20,
        Input::HoldTaken { .. } => 21,
        Input::HoldReleased { .. } => 22,
        Input::CheckRequested => 23,
        Input::ReloadRequested { .. } => 24,
        Input::SnoozeRequested => 25,
        Input::DocumentProbed { .. } => 26,
        Input::StateSaved => 27,
        Input::StateSaveFailed { .. } => 28,
        Input::StateRestored { .. } => 29,
        Input::Woke => 30,
        Input::Disposed => 31,
        Input::SlotsListed { .. } => 32,
        Input::SwapAnswered { .. } => 33,
        Input::ManifestKept { .. } => 34,
        Input::UnloadAsked { .. } => 35,
        Input::UnloadSettled => 36,
        Input::UserActed => 37,
        Input::LeavingBegan => 38,
        Input::FilesChecked { .. } => 39,
        Input::WorkerSeen { .. } => 40,
        Input::WorkerRenewed { .. } => 41,
    }
}

const KINDS: usize = 42;

/// The inputs that say nothing but what they are.
pub fn simple() -> Vec<Input> {
    let mut inputs = vec![
        Input::StreamOpened,
        Input::StreamClosed,
        Input::BecameVisible,
        Input::BecameHidden,
        Input::Focused,
        Input::WentOnline,
        Input::WentOffline,
        Input::Resumed,
        Input::PageHid,
        Input::LeavingBegan,
        Input::UnloadAsked { objected: true },
        Input::UnloadAsked { objected: false },
        Input::UnloadSettled,
        Input::UserActed,
        Input::WorkerSeen { controls: true },
        Input::WorkerSeen { controls: false },
        Input::WorkerRenewed {
            changeover: "of another attempt".into(),
            outcome: WorkerOutcome::Activated,
        },
        Input::Elected,
        Input::Deposed,
        Input::CheckRequested,
        Input::SnoozeRequested,
        Input::StateSaved,
        Input::StateRestored {
            restored: vec![],
            failed: vec![],
        },
        Input::SlotsListed { slots: vec![] },
        Input::SlotsListed {
            slots: vec![SlotUse {
                slot: "cart".into(),
                state: Use::Mounted,
            }],
        },
        Input::SwapAnswered {
            changeover: "of another attempt".into(),
            round: 1,
            answer: Answer::Switched,
        },
        Input::Woke,
    ];
    // The end is rare, or nothing else is tried.
    inputs = inputs
        .iter()
        .cloned()
        .cycle()
        .take(inputs.len() * 10)
        .collect();
    inputs.push(Input::Disposed);
    inputs
}
