//! Requests: one at a time each, capped in bytes and in time.
//!
//! In order: `fetch` with an abort signal and a timer, the status line, the body chunk by chunk up to the cap, the answer.
//! Written with callbacks: an executor would cost more bytes than this file.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use js_sys::{Date, Object, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{
    AbortController, ReadableStreamDefaultReader, RequestCache, RequestCredentials, RequestInit,
    Response, Url,
};

use super::{
    handle::{Timer, settle},
    json,
};
use crate::engine::io::{FetchFailure, Millis};

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
}

/// How long an answer may take, body included. Longer than a slow mobile network needs, shorter than the least sensible
/// patience of a server that accepts and never answers.
const TIMEOUT: Millis = 15_000;
/// `release.json` is meant to stay below 1 KiB.
const RELEASE_LIMIT: u32 = 64 << 10;
/// A manifest takes about 400 bytes a chunk: room for 40 000.
const MANIFEST_LIMIT: u32 = 16 << 20;
/// As much of a document is read so that the browser can cache it.
const DOCUMENT_LIMIT: u32 = 16 << 20;

/// A successful answer.
pub struct Answer {
    pub body: String,
    /// The `Changeover-Events` header, resolved against the URL that answered.
    pub events: Option<String>,
}

/// Why there is none, and how long the server asks to be left alone.
pub struct Refusal {
    pub failure: FetchFailure,
    pub retry_after: Option<Millis>,
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
    controller: AbortController,
    timer: RefCell<Option<Timer>>,
    response: RefCell<Option<Response>>,
    /// `None` when nobody wants the body.
    decoder: Option<Decoder>,
    body: RefCell<String>,
    length: Cell<u64>,
    done: Cell<Option<Done>>,
}

/// Asks whether the release changed: the browser's cache adds the ETag, the server answers 304 in the usual case.
pub fn release(url: &str, done: impl FnOnce(Outcome) + 'static) -> Option<Request> {
    start(
        url,
        RequestCache::NoCache,
        None,
        RELEASE_LIMIT,
        true,
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
    start(url, cache, integrity, MANIFEST_LIMIT, true, Box::new(done))
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
pub fn document(url: &str, done: impl FnOnce(Outcome) + 'static) -> Option<Request> {
    start(
        url,
        RequestCache::Reload,
        None,
        DOCUMENT_LIMIT,
        false,
        Box::new(done),
    )
}

fn start(
    url: &str,
    cache: RequestCache,
    integrity: Option<&str>,
    limit: u32,
    keep_body: bool,
    done: Done,
) -> Option<Request> {
    let controller = AbortController::new().ok()?;
    let init = RequestInit::new();
    init.set_cache(cache);
    init.set_credentials(RequestCredentials::SameOrigin);
    init.set_signal(Some(&controller.signal()));
    if let Some(integrity) = integrity {
        init.set_integrity(integrity);
    }
    let running = Rc::new(Running {
        limit,
        controller,
        timer: RefCell::new(None),
        response: RefCell::new(None),
        decoder: keep_body.then(Decoder::new),
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
    timer.arm(TIMEOUT);
    running.timer.replace(Some(timer));
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
    /// Goes on with `next` when the promise is fulfilled; a rejection is a network failure.
    fn wait(self: &Rc<Self>, promise: &JsValue, next: fn(&Rc<Self>, JsValue)) {
        let this = Rc::downgrade(self);
        settle(&Promise::resolve(promise), move |settled| {
            let Some(this) = this.upgrade() else { return };
            match settled {
                Ok(value) => next(&this, value),
                Err(_) => this.refuse(FetchFailure::Network, None),
            }
        });
    }

    fn on_response(self: &Rc<Self>, response: JsValue) {
        let response: Response = response.unchecked_into();
        if !response.ok() {
            let failure = match response.status() {
                // An opaque or error response, from a service worker perhaps: nothing was learnt.
                0 => FetchFailure::Network,
                status => FetchFailure::Status { status },
            };
            let retry_after = header(&response, "Retry-After").and_then(|text| span(&text));
            return self.refuse(failure, retry_after);
        }
        let reader = response.body().map(|body| {
            body.get_reader()
                .unchecked_into::<ReadableStreamDefaultReader>()
        });
        self.response.replace(Some(response));
        match reader {
            Some(reader) => self.read(reader),
            None => self.finish(),
        }
    }

    fn read(self: &Rc<Self>, reader: ReadableStreamDefaultReader) {
        let this = Rc::downgrade(self);
        settle(&reader.read(), move |settled| {
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
            this.decode(&bytes, true);
            this.read(reader);
        });
    }

    /// Decodes in the browser, which brings its decoder along. What is no text becomes U+FFFD.
    fn decode(&self, bytes: &JsValue, more: bool) {
        if let Some(decoder) = &self.decoder {
            let options = Object::new();
            json::set(&options, "stream", &more.into());
            let text = decoder.decode(bytes, &options).unwrap_or_default();
            self.body.borrow_mut().push_str(&text);
        }
    }

    fn finish(&self) {
        self.decode(&Uint8Array::new_with_length(0), false);
        let body = self.body.take();
        let events = self.response.borrow().as_ref().and_then(|response| {
            let url = header(response, "Changeover-Events")?;
            Some(Url::new_with_base(&url, &response.url()).ok()?.href())
        });
        self.end(Ok(Answer { body, events }));
    }

    fn refuse(&self, failure: FetchFailure, retry_after: Option<Millis>) {
        self.end(Err(Refusal {
            failure,
            retry_after,
        }));
        // Gives the connection back: nobody reads the rest of the body.
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
