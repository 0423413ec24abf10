//! One sample of every public variant: what is written can be read back, and the samples are laid down
//! for the TypeScript compiler, which checks the samples against the hand-written types.
//!
//! `WRITE_SAMPLES=1 cargo test -p changeover --test samples` writes `tests/types/samples.ts` and
//! `pkg-template/enums.d.ts` anew.

mod edges;
mod enums;
mod swap;

use changeover::{
    engine::{io::*, release::Urgency, status::*},
    ids::BuildId,
    listed::Listed,
    time::Timestamp,
};
use serde::Serialize;

use edges::{effects, inputs};

fn build(id: &str) -> BuildId {
    BuildId(id.into())
}

fn text(text: &str) -> String {
    text.into()
}

/// One of each kind; `enums.d.ts` is made from all reasons.
fn decisions() -> Vec<Decision> {
    DecisionKind::ALL
        .iter()
        .zip(Reason::ALL)
        .map(|(&kind, &reason)| Decision { kind, reason })
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
    let renewing = Prompt {
        busy: Some(Busy::ServiceWorker),
        ..bare.clone()
    };
    vec![full, bare, busy, renewing]
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
            reason: WaitReason::Holds,
            holds: vec![text("upload")],
        },
        Event::ChangeoverWaiting {
            changeover: changeover.clone(),
            reason: WaitReason::ServiceWorker,
            holds: vec![],
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
    events.extend(AbortReason::ALL.iter().copied().map(aborted));
    events
}

fn statuses() -> Vec<Status> {
    let bare = Status::default();
    let turns = PhaseName::ALL.len();
    let full = (0..turns).map(|turn| Status {
        level: if turn == 0 { Level::Off } else { Level::Full },
        level_reason: (turn == 0).then(|| text("disposed")),
        build: Some(build("a")),
        release: Some(ReleaseSummary {
            sequence: u64::from(u32::MAX) * 1_000,
            build: build("b"),
            urgency: Urgency::ALL[turn % Urgency::ALL.len()],
            message: (turn == 1).then(|| text("tonight")),
        }),
        skew: true,
        leader: turn == 1,
        stream: StreamState::ALL[turn % StreamState::ALL.len()],
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
            phase: PhaseName::ALL[turn],
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
        FetchFailure::Length { bytes: 512 },
        FetchFailure::Html,
        FetchFailure::Redirected {
            origin: text("https://other.test"),
        },
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

/// A trace replays only if all that is written can be read back.
#[test]
fn what_goes_in_and_out_is_read_back_as_it_was() {
    fn survive<T: Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(
        samples: &[T],
    ) {
        assert!(!samples.is_empty());
        for sample in samples {
            let json = serde_json::to_string(sample).unwrap();
            assert_eq!(
                serde_json::from_str::<T>(&json).as_ref().ok(),
                Some(sample),
                "{json}"
            );
        }
    }
    survive(&inputs());
    survive(&effects());
    survive(&events());
    survive(Reason::ALL);
    survive(SwapOutcome::ALL);
}

#[test]
fn the_samples_for_typescript_are_the_ones_on_disk() {
    let list = |name: &str, kind: &str, samples: Vec<String>| {
        format!(
            "\nexport const {name} = [\n  {},\n] as const satisfies readonly {kind}[];\n",
            samples.join(",\n  ")
        )
    };
    fn all<T: Serialize>(samples: &[T]) -> Vec<String> {
        samples
            .iter()
            .map(|sample| serde_json::to_string(sample).unwrap())
            .collect()
    }
    let written = [
        "// One sample of everything the runtime tells the app. Written by tests/samples/main.rs.\n",
        "import type { ChangeoverEvent, ReadonlyDeep, Status } from './readonly.js';\n",
        &list("events", "ReadonlyDeep<ChangeoverEvent>", all(&events())),
        &list("statuses", "ReadonlyDeep<Status>", all(&statuses())),
    ]
    .concat();
    is_on_disk("tests/types/samples.ts", &written);
}

/// Compares a file of this repository with what it should hold, which `WRITE_SAMPLES=1` writes first.
fn is_on_disk(name: &str, written: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("WRITE_SAMPLES").is_some() {
        std::fs::write(&path, written).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == written,
        "{name} is out of date: run with WRITE_SAMPLES=1"
    );
}
