//! One sample of every public variant: written by the runtime's own writer, equal to what serde writes, and laid down
//! for the TypeScript compiler, which checks the samples against the hand-written types.
//!
//! `WRITE_SAMPLES=1 cargo test -p changeover --test samples` writes `tests/types/samples.ts` anew.

mod swap;

use changeover::engine::{
    io::*,
    manifest::Store,
    names::Names,
    release::Urgency,
    slots::{SlotUse, Use},
    status::*,
    written::ToJson,
};
use serde::Serialize;

use swap::{answers, steps};

fn build(id: &str) -> BuildId {
    BuildId(id.into())
}

fn text(text: &str) -> String {
    text.into()
}

const REASONS: [Reason; 18] = [
    Reason::NoReleaseYet,
    Reason::SameBuild,
    Reason::UnknownRunningBuild,
    Reason::NothingLoadedChanged,
    Reason::ManifestUnavailable,
    Reason::ManifestPending,
    Reason::Snoozed,
    Reason::NewBuild,
    Reason::Rollback,
    Reason::Urgent,
    Reason::Retired,
    Reason::ChunkFailed,
    Reason::ReloadDidNotTake,
    Reason::Expired,
    Reason::Reloading,
    Reason::SlotsChanged,
    Reason::SwapPaused,
    Reason::BadBuild,
];

const KINDS: [DecisionKind; 5] = [
    DecisionKind::Ignore,
    DecisionKind::Wait,
    DecisionKind::Swap,
    DecisionKind::Prompt,
    DecisionKind::Reload,
];

const ABORTS: [AbortReason; 9] = [
    AbortReason::Offline,
    AbortReason::Unreachable,
    AbortReason::StateNotSaved,
    AbortReason::ReloadDidNotTake,
    AbortReason::ReloadIgnored,
    AbortReason::NoSkew,
    AbortReason::Superseded,
    AbortReason::SwapFailed,
    AbortReason::Disposed,
];

fn decisions() -> Vec<Decision> {
    let kinds = KINDS.into_iter().cycle();
    REASONS
        .into_iter()
        .zip(kinds)
        .map(|(reason, kind)| Decision { kind, reason })
        .collect()
}

fn prompts() -> Vec<Prompt> {
    let full = Prompt {
        reason: Reason::NewBuild,
        sequence: 3_115,
        build: build("9eedfbeeca"),
        message: Some(text("\"Faster\"\u{1}\n\ttables\\ ✓")),
        can_snooze: true,
        countdown_until: Some(Timestamp(1_800_000_000_000)),
        busy: Some(Busy::Holds {
            reasons: vec![text("upload"), text("call")],
        }),
        trouble: Some(AbortReason::Offline),
    };
    let bare = Prompt {
        message: None,
        can_snooze: false,
        countdown_until: None,
        busy: None,
        trouble: None,
        ..full.clone()
    };
    let busy = Prompt {
        busy: Some(Busy::Reloading),
        ..bare.clone()
    };
    vec![full, bare, busy]
}

fn events() -> Vec<Event> {
    let (from, to) = (Some(build("a")), build("b"));
    let changeover = text("55eb902229");
    let mut events = vec![
        Event::StatusChanged,
        Event::ReleaseSeen {
            sequence: 7,
            build: to.clone(),
        },
        Event::SkewFound {
            from: from.clone(),
            to: to.clone(),
            sequence: 7,
        },
        Event::SkewFound {
            from: None,
            to: to.clone(),
            sequence: 7,
        },
        Event::SkewGone,
        Event::PromptHidden,
        Event::ChangeoverStarted {
            changeover: changeover.clone(),
            from: from.clone(),
            to: to.clone(),
        },
        Event::ChangeoverWaiting {
            changeover: changeover.clone(),
            holds: vec![text("upload")],
        },
        Event::ChangeoverDone {
            changeover: changeover.clone(),
            from,
            to,
        },
        Event::SwapRefused {
            to: build("b"),
            refusals: vec![SwapRefusal {
                why: text("entryChanged"),
                slot: None,
                file: Some(text("assets/index.js")),
                root: vec![text("index.html"), text("src/App.jsx")],
            }],
        },
        Event::SwapEnded {
            changeover: changeover.clone(),
            from: Some(build("a")),
            to: build("b"),
            slots: vec![text("cart")],
            outcome: SwapOutcome::RolledBack,
            reason: Some(text("threw")),
            slot: Some(text("cart")),
            message: Some(text("TypeError: x is not a function")),
        },
        Event::SwapEnded {
            changeover: changeover.clone(),
            from: None,
            to: build("b"),
            slots: vec![],
            outcome: SwapOutcome::Committed,
            reason: None,
            slot: None,
            message: None,
        },
        Event::StateRestored {
            restored: vec![text("draft")],
            failed: vec![],
        },
        Event::ChunkFailed {
            url: Some(text("/assets/a.js")),
            message: text("gone"),
            skew: true,
        },
        Event::ChunkFailed {
            url: None,
            message: text("gone"),
            skew: false,
        },
        Event::Problem {
            code: text("not_json"),
            message: text("release.json is not JSON."),
        },
    ];
    events.extend(
        decisions()
            .into_iter()
            .map(|decision| Event::DecisionMade { decision }),
    );
    events.extend(
        prompts()
            .into_iter()
            .map(|prompt| Event::PromptShown { prompt }),
    );
    let aborted = |reason| Event::ChangeoverAborted {
        changeover: changeover.clone(),
        reason,
    };
    events.extend(ABORTS.map(aborted));
    events
}

fn statuses() -> Vec<Status> {
    let bare = Status::default();
    let streams = [
        StreamState::Connecting,
        StreamState::Open,
        StreamState::Waiting,
    ];
    let phases = [
        PhaseName::Draining,
        PhaseName::Probing,
        PhaseName::Capturing,
        PhaseName::Reloading,
        PhaseName::Swapping,
        PhaseName::Probation,
    ];
    let urgencies = [Urgency::Routine, Urgency::Soon, Urgency::Now];
    let full = (0..6).map(|turn| Status {
        level: if turn == 0 { Level::Off } else { Level::Full },
        level_reason: (turn == 0).then(|| text("disposed")),
        build: Some(build("a")),
        release: Some(ReleaseSummary {
            sequence: u64::from(u32::MAX) * 1_000,
            build: build("b"),
            urgency: urgencies[turn % 3],
            message: (turn == 1).then(|| text("tonight")),
        }),
        skew: true,
        leader: turn == 1,
        stream: streams[turn % 3],
        last_check: Some(Timestamp(1_800_000_000_000)),
        failures: 3,
        last_failure: Some(Trouble {
            code: text("timeout"),
            message: text("The server did not answer within 15 s."),
        }),
        holds: vec![
            HoldSummary {
                reason: text("upload"),
                deadline: Some(Timestamp(5)),
            },
            HoldSummary {
                reason: text(""),
                deadline: None,
            },
        ],
        prompt: prompts().into_iter().next(),
        changeover: Some(ChangeoverSummary {
            id: text("c"),
            from: (turn > 0).then(|| build("a")),
            to: build("b"),
            phase: phases[turn],
        }),
        ..bare.clone()
    });
    std::iter::once(bare.clone()).chain(full).collect()
}

fn failures() -> Vec<FetchFailure> {
    vec![
        FetchFailure::Network,
        FetchFailure::Timeout,
        FetchFailure::Status { status: 404 },
        FetchFailure::TooLarge { limit: 65_536 },
        FetchFailure::Integrity,
    ]
}

fn messages() -> Vec<PeerMessage> {
    vec![
        PeerMessage::Checked { sequence: Some(7) },
        PeerMessage::Checked { sequence: None },
        PeerMessage::WhoIsVisible,
        PeerMessage::Visible { tab: text("t") },
        PeerMessage::Hidden { tab: text("t") },
    ]
}

fn inputs() -> Vec<Input> {
    let start = Start {
        build: Some(build("a")),
        seed: 9_007_199_254_740_991,
        visitor: text("b13915ac7e3b0a25"),
        visible: true,
        online: false,
        locks: true,
        storage: false,
        highest_sequence: Some(u64::MAX),
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
        highest_sequence: None,
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
        },
        Input::ReleaseFetched {
            body: text(""),
            events: None,
        },
        Input::ReleaseFailed {
            failure: FetchFailure::Network,
            retry_after: Some(1_000),
        },
        Input::ManifestFetched {
            build: build("b"),
            body: text("{}"),
        },
        Input::LoadedFilesListed {
            files: vec![text("/a.js"), text("/b.css")],
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
        Input::DocumentProbed { failure: None },
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
    for source in [
        Source::Poll,
        Source::Stream,
        Source::Header,
        Source::Peer,
        Source::Chunk,
    ] {
        inputs.push(Input::Sighted {
            source,
            sequence: Some(1),
            build: None,
        });
    }
    for kind in [
        LoadKind::Script,
        LoadKind::Style,
        LoadKind::Import,
        LoadKind::Error,
    ] {
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
        });
    }
    inputs.extend(
        messages()
            .into_iter()
            .map(|message| Input::PeerHeard { message }),
    );
    inputs
}

fn effects() -> Vec<Effect> {
    let mut effects = vec![
        Effect::FetchRelease,
        Effect::FetchManifest {
            build: build("b"),
            path: text("builds/b.json"),
            integrity: Some(text("sha384-x")),
        },
        Effect::ListLoadedFiles,
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
            stores: Names::from_pairs(vec![
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
        Effect::RememberSequence { sequence: 7 },
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
        Effect::DiscardSwap {
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

fn compare<T: ToJson + Serialize>(samples: &[T]) {
    for sample in samples {
        assert_eq!(sample.to_json(), serde_json::to_string(sample).unwrap());
    }
}

#[test]
fn the_runtimes_writer_writes_what_serde_writes() {
    compare(&inputs());
    compare(&effects());
    compare(&events());
    compare(&statuses());
    let controls: String = (0..0x300).filter_map(char::from_u32).collect();
    compare(&[controls, text("\u{2028}😀")]);
    compare(&[u64::MAX, 0]);
}

#[test]
fn the_samples_for_typescript_are_the_ones_on_disk() {
    let list = |name: &str, kind: &str, samples: Vec<String>| {
        format!(
            "\nexport const {name} = [\n  {},\n] as const satisfies readonly {kind}[];\n",
            samples.join(",\n  ")
        )
    };
    let all = |samples: &[&dyn ToJson]| {
        samples
            .iter()
            .map(|sample| sample.to_json())
            .collect::<Vec<_>>()
    };
    let (events, statuses) = (events(), statuses());
    let events: Vec<&dyn ToJson> = events.iter().map(|event| event as _).collect();
    let statuses: Vec<&dyn ToJson> = statuses.iter().map(|status| status as _).collect();
    let written = [
        "// One sample of everything the runtime tells the app. Written by tests/samples.rs.\n",
        "import type { ChangeoverEvent, ReadonlyDeep, Status } from './readonly.js';\n",
        &list("events", "ReadonlyDeep<ChangeoverEvent>", all(&events)),
        &list("statuses", "ReadonlyDeep<Status>", all(&statuses)),
    ]
    .concat();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/types/samples.ts");
    if std::env::var_os("WRITE_SAMPLES").is_some() {
        std::fs::write(path, &written).unwrap();
    }
    let there = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        there == written,
        "tests/types/samples.ts is out of date: run with WRITE_SAMPLES=1"
    );
}
