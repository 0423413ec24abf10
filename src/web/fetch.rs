//! Requests: one at a time each, capped in bytes and in time.
//!
//! In order: `fetch` with an abort signal, and beside it a time limit; the status line, the body chunk by chunk up to the cap,
//! the answer. A browser that was told a hash has all of a body before it hands out any: it is read and decoded in parts, and
//! the page has its turn between two of them.

use std::{cell::Cell, pin::pin, rc::Rc};

use futures_util::future::{Either, select};
use gloo_net::http::{RequestBuilder, Response};
use gloo_timers::future::TimeoutFuture;
use js_sys::{Array, Date, Object, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, RequestCache, RequestCredentials, RequestRedirect, ResponseType, Url,
};

use super::{callback::Task, lifecycle, reflect};
use crate::{
    engine::{format::from_own_json, io::FetchFailure},
    time::{Millis, Timestamp},
};

#[wasm_bindgen]
extern "C" {
    /// With `catch`: apps replace `fetch`, and theirs may throw. gloo's `send` panics when it rejects with no `Error`.
    #[wasm_bindgen(catch, js_name = fetch)]
    fn call_fetch(url: &str, init: &Object) -> Result<JsValue, JsValue>;

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
const TIMEOUT: u32 = 15_000;
/// The same for a manifest, which may have some megabytes.
const MANIFEST_TIMEOUT: u32 = 60_000;
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
    call: Rc<Call>,
    _task: Task,
}

/// What the task and the handle of a request share.
struct Call {
    controller: AbortController,
    done: Cell<Option<Done>>,
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
    let call = Call::new(Box::new(done))?;
    let mut reading = Reading::new(MANIFEST_LIMIT, Kind::Manifest);
    Some(call.run(async move {
        TimeoutFuture::new(0).await;
        reading.decode_in_turns(&bytes).await;
        reading.finish()
    }))
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
    let (kind, time) = match (redirects, limit) {
        (Some(_), _) => (Kind::Document, TIMEOUT),
        (None, MANIFEST_LIMIT) => (Kind::Manifest, MANIFEST_TIMEOUT),
        (None, _) => (Kind::Release, TIMEOUT),
    };
    let call = Call::new(done)?;
    let mut builder = RequestBuilder::new(url)
        .cache(cache)
        .credentials(RequestCredentials::SameOrigin)
        .abort_signal(Some(&call.controller.signal()));
    if let Some(integrity) = integrity {
        builder = builder.integrity(integrity);
    }
    if redirects == Some(Redirects::Shown) {
        builder = builder.redirect(RequestRedirect::Manual);
    }
    let request = builder.build().ok();
    // Heard from now on: a promise that rejects unheard is an error of the app.
    let asked = request.and_then(|request| send(&request.into()));
    let answer = asked.map(|asked| JsFuture::from(Promise::resolve(&asked)));
    let controller = call.controller.clone();
    let mut reading = Reading::new(limit, kind);
    // Where a document comes from in the end is between the browser and the site.
    if kind != Kind::Document {
        reading.origin = Url::new(url).ok().map(|url| url.origin());
    }
    Some(call.run(async move {
        let ended = {
            let come = pin!(reading.take(answer));
            match select(come, TimeoutFuture::new(time)).await {
                Either::Left((ended, _)) => ended,
                Either::Right(_) => Err(Refusal::of(FetchFailure::Timeout)),
            }
        };
        if ended.is_err() || reading.is_enough() {
            // Gives the connection back: the rest of the body is not read.
            controller.abort();
        }
        match ended {
            Err(refusal) if kind != Kind::Document || reading.response.is_none() => Err(refusal),
            _ => reading.finish(),
        }
    }))
}

/// What `fetch` answers. Those that apps put in its place take an address and a plain object, which they may copy.
fn send(request: &web_sys::Request) -> Option<JsValue> {
    let init = Object::new();
    for name in ["cache", "credentials", "integrity", "redirect", "signal"] {
        reflect::set(&init, name, &reflect::property(request, name));
    }
    call_fetch(&request.url(), &init).ok()
}

impl Call {
    fn new(done: Done) -> Option<Rc<Self>> {
        Some(Rc::new(Self {
            controller: AbortController::new().ok()?,
            done: Cell::new(Some(done)),
        }))
    }

    fn run(self: Rc<Self>, outcome: impl Future<Output = Outcome> + 'static) -> Request {
        let call = self.clone();
        let task = Task::spawn(async move {
            let outcome = outcome.await;
            if let Some(done) = call.done.take() {
                done(outcome);
            }
        });
        Request {
            call: self,
            _task: task,
        }
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        if self.call.done.take().is_some() {
            self.call.controller.abort();
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Release,
    Manifest,
    /// Asked for whether it is there; its text counts only when its status is a failure.
    Document,
}

/// What has come so far.
struct Reading {
    kind: Kind,
    limit: u32,
    /// Of what was asked; `None`: an answer from anywhere will do.
    origin: Option<String>,
    response: Option<Response>,
    /// The status of a document that is not there.
    failed: Option<FetchFailure>,
    decoder: Decoder,
    body: String,
    length: u64,
    pieces: Array,
}

impl Reading {
    fn new(limit: u32, kind: Kind) -> Self {
        Self {
            kind,
            limit,
            origin: None,
            response: None,
            failed: None,
            decoder: Decoder::new(),
            body: String::new(),
            length: 0,
            pieces: Array::new(),
        }
    }

    /// Waits for the response and reads what is wanted of it.
    async fn take(&mut self, answer: Option<JsFuture>) -> Result<(), Refusal> {
        let unreachable = || Refusal::of(FetchFailure::Network);
        let response = answer.ok_or_else(unreachable)?.await;
        let response = response.map_err(|_| unreachable())?;
        // A `fetch` that was replaced may answer with anything.
        if reflect::text(&response, "url").is_none() {
            return Err(unreachable());
        }
        let response = Response::from(response.unchecked_into::<web_sys::Response>());
        if let Some(origin) = self.stray_origin(&response) {
            return Err(Refusal::of(FetchFailure::Redirected { origin }));
        }
        if !response.ok() {
            let failure = match response.status() {
                0 if response.type_() == ResponseType::Opaqueredirect => {
                    FetchFailure::Status { status: 302 }
                }
                // An opaque or error response, from a service worker perhaps: nothing was learnt.
                0 => FetchFailure::Network,
                status => FetchFailure::Status { status },
            };
            let is_missing = matches!(failure, FetchFailure::Status { status: 400..500 });
            if self.kind != Kind::Document || !is_missing {
                let retry_after = header(&response, "Retry-After").and_then(|text| span(&text));
                return Err(Refusal {
                    retry_after,
                    ..Refusal::of(failure)
                });
            }
            self.failed = Some(failure);
        }
        let body = response.body();
        self.response = Some(response);
        match body {
            Some(body) => self.read(&body.unchecked_into()).await,
            None => Ok(()),
        }
    }

    /// The origin that answered, when it is not the one that was asked. An answer that a service worker made has no URL.
    fn stray_origin(&self, response: &Response) -> Option<String> {
        let asked = self.origin.as_ref()?;
        let origin = Url::new(&response.url()).ok()?.origin();
        (origin != *asked).then_some(origin)
    }

    async fn read(&mut self, body: &Body) -> Result<(), Refusal> {
        let options = Object::new();
        reflect::set(&options, "mode", &"byob".into());
        let reader = body
            .reader(&options)
            .or_else(|_| body.reader(&JsValue::UNDEFINED))
            .map_err(|_| Refusal::of(FetchFailure::Network))?;
        let mut buffer = Uint8Array::new_with_length(SLICE.min(self.limit));
        // Bytes that came since the page had its turn.
        let mut fresh = 0_u32;
        while !self.is_enough() {
            let chunk = JsFuture::from(reader.read(&buffer)).await;
            let chunk = chunk.map_err(|_| Refusal::of(FetchFailure::Network))?;
            if reflect::property(&chunk, "done").is_truthy() {
                break;
            }
            let bytes = reflect::property(&chunk, "value");
            let length = reflect::number(&bytes, "byteLength").unwrap_or_default();
            self.length = self.length.saturating_add(length);
            if self.length > self.limit.into() {
                return Err(Refusal::of(FetchFailure::TooLarge { limit: self.limit }));
            }
            // An app may have replaced `fetch`, by that of a frame for instance.
            let bytes: Uint8Array = bytes
                .dyn_into()
                .unwrap_or_else(|bytes| Uint8Array::new(&bytes));
            if self.kind == Kind::Manifest {
                // The buffer is filled again.
                self.pieces.push(&bytes.slice(0, bytes.length()));
            }
            fresh = fresh.saturating_add(bytes.length());
            if fresh >= slice() {
                fresh = 0;
                TimeoutFuture::new(0).await;
            }
            self.decode_in_turns(&bytes).await;
            buffer = Uint8Array::new(&bytes.buffer());
        }
        Ok(())
    }

    /// Decodes bytes a slice at a time; the page has its turn between two of them.
    async fn decode_in_turns(&mut self, bytes: &Uint8Array) {
        let length = bytes.length();
        let mut from = 0_u32;
        loop {
            let end = length.min(from.saturating_add(slice()));
            self.decode(&bytes.subarray(from, end), true);
            from = end;
            if from == length || self.is_enough() {
                return;
            }
            TimeoutFuture::new(0).await;
        }
    }

    /// Of a document that is not there, so much is read as tells whose it is.
    fn is_enough(&self) -> bool {
        self.failed.is_some() && self.length > MARK_LIMIT
    }

    /// Decodes in the browser, which brings its decoder along. What is no text becomes U+FFFD.
    fn decode(&mut self, bytes: &JsValue, more: bool) {
        if self.kind == Kind::Document && self.failed.is_none() {
            return;
        }
        let options = Object::new();
        reflect::set(&options, "stream", &more.into());
        let text = self.decoder.decode(bytes, &options).unwrap_or_default();
        self.body.push_str(&text);
    }

    fn finish(mut self) -> Outcome {
        self.decode(&Uint8Array::new_with_length(0), false);
        let Self { body, response, .. } = self;
        if let Some(failure) = self.failed {
            return Err(Refusal {
                mark: MARKS.iter().any(|mark| body.contains(mark)),
                ..Refusal::of(failure)
            });
        }
        let response = response.as_ref();
        let events = response.and_then(|response| {
            let url = header(response, "Changeover-Events")?;
            Some(Url::new_with_base(&url, &response.url()).ok()?.href())
        });
        let date = response.and_then(|response| {
            let date = Date::parse(&header(response, "Date")?);
            (date > 0.0).then_some(Timestamp(date as u64))
        });
        Ok(Answer {
            body,
            events,
            date,
            pieces: self.pieces,
        })
    }
}

impl Refusal {
    fn of(failure: FetchFailure) -> Self {
        Self {
            failure,
            retry_after: None,
            mark: false,
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
    // gloo's own `get` panics when the headers are something else, as those of a replaced `fetch` may be.
    response.headers().into_raw().get(name).ok().flatten()
}

/// `Retry-After` as milliseconds from now: seconds, or an HTTP date.
fn span(text: &str) -> Option<Millis> {
    let text = text.trim();
    if let Some(seconds) = from_own_json::<u64>(text) {
        return Some(seconds.saturating_mul(1000));
    }
    let until = Date::parse(text);
    // An unreadable date is NaN, and NaN as an integer is 0.
    (!until.is_nan()).then(|| (until - Date::now()).max(0.0) as Millis)
}
