//! Migrations between Rust types.
//!
//! Each schema is a type, each step a function from one to the next, so a step that is missing does not compile:
//!
//! ```
//! use changeover::engine::migration::typed::{Chain, Step, Versioned};
//! use serde::{Deserialize, Serialize};
//! use serde_json::json;
//!
//! #[derive(Serialize, Deserialize)]
//! struct CartV1 { items: Vec<String> }
//! #[derive(Serialize, Deserialize)]
//! struct CartV2 { items: Vec<String>, note: String }
//! #[derive(Serialize, Deserialize, Debug, PartialEq)]
//! struct CartV3 { lines: Vec<Line>, note: String }
//! #[derive(Serialize, Deserialize, Debug, PartialEq)]
//! struct Line { name: String, count: u32 }
//!
//! impl Versioned for CartV1 { const SCHEMA: u32 = 1; }
//! impl Versioned for CartV2 { const SCHEMA: u32 = 2; }
//! impl Versioned for CartV3 { const SCHEMA: u32 = 3; }
//!
//! let cart = Chain::<CartV1>::new("cart")
//!     .step(Step::up(|v: CartV1| CartV2 { items: v.items, note: String::new() })
//!         .down(|v: CartV2| CartV1 { items: v.items })
//!         .lossy_down())
//!     .step(Step::up(|v: CartV2| CartV3 {
//!         lines: v.items.into_iter().map(|name| Line { name, count: 1 }).collect(),
//!         note: v.note,
//!     }))
//!     .build()?;
//!
//! let stored = json!({ "items": ["tea"] });
//! let loaded = cart.load(1, &cart.lineage(1), stored)?;
//! assert_eq!(loaded.lines, [Line { name: "tea".into(), count: 1 }]);
//!
//! let error = cart.load(1, &cart.lineage(1), json!({ "items": ["tea", 5] })).unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "store \"cart\": the step 1 -> 2 (up) failed at items[1]: invalid type: integer `5`, expected a string",
//! );
//! # Ok::<(), changeover::engine::migration::MigrationError>(())
//! ```
//!
//! ```compile_fail
//! # use changeover::engine::migration::typed::{Chain, Step, Versioned};
//! # use serde::{Deserialize, Serialize};
//! # #[derive(Serialize, Deserialize)] struct V1;
//! # #[derive(Serialize, Deserialize)] struct V2;
//! # #[derive(Serialize, Deserialize)] struct V3;
//! # impl Versioned for V1 { const SCHEMA: u32 = 1; }
//! # impl Versioned for V2 { const SCHEMA: u32 = 2; }
//! # impl Versioned for V3 { const SCHEMA: u32 = 3; }
//! // The step from V1 to V2 is missing.
//! let chain = Chain::<V1>::new("cart").step(Step::up(|_: V2| V3));
//! ```
//!
//! A type that wants to keep fields it does not know, as it should, ends in
//! `#[serde(flatten)] rest: serde_json::Map<String, serde_json::Value>`.

use alloc::{
    boxed::Box,
    string::{String, ToString},
    vec::Vec,
};
use core::{fmt, marker::PhantomData};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::error::{Kind, MigrationError};
use super::registry::{Edge, Loss, Plan, Registry, StoreSpec};
use super::step::StepRef;
use crate::engine::lineage::{Lineage, content_hash};

/// Reads a type out of a JSON value; the error says where in the value it went wrong.
fn decode<T: DeserializeOwned>(value: &Value) -> Result<T, StepError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        StepError {
            message: error.inner().to_string(),
            path: (path != ".").then_some(path),
        }
    })
}

/// A type that is one schema of a store.
pub trait Versioned: Serialize + DeserializeOwned + 'static {
    const SCHEMA: u32;
}

/// The step from a type to the next, for [`migrations!`](crate::migrations).
pub trait Migrate<To>: Sized {
    fn migrate(self) -> Result<To, StepError>;
}

/// Why a step cannot translate a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepError {
    pub message: String,
    /// Where in the value, as `items[0].price`.
    pub path: Option<String>,
}

impl StepError {
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            path: None,
        }
    }

    /// Says where in the value.
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(f, "at {path}: {}", self.message),
            None => write!(f, "{}", self.message),
        }
    }
}

impl core::error::Error for StepError {}

impl From<&str> for StepError {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}

impl From<String> for StepError {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

type Function<A, B> = Box<dyn Fn(A) -> Result<B, StepError> + Send + Sync>;

/// A step between two types, with its way back if it has one.
pub struct Step<A, B> {
    up: Function<A, B>,
    down: Option<Function<B, A>>,
    lossy_up: bool,
    lossy_down: bool,
    cost: u32,
    hash: u64,
}

impl<A, B> Step<A, B> {
    /// A step that always works.
    pub fn up(up: impl Fn(A) -> B + Send + Sync + 'static) -> Self {
        Self::try_up(move |value| Ok(up(value)))
    }

    /// A step that may find a value it cannot translate.
    pub fn try_up(up: impl Fn(A) -> Result<B, StepError> + Send + Sync + 'static) -> Self {
        Self {
            up: Box::new(up),
            down: None,
            lossy_up: false,
            lossy_down: false,
            cost: 1,
            hash: 0,
        }
    }

    pub fn down(self, down: impl Fn(B) -> A + Send + Sync + 'static) -> Self {
        self.try_down(move |value| Ok(down(value)))
    }

    pub fn try_down(
        mut self,
        down: impl Fn(B) -> Result<A, StepError> + Send + Sync + 'static,
    ) -> Self {
        self.down = Some(Box::new(down));
        self
    }

    /// `up` drops something that `down` cannot bring back.
    pub fn lossy_up(mut self) -> Self {
        self.lossy_up = true;
        self
    }

    /// `down` drops something that `up` cannot bring back.
    pub fn lossy_down(mut self) -> Self {
        self.lossy_down = true;
        self
    }

    /// At least 1, which is the default; the cheapest path is taken.
    pub fn cost(mut self, cost: u32) -> Self {
        self.cost = cost;
        self
    }

    /// Anything that changes when the meaning of the step does: tells apart two branches that use the same number.
    pub fn content(mut self, content: &str) -> Self {
        self.hash = content_hash(content.as_bytes());
        self
    }
}

/// The schemas of a store up to `Head`, being listed.
pub struct Chain<Head> {
    spec: StoreSpec,
    functions: Vec<Function<Value, Value>>,
    head: PhantomData<fn() -> Head>,
}

impl<First: Versioned> Chain<First> {
    /// Begins with the oldest schema that is still read.
    pub fn new(store: impl Into<String>) -> Self {
        Self {
            spec: StoreSpec::new(store, First::SCHEMA),
            functions: Vec::new(),
            head: PhantomData,
        }
    }
}

impl<Head: Versioned> Chain<Head> {
    /// Goes on to the next schema, which must have a higher number.
    pub fn step<Next: Versioned>(mut self, step: Step<Head, Next>) -> Chain<Next> {
        const {
            assert!(
                Head::SCHEMA < Next::SCHEMA,
                "the next schema needs a higher number"
            )
        };
        self.add(step);
        self.spec.head = Next::SCHEMA;
        Chain {
            spec: self.spec,
            functions: self.functions,
            head: PhantomData,
        }
    }

    /// Adds a step beside the chain: a shortcut, or the schema of another branch.
    pub fn also<A: Versioned, B: Versioned>(mut self, step: Step<A, B>) -> Self {
        self.add(step);
        self
    }

    /// Takes lossy paths where there is no other.
    pub fn allow_lossy(mut self) -> Self {
        self.spec.allow_lossy = true;
        self
    }

    /// Takes values of a foreign lineage with this set hash as its own.
    pub fn accept(mut self, set_hash: u64) -> Self {
        self.spec.accepts.push(set_hash);
        self
    }

    /// Checks what [`Registry::register`] checks.
    pub fn build(self) -> Result<Typed<Head>, MigrationError> {
        let store = self.spec.name.clone();
        let mut registry = Registry::new();
        registry.register(self.spec)?;
        Ok(Typed {
            store,
            registry,
            functions: self.functions,
            head: PhantomData,
        })
    }

    fn add<A: Versioned, B: Versioned>(&mut self, step: Step<A, B>) {
        let up = self.keep(step.up);
        let mut edge = Edge::new(A::SCHEMA, B::SCHEMA, up);
        edge.down = step.down.map(|down| self.keep(down));
        edge.lossy_up = step.lossy_up;
        edge.lossy_down = step.lossy_down;
        edge.cost = step.cost;
        edge.hash = step.hash;
        self.spec.edges.push(edge);
    }

    fn keep<A: Versioned, B: Versioned>(&mut self, function: Function<A, B>) -> StepRef {
        let place = StepRef(self.functions.len() as u32);
        self.functions.push(Box::new(move |value| {
            let value = decode(&value)?;
            encoded(&function(value)?)
        }));
        place
    }
}

/// A store whose schemas are Rust types; `Head` is the one this build works with.
pub struct Typed<Head> {
    store: String,
    registry: Registry,
    functions: Vec<Function<Value, Value>>,
    head: PhantomData<fn() -> Head>,
}

impl<Head: Versioned> Typed<Head> {
    pub fn store(&self) -> &str {
        &self.store
    }

    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// What to store together with a value of `schema`.
    pub fn lineage(&self, schema: u32) -> Lineage {
        let lineage = self.registry.lineage(&self.store, schema);
        lineage.unwrap_or_default()
    }

    /// Reads what was stored as `schema`, with the lineage that was stored beside it.
    pub fn load(
        &self,
        schema: u32,
        lineage: &Lineage,
        stored: Value,
    ) -> Result<Head, MigrationError> {
        let loss = Loss::Refuse;
        let plan = self
            .registry
            .plan_stored(&self.store, schema, lineage, loss)?;
        let value = self.walk(&plan, stored)?;
        decode(&value).map_err(|error| self.invalid(Head::SCHEMA, error))
    }

    /// The value as this build stores it.
    pub fn save(&self, value: &Head) -> Result<Value, MigrationError> {
        encoded(value).map_err(|error| self.invalid(Head::SCHEMA, error))
    }

    /// The value as another build stores it; its lossy steps are accepted when there is no other path.
    pub fn save_as(&self, schema: u32, value: &Head) -> Result<Value, MigrationError> {
        self.migrate(Head::SCHEMA, schema, self.save(value)?, Loss::Accept)
    }

    /// Takes a value from any schema to any other.
    pub fn migrate(
        &self,
        from: u32,
        to: u32,
        value: Value,
        loss: Loss,
    ) -> Result<Value, MigrationError> {
        let plan = self.registry.plan(&self.store, from, to, loss)?;
        self.walk(&plan, value)
    }

    /// Runs one step that a plan names.
    pub fn run(&self, step: StepRef, value: Value) -> Result<Value, StepError> {
        match self.functions.get(step.0 as usize) {
            Some(function) => function(value),
            None => Err(StepError::new("there is no such step")),
        }
    }

    fn walk(&self, plan: &Plan, value: Value) -> Result<Value, MigrationError> {
        plan.steps.iter().try_fold(value, |value, step| {
            self.run(step.run, value).map_err(|error| {
                let kind = Kind::StepFailed {
                    step: step.name,
                    path: error.path,
                    message: error.message,
                };
                MigrationError::new(&self.store, kind)
            })
        })
    }

    fn invalid(&self, schema: u32, error: StepError) -> MigrationError {
        let kind = Kind::Invalid {
            schema,
            path: error.path,
            message: error.message,
        };
        MigrationError::new(&self.store, kind)
    }
}

fn encoded<T: Serialize>(value: &T) -> Result<Value, StepError> {
    serde_json::to_value(value).map_err(|error| StepError::new(error.to_string()))
}

/// Lists the types of a store, oldest first, each with a [`Migrate`](crate::engine::migration::typed::Migrate) to the next:
/// `migrations!("cart": V1 => V2 => V3)`.
///
/// ```
/// use changeover::engine::migration::typed::{Migrate, StepError, Versioned};
/// use changeover::migrations;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize)] struct V1 { price: String }
/// # #[derive(Serialize, Deserialize)] struct V2 { cents: u32 }
/// # impl Versioned for V1 { const SCHEMA: u32 = 1; }
/// # impl Versioned for V2 { const SCHEMA: u32 = 2; }
///
/// impl Migrate<V2> for V1 {
///     fn migrate(self) -> Result<V2, StepError> {
///         let cents = self.price.replace('.', "").parse();
///         let cents = cents.map_err(|_| StepError::new("is no price").at("price"))?;
///         Ok(V2 { cents })
///     }
/// }
///
/// let store = migrations!("price": V1 => V2).build()?;
/// let loaded = store.load(1, &store.lineage(1), serde_json::json!({ "price": "1.50" }))?;
/// assert_eq!(loaded.cents, 150);
/// # Ok::<(), changeover::engine::migration::MigrationError>(())
/// ```
///
/// A type without the step to its neighbour does not compile:
///
/// ```compile_fail
/// # use changeover::engine::migration::typed::Versioned;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize)] struct V1;
/// # #[derive(Serialize, Deserialize)] struct V2;
/// # impl Versioned for V1 { const SCHEMA: u32 = 1; }
/// # impl Versioned for V2 { const SCHEMA: u32 = 2; }
/// let store = changeover::migrations!("price": V1 => V2).build();
/// ```
#[macro_export]
macro_rules! migrations {
    ($store:literal : $first:ty $(=> $rest:ty)*) => {
        $crate::migrations!(
            @ $crate::engine::migration::typed::Chain::<$first>::new($store), $first $(=> $rest)*
        )
    };
    (@ $chain:expr, $last:ty) => { $chain };
    (@ $chain:expr, $first:ty => $next:ty $(=> $rest:ty)*) => {
        $crate::migrations!(
            @ $chain.step($crate::engine::migration::typed::Step::try_up(
                <$first as $crate::engine::migration::typed::Migrate<$next>>::migrate
            )),
            $next $(=> $rest)*
        )
    };
}

#[cfg(test)]
mod tests;
