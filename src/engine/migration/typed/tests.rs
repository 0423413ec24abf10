//! Values that are read into types, and where one that cannot be read is wrong.

use super::*;
use alloc::{collections::BTreeMap, vec, vec::Vec};
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Everything {
    text: String,
    number: i32,
    maybe: Option<u8>,
    list: Vec<Inner>,
    by_number: BTreeMap<u32, Inner>,
    pair: (bool, f64),
    kind: KindOf,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Inner {
    value: Wrapped,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Wrapped(u16);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum KindOf {
    Plain,
    Of(Inner),
    Pair(u8, u8),
    With { inner: Inner },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Strict {
    list: Vec<Inner>,
    by_number: BTreeMap<u32, Inner>,
    maybe: Option<Inner>,
    pair: (bool, f64),
    kind: KindOf,
}

#[test]
fn whatever_serde_writes_is_read_back() {
    for kind in [
        KindOf::Plain,
        KindOf::Of(Inner { value: Wrapped(1) }),
        KindOf::Pair(1, 2),
        KindOf::With {
            inner: Inner { value: Wrapped(1) },
        },
    ] {
        let value = Everything {
            text: "é".into(),
            number: -7,
            maybe: None,
            list: vec![Inner { value: Wrapped(9) }],
            by_number: BTreeMap::from([(4, Inner { value: Wrapped(2) })]),
            pair: (true, 0.5),
            kind,
            rest: Map::from_iter([("more".to_string(), json!({"deep": [1]}))]),
        };
        let json = serde_json::to_value(&value).unwrap();
        assert_eq!(decode::<Everything>(&json), Ok(value));
    }
}

#[test]
fn an_error_names_the_place() {
    let good = json!({
        "list": [{"value": 1}],
        "by_number": {"4": {"value": 1}},
        "maybe": {"value": 1},
        "pair": [true, 1.5],
        "kind": {"With": {"inner": {"value": 1}}},
    });
    assert!(decode::<Strict>(&good).is_ok());
    for (place, bad, path) in [
        ("/list/0/value", json!("x"), Some("list[0].value")),
        ("/list/0", json!({}), Some("list[0]")),
        ("/by_number/4/value", json!(-1), Some("by_number.4.value")),
        (
            "/by_number",
            json!({"x": {"value": 1}}),
            Some("by_number.?"),
        ),
        ("/maybe/value", json!(70000), Some("maybe.value")),
        ("/pair/1", json!(null), Some("pair[1]")),
        ("/pair", json!([true, 1, 2]), Some("pair")),
        (
            "/kind/With/inner/value",
            json!([]),
            Some("kind.With.inner.value"),
        ),
        ("/kind", json!("Nothing"), Some("kind")),
        ("/kind", json!(5), Some("kind")),
        ("", json!({}), None),
    ] {
        let mut value = good.clone();
        *value.pointer_mut(place).unwrap() = bad;
        let error = decode::<Strict>(&value).unwrap_err();
        assert_eq!(error.path.as_deref(), path, "{error}");
    }
}
