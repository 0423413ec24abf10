//! A durable store for Rust apps: records of a serde type, shared by tabs on several builds.
//!
//! ```no_run
//! use changeover::engine::migration::typed::{Chain, Step, Versioned};
//! use changeover::web::store::{Store, StoreOptions};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct NoteV1 { text: String }
//! #[derive(Serialize, Deserialize, Clone)]
//! struct NoteV2 { text: String, done: bool }
//! impl Versioned for NoteV1 { const SCHEMA: u32 = 1; }
//! impl Versioned for NoteV2 { const SCHEMA: u32 = 2; }
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let chain = Chain::<NoteV1>::new("notes")
//!     .step(Step::up(|v: NoteV1| NoteV2 { text: v.text, done: false })
//!         .down(|v: NoteV2| NoteV1 { text: v.text })
//!         .lossy_down())
//!     .build()?;
//! let notes = Store::open(chain, StoreOptions::default(), Vec::new())?;
//! notes.set("a", &NoteV2 { text: "tea".into(), done: false }).await?;
//! notes.update("a", |note| note.map(|note| NoteV2 { done: true, ..note })).await?;
//! # Ok(())
//! # }
//! ```
//!
//! Values are stored as the JSON that serde makes of them, so a build in JavaScript can share the store. A type that
//! wants to keep fields it does not know ends in `#[serde(flatten)] rest: serde_json::Map<String, serde_json::Value>`.

use std::{
    cell::{Cell, RefCell},
    fmt,
    rc::Rc,
};

use futures_channel::oneshot;
use serde::Serialize;
use serde_json::Value;
use wasm_bindgen::JsValue;

use super::{
    locks,
    reflect::to_js,
    store_driver::{App, Progress, Shared, Translated},
};
use crate::engine::{
    excerpt::quoted,
    migration::{
        Loss, MigrationError, reconcile,
        typed::{Typed, Versioned},
    },
    store::{
        Capabilities, DurableError, Mode, Reachability, Reply, Seen, Stamp, Timing,
        TranslationPlan, Untranslated,
    },
};

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// Path of the site's `release.json`: what tells the stores of several apps of one origin apart.
    pub scope: String,
    /// Id of the running build; for people who look into the database.
    pub build: String,
    pub timing: Timing,
    /// Records in one batch of a migration.
    pub batch: usize,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            scope: "/changeover/release.json".into(),
            build: String::new(),
            timing: Timing::default(),
            batch: 500,
        }
    }
}

/// An open store; dropping it closes it.
#[must_use = "dropping it closes the store"]
pub struct Store<Head> {
    shared: Rc<Shared>,
    page: Rc<Page<Head>>,
    ids: Cell<u32>,
}

/// Why a request of the app did not come about. Nothing has changed.
#[derive(Debug)]
pub enum StoreError {
    Store(DurableError),
    /// The value is no JSON, or what is stored is no value of the type.
    Value(MigrationError),
    /// Others were faster each time.
    Contended {
        store: String,
        key: String,
    },
}

impl StoreError {
    /// A stable name for the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Value(error) => error.code(),
            Self::Contended { .. } => "conflict",
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Value(error) => error.fmt(f),
            Self::Contended { store, key } => f.write_str(&format!(
                "store {}: {} was changed by others each time this tab tried to update it",
                quoted(store),
                quoted(key)
            )),
        }
    }
}

impl std::error::Error for StoreError {}

/// A change of a record; `key: None` when this tab may have missed changes of any.
#[derive(Debug)]
pub struct Change<'a, Head> {
    pub key: Option<&'a str>,
    pub value: Option<Head>,
}

/// What came of something that was asked of the store.
type Answer = Result<Reply<JsValue>, DurableError>;
type HeardProblem = Rc<dyn Fn(&DurableError)>;
type Heard<Head> = Rc<dyn Fn(Change<'_, Head>)>;

/// A listener; dropping it ends it.
#[must_use = "dropping it stops listening"]
pub struct Listening<Head> {
    page: Rc<Page<Head>>,
    shared: Rc<Shared>,
    id: u32,
}

struct Page<Head> {
    chain: Typed<Head>,
    answers: RefCell<Vec<(u32, oneshot::Sender<Answer>)>>,
    mode: RefCell<Option<Mode>>,
    listeners: RefCell<Vec<(u32, Heard<Head>)>>,
    on_problem: RefCell<Option<HeardProblem>>,
}

/// How often an update starts again because another tab was faster.
const TRIES: u32 = 100;

impl<Head: Versioned> Store<Head> {
    /// Opens the store that the chain names. `initial` is what it begins with if it does not exist yet.
    pub fn open(
        chain: Typed<Head>,
        options: StoreOptions,
        initial: Vec<(String, Head)>,
    ) -> Result<Self, MigrationError> {
        /// Most schemas, the newest ones, that others are told of.
        const SCHEMAS: usize = 64;
        let name = chain.store().to_owned();
        let build = Capabilities {
            schema: Head::SCHEMA,
            build: options.build,
            ways: Reachability::new(chain.registry().ways(&name, SCHEMAS)?),
            lineage: chain.lineage(Head::SCHEMA),
            accepts: Vec::new(),
            expand: true,
            locks: locks::has_locks(),
            timing: options.timing,
            batch: options.batch,
        };
        let first: Result<Vec<(String, JsValue)>, MigrationError> = initial
            .into_iter()
            .map(|(key, value)| Ok((key, written(&chain.save(&value)?))))
            .collect();
        let first = first?;
        let page = Rc::new(Page {
            chain,
            answers: RefCell::default(),
            mode: RefCell::default(),
            listeners: RefCell::default(),
            on_problem: RefCell::default(),
        });
        let app = Box::new(TypedApp(page.clone()));
        Ok(Self {
            shared: Rc::new(Shared::open(&options.scope, &name, build, first, app)),
            page,
            ids: Cell::new(0),
        })
    }

    /// What this tab may do; `None` until the store is open.
    pub fn mode(&self) -> Option<Mode> {
        self.page.mode.borrow().clone()
    }

    pub async fn get(&self, key: &str) -> Result<Option<Head>, StoreError> {
        let found = self.read(key).await?;
        found.map(|(value, _)| self.page.load(&value)).transpose()
    }

    /// The last write wins, unless this tab slept since it last saw the record and another tab has written it.
    pub async fn set(&self, key: &str, value: &Head) -> Result<(), StoreError> {
        self.write(key, value, None).await
    }

    /// Reads, computes and writes as one: runs `change` again when another write came first. `None` deletes.
    pub async fn update(
        &self,
        key: &str,
        change: impl Fn(Option<Head>) -> Option<Head>,
    ) -> Result<(), StoreError> {
        for _ in 0..TRIES {
            let found = self.read(key).await?;
            let seen = Seen(found.as_ref().map(|(_, stamp)| *stamp));
            let before = found.map(|(value, _)| self.page.load(&value)).transpose()?;
            let was_there = before.is_some();
            let done = match change(before) {
                Some(after) => self.write(key, &after, Some(seen)).await,
                None if was_there => self.remove(key, Some(seen)).await,
                None => return Ok(()),
            };
            match done {
                Err(StoreError::Store(error)) if error.code() == "conflict" => {}
                other => return other,
            }
        }
        Err(StoreError::Contended {
            store: self.page.chain.store().into(),
            key: key.into(),
        })
    }

    pub async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.remove(key, None).await
    }

    /// Up to `limit` records whose keys come after `after`, in the order of their UTF-16 code units.
    pub async fn list(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Head)>, StoreError> {
        let (id, answer) = self.ask();
        self.shared.list(id, after.map(Into::into), limit);
        let Reply::Rows { rows, .. } = answer.await.map_err(StoreError::Store)? else {
            return Ok(Vec::new());
        };
        let load = |(key, value, _): (String, JsValue, Stamp)| Ok((key, self.page.load(&value)?));
        rows.into_iter().map(load).collect()
    }

    /// Has `heard` told after each change of a record, by this tab or another one.
    pub fn listen(&self, heard: impl Fn(Change<'_, Head>) + 'static) -> Listening<Head> {
        let id = self.next_id();
        let mut listeners = self.page.listeners.borrow_mut();
        if listeners.is_empty() {
            self.shared.listen(None);
        }
        listeners.push((id, Rc::new(heard)));
        Listening {
            page: self.page.clone(),
            shared: self.shared.clone(),
            id,
        }
    }

    /// Has `heard` told when background work stops; it is tried again later.
    pub fn on_problem(&self, heard: impl Fn(&DurableError) + 'static) {
        self.page.on_problem.replace(Some(Rc::new(heard)));
    }

    async fn read(&self, key: &str) -> Result<Option<(JsValue, Stamp)>, StoreError> {
        let (id, answer) = self.ask();
        self.shared.read(id, key.into());
        match answer.await.map_err(StoreError::Store)? {
            Reply::Value(found) => Ok(found),
            Reply::Rows { .. } | Reply::Written(_) | Reply::Deleted => Ok(None),
        }
    }

    async fn write(&self, key: &str, value: &Head, seen: Option<Seen>) -> Result<(), StoreError> {
        let value = self.page.chain.save(value).map_err(StoreError::Value)?;
        let (id, answer) = self.ask();
        self.shared.write(id, key.into(), written(&value), seen);
        answer.await.map(drop).map_err(StoreError::Store)
    }

    async fn remove(&self, key: &str, seen: Option<Seen>) -> Result<(), StoreError> {
        let (id, answer) = self.ask();
        self.shared.delete(id, key.into(), seen);
        answer.await.map(drop).map_err(StoreError::Store)
    }

    /// A number for something to ask, and its answer. A store that goes before it has answered never does.
    fn ask(&self) -> (u32, impl Future<Output = Answer> + use<Head>) {
        let id = self.next_id();
        let (sender, answer) = oneshot::channel();
        self.page.answers.borrow_mut().push((id, sender));
        (id, async {
            match answer.await {
                Ok(answer) => answer,
                Err(oneshot::Canceled) => std::future::pending().await,
            }
        })
    }

    fn next_id(&self) -> u32 {
        // The upper half belongs to the driver.
        let id = (self.ids.get() + 1) & (u32::MAX >> 1);
        self.ids.set(id);
        id
    }
}

impl<Head> Drop for Store<Head> {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl<Head> Drop for Listening<Head> {
    fn drop(&mut self) {
        let mut listeners = self.page.listeners.borrow_mut();
        listeners.retain(|(id, _)| *id != self.id);
        if listeners.is_empty() {
            self.shared.unlisten(None);
        }
    }
}

impl<Head: Versioned> Page<Head> {
    fn load(&self, value: &JsValue) -> Result<Head, StoreError> {
        let lineage = self.chain.lineage(Head::SCHEMA);
        let loaded = self.chain.load(Head::SCHEMA, &lineage, read(value));
        loaded.map_err(StoreError::Value)
    }
}

struct TypedApp<Head>(Rc<Page<Head>>);

impl<Head: Versioned> App for TypedApp<Head> {
    fn translate(
        &self,
        recipes: Vec<TranslationPlan<JsValue>>,
        check: Option<u32>,
        done: Translated,
    ) {
        let chain = &self.0.chain;
        let apply = |recipe: TranslationPlan<JsValue>| -> Result<JsValue, MigrationError> {
            let made = recipe.map(|value| read(&value)).apply(
                &mut |from, to, value| chain.migrate(from, to, value, Loss::Accept),
                &mut |base, ours, theirs| reconcile(&base, &ours, &theirs),
            )?;
            if check == Some(Head::SCHEMA) {
                chain.load(Head::SCHEMA, &chain.lineage(Head::SCHEMA), made.clone())?;
            }
            Ok(written(&made))
        };
        let failed = |error: MigrationError| Untranslated {
            message: error.sentence(),
            step: error.step(),
            path: error.path().map(Into::into),
        };
        let made: Result<Vec<JsValue>, (usize, Untranslated)> = recipes
            .into_iter()
            .enumerate()
            .map(|(place, recipe)| apply(recipe).map_err(|error| (place, failed(error))))
            .collect();
        done(made);
    }

    fn on_reply(&self, id: u32, result: Result<Reply<JsValue>, DurableError>) {
        let place = self.0.answers.borrow().iter().position(|(it, _)| *it == id);
        let Some(place) = place else { return };
        let (_, answer) = self.0.answers.borrow_mut().swap_remove(place);
        let _ = answer.send(result); // the app may have given up waiting for it
    }

    fn on_mode(&self, mode: &Mode) {
        self.0.mode.replace(Some(mode.clone()));
    }

    fn on_problem(&self, error: &DurableError) {
        let heard = self.0.on_problem.borrow().clone();
        if let Some(heard) = heard {
            heard(error);
        }
    }

    fn on_progress(&self, _progress: &Progress) {}

    fn on_change(&self, key: Option<&str>, value: Option<JsValue>) {
        let listeners: Vec<Heard<Head>> = {
            let all = self.0.listeners.borrow();
            all.iter().map(|(_, heard)| heard.clone()).collect()
        };
        for heard in listeners {
            // A value that cannot be loaded is left out here; reading the record gives the error.
            let value = value.as_ref().and_then(|value| self.0.load(value).ok());
            heard(Change { key, value });
        }
    }
}

fn read(value: &JsValue) -> Value {
    let text = js_sys::JSON::stringify(value)
        .ok()
        .and_then(|text| text.as_string());
    text.and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or(Value::Null)
}

fn written(value: &impl Serialize) -> JsValue {
    to_js(value)
}
