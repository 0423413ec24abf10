//! What every migration should hold to, as checks for an app's own tests.
//!
//! | law | check |
//! |---|---|
//! | every released schema has a path to the head | [`every_schema_reaches`] |
//! | what was stored then gives what is expected now | [`golden`] |
//! | `down(up(x)) = x`, unless `up` is lossy; `up(down(y)) = y`, unless `down` is lossy | [`round_trip`] |
//! | `up(down(up(x))) = up(x)` | [`round_trip`] |
//! | a field that a step does not know survives it | [`unknown_fields`] |
//!
//! ```
//! use changeover::engine::migration::laws::{self, Fixture};
//! use changeover::engine::migration::typed::{Chain, Step, Versioned};
//! # use serde::{Deserialize, Serialize};
//! # use serde_json::json;
//! # #[derive(Serialize, Deserialize)] struct V1 { a: u32 }
//! # #[derive(Serialize, Deserialize)] struct V2 { b: u32 }
//! # impl Versioned for V1 { const SCHEMA: u32 = 1; }
//! # impl Versioned for V2 { const SCHEMA: u32 = 2; }
//!
//! let store = Chain::<V1>::new("sum")
//!     .step(Step::up(|v: V1| V2 { b: v.a / 2 }).down(|v: V2| V1 { a: v.b * 2 }))
//!     .build()?;
//! let fixtures = [
//!     Fixture::new(1, json!({ "a": 4 })).becomes(json!({ "b": 2 })),
//!     Fixture::new(1, json!({ "a": 5 })),
//!     Fixture::new(2, json!({ "b": 2 })),
//! ];
//! assert!(laws::golden(&store, &fixtures).is_ok());
//! let broken = laws::round_trip(&store, &fixtures).unwrap_err();
//! assert_eq!(
//!     broken.to_string(),
//!     "store \"sum\", step 1 -> 2 (up): `down(up(x)) = x` is broken at a: 5 became 4; x = {\"a\":5}",
//! );
//! # Ok::<(), changeover::engine::migration::MigrationError>(())
//! ```

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use serde_json::Value;

use super::error::MigrationError;
use super::reconcile::{difference, joined};
use super::registry::{Loss, Registry};
use super::step::{Direction, Step, StepName, StepRef};
use super::typed::{StepError, Typed, Versioned};
use crate::engine::lineage::Lineage;

/// A store whose steps can be run on JSON values.
pub trait Steps {
    fn store(&self) -> &str;
    fn registry(&self) -> &Registry;
    fn run(&self, step: StepRef, value: Value) -> Result<Value, StepError>;
}

impl<Head: Versioned> Steps for Typed<Head> {
    fn store(&self) -> &str {
        Typed::store(self)
    }

    fn registry(&self) -> &Registry {
        Typed::registry(self)
    }

    fn run(&self, step: StepRef, value: Value) -> Result<Value, StepError> {
        Typed::run(self, step, value)
    }
}

/// A value as a released build stored it, kept for ever.
#[derive(Clone, Debug, PartialEq)]
pub struct Fixture {
    pub schema: u32,
    pub value: Value,
    /// The lineage stored beside it; finds a number that was given twice.
    pub lineage: Lineage,
    /// What it must become at the head.
    pub becomes: Option<Value>,
}

impl Fixture {
    pub fn new(schema: u32, value: Value) -> Self {
        Self {
            schema,
            value,
            lineage: Lineage::default(),
            becomes: None,
        }
    }

    pub fn with_lineage(mut self, lineage: Lineage) -> Self {
        self.lineage = lineage;
        self
    }

    pub fn becomes(mut self, expected: Value) -> Self {
        self.becomes = Some(expected);
        self
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    EverySchemaReaches,
    Golden,
    DownUp,
    UpDown,
    UpDownUp,
    UnknownFields,
}

impl Law {
    /// A stable name.
    pub fn code(self) -> &'static str {
        match self {
            Self::EverySchemaReaches => "every_schema_reaches",
            Self::Golden => "golden",
            Self::DownUp => "down_up",
            Self::UpDown => "up_down",
            Self::UpDownUp => "up_down_up",
            Self::UnknownFields => "unknown_fields",
        }
    }

    fn formula(self) -> &'static str {
        match self {
            Self::EverySchemaReaches => "every released schema reaches the head",
            Self::Golden => "a stored value becomes what is expected",
            Self::DownUp => "down(up(x)) = x",
            Self::UpDown => "up(down(x)) = x",
            Self::UpDownUp => "up(down(up(x))) = up(x)",
            Self::UnknownFields => "unknown fields are preserved",
        }
    }
}

/// A law that does not hold, with the value that shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Broken {
    pub store: String,
    pub law: Law,
    pub step: Option<StepName>,
    /// Where in the value.
    pub path: String,
    /// The counter-example, as small as it could be made.
    pub sample: Value,
    pub why: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "store {:?}", self.store)?;
        if let Some(step) = self.step {
            write!(f, ", step {step}")?;
        }
        write!(f, ": `{}` is broken", self.law.formula())?;
        if !self.path.is_empty() {
            write!(f, " at {}", self.path)?;
        }
        write!(f, ": {}", self.why)?;
        match self.sample {
            Value::Null => Ok(()),
            ref sample => write!(f, "; x = {sample}"),
        }
    }
}

impl core::error::Error for Broken {}

/// All laws; `released` are the schemas that users may still have.
pub fn all(steps: &impl Steps, released: &[u32], fixtures: &[Fixture]) -> Result<(), Broken> {
    every_schema_reaches(steps, released)?;
    golden(steps, fixtures)?;
    for schema in released {
        if !fixtures.iter().any(|fixture| fixture.schema == *schema) {
            let why = format!("schema {schema} was released and has no fixture");
            return Err(broken(steps, Law::Golden, None, why));
        }
    }
    round_trip(steps, fixtures)?;
    unknown_fields(steps, fixtures)
}

/// Every released schema has a path to the head without a loss.
pub fn every_schema_reaches(steps: &impl Steps, released: &[u32]) -> Result<(), Broken> {
    let reached = |schema: &u32| {
        let registry = steps.registry();
        let head = registry.head(steps.store())?;
        registry.plan(steps.store(), *schema, head, Loss::Refuse)
    };
    released.iter().try_for_each(|schema| {
        reached(schema)
            .map(|_| ())
            .map_err(|error| broken(steps, Law::EverySchemaReaches, None, error.to_string()))
    })
}

/// Every fixture arrives at the head, and as what is expected of it.
pub fn golden(steps: &impl Steps, fixtures: &[Fixture]) -> Result<(), Broken> {
    for fixture in fixtures {
        let fail = |why: String| Broken {
            sample: fixture.value.clone(),
            ..broken(steps, Law::Golden, None, why)
        };
        let planned = steps.registry().plan_stored(
            steps.store(),
            fixture.schema,
            &fixture.lineage,
            Loss::Accept,
        );
        let plan = planned.map_err(|error: MigrationError| fail(error.to_string()))?;
        let mut value = fixture.value.clone();
        for step in &plan.steps {
            value = steps.run(step.run, value).map_err(|error| Broken {
                step: Some(step.name),
                path: error.path.clone().unwrap_or_default(),
                ..fail(error.message)
            })?;
        }
        if let Some(expected) = &fixture.becomes
            && let Some(path) = difference(expected, &value)
        {
            return Err(Broken {
                why: format!(
                    "expected {}, found {}",
                    excerpt(expected, &path),
                    excerpt(&value, &path)
                ),
                path,
                ..fail(String::new())
            });
        }
    }
    Ok(())
}

/// Going there and back changes nothing, for every step that has a way back.
pub fn round_trip(steps: &impl Steps, fixtures: &[Fixture]) -> Result<(), Broken> {
    for step in single_steps(steps) {
        let Some(inverse) = step.inverse else {
            continue;
        };
        let laws: &[Law] = match (step.name.direction, step.lossy) {
            (Direction::Up, false) => &[Law::DownUp, Law::UpDownUp],
            (Direction::Up, true) => &[Law::UpDownUp],
            (Direction::Down, false) => &[Law::UpDown],
            (Direction::Down, true) => &[],
        };
        for fixture in fixtures.iter().filter(|it| it.schema == step.name.from) {
            for law in laws {
                let violated = |sample: &Value| violation(steps, *law, &step, inverse, sample);
                if let Some(first) = violated(&fixture.value) {
                    return Err(smallest(first, violated));
                }
            }
        }
    }
    Ok(())
}

/// A field that a step does not know is still there after it, wherever it has moved to.
pub fn unknown_fields(steps: &impl Steps, fixtures: &[Fixture]) -> Result<(), Broken> {
    for step in single_steps(steps) {
        for fixture in fixtures.iter().filter(|it| it.schema == step.name.from) {
            for place in objects(&fixture.value) {
                let marker = Value::from("kept by changeover's laws");
                let mut sample = fixture.value.clone();
                let Some(object) = sample.pointer_mut(&place).and_then(Value::as_object_mut) else {
                    continue;
                };
                object.insert(UNKNOWN.to_string(), marker.clone());
                let fail = |why: String| Broken {
                    path: path_of(&place, UNKNOWN),
                    sample: sample.clone(),
                    ..broken(steps, Law::UnknownFields, Some(step.name), why)
                };
                match steps.run(step.run, sample.clone()) {
                    Ok(after) if holds(&after, &marker) => {}
                    Ok(_) => return Err(fail("the field is gone".to_string())),
                    // Below the top, an object may be a dictionary whose every value has a meaning.
                    Err(_) if !place.is_empty() => {}
                    Err(error) => return Err(fail(error.to_string())),
                }
            }
        }
    }
    Ok(())
}

const UNKNOWN: &str = "unknownToThisStep";

/// Each registered step and each way back.
fn single_steps(steps: &impl Steps) -> Vec<Step> {
    steps
        .registry()
        .single_steps(steps.store())
        .unwrap_or_default()
}

fn violation(
    steps: &impl Steps,
    law: Law,
    step: &Step,
    inverse: StepRef,
    sample: &Value,
) -> Option<Broken> {
    let fail = |path: String, why: String| Broken {
        path,
        sample: sample.clone(),
        ..broken(steps, law, Some(step.name), why)
    };
    let there = |value: &Value| steps.run(step.run, value.clone());
    let back = |value: &Value| steps.run(inverse, value.clone());
    let pair = || -> Result<(Value, Value), StepError> {
        let arrived = there(sample)?;
        let returned = back(&arrived)?;
        match law {
            Law::UpDownUp => {
                let again = there(&returned)?;
                Ok((arrived, again))
            }
            _ => Ok((sample.clone(), returned)),
        }
    };
    match pair() {
        Err(error) => Some(fail(error.path.unwrap_or_default(), error.message)),
        Ok((expected, found)) => difference(&expected, &found).map(|path| {
            let why = format!(
                "{} became {}",
                excerpt(&expected, &path),
                excerpt(&found, &path)
            );
            fail(path, why)
        }),
    }
}

/// Takes parts out of the counter-example while it still shows the same.
fn smallest(mut broken: Broken, violated: impl Fn(&Value) -> Option<Broken>) -> Broken {
    // Each round removes one part, so the rounds are bounded by the size of the value; a huge one is shown as it is.
    for _ in 0..200 {
        let fewer = without_one_part(&broken.sample);
        let same = |other: &Broken| other.path == broken.path && other.why == broken.why;
        match fewer.iter().filter_map(&violated).find(same) {
            Some(smaller) => broken = smaller,
            None => return broken,
        }
    }
    broken
}

/// The value without one of its fields or elements, for each of them.
fn without_one_part(value: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    match value {
        Value::Object(object) => {
            for (key, inside) in object {
                let mut fewer = object.clone();
                fewer.remove(key);
                all.push(Value::Object(fewer));
                for smaller in without_one_part(inside) {
                    let mut other = object.clone();
                    other.insert(key.clone(), smaller);
                    all.push(Value::Object(other));
                }
            }
        }
        Value::Array(elements) => {
            for (at, inside) in elements.iter().enumerate() {
                let mut fewer = elements.clone();
                fewer.remove(at);
                all.push(Value::Array(fewer));
                for smaller in without_one_part(inside) {
                    let mut other = elements.clone();
                    other[at] = smaller;
                    all.push(Value::Array(other));
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    all
}

fn broken(steps: &impl Steps, law: Law, step: Option<StepName>, why: String) -> Broken {
    Broken {
        store: steps.store().to_string(),
        law,
        step,
        path: String::new(),
        sample: Value::Null,
        why,
    }
}

/// JSON pointers of all objects in a value.
fn objects(value: &Value) -> Vec<String> {
    fn collect(place: String, value: &Value, all: &mut Vec<String>) {
        match value {
            Value::Object(object) => {
                all.push(place.clone());
                for (key, inside) in object {
                    let escaped = key.replace('~', "~0").replace('/', "~1");
                    collect(format!("{place}/{escaped}"), inside, all);
                }
            }
            Value::Array(elements) => {
                for (at, inside) in elements.iter().enumerate() {
                    collect(format!("{place}/{at}"), inside, all);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut all = Vec::new();
    collect(String::new(), value, &mut all);
    all
}

/// A JSON pointer and a last key as people read them.
fn path_of(pointer: &str, last: &str) -> String {
    let segments = pointer.split('/').skip(1).collect::<Vec<_>>();
    segments
        .iter()
        .rev()
        .fold(last.to_string(), |rest, segment| {
            let segment = segment.replace("~1", "/").replace("~0", "~");
            match segment.parse::<usize>() {
                Ok(place) => joined(&format!("[{place}]"), &rest),
                Err(_) => joined(&segment, &rest),
            }
        })
}

fn holds(value: &Value, marker: &Value) -> bool {
    match value {
        Value::Object(object) => object
            .iter()
            .any(|(key, inside)| (key == UNKNOWN && inside == marker) || holds(inside, marker)),
        Value::Array(elements) => elements.iter().any(|inside| holds(inside, marker)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// What is at `path`, short enough for a sentence.
fn excerpt(value: &Value, path: &str) -> String {
    const LONGEST: usize = 80;
    let mut at = Some(value);
    for segment in path.split(['.', '[']).filter(|segment| !segment.is_empty()) {
        at = at.and_then(|value| match segment.strip_suffix(']') {
            Some(place) => place.parse::<usize>().ok().and_then(|at| value.get(at)),
            None => value.get(segment),
        });
    }
    let text = at.map_or("nothing".to_string(), ToString::to_string);
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
