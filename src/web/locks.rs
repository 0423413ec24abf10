//! Web Locks, which a browser takes back by itself when a page goes.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::AbortController;

use super::callback::{Callback, on_settled, window};

#[wasm_bindgen]
extern "C" {
    /// `navigator.locks`; web-sys has it only behind a compiler flag.
    type Locks;
    #[wasm_bindgen(method, catch)]
    fn request(
        this: &Locks,
        name: &str,
        options: &Object,
        granted: &Function,
    ) -> Result<Promise, JsValue>;
}

/// How a lock is requested.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum LockMode {
    /// Alone; waits for its turn.
    Exclusive,
    /// Together with others that share it; waits for its turn.
    Shared,
    /// Alone, at once or not at all.
    ExclusiveNow,
}

/// What became of a request; `Lost` also when it could not be made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum LockEvent {
    Granted,
    Refused,
    Lost,
}

/// A lock that is asked for or held; dropping it withdraws the request or gives the lock back.
#[must_use = "dropping it gives the lock back"]
pub struct Lock {
    state: Rc<State>,
    controller: Option<AbortController>,
}

struct State {
    tell: Box<dyn Fn(LockEvent)>,
    /// The lock was dropped or its end was told: `tell` is not called any more.
    left: Cell<bool>,
    release: RefCell<Option<Function>>,
}

/// Whether this page can lock at all. Web Locks exist only in secure contexts.
pub fn has_locks() -> bool {
    locks().is_some()
}

impl Lock {
    /// `None` where there are no locks. `tell` is never called from within this function.
    pub fn request(name: &str, mode: LockMode, tell: impl Fn(LockEvent) + 'static) -> Option<Self> {
        // A request that does not wait cannot be withdrawn.
        let controller = match mode {
            LockMode::ExclusiveNow => None,
            LockMode::Exclusive | LockMode::Shared => Some(AbortController::new().ok()?),
        };
        let state = Rc::new(State {
            tell: Box::new(tell),
            left: Cell::new(false),
            release: RefCell::new(None),
        });
        let options = Object::new();
        if let Some(controller) = &controller {
            Reflect::set(&options, &"signal".into(), &controller.signal()).ok()?;
        }
        match mode {
            LockMode::Exclusive => {}
            LockMode::Shared => {
                Reflect::set(&options, &"mode".into(), &"shared".into()).ok()?;
            }
            LockMode::ExclusiveNow => {
                Reflect::set(&options, &"ifAvailable".into(), &JsValue::TRUE).ok()?;
            }
        }
        let asker = state.clone();
        // The browser may still grant a lock whose request is being withdrawn.
        let granted = Callback::new(move |lock| match lock.is_object() {
            true => asker.hold().into(),
            false => asker.end(LockEvent::Refused),
        });
        let asked = locks()?.request(name, &options, granted.function()).ok()?;
        let loser = state.clone();
        on_settled(&asked, move |_| {
            // Freed here and not by JavaScript: a finalizer that runs in the back/forward cache throws the page out of it.
            drop(granted);
            loser.release.take();
            loser.end(LockEvent::Lost);
        });
        Some(Self { state, controller })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.state.left.set(true);
        match (self.state.release.take(), &self.controller) {
            (Some(release), _) => drop(release.call0(&JsValue::UNDEFINED)),
            (None, Some(controller)) => controller.abort(),
            (None, None) => {}
        }
    }
}

impl State {
    /// Holds the lock until the returned promise is resolved.
    fn hold(self: &Rc<Self>) -> Promise {
        let this = self.clone();
        let held = Promise::new(&mut move |resolve, _| {
            this.release.replace(Some(resolve));
        });
        if self.left.get() {
            // Withdrawn between the grant and this call.
            if let Some(release) = self.release.take() {
                let _ = release.call0(&JsValue::UNDEFINED);
            }
        } else {
            (self.tell)(LockEvent::Granted);
        }
        held
    }

    /// Tells once how it ended, unless the lock was dropped.
    fn end(&self, fate: LockEvent) -> JsValue {
        if !self.left.replace(true) {
            (self.tell)(fate);
        }
        JsValue::UNDEFINED
    }
}

fn locks() -> Option<Locks> {
    let locks = Reflect::get(&window().navigator(), &"locks".into()).ok()?;
    locks.is_object().then(|| locks.unchecked_into())
}
