//! What happens in a page between its reload and its end.

use std::rc::Rc;

use web_sys::Event;

use super::{
    Emit,
    callback::{Listener, Timer, window},
    reflect,
};
use crate::engine::io::Input;

/// So long after the last key the user has paused. Shorter, and each key would be written down.
const PAUSE: u64 = 300;
const ACTS: [&str; 4] = ["input", "change", "keydown", "pointerup"];

/// Listens while it lives. Made for the reload alone: its listener to `beforeunload` comes after those of the app, and sees
/// what they have done.
#[must_use = "dropping it stops listening"]
pub struct Departing {
    _listeners: Vec<Listener>,
}

impl Departing {
    pub fn listen(emit: &Emit) -> Self {
        let timer = |input: fn() -> Input| {
            let emit = emit.clone();
            Rc::new(Timer::new(move || emit(input())))
        };
        let (paused, settled) = (timer(|| Input::UserActed), timer(|| Input::UnloadSettled));
        let asked = emit.clone();
        let mut listeners = vec![Listener::new(&window(), "beforeunload", move |event| {
            asked(Input::UnloadAsked {
                objected: objected(&event),
            });
            // Timers stand still while a dialog is open.
            settled.arm(0);
        })];
        listeners.extend(ACTS.map(|kind| {
            let paused = paused.clone();
            Listener::capturing(&window(), kind, move |_| paused.arm(PAUSE))
        }));
        Self {
            _listeners: listeners,
        }
    }
}

fn objected(event: &Event) -> bool {
    event.default_prevented()
        || reflect::text(event, "returnValue").is_some_and(|it| !it.is_empty())
}
