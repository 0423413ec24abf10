//! What the browser says by itself: the event stream, the page's life.

use std::{cell::Cell, rc::Rc};

use changeover::{
    engine::io::{Input, Source},
    ids::BuildId,
    web::{
        callback::{Listener, window},
        events::EventStream,
        files::LoadedFiles,
        lifecycle::Lifecycle,
    },
};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{Heard, Replaced, eventually, js, js_later, sleep};

/// The real `EventSource`, kept at `window.source` so that a test can speak through it.
fn keep_source() -> Replaced {
    js("window.source = null; window.sources = 0");
    Replaced::new(
        "window",
        "EventSource",
        "class extends old { constructor(url) { super(url); window.source = this; window.sources += 1; } }",
    )
}

/// A source that neither opens nor ends by itself: nothing here answers with a stream, so that a real one ends at once.
fn silent_source() -> Replaced {
    js("window.source = null; window.sources = 0");
    Replaced::new(
        "window",
        "EventSource",
        "class extends EventTarget { readyState = 0; constructor() { super(); window.source = this; window.sources += 1; } close() { this.readyState = 2; } }",
    )
}

fn say(data: &str) {
    js(&format!(
        "source.dispatchEvent(new MessageEvent('release', {{ data: {data} }}))"
    ));
}

/// Waits for the lock, which the browser takes back some time after the stream that had it was dropped.
async fn free() {
    let held = "return navigator.locks.query().then(({ held }) => held.some(({ name }) => name.startsWith('changeover:stream')))";
    while js_later(held).await == true {
        sleep(20).await;
    }
}

/// Where there is no stream; its lock is that of this origin.
fn url() -> String {
    js("return new URL('/no/such/stream', location).href")
        .as_string()
        .unwrap()
}

#[wasm_bindgen_test]
async fn a_stream_turns_messages_into_sightings() {
    let _kept = silent_source();
    free().await;
    let heard = Heard::default();
    let _stream = EventStream::open(&url(), &heard.emit()).unwrap();
    eventually("the source", || js("return !!window.source") == true).await;
    js("source.dispatchEvent(new Event('open'))");
    say(r#"'{"sequence":7,"build":"b7"}'"#);
    say("'half a {'");
    say(r#"'{"sequence":-1,"build":4}'"#);
    let nothing = Input::Sighted {
        source: Source::Stream,
        sequence: None,
        build: None,
    };
    let b7 = Input::Sighted {
        source: Source::Stream,
        sequence: Some(7),
        build: Some(BuildId("b7".into())),
    };
    assert_eq!(
        heard.all(),
        [Input::StreamOpened, b7, nothing.clone(), nothing]
    );
}

#[wasm_bindgen_test]
async fn of_a_flood_a_few_messages_are_read_and_the_last_one_always() {
    let _kept = silent_source();
    free().await;
    let heard = Heard::default();
    let stream = EventStream::open(&url(), &heard.emit()).unwrap();
    eventually("the source", || js("return !!window.source") == true).await;
    let sighted = |sequence| Input::Sighted {
        source: Source::Stream,
        sequence,
        build: None,
    };
    // All within a span, on a slow machine too.
    let flood = "for (let i = 1; i <= 1_000; i++) source.dispatchEvent(new MessageEvent('release', { data: `{\"sequence\":${i}}` }))";
    js(flood);
    assert_eq!(heard.all().len(), 8);
    assert_eq!(heard.all()[0], sighted(Some(1)));
    sleep(700).await;
    assert_eq!(heard.all()[8..], [sighted(None), sighted(Some(1_000))]);
    // It is calm again, and the next messages are read at once.
    say("'{}'");
    say("'{}'");
    assert_eq!(heard.all()[10..], [sighted(None), sighted(None)]);
    sleep(400).await;
    js(flood);
    drop(stream);
    let before = heard.all().len();
    sleep(400).await;
    assert_eq!(heard.all().len(), before, "a closed stream says nothing");
}

#[wasm_bindgen_test]
async fn a_stream_that_fails_is_closed_for_good() {
    let _kept = keep_source();
    free().await;
    let heard = Heard::default();
    let _stream = EventStream::open(&url(), &heard.emit()).unwrap();
    assert_eq!(heard.take(1).await, [Input::StreamClosed]);
    assert_eq!(js("return source.readyState"), 2.0);
    sleep(200).await;
    assert_eq!(heard.all(), []);
}

#[wasm_bindgen_test]
async fn a_dropped_stream_is_closed_and_silent() {
    let _kept = silent_source();
    free().await;
    let heard = Heard::default();
    let stream = EventStream::open(&url(), &heard.emit());
    eventually("the source", || js("return !!window.source") == true).await;
    drop(stream);
    assert_eq!(js("return source.readyState"), 2.0);
    say("'{}'");
    assert_eq!(heard.all(), []);
}

#[wasm_bindgen_test]
async fn the_second_stream_to_an_origin_is_refused_until_the_first_is_dropped() {
    let _kept = silent_source();
    free().await;
    let heard = Heard::default();
    let first = EventStream::open(&url(), &Heard::default().emit());
    eventually("the source", || js("return !!window.source") == true).await;
    let second = EventStream::open(&url(), &heard.emit());
    assert_eq!(heard.take(1).await, [Input::StreamClosed]);
    assert_eq!(js("return window.sources"), 1.0);
    drop((first, second));
    free().await;
    let _third = EventStream::open(&url(), &heard.emit());
    eventually("another source", || js("return window.sources") == 2.0).await;
}

#[wasm_bindgen_test]
fn an_impossible_stream_url_is_no_stream() {
    assert!(EventStream::open("http://[", &Heard::default().emit()).is_none());
}

#[wasm_bindgen_test]
fn the_life_of_the_page_is_heard_until_the_handle_is_dropped() {
    let heard = Heard::default();
    let lifecycle = Lifecycle::listen(&heard.emit());
    let live = "
        for (const type of ['focus', 'offline', 'online', 'pagehide']) dispatchEvent(new Event(type));
        dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }));
        dispatchEvent(new PageTransitionEvent('pageshow', { persisted: false }));
        document.dispatchEvent(new Event('resume'));
        document.dispatchEvent(new Event('visibilitychange'));";
    js(live);
    let _hidden = Replaced::new("document", "visibilityState", "'hidden'");
    js("document.dispatchEvent(new Event('visibilitychange'))");
    assert_eq!(
        heard.all(),
        [
            Input::Focused,
            Input::WentOffline,
            Input::WentOnline,
            Input::PageHid,
            Input::PageShown { persisted: true },
            Input::PageShown { persisted: false },
            Input::Resumed,
            Input::BecameVisible,
            Input::BecameHidden,
        ]
    );
    drop(lifecycle);
    js(live);
    assert_eq!(heard.all().len(), 9);
}

#[wasm_bindgen_test]
async fn files_are_noted_although_the_browsers_own_list_is_full() {
    js("performance.setResourceTimingBufferSize(0); performance.clearResourceTimings()");
    let files = LoadedFiles::watch();
    js_later("return Promise.all(['/late.js?v=1#x', '/late.css'].map((url) => fetch(url)))").await;
    js_later("return new Promise((done) => { const call = new XMLHttpRequest(); call.onloadend = done; call.open('GET', '/api/orders'); call.send() })").await;
    js(
        "document.head.append(Object.assign(document.createElement('link'), { rel: 'stylesheet', href: '/shown.css' }))",
    );
    let has = |path: &str| files.list().files.iter().any(|file| file == path);
    eventually("the late files", || has("/late.js") && has("/late.css")).await;
    assert!(!has("/api/orders"));
    assert!(
        files
            .list()
            .elements
            .iter()
            .any(|file| file == "/shown.css")
    );
    assert!(!files.list().complete, "the list was full before");
    js(
        "document.head.querySelector('link[href=\"/shown.css\"]').remove(); performance.setResourceTimingBufferSize(250)",
    );
}

#[wasm_bindgen_test]
async fn a_list_that_had_room_is_complete_and_stays_so_when_it_is_cleared() {
    js("performance.clearResourceTimings()");
    js_later("return fetch('/early.js')").await;
    // The entry of a request is added some time after its answer.
    eventually("the entry", || {
        js("return performance.getEntriesByType('resource').length") == 1.0
    })
    .await;
    let files = LoadedFiles::watch();
    let has = |path: &str| files.list().files.iter().any(|file| file == path);
    eventually("the early file", || has("/early.js")).await;
    assert!(files.list().complete);
    js("performance.clearResourceTimings()");
    js_later("return fetch('/later.js')").await;
    eventually("the later file", || has("/later.js") && has("/early.js")).await;
    assert!(files.list().complete);
}

#[wasm_bindgen_test]
fn a_listener_is_entered_again_while_it_runs() {
    let heard = Rc::new(Cell::new(0));
    let count = heard.clone();
    let _listener = Listener::new(&window(), "changeover-test", move |_| {
        count.set(count.get() + 1);
        // As an app does that answers news of the guard with an event that the guard listens to.
        if count.get() < 3 {
            js("dispatchEvent(new Event('changeover-test'))");
        }
    });
    js("dispatchEvent(new Event('changeover-test'))");
    assert_eq!(heard.get(), 3);
}
