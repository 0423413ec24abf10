//! Each law finds the step that breaks it, and says so with a small counter-example.

use changeover::engine::migration::laws::{self, Broken, Fixture, Law};
use changeover::engine::migration::typed::{Chain, Step, Typed, Versioned};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

#[derive(Serialize, Deserialize, Clone)]
struct V1 {
    items: Vec<Item>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Serialize, Deserialize, Clone)]
struct V2 {
    lines: Vec<Item>,
    total: u32,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Serialize, Deserialize, Clone)]
struct Item {
    price: u32,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl Versioned for V1 {
    const SCHEMA: u32 = 1;
}

impl Versioned for V2 {
    const SCHEMA: u32 = 2;
}

fn up(v: V1) -> V2 {
    V2 {
        total: v.items.iter().map(|item| item.price).sum(),
        lines: v.items,
        rest: v.rest,
    }
}

fn down(v: V2) -> V1 {
    V1 {
        items: v.lines,
        rest: v.rest,
    }
}

fn store(step: Step<V1, V2>) -> Typed<V2> {
    Chain::<V1>::new("cart").step(step).build().unwrap()
}

fn fixtures() -> Vec<Fixture> {
    vec![
        Fixture::new(1, json!({"items": [], "note": "x"})),
        Fixture::new(
            1,
            json!({"items": [{"price": 3, "name": "tea"}, {"price": 4}], "note": "x"}),
        )
        .becomes(
            json!({"lines": [{"price": 3, "name": "tea"}, {"price": 4}], "total": 7, "note": "x"}),
        ),
        Fixture::new(2, json!({"lines": [{"price": 5}], "total": 5})),
    ]
}

fn breaks(step: Step<V1, V2>) -> Broken {
    laws::all(&store(step), &[1, 2], &fixtures()).unwrap_err()
}

#[test]
fn a_good_store_holds_to_all_laws() {
    laws::all(&store(Step::up(up).down(down)), &[1, 2], &fixtures()).unwrap();
}

#[test]
fn a_field_that_does_not_come_back_is_shown_with_the_smallest_sample() {
    let broken = breaks(Step::up(up).down(|mut v: V2| {
        for line in &mut v.lines {
            line.rest.remove("name");
        }
        down(v)
    }));
    assert_eq!(broken.law, Law::DownUp);
    assert_eq!(
        broken.to_string(),
        "store \"cart\", step 1 -> 2 (up): `down(up(x)) = x` is broken at items[0].name: \"tea\" became nothing; \
         x = {\"items\":[{\"name\":\"tea\",\"price\":3}]}"
    );
}

#[test]
fn a_step_marked_lossy_may_lose_but_must_settle() {
    let drop_note = |mut v: V1| {
        v.rest.remove("note");
        up(v)
    };
    let broken = laws::round_trip(&store(Step::up(drop_note).down(down)), &fixtures());
    assert_eq!(broken.unwrap_err().path, "note");
    let lossy = Chain::<V1>::new("cart")
        .step(Step::up(drop_note).down(down).lossy_up())
        .allow_lossy()
        .build()
        .unwrap();
    laws::round_trip(&lossy, &fixtures()).unwrap();
    let growing = Step::up(|v: V1| {
        let mut v = up(v);
        v.total += 1;
        v
    })
    .down(|mut v: V2| {
        v.lines.push(Item {
            price: v.total,
            rest: Map::new(),
        });
        down(v)
    });
    let growing = Chain::<V1>::new("cart")
        .step(growing.lossy_up().lossy_down())
        .allow_lossy()
        .build()
        .unwrap();
    let broken = laws::round_trip(&growing, &fixtures()).unwrap_err();
    assert_eq!(broken.law, Law::UpDownUp);
    assert_eq!(broken.path, "lines[0]");
}

#[test]
fn a_way_back_that_cannot_return_is_found_from_above() {
    let broken = breaks(Step::up(up).down(|mut v: V2| {
        if v.total == 5 {
            v.lines.clear();
        }
        down(v)
    }));
    assert_eq!(broken.law, Law::UpDown);
    assert_eq!(broken.step.unwrap().to_string(), "2 -> 1 (down)");
}

#[test]
fn an_unknown_field_that_a_step_drops_is_named_where_it_was() {
    let forget = |item: Item| Item {
        rest: item
            .rest
            .into_iter()
            .filter(|(key, _)| key == "name")
            .collect(),
        ..item
    };
    let broken = breaks(
        Step::up(move |v: V1| V2 {
            lines: v.items.iter().cloned().map(forget).collect(),
            ..up(v)
        })
        .down(down),
    );
    assert_eq!(broken.law, Law::UnknownFields);
    assert_eq!(broken.path, "items[0].unknownToThisStep");
    assert_eq!(broken.why, "the field is gone");
}

#[test]
fn a_fixture_that_becomes_something_else_is_shown() {
    let broken = breaks(Step::up(|v: V1| V2 { total: 0, ..up(v) }).down(down));
    assert_eq!(broken.law, Law::Golden);
    assert_eq!(
        (broken.path.as_str(), broken.why.as_str()),
        ("total", "expected 7, found 0")
    );
}

#[test]
fn a_released_schema_needs_a_fixture_and_a_path() {
    let store = store(Step::up(up).down(down));
    let broken = laws::all(&store, &[1, 2], &fixtures()[..2]).unwrap_err();
    assert_eq!(broken.why, "schema 2 was released and has no fixture");
    let broken = laws::every_schema_reaches(&store, &[1, 2, 5]).unwrap_err();
    assert_eq!(
        broken.to_string(),
        "store \"cart\": `every released schema reaches the head` is broken: store \"cart\" holds schema 5, which this \
         build (head 2, knows 1, 2) does not know"
    );
}

#[test]
fn a_fixture_of_another_branch_is_not_taken_for_our_own() {
    let ours = store(Step::up(up).down(down).content("ours"));
    let theirs = store(Step::up(up).down(down).content("theirs"));
    let fixture = Fixture::new(2, json!({"lines": [], "total": 0})).with_lineage(theirs.lineage(2));
    let broken = laws::golden(&ours, &[fixture]).unwrap_err();
    assert!(
        broken
            .why
            .contains("two branches call different things schema 2"),
        "{broken}"
    );
}
