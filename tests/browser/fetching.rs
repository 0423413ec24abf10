//! Requests: what counts as an answer, and when they give up.

use std::{cell::RefCell, rc::Rc};

use changeover::{
    engine::io::FetchFailure,
    web::fetch::{self, Outcome, Request, Step},
};
use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{Replaced, eventually, js, sleep};

type Slot = Rc<RefCell<Option<Outcome>>>;

fn ask(url: &str) -> (Request, Slot) {
    let slot = Slot::default();
    let answered = slot.clone();
    let request =
        fetch::release(url, move |outcome| *answered.borrow_mut() = Some(outcome)).unwrap();
    (request, slot)
}

async fn outcome(slot: &Slot) -> Outcome {
    eventually("an answer", || slot.borrow().is_some()).await;
    slot.take().unwrap()
}

async fn failure(slot: &Slot) -> FetchFailure {
    outcome(slot).await.err().expect("a failure").failure
}

/// `fetch` that answers with an expression and keeps its arguments in `window.asked`.
fn answering(expression: &str) -> Replaced {
    Replaced::new(
        "window",
        "fetch",
        &format!("(url, init) => {{ window.asked = {{ url, init }}; return {expression}; }}"),
    )
}

#[wasm_bindgen_test]
async fn a_body_arrives_as_text_whatever_it_is() {
    let url = js("return URL.createObjectURL(new Blob(['{\"é\":', new Uint8Array([0xff]), '}']))")
        .as_string()
        .unwrap();
    let (_request, slot) = ask(&url);
    assert_eq!(outcome(&slot).await.ok().unwrap().body, "{\"é\":\u{fffd}}");
}

#[wasm_bindgen_test]
async fn the_release_is_asked_for_conditionally_and_with_cookies_of_this_origin_only() {
    let _fetch = answering("Promise.resolve(new Response('x'))");
    let (_request, slot) = ask("http://localhost/changeover/release.json");
    outcome(&slot).await.ok().unwrap();
    assert_eq!(js("return asked.init.cache"), "no-cache");
    assert_eq!(js("return asked.init.credentials"), "same-origin");
}

#[wasm_bindgen_test]
async fn the_stream_is_where_the_header_says_seen_from_the_release() {
    let _fetch = answering(
        "Promise.resolve(Object.defineProperty(new Response('{}', { headers: { 'Changeover-Events': 'events?x=1' } }), 'url', { value: 'http://localhost/shop/changeover/release.json' }))",
    );
    let (_request, slot) = ask("http://localhost/shop/changeover/release.json");
    let events = outcome(&slot).await.ok().unwrap().events;
    assert_eq!(
        events.as_deref(),
        Some("http://localhost/shop/changeover/events?x=1")
    );
}

#[wasm_bindgen_test]
async fn a_missing_file_of_a_real_server_is_a_status() {
    let (_request, slot) = ask("/no/such/file.json");
    assert_eq!(failure(&slot).await, FetchFailure::Status { status: 404 });
}

#[wasm_bindgen_test]
async fn a_server_that_is_not_there_is_a_network_failure() {
    let (_request, slot) = ask("http://127.0.0.1:1/release.json");
    assert_eq!(failure(&slot).await, FetchFailure::Network);
}

#[wasm_bindgen_test]
async fn a_fetch_that_throws_is_a_network_failure() {
    let _fetch = answering("(() => { throw new Error('patched') })()");
    let (_request, slot) = ask("/release.json");
    assert_eq!(failure(&slot).await, FetchFailure::Network);
}

#[wasm_bindgen_test]
async fn retry_after_is_read_in_seconds_and_as_a_date() {
    for (header, from, to) in [
        ("'120'", 120_000, 120_000),
        (
            "new Date(Date.now() + 60_000).toUTCString()",
            50_000,
            60_000,
        ),
        ("new Date(Date.now() - 60_000).toUTCString()", 0, 0),
    ] {
        let _fetch = answering(&format!(
            "Promise.resolve(new Response('', {{ status: 503, headers: {{ 'Retry-After': {header} }} }}))"
        ));
        let (_request, slot) = ask("/release.json");
        let refusal = outcome(&slot).await.err().unwrap();
        assert_eq!(refusal.failure, FetchFailure::Status { status: 503 });
        let after = refusal.retry_after.expect(header);
        assert!((from..=to).contains(&after), "{header}: {after}");
    }
    let _fetch = answering(
        "Promise.resolve(new Response('', { status: 503, headers: { 'Retry-After': 'soon' } }))",
    );
    let (_request, slot) = ask("/release.json");
    assert_eq!(outcome(&slot).await.err().unwrap().retry_after, None);
}

#[wasm_bindgen_test]
async fn reading_stops_at_the_cap_and_gives_the_connection_back() {
    let _fetch = answering(
        "new Promise((answer) => answer(new Response(new ReadableStream({
            pull(body) { body.enqueue(new Uint8Array(10_000)); window.pulled = (window.pulled ?? 0) + 1; },
        }))))",
    );
    let (_request, slot) = ask("/release.json");
    assert_eq!(
        failure(&slot).await,
        FetchFailure::TooLarge { limit: 64 << 10 }
    );
    assert_eq!(js("return asked.init.signal.aborted"), true);
    let pulled = js("return pulled").as_f64().unwrap();
    assert!(pulled < 20.0, "{pulled} pieces of 10 kB were read");
}

#[wasm_bindgen_test]
async fn a_dropped_request_is_aborted_and_says_nothing() {
    let _fetch = answering(
        "new Promise((_, fail) => init.signal.addEventListener('abort', () => fail(init.signal.reason)))",
    );
    let (request, slot) = ask("/release.json");
    drop(request);
    assert_eq!(js("return asked.init.signal.aborted"), true);
    sleep(50).await;
    assert!(slot.borrow().is_none());
}

#[wasm_bindgen_test]
async fn a_manifest_is_checked_by_the_browser_against_its_integrity() {
    let url = js("return URL.createObjectURL(new Blob(['{\"format\":1}']))")
        .as_string()
        .unwrap();
    let right = "sha384-".to_owned()
        + &crate::js_later(
            "return crypto.subtle.digest('SHA-384', new TextEncoder().encode('{\"format\":1}')).then((sum) => btoa(String.fromCharCode(...new Uint8Array(sum))))",
        )
        .await
        .as_string()
        .unwrap();
    for (integrity, good) in [
        (right.as_str(), true),
        (&right.replace("sha384-", "sha384-AAAA"), false),
    ] {
        let slot = Slot::default();
        let answered = slot.clone();
        let _request = fetch::manifest(&url, Some(integrity), Step::First, move |outcome| {
            *answered.borrow_mut() = Some(outcome)
        });
        assert_eq!(outcome(&slot).await.is_ok(), good, "{integrity}");
    }
}

#[wasm_bindgen_test]
async fn a_large_manifest_is_decoded_in_parts_and_the_page_has_its_turn_between_them() {
    // As a browser hands out what it has checked: all of it in one piece, with a character across the edge of a part.
    let _fetch = answering(
        "Promise.resolve(new Response(new Uint8Array(new TextEncoder().encode('é'.padStart((256 << 10), 'x').repeat(12)))))",
    );
    js("window.turns = 0;
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => { window.turns += 1; port2.postMessage(null); };
        port2.postMessage(null);
        window.endTurns = () => { port1.close(); };");
    let slot = Slot::default();
    let answered = slot.clone();
    let before = js("return turns").as_f64().unwrap();
    let _request = fetch::manifest("/manifest.json", None, Step::First, move |outcome| {
        js("window.endTurns()");
        *answered.borrow_mut() = Some(outcome)
    });
    let answer = outcome(&slot).await.ok().unwrap();
    let turns = js("return turns").as_f64().unwrap() - before;
    assert!(turns >= 12.0, "{turns} turns");
    assert_eq!(answer.body.len(), 12 * ((256 << 10) + 1));
    assert!(answer.body.ends_with("xé") && !answer.body.contains('\u{fffd}'));
    let kept = answer.pieces.iter().map(|piece| {
        let piece: js_sys::Uint8Array = piece.unchecked_into();
        piece.length() as usize
    });
    assert_eq!(kept.sum::<usize>(), answer.body.len());
}

#[wasm_bindgen_test]
async fn an_answer_that_is_no_response_is_a_network_failure() {
    for answer in [
        "undefined",
        "Promise.resolve('{}')",
        "Promise.resolve({ ok: true, json: async () => ({}) })",
        "Promise.reject('no error')",
    ] {
        let _fetch = answering(answer);
        let (_request, slot) = ask("/release.json");
        assert_eq!(failure(&slot).await, FetchFailure::Network, "{answer}");
    }
}

#[wasm_bindgen_test]
async fn a_request_that_is_dropped_between_two_parts_of_its_body_reads_no_more() {
    let _fetch = answering(
        "Promise.resolve(new Response(new ReadableStream({
            pull(body) { window.parts = (window.parts ?? 0) + 1; body.enqueue(new Uint8Array(10)); return new Promise((next) => setTimeout(next, 20)); },
        })))",
    );
    let (request, slot) = ask("/release.json");
    eventually("two parts", || js("return window.parts > 1").is_truthy()).await;
    drop(request);
    let parts = js("return parts").as_f64().unwrap();
    sleep(200).await;
    assert!(slot.borrow().is_none());
    // The stream itself may fetch one part ahead.
    assert!(js("return parts").as_f64().unwrap() <= parts + 2.0);
}
