//! Chains of typed steps, forward, back, from the middle, and from another branch.

use changeover::engine::lineage::{Lineage, Mark};
use changeover::engine::migration::Loss;
use changeover::engine::migration::typed::{Chain, Step, StepError, Typed, Versioned};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The same shape under twenty numbers; each step counts and renames its one field of its own.
#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Release<const N: u32> {
    steps: u32,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl<const N: u32> Versioned for Release<N> {
    const SCHEMA: u32 = N;
}

fn next<const A: u32, const B: u32>() -> Step<Release<A>, Release<B>> {
    let name = |number: u32| format!("field{number}");
    let moved = move |mut rest: Map<String, Value>, from: u32, to: u32| {
        if let Some(value) = rest.remove(&name(from)) {
            rest.insert(name(to), value);
        }
        rest
    };
    Step::up(move |v: Release<A>| Release {
        steps: v.steps + 1,
        rest: moved(v.rest, A, B),
    })
    .down(move |v: Release<B>| Release {
        steps: v.steps - 1,
        rest: moved(v.rest, B, A),
    })
    .content(&format!("rename {A} to {B}"))
}

fn twenty() -> Typed<Release<20>> {
    Chain::<Release<1>>::new("profile")
        .step(next::<1, 2>())
        .step(next::<2, 3>())
        .step(next::<3, 4>())
        .step(next::<4, 5>())
        .step(next::<5, 6>())
        .step(next::<6, 7>())
        .step(next::<7, 8>())
        .step(next::<8, 9>())
        .step(next::<9, 10>())
        .step(next::<10, 11>())
        .step(next::<11, 12>())
        .step(next::<12, 13>())
        .step(next::<13, 14>())
        .step(next::<14, 15>())
        .step(next::<15, 16>())
        .step(next::<16, 17>())
        .step(next::<17, 18>())
        .step(next::<18, 19>())
        .step(next::<19, 20>())
        .build()
        .unwrap()
}

#[test]
fn twenty_versions_forward_and_back_change_nothing_but_what_the_steps_change() {
    let store = twenty();
    let first = json!({"steps": 0, "field1": {"deep": [1, 2]}, "unknown": "kept"});
    let head = store.migrate(1, 20, first.clone(), Loss::Refuse).unwrap();
    assert_eq!(
        head,
        json!({"steps": 19, "field20": {"deep": [1, 2]}, "unknown": "kept"})
    );
    let back = store.migrate(20, 1, head, Loss::Refuse).unwrap();
    assert_eq!(back, first);
}

#[test]
fn a_user_who_skipped_releases_arrives_too() {
    let store = twenty();
    for schema in 1..=20 {
        let stored = json!({"steps": schema - 1, format!("field{schema}"): true});
        let loaded = store.load(schema, &store.lineage(schema), stored).unwrap();
        assert_eq!(loaded.steps, 19, "from {schema}");
        assert_eq!(loaded.rest["field20"], true);
        let saved = store.save_as(schema, &loaded).unwrap();
        assert_eq!(saved["steps"], schema - 1);
    }
}

#[test]
fn a_shortcut_beside_the_chain_is_taken_when_it_is_cheaper() {
    let store = Chain::<Release<1>>::new("profile")
        .step(next::<1, 2>())
        .step(next::<2, 3>())
        .also(next::<1, 3>())
        .build()
        .unwrap();
    let arrived = store
        .migrate(1, 3, json!({"steps": 0}), Loss::Refuse)
        .unwrap();
    assert_eq!(arrived["steps"], 1);
}

fn branch(content: &str) -> Typed<Release<7>> {
    Chain::<Release<6>>::new("profile")
        .step(next::<6, 7>().content(content))
        .build()
        .unwrap()
}

#[test]
fn two_branches_that_both_call_theirs_schema_7_do_not_read_each_other() {
    let (ours, theirs) = (branch("split the name"), branch("drop the name"));
    let stored = json!({"steps": 6});
    let error = ours
        .load(7, &theirs.lineage(7), stored.clone())
        .unwrap_err();
    assert_eq!(error.code(), "foreign_schema");
    let (our_hash, their_hash) = (
        ours.lineage(7).marks()[0].hash,
        theirs.lineage(7).marks()[0].hash,
    );
    let set = theirs.lineage(7).set_hash();
    assert_eq!(
        error.to_string(),
        format!(
            "store \"profile\" holds schema 7 of another lineage ({set:014x}): its step 6 -> 7 has hash {their_hash:014x}, \
             and this build's step 6 -> 7 has hash {our_hash:014x}: two branches call different things schema 7"
        )
    );
    assert!(ours.load(7, &ours.lineage(7), stored.clone()).is_ok());
    let knowing = Chain::<Release<6>>::new("profile")
        .step(next::<6, 7>().content("split the name"))
        .accept(set)
        .build()
        .unwrap();
    assert!(
        knowing.load(7, &theirs.lineage(7), stored).is_ok(),
        "the app may say that it knows better"
    );
}

#[test]
fn a_build_that_forgot_its_oldest_steps_still_reads_what_the_others_stored() {
    let store = twenty();
    let trimmed = Chain::<Release<5>>::new("profile")
        .step(next::<5, 6>())
        .step(next::<6, 7>())
        .build()
        .unwrap();
    for schema in 5..=7 {
        let stored = json!({"steps": schema - 1});
        let loaded = trimmed.load(schema, &store.lineage(schema), stored);
        assert_eq!(loaded.unwrap().steps, 6);
    }
    let old = trimmed.load(4, &store.lineage(4), json!({"steps": 3}));
    assert_eq!(
        old.unwrap_err().to_string(),
        "store \"profile\" holds schema 4, which this build (head 7, knows 5, 6, 7) does not know"
    );
}

#[test]
fn a_lineage_holds_the_steps_that_lead_to_the_schema_and_no_others() {
    let store = twenty();
    let marks: Vec<(u32, u32)> = store
        .lineage(4)
        .marks()
        .iter()
        .map(|mark| (mark.from, mark.to))
        .collect();
    assert_eq!(marks, [(1, 2), (2, 3), (3, 4)]);
    assert_eq!(store.lineage(1), Lineage::default());
    let unhashed = Lineage::from(vec![Mark::from((3, 4, 0))]);
    assert!(
        store
            .registry()
            .check_lineage("profile", 4, &unhashed)
            .is_ok()
    );
}

#[derive(Serialize, Deserialize)]
struct Old {
    price: String,
}

#[derive(Serialize, Deserialize)]
struct New {
    cents: u64,
}

impl Versioned for Old {
    const SCHEMA: u32 = 1;
}

impl Versioned for New {
    const SCHEMA: u32 = 2;
}

#[test]
fn a_value_that_a_step_cannot_translate_is_named_with_its_place() {
    let store = Chain::<Old>::new("price")
        .step(Step::try_up(|old: Old| {
            let cents = old.price.parse::<f64>();
            let cents = cents.map_err(|error| StepError::new(error.to_string()).at("price"))?;
            Ok(New {
                cents: (cents * 100.0).round() as u64,
            })
        }))
        .build()
        .unwrap();
    let load = |value| store.load(1, &store.lineage(1), value).map(|new| new.cents);
    assert_eq!(load(json!({"price": "1.50"})).unwrap(), 150);
    let error = load(json!({"price": "free"})).unwrap_err();
    assert_eq!(
        error.to_string(),
        "store \"price\": the step 1 -> 2 (up) failed at price: invalid float literal"
    );
    assert_eq!(error.step().as_deref(), Some("1 -> 2 (up)"));
    let error = load(json!({"price": 5})).unwrap_err();
    assert_eq!(
        error.to_string(),
        "store \"price\": the step 1 -> 2 (up) failed at price: invalid type: integer `5`, expected a string"
    );
    let error = store
        .load(2, &store.lineage(2), json!({"cents": -1}))
        .map(|new| new.cents)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "store \"price\": its value is not valid as schema 2 at cents: invalid value: integer `-1`, expected u64"
    );
}
