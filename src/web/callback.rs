//! Handles of what is opened in the browser: each closes what it opened when it is dropped.

use std::{cell::RefCell, rc::Rc};

use futures_util::future::{AbortHandle, abortable};
use gloo_timers::callback::Timeout;
use js_sys::{Function, Promise};
use wasm_bindgen::{JsCast, prelude::*};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Event, EventTarget, Window};

/// The window of this page.
pub fn window() -> Window {
    js_sys::global().unchecked_into()
}

type Body = dyn Fn(JsValue) -> JsValue;

/// A function that JavaScript may call while the handle lives.
#[must_use = "dropping it takes the function away from JavaScript"]
pub struct Callback {
    closure: Closure<Body>,
}

impl Callback {
    pub fn new(run: impl Fn(JsValue) -> JsValue + 'static) -> Self {
        let closure = Closure::wrap(Box::new(run) as Box<Body>);
        Self { closure }
    }

    pub fn function(&self) -> &Function {
        self.closure.as_ref().unchecked_ref()
    }
}

/// An event listener; dropping it removes it.
///
/// It may be entered again while it runs: an app may answer news of the guard with an event that the guard listens to. A
/// listener of gloo-events is a `FnMut`, which throws then; that would be a trap, and end the guard.
#[must_use = "dropping it removes the listener"]
pub struct Listener {
    target: EventTarget,
    kind: &'static str,
    capture: bool,
    callback: Callback,
}

impl Listener {
    pub fn new(target: &EventTarget, kind: &'static str, run: impl Fn(Event) + 'static) -> Self {
        Self::add(target, kind, false, run)
    }

    /// Hears the event before its target does, and although the target stops it.
    pub fn capturing(
        target: &EventTarget,
        kind: &'static str,
        run: impl Fn(Event) + 'static,
    ) -> Self {
        Self::add(target, kind, true, run)
    }

    fn add(
        target: &EventTarget,
        kind: &'static str,
        capture: bool,
        run: impl Fn(Event) + 'static,
    ) -> Self {
        let callback = Callback::new(move |event| {
            run(event.unchecked_into());
            JsValue::UNDEFINED
        });
        // Adding a listener fails only for signals, which are not used here.
        let function = callback.function();
        let _ = target.add_event_listener_with_callback_and_bool(kind, function, capture);
        Self {
            target: target.clone(),
            kind,
            capture,
            callback,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.target.remove_event_listener_with_callback_and_bool(
            self.kind,
            self.callback.function(),
            self.capture,
        );
    }
}

/// A timer that is armed, armed anew or cleared; dropping it clears it.
#[must_use = "dropping it clears the timer"]
pub struct Timer {
    armed: Rc<Armed>,
}

struct Armed {
    timeout: RefCell<Option<Timeout>>,
    run: Box<dyn Fn()>,
}

/// `setTimeout` takes a signed 32-bit number; a longer delay would fire at once.
const LONGEST_DELAY: u64 = i32::MAX as u64;

impl Timer {
    pub fn new(run: impl Fn() + 'static) -> Self {
        let armed = Armed {
            timeout: RefCell::new(None),
            run: Box::new(run),
        };
        Self {
            armed: Rc::new(armed),
        }
    }

    /// Arms the timer; `run` is called once, `ms` from now.
    pub fn arm(&self, ms: u64) {
        self.armed.arm(ms);
    }

    pub fn clear(&self) {
        self.armed.timeout.replace(None);
    }
}

impl Armed {
    fn arm(self: &Rc<Self>, ms: u64) {
        let delay = ms.min(LONGEST_DELAY);
        let armed = Rc::downgrade(self);
        let timeout = Timeout::new(delay as u32, move || {
            let Some(armed) = armed.upgrade() else { return };
            armed.timeout.replace(None);
            match ms - delay {
                0 => (armed.run)(),
                rest => armed.arm(rest),
            }
        });
        self.timeout.replace(Some(timeout));
    }
}

/// Runs soon, in a task of its own. It cannot be cancelled.
pub fn later(run: impl FnOnce() + 'static) {
    Timeout::new(0, run).forget();
}

/// Tells `done` how the promise ended. Nothing can be cancelled: give `done` a weak reference to what may be gone.
pub fn on_settled(promise: &Promise, done: impl FnOnce(Result<JsValue, JsValue>) + 'static) {
    let settled = JsFuture::from(promise.clone());
    spawn_local(async { done(settled.await) });
}

/// A future that runs until it is over; dropping the handle ends it at the place where it waits.
#[must_use = "dropping it ends the task"]
pub struct Task(AbortHandle);

impl Task {
    pub fn spawn(future: impl Future<Output = ()> + 'static) -> Self {
        let (future, handle) = abortable(future);
        spawn_local(async {
            let _ = future.await;
        });
        Self(handle)
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A function that JavaScript's garbage collector frees. For callers that may call long after the asker is gone, such as
/// a promise: calling the closure of a dropped [`Callback`] throws.
pub fn once(run: impl Fn(JsValue) -> JsValue + 'static) -> Function {
    let closure = Closure::wrap(Box::new(run) as Box<Body>);
    closure.into_js_value().unchecked_into()
}
