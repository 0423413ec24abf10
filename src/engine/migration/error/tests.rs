//! The code and the sentence of every error.

use super::*;
use crate::engine::migration::Direction;
use alloc::{collections::BTreeSet, format, string::ToString, vec};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn every_kind_of_error_has_a_code_and_a_sentence_of_its_own() {
    let step = StepName {
        from: 2,
        to: 3,
        direction: Direction::Up,
    };
    let table = [
        (Kind::UnknownStore, " is not registered"),
        (Kind::DuplicateStore, " is registered twice"),
        (
            Kind::TooManySteps {
                count: 1001,
                limit: 1000,
            },
            " has 1001 steps, more than 1000",
        ),
        (
            Kind::TooManySchemas {
                count: 1001,
                limit: 1000,
            },
            " has 1001 schemas, more than 1000",
        ),
        (
            Kind::InvalidCost { from: 1, to: 2 },
            ": the step 1 -> 2 has cost 0; the least is 1",
        ),
        (
            Kind::SelfStep { schema: 2 },
            ": the step 2 -> 2 leads nowhere; a changed shape needs a new schema number",
        ),
        (
            Kind::DuplicateStep {
                from: 1,
                to: 2,
                hashes: (1, 2),
            },
            ": the step 1 -> 2 is registered twice, with different content (hashes 00000000000001 and 00000000000002)",
        ),
        (
            Kind::Cycle {
                schemas: vec![1, 2, 1],
            },
            ": the steps 1 -> 2 -> 1 go in a circle",
        ),
        (
            Kind::Ambiguous {
                first: vec![1, 2, 4],
                second: vec![1, 3, 4],
            },
            ": the paths 1 -> 2 -> 4 and 1 -> 3 -> 4 cost the same; give one of their steps another cost",
        ),
        (
            Kind::Gap {
                from: 1,
                to: 4,
                reached: vec![2],
            },
            ": no path leads from schema 1 to 4; from 1 the steps reach 2",
        ),
        (
            Kind::LossyOnly {
                from: 3,
                to: 2,
                steps: vec![StepName {
                    from: 3,
                    to: 2,
                    direction: Direction::Down,
                }],
            },
            ": every path from schema 3 to 2 is lossy, here through 3 -> 2 (down), and a loss is not allowed",
        ),
        (
            Kind::UnknownSchema {
                schema: 9,
                head: 7,
                known: vec![6, 7],
            },
            " holds schema 9, which this build (head 7, knows 6, 7) does not know",
        ),
        (
            Kind::ForeignLineage {
                schema: 7,
                disagreement: Disagreement::Step {
                    from: 6,
                    to: 7,
                    ours: 1,
                    theirs: 2,
                },
                set_hash: 5,
            },
            " holds schema 7 of another lineage (00000000000005): its step 6 -> 7 has hash 00000000000002, and this build's step 6 -> 7 has hash 00000000000001: two branches call different things schema 7",
        ),
        (
            Kind::SnapshotFailed {
                message: "no".into(),
            },
            ": its snapshot failed: no",
        ),
        (
            Kind::SnapshotTimedOut { budget: 5 },
            ": its snapshot took longer than 5 ms",
        ),
        (
            Kind::StepFailed {
                step,
                path: Some("items[0].price".into()),
                message: "not a number".into(),
            },
            ": the step 2 -> 3 (up) failed at items[0].price: not a number",
        ),
        (
            Kind::StepTimedOut { step, budget: 5 },
            ": the step 2 -> 3 (up) took longer than 5 ms",
        ),
        (
            Kind::Lost {
                step,
                path: "note".into(),
            },
            ": the step 2 -> 3 (up) loses note: going back does not restore it, and the step is not marked lossy",
        ),
        (
            Kind::Invalid {
                schema: 3,
                path: None,
                message: "empty".into(),
            },
            ": its value is not valid as schema 3: empty",
        ),
        (
            Kind::ValidationTimedOut {
                schema: 3,
                budget: 5,
            },
            ": validating its value as schema 3 took longer than 5 ms",
        ),
        (Kind::Cancelled, ": the migration was cancelled"),
    ];
    let mut codes = BTreeSet::new();
    for (kind, sentence) in table {
        let error = MigrationError::new("cart", kind);
        assert_eq!(error.to_string(), format!("store \"cart\"{sentence}"));
        assert!(codes.insert(error.code()), "{} is used twice", error.code());
    }
    assert_eq!(codes.len(), 21);
}

#[test]
fn an_error_is_written_with_everything_it_names() {
    let error = MigrationError::new(
        "cart",
        Kind::Lost {
            step: StepName {
                from: 2,
                to: 3,
                direction: Direction::Up,
            },
            path: "note".into(),
        },
    );
    let json: serde_json::Value = serde_json::to_value(&error).unwrap();
    assert_eq!(json["code"], "lost_value");
    assert_eq!(json["message"], error.sentence());
    assert_eq!(json["store"], "cart");
    assert_eq!(json["step"], "2 -> 3 (up)");
    assert_eq!(json["path"], "note");
}
