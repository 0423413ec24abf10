//! Stories of stores that several builds share.

use std::collections::BTreeMap;
use std::rc::Rc;

use changeover::{
    engine::{
        migration::{
            Edge, Registry, StepRef, StoreSpec,
            typed::{Chain, Step},
        },
        store::{
            Head, Input, LayoutVersion, Mode, RefuseReason, RequestKind, Seen, Stamp, Transaction,
            Write, evaluate,
        },
    },
    time::Timestamp,
};
use serde_json::{Value, json};

use crate::{
    builds::{V2, V3, build, name},
    fleet::{Build, DAY, Page, Random, Translate, World},
};

#[test]
fn old_and_new_tabs_read_and_write_the_same_record_each_in_its_schema() {
    let mut world = World::new();
    let mut old = world.open(&build(1));
    old.write("user", name("Ada Byron")).unwrap();
    let mut new = world.open(&build(2));
    let read = new.read("user").unwrap().unwrap();
    assert_eq!(read, json!({"first": "Ada", "last": "Byron", "note": ""}));
    let married = json!({"first": "Ada", "last": "Lovelace", "note": "countess"});
    new.write("user", married.clone()).unwrap();
    assert_eq!(old.read("user").unwrap(), Some(name("Ada Lovelace")));
    let renamed = json!({"name": "Augusta Lovelace", "extra": 1});
    old.write("user", renamed.clone()).unwrap();
    assert_eq!(
        new.read("user").unwrap().unwrap(),
        json!({"first": "Augusta", "last": "Lovelace", "note": "countess", "extra": 1}),
        "the note that the old build cannot know is still there"
    );
    assert_eq!(old.read("user").unwrap(), Some(renamed));
    old.delete("user").unwrap();
    assert_eq!(new.read("user").unwrap(), None);
    old.write("user", name("Grace Hopper")).unwrap();
    assert_eq!(
        new.read("user").unwrap().unwrap()["note"],
        "",
        "nothing of the deleted record is left"
    );
}

/// What each build should see, kept beside the store.
#[derive(Default)]
struct Reference(BTreeMap<String, (String, String, String)>);

#[test]
fn a_thousand_interleaved_writes_lose_nothing_and_both_builds_converge() {
    for seed in 0..5 {
        let mut random = Random(seed);
        let mut world = World::new();
        let mut old = world.open(&build(1));
        let mut new = world.open(&build(2));
        let mut reference = Reference::default();
        for count in 0..1_000 {
            let key = format!("k{}", random.below(20));
            let (first, last) = (format!("f{count}"), format!("l{count}"));
            match random.below(8) {
                0 => {
                    old.delete(&key).unwrap();
                    reference.0.remove(&key);
                }
                1 => {
                    new.delete(&key).unwrap();
                    reference.0.remove(&key);
                }
                2..5 => {
                    old.write(&key, json!({"name": format!("{first} {last}")}))
                        .unwrap();
                    let known = reference.0.entry(key.clone()).or_default();
                    (known.0, known.1) = (first, last);
                }
                _ => {
                    let note = format!("n{count}");
                    new.write(&key, json!({"first": first, "last": last, "note": note}))
                        .unwrap();
                    reference.0.insert(key.clone(), (first, last, note));
                }
            }
            let known = reference.0.get(&key);
            assert_eq!(
                old.read(&key).unwrap(),
                known.map(|(first, last, _)| json!({"name": format!("{first} {last}")}))
            );
            assert_eq!(
                new.read(&key).unwrap(),
                known.map(|(first, last, note)| {
                    json!({"first": first, "last": last, "note": note})
                })
            );
            if random.below(50) == 0 {
                world.pass(60_000, &mut [&mut old, &mut new]);
            }
        }
        let expected: BTreeMap<String, Value> = reference
            .0
            .iter()
            .map(|(key, (first, last, note))| {
                let value = json!({"first": first, "last": last, "note": note});
                (key.clone(), value)
            })
            .collect();
        assert_eq!(new.list().unwrap(), expected);
        assert_eq!(world.primary(), 1);

        old.close();
        world.pass(4 * DAY, &mut [&mut new]);
        assert_eq!(
            world.schemas(),
            [2],
            "the old schema was left after the dwell time"
        );
        assert_eq!(new.list().unwrap(), expected);

        let mut back = world.open(&build(1));
        assert!(matches!(
            back.tab.mode(),
            Some(Mode::UseBackup { schema: 1, .. })
        ));
        let names = back.list().unwrap();
        assert_eq!(
            names.keys().collect::<Vec<_>>(),
            expected.keys().collect::<Vec<_>>(),
            "a rollback finds its data, never an empty store"
        );
        let error = back.write("k", name("a b")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "store \"cart\" has gone on from schema 1; this build reads its backup and cannot write"
        );
        new.write(
            "k99",
            json!({"first": "after", "last": "all", "note": "kept"}),
        )
        .unwrap();
        new.feed(Input::ReviveRequested { schema: 1 });
        world.pass(60_000, &mut [&mut new, &mut back]);
        assert_eq!(back.tab.mode(), Some(&Mode::ReadWrite));
        assert_eq!(back.read("k99").unwrap(), Some(name("after all")));
        back.write("k99", name("before all")).unwrap();
        assert_eq!(
            new.read("k99").unwrap().unwrap(),
            json!({"first": "before", "last": "all", "note": "kept"})
        );
    }
}

#[test]
fn a_lossless_build_without_space_works_through_the_older_schema() {
    let mut world = World::new();
    let mut old = world.open(&build(2));
    old.write("k", json!({"first": "a", "last": "b", "note": "x\ny"}))
        .unwrap();
    let mut small = build(3);
    small.capabilities.expand = false;
    let mut new = world.open(&small);
    assert_eq!(new.tab.mode(), Some(&Mode::ReadWriteThroughDown));
    let mut value = new.read("k").unwrap().unwrap();
    assert_eq!(value["notes"], json!(["x", "y"]));
    value["notes"] = json!(["z"]);
    new.write("k", value).unwrap();
    assert_eq!(old.read("k").unwrap().unwrap()["note"], "z");
    assert_eq!(world.schemas(), [2]);
}

#[test]
fn a_tab_frozen_for_a_day_is_fenced_and_never_wins_silently() {
    let mut world = World::new();
    let mut stale = world.open(&build(1));
    stale.write("k", name("a b")).unwrap();
    let (_, seen) = stale.read_stamped("k").unwrap().unwrap();
    stale.freeze();
    let mut new = world.open(&build(2));
    world.pass(DAY, &mut [&mut new]);
    new.write("k", json!({"first": "new", "last": "value", "note": ""}))
        .unwrap();
    assert_eq!(world.schemas(), [1, 2], "a day is less than the dwell time");
    stale.now = world.now;
    let error = stale
        .write_if("k", name("old value"), Some(Seen(Some(seen))))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "store \"cart\": \"k\" was changed since this tab last saw it"
    );
    assert_eq!(stale.read("k").unwrap(), Some(name("new value")));
    stale.write("other", name("still allowed")).unwrap();
    assert_eq!(
        new.read("other").unwrap().unwrap()["last"],
        "allowed",
        "and translated"
    );

    stale.freeze();
    world.pass(7 * DAY, &mut [&mut new]);
    assert_eq!(world.schemas(), [2]);
    stale.now = world.now;
    let error = stale.write("k", name("very old")).unwrap_err();
    assert_eq!(error.code(), "backup_only");
    assert_eq!(stale.read("k").unwrap(), Some(name("new value")));
    assert_eq!(new.read("k").unwrap().unwrap()["first"], "new");
}

#[test]
fn a_write_planned_before_the_layout_changed_is_planned_again() {
    let mut world = World::new();
    let mut old = world.open(&build(1));
    old.hold = true;
    let write = old.ask(RequestKind::Write {
        key: "k".into(),
        value: name("a b"),
        seen: None,
    });
    let mut new = world.open(&build(2));
    new.write("k", json!({"first": "x", "last": "y", "note": "n"}))
        .unwrap();
    old.release();
    assert!(old.reply(write).unwrap().is_ok());
    assert_eq!(
        new.read("k").unwrap().unwrap(),
        json!({"first": "a", "last": "b", "note": "n"})
    );
}

#[test]
fn an_update_whose_record_changed_meanwhile_is_a_conflict_and_not_a_lost_write() {
    let mut world = World::new();
    let mut one = world.open(&build(2));
    let mut two = world.open(&build(2));
    one.write("count", json!({"first": "0", "last": "", "note": ""}))
        .unwrap();
    let seen = |page: &mut Page| {
        let (value, stamp) = page.read_stamped("count").unwrap().unwrap();
        let count: u32 = value["first"].as_str().unwrap().parse().unwrap();
        (count, Some(Seen(Some(stamp))))
    };
    let value = |count: u32| json!({"first": count.to_string(), "last": "", "note": ""});
    let (first, stamp) = seen(&mut one);
    let (other, other_stamp) = seen(&mut two);
    two.write_if("count", value(other + 1), other_stamp)
        .unwrap();
    let error = one.write_if("count", value(first + 1), stamp).unwrap_err();
    assert_eq!(error.code(), "conflict");
    let (again, stamp) = seen(&mut one);
    one.write_if("count", value(again + 1), stamp).unwrap();
    assert_eq!(seen(&mut two).0, 2);
    let new_key = one.write_if("new", value(1), Some(Seen(None)));
    assert!(new_key.is_ok(), "seen to be absent, and absent");
    let error = two.write_if("new", value(2), Some(Seen(None)));
    assert_eq!(error.unwrap_err().code(), "conflict");
}

#[test]
fn another_branch_that_calls_its_schema_2_is_refused_and_destroys_nothing() {
    let branch = |content: &str| {
        let chain = Chain::<V2>::new("cart")
            .step(
                Step::up(|v: V2| V3 {
                    first: v.first,
                    last: v.last,
                    notes: vec![v.note],
                    rest: v.rest,
                })
                .content(content),
            )
            .build()
            .unwrap();
        let chain = Rc::new(chain);
        Build::new(chain.registry(), 3, Build::functions(chain.clone()))
    };
    let mut world = World::new();
    let mut ours = world.open(&branch("ours"));
    let value = json!({"first": "a", "last": "b", "notes": []});
    ours.write("k", value.clone()).unwrap();
    let mut theirs = world.open(&branch("theirs"));
    let Some(Mode::Refuse {
        reason: RefuseReason::ForeignSchema { schema: 3, message },
    }) = theirs.tab.mode().cloned()
    else {
        panic!("{:?}", theirs.tab.mode())
    };
    assert!(
        message.contains("two branches call different things schema 3"),
        "{message}"
    );
    assert_eq!(theirs.read("k").unwrap_err().code(), "refused");
    assert_eq!(
        theirs.write("k", value.clone()).unwrap_err().code(),
        "refused"
    );
    assert_eq!(ours.read("k").unwrap(), Some(value));
}

#[test]
fn a_build_that_no_longer_knows_the_stored_schema_says_so() {
    let mut world = World::new();
    world.open(&build(1)).write("k", name("a b")).unwrap();
    let mut registry = Registry::new();
    let mut spec = StoreSpec::new("cart", 9);
    spec.edges = vec![Edge::new(8, 9, StepRef(0))];
    registry.register(spec).unwrap();
    let nothing: Translate = Rc::new(|_, _, _| Err("nothing to translate".into()));
    let mut new = world.open(&Build::new(&registry, 9, nothing));
    let error = new.read("k").unwrap_err();
    assert_eq!(
        error.to_string(),
        "store \"cart\" is refused to this build: it holds schema 1, and this build has no path from there"
    );
}

#[test]
fn an_older_build_without_backup_is_refused_and_not_shown_an_empty_store() {
    let mut world = World::new();
    let mut new = world.open(&build(2));
    new.write("k", json!({"first": "a", "last": "b", "note": "c"}))
        .unwrap();
    let mut old = world.open(&build(1));
    assert_eq!(
        old.read("k").unwrap_err().to_string(),
        "store \"cart\" is refused to this build: it has gone on to schema 2, and nothing is left of the one this build knows"
    );
    new.feed(Input::ReviveRequested { schema: 1 });
    world.pass(60_000, &mut [&mut new, &mut old]);
    assert_eq!(old.read("k").unwrap(), Some(name("a b")));
    assert_eq!(new.read("k").unwrap().unwrap()["note"], "c");
}

#[test]
fn a_head_that_cannot_be_read_refuses_and_is_never_written_over() {
    let mut world = World::new();
    world.open(&build(1)).write("k", name("a b")).unwrap();
    let mut page = world.prepare(&build(1), Vec::new());
    page.hold = true;
    page.run();
    let (ticket, _) = page.held_back.pop().unwrap();
    let text = world.db.borrow().head().unwrap().to_json();
    let future = text.replace("\"format\":1", "\"format\":7");
    let error = Head::read(&future).unwrap_err();
    page.feed(Input::HeadUnreadable { ticket, error });
    assert!(
        page.held_back.is_empty(),
        "nothing is written to what is not understood"
    );
    let id = page.ask(RequestKind::Read { key: "k".into() });
    assert_eq!(
        page.reply(id).unwrap().unwrap_err().to_string(),
        "store \"cart\" is refused to this build: its head has format 7, and only format 1 is known"
    );
}

#[test]
fn the_store_begins_with_its_initial_records_once() {
    let mut world = World::new();
    let initial = vec![("k".to_string(), name("first value"))];
    let mut one = world.open_with(&build(1), initial.clone());
    one.write("k", name("second value")).unwrap();
    let mut two = world.open_with(&build(1), initial);
    assert_eq!(two.read("k").unwrap(), Some(name("second value")));
}

#[test]
fn a_store_that_did_not_open_is_tried_again_at_the_next_request() {
    let mut world = World::new();
    let mut page = world.prepare(&build(1), vec![("k".into(), name("a b"))]);
    page.shut = true;
    page.run();
    assert_eq!(page.read("k").unwrap_err().code(), "unavailable");
    assert_eq!(page.read("k").unwrap_err().code(), "unavailable");
    page.shut = false;
    page.full = true;
    assert_eq!(page.read("k").unwrap_err().code(), "quota");
    assert_eq!(page.read("k").unwrap_err().code(), "quota");
    page.full = false;
    assert_eq!(page.read("k").unwrap(), Some(name("a b")));
}

#[test]
fn a_closed_store_answers_everything_that_was_asked() {
    let mut world = World::new();
    let mut page = world.open(&build(1));
    page.hold = true;
    let read = page.ask(RequestKind::Read { key: "k".into() });
    page.feed(Input::Closed);
    assert_eq!(page.reply(read).unwrap().unwrap_err().code(), "closed");
    let late = page.ask(RequestKind::Read { key: "k".into() });
    assert_eq!(page.reply(late).unwrap().unwrap_err().code(), "closed");
    assert!(world.locks.borrow()[&1].is_empty());
}

#[test]
fn a_suspended_tab_gives_its_lock_up_and_opens_again_before_it_goes_on() {
    let mut world = World::new();
    let mut page = world.open(&build(1));
    page.feed(Input::Suspended);
    assert!(world.locks.borrow()[&1].is_empty());
    let write = page.ask(RequestKind::Write {
        key: "k".into(),
        value: name("a b"),
        seen: None,
    });
    assert!(page.reply(write).is_none(), "not while it is suspended");
    page.feed(Input::Resumed);
    assert!(page.reply(write).unwrap().is_ok());
    assert_eq!(world.locks.borrow()[&1].len(), 1);
}

/// The cost that every write has: with one schema alive, one small read and one write, and no read of the old value.
#[test]
fn a_write_costs_one_read_of_the_head_while_no_other_schema_lives() {
    let mut world = World::new();
    let page = world.open(&build(1));
    let head = page.tab.head().unwrap().clone();
    let op = Transaction::Put {
        layout: LayoutVersion {
            epoch: head.epoch,
            primary: head.schema,
        },
        schema: 1,
        key: "k".into(),
        stamp: Stamp {
            writer: 9,
            count: 1,
        },
        seen: None,
        values: vec![(1, name("a b"))],
    };
    let reads = op.reads();
    assert!(reads.records.is_empty() && reads.scan.is_none());
    let facts = world.db.borrow().facts(&reads, Timestamp(world.now));
    let verdict = evaluate(&op, facts);
    assert!(
        matches!(&verdict.writes[..], [Write::Put { schema: 1, .. }]),
        "{:?}",
        verdict.writes
    );
}
