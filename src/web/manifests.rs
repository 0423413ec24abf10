//! Manifests: the copy that this browser has kept, else the server's, which is kept then.
//!
//! In order: a turn of its own among the tabs (a Web Lock), the kept copy and its hash, the network in up to three steps,
//! the answer, and the copy in its place. A browser without one of these goes on without: then each tab asks the
//! server, and the HTTP cache answers.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{Blob, Response};

use super::{
    callback::{Timer, later, on_settled, window},
    fetch::{self, Answer, Refusal, Request, Step},
    locks::{Lock, LockMode},
    reflect,
};
use crate::{engine::io::FetchFailure, time::Millis};

#[wasm_bindgen]
extern "C" {
    /// `caches`, with `catch`: it is refused in some private windows and where storage is blocked.
    type Caches;
    #[wasm_bindgen(method, catch)]
    fn open(this: &Caches, name: &str) -> Result<Promise, JsValue>;

    #[derive(Clone)]
    type Cache;
    #[wasm_bindgen(method, catch, js_name = "match")]
    fn find(this: &Cache, url: &str) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn put(this: &Cache, url: &str, response: &Response) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn keys(this: &Cache) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn delete(this: &Cache, request: &JsValue) -> Result<Promise, JsValue>;

    type Subtle;
    #[wasm_bindgen(method, catch)]
    fn digest(this: &Subtle, algorithm: &str, bytes: &JsValue) -> Result<Promise, JsValue>;
}

/// Longest wait for another tab that fetches the same manifest.
const PATIENCE: Millis = 10_000;
/// Most copies of one app: the builds that a browser meets in a few days.
const MOST_COPIES: u32 = 8;
/// All copies together, as far as two fit in.
const MOST_BYTES: u32 = 24 << 20;
/// The header of a copy that says what it was checked against.
const CHECKED: &str = "integrity";

/// What became of it.
pub enum Found {
    Kept(String),
    Fetched(String),
    Failed(FetchFailure),
}

/// Whether a kept copy will do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Usual,
    Anew,
}

/// A manifest that is on its way; dropping it gives it up.
#[must_use = "dropping it gives the manifest up"]
pub struct Errand(Rc<State>);

type Done = Box<dyn FnOnce(Found)>;

struct State {
    scope: String,
    url: String,
    integrity: Option<String>,
    way: Way,
    begun: Cell<bool>,
    turn: RefCell<Option<Lock>>,
    patience: RefCell<Option<Timer>>,
    cache: RefCell<Option<Cache>>,
    request: RefCell<Option<Request>>,
    done: Cell<Option<Done>>,
}

impl Errand {
    pub fn new(
        scope: &str,
        url: String,
        integrity: Option<String>,
        way: Way,
        done: impl FnOnce(Found) + 'static,
    ) -> Self {
        Self(Rc::new(State {
            scope: scope.into(),
            url,
            integrity,
            way,
            begun: Cell::new(false),
            turn: RefCell::default(),
            patience: RefCell::default(),
            cache: RefCell::default(),
            request: RefCell::default(),
            done: Cell::new(Some(Box::new(done))),
        }))
    }

    /// Begins; `done` is never called from within this function.
    pub fn start(self) -> Self {
        let state = &self.0;
        let begin = || {
            let weak = Rc::downgrade(state);
            move || {
                if let Some(state) = weak.upgrade() {
                    state.begin();
                }
            }
        };
        let patience = Timer::new(begin());
        let granted = begin();
        let name = format!("changeover:manifest:{}", state.url);
        let turn = Lock::request(&name, LockMode::Exclusive, move |_| granted());
        patience.arm(if turn.is_some() { PATIENCE } else { 0 });
        state.turn.replace(turn);
        state.patience.replace(Some(patience));
        self
    }
}

impl Drop for Errand {
    fn drop(&mut self) {
        if self.0.done.take().is_some() {
            self.0.request.take();
            self.0.turn.take();
        }
    }
}

impl State {
    /// Its turn has come, or it has waited long enough.
    fn begin(self: &Rc<Self>) {
        if self.begun.replace(true) {
            return;
        }
        let caches = reflect::property(&window(), "caches");
        let opened = caches
            .is_object()
            .then(|| caches.unchecked_ref::<Caches>())
            .and_then(|caches| caches.open(&format!("changeover:{}", self.scope)).ok());
        let Some(opened) = opened else {
            return self.ask_server();
        };
        self.wait(&opened, |this, cache| {
            let Some(cache) = cache else {
                return this.ask_server();
            };
            let cache: Cache = cache.unchecked_into();
            this.cache.replace(Some(cache.clone()));
            match this.way {
                Way::Usual => match cache.find(&this.url) {
                    Ok(found) => this.wait(&found, Self::on_found),
                    Err(_) => this.ask_server(),
                },
                Way::Anew => this.ask_server(),
            }
        });
    }

    /// Goes on with the value of the promise, or without one when it is rejected.
    fn wait(self: &Rc<Self>, promise: &Promise, next: fn(&Rc<Self>, Option<JsValue>)) {
        let weak = Rc::downgrade(self);
        on_settled(promise, move |settled| {
            if let Some(this) = weak.upgrade() {
                next(&this, settled.ok());
            }
        });
    }

    fn on_found(self: &Rc<Self>, found: Option<JsValue>) {
        let Some(found) = found.filter(JsValue::is_object) else {
            return self.ask_server();
        };
        let copy: &Response = found.unchecked_ref();
        let checked = copy.headers().get(CHECKED).ok().flatten();
        let integrity = self.integrity.clone().or(checked);
        let Ok(bytes) = copy.array_buffer() else {
            return self.ask_server();
        };
        let weak = Rc::downgrade(self);
        on_settled(&bytes, move |settled| {
            let bytes = settled.unwrap_or_default();
            let (whole, copy) = (bytes.is_object(), bytes.clone());
            let tell = move |is_right| {
                let Some(this) = weak.upgrade() else { return };
                match is_right {
                    true => this.read(&bytes),
                    false => this.ask_server(),
                }
            };
            match integrity.filter(|_| whole).map(|it| Check::of(&it)) {
                Some(Some(check)) => check.run(&copy, tell),
                Some(None) => tell(false),
                None => tell(whole),
            }
        });
    }

    fn read(self: &Rc<Self>, bytes: &JsValue) {
        let weak = Rc::downgrade(self);
        let request = fetch::kept_manifest(Uint8Array::new(bytes), move |outcome| {
            let Some(this) = weak.upgrade() else { return };
            this.request.take();
            match outcome {
                Ok(answer) => this.end(Found::Kept(answer.body)),
                Err(_) => this.ask_server(),
            }
        });
        match request {
            Some(request) => drop(self.request.replace(Some(request))),
            None => self.ask_server(),
        }
    }

    fn ask_server(self: &Rc<Self>) {
        self.fetch(match self.way {
            Way::Usual => Step::First,
            Way::Anew => Step::Refresh,
        });
    }

    fn fetch(self: &Rc<Self>, step: Step) {
        let weak = Rc::downgrade(self);
        let check = self.integrity.as_deref().and_then(Check::of);
        // A browser that is told the hash makes it in one go, and the page waits: 60 ms for six megabytes.
        let told = self.integrity.as_deref().filter(|_| check.is_none());
        let is_told = told.is_some();
        let request = fetch::manifest(&self.url, told, step, move |outcome| {
            let Some(this) = weak.upgrade() else { return };
            this.request.take();
            match (outcome, step) {
                // Fetched past the cache but unchecked: whether it is the right one, the cache now answers.
                (Ok(_), Step::Refresh) if is_told => this.fetch(Step::Recheck),
                (Ok(answer), Step::First | Step::Refresh | Step::Recheck) => match check {
                    Some(check) => this.check(check, answer, step),
                    None => this.take(answer),
                },
                (Err(Refusal { failure, .. }), _) => match (failure, step) {
                    (FetchFailure::Network, Step::First) if is_told => {
                        this.fetch(Step::Refresh);
                    }
                    (FetchFailure::Network, Step::Recheck) => {
                        this.end(Found::Failed(FetchFailure::Integrity));
                    }
                    (failure, _) => this.end(Found::Failed(failure)),
                },
            }
        });
        match request {
            Some(request) => drop(self.request.replace(Some(request))),
            None => self.end(Found::Failed(FetchFailure::Network)),
        }
    }

    /// Takes what came if it has its hash. It may be the browser's copy that has not.
    fn check(self: &Rc<Self>, check: Check, answer: Answer, step: Step) {
        let bytes = answer.bytes();
        let weak = Rc::downgrade(self);
        check.run(&bytes, move |is_right| {
            let Some(this) = weak.upgrade() else { return };
            match (is_right, step) {
                (true, _) => this.take(answer),
                (false, Step::First) => this.fetch(Step::Refresh),
                (false, _) => this.end(Found::Failed(FetchFailure::Integrity)),
            }
        });
    }

    fn take(self: &Rc<Self>, answer: Answer) {
        // Making a blob takes time, too.
        let (keeper, pieces) = (self.clone(), answer.pieces);
        later(move || keeper.keep(&pieces));
        self.end(Found::Fetched(answer.body));
    }

    fn end(&self, found: Found) {
        if let Some(done) = self.done.take() {
            done(found);
        }
    }

    /// Puts a copy away. The turn lasts until it is there for the other tabs; a full disk costs nothing but the copy.
    ///
    /// The bytes are those that came: the browser moves a blob to its disk by itself, while the page does its work.
    fn keep(self: &Rc<Self>, pieces: &Array) {
        let Some(cache) = self.cache.take() else {
            return;
        };
        let Ok(bytes) = Blob::new_with_u8_array_sequence(pieces) else {
            return;
        };
        let Ok(copy) = Response::new_with_opt_blob(Some(&bytes)) else {
            return;
        };
        if let Some(integrity) = &self.integrity {
            let _ = copy.headers().set(CHECKED, integrity);
        }
        let Ok(put) = cache.put(&self.url, &copy) else {
            return;
        };
        let this = self.clone();
        let most = (MOST_BYTES / (bytes.size() as u32).max(1)).clamp(2, MOST_COPIES);
        on_settled(&put, move |_| {
            drop(this);
            clear(cache, most);
        });
    }
}

/// Drops the oldest copies beyond `most`.
fn clear(cache: Cache, most: u32) {
    let Ok(keys) = cache.keys() else { return };
    on_settled(&keys, move |keys| {
        let keys: Array = keys.unwrap_or_default().dyn_into().unwrap_or_default();
        for key in keys.slice(0, keys.length().saturating_sub(most)).iter() {
            let _ = cache.delete(&key);
        }
    });
}

/// Compares bytes with a hash, while the page goes on with its work.
struct Check {
    subtle: Subtle,
    algorithm: String,
    /// In base64.
    hash: String,
}

impl Check {
    /// `None` where hashes cannot be made, as over plain http, and for what is not one hash.
    fn of(integrity: &str) -> Option<Self> {
        let subtle = reflect::property(&reflect::property(&window(), "crypto"), "subtle");
        let (algorithm, hash) = integrity.split_once('-')?;
        Some(Self {
            algorithm: format!("SHA-{}", algorithm.strip_prefix("sha")?),
            hash: hash.into(),
            subtle: subtle.is_object().then(|| subtle.unchecked_into())?,
        })
    }

    fn run(self, bytes: &JsValue, tell: impl FnOnce(bool) + 'static) {
        let Ok(digest) = self.subtle.digest(&self.algorithm, bytes) else {
            return tell(false);
        };
        on_settled(&digest, move |digest| {
            let bytes = Uint8Array::new(&digest.unwrap_or_default()).to_vec();
            let text: String = bytes.into_iter().map(char::from).collect();
            tell(window().btoa(&text).is_ok_and(|hash| hash == self.hash));
        });
    }
}
