//! Swaps that go well and swaps that go wrong, step by step on a virtual clock.

use changeover::{
    engine::swap::{
        Answer, Composition, Ending, Failure, Phase, Pointer, Step, SwapInput, SwapReason, Timeouts,
    },
    listed::Listed as _,
};

use crate::{
    app::{plan, shop, showing},
    stepping::{ORDER, Scene, agreeable, edited, id, kind_of, moves},
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
    assert_eq!(scene.kinds(), ORDER);
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
    let file = |module: &str| edited.slots.get(module).unwrap().file.clone();
    let to = |pointers: &[Pointer]| -> Vec<String> {
        let slots = pointers.iter().map(|pointer| pointer.slot.clone());
        slots.collect()
    };
    for (_, _, step) in &scene.asked {
        match step {
            Step::Fetch { files } => assert_eq!(*files, moves.fetch),
            Step::Import { modules, pointers } => {
                let slots: Vec<_> = modules
                    .iter()
                    .map(|module| (module.slot.as_str(), module.file.clone()))
                    .collect();
                assert_eq!(slots, [("cart", file("cart")), ("home", file("home"))]);
                assert_eq!(to(pointers), ["cart", "home", "about"]);
            }
            Step::Migrate { states } => {
                let states: Vec<_> = states
                    .iter()
                    .map(|state| (state.slot.as_str(), state.from, state.to))
                    .collect();
                assert_eq!(states, [("cart", 1, 2)], "the schema of home is the same");
            }
            Step::Mount {
                slots,
                pointers,
                styles,
            } => {
                assert_eq!(to(pointers), ["cart", "home", "about"]);
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
                assert_eq!(to(pointers), ["cart", "home", "about"]);
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
fn pointers_alone_are_set_at_once_and_styles_once_they_are_there() {
    let (base, target) = (
        shop().build("a"),
        shop().with(|app| app.module("cart").text = 2).build("b"),
    );
    let running = Composition::new(base.id.clone());
    let moves = plan(&running, &base, &target, &showing(&["home"]))
        .swap_plan()
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
        .swap_plan()
        .unwrap()
        .clone();
    let mut scene = Scene::begin(moves.clone());
    scene.run();
    assert_eq!(scene.kinds(), ["fetch", "mount", "switch", "commit"]);
    let (_, _, mount) = &scene.asked[1];
    let styles = moves.styles_in.clone();
    assert_eq!(
        *mount,
        Step::Mount {
            slots: vec![],
            pointers: moves.moved.clone(),
            styles
        }
    );
    assert_eq!(scene.endings, [Ending::Committed]);

    let mut scene = Scene::begin(moves);
    scene.run_to("mount");
    scene.feed(SwapInput::Wanted { build: None });
    assert_eq!(scene.discards, 1, "what was brought in goes again");
}

#[test]
fn an_answer_to_another_question_is_ignored() {
    let mut scene = Scene::begin(moves());
    scene.run_to("import");
    let before = scene.phase();
    // Answers to another changeover, of an earlier round, and to a step that is over or not begun.
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
fn a_user_who_uses_the_page_meanwhile_is_waited_for_again() {
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
fn a_hold_of_the_app_is_waited_for_before_the_page_is_asked() {
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
    scene.pass(Timeouts::default().quiet);
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
    for at in ORDER {
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
    for at in ORDER {
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
