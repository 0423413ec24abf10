//! Migrations and shared stores, used by `stores.js` alone.

mod convert;
mod host;

use std::{cell::RefCell, rc::Rc};

use js_sys::{Array, Object, Promise};
use wasm_bindgen::{JsCast, prelude::*};

use self::{
    convert::{
        count, now, numbers, plan_of, promised, read_seen, read_spec, reported, text, thrown, whole,
    },
    host::JsApp,
};
use super::report_panics;
use crate::{
    engine::{
        migration::{
            Handover, Loss, MigrationError, Plan, Registry, Run, RunInput, RunOptions, RunOutput,
            Taker,
        },
        store::{Capabilities, Reachability, Timing},
    },
    web::{
        reflect,
        store_driver::{self, Shared},
    },
};

/// The registered states and stores of a page.
#[wasm_bindgen]
pub struct Stores {
    registry: Rc<RefCell<Registry>>,
}

/// Most schemas of a store, the newest ones, that a build tells others it can translate between.
const SCHEMAS: usize = 64;

#[wasm_bindgen]
impl Stores {
    #[wasm_bindgen(constructor)]
    pub fn new(#[wasm_bindgen(unchecked_param_type = "Host")] host: JsValue) -> Stores {
        report_panics(&host);
        Stores {
            registry: Rc::default(),
        }
    }

    /// Takes a store with its steps; throws what is wrong with them.
    pub fn register(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Registration")] spec: JsValue,
    ) -> Result<(), JsValue> {
        let spec = read_spec(&spec);
        self.registry.borrow_mut().register(spec).map_err(thrown)
    }

    pub fn unregister(&self, #[wasm_bindgen(unchecked_param_type = "string")] store: JsValue) {
        self.registry.borrow_mut().unregister(&text(&store));
    }

    /// The steps that lead to a schema, as they are stored beside a value; without a number to the store's own.
    pub fn lineage(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] store: JsValue,
        #[wasm_bindgen(unchecked_param_type = "number | undefined")] schema: JsValue,
    ) -> Result<String, JsValue> {
        let registry = self.registry.borrow();
        let store = text(&store);
        let schema = match whole(&schema) {
            Some(schema) => schema,
            None => registry.head(&store).map_err(thrown)?,
        };
        let lineage = registry.lineage(&store, schema).map_err(thrown)?;
        Ok(lineage.to_text())
    }

    /// The way from one schema to another: `{lossy, steps}`.
    #[wasm_bindgen(unchecked_return_type = "Way")]
    pub fn way(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] store: JsValue,
        from: u32,
        to: u32,
    ) -> Result<JsValue, JsValue> {
        let registry = self.registry.borrow();
        let plan = registry.plan(&text(&store), from, to, Loss::Accept);
        let plan = plan.map_err(thrown)?;
        let way = Object::new();
        reflect::set(&way, "lossy", &plan.lossy.into());
        let steps = plan.steps.iter();
        let steps: Array = steps.map(|it| JsValue::from(it.name.to_text())).collect();
        reflect::set(&way, "steps", &steps);
        Ok(way.into())
    }

    /// Which schemas lead to which: `[from, to, lossy]` of each pair.
    #[wasm_bindgen(unchecked_return_type = "[number, number, boolean][]")]
    pub fn reach(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] store: JsValue,
    ) -> Result<JsValue, JsValue> {
        let ways = self.registry.borrow().ways(&text(&store), SCHEMAS);
        let ways = ways.map_err(thrown)?;
        let ways = ways
            .into_iter()
            .map(|(from, to, lossy)| Array::of3(&from.into(), &to.into(), &lossy.into()));
        Ok(ways.collect::<Array>().into())
    }

    /// In which schema a build that reads `taker` gets a state, `{to, also}`: `to` is null when it gets it as it is,
    /// `also` are older schemas that go along. Throws when there is no way back.
    #[wasm_bindgen(unchecked_return_type = "Handover")]
    pub fn handover(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] store: JsValue,
        #[wasm_bindgen(unchecked_param_type = "Taker | undefined")] taker: JsValue,
    ) -> Result<JsValue, JsValue> {
        let reads = numbers(&taker, "reads");
        let reads: Vec<u32> = reads.into_iter().map(|it| it as u32).collect();
        let taker = reflect::number(&taker, "schema").map(|schema| Taker {
            schema: schema as u32,
            reads: &reads,
        });
        let registry = self.registry.borrow();
        let handover = registry.handover(&text(&store), taker).map_err(thrown)?;
        let (to, also) = match handover {
            Handover::AsIs => (JsValue::NULL, Vec::new()),
            Handover::Down { to } => (to.into(), Vec::new()),
            Handover::Spread { to } => (JsValue::NULL, to),
        };
        let told = Object::new();
        reflect::set(&told, "to", &to);
        let also: Array = also.into_iter().map(JsValue::from).collect();
        reflect::set(&told, "also", &also);
        Ok(told.into())
    }

    /// Begins a migration of several values, all or nothing. Throws when one of them has no way.
    pub fn migrate(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Job[]")] jobs: JsValue,
        #[wasm_bindgen(unchecked_param_type = "RunOptions")] options: JsValue,
    ) -> Result<Migration, JsValue> {
        let flag = |name| reflect::property(&options, name).is_truthy();
        let loss = match flag("lossy") {
            true => Loss::Accept,
            false => Loss::Refuse,
        };
        let jobs: Array = jobs.dyn_into().unwrap_or_default();
        let registry = self.registry.borrow();
        let plans: Result<Vec<Plan>, MigrationError> = jobs
            .iter()
            .map(|job| plan_of(&registry, &job, loss))
            .collect();
        let defaults = RunOptions::default();
        let options = RunOptions {
            budget: reflect::number(&options, "budget").unwrap_or(defaults.budget),
            dry: flag("dry"),
            verify: flag("verify"),
        };
        let run = Run::new(plans.map_err(thrown)?, options, now());
        Ok(Migration {
            run: RefCell::new(run),
        })
    }

    /// Whether a shared store exists: a promise of true, false, or of why that cannot be found out.
    pub fn exists(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] scope: JsValue,
        #[wasm_bindgen(unchecked_param_type = "string")] store: JsValue,
    ) -> Promise {
        promised(move |resolve| {
            store_driver::exists(&text(&scope), &text(&store), move |exists| {
                resolve(exists.map_or_else(JsValue::from, JsValue::from));
            });
        })
    }

    /// Opens a registered store. Throws when it is not registered.
    pub fn open(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] store: JsValue,
        #[wasm_bindgen(unchecked_param_type = "OpenOptions")] options: JsValue,
        #[wasm_bindgen(unchecked_param_type = "StoreHost")] host: JsValue,
    ) -> Result<OpenStore, JsValue> {
        let store = text(&store);
        let registry = self.registry.borrow();
        let schema = registry.head(&store).map_err(thrown)?;
        let defaults = Timing::default();
        let span = |name, default| reflect::number(&options, name).unwrap_or(default);
        let build = Capabilities {
            schema,
            build: reflect::text(&options, "build").unwrap_or_default(),
            ways: Reachability::new(registry.ways(&store, SCHEMAS).map_err(thrown)?),
            lineage: registry.lineage(&store, schema).map_err(thrown)?,
            accepts: numbers(&options, "accepts"),
            expand: true,
            locks: crate::web::locks::has_locks(),
            timing: Timing {
                dwell: span("dwell", defaults.dwell),
                retention: span("retention", defaults.retention),
                census: span("census", defaults.census),
            },
            batch: reflect::number(&options, "batch").map_or(500, |it| it as usize),
        };
        let initial = reflect::property(&options, "initial").dyn_into::<Array>();
        let initial = initial.unwrap_or_default();
        let initial = initial.iter().map(|pair| {
            let pair: Array = pair.unchecked_into();
            (text(&pair.get(0)), pair.get(1))
        });
        let app = JsApp {
            host,
            store: store.clone(),
            registry: self.registry.clone(),
        };
        let scope = reflect::text(&options, "scope").unwrap_or_default();
        let initial = initial.collect();
        Ok(OpenStore(Shared::open(
            &scope,
            &store,
            build,
            initial,
            Box::new(app),
        )))
    }
}

/// One migration under way: ask `next` until it is a `wake`, answer with `feed`.
#[wasm_bindgen]
pub struct Migration {
    run: RefCell<Run>,
}

#[wasm_bindgen]
impl Migration {
    #[wasm_bindgen(unchecked_return_type = "RunOutput")]
    pub fn next(&self) -> JsValue {
        let output = self.run.borrow_mut().poll_output();
        let object = Object::new();
        let set = |name, value: &JsValue| reflect::set(&object, name, value);
        let kind = match output {
            RunOutput::Snapshot { store } => {
                set("store", &store.into());
                "snapshot"
            }
            RunOutput::RunStep {
                store,
                index,
                name,
                step,
                is_async: _,
            } => {
                set("store", &store.into());
                set("index", &count(index));
                set("name", &name.to_text().into());
                set("step", &step.0.into());
                "runStep"
            }
            RunOutput::GoBack { store, index, step } => {
                set("store", &store.into());
                set("index", &count(index));
                set("step", &step.0.into());
                "goBack"
            }
            RunOutput::Validate { store, schema } => {
                set("store", &store.into());
                set("schema", &schema.into());
                "validate"
            }
            RunOutput::Progress { done, total } => {
                set("done", &count(done));
                set("total", &count(total));
                "progress"
            }
            RunOutput::Ready { stores } => {
                let stores = stores
                    .into_iter()
                    .map(|it| Array::of2(&it.store.into(), &it.schema.into()));
                set("stores", &stores.collect::<Array>());
                "ready"
            }
            RunOutput::Failed { error } => {
                set("error", &thrown(error));
                "failed"
            }
            RunOutput::Reported { report } => {
                let stores: Array = report.stores.into_iter().map(reported).collect();
                set("stores", &stores);
                "reported"
            }
            RunOutput::Wake { at } => {
                let at = at.map_or(JsValue::NULL, |at| JsValue::from(at.0 as f64));
                set("at", &at);
                "wake"
            }
        };
        set("type", &kind.into());
        object.into()
    }

    pub fn feed(&self, #[wasm_bindgen(unchecked_param_type = "RunInput")] input: JsValue) {
        let text = |name| reflect::text(&input, name);
        let store = text("store").unwrap_or_default();
        let index = reflect::number(&input, "index").unwrap_or_default() as usize;
        let message = text("message").unwrap_or_default();
        let path = text("path");
        let input = match text("type").unwrap_or_default().as_str() {
            "snapshotTaken" => RunInput::SnapshotTaken { store },
            "snapshotFailed" => RunInput::SnapshotFailed { store, message },
            "stepDone" => RunInput::StepDone { store, index },
            "stepFailed" => RunInput::StepFailed {
                store,
                index,
                message,
                path,
            },
            "restored" => RunInput::Restored { store, index },
            "notRestored" => RunInput::NotRestored {
                store,
                index,
                path: path.unwrap_or_default(),
            },
            "validated" => RunInput::Validated { store },
            "invalid" => RunInput::Invalid {
                store,
                path,
                message,
            },
            "cancelled" => RunInput::Cancelled,
            _ => RunInput::Woke,
        };
        self.run.borrow_mut().handle_input(input, now());
    }
}

/// One open store.
#[wasm_bindgen]
pub struct OpenStore(Shared);

#[wasm_bindgen]
impl OpenStore {
    pub fn read(&self, id: u32, #[wasm_bindgen(unchecked_param_type = "string")] key: JsValue) {
        self.0.read(id, text(&key));
    }

    pub fn list(
        &self,
        id: u32,
        #[wasm_bindgen(unchecked_param_type = "string | undefined")] after: JsValue,
        limit: u32,
    ) {
        self.0.list(id, after.as_string(), limit as usize);
    }

    /// `seen`: `undefined`, or what the record must still be: `[writer, count]`, or `null` for none.
    pub fn write(
        &self,
        id: u32,
        #[wasm_bindgen(unchecked_param_type = "string")] key: JsValue,
        value: JsValue,
        #[wasm_bindgen(unchecked_param_type = "Seen")] seen: JsValue,
    ) {
        self.0.write(id, text(&key), value, read_seen(&seen));
    }

    pub fn delete(
        &self,
        id: u32,
        #[wasm_bindgen(unchecked_param_type = "string")] key: JsValue,
        #[wasm_bindgen(unchecked_param_type = "Seen")] seen: JsValue,
    ) {
        self.0.delete(id, text(&key), read_seen(&seen));
    }

    /// Without a key: to all records.
    pub fn listen(&self, #[wasm_bindgen(unchecked_param_type = "string | null")] key: JsValue) {
        self.0.listen(key.as_string().as_deref());
    }

    pub fn unlisten(&self, #[wasm_bindgen(unchecked_param_type = "string | null")] key: JsValue) {
        self.0.unlisten(key.as_string().as_deref());
    }

    pub fn revive(&self, schema: u32) {
        self.0.revive(schema);
    }

    /// The layout as JSON text; empty while it is not known.
    pub fn head(&self) -> String {
        self.0.head().map(|head| head.to_json()).unwrap_or_default()
    }

    /// A portion of a left schema: a promise of `{rows: [key, value][], last}`, or of `undefined`.
    #[wasm_bindgen(js_name = readBackup)]
    pub fn read_backup(
        &self,
        schema: u32,
        #[wasm_bindgen(unchecked_param_type = "string | undefined")] after: JsValue,
        limit: u32,
    ) -> Promise {
        promised(|resolve| {
            let after = after.as_string();
            self.0
                .read_backup(schema, after, limit as usize, move |found| {
                    let Some((rows, last)) = found else {
                        return resolve(JsValue::UNDEFINED);
                    };
                    let rows = rows
                        .into_iter()
                        .map(|row| Array::of2(&row.key.into(), &row.recipe.value));
                    let portion = Object::new();
                    reflect::set(&portion, "rows", &rows.collect::<Array>());
                    reflect::set(&portion, "last", &last.into());
                    resolve(portion.into());
                });
        })
    }

    /// Drops a left schema: a promise of whether it is gone.
    #[wasm_bindgen(js_name = dropBackup)]
    pub fn drop_backup(&self, schema: u32) -> Promise {
        promised(|resolve| self.0.drop_backup(schema, move |gone| resolve(gone.into())))
    }

    pub fn close(&self) {
        self.0.close();
    }
}
