//! Properties of JavaScript values whose shape is not certain: of events, of what the app hands in, of what the page replaced.

use js_sys::{Array, Object, Reflect};
use serde::Serialize;
use wasm_bindgen::{JsCast, JsValue};

/// A value as JavaScript has it: the names of fields and variants are those of its JSON.
pub fn to_js(value: &impl Serialize) -> JsValue {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    // It fails on numbers beyond 2^53 alone. What documents and apps bring is below it when it comes in.
    value.serialize(&serializer).unwrap_or(JsValue::UNDEFINED)
}

/// A property of anything; `undefined` when there is none or the getter throws.
pub fn property(of: &JsValue, name: &str) -> JsValue {
    Reflect::get(of, &name.into()).unwrap_or(JsValue::UNDEFINED)
}

pub fn text(of: &JsValue, name: &str) -> Option<String> {
    property(of, name).as_string()
}

/// A whole number that JavaScript can hold exactly.
pub fn whole(number: &JsValue) -> Option<u64> {
    let number = number.as_f64()?;
    let whole =
        (0.0..=js_sys::Number::MAX_SAFE_INTEGER).contains(&number) && number.trunc() == number;
    whole.then_some(number as u64)
}

pub fn number(of: &JsValue, name: &str) -> Option<u64> {
    whole(&property(of, name))
}

/// Strings of an array; anything else in it is left out.
pub fn texts(of: &JsValue, name: &str) -> Vec<String> {
    property(of, name)
        .dyn_into::<Array>()
        .unwrap_or_default()
        .iter()
        .filter_map(|item| item.as_string())
        .collect()
}

/// Sets a property of an object of our own; it cannot fail there.
pub fn set(of: &Object, name: &str, value: &JsValue) {
    let _ = Reflect::set(of, &name.into(), value);
}
