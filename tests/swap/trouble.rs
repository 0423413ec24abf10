//! What goes wrong at each step, and what becomes of the page.

use changeover::{
    engine::{
        io::FetchFailure,
        manifest::Manifest,
        swap::{Answer, Ending, Phase, Plan, SwapInput, SwapReason, Timeouts, Why},
    },
    time::Timestamp,
};

use crate::{
    app::{plan, shop, showing},
    stepping::{Scene, base, edited, id, moves},
};

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
            true,
        ),
        (
            "fetch",
            fetch(FetchFailure::Status { status: 404 }),
            SwapReason::FetchFailed,
            true,
        ),
        (
            "fetch",
            fetch(FetchFailure::TooLarge { limit: 9 }),
            SwapReason::FetchFailed,
            true,
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
            "awaitQuiet",
            Answer::PlaceUnknown { slot: slot.clone() },
            SwapReason::PlaceUnknown,
            true,
        ),
        (
            "mount",
            Answer::NotShown { slot: slot.clone() },
            SwapReason::NotShown,
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
            true,
        ),
        (
            "import",
            fetch(FetchFailure::Network),
            SwapReason::FetchFailed,
            true,
        ),
        (
            "mount",
            fetch(FetchFailure::Network),
            SwapReason::FetchFailed,
            true,
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
        assert_eq!(failure.fetch.is_some(), reason == SwapReason::FetchFailed);
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
        let is_bad = running.is_bad(&id("b"));
        assert_eq!(running.build, id("a"));
        assert_eq!(is_bad, reason != SwapReason::Empty, "what threw is bad");
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
    scene.answer(Answer::Threw {
        slot: Some("cart".into()),
        message: "boom".into(),
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
fn a_step_that_is_not_answered_in_time_ends_the_attempt_and_says_nothing_of_the_build() {
    let timeouts = Timeouts::default();
    for (at, span, reason) in [
        ("fetch", timeouts.fetch, SwapReason::FetchFailed),
        ("import", timeouts.import, SwapReason::ImportTimedOut),
        ("awaitQuiet", timeouts.quiet, SwapReason::NeverQuiet),
        ("snapshot", timeouts.snapshot, SwapReason::SnapshotTimedOut),
        ("migrate", timeouts.migrate, SwapReason::MigrationTimedOut),
        ("mount", timeouts.mount, SwapReason::NotReady),
        ("switch", timeouts.switch, SwapReason::SwitchTimedOut),
    ] {
        let mut scene = Scene::begin(moves());
        scene.run_to(at);
        let due = Timestamp(scene.now.0 + span);
        assert_eq!(scene.wake, Some(due), "{at}");
        scene.pass(span - 1);
        assert_eq!(scene.endings, [], "{at}");
        scene.pass(1);
        scene.run();
        let (Ending::Aborted(failure) | Ending::RolledBack(failure)) = &scene.endings[0] else {
            panic!("{at}: {:?}", scene.endings);
        };
        assert_eq!(failure.reason, reason, "{at}");
        let running = scene.swap.composition();
        assert_eq!(
            (&running.build, running.is_bad(&id("b"))),
            (&id("a"), false)
        );
        scene.rests();
    }
}

#[test]
fn an_answer_counts_however_late_it_is() {
    for at in ["import", "snapshot", "migrate", "mount", "switch"] {
        let mut scene = Scene::begin(moves());
        scene.run_to(at);
        scene.now = Timestamp(scene.now.0 + 3_600_000);
        scene.run();
        assert_eq!((scene.endings.len(), scene.phase()), (0, Phase::Probation));
    }
}

#[test]
fn a_timer_that_comes_late_itself_gives_the_step_its_time_anew_three_times() {
    let mount = Timeouts::default().mount;
    let mut scene = Scene::begin(moves());
    scene.run_to("mount");
    for _ in 0..3 {
        scene.pass(mount + 1_000);
        assert_eq!(
            scene.phase(),
            Phase::Mounting,
            "the page was busy or asleep"
        );
    }
    scene.pass(mount + 1_000);
    assert_eq!(scene.phase(), Phase::Idle);
}

#[test]
fn a_hidden_page_is_not_timed() {
    for at in ["fetch", "import", "snapshot", "migrate", "mount", "switch"] {
        let mut scene = Scene::begin(moves());
        scene.run_to(at);
        scene.pass(1_000);
        let due = scene.wake.unwrap();
        scene.feed(SwapInput::Visible { visible: false });
        assert_eq!(scene.wake, None, "{at}");
        scene.pass(3_600_000);
        assert_eq!(scene.endings, [], "{at}");
        scene.feed(SwapInput::Visible { visible: true });
        assert_eq!(scene.wake, Some(Timestamp(due.0 + 3_600_000)), "{at}");
    }
    let mut scene = Scene::begin(moves());
    scene.feed(SwapInput::Visible { visible: false });
    scene.run();
    scene.pass(10_000);
    scene.run();
    assert_eq!(
        scene.endings,
        [Ending::Committed],
        "the trial is over all the same"
    );
}

#[test]
fn a_page_that_was_too_slow_gets_twice_the_time_at_the_next_attempt() {
    let mount = Timeouts::default().mount;
    let mut scene = Scene::begin(moves());
    for nth in 0..4 {
        scene.run_to("mount");
        let span = scene.wake.unwrap().0 - scene.now.0;
        assert_eq!(span, mount << nth.min(2));
        scene.pass(span);
        assert_eq!(scene.endings.len(), 1);
        let running = scene.swap.composition();
        assert_eq!(running.tries(&id("b")), nth as u32 + 1);
        assert_eq!(running.generations, 1, "its modules were evaluated once");
        scene.endings.clear();
        scene.begin_again(&format!("again {nth}"), moves());
    }
}

#[test]
fn old_code_that_cannot_be_dropped_does_not_stop_the_commit() {
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
            panic!("the page may show anything");
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
fn files_that_cannot_be_had_make_no_build_bad_however_often() {
    let mut scene = Scene::begin(moves());
    for nth in 1..=9 {
        scene.run_to("fetch");
        scene.answer(Answer::FetchFailed {
            file: "x".into(),
            failure: FetchFailure::Integrity,
        });
        assert_eq!(scene.endings.len(), nth);
        let running = scene.swap.composition();
        assert!(!running.is_bad(&id("b")));
        assert_eq!((running.generations, running.dead_bytes), (0, 0));
        scene.begin_again(&format!("again {nth}"), moves());
    }
}
