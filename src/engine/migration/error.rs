//! Why a registration, a plan or a run of migrations is refused.

use alloc::{string::String, vec::Vec};
use core::fmt;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::step::StepName;
use crate::{
    engine::{
        excerpt::quoted,
        lineage::{Disagreement, HASH_DIGITS, numbers},
    },
    rng::hexadecimal,
    time::Millis,
};

/// Why a registration, a plan or a run is refused. Names the store, the step and, where there is one, the value path.
///
/// Its JSON is `{code, message, store, step, path}`.
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
            store: store.into(),
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
            | Kind::Lost { step, .. } => Some(step.to_text()),
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

    /// What is wrong, in a sentence.
    pub fn sentence(&self) -> String {
        format!("store {}{}", quoted(&self.store), self.kind.sentence())
    }
}

impl Kind {
    fn sentence(&self) -> String {
        match self {
            Kind::UnknownStore => " is not registered".into(),
            Kind::DuplicateStore => " is registered twice".into(),
            Kind::TooManySteps { count, limit } => {
                format!(" has {} steps, more than {}", count, limit)
            }
            Kind::TooManySchemas { count, limit } => {
                format!(" has {} schemas, more than {}", count, limit)
            }
            Kind::InvalidCost { from, to } => format!(
                ": the step {} has cost 0; the least is 1",
                numbers(&[*from, *to], ARROW)
            ),
            Kind::SelfStep { schema } => format!(
                ": the step {} leads nowhere; a changed shape needs a new schema number",
                numbers(&[*schema, *schema], ARROW)
            ),
            Kind::DuplicateStep { from, to, hashes } => {
                let mut sentence = format!(
                    ": the step {} is registered twice",
                    numbers(&[*from, *to], ARROW)
                );
                if hashes.0 != hashes.1 {
                    sentence.push_str(&format!(
                        ", with different content (hashes {} and {})",
                        hexadecimal(hashes.0, HASH_DIGITS),
                        hexadecimal(hashes.1, HASH_DIGITS)
                    ));
                }
                sentence
            }
            Kind::Cycle { schemas } => {
                format!(": the steps {} go in a circle", numbers(schemas, ARROW))
            }
            Kind::Ambiguous { first, second } => format!(
                ": the paths {} and {} cost the same; give one of their steps another cost",
                numbers(first, ARROW),
                numbers(second, ARROW)
            ),
            Kind::Gap { from, to, reached } => {
                let start = numbers(&[*from], "");
                let mut sentence = format!(
                    ": no path leads from schema {start} to {}",
                    numbers(&[*to], "")
                );
                sentence.push_str(&match reached.is_empty() {
                    true => format!("; no step starts at {start}"),
                    false => format!("; from {start} the steps reach {}", numbers(reached, COMMA)),
                });
                sentence
            }
            Kind::LossyOnly { from, to, steps } => {
                let mut lossy = String::new();
                for (place, step) in steps.iter().enumerate() {
                    let between = if place == 0 { "" } else { COMMA };
                    lossy.push_str(&format!("{between}{}", step.to_text()));
                }
                format!(
                    ": every path from schema {} to {} is lossy, here through {lossy}, and a loss is not allowed",
                    numbers(&[*from], ""),
                    numbers(&[*to], "")
                )
            }
            Kind::UnknownSchema {
                schema,
                head,
                known,
            } => format!(
                " holds schema {}, which this build (head {}, knows {}) does not know",
                numbers(&[*schema], ""),
                numbers(&[*head], ""),
                numbers(known, COMMA)
            ),
            Kind::ForeignLineage {
                schema,
                disagreement,
                set_hash,
            } => format!(
                " holds schema {} of another lineage ({}): {}",
                numbers(&[*schema], ""),
                hexadecimal(*set_hash, HASH_DIGITS),
                disagreement.sentence()
            ),
            Kind::SnapshotFailed { message } => format!(": its snapshot failed: {message}"),
            Kind::SnapshotTimedOut { budget } => format!(": its snapshot{}", longer_than(*budget)),
            Kind::StepFailed {
                step,
                path,
                message,
            } => format!(
                ": the step {} failed{}: {message}",
                step.to_text(),
                at(path)
            ),
            Kind::StepTimedOut { step, budget } => {
                format!(": the step {}{}", step.to_text(), longer_than(*budget))
            }
            Kind::Lost { step, path } => format!(
                ": the step {} loses {path}: going back does not restore it, and the step is not marked lossy",
                step.to_text()
            ),
            Kind::Invalid {
                schema,
                path,
                message,
            } => format!(
                ": its value is not valid as schema {}{}: {message}",
                numbers(&[*schema], ""),
                at(path)
            ),
            Kind::ValidationTimedOut { schema, budget } => format!(
                ": validating its value as schema {}{}",
                numbers(&[*schema], ""),
                longer_than(*budget)
            ),
            Kind::Cancelled => ": the migration was cancelled".into(),
        }
    }
}

impl fmt::Display for MigrationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence())
    }
}

impl fmt::Debug for MigrationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MigrationError({}: {self})", self.code())
    }
}

impl core::error::Error for MigrationError {}

/// What JavaScript makes an error of.
impl Serialize for MigrationError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("MigrationError", 5)?;
        fields.serialize_field("code", self.code())?;
        fields.serialize_field("message", &self.sentence())?;
        fields.serialize_field("store", &self.store)?;
        fields.serialize_field("step", &self.step())?;
        fields.serialize_field("path", &self.path())?;
        fields.end()
    }
}

const ARROW: &str = " -> ";
const COMMA: &str = ", ";

fn longer_than(budget: Millis) -> String {
    format!(" took longer than {budget} ms")
}

fn at(path: &Option<String>) -> String {
    match path {
        Some(path) => format!(" at {path}"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests;
