//! Runs of several stores, with steps that throw, hang, give nonsense or lose a field.

mod page;

use changeover::{
    engine::migration::{Loss, Outcome, Run, RunInput, RunOptions, RunOutput, StepRef},
    time::Timestamp,
};
use proptest::prelude::*;

use page::{Fault, Page, plans, registry};

fn failure(page: &mut Page, options: RunOptions) -> String {
    match page.drive(Run::new(plans(), options, Timestamp(page.now))) {
        RunOutput::Failed { error } => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn everything_is_snapshotted_then_migrated_then_validated_and_only_then_ready() {
    let mut page = Page::new();
    let end = page.drive(Run::new(
        plans(),
        RunOptions::default(),
        Timestamp(page.now),
    ));
    let RunOutput::Ready { stores } = end else {
        panic!("{end:?}")
    };
    assert_eq!(
        stores
            .iter()
            .map(|it| (it.store.as_str(), it.schema))
            .collect::<Vec<_>>(),
        [("cart", 3), ("draft", 3)]
    );
    assert_eq!(
        page.log,
        [
            "snapshot cart",
            "snapshot draft",
            "0/4",
            "cart 1 -> 2 (up)",
            "1/4",
            "cart 2 -> 3 (up)",
            "2/4",
            "validate cart 3",
            "draft 1 -> 2 (up)",
            "3/4",
            "draft 2 -> 3 (up)",
            "4/4",
            "validate draft 3",
        ]
    );
}

#[test]
fn a_rollback_runs_the_downs_backwards() {
    let plan = registry().plan("cart", 3, 1, Loss::Refuse).unwrap();
    let mut page = Page::new();
    page.drive(Run::new(
        vec![plan],
        RunOptions::default(),
        Timestamp(page.now),
    ));
    assert_eq!(
        page.log[2..],
        [
            "cart 3 -> 2 (down)",
            "1/2",
            "cart 2 -> 1 (down)",
            "2/2",
            "validate cart 1"
        ]
    );
}

#[test]
fn a_step_that_throws_is_named_with_store_and_path() {
    let mut page = Page::new();
    page.faults.insert(StepRef(22), Fault::Throws);
    assert_eq!(
        failure(&mut page, RunOptions::default()),
        "store \"draft\": the step 2 -> 3 (up) failed at items[0].x: x is undefined"
    );
    assert_eq!(page.live, Page::new().live);
}

#[test]
fn a_step_that_hangs_is_given_up_at_its_budget() {
    let mut page = Page::new();
    page.faults.insert(StepRef(11), Fault::Hangs);
    let options = RunOptions {
        budget: 250,
        ..RunOptions::default()
    };
    assert_eq!(
        failure(&mut page, options),
        "store \"cart\": the step 1 -> 2 (up) took longer than 250 ms"
    );
    assert!(page.now < 1_300, "only the budget was waited for");
}

#[test]
fn an_answer_after_the_budget_counts_as_none_even_if_the_timer_was_late() {
    let mut run = Run::new(plans(), RunOptions::default(), Timestamp(0));
    for store in ["cart", "draft"] {
        run.handle_input(
            RunInput::SnapshotTaken {
                store: store.into(),
            },
            Timestamp(1),
        );
    }
    run.handle_input(
        RunInput::StepDone {
            store: "cart".into(),
            index: 0,
        },
        Timestamp(86_400_000),
    );
    let mut outputs = Vec::new();
    while !matches!(outputs.last(), Some(RunOutput::Wake { .. })) {
        outputs.push(run.poll_output());
    }
    let [RunOutput::Failed { error }, RunOutput::Wake { at: None }] = &outputs[..] else {
        panic!("{outputs:?}")
    };
    assert_eq!(error.code(), "step_timed_out");
}

#[test]
fn an_invalid_result_is_named_with_its_path() {
    let mut page = Page::new();
    page.faults.insert(StepRef(12), Fault::Invalid);
    assert_eq!(
        failure(&mut page, RunOptions::default()),
        "store \"cart\": its value is not valid as schema 3 at a: is no number"
    );
}

#[test]
fn a_step_that_loses_a_field_is_found_by_going_back() {
    let mut page = Page::new();
    page.faults.insert(StepRef(12), Fault::Loses);
    let options = RunOptions {
        verify: true,
        ..RunOptions::default()
    };
    assert_eq!(
        failure(&mut page, options),
        "store \"cart\": the step 2 -> 3 (up) loses b: going back does not restore it, and the step is not marked lossy"
    );
}

#[test]
fn a_way_back_that_throws_is_named_as_the_way_back() {
    let mut run = Run::new(
        plans()[..1].to_vec(),
        RunOptions {
            verify: true,
            ..RunOptions::default()
        },
        Timestamp(0),
    );
    let store = || "cart".to_string();
    run.handle_input(RunInput::SnapshotTaken { store: store() }, Timestamp(1));
    run.handle_input(
        RunInput::StepDone {
            store: store(),
            index: 0,
        },
        Timestamp(2),
    );
    run.handle_input(
        RunInput::StepFailed {
            store: store(),
            index: 0,
            message: "oops".into(),
            path: None,
        },
        Timestamp(3),
    );
    let failed = core::iter::from_fn(|| Some(run.poll_output()))
        .find_map(|output| match output {
            RunOutput::Failed { error } => Some(error),
            _ => None,
        })
        .unwrap();
    assert_eq!(
        failed.to_string(),
        "store \"cart\": the step 2 -> 1 (down) failed: oops"
    );
}

#[test]
fn a_snapshot_that_fails_ends_it_before_any_step() {
    let mut page = Page::new();
    page.unreadable = Some("draft".into());
    assert_eq!(
        failure(&mut page, RunOptions::default()),
        "store \"draft\": its snapshot failed: no access"
    );
    assert_eq!(page.log, ["snapshot cart", "snapshot draft"]);
}

#[test]
fn a_dry_run_reports_every_store_and_touches_none() {
    let mut page = Page::new();
    page.faults.insert(StepRef(12), Fault::Hangs);
    let options = RunOptions {
        dry: true,
        budget: 100,
        ..RunOptions::default()
    };
    let end = page.drive(Run::new(plans(), options, Timestamp(page.now)));
    let RunOutput::Reported { report } = end else {
        panic!("{end:?}")
    };
    let [cart, draft] = &report.stores[..] else {
        panic!("{report:?}")
    };
    let Outcome::Failed(error) = &cart.outcome else {
        panic!("{cart:?}")
    };
    assert_eq!(
        error.to_string(),
        "store \"cart\": the step 2 -> 3 (up) took longer than 100 ms"
    );
    let ran: Vec<String> = cart.steps.iter().map(|it| it.name.to_string()).collect();
    assert_eq!(ran, ["1 -> 2 (up)", "2 -> 3 (up)"]);
    assert!(cart.steps[1].took >= 100);
    assert_eq!((draft.from, draft.to, draft.steps.len()), (1, 3, 2));
    assert_eq!(draft.outcome, Outcome::Ready);
    assert_eq!(page.live, Page::new().live);
}

#[test]
fn a_dry_run_survives_snapshots_that_never_come() {
    let mut run = Run::new(
        plans(),
        RunOptions {
            dry: true,
            ..RunOptions::default()
        },
        Timestamp(0),
    );
    run.handle_input(RunInput::Woke, Timestamp(3_000));
    let report = core::iter::from_fn(|| Some(run.poll_output()))
        .find_map(|output| match output {
            RunOutput::Reported { report } => Some(report),
            RunOutput::RunStep { .. } => panic!("there is nothing to run it on"),
            _ => None,
        })
        .unwrap();
    assert!(report.stores.iter().all(
        |it| matches!(&it.outcome, Outcome::Failed(error) if error.code() == "snapshot_timed_out")
    ));
}

#[test]
fn a_cancelled_run_is_over_at_once() {
    for dry in [false, true] {
        let options = RunOptions {
            dry,
            ..RunOptions::default()
        };
        let mut run = Run::new(plans(), options, Timestamp(0));
        run.handle_input(RunInput::Cancelled, Timestamp(1));
        let RunOutput::Failed { error } = run.poll_output() else {
            panic!()
        };
        assert_eq!(error.code(), "cancelled");
        assert_eq!(run.poll_output(), RunOutput::Wake { at: None });
    }
}

#[test]
fn nothing_to_migrate_is_ready_at_once() {
    let mut page = Page::new();
    let end = page.drive(Run::new(vec![], RunOptions::default(), Timestamp(0)));
    assert_eq!(end, RunOutput::Ready { stores: vec![] });
}

fn inputs() -> impl Strategy<Value = RunInput> {
    let store = || prop_oneof![Just("cart".to_string()), Just("draft".to_string())];
    let at = || (store(), 0_usize..3);
    prop_oneof![
        store().prop_map(|store| RunInput::SnapshotTaken { store }),
        store().prop_map(|store| RunInput::SnapshotFailed {
            store,
            message: "no".into()
        }),
        at().prop_map(|(store, index)| RunInput::StepDone { store, index }),
        at().prop_map(|(store, index)| RunInput::StepDone { store, index }),
        at().prop_map(|(store, index)| RunInput::StepFailed {
            store,
            index,
            message: "no".into(),
            path: None
        }),
        at().prop_map(|(store, index)| RunInput::StepTimedOut { store, index }),
        at().prop_map(|(store, index)| RunInput::Restored { store, index }),
        at().prop_map(|(store, index)| RunInput::NotRestored {
            store,
            index,
            path: "b".into()
        }),
        store().prop_map(|store| RunInput::Validated { store }),
        store().prop_map(|store| RunInput::Invalid {
            store,
            path: None,
            message: "no".into()
        }),
        Just(RunInput::Woke),
        Just(RunInput::Cancelled),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Ready is said only after every snapshot, every step and every validation was answered well, in order.
    #[test]
    fn no_order_of_inputs_makes_a_run_ready_too_early_or_end_twice(
        inputs in prop::collection::vec((inputs(), 0_u64..1_000), 0..60),
        dry: bool,
        verify: bool,
    ) {
        let options = RunOptions { dry, verify, ..RunOptions::default() };
        let mut run = Run::new(plans(), options, Timestamp(0));
        let (mut now, mut ends) = (0, 0);
        let mut snapshots = 0;
        let mut asked: Vec<RunInput> = Vec::new();
        let mut answered = 0;
        let drain = |run: &mut Run, ends: &mut usize, asked: &mut Vec<RunInput>| loop {
            match run.poll_output() {
                RunOutput::Wake { .. } => break,
                RunOutput::Snapshot { store } => asked.push(RunInput::SnapshotTaken { store }),
                RunOutput::RunStep { store, index, .. } => asked.push(RunInput::StepDone { store, index }),
                RunOutput::GoBack { store, index, .. } => asked.push(RunInput::Restored { store, index }),
                RunOutput::Validate { store, .. } => asked.push(RunInput::Validated { store }),
                RunOutput::Progress { done, total } => assert!(done <= total && total == 4),
                RunOutput::Ready { .. } | RunOutput::Reported { .. } | RunOutput::Failed { .. } => *ends += 1,
            }
        };
        drain(&mut run, &mut ends, &mut asked);
        for (input, passed) in inputs {
            now += passed;
            if asked.contains(&input) {
                answered += 1;
            }
            if matches!(input, RunInput::SnapshotTaken { .. }) {
                snapshots += 1;
            }
            run.handle_input(input, Timestamp(now));
            drain(&mut run, &mut ends, &mut asked);
        }
        prop_assert!(ends <= 1);
        prop_assert_eq!(ends == 1, run.is_over());
        if asked.iter().any(|it| !matches!(it, RunInput::SnapshotTaken { .. })) && !dry {
            prop_assert!(snapshots >= 2, "a step ran before the snapshots were there");
        }
        prop_assert!(asked.len() <= answered + 2 || dry, "one question at a time");
    }
}
