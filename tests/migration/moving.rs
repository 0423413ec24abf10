//! Stories of a shared store on its way to the next schema: killed, without space, held up, and finished.

use std::collections::BTreeMap;
use std::rc::Rc;

use changeover::engine::migration::{Edge, Registry, StepRef, StoreSpec};
use changeover::engine::store::{Fill, Mode, ReadOnlyReason};
use serde_json::{Value, json};

use crate::builds::{build, chain, name};
use crate::fleet::{Build, DAY, Random, World};

fn filled(world: &mut World, count: usize) -> BTreeMap<String, Value> {
    let records = (0..count).map(|at| (format!("k{at:05}"), name(&format!("f{at} l{at}"))));
    let records: BTreeMap<String, Value> = records.collect();
    let initial = records.clone().into_iter().collect();
    world.open_with(&build(1), initial).close();
    records
}

fn check_old_or_new(world: &mut World, old: &BTreeMap<String, Value>) {
    let schema = world.primary();
    let mut reader = world.open(&build(schema));
    let found = reader.list().unwrap();
    assert_eq!(found.len(), old.len());
    for (key, value) in old {
        let (first, last) = value["name"].as_str().unwrap().split_once(' ').unwrap();
        match schema {
            1 => assert_eq!(&found[key], value),
            _ => assert_eq!(
                found[key],
                json!({"first": first, "last": last, "note": ""})
            ),
        }
    }
    reader.close();
}

#[test]
fn killed_after_any_step_a_migration_is_old_or_new_and_completes_when_resumed() {
    let mut steps = 0;
    loop {
        let mut world = World::new();
        let old = filled(&mut world, 450);
        let mut page = world.prepare(&build(2), Vec::new());
        page.lives = Some(steps + 1);
        page.run();
        world.pass(4 * DAY, &mut [&mut page]);
        let died = page.is_dead();
        if !died {
            page.close();
        }
        check_old_or_new(&mut world, &old);
        let mut next = world.open(&build(2));
        world.pass(4 * DAY, &mut [&mut next]);
        assert_eq!(world.schemas(), [2], "after a kill at step {steps}");
        check_old_or_new(&mut world, &old);
        if !died {
            break;
        }
        steps += 1;
    }
    assert!(
        steps > 12,
        "open, expand, alone, begin, 5 copies, 5 checks, contract: {steps}"
    );
}

#[test]
fn killed_again_and_again_ten_thousand_records_still_arrive() {
    let mut world = World::new();
    let old = filled(&mut world, 10_000);
    let mut random = Random(7);
    let mut kills = 0;
    while world.schemas() != [2] {
        let mut page = world.prepare(&build(2), Vec::new());
        page.lives = Some(2 + random.below(12) as usize);
        page.run();
        world.pass(DAY, &mut [&mut page]);
        kills += 1;
        assert!(kills < 200, "every start must get further");
    }
    assert!(kills > 10);
    check_old_or_new(&mut world, &old);
}

#[test]
fn without_space_for_a_copy_nothing_is_written_and_nothing_is_lost() {
    let mut world = World::new();
    let old = filled(&mut world, 250);
    let mut page = world.prepare(&build(2), Vec::new());
    page.full = true;
    page.run();
    assert_eq!(
        page.tab.mode(),
        Some(&Mode::ReadOnly {
            reason: ReadOnlyReason::LossyDown { schema: 1 }
        }),
        "what it writes would lose its note"
    );
    assert_eq!(page.problems[0].code(), "quota");
    assert_eq!(
        page.list().unwrap().len(),
        250,
        "it reads through the steps"
    );
    page.close();
    assert_eq!(world.schemas(), [1]);

    let reader = world.open(&build(1));
    let mut page = world.open(&build(2));
    page.full = true;
    reader.close();
    world.pass(4 * DAY, &mut [&mut page]);
    assert_eq!(
        world.schemas(),
        [1, 2],
        "the filling stopped, and nothing else did"
    );
    assert!(page.problems.iter().all(|error| error.code() == "quota"));
    let value = json!({"first": "a", "last": "b", "note": "c"});
    assert_eq!(page.write("k", value).unwrap_err().code(), "quota");
    check_old_or_new(&mut world, &old);
    page.full = false;
    world.pass(4 * DAY, &mut [&mut page]);
    assert_eq!(world.schemas(), [2], "it completes once there is space");
    check_old_or_new(&mut world, &old);
}

#[test]
fn a_tab_that_finds_no_space_for_the_note_that_it_is_there_still_reads() {
    let mut world = World::new();
    let old = filled(&mut world, 250);
    let mut newer = world.open(&build(2));
    world.pass(DAY, &mut [&mut newer]);
    let noted = |world: &World| {
        let db = world.db.borrow();
        let head = db.head().unwrap();
        head.namespace(1).unwrap().alone_since.is_some()
    };
    assert!(noted(&world), "no tab on schema 1 was seen for a day");

    let mut page = world.prepare(&build(1), Vec::new());
    page.full = true;
    page.run();
    assert_eq!(page.problems, []);
    assert_eq!(page.list().unwrap().len(), 250);
    assert_eq!(page.write("k", name("a b")).unwrap_err().code(), "quota");
    page.full = false;
    page.write("k", name("a b")).unwrap();
    assert!(!noted(&world), "its write says that schema 1 is in use");
    page.delete("k").unwrap();
    check_old_or_new(&mut world, &old);
}

#[test]
fn a_build_that_found_no_space_looks_again_and_goes_on_in_the_same_tab() {
    let mut world = World::new();
    let old = filled(&mut world, 250);
    let mut page = world.prepare(&build(2), Vec::new());
    page.full = true;
    page.run();
    world.pass(DAY, &mut [&mut page]);
    assert_eq!(world.schemas(), [1]);
    let value = json!({"first": "a", "last": "b", "note": "c"});
    assert_eq!(page.write("k", value).unwrap_err().code(), "read_only");
    page.full = false;
    world.pass(60_000, &mut [&mut page]);
    assert_eq!(page.tab.mode(), Some(&Mode::ReadWrite));
    world.pass(4 * DAY, &mut [&mut page]);
    assert_eq!(world.schemas(), [2]);
    check_old_or_new(&mut world, &old);
}

#[test]
fn a_record_that_cannot_migrate_keeps_everything_old_and_is_named() {
    let mut world = World::new();
    let mut old = world.open(&build(1));
    old.write("good", name("a b")).unwrap();
    old.write("single", name("Plato")).unwrap();
    old.close();
    let mut new = world.open(&build(2));
    assert_eq!(new.read("good").unwrap().unwrap()["last"], "b");
    let error = new.read("single").unwrap_err();
    let sentence = "store \"cart\": \"single\" could not be translated: store \"cart\": the step 1 -> 2 (up) failed at \
                    name: has no space";
    assert_eq!(error.to_string(), sentence);
    world.pass(10 * DAY, &mut [&mut new]);
    assert_eq!(world.schemas(), [1, 2], "the old schema is not left");
    assert_eq!(new.problems.last().unwrap().to_string(), sentence);
    new.write(
        "single",
        json!({"first": "Plato", "last": "of Athens", "note": ""}),
    )
    .unwrap();
    world.pass(10 * DAY, &mut [&mut new]);
    assert_eq!(
        world.schemas(),
        [2],
        "it completes once the record is mended"
    );
}

#[test]
fn a_backup_is_kept_while_it_is_used_and_swept_when_it_is_not() {
    let mut world = World::new();
    world.open(&build(1)).write("k", name("a b")).unwrap();
    world.locks.borrow_mut().clear();
    let mut new = world.open(&build(2));
    world.pass(4 * DAY, &mut [&mut new]);
    assert_eq!(world.schemas(), [2]);
    world.pass(10 * DAY, &mut [&mut new]);
    let mut old = world.open(&build(1));
    assert!(old.read("k").unwrap().is_some());
    old.close();
    world.pass(10 * DAY, &mut [&mut new]);
    let mut old = world.open(&build(1));
    assert!(
        old.read("k").unwrap().is_some(),
        "its last use was ten days ago"
    );
    old.close();
    world.pass(20 * DAY, &mut [&mut new]);
    assert!(
        world
            .db
            .borrow()
            .records()
            .all(|((schema, _), _)| *schema == 2)
    );
    let mut old = world.open(&build(1));
    assert_eq!(old.read("k").unwrap_err().code(), "refused");
}

#[test]
fn an_old_tab_that_writes_throws_the_filling_back_and_is_noticed() {
    let mut world = World::new();
    filled(&mut world, 120);
    let mut new = world.open(&build(2));
    world.pass(DAY, &mut [&mut new]);
    assert_eq!(world.fill(2), Fill::Full);
    let mut old = world.open(&build(1));
    old.write("k00003", name("x y")).unwrap();
    assert_eq!(world.fill(2), Fill::Partial);
    old.freeze();
    world.pass(2 * DAY + DAY / 2, &mut [&mut new]);
    assert_eq!(world.schemas(), [1, 2], "its dwell time has begun again");
    assert_eq!(world.fill(2), Fill::Full);
    world.pass(3 * DAY, &mut [&mut new]);
    assert_eq!(world.schemas(), [2]);
    assert_eq!(new.read("k00003").unwrap().unwrap()["first"], "x");
}

#[test]
fn a_build_without_a_way_down_waits_for_the_others_and_then_takes_over() {
    let mut registry = Registry::new();
    let mut spec = StoreSpec::new("cart", 2);
    spec.edges = vec![Edge::new(1, 2, StepRef(0))];
    registry.register(spec).unwrap();
    let chain = Rc::new(chain());
    let one_way = Build::new(&registry, 2, Build::functions(chain));
    let mut world = World::new();
    let mut old = world.open(&build(1));
    old.write("k", name("a b")).unwrap();
    let mut new = world.open(&one_way);
    let error = new.write("k", json!({})).unwrap_err();
    assert_eq!(
        error.to_string(),
        "store \"cart\" is read-only for this build: tabs on schema 1 may be open, and this build has no step down to it"
    );
    assert_eq!(new.read("k").unwrap().unwrap()["first"], "a");
    old.write("k", name("c d")).unwrap();
    assert_eq!(new.read("k").unwrap().unwrap()["first"], "c");
    old.freeze();
    world.pass(60_000, &mut [&mut new]);
    assert_eq!(
        new.tab.mode(),
        Some(&Mode::ReadWrite),
        "no dwell: it could not write"
    );
    old.now = world.now;
    assert_eq!(
        old.write("k", name("e f")).unwrap_err().code(),
        "backup_only"
    );
    assert_eq!(
        old.read("k").unwrap(),
        Some(name("c d")),
        "its data is still there"
    );
}
