//! Messages from outside, which may come in floods: a few a second are read, whatever they say and however many there are.

use std::{cell::RefCell, rc::Rc};

use wasm_bindgen::JsValue;
use web_sys::EventTarget;

use super::{
    callback::{Listener, Timer},
    reflect,
};
use crate::{
    engine::burst::{Burst, SPAN},
    time::Timestamp,
};

/// Listens to the messages of one sender while it lives.
#[must_use = "dropping it stops listening"]
pub struct Inlet {
    _state: Rc<State>,
    _listener: Listener,
}

struct State {
    /// Strings of JavaScript: what is not read is not copied either.
    burst: RefCell<Burst<JsValue>>,
    timer: Timer,
    hear: Box<dyn Fn(Option<JsValue>)>,
}

impl Inlet {
    /// `most`: how many messages of a span are heard at once. `hear` takes the data of a message; `None`: some messages
    /// were left out, and may have said anything.
    pub fn new(
        target: &EventTarget,
        kind: &'static str,
        most: usize,
        hear: impl Fn(Option<JsValue>) + 'static,
    ) -> Self {
        let state = Rc::new_cyclic(|state: &std::rc::Weak<State>| {
            let weak = state.clone();
            State {
                burst: RefCell::new(Burst::new(most)),
                timer: Timer::new(move || {
                    if let Some(state) = weak.upgrade() {
                        state.on_over();
                    }
                }),
                hear: Box::new(hear),
            }
        });
        let heard = state.clone();
        let listener = Listener::new(target, kind, move |event| {
            heard.on_message(reflect::property(&event, "data"));
        });
        Self {
            _state: state,
            _listener: listener,
        }
    }
}

impl State {
    fn on_message(&self, data: JsValue) {
        let now = now();
        if self.burst.borrow().is_over(now) {
            self.on_over();
        }
        if self.burst.borrow().is_calm() {
            self.timer.arm(SPAN);
        }
        let counts = self.burst.borrow_mut().on_message(&data, now);
        if counts {
            (self.hear)(Some(data));
        }
    }

    fn on_over(&self) {
        let rest = self.burst.borrow_mut().on_over(now());
        if let Some(rest) = rest {
            self.timer.arm(SPAN);
            if rest.lost {
                (self.hear)(None);
            }
            (self.hear)(Some(rest.last));
        }
    }
}

fn now() -> Timestamp {
    Timestamp(js_sys::Date::now() as u64)
}
