//! Manifests whose hash is known: who makes the hash, and what follows from a wrong one.

use std::{cell::RefCell, rc::Rc};

use changeover::{
    engine::io::FetchFailure,
    web::manifests::{Errand, Found, Way},
};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{Replaced, eventually, js, js_later};

/// Of the text that is right.
async fn integrity() -> String {
    let hash = "return crypto.subtle.digest('SHA-384', new TextEncoder().encode('good')).then((hash) => 'sha384-' + btoa(String.fromCharCode(...new Uint8Array(hash))))";
    js_later(hash).await.as_string().unwrap()
}

/// A server whose answers, one after another, are these texts; what it was asked stands in `window.asks`. It checks a hash
/// that it is told as a browser does.
fn answering(texts: &str) -> Replaced {
    js("window.asks = []");
    let code = format!(
        "async (url, {{ cache, integrity }}) => {{
           const text = {texts}[asks.push(cache + (integrity ? ' checked' : '')) - 1];
           if (integrity && text !== 'good') throw new TypeError('the hash is another one');
           return new Response(text);
         }}"
    );
    Replaced::new("window", "fetch", &code)
}

fn asks() -> String {
    js("return asks.join()").as_string().unwrap()
}

async fn found(integrity: &str, way: Way) -> Found {
    let slot = Rc::new(RefCell::new(None));
    let told = slot.clone();
    // No copy is kept from one test to the next.
    let _caches = Replaced::new("window", "caches", "undefined");
    let errand = Errand::new(
        "/checking",
        "/builds/a.json".into(),
        Some(integrity.into()),
        way,
        move |found| *told.borrow_mut() = Some(found),
    )
    .start();
    eventually("a manifest", || slot.borrow().is_some()).await;
    drop(errand);
    slot.take().unwrap()
}

#[wasm_bindgen_test]
async fn the_hash_of_a_manifest_is_made_beside_the_page_and_not_by_its_request() {
    let integrity = integrity().await;
    let _fetch = answering("['good']");
    let got = found(&integrity, Way::Usual).await;
    assert!(matches!(got, Found::Fetched(text) if text == "good"));
    assert_eq!(asks(), "default");
}

#[wasm_bindgen_test]
async fn a_wrong_manifest_is_asked_for_once_more_past_the_cache() {
    let integrity = integrity().await;
    for (texts, good) in [
        ("['stale', 'good']", true),
        ("['wrong', 'wrong', 'good']", false),
    ] {
        let _fetch = answering(texts);
        match found(&integrity, Way::Usual).await {
            Found::Fetched(text) => assert!(good && text == "good", "{texts}"),
            Found::Failed(failure) => assert!(!good && failure == FetchFailure::Integrity),
            Found::Kept(text) => panic!("{text} was kept"),
        }
        assert_eq!(asks(), "default,reload", "{texts}");
    }
}

#[wasm_bindgen_test]
async fn a_server_that_does_not_answer_is_not_a_wrong_hash() {
    let integrity = integrity().await;
    js("window.asks = []");
    let gone = "(url, { cache }) => (asks.push(cache), Promise.reject(new TypeError('gone')))";
    let _fetch = Replaced::new("window", "fetch", gone);
    let got = found(&integrity, Way::Usual).await;
    assert!(matches!(got, Found::Failed(FetchFailure::Network)));
    assert_eq!(asks(), "default");
}

#[wasm_bindgen_test]
async fn over_plain_http_the_browser_is_told_the_hash() {
    let integrity = integrity().await;
    for (texts, good) in [("['good']", true), ("['wrong', 'wrong', 'wrong']", false)] {
        let _fetch = answering(texts);
        let _crypto = Replaced::new("window", "crypto", "({})");
        let got = found(&integrity, Way::Usual).await;
        assert_eq!(matches!(got, Found::Fetched(_)), good, "{texts}");
        let asked = if good {
            "default checked"
        } else {
            "default checked,reload,default checked"
        };
        assert_eq!(asks(), asked, "{texts}");
    }
}
