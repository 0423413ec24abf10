//! Every input meets every phase of a swap, twice.

use changeover::{
    engine::{
        io::FetchFailure,
        swap::{Answer, Ending, Phase, SwapInput},
    },
    ids::BuildId,
    listed::Listed as _,
};

use crate::stepping::{Scene, moves};

#[test]
fn every_input_meets_every_phase_twice() {
    let phases = [
        "fetch",
        "import",
        "awaitQuiet",
        "snapshot",
        "migrate",
        "mount",
        "switch",
        "watch",
        "commit",
        "rollBack",
        "held",
        "idle",
        "second round",
    ];
    let mut met = Vec::new();
    for phase in phases {
        for input in inputs() {
            for later in [0, 1, 4_999, 20_000, 1_000_000] {
                let mut scene = reach(phase);
                met.push(scene.phase());
                scene.now.0 += later;
                let asked = scene.asked.last().cloned();
                for _ in 0..2 {
                    let input = match (input.clone(), &asked) {
                        // Of the open question, so that it is not ignored for its name.
                        (SwapInput::Answered { answer, .. }, Some((changeover, round, _))) => {
                            SwapInput::Answered {
                                changeover: changeover.clone(),
                                round: *round,
                                answer,
                            }
                        }
                        (other, _) => other,
                    };
                    scene.feed(input);
                }
                // Whatever it was, it comes to an end, and to one only.
                scene.feed(SwapInput::Held { held: false });
                for _ in 0..12 {
                    scene.run();
                    scene.pass(30_000);
                }
                assert_eq!(scene.phase(), Phase::Idle, "{phase} and {input:?}");
                assert!(
                    scene.endings.len() <= 1,
                    "{phase} and {input:?}: {:?}",
                    scene.endings
                );
                check_ending(&scene);
                // And the next one can come, unless the page is lost.
                let is_lost = matches!(scene.endings.first(), Some(Ending::Broken(_)));
                let is_there = scene.swap.composition().build == BuildId("b".into());
                let begins = scene.swap.begin("next".into(), moves(), scene.now);
                assert_eq!(begins, !is_lost && !is_there, "{phase} and {input:?}");
            }
        }
    }
    for phase in Phase::ALL {
        assert!(met.contains(phase), "{phase:?} is not met");
    }
}

/// What was shown was committed or went back, and what was not shown was discarded.
fn check_ending(scene: &Scene) {
    let kinds = scene.kinds();
    let asked = |kind: &str| kinds.iter().filter(|asked| **asked == kind).count();
    let is_there = scene.swap.composition().build == BuildId("b".into());
    match scene.endings.first() {
        Some(Ending::Committed | Ending::Kept(_)) => {
            assert!(
                is_there && asked("commit") == 1 && asked("rollBack") == 0,
                "{kinds:?}"
            );
        }
        Some(Ending::Aborted(_)) => {
            assert!(
                !is_there && asked("commit") == 0 && asked("rollBack") == 0,
                "{kinds:?}"
            );
            // Each round that took copies dropped them.
            assert_eq!(scene.discards, asked("snapshot"), "{kinds:?}");
        }
        Some(Ending::RolledBack(_) | Ending::Broken(_)) => {
            assert!(
                !is_there && asked("rollBack") == 1 && asked("commit") == 0,
                "{kinds:?}"
            );
        }
        // Disposed while it went back, or never begun.
        None => assert!(!is_there),
    }
}

fn reach(phase: &str) -> Scene {
    let mut scene = Scene::begin(moves());
    match phase {
        "held" => {
            scene.feed(SwapInput::Held { held: true });
            scene.run();
        }
        "idle" => {
            scene.feed(SwapInput::Wanted { build: None });
            scene.endings.clear();
        }
        "second round" => {
            scene.run_to("mount");
            scene.answer(Answer::Disturbed);
            scene.run_to("mount");
        }
        "rollBack" => {
            scene.run_to("watch");
            scene.answer(Answer::Empty {
                slot: "cart".into(),
            });
        }
        other => scene.run_to(other),
    }
    scene
}

fn inputs() -> Vec<SwapInput> {
    let mut inputs = vec![
        SwapInput::Wanted { build: None },
        SwapInput::Wanted {
            build: Some(BuildId("b".into())),
        },
        SwapInput::Wanted {
            build: Some(BuildId("c".into())),
        },
        SwapInput::Held { held: true },
        SwapInput::Held { held: false },
        SwapInput::PageChanged,
        SwapInput::Woke,
        SwapInput::Disposed,
    ];
    let answers = answers();
    let mut met = [false; KINDS];
    answers
        .iter()
        .for_each(|answer| met[number_of(answer)] = true);
    assert_eq!(met, [true; KINDS], "an answer is missing from the list");
    inputs.extend(answers.into_iter().map(|answer| SwapInput::Answered {
        changeover: "another".into(),
        round: 0,
        answer,
    }));
    inputs
}

fn answers() -> Vec<Answer> {
    let (slot, message) = (|| "cart".to_owned(), || "boom".to_owned());
    vec![
        Answer::Fetched,
        Answer::FetchFailed {
            file: "x".into(),
            failure: FetchFailure::Integrity,
        },
        Answer::FetchFailed {
            file: "x".into(),
            failure: FetchFailure::Network,
        },
        Answer::Imported,
        Answer::ImportFailed {
            slot: slot(),
            message: message(),
        },
        Answer::Quiet,
        Answer::Vetoed { slot: slot() },
        Answer::Snapshotted,
        Answer::SnapshotFailed {
            slot: slot(),
            message: message(),
        },
        Answer::Migrated,
        Answer::MigrationFailed {
            slot: slot(),
            message: message(),
        },
        Answer::NoMigrationPath {
            slot: slot(),
            message: message(),
        },
        Answer::Mounted,
        Answer::MountFailed {
            slot: slot(),
            message: message(),
        },
        Answer::Disturbed,
        Answer::Switched,
        Answer::SwitchFailed { message: message() },
        Answer::Threw {
            slot: None,
            message: message(),
        },
        Answer::Empty {
            slot: "unknown".into(),
        },
        Answer::Unhealthy { message: message() },
        Answer::WroteDurable,
        Answer::Committed,
        Answer::RolledBack,
        Answer::RollBackFailed { message: message() },
        Answer::PlaceUnknown {
            slot: "cart".into(),
        },
        Answer::NotShown {
            slot: "cart".into(),
        },
    ]
}

const KINDS: usize = 25;

/// A number for each kind of answer. A new kind does not compile until it is named here.
fn number_of(answer: &Answer) -> usize {
    match answer {
        Answer::Fetched => 0,
        Answer::FetchFailed { .. } => 1,
        Answer::Imported => 2,
        Answer::ImportFailed { .. } => 3,
        Answer::Quiet => 4,
        Answer::Vetoed { .. } => 5,
        Answer::Snapshotted => 6,
        Answer::SnapshotFailed { .. } => 7,
        Answer::Migrated => 8,
        Answer::MigrationFailed { .. } => 9,
        Answer::NoMigrationPath { .. } => 10,
        Answer::Mounted => 11,
        Answer::MountFailed { .. } => 12,
        Answer::Disturbed => 13,
        Answer::Switched => 14,
        Answer::SwitchFailed { .. } => 15,
        Answer::Threw { .. } => 16,
        Answer::Empty { .. } => 17,
        Answer::Unhealthy { .. } => 18,
        Answer::WroteDurable => 19,
        Answer::Committed => 20,
        Answer::RolledBack => 21,
        Answer::RollBackFailed { .. } => 22,
        Answer::PlaceUnknown { .. } => 23,
        Answer::NotShown { .. } => 24,
    }
}
