//! Three builds of one app, whose shared store has three schemas.

use std::rc::Rc;

use changeover::engine::migration::typed::{Chain, Step, StepError, Typed, Versioned};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::fleet::Build;

/// 1: a name in one piece. 2: in two, and a note. 3: the note is a list of notes.
#[derive(Serialize, Deserialize)]
pub struct V1 {
    pub name: String,
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

#[derive(Serialize, Deserialize)]
pub struct V2 {
    pub first: String,
    pub last: String,
    #[serde(default)]
    pub note: String,
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

#[derive(Serialize, Deserialize)]
pub struct V3 {
    pub first: String,
    pub last: String,
    pub notes: Vec<String>,
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Versioned for V1 {
    const SCHEMA: u32 = 1;
}

impl Versioned for V2 {
    const SCHEMA: u32 = 2;
}

impl Versioned for V3 {
    const SCHEMA: u32 = 3;
}

pub fn chain() -> Typed<V3> {
    Chain::<V1>::new("cart")
        .step(
            Step::try_up(|v: V1| {
                let (first, last) = v
                    .name
                    .split_once(' ')
                    .ok_or_else(|| StepError::new("has no space").at("name"))?;
                Ok(V2 {
                    first: first.into(),
                    last: last.into(),
                    note: String::new(),
                    rest: v.rest,
                })
            })
            .down(|v: V2| V1 {
                name: format!("{} {}", v.first, v.last),
                rest: v.rest,
            })
            .lossy_down(),
        )
        .step(
            Step::up(|v: V2| V3 {
                first: v.first,
                last: v.last,
                notes: v.note.lines().map(str::to_string).collect(),
                rest: v.rest,
            })
            .down(|v: V3| V2 {
                first: v.first,
                last: v.last,
                note: v.notes.join("\n"),
                rest: v.rest,
            }),
        )
        .build()
        .unwrap()
}

pub fn build(schema: u32) -> Build {
    let chain = Rc::new(chain());
    Build::new(chain.registry(), schema, Build::functions(chain.clone()))
}

pub fn name(name: &str) -> Value {
    json!({ "name": name })
}
