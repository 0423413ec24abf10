//! Swaps that go well and swaps that go wrong, step by step on a virtual clock.

use changeover::engine::{
    io::{BuildId, FetchFailure, Timestamp},
    manifest::Manifest,
    swap::{
        Answer, Composition, Ending, Failure, Moves, Patience, Phase, Plan, Step, SwapInput,
        SwapReason, Why, plan,
    },
};

use crate::{
    app::{shop, showing},
    stepping::{Scene, agreeable, kind_of},
};

#[test]
fn a_swap_goes_through_all_steps_in_order_and_the_old_code_goes_last() {
    let mut scene = Scene::begin(moves());
    scene.run();
    assert_eq!(scene.phase(), Phase::Probation);
    scene.pass(9_999);
    assert_eq!(scene.phase(), Phase::Probation);
    scene.pass(1);
    scene.run();
    assert_eq!(
        scene.kinds(),
        [
            "fetch",
            "import",
            "awaitQuiet",
            "snapshot",
            "migrate",
            "mount",
            "switch",
            "watch",
            "commit",
        ]
    );
    assert_eq!(scene.endings, [Ending::Committed]);
    assert_eq!(scene.swap.composition().build, id("b"));
    assert_eq!(scene.swap.composition().generations, 1);
    assert_eq!(scene.phase(), Phase::Idle);
}

#[test]
fn each_step_is_told_what_it_needs() {
    let (moves, edited) = (moves(), edited());
    let mut scene = Scene::begin(moves.clone());
    scene.run();
    let file = |module: &str| edited.slots[module].file.clone();
    for (_, _, step) in &scene.asked {
        match step {
            Step::Fetch { files } => assert_eq!(*files, moves.fetch),
            Step::Import { modules } => {
                let slots: Vec<_> = modules
                    .iter()
                    .map(|module| (module.slot.as_str(), module.file.clone()))
                    .collect();
                assert_eq!(slots, [("cart", file("cart")), ("home", file("home"))]);
            }
            Step::Migrate { states } => {
                let states: Vec<_> = states
                    .iter()
                    .map(|state| (state.slot.as_str(), state.from, state.to))
                    .collect();
                assert_eq!(states, [("cart", 1, 2)], "the schema of home is the same");
            }
            Step::Mount { slots, styles } => {
                assert_eq!(*slots, ["cart", "home"]);
                assert_eq!(*styles, ["assets/cart-2.css"]);
            }
            Step::Switch {
                slots,
                pointers,
                styles,
                styles_out,
            } => {
                assert_eq!(*slots, ["cart", "home"]);
                let moved: Vec<_> = pointers
                    .iter()
                    .map(|pointer| pointer.slot.as_str())
                    .collect();
                assert_eq!(moved, ["cart", "home", "about"]);
                assert_eq!(
                    (styles.len(), styles_out.as_slice()),
                    (1, ["assets/cart-1.css".into()].as_slice())
                );
            }
            Step::Watch { files, .. } => {
                assert!(files.contains(&file("cart")) && files.contains(&file("home")));
            }
            Step::Commit { styles, .. } => assert_eq!(*styles, ["assets/cart-1.css"]),
            Step::AwaitQuiet { slots } | Step::Snapshot { slots } | Step::RollBack { slots } => {
                assert_eq!(*slots, ["cart", "home"]);
            }
        }
    }
}

#[test]
fn pointers_alone_are_set_at_once_and_so_are_styles() {
    let (base, target) = (
        shop().build("a"),
        shop().with(|app| app.module("cart").text = 2).build("b"),
    );
    let running = Composition::new(base.id.clone());
    let moves = plan(&running, &base, &target, &showing(&["home"]))
        .moves()
        .unwrap()
        .clone();
    let mut scene = Scene::begin(moves);
    scene.run();
    assert_eq!(scene.kinds(), ["switch", "commit"]);
    assert_eq!(scene.endings, [Ending::Committed]);
    assert_eq!(scene.swap.composition().generations, 0);

    let styled = |text| shop().with(|app| app.module("cart").css = Some(text));
    let (base, target) = (styled(1).build("a"), styled(2).build("b"));
    let moves = plan(&running, &base, &target, &showing(&["cart"]))
        .moves()
        .unwrap()
        .clone();
    let mut scene = Scene::begin(moves);
    scene.run();
    assert_eq!(scene.kinds(), ["fetch", "switch", "commit"]);
    assert_eq!(scene.endings, [Ending::Committed]);
}

/// What goes wrong at a step, what it is called, and whether the build is tried again.
fn troubles() -> Vec<(&'static str, Answer, SwapReason, bool)> {
    let (slot, message) = ("cart".to_owned(), "boom".to_owned());
    let both = || (slot.clone(), message.clone());
    let fetch = |failure| Answer::FetchFailed {
        file: "assets/x.js".into(),
        failure,
    };
    let slotted = |make: fn((String, String)) -> Answer| make(both());
    vec![
        (
            "fetch",
            fetch(FetchFailure::Integrity),
            SwapReason::FetchFailed,
            false,
        ),
        (
            "fetch",
            fetch(FetchFailure::Status { status: 404 }),
            SwapReason::FetchFailed,
            false,
        ),
        (
            "fetch",
            fetch(FetchFailure::TooLarge { limit: 9 }),
            SwapReason::FetchFailed,
            false,
        ),
        (
            "fetch",
            fetch(FetchFailure::Network),
            SwapReason::FetchFailed,
            true,
        ),
        (
            "fetch",
            fetch(FetchFailure::Timeout),
            SwapReason::FetchFailed,
            true,
        ),
        (
            "fetch",
            fetch(FetchFailure::Status { status: 503 }),
            SwapReason::FetchFailed,
            true,
        ),
        (
            "fetch",
            fetch(FetchFailure::Status { status: 429 }),
            SwapReason::FetchFailed,
            true,
        ),
        (
            "import",
            slotted(|(slot, message)| Answer::ImportFailed { slot, message }),
            SwapReason::ImportFailed,
            false,
        ),
        (
            "awaitQuiet",
            Answer::Vetoed { slot: slot.clone() },
            SwapReason::Vetoed,
            true,
        ),
        (
            "snapshot",
            slotted(|(slot, message)| Answer::SnapshotFailed { slot, message }),
            SwapReason::SnapshotFailed,
            false,
        ),
        (
            "migrate",
            slotted(|(slot, message)| Answer::MigrationFailed { slot, message }),
            SwapReason::MigrationFailed,
            false,
        ),
        (
            "migrate",
            slotted(|(slot, message)| Answer::NoMigrationPath { slot, message }),
            SwapReason::NoMigrationPath,
            false,
        ),
        (
            "mount",
            slotted(|(slot, message)| Answer::MountFailed { slot, message }),
            SwapReason::MountFailed,
            false,
        ),
        (
            "mount",
            Answer::Threw {
                slot: Some(slot.clone()),
                message: message.clone(),
            },
            SwapReason::Threw,
            false,
        ),
        (
            "mount",
            Answer::Empty { slot: slot.clone() },
            SwapReason::Empty,
            false,
        ),
    ]
}

#[test]
fn before_the_switch_whatever_fails_leaves_the_page_as_it_is() {
    for (at, answer, reason, again) in troubles() {
        let mut scene = Scene::begin(moves());
        scene.run_to(at);
        scene.answer(answer.clone());
        let [Ending::Aborted(failure)] = scene.endings.as_slice() else {
            panic!("{answer:?}: {:?}", scene.endings);
        };
        assert_eq!(failure.reason, reason, "{answer:?}");
        assert_eq!(failure.fetch.is_some(), at == "fetch");
        let copies = ["snapshot", "migrate", "mount"].contains(&at);
        assert_eq!(scene.discards, usize::from(copies), "{answer:?}");
        let running = scene.swap.composition();
        assert_eq!(running.build, id("a"));
        assert_eq!(running.is_bad(&id("b")), !again, "{answer:?}");
        assert!(!scene.kinds().contains(&"switch"));
        scene.rests();
    }
}

#[test]
fn after_the_switch_everything_goes_back_together() {
    let (slot, message) = ("home".to_owned(), "boom".to_owned());
    for (at, answer, reason) in [
        (
            "switch",
            Answer::SwitchFailed {
                message: message.clone(),
            },
            SwapReason::SwitchFailed,
        ),
        (
            "switch",
            Answer::Threw {
                slot: None,
                message: message.clone(),
            },
            SwapReason::Threw,
        ),
        (
            "watch",
            Answer::Threw {
                slot: Some(slot.clone()),
                message: message.clone(),
            },
            SwapReason::Threw,
        ),
        (
            "watch",
            Answer::Empty { slot: slot.clone() },
            SwapReason::Empty,
        ),
        (
            "watch",
            Answer::Unhealthy {
                message: message.clone(),
            },
            SwapReason::Unhealthy,
        ),
    ] {
        let mut scene = Scene::begin(moves());
        scene.run_to(at);
        scene.pass(3_000);
        scene.answer(answer.clone());
        assert_eq!(scene.phase(), Phase::RollingBack, "{answer:?}");
        assert_eq!(scene.endings, []);
        scene.run();
        let [Ending::RolledBack(failure)] = scene.endings.as_slice() else {
            panic!("{answer:?}: {:?}", scene.endings);
        };
        assert_eq!(failure.reason, reason);
        assert_eq!(scene.kinds().last(), Some(&"rollBack"));
        let running = scene.swap.composition();
        assert_eq!((&running.build, running.is_bad(&id("b"))), (&id("a"), true));
        assert_eq!(
            running.generations, 1,
            "its modules are in the page for ever"
        );
        scene.rests();
    }
}

#[test]
fn a_build_that_was_rolled_back_is_not_planned_again_and_neither_is_its_file() {
    let mut scene = Scene::begin(moves());
    scene.run_to("watch");
    scene.answer(Answer::Empty {
        slot: "cart".into(),
    });
    scene.run();
    let running = scene.swap.composition();
    let why = |target: &Manifest| match plan(running, &base(), target, &showing(&["cart", "home"]))
    {
        Plan::Refuse(refusals) => Some(refusals[0].why),
        Plan::Nothing(_) | Plan::Styles(_) | Plan::Swap(_) => None,
    };
    assert_eq!(why(&edited()), Some(Why::BadBuild));
    let mut next = edited();
    next.id = id("c");
    assert_eq!(why(&next), Some(Why::BadBuild));
    assert_eq!(
        why(&shop().with(|app| app.module("home").text = 3).build("d")),
        None
    );
}

#[test]
fn a_step_that_is_not_answered_in_time_counts_as_failed() {
    let patience = Patience::default();
    for (at, span, reason) in [
        ("fetch", patience.fetch, SwapReason::FetchFailed),
        ("import", patience.import, SwapReason::ImportTimedOut),
        ("awaitQuiet", patience.quiet, SwapReason::NeverQuiet),
        ("snapshot", patience.snapshot, SwapReason::SnapshotTimedOut),
        ("migrate", patience.migrate, SwapReason::MigrationTimedOut),
        ("mount", patience.mount, SwapReason::NotReady),
        ("switch", patience.switch, SwapReason::SwitchTimedOut),
    ] {
        let mut scene = Scene::begin(moves());
        scene.run_to(at);
        let due = Timestamp(scene.now.0 + span);
        assert_eq!(scene.wake, Some(due), "{at}");
        scene.pass(span - 1);
        assert_eq!(scene.endings, [], "{at}");
        // An answer that comes with the timer is late, however late the timer was.
        scene.now = Timestamp(scene.now.0 + 1);
        scene.answer_agreeably();
        scene.run();
        let (Ending::Aborted(failure) | Ending::RolledBack(failure)) = &scene.endings[0] else {
            panic!("{at}: {:?}", scene.endings);
        };
        assert_eq!(failure.reason, reason, "{at}");
        assert_eq!(scene.swap.composition().build, id("a"));
        scene.rests();
    }
}

#[test]
fn old_code_that_cannot_be_dropped_stops_nobody() {
    let mut scene = Scene::begin(moves());
    scene.run_to("commit");
    scene.pass(5_000);
    assert_eq!(scene.endings, [Ending::Committed]);
}

#[test]
fn when_going_back_fails_only_a_refresh_helps() {
    for answer in [
        None,
        Some(Answer::RollBackFailed {
            message: "no".into(),
        }),
    ] {
        let mut scene = Scene::begin(moves());
        scene.run_to("watch");
        scene.answer(Answer::Empty {
            slot: "cart".into(),
        });
        match answer {
            Some(answer) => scene.answer(answer),
            None => scene.pass(5_000),
        }
        assert!(matches!(scene.endings[0], Ending::Broken(_)));
        let running = scene.swap.composition();
        let target = shop().with(|app| app.module("home").text = 3).build("d");
        let Plan::Refuse(refusals) = plan(running, &base(), &target, &showing(&["home"])) else {
            panic!("nobody knows what the page shows");
        };
        assert_eq!(refusals[0].why, Why::RollBackFailed);
        assert!(!scene.swap.begin("next".into(), moves(), scene.now));
    }
}

#[test]
fn data_that_the_old_code_cannot_read_closes_the_way_back() {
    for early in [true, false] {
        let mut scene = Scene::begin(moves());
        scene.run_to(if early { "switch" } else { "watch" });
        scene.answer(Answer::WroteDurable);
        if early {
            scene.run_to("watch");
        }
        scene.answer(Answer::Threw {
            slot: Some("cart".into()),
            message: "boom".into(),
        });
        scene.run();
        let [Ending::Kept(failure)] = scene.endings.as_slice() else {
            panic!("{:?}", scene.endings);
        };
        assert_eq!(failure.reason, SwapReason::Threw);
        assert!(!scene.kinds().contains(&"rollBack"));
        let running = scene.swap.composition();
        assert_eq!((&running.build, running.is_bad(&id("b"))), (&id("b"), true));
    }
}

#[test]
fn an_answer_to_another_question_is_ignored() {
    let mut scene = Scene::begin(moves());
    scene.run_to("import");
    let before = scene.phase();
    // Somebody else's, of an earlier round, and to a step that is over or not begun.
    for (changeover, round) in [("other", 0), ("first", 9)] {
        scene.answer_as(changeover, round, Answer::Imported);
    }
    for answer in [
        Answer::Fetched,
        Answer::Switched,
        Answer::Committed,
        Answer::RolledBack,
        Answer::Mounted,
    ] {
        scene.answer(answer);
    }
    assert_eq!((scene.phase(), scene.asked.len()), (before, 2));
    scene.run_to("watch");
    for answer in [Answer::Switched, Answer::Mounted, Answer::Disturbed] {
        scene.answer(answer);
    }
    assert_eq!(scene.phase(), Phase::Probation);
    scene.pass(10_000);
    scene.run();
    // Trouble of a generation that is committed is the app's own.
    scene.answer(Answer::Threw {
        slot: None,
        message: "late".into(),
    });
    assert_eq!(scene.endings, [Ending::Committed]);
}

#[test]
fn somebody_who_uses_the_page_meanwhile_is_waited_for_again() {
    for at in ["snapshot", "migrate", "mount", "switch"] {
        let mut scene = Scene::begin(moves());
        scene.run_to(at);
        let (_, round, _) = scene.asked.last().unwrap().clone();
        scene.answer(Answer::Disturbed);
        assert_eq!((scene.phase(), scene.discards), (Phase::Quiet, 1), "{at}");
        scene.run_to("mount");
        // The first mount is ready at last; it was discarded.
        scene.answer_as("first", round, Answer::Mounted);
        assert_eq!(scene.phase(), Phase::Mounting);
        scene.run();
        scene.pass(10_000);
        scene.run();
        assert_eq!(scene.endings, [Ending::Committed], "{at}");
        let fetches = scene
            .kinds()
            .iter()
            .filter(|kind| **kind == "fetch")
            .count();
        assert_eq!(fetches, 1, "what was fetched and imported stays");
    }
}

#[test]
fn the_page_is_waited_for_no_longer_than_that_however_often_it_is_disturbed() {
    let mut scene = Scene::begin(moves());
    let mut rounds = 0;
    while scene.endings.is_empty() {
        scene.run_to("switch");
        if scene.phase() == Phase::Switching {
            scene.answer(Answer::Disturbed);
        }
        scene.pass(7_000);
        rounds += 1;
        assert!(rounds < 100);
    }
    let [Ending::Aborted(failure)] = scene.endings.as_slice() else {
        panic!("{:?}", scene.endings);
    };
    assert_eq!(failure.reason, SwapReason::NeverQuiet);
    assert!(
        !scene.swap.composition().is_bad(&id("b")),
        "it is not the build's fault"
    );
}

#[test]
fn a_hold_of_the_app_is_waited_for_before_anybody_is_asked() {
    let mut scene = Scene::begin(moves());
    scene.feed(SwapInput::Held { held: true });
    scene.run();
    assert_eq!(
        (scene.phase(), scene.kinds()),
        (Phase::Held, vec!["fetch", "import"])
    );
    scene.feed(SwapInput::Held { held: false });
    assert_eq!(scene.phase(), Phase::Quiet);
    scene.feed(SwapInput::Held { held: true });
    let (_, round, _) = scene.asked.last().unwrap().clone();
    scene.answer_as("first", round, Answer::Quiet);
    assert_eq!(
        scene.phase(),
        Phase::Held,
        "the answer is older than the hold"
    );
    scene.feed(SwapInput::Held { held: false });
    scene.run();
    assert_eq!(scene.phase(), Phase::Probation);
    let mut scene = Scene::begin(moves());
    scene.feed(SwapInput::Held { held: true });
    scene.run();
    scene.pass(Patience::default().quiet);
    assert!(matches!(
        &scene.endings[0],
        Ending::Aborted(Failure {
            reason: SwapReason::NeverQuiet,
            ..
        })
    ));
}

#[test]
fn a_newer_release_cancels_until_the_switch_and_waits_after_it() {
    for at in [
        "fetch",
        "import",
        "awaitQuiet",
        "snapshot",
        "migrate",
        "mount",
        "switch",
        "watch",
        "commit",
    ] {
        for wanted in [None, Some(id("c"))] {
            let mut scene = Scene::begin(moves());
            scene.run_to(at);
            scene.feed(SwapInput::Wanted {
                build: Some(id("b")),
            });
            assert_eq!(scene.endings, [], "{at}: it is the same build");
            scene.feed(SwapInput::Wanted { build: wanted });
            let is_late = ["switch", "watch", "commit"].contains(&at);
            assert_eq!(scene.swap.is_past_switch(), is_late, "{at}");
            // No third generation comes in meanwhile.
            let begins = scene.swap.begin("second".into(), moves(), scene.now);
            assert_eq!(begins, !is_late, "{at}");
            if is_late {
                scene.run();
                scene.pass(10_000);
                scene.run();
                assert_eq!(scene.endings, [Ending::Committed], "{at}");
            } else {
                let [Ending::Aborted(failure)] = scene.endings.as_slice() else {
                    panic!("{at}: {:?}", scene.endings);
                };
                assert_eq!(failure.reason, SwapReason::Superseded);
                assert!(!scene.swap.composition().is_bad(&id("b")));
            }
        }
    }
}

#[test]
fn a_newer_release_during_probation_still_sees_a_rollback() {
    let mut scene = Scene::begin(moves());
    scene.run_to("watch");
    scene.feed(SwapInput::Wanted {
        build: Some(id("c")),
    });
    scene.answer(Answer::Unhealthy {
        message: "no".into(),
    });
    scene.run();
    assert!(matches!(scene.endings[0], Ending::RolledBack(_)));
    assert_eq!(
        scene.swap.composition().build,
        id("a"),
        "the next plan starts from there"
    );
}

#[test]
fn a_page_that_changes_before_the_switch_needs_another_plan() {
    let mut scene = Scene::begin(moves());
    scene.run_to("mount");
    scene.feed(SwapInput::PageChanged);
    let [Ending::Aborted(failure)] = scene.endings.as_slice() else {
        panic!("{:?}", scene.endings);
    };
    assert_eq!(
        (failure.reason, scene.discards),
        (SwapReason::PageChanged, 1)
    );
    let mut scene = Scene::begin(moves());
    scene.run_to("watch");
    scene.feed(SwapInput::PageChanged);
    assert_eq!(scene.endings, []);
}

#[test]
fn an_error_in_the_last_moment_of_probation_counts() {
    let mut scene = Scene::begin(moves());
    scene.run_to("watch");
    scene.now = Timestamp(scene.now.0 + 60_000);
    scene.answer(Answer::Threw {
        slot: None,
        message: "boom".into(),
    });
    assert_eq!(scene.phase(), Phase::RollingBack);
}

#[test]
fn a_network_that_fails_three_times_is_enough() {
    let mut scene = Scene::begin(moves());
    for nth in 1..=3 {
        scene.run_to("fetch");
        scene.answer(Answer::FetchFailed {
            file: "x".into(),
            failure: FetchFailure::Network,
        });
        assert_eq!(scene.endings.len(), nth);
        let running = scene.swap.composition();
        assert_eq!(running.is_bad(&id("b")), nth == 3);
        assert_eq!((running.generations, running.dead_bytes), (0, 0));
        scene.begin_again(&format!("again {nth}"), moves());
    }
}

#[test]
fn a_plan_that_is_older_than_the_page_does_not_begin() {
    let mut scene = Scene::begin(moves());
    scene.run();
    scene.pass(10_000);
    scene.run();
    assert!(
        !scene.swap.begin("second".into(), moves(), scene.now),
        "the page is on b already"
    );
}

#[test]
fn a_guard_that_goes_leaves_no_hidden_code_behind() {
    for at in [
        "fetch",
        "import",
        "awaitQuiet",
        "snapshot",
        "migrate",
        "mount",
        "switch",
        "watch",
        "commit",
    ] {
        let mut scene = Scene::begin(moves());
        scene.run_to(at);
        scene.feed(SwapInput::Disposed);
        assert_eq!(scene.phase(), Phase::Idle);
        let is_late = ["switch", "watch"].contains(&at);
        assert_eq!(
            scene.kinds().last() == Some(&"commit"),
            is_late || at == "commit",
            "{at}"
        );
        let copies = ["snapshot", "migrate", "mount"].contains(&at);
        assert_eq!(scene.discards, usize::from(copies), "{at}");
        scene.rests();
    }
}

#[test]
fn phases_and_reasons_have_codes_of_their_own() {
    let mut codes: Vec<&str> = Phase::ALL.iter().map(|phase| phase.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), Phase::ALL.len());
    let mut codes: Vec<&str> = SwapReason::ALL.iter().map(|reason| reason.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), SwapReason::ALL.len());
}

#[test]
fn every_step_has_an_agreeable_answer_but_the_one_that_is_silence() {
    let mut scene = Scene::begin(moves());
    scene.run();
    scene.pass(10_000);
    for (_, _, step) in &scene.asked {
        assert_eq!(agreeable(step, false).is_none(), kind_of(step) == "watch");
    }
}

fn id(text: &str) -> BuildId {
    BuildId(text.into())
}

fn base() -> Manifest {
    shop()
        .with(|app| app.module("cart").css = Some(1))
        .build("a")
}

fn edited() -> Manifest {
    let edited = shop().with(|app| {
        app.module("widgets").text = 2;
        app.module("about").text = 2;
        app.module("cart").css = Some(2);
        app.slots.get_mut("cart").unwrap().schema = 2;
    });
    edited.build("b")
}

/// A swap of two slots, one with another schema and styles, and a third slot's pointer.
pub fn moves() -> Moves {
    let base = base();
    let running = Composition::new(base.id.clone());
    match plan(&running, &base, &edited(), &showing(&["cart", "home"])) {
        Plan::Swap(moves) => moves,
        other => panic!("{other:?}"),
    }
}
