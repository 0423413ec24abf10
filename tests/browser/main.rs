//! The drivers against the real objects of a browser.
//!
//! Network answers are made in the page by replacing `fetch`, since a test of a driver must be able to get any answer;
//! real servers are met in the end-to-end tests.
#![cfg(target_arch = "wasm32")]

mod checking;
mod damage;
mod driving;
mod fetching;
mod keeping;
mod listening;
mod sharing;
mod storing;
mod timing;

use std::{cell::RefCell, rc::Rc};

use changeover::{engine::io::Input, web::Emit};
use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test_configure;

wasm_bindgen_test_configure!(run_in_browser);

/// Inputs as they arrive.
#[derive(Clone, Default)]
pub struct Heard(Rc<RefCell<Vec<Input>>>);

impl Heard {
    pub fn emit(&self) -> Emit {
        let heard = self.0.clone();
        Rc::new(move |input| heard.borrow_mut().push(input))
    }

    pub fn all(&self) -> Vec<Input> {
        self.0.borrow().clone()
    }

    /// Waits until `count` inputs have arrived and gives them away.
    pub async fn take(&self, count: usize) -> Vec<Input> {
        eventually("inputs", || self.0.borrow().len() >= count).await;
        self.0.take()
    }
}

/// Runs JavaScript as the body of a function and returns what it returns.
pub fn js(code: &str) -> JsValue {
    Function::new_no_args(code)
        .call0(&JsValue::UNDEFINED)
        .unwrap_or_else(|error| panic!("{code}: {error:?}"))
}

/// The same, and waits for the promise it returns.
pub async fn js_later(code: &str) -> JsValue {
    let promise: Promise = js(code).unchecked_into();
    JsFuture::from(promise)
        .await
        .unwrap_or_else(|error| panic!("{code}: {error:?}"))
}

pub async fn sleep(ms: u32) {
    js_later(&format!(
        "return new Promise((done) => setTimeout(done, {ms}))"
    ))
    .await;
}

/// Waits up to 5 s for a condition.
pub async fn eventually(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..250 {
        if condition() {
            return;
        }
        sleep(20).await;
    }
    panic!("{what}: not within 5 s");
}

/// Replaces a property of the window; dropping the handle puts the old one back.
#[must_use]
pub struct Replaced {
    on: JsValue,
    name: &'static str,
    old: JsValue,
}

impl Replaced {
    /// `code` is an expression; `old` in it is what was there.
    pub fn new(on: &str, name: &'static str, code: &str) -> Self {
        let on = js(&format!("return {on}"));
        let old = Reflect::get(&on, &name.into()).unwrap();
        let make = Function::new_with_args("old", &format!("return {code}"));
        let new = make.call1(&JsValue::UNDEFINED, &old).unwrap();
        define(&on, name, &new);
        Self { on, name, old }
    }
}

impl Drop for Replaced {
    fn drop(&mut self) {
        define(&self.on, self.name, &self.old);
    }
}

fn define(on: &JsValue, name: &str, value: &JsValue) {
    let define = Function::new_with_args(
        "on, name, value",
        "Object.defineProperty(on, name, { value, configurable: true, writable: true })",
    );
    define
        .call3(&JsValue::UNDEFINED, on, &name.into(), value)
        .unwrap();
}
