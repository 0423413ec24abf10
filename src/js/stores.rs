//! Migrations and shared stores, used by `stores.js` alone.

use std::{cell::RefCell, rc::Rc};

use js_sys::{Array, Function, Object, Promise};
use wasm_bindgen::{JsCast, prelude::*};

use super::report_panics;
use crate::{
    engine::{
        durable::{
            Capabilities, DurableError, Hop, Mode, Ours, Recipe, Reply, Seen, Stamp, Timing,
            Untranslated, Ways,
        },
        io::Timestamp,
        lineage::{Lineage, content_hash},
        migration::{
            Edge, Handover, Loss, MigrationError, Outcome, Plan, Registry, Run, RunInput,
            RunOptions, RunOutput, StepRef, StoreReport, StoreSpec, Taker,
        },
        written::ToJson,
    },
    web::{
        handle::{self, settle},
        json,
        shared::{self, App, Progress, Shared, Translated},
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
        if let Ok(shield) = json::property(&host, "shield").dyn_into() {
            handle::set_shield(shield);
        }
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
        json::set(&way, "lossy", &plan.lossy.into());
        let steps = plan.steps.iter();
        let steps: Array = steps.map(|it| JsValue::from(it.name.to_text())).collect();
        json::set(&way, "steps", &steps);
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
        let taker = json::number(&taker, "schema").map(|schema| Taker {
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
        json::set(&told, "to", &to);
        let also: Array = also.into_iter().map(JsValue::from).collect();
        json::set(&told, "also", &also);
        Ok(told.into())
    }

    /// Begins a migration of several values, all or nothing. Throws when one of them has no way.
    pub fn migrate(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Job[]")] jobs: JsValue,
        #[wasm_bindgen(unchecked_param_type = "RunOptions")] options: JsValue,
    ) -> Result<Migration, JsValue> {
        let flag = |name| json::property(&options, name).is_truthy();
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
            budget: json::number(&options, "budget").unwrap_or(defaults.budget),
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
            shared::exists(&text(&scope), &text(&store), move |exists| {
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
        let span = |name, default| json::number(&options, name).unwrap_or(default);
        let build = Capabilities {
            schema,
            build: json::text(&options, "build").unwrap_or_default(),
            ways: Ways::new(registry.ways(&store, SCHEMAS).map_err(thrown)?),
            lineage: registry.lineage(&store, schema).map_err(thrown)?,
            accepts: numbers(&options, "accepts"),
            expand: true,
            locks: crate::web::locks::has_locks(),
            timing: Timing {
                dwell: span("dwell", defaults.dwell),
                retention: span("retention", defaults.retention),
                census: span("census", defaults.census),
            },
            batch: json::number(&options, "batch").map_or(500, |it| it as usize),
        };
        let initial = json::property(&options, "initial").dyn_into::<Array>();
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
        let scope = json::text(&options, "scope").unwrap_or_default();
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
        let set = |name, value: &JsValue| json::set(&object, name, value);
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
        let text = |name| json::text(&input, name);
        let store = text("store").unwrap_or_default();
        let index = json::number(&input, "index").unwrap_or_default() as usize;
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
                    json::set(&portion, "rows", &rows.collect::<Array>());
                    json::set(&portion, "last", &last.into());
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

/// The object that `stores.js` hands in for each store.
struct JsApp {
    host: JsValue,
    store: String,
    registry: Rc<RefCell<Registry>>,
}

impl JsApp {
    fn tell(&self, method: &str, arguments: &Array) {
        if let Ok(method) = json::property(&self.host, method).dyn_into::<Function>() {
            let _ = method.apply(&self.host, arguments);
        }
    }

    /// The recipes as JavaScript reads them: `[value, [[steps, ours?], …]]`, where `ours` is `[value, there]` with the
    /// steps to where it is known below, and from there to where the hop begins.
    fn written(&self, recipes: Vec<Recipe<JsValue>>) -> Result<Array, MigrationError> {
        let mut ways = Vec::<((u32, u32), Array)>::new();
        let mut way = |from: u32, to: u32| -> Result<Array, MigrationError> {
            if let Some((_, steps)) = ways.iter().find(|(ends, _)| *ends == (from, to)) {
                return Ok(steps.clone());
            }
            let registry = self.registry.borrow();
            let plan = registry.plan(&self.store, from, to, Loss::Accept)?;
            let steps: Array = plan
                .steps
                .iter()
                .map(|it| JsValue::from(it.run.0))
                .collect();
            ways.push(((from, to), steps.clone()));
            Ok(steps)
        };
        let all = Array::new();
        for recipe in recipes {
            let hops = Array::new();
            for Hop { from, to, ours } in recipe.hops {
                let steps = way(from, to)?;
                let hop = Array::of1(&steps);
                if let Some(Ours { value, base }) = ours {
                    let mut there = way(to, base)?;
                    if base != from {
                        there = there.concat(&way(base, from)?);
                    }
                    hop.push(&Array::of2(&value, &there));
                }
                hops.push(&hop);
            }
            all.push(&Array::of2(&recipe.value, &hops));
        }
        Ok(all)
    }
}

impl App for JsApp {
    fn translate(&self, recipes: Vec<Recipe<JsValue>>, check: Option<u32>, done: Translated) {
        let own = self.registry.borrow().head(&self.store).ok();
        let end = |it: &Recipe<JsValue>| it.hops.last().map_or(it.schema, |hop| hop.to);
        let read = own.filter(|own| recipes.iter().all(|it| end(it) == *own));
        let recipes = match self.written(recipes) {
            Ok(recipes) => recipes,
            Err(error) => {
                return done(Err((0, error.sentence().into())));
            }
        };
        let schema = check.or(read).map_or(JsValue::UNDEFINED, JsValue::from);
        let arguments = Array::of3(&recipes, &schema, &check.is_some().into());
        let answer = json::property(&self.host, "translate")
            .dyn_into::<Function>()
            .and_then(|method| method.apply(&self.host, &arguments));
        let failed = |error: JsValue| {
            let place = json::number(&error, "place").unwrap_or_default();
            let message = json::text(&error, "message");
            let why = Untranslated {
                message: message.unwrap_or_else(|| "the page's own translation failed".into()),
                step: json::text(&error, "step"),
                path: json::text(&error, "path"),
            };
            (place as usize, why)
        };
        match answer {
            Err(error) => done(Err(failed(error))),
            Ok(answer) => match answer.dyn_into::<Promise>() {
                Ok(promise) => settle(&promise, move |made| {
                    done(made.map(values).map_err(failed));
                }),
                Err(made) => done(Ok(values(made))),
            },
        }
    }

    fn on_reply(&self, id: u32, result: Result<Reply<JsValue>, DurableError>) {
        let (error, value) = match result {
            Err(error) => (thrown_durable(&error, &self.store), JsValue::UNDEFINED),
            Ok(reply) => (JsValue::NULL, replied(reply)),
        };
        self.tell("reply", &Array::of3(&id.into(), &error, &value));
    }

    fn on_mode(&self, mode: &Mode) {
        let (kind, reason, message) = match mode {
            Mode::ReadWrite | Mode::ReadWriteThroughDown => ("readWrite", None, None),
            Mode::ReadOnly { reason } => ("readOnly", Some(reason.code()), Some(reason.sentence())),
            Mode::UseBackup { .. } => ("backup", Some("left"), None),
            Mode::Refuse { reason } => ("refused", Some(reason.code()), Some(reason.sentence())),
        };
        let reason = reason.map_or(JsValue::NULL, JsValue::from);
        let message = message.map_or(JsValue::NULL, JsValue::from);
        self.tell("mode", &Array::of3(&kind.into(), &reason, &message));
    }

    fn on_problem(&self, error: &DurableError) {
        self.tell("problem", &Array::of1(&thrown_durable(error, &self.store)));
    }

    fn on_progress(&self, progress: &Progress) {
        let told = Object::new();
        json::set(&told, "store", &self.store.as_str().into());
        json::set(&told, "from", &progress.from.into());
        json::set(&told, "to", &progress.to.into());
        json::set(&told, "phase", &progress.phase.into());
        json::set(&told, "done", &count(progress.done));
        self.tell("progress", &Array::of1(&told));
    }

    fn on_change(&self, key: Option<&str>, value: Option<JsValue>) {
        let key = key.map_or(JsValue::NULL, JsValue::from);
        let value = value.unwrap_or(JsValue::UNDEFINED);
        self.tell("change", &Array::of2(&key, &value));
    }
}

fn read_spec(spec: &JsValue) -> StoreSpec {
    let steps = json::property(spec, "steps").dyn_into::<Array>();
    let steps = steps.unwrap_or_default();
    let edges = steps.iter().map(|step| {
        let number = |name| json::number(&step, name).map_or(0, |it| it as u32);
        let flag = |name| json::property(&step, name).is_truthy();
        let mut edge = Edge::new(number("from"), number("to"), StepRef(number("up")));
        edge.down = json::number(&step, "down").map(|it| StepRef(it as u32));
        edge.lossy_up = flag("lossyUp");
        edge.lossy_down = flag("lossyDown");
        edge.cost = number("cost");
        edge.hash = json::text(&step, "id").map_or(0, |id| content_hash(id.as_bytes()));
        edge
    });
    let reads = numbers(spec, "reads");
    StoreSpec {
        name: json::text(spec, "name").unwrap_or_default(),
        head: json::number(spec, "schema").map_or(0, |it| it as u32),
        edges: edges.collect(),
        reads: (!reads.is_empty()).then(|| reads.into_iter().map(|it| it as u32).collect()),
        allow_lossy: json::property(spec, "allowLossy").is_truthy(),
        accepts: numbers(spec, "accepts"),
    }
}

/// From what is stored to the head, or from the head to `to`.
fn plan_of(registry: &Registry, job: &JsValue, loss: Loss) -> Result<Plan, MigrationError> {
    let store = json::text(job, "store").unwrap_or_default();
    let number = |name| json::number(job, name).map(|it| it as u32);
    let from = match number("from") {
        Some(from) => from,
        None => registry.head(&store)?,
    };
    let lineage = json::text(job, "lineage").and_then(|it| Lineage::read(&it));
    let lineage = lineage.unwrap_or_default();
    match number("to") {
        None => registry.plan_stored(&store, from, &lineage, loss),
        Some(to) => {
            registry.check_lineage(&store, from, &lineage)?;
            registry.plan(&store, from, to, loss)
        }
    }
}

fn reported(report: StoreReport) -> JsValue {
    let told = Object::new();
    json::set(&told, "store", &report.store.into());
    json::set(&told, "from", &report.from.into());
    json::set(&told, "to", &report.to.into());
    json::set(&told, "lossy", &report.lossy.into());
    let steps = report.steps.into_iter().map(|step| {
        let told = Object::new();
        json::set(&told, "name", &step.name.to_text().into());
        json::set(&told, "lossy", &step.lossy.into());
        json::set(&told, "took", &(step.took as f64).into());
        told
    });
    json::set(&told, "steps", &steps.collect::<Array>());
    let error = match report.outcome {
        Outcome::Ready => JsValue::NULL,
        Outcome::Failed(error) => thrown(error),
    };
    json::set(&told, "error", &error);
    told.into()
}

fn replied(reply: Reply<JsValue>) -> JsValue {
    let stamped = |value: &JsValue, stamp: Stamp| {
        let number = |it: u64| JsValue::from(it as f64);
        Array::of3(value, &number(stamp.writer), &number(stamp.count))
    };
    match reply {
        Reply::Value(None) | Reply::Written(_) | Reply::Deleted => JsValue::UNDEFINED,
        Reply::Value(Some((value, stamp))) => stamped(&value, stamp).into(),
        Reply::Rows { rows, last } => {
            let rows = rows
                .into_iter()
                .map(|(key, value, _)| Array::of2(&key.into(), &value));
            Array::of2(&rows.collect::<Array>(), &last.into()).into()
        }
    }
}

fn read_seen(seen: &JsValue) -> Option<Seen> {
    if seen.is_undefined() {
        return None;
    }
    let stamp = seen.dyn_ref::<Array>().and_then(|pair| {
        Some(Stamp {
            writer: json::whole(&pair.get(0))?,
            count: json::whole(&pair.get(1))?,
        })
    });
    Some(Seen(stamp))
}

/// What `stores.js` makes an error of.
fn thrown(error: MigrationError) -> JsValue {
    json::parse(&error.to_json())
}

fn thrown_durable(error: &DurableError, store: &str) -> JsValue {
    let told = Object::new();
    json::set(&told, "code", &error.code().into());
    json::set(&told, "message", &error.sentence().into());
    json::set(&told, "store", &store.into());
    if let Some(why) = error.untranslated() {
        for (name, text) in [("step", &why.step), ("path", &why.path)] {
            let text = text.as_deref().map_or(JsValue::NULL, JsValue::from);
            json::set(&told, name, &text);
        }
    }
    told.into()
}

fn promised(begin: impl FnOnce(Box<dyn FnOnce(JsValue)>)) -> Promise {
    let mut begin = Some(begin);
    Promise::new(&mut |resolve, _| {
        if let Some(begin) = begin.take() {
            begin(Box::new(move |value| {
                let _ = resolve.call1(&JsValue::UNDEFINED, &value);
            }));
        }
    })
}

fn values(made: JsValue) -> Vec<JsValue> {
    made.dyn_into::<Array>().unwrap_or_default().to_vec()
}

fn text(value: &JsValue) -> String {
    value.as_string().unwrap_or_default()
}

fn whole(value: &JsValue) -> Option<u32> {
    json::whole(value).map(|it| it as u32)
}

fn numbers(of: &JsValue, name: &str) -> Vec<u64> {
    let list = json::property(of, name).dyn_into::<Array>();
    let list = list.unwrap_or_default();
    list.iter().filter_map(|it| json::whole(&it)).collect()
}

fn count(number: usize) -> JsValue {
    JsValue::from(number as f64)
}

fn now() -> Timestamp {
    Timestamp(js_sys::Date::now() as u64)
}
