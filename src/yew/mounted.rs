//! The one mount of this instance of the WebAssembly: what the exports of [`slot!`](crate::slot) do.

use std::boxed::Box;
use std::cell::RefCell;
use std::string::{String, ToString};

use js_sys::Function;
use serde_json::Value;
use wasm_bindgen::JsValue;
use web_sys::Element;
use yew::Renderer;

use super::{SlotApp, SlotContext, kept, thrown};
use crate::engine::migration::typed::{Typed, Versioned};
use crate::engine::migration::{Loss, MigrationError};

/// The migrations of a slot.
pub type Chain<State> = Result<Typed<State>, MigrationError>;

std::thread_local! {
    static MOUNTED: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
    static PANICKED: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// Renders the app into `place`. Yew does so a moment later; what panics then is told to `panicked`.
pub fn mount<A: SlotApp>(
    chain: fn() -> Chain<A::State>,
    place: Element,
    state: Option<String>,
    props: JsValue,
    signal: JsValue,
    panicked: Function,
) -> Result<(), JsValue> {
    tell_panics(panicked);
    if let Some(state) = state {
        let state = parsed(&state)?;
        check(chain, &state)?;
        match state {
            Value::Object(values) => kept::fill(values),
            other => {
                return Err(thrown(std::format_args!(
                    "the state of a slot is an object with its kept values, not {other}"
                )));
            }
        }
    }
    let props = A::props(&SlotContext { props, signal });
    let app = Renderer::<A>::with_root_and_props(place, props).render();
    MOUNTED.set(Some(Box::new(move || app.destroy())));
    Ok(())
}

/// The kept values as JSON, if there are any.
pub fn snapshot<State: Versioned>(chain: fn() -> Chain<State>) -> Result<Option<String>, JsValue> {
    let values = kept::values().map_err(thrown)?;
    if values.is_empty() {
        return Ok(None);
    }
    let values = Value::Object(values);
    check(chain, &values)?;
    Ok(Some(values.to_string()))
}

/// Takes a state from an older schema to the one of this build.
pub fn migrate<State: Versioned>(
    chain: fn() -> Chain<State>,
    from: u32,
    state: &str,
) -> Result<String, JsValue> {
    let value = parsed(state)?;
    let value = chain()
        .and_then(|chain| chain.migrate(from, State::SCHEMA, value, Loss::Refuse))
        .map_err(thrown)?;
    check(chain, &value)?;
    Ok(value.to_string())
}

/// Has Yew take the app away, which it does a moment later.
pub fn unmount() {
    if let Some(destroy) = MOUNTED.take() {
        destroy();
    }
}

fn parsed(state: &str) -> Result<Value, JsValue> {
    serde_json::from_str(state).map_err(thrown)
}

/// Fails when a value is no `State`.
fn check<State: Versioned>(chain: fn() -> Chain<State>, value: &Value) -> Result<(), JsValue> {
    let chain = chain().map_err(thrown)?;
    let lineage = chain.lineage(State::SCHEMA);
    chain
        .load(State::SCHEMA, &lineage, value.clone())
        .map(drop)
        .map_err(thrown)
}

/// Panics go to the slot instead of the console alone; afterwards the instance is stuck, but the page is not.
fn tell_panics(panicked: Function) {
    PANICKED.set(Some(panicked));
    yew::set_custom_panic_hook(Box::new(|panic| {
        PANICKED.with_borrow(|panicked| {
            if let Some(panicked) = panicked {
                let _ = panicked.call1(&JsValue::UNDEFINED, &panic.to_string().into());
            }
        });
    }));
}
