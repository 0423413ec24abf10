//! What may lie in the session storage in an envelope's place: anything, since every script of the origin can write there.

use changeover::{
    ids::BuildId,
    time::Timestamp,
    web::{
        state::{Departure, Envelope},
        storage::{Area, Storage},
    },
};
use js_sys::{JSON, Object, Reflect};
use proptest::{
    collection,
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

const NOW: Timestamp = Timestamp(1_800_000_000_000);
const STATES: &str = r#"{"draft":{"text":"hällo \"wörld\""},"cart":[1,0.1,null]}"#;
/// Cases of each property; `ENVELOPE_CASES` asks for more when the tests are compiled.
const CASES: &str = match option_env!("ENVELOPE_CASES") {
    Some(cases) => cases,
    None => "400",
};

fn check<S: Strategy>(inputs: &S, property: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config {
        cases: CASES.parse().unwrap(),
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    TestRunner::new_with_rng(config, rng)
        .run(inputs, property)
        .unwrap();
}

/// What a page takes from an envelope with this text: its states, and whether it counts as an arrival.
fn opened(text: &str) -> (String, bool) {
    let storage = Storage::open("/damage");
    storage.write(Area::Session, "envelope", text).unwrap();
    let envelope = Envelope::open(&storage, NOW);
    let carried: Object = envelope.carried();
    let states = Reflect::get(&carried, &"states".into()).unwrap();
    assert!(states.is_undefined() || states.is_object(), "{text}");
    let _ = envelope.take_scroll();
    envelope.keep(&storage);
    storage.remove(Area::Session, "envelope");
    let states = JSON::stringify(&states).unwrap_or_else(|_| JsValue::UNDEFINED.unchecked_into());
    (
        states.as_string().unwrap_or_default(),
        envelope.arrival().is_some(),
    )
}

fn sealed() -> String {
    let storage = Storage::open("/sealed");
    let (from, to) = (BuildId("a".into()), BuildId("b".into()));
    let departure = Departure {
        changeover: "c1",
        from: Some(&from),
        to: &to,
        at: NOW,
    };
    let captured = JSON::parse(&format!("{{\"states\":{STATES}}}")).unwrap();
    let envelope = Envelope::open(&storage, NOW);
    envelope.expect("c1");
    envelope.write(&storage, &departure, &captured).unwrap();
    let text = storage.read(Area::Session, "envelope").unwrap();
    storage.remove(Area::Session, "envelope");
    text
}

#[wasm_bindgen_test]
fn no_text_in_an_envelopes_place_breaks_a_page() {
    check(&any::<String>(), |text| {
        prop_assert_eq!(opened(&text), (String::new(), false));
        Ok(())
    });
}

#[wasm_bindgen_test]
fn no_value_in_an_envelopes_field_breaks_a_page() {
    const FIELDS: &[&str] = &[
        "format",
        "id",
        "from",
        "to",
        "at",
        "url",
        "scroll",
        "states",
        "about",
        "arrived",
        "sum",
        "__proto__",
        "token",
        "document",
    ];
    const VALUES: &[&str] = &[
        "null",
        "true",
        "-1",
        "1",
        "1e400",
        "1800000000000",
        "\"\"",
        "\"c1\"",
        "[]",
        "[[]]",
        "{}",
        "{\"__proto__\":{\"a\":1}}",
        "{\"draft\":1}",
        "\"\\ud800\"",
    ];
    let field = (prop::sample::select(FIELDS), prop::sample::select(VALUES));
    check(&collection::vec(field, 0..14), |pairs| {
        let fields = pairs
            .iter()
            .map(|(name, value)| format!("\"{name}\":{value}"));
        let fields: Vec<String> = fields.collect();
        let _ = opened(&format!("{{{}}}", fields.join(",")));
        Ok(())
    });
}

#[wasm_bindgen_test]
fn a_damaged_envelope_brings_all_of_the_state_or_none() {
    let whole = sealed();
    assert_eq!(opened(&whole), (STATES.to_owned(), true));
    let length = whole.chars().count();
    check(&(0..length, any::<char>()), |(place, put)| {
        let damaged: String = whole
            .chars()
            .enumerate()
            .map(|(at, old)| if at == place { put } else { old })
            .collect();
        let (states, _) = opened(&damaged);
        prop_assert!(
            states.is_empty() || states == opened(&whole).0,
            "{} gave {}",
            damaged,
            states
        );
        Ok(())
    });
    check(&(0..length), |end| {
        let cut: String = whole.chars().take(end).collect();
        prop_assert_eq!(opened(&cut), (String::new(), false));
        Ok(())
    });
}
