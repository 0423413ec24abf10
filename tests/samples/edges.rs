//! Samples of what goes into the guard and what it has done.

use changeover::{
    engine::{
        io::*,
        manifest::{ChunkKind, Store},
        slots::{Fetch, SlotUse, Use},
    },
    time::Timestamp,
};
use changeover::{ids::Names, listed::Listed as _};

use crate::{
    build, failures, messages,
    swap::{answers, steps},
    text,
};

pub fn inputs() -> Vec<Input> {
    let start = Start {
        build: Some(build("a")),
        document_sequence: Some(7),
        seed: 9_007_199_254_740_991,
        visitor: text("b13915ac7e3b0a25"),
        visible: true,
        online: false,
        locks: true,
        storage: false,
        highest_sequence: Some(u64::MAX),
        highest_app: Some(text("shop")),
        reloads: vec![Reloads {
            target: build("b"),
            count: 1,
        }],
        snooze: Some(Snooze {
            sequence: 7,
            until: Timestamp(1),
        }),
        arrival: Some(Arrival {
            changeover: text("c"),
            from: None,
            to: build("a"),
            at: Timestamp(0),
        }),
    };
    let fresh = Start {
        build: None,
        document_sequence: None,
        highest_sequence: None,
        highest_app: None,
        reloads: vec![],
        snooze: None,
        arrival: None,
        ..start.clone()
    };
    let mut inputs = vec![
        Input::Started(start),
        Input::Started(fresh),
        Input::ReleaseFetched {
            body: text("{\"format\":1}\r\n\u{8}\u{c}\u{1f}\u{7f}"),
            events: Some(text("/events")),
            date: Some(Timestamp(1_785_499_200_000)),
        },
        Input::ReleaseFetched {
            body: text(""),
            events: None,
            date: None,
        },
        Input::ReleaseFailed {
            failure: FetchFailure::Network,
            retry_after: Some(1_000),
        },
        Input::ManifestFetched {
            build: build("b"),
            body: text("{}"),
        },
        Input::ManifestKept {
            build: build("b"),
            body: text("{}"),
        },
        Input::FilesChecked {
            build: build("b"),
            wrong: None,
        },
        Input::FilesChecked {
            build: build("b"),
            wrong: Some(WrongFile {
                file: text("assets/a.js"),
                failure: FetchFailure::Html,
            }),
        },
        Input::LoadedFilesListed {
            files: vec![text("/a.js"), text("/b.css")],
            elements: vec![text("/c.js")],
            complete: true,
        },
        Input::StreamOpened,
        Input::StreamClosed,
        Input::BecameVisible,
        Input::BecameHidden,
        Input::Focused,
        Input::WentOnline,
        Input::WentOffline,
        Input::Resumed,
        Input::PageShown { persisted: true },
        Input::PageHid,
        Input::LeavingBegan,
        Input::UnloadAsked { objected: true },
        Input::UnloadSettled,
        Input::UserActed,
        Input::Elected,
        Input::Deposed,
        Input::HoldTaken {
            hold: 1,
            reason: text("upload"),
            deadline: Some(Timestamp(9)),
        },
        Input::HoldReleased { hold: 1 },
        Input::CheckRequested,
        Input::SnoozeRequested,
        Input::DocumentProbed {
            failure: None,
            ours: false,
        },
        Input::WorkerSeen { controls: true },
        Input::WorkerRenewed {
            changeover: text("c"),
            outcome: WorkerOutcome::Activated,
        },
        Input::WorkerRenewed {
            changeover: text("c"),
            outcome: WorkerOutcome::Unchanged,
        },
        Input::WorkerRenewed {
            changeover: text("c"),
            outcome: WorkerOutcome::Failed,
        },
        Input::StateSaved,
        Input::StateSaveFailed {
            message: text("no room"),
        },
        Input::StateRestored {
            restored: vec![],
            failed: vec![text("draft")],
        },
        Input::SlotsListed {
            slots: [Use::Idle, Use::Mounted, Use::Taken]
                .into_iter()
                .map(|state| SlotUse {
                    slot: text("cart"),
                    state,
                })
                .collect(),
        },
        Input::Woke,
        Input::Disposed,
    ];
    inputs.extend(answers().into_iter().map(|answer| Input::SwapAnswered {
        changeover: text("c"),
        round: 2,
        answer,
    }));
    for &source in Source::ALL {
        inputs.push(Input::Sighted {
            source,
            sequence: Some(1),
            build: None,
        });
    }
    for &kind in LoadKind::ALL {
        inputs.push(Input::LoadFailed {
            kind,
            message: text("gone"),
            url: None,
        });
    }
    for by in [Asker::App, Asker::User, Asker::UserAnyway] {
        inputs.push(Input::ReloadRequested { by });
    }
    for failure in failures() {
        inputs.push(Input::ManifestFailed {
            build: build("b"),
            failure: failure.clone(),
        });
        inputs.push(Input::DocumentProbed {
            failure: Some(failure),
            ours: false,
        });
    }
    inputs.extend(
        messages()
            .into_iter()
            .map(|message| Input::PeerHeard { message }),
    );
    inputs
}

pub fn effects() -> Vec<Effect> {
    let mut effects = vec![
        Effect::FetchRelease,
        Effect::FetchManifest {
            build: build("b"),
            path: text("builds/b.json"),
            integrity: Some(text("sha384-x")),
        },
        Effect::RefetchManifest {
            build: build("b"),
            path: text("builds/b.json"),
            integrity: None,
        },
        Effect::ListLoadedFiles,
        Effect::CheckFiles {
            build: build("b"),
            base: text("/"),
            files: vec![Fetch {
                file: text("assets/a.js"),
                integrity: text("sha384-x"),
                size: 7,
                kind: ChunkKind::Script,
            }],
        },
        Effect::OpenStream {
            url: text("/events"),
        },
        Effect::CloseStream,
        Effect::JoinElection,
        Effect::LeaveElection,
        Effect::ProbeDocument,
        Effect::CaptureState {
            changeover: text("c"),
            from: None,
            to: build("b"),
            stores: Names::from_iter(vec![
                (
                    text("draft"),
                    Store {
                        schema: 2,
                        reads: vec![1, 2],
                    },
                ),
                (
                    text("a \"cart\""),
                    Store {
                        schema: 1,
                        reads: vec![],
                    },
                ),
            ]),
        },
        Effect::CaptureState {
            changeover: text("c"),
            from: Some(build("a")),
            to: build("b"),
            stores: Names::new(),
        },
        Effect::RestoreState,
        Effect::MarkEnvelope {
            mark: EnvelopeMark::Gone,
        },
        Effect::RememberSequence {
            sequence: 7,
            app: text("shop"),
        },
        Effect::RememberReload {
            target: build("b"),
            count: 0,
        },
        Effect::RememberSnooze {
            snooze: Snooze {
                sequence: 7,
                until: Timestamp(1),
            },
        },
        Effect::Advise {
            message: text("changeover: release.json is not there"),
        },
        Effect::DiscardSwap {
            changeover: text("c"),
        },
        Effect::RenewWorker {
            changeover: text("c"),
        },
        Effect::Reload,
    ];
    effects.extend(steps().into_iter().map(|step| Effect::TakeSwapStep {
        changeover: text("c"),
        round: 3,
        to: build("b"),
        step,
    }));
    effects.extend(
        messages()
            .into_iter()
            .map(|message| Effect::TellPeers { message }),
    );
    effects
}
