//! What the browser says by itself: the event stream, the page's life.

use changeover::{
    engine::io::{BuildId, Input, Source},
    web::{events::EventStream, files::LoadedFiles, lifecycle::Lifecycle},
};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{Heard, Replaced, eventually, js, js_later, sleep};

/// The real `EventSource`, kept at `window.source` so that a test can speak through it.
fn keep_source() -> Replaced {
    Replaced::new(
        "window",
        "EventSource",
        "class extends old { constructor(url) { super(url); window.source = this; } }",
    )
}

fn say(data: &str) {
    js(&format!(
        "source.dispatchEvent(new MessageEvent('release', {{ data: {data} }}))"
    ));
}

#[wasm_bindgen_test]
fn a_stream_turns_messages_into_sightings() {
    let _kept = keep_source();
    let heard = Heard::default();
    let _stream = EventStream::open("/no/such/stream", &heard.emit()).unwrap();
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
async fn a_stream_that_fails_is_closed_for_good() {
    let _kept = keep_source();
    let heard = Heard::default();
    let _stream = EventStream::open("/no/such/stream", &heard.emit()).unwrap();
    assert_eq!(heard.take(1).await, [Input::StreamClosed]);
    assert_eq!(js("return source.readyState"), 2.0);
    sleep(200).await;
    assert_eq!(heard.all(), []);
}

#[wasm_bindgen_test]
fn a_dropped_stream_is_closed_and_silent() {
    let _kept = keep_source();
    let heard = Heard::default();
    drop(EventStream::open("/no/such/stream", &heard.emit()));
    assert_eq!(js("return source.readyState"), 2.0);
    say("'{}'");
    assert_eq!(heard.all(), []);
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
        "document.head.append(Object.assign(document.createElement('link'), { rel: 'modulepreload', href: '/preloaded.js' }))",
    );
    let has = |path: &str| files.list().iter().any(|file| file == path);
    eventually("the late files", || has("/late.js") && has("/late.css")).await;
    assert!(has("/preloaded.js"));
    assert!(!has("/api/orders"));
    js(
        "document.head.querySelector('link[href=\"/preloaded.js\"]').remove(); performance.setResourceTimingBufferSize(250)",
    );
}
