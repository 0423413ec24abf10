use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::registry::StepName;
use crate::engine::{io::Millis, lineage::Disagreement};

/// Why a registration, a plan or a run is refused. Names the store, the step and, where there is one, the value path.
///
/// Serialises as `{code, message, store, step, path}`.
#[derive(Clone, PartialEq, Eq)]
pub struct MigrationError {
    store: String,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    UnknownStore,
    DuplicateStore,
    TooManySteps {
        count: usize,
        limit: usize,
    },
    TooManySchemas {
        count: usize,
        limit: usize,
    },
    InvalidCost {
        from: u32,
        to: u32,
    },
    SelfStep {
        schema: u32,
    },
    DuplicateStep {
        from: u32,
        to: u32,
        hashes: (u64, u64),
    },
    Cycle {
        schemas: Vec<u32>,
    },
    Ambiguous {
        first: Vec<u32>,
        second: Vec<u32>,
    },
    Gap {
        from: u32,
        to: u32,
        /// The schemas that `from` does reach.
        reached: Vec<u32>,
    },
    LossyOnly {
        from: u32,
        to: u32,
        steps: Vec<StepName>,
    },
    UnknownSchema {
        schema: u32,
        head: u32,
        known: Vec<u32>,
    },
    ForeignLineage {
        schema: u32,
        disagreement: Disagreement,
        set_hash: u64,
    },
    SnapshotFailed {
        message: String,
    },
    SnapshotTimedOut {
        budget: Millis,
    },
    StepFailed {
        step: StepName,
        path: Option<String>,
        message: String,
    },
    StepTimedOut {
        step: StepName,
        budget: Millis,
    },
    Lost {
        step: StepName,
        path: String,
    },
    Invalid {
        schema: u32,
        path: Option<String>,
        message: String,
    },
    ValidationTimedOut {
        schema: u32,
        budget: Millis,
    },
    Cancelled,
}

impl MigrationError {
    pub(super) fn new(store: &str, kind: Kind) -> Self {
        Self {
            store: store.to_string(),
            kind,
        }
    }

    /// A stable name for the kind of error.
    pub fn code(&self) -> &'static str {
        match self.kind {
            Kind::UnknownStore => "unknown_store",
            Kind::DuplicateStore => "duplicate_store",
            Kind::TooManySteps { .. } => "too_many_steps",
            Kind::TooManySchemas { .. } => "too_many_schemas",
            Kind::InvalidCost { .. } => "invalid_cost",
            Kind::SelfStep { .. } => "self_step",
            Kind::DuplicateStep { .. } => "duplicate_step",
            Kind::Cycle { .. } => "cycle",
            Kind::Ambiguous { .. } => "ambiguous_path",
            Kind::Gap { .. } => "no_path",
            Kind::LossyOnly { .. } => "lossy_path",
            Kind::UnknownSchema { .. } => "unknown_schema",
            Kind::ForeignLineage { .. } => "foreign_schema",
            Kind::SnapshotFailed { .. } => "snapshot_failed",
            Kind::SnapshotTimedOut { .. } => "snapshot_timed_out",
            Kind::StepFailed { .. } => "step_failed",
            Kind::StepTimedOut { .. } => "step_timed_out",
            Kind::Lost { .. } => "lost_value",
            Kind::Invalid { .. } => "invalid_value",
            Kind::ValidationTimedOut { .. } => "validation_timed_out",
            Kind::Cancelled => "cancelled",
        }
    }

    /// The store it is about.
    pub fn store(&self) -> &str {
        &self.store
    }

    /// The step it is about, as in `2 -> 3 (up)`.
    pub fn step(&self) -> Option<String> {
        match &self.kind {
            Kind::StepFailed { step, .. }
            | Kind::StepTimedOut { step, .. }
            | Kind::Lost { step, .. } => Some(step.to_string()),
            _ => None,
        }
    }

    /// Where in the value, as in `items[0].price`.
    pub fn path(&self) -> Option<&str> {
        match &self.kind {
            Kind::StepFailed { path, .. } | Kind::Invalid { path, .. } => path.as_deref(),
            Kind::Lost { path, .. } => Some(path),
            _ => None,
        }
    }
}

impl fmt::Display for MigrationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "store {:?}", self.store)?;
        match &self.kind {
            Kind::UnknownStore => write!(f, " is not registered"),
            Kind::DuplicateStore => write!(f, " is registered twice"),
            Kind::TooManySteps { count, limit } => {
                write!(f, " has {count} steps, more than {limit}")
            }
            Kind::TooManySchemas { count, limit } => {
                write!(f, " has {count} schemas, more than {limit}")
            }
            Kind::InvalidCost { from, to } => {
                write!(f, ": the step {from} -> {to} has cost 0; the least is 1")
            }
            Kind::SelfStep { schema } => write!(
                f,
                ": the step {schema} -> {schema} leads nowhere; a changed shape needs a new schema number"
            ),
            Kind::DuplicateStep { from, to, hashes } => {
                write!(f, ": the step {from} -> {to} is registered twice")?;
                if hashes.0 != hashes.1 {
                    write!(
                        f,
                        ", with different content (hashes {:014x} and {:014x})",
                        hashes.0, hashes.1
                    )?;
                }
                Ok(())
            }
            Kind::Cycle { schemas } => {
                write!(f, ": the steps {} go in a circle", chain(schemas))
            }
            Kind::Ambiguous { first, second } => write!(
                f,
                ": the paths {} and {} cost the same; give one of their steps another cost",
                chain(first),
                chain(second)
            ),
            Kind::Gap { from, to, reached } => {
                write!(f, ": no path leads from schema {from} to {to}")?;
                if reached.is_empty() {
                    write!(f, "; no step starts at {from}")
                } else {
                    write!(f, "; from {from} the steps reach {}", list(reached))
                }
            }
            Kind::LossyOnly { from, to, steps } => {
                let lossy: Vec<String> = steps.iter().map(ToString::to_string).collect();
                write!(
                    f,
                    ": every path from schema {from} to {to} is lossy, here through {}, and a loss is not allowed",
                    lossy.join(", ")
                )
            }
            Kind::UnknownSchema {
                schema,
                head,
                known,
            } => write!(
                f,
                " holds schema {schema}, which this build (head {head}, knows {}) does not know",
                list(known)
            ),
            Kind::ForeignLineage {
                schema,
                disagreement,
                set_hash,
            } => write!(
                f,
                " holds schema {schema} of another lineage ({set_hash:014x}): {disagreement}"
            ),
            Kind::SnapshotFailed { message } => write!(f, ": its snapshot failed: {message}"),
            Kind::SnapshotTimedOut { budget } => {
                write!(f, ": its snapshot took longer than {budget} ms")
            }
            Kind::StepFailed {
                step,
                path,
                message,
            } => write!(f, ": the step {step} failed{}: {message}", at(path)),
            Kind::StepTimedOut { step, budget } => {
                write!(f, ": the step {step} took longer than {budget} ms")
            }
            Kind::Lost { step, path } => write!(
                f,
                ": the step {step} loses {path}: going back does not restore it, and the step is not marked lossy"
            ),
            Kind::Invalid {
                schema,
                path,
                message,
            } => write!(
                f,
                ": its value is not valid as schema {schema}{}: {message}",
                at(path)
            ),
            Kind::ValidationTimedOut { schema, budget } => write!(
                f,
                ": validating its value as schema {schema} took longer than {budget} ms"
            ),
            Kind::Cancelled => write!(f, ": the migration was cancelled"),
        }
    }
}

impl fmt::Debug for MigrationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MigrationError({}: {self})", self.code())
    }
}

impl core::error::Error for MigrationError {}

impl Serialize for MigrationError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("MigrationError", 5)?;
        fields.serialize_field("code", self.code())?;
        fields.serialize_field("message", &self.to_string())?;
        fields.serialize_field("store", &self.store)?;
        fields.serialize_field("step", &self.step())?;
        fields.serialize_field("path", &self.path())?;
        fields.end()
    }
}

/// `1 -> 2 -> 3`
fn chain(schemas: &[u32]) -> String {
    joined(schemas, " -> ")
}

/// `1, 2, 3`
fn list(schemas: &[u32]) -> String {
    joined(schemas, ", ")
}

fn joined(schemas: &[u32], between: &str) -> String {
    let words: Vec<String> = schemas.iter().map(ToString::to_string).collect();
    words.join(between)
}

fn at(path: &Option<String>) -> String {
    match path {
        Some(path) => format!(" at {path}"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::migration::Direction;
    use alloc::{collections::BTreeSet, vec};
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
    fn an_error_serialises_with_everything_it_names() {
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
        let json = serde_json::to_value(&error).unwrap();
        assert_eq!(json["code"], "lost_value");
        assert_eq!(json["message"], error.to_string());
        assert_eq!(json["store"], "cart");
        assert_eq!(json["step"], "2 -> 3 (up)");
        assert_eq!(json["path"], "note");
    }
}
