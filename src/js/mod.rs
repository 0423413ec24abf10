//! L2: the surfaces of the npm package: two WebAssembly modules, each with one of them.
//!
//! | module | feature | used by |
//! |---|---|---|
//! | [`guard`] | `js` | `runtime.js` |
//! | [`stores`] | `stores` | `stores.js`, which only pages with migrations or stores load |
//!
//! Everything comes in as a `JsValue` and is decoded inside: decoding in the signature would throw before our code
//! runs, and leak what it had already decoded.

#[cfg(feature = "js")]
pub mod guard;
#[cfg(feature = "stores")]
pub mod stores;

#[cfg(feature = "js")]
use js_sys::Promise;
use js_sys::{Function, Reflect};
use wasm_bindgen::{JsCast, prelude::*};

fn call(host: &JsValue, method: &str, argument: &JsValue) -> Result<JsValue, JsValue> {
    Reflect::get(host, &method.into())?
        .dyn_into::<Function>()?
        .call1(host, argument)
}

#[cfg(feature = "js")]
fn promise(answer: Result<JsValue, JsValue>) -> Promise {
    answer.map_or_else(
        |error| Promise::reject(&error),
        |value| Promise::resolve(&value),
    )
}

/// Has a panic tell its place before it traps; the trap itself says only "unreachable".
fn report_panics(host: &JsValue) {
    let host = host.clone();
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic
            .location()
            .map(|at| format!("{}:{}", at.file(), at.line()));
        let _ = call(&host, "panicked", &place.unwrap_or_default().into());
    }));
}
