//! Requests: one at a time each, capped in bytes and in time.
//!
//! In order: `fetch` with an abort signal and a timer, the status line, the body chunk by chunk up to the cap, the answer. A
//! browser that was told a hash has all of a body before it hands out any: it is read and decoded in parts, and the page has
//! its turn between two of them.
//! Written with callbacks: an executor would cost more bytes than this file.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use js_sys::{Array, Date, Object, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{AbortController, RequestCache, RequestCredentials, RequestInit, Response, Url};

use super::{
    callback::{Timer, on_settled},
    json, lifecycle,
};
use crate::{
    engine::io::FetchFailure,
    time::{Millis, Timestamp},
};

#[wasm_bindgen]
extern "C" {
    /// With `catch`: apps replace `fetch`, and theirs may throw.
    #[wasm_bindgen(catch, js_name = fetch)]
    fn call_fetch(url: &str, init: &RequestInit) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = TextDecoder)]
    type Decoder;
    #[wasm_bindgen(constructor, js_class = "TextDecoder")]
    fn new() -> Decoder;
    #[wasm_bindgen(method, catch)]
    fn decode(this: &Decoder, bytes: &JsValue, options: &Object) -> Result<String, JsValue>;

    type Body;
    #[wasm_bindgen(method, catch, js_name = getReader)]
    fn reader(this: &Body, options: &JsValue) -> Result<Reader, JsValue>;

    type Reader;
    /// Fills `buffer` as far as there is something, and takes it away. A reader of the usual kind hands out all there is.
    #[wasm_bindgen(method)]
    fn read(this: &Reader, buffer: &Uint8Array) -> Promise;
}

/// How long an answer may take, body included. Longer than a slow mobile network needs, shorter than the least sensible
/// patience of a server that accepts and never answers.
const TIMEOUT: Millis = 15_000;
/// The same for a manifest, which may have some megabytes.
const MANIFEST_TIMEOUT: Millis = 60_000;
/// `release.json` is meant to stay below 1 KiB.
const RELEASE_LIMIT: u32 = 64 << 10;
/// A manifest takes about 400 bytes a chunk: room for 40 000.
const MANIFEST_LIMIT: u32 = 16 << 20;
/// So many bytes are decoded in one go: a few milliseconds on a slow phone.
const SLICE: u32 = 256 << 10;
/// What tells such a document from a host's own error page, and how much of it is read for that.
const MARKS: [&str; 2] = ["data-release", "changeover"];
const MARK_LIMIT: u64 = 64 << 10;
/// As much of a document is read so that the browser can cache it.
const DOCUMENT_LIMIT: u32 = 16 << 20;

/// A successful answer.
pub struct Answer {
    pub body: String,
    /// The `Changeover-Events` header, resolved against the URL that answered.
    pub events: Option<String>,
    /// The `Date` header: the server's clock.
    pub date: Option<Timestamp>,
    /// The bytes of a manifest that came over the network.
    pub pieces: Array,
}

impl Answer {
    /// All pieces as one.
    pub fn bytes(&self) -> Uint8Array {
        let pieces = || self.pieces.iter().map(JsCast::unchecked_into::<Uint8Array>);
        let bytes = Uint8Array::new_with_length(pieces().map(|piece| piece.length()).sum());
        let mut at = 0;
        for piece in pieces() {
            bytes.set(&piece, at);
            at += piece.length();
        }
        bytes
    }
}

/// Why there is none, and how long the server asks to be left alone.
pub struct Refusal {
    pub failure: FetchFailure,
    pub retry_after: Option<Millis>,
    /// Whether what came all the same is a document of a guarded app.
    pub mark: bool,
}

pub type Outcome = Result<Answer, Refusal>;

type Done = Box<dyn FnOnce(Outcome)>;

/// A request under way; dropping it aborts it.
#[must_use = "dropping it aborts the request"]
pub struct Request {
    running: Rc<Running>,
}

struct Running {
    limit: u32,
    /// Of what was asked; `None`: an answer from anywhere will do.
    origin: RefCell<Option<String>>,
    controller: AbortController,
    timer: RefCell<Option<Timer>>,
    response: RefCell<Option<Response>>,
    decoder: Decoder,
    pieces: Option<Array>,
    /// What came and is not decoded.
    rest: RefCell<Option<Rest>>,
    /// Bytes that came since the page had its turn.
    fresh: Cell<u32>,
    turn: RefCell<Option<Timer>>,
    /// A document is asked for whether it is there; its text counts only when its status is a failure, kept here.
    is_document: bool,
    failed: Cell<Option<FetchFailure>>,
    body: RefCell<String>,
    length: Cell<u64>,
    done: Cell<Option<Done>>,
}

struct Rest {
    /// Of what may come; `None`: these bytes are all.
    reader: Option<Reader>,
    bytes: Uint8Array,
    from: u32,
}

/// Asks whether the release changed: the browser's cache adds the ETag, the server answers 304 in the usual case.
pub fn release(url: &str, done: impl FnOnce(Outcome) + 'static) -> Option<Request> {
    start(
        url,
        RequestCache::NoCache,
        None,
        RELEASE_LIMIT,
        None,
        Box::new(done),
    )
}

/// Fetches an immutable manifest.
///
/// The browser says only "failed" when the bytes do not match `integrity`. A caller that wants to know more asks again
/// with [`Step::Refresh`] and then with [`Step::Recheck`].
pub fn manifest(
    url: &str,
    integrity: Option<&str>,
    step: Step,
    done: impl FnOnce(Outcome) + 'static,
) -> Option<Request> {
    let (cache, integrity) = match step {
        Step::First | Step::Recheck => (RequestCache::Default, integrity),
        Step::Refresh => (RequestCache::Reload, None),
    };
    start(url, cache, integrity, MANIFEST_LIMIT, None, Box::new(done))
}

/// Decodes a manifest that the browser has kept.
pub fn kept_manifest(bytes: Uint8Array, done: impl FnOnce(Outcome) + 'static) -> Option<Request> {
    let running = Running::new(MANIFEST_LIMIT, false, None, Box::new(done))?;
    running.pause(Rest {
        reader: None,
        bytes,
        from: 0,
    });
    Some(Request { running })
}

/// The steps of fetching with integrity: the second goes past the cache and shows the status, the third decides
/// between a stale cache and wrong bytes on the server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Step {
    First,
    Refresh,
    Recheck,
}

/// Fetches the document anew, so that the reload after it finds the fresh one in the browser's cache.
///
/// It is there as soon as it begins to come, however large it is and however slowly it comes.
pub fn document(
    url: &str,
    redirects: Redirects,
    done: impl FnOnce(Outcome) + 'static,
) -> Option<Request> {
    start(
        url,
        RequestCache::Reload,
        None,
        DOCUMENT_LIMIT,
        Some(redirects),
        Box::new(done),
    )
}

/// Whether a redirect is followed, or an answer by itself: a failure with status 302.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Redirects {
    Followed,
    Shown,
}

fn start(
    url: &str,
    cache: RequestCache,
    integrity: Option<&str>,
    limit: u32,
    redirects: Option<Redirects>,
    done: Done,
) -> Option<Request> {
    let is_document = redirects.is_some();
    let pieces = (limit == MANIFEST_LIMIT).then(Array::new);
    let running = Running::new(limit, is_document, pieces, done)?;
    let init = RequestInit::new();
    init.set_cache(cache);
    init.set_credentials(RequestCredentials::SameOrigin);
    init.set_signal(Some(&running.controller.signal()));
    if let Some(integrity) = integrity {
        init.set_integrity(integrity);
    }
    // Where a document comes from in the end is between the browser and the site.
    if redirects.is_none() {
        let asked = Url::new(url).ok().map(|url| url.origin());
        running.origin.replace(asked);
    }
    if redirects == Some(Redirects::Shown) {
        json::set(&init, "redirect", &"manual".into());
    }
    let promise = call_fetch(url, &init).unwrap_or_else(|error| Promise::reject(&error).into());
    running.wait(&promise, Running::on_response);
    Some(Request { running })
}

impl Drop for Request {
    fn drop(&mut self) {
        if self.running.done.take().is_some() {
            self.running.controller.abort();
        }
    }
}

impl Running {
    fn new(limit: u32, is_document: bool, pieces: Option<Array>, done: Done) -> Option<Rc<Self>> {
        let running = Rc::new(Self {
            limit,
            origin: RefCell::default(),
            controller: AbortController::new().ok()?,
            timer: RefCell::new(None),
            response: RefCell::new(None),
            decoder: Decoder::new(),
            pieces,
            rest: RefCell::default(),
            fresh: Cell::new(0),
            turn: RefCell::default(),
            is_document,
            failed: Cell::new(None),
            body: RefCell::default(),
            length: Cell::new(0),
            done: Cell::new(Some(done)),
        });
        let late = Rc::downgrade(&running);
        let timer = Timer::new(move || {
            if let Some(running) = late.upgrade() {
                running.refuse(FetchFailure::Timeout, None);
            }
        });
        timer.arm(if limit == MANIFEST_LIMIT {
            MANIFEST_TIMEOUT
        } else {
            TIMEOUT
        });
        running.timer.replace(Some(timer));
        let rested = Rc::downgrade(&running);
        running.turn.replace(Some(Timer::new(move || {
            if let Some(running) = rested.upgrade()
                && let Some(rest) = running.rest.take()
            {
                running.go_on(rest);
            }
        })));
        Some(running)
    }

    /// Goes on with `next` when the promise is fulfilled; a rejection is a network failure.
    fn wait(self: &Rc<Self>, promise: &JsValue, next: fn(&Rc<Self>, JsValue)) {
        let this = Rc::downgrade(self);
        on_settled(&Promise::resolve(promise), move |settled| {
            let Some(this) = this.upgrade() else { return };
            match settled {
                Ok(value) => next(&this, value),
                Err(_) => this.refuse(FetchFailure::Network, None),
            }
        });
    }

    fn on_response(self: &Rc<Self>, response: JsValue) {
        let response: Response = response.unchecked_into();
        if let Some(origin) = self.stray_origin(&response) {
            return self.refuse(FetchFailure::Redirected { origin }, None);
        }
        if !response.ok() {
            let redirected = json::text(&response, "type").as_deref() == Some("opaqueredirect");
            let failure = match response.status() {
                0 if redirected => FetchFailure::Status { status: 302 },
                // An opaque or error response, from a service worker perhaps: nothing was learnt.
                0 => FetchFailure::Network,
                status => FetchFailure::Status { status },
            };
            if self.is_document && matches!(failure, FetchFailure::Status { status: 400..500 }) {
                self.failed.set(Some(failure));
                return self.take(response);
            }
            let retry_after = header(&response, "Retry-After").and_then(|text| span(&text));
            return self.refuse(failure, retry_after);
        }
        self.take(response);
    }

    fn take(self: &Rc<Self>, response: Response) {
        let body = response.body();
        self.response.replace(Some(response));
        let Some(body) = body else {
            return self.finish();
        };
        let (body, options) = (body.unchecked_ref::<Body>(), Object::new());
        json::set(&options, "mode", &"byob".into());
        let reader = body.reader(&options);
        match reader.or_else(|_| body.reader(&JsValue::UNDEFINED)) {
            Ok(reader) => self.read(reader, &Uint8Array::new_with_length(SLICE.min(self.limit))),
            Err(_) => self.refuse(FetchFailure::Network, None),
        }
    }

    /// The origin that answered, when it is not the one that was asked. An answer that a service worker made has no URL.
    fn stray_origin(&self, response: &Response) -> Option<String> {
        let asked = self.origin.borrow();
        let asked = asked.as_ref()?;
        let origin = Url::new(&response.url()).ok()?.origin();
        (origin != *asked).then_some(origin)
    }

    fn read(self: &Rc<Self>, reader: Reader, buffer: &Uint8Array) {
        let this = Rc::downgrade(self);
        on_settled(&reader.read(buffer), move |settled| {
            let Some(this) = this.upgrade() else { return };
            let Ok(chunk) = settled else {
                return this.refuse(FetchFailure::Network, None);
            };
            if json::property(&chunk, "done").is_truthy() {
                return this.finish();
            }
            let bytes = json::property(&chunk, "value");
            let length = json::number(&bytes, "byteLength").unwrap_or_default();
            this.length.set(this.length.get().saturating_add(length));
            if this.length.get() > this.limit.into() {
                return this.refuse(FetchFailure::TooLarge { limit: this.limit }, None);
            }
            // An app may have replaced `fetch`, by that of a frame for instance.
            let bytes: Uint8Array = bytes
                .dyn_into()
                .unwrap_or_else(|bytes| Uint8Array::new(&bytes));
            if let Some(pieces) = &this.pieces {
                // The buffer is filled again.
                pieces.push(&bytes.slice(0, bytes.length()));
            }
            let fresh = this.fresh.get().saturating_add(bytes.length());
            let rest = Rest {
                reader: Some(reader),
                bytes,
                from: 0,
            };
            if fresh < slice() {
                this.fresh.set(fresh);
                this.go_on(rest);
            } else {
                this.pause(rest);
            }
        });
    }

    /// Decodes what is there, up to a slice, and reads on.
    fn go_on(self: &Rc<Self>, mut rest: Rest) {
        let length = rest.bytes.length();
        let end = length.min(rest.from.saturating_add(slice()));
        self.decode(&rest.bytes.subarray(rest.from, end), true);
        rest.from = end;
        if self.is_document && self.failure().is_some() && self.length.get() > MARK_LIMIT {
            self.finish();
        } else if end < length {
            self.pause(rest);
        } else if let Some(reader) = rest.reader {
            self.read(reader, &Uint8Array::new(&rest.bytes.buffer()));
        } else {
            self.finish();
        }
    }

    /// Gives the page its turn before the rest.
    fn pause(&self, rest: Rest) {
        self.fresh.set(0);
        self.rest.replace(Some(rest));
        if let Some(turn) = self.turn.borrow().as_ref() {
            turn.arm(0);
        }
    }

    /// Decodes in the browser, which brings its decoder along. What is no text becomes U+FFFD.
    fn decode(&self, bytes: &JsValue, more: bool) {
        if self.is_document && self.failure().is_none() {
            return;
        }
        let options = Object::new();
        json::set(&options, "stream", &more.into());
        let text = self.decoder.decode(bytes, &options).unwrap_or_default();
        self.body.borrow_mut().push_str(&text);
    }

    fn failure(&self) -> Option<FetchFailure> {
        let failure = self.failed.take();
        self.failed.set(failure.clone());
        failure
    }

    fn finish(&self) {
        self.decode(&Uint8Array::new_with_length(0), false);
        let body = self.body.take();
        if let Some(failure) = self.failed.take() {
            self.end(Err(Refusal {
                failure,
                retry_after: None,
                mark: MARKS.iter().any(|mark| body.contains(mark)),
            }));
            return self.controller.abort();
        }
        let events = self.response.borrow().as_ref().and_then(|response| {
            let url = header(response, "Changeover-Events")?;
            Some(Url::new_with_base(&url, &response.url()).ok()?.href())
        });
        let date = self.response.borrow().as_ref().and_then(|response| {
            let date = Date::parse(&header(response, "Date")?);
            (date > 0.0).then_some(Timestamp(date as u64))
        });
        let pieces = self.pieces.clone().unwrap_or_default();
        self.end(Ok(Answer {
            body,
            events,
            date,
            pieces,
        }));
    }

    fn refuse(&self, failure: FetchFailure, retry_after: Option<Millis>) {
        if self.is_document && self.response.borrow().is_some() {
            self.finish();
        } else {
            self.end(Err(Refusal {
                failure,
                retry_after,
                mark: false,
            }));
        }
        // Gives the connection back: the rest of the body is not read.
        self.controller.abort();
    }

    fn end(&self, outcome: Outcome) {
        if let Some(timer) = self.timer.borrow().as_ref() {
            timer.clear();
        }
        if let Some(done) = self.done.take() {
            done(outcome);
        }
    }
}

/// A hidden page keeps no user waiting, and its timers go off once a second.
fn slice() -> u32 {
    if lifecycle::is_visible() {
        SLICE
    } else {
        u32::MAX
    }
}

fn header(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name).ok().flatten()
}

/// `Retry-After` as milliseconds from now: seconds, or an HTTP date.
fn span(text: &str) -> Option<Millis> {
    let text = text.trim();
    if let Some(seconds) = json::whole(&json::parse(text)) {
        return Some(seconds.saturating_mul(1000));
    }
    let until = Date::parse(text);
    // An unreadable date is NaN, and NaN as an integer is 0.
    (!until.is_nan()).then(|| (until - Date::now()).max(0.0) as Millis)
}
