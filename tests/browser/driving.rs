//! The driver as a whole: one loop, one timer, and nothing left behind.

use std::{cell::RefCell, rc::Rc};

use changeover::{
    engine::{
        io::{Asker, Event, Input},
        manifest::Store,
    },
    ids::{BuildId, Names},
    web::{Driver, Host, Options, Stream},
};
use js_sys::{JSON, Promise, Reflect};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{Replaced, eventually, js, sleep};

#[derive(Clone, Default)]
struct App {
    events: Rc<RefCell<Vec<Event>>>,
    settled: Rc<RefCell<u32>>,
}

impl App {
    fn saw(&self, kind: &str) -> bool {
        self.events.borrow().iter().any(|event| {
            serde_json::to_string(event)
                .unwrap()
                .contains(&format!("\"type\":\"{kind}\""))
        })
    }
}

impl Host for App {
    fn on_event(&self, event: &Event) {
        self.events.borrow_mut().push(event.clone());
    }
    fn on_settled(&self) {
        *self.settled.borrow_mut() += 1;
    }
    fn capture(&self, _stores: &Names<Store>) -> Promise {
        Promise::resolve(&js(
            "return { states: { draft: 'hello' }, failed: 'state \"cart\" could not be captured' }",
        ))
    }
    fn restore(&self) -> Promise {
        Promise::resolve(&js("return { restored: [], failed: [] }"))
    }
}

fn options(scope: &str) -> Options {
    Options {
        release: format!(
            "{}/{scope}/release.json",
            js("return location.origin").as_string().unwrap()
        ),
        build: Some(BuildId("a".into())),
        sequence: None,
        app: None,
        channel: None,
        interval: 1_000,
        stream: Stream::Auto,
        trace: true,
    }
}

fn drive(scope: &str) -> (Driver, App) {
    let app = App::default();
    let driver = Driver::new(options(scope), Box::new(app.clone())).unwrap();
    driver.start();
    (driver, app)
}

/// A server in the page: the release wants build `b`, in which the script of the test page differs; counts the requests for it in `window.looks`.
fn server() -> Replaced {
    js("window.looks = {}; window.broken = false");
    Replaced::new(
        "window",
        "fetch",
        r#"async (url, init) => {
            const { pathname } = new URL(url, location.href);
            if (window.broken) throw new TypeError('offline');
            looks[pathname] = (looks[pathname] ?? 0) + 1;
            const manifest = (id) => ({ format: 1, app: 'test', id, created: '2026-01-01T00:00:00Z', base: '/', epoch: 1, entries: ['run.js'], html: 'sha384-' + 'A'.repeat(64),
              documents: {}, slots: {}, stores: {}, chunks: { 'run.js': { id: 'run.js', code: id.repeat(8), integrity: 'sha384-' + id.repeat(64), size: 1, kind: 'script', owner: 'shell' } } });
            const body = pathname.endsWith('release.json')
              ? { format: 1, app: 'test', channel: 'stable', sequence: 7, issued: '2026-01-01T00:00:00Z', urgency: 'routine', build: { id: 'b', manifest: 'builds/b.json' } }
              : manifest(pathname.match(/(\w+)\.json$/)[1]);
            return new Response(JSON.stringify(body));
        }"#,
    )
}

fn status(driver: &Driver, name: &str) -> JsValue {
    let status = serde_json::to_string(&driver.status()).unwrap();
    Reflect::get(&JSON::parse(&status).unwrap(), &name.into()).unwrap()
}

#[wasm_bindgen_test]
async fn a_new_release_is_seen_and_asked_about_and_the_trace_tells_it() {
    let _server = server();
    let (driver, app) = drive("seen");
    eventually("the prompt", || app.saw("promptShown")).await;
    assert_eq!(status(&driver, "skew"), true);
    assert!(*app.settled.borrow() > 0);
    assert!(driver.is_settled());
    let trace = driver.trace();
    let kinds: Vec<String> = trace
        .lines()
        .map(|line| {
            let line = JSON::parse(line).unwrap();
            assert!(Reflect::get(&line, &"at".into()).unwrap().as_f64().unwrap() > 1.7e12);
            js_sys::Object::keys(&line.into())
                .get(1)
                .as_string()
                .unwrap()
        })
        .collect();
    assert_eq!(&kinds[..2], ["config", "input"]);
    assert!(kinds.iter().any(|kind| kind == "output"));
    assert!(trace.contains("\"type\":\"releaseFetched\""));
    assert_eq!(
        js("return localStorage['changeover:/seen/release.json:sequence']"),
        "7"
    );
    driver.feed(Input::SnoozeRequested);
    assert!(app.saw("promptHidden"));
    assert_eq!(
        js("return JSON.parse(sessionStorage['changeover:/seen/release.json:snooze']).sequence"),
        7.0
    );
    driver.dispose();
}

#[wasm_bindgen_test]
async fn state_that_could_not_be_saved_stops_the_reload_and_leaves_no_envelope() {
    let _server = server();
    let (driver, app) = drive("unsaved");
    eventually("the prompt", || app.saw("promptShown")).await;
    driver.feed(Input::ReloadRequested { by: Asker::User });
    eventually("the end of it", || app.saw("changeoverAborted")).await;
    assert_eq!(
        js("return sessionStorage['changeover:/unsaved/release.json:envelope']"),
        JsValue::UNDEFINED
    );
    driver.dispose();
}

#[wasm_bindgen_test]
async fn two_drivers_of_one_site_elect_one_leader_and_the_other_takes_over() {
    let _server = server();
    let (first, _) = drive("two");
    eventually("a leader", || status(&first, "leader") == true).await;
    let (second, app) = drive("two");
    eventually("news for the follower", || app.saw("promptShown")).await;
    assert_eq!(status(&second, "leader"), false);
    first.dispose();
    eventually("the next leader", || status(&second, "leader") == true).await;
    second.dispose();
}

#[wasm_bindgen_test]
async fn other_sites_of_the_origin_have_leaders_of_their_own() {
    let _server = server();
    let (one, _) = drive("site-one");
    let (other, _) = drive("site-other");
    eventually("two leaders", || {
        status(&one, "leader") == true && status(&other, "leader") == true
    })
    .await;
    one.dispose();
    other.dispose();
}

#[wasm_bindgen_test]
async fn looks_come_by_timer_and_go_on_after_failures() {
    let _server = server();
    let (driver, _) = drive("timed");
    eventually("several looks", || {
        js("return looks['/timed/release.json'] >= 3") == true
    })
    .await;
    js("window.broken = true");
    eventually("a failure", || {
        status(&driver, "failures").as_f64() > Some(0.0)
    })
    .await;
    js("window.broken = false");
    driver.feed(Input::CheckRequested);
    eventually("recovery", || status(&driver, "failures") == 0.0).await;
    driver.dispose();
}

#[wasm_bindgen_test]
fn a_release_url_that_is_none_makes_no_driver() {
    let options = Options {
        release: "changeover/release.json".into(),
        ..options("none")
    };
    assert!(Driver::new(options, Box::new(App::default())).is_none());
}

#[wasm_bindgen_test]
async fn disposing_leaves_no_listener_timer_channel_lock_stream_request_or_observer() {
    let _stream = Replaced::new(
        "window",
        "EventSource",
        "class extends EventTarget { constructor() { super(); open.streams++; } close() { open.streams--; } }",
    );
    let _server = server();
    let _counters = [
        Replaced::new(
            "window",
            "open",
            "({ listeners: 0, timers: new Set(), channels: 0, streams: 0, requests: 0, observers: 0 })",
        ),
        Replaced::new(
            "EventTarget.prototype",
            "addEventListener",
            "function (...given) { if (given[1]) open.listeners++; return old.apply(this, given); }",
        ),
        Replaced::new(
            "EventTarget.prototype",
            "removeEventListener",
            "function (...given) { open.listeners--; return old.apply(this, given); }",
        ),
        Replaced::new(
            "window",
            "setTimeout",
            "(run, ms) => { if (ms === 20) return old(run, ms); const id = old(() => { open.timers.delete(id); run(); }, ms); open.timers.add(id); return id; }",
        ),
        Replaced::new(
            "window",
            "clearTimeout",
            "(id) => { open.timers.delete(id); old(id); }",
        ),
        Replaced::new(
            "window",
            "BroadcastChannel",
            "class extends old { constructor(name) { super(name); open.channels++; } close() { super.close(); open.channels--; } }",
        ),
        Replaced::new(
            "PerformanceObserver.prototype",
            "observe",
            "function (...given) { open.observers++; return old.apply(this, given); }",
        ),
        Replaced::new(
            "PerformanceObserver.prototype",
            "disconnect",
            "function () { open.observers--; return old.apply(this); }",
        ),
        Replaced::new(
            "window",
            "fetch",
            "(url, init) => { open.requests++; init.signal.addEventListener('abort', () => 0); open.listeners--; return new Promise((answer, fail) => { if (url.includes('/hangs')) init.signal.onabort = fail; else answer(old(url, init)); }).finally(() => open.requests--); }",
        ),
    ];
    let count = || {
        js("return [open.listeners, open.timers.size, open.channels, open.streams, open.requests, open.observers].join()").as_string().unwrap()
    };
    assert_eq!(count(), "0,0,0,0,0,0");

    let options = Options {
        stream: Stream::At("/events".into()),
        ..options("counted")
    };
    let app = App::default();
    let driver = Driver::new(options, Box::new(app.clone())).unwrap();
    driver.start();
    eventually("everything open", || {
        app.saw("promptShown") && js("return open.channels * open.streams * open.observers") == 1.0
    })
    .await;
    assert!(js("return open.listeners >= 10") == true, "{}", count());
    // Those of what was heard a moment ago go by themselves.
    eventually("the guard's timer alone", || {
        js("return open.timers.size") == 1.0
    })
    .await;
    let (hanging, _) = drive("hangs");
    eventually("a request under way", || js("return open.requests") == 1.0).await;

    hanging.dispose();
    driver.dispose();
    assert_eq!(status(&driver, "level"), "off");
    sleep(20).await;
    assert_eq!(count(), "0,0,0,0,0,0");
    let left = "return navigator.locks.query().then(({ held, pending }) => [...held, ...pending].filter(({ name }) => /counted|hangs|changeover:stream/.test(name)).length)";
    assert_eq!(crate::js_later(left).await, 0.0);

    let events = app.events.borrow().len();
    js("dispatchEvent(new Event('online')); dispatchEvent(new Event('focus'))");
    driver.feed(Input::CheckRequested);
    sleep(20).await;
    assert_eq!(app.events.borrow().len(), events);
    assert_eq!(count(), "0,0,0,0,0,0");
}

#[wasm_bindgen_test]
async fn dropping_a_driver_is_enough() {
    let _server = server();
    let (driver, app) = drive("dropped");
    eventually("news", || app.saw("releaseSeen")).await;
    drop(driver);
    let events = app.events.borrow().len();
    js("dispatchEvent(new Event('online'))");
    sleep(50).await;
    assert_eq!(app.events.borrow().len(), events);
}
