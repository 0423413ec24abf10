//! What the browser says about the page's own life: visible, focused, online, frozen, cached, gone.

use web_sys::{EventTarget, VisibilityState};

use super::{
    Emit,
    handle::{Listener, window},
    json,
};
use crate::engine::io::Input;

/// Listens while it lives.
#[must_use = "dropping it stops listening"]
pub struct Lifecycle {
    _listeners: Vec<Listener>,
}

impl Lifecycle {
    pub fn listen(emit: &Emit) -> Self {
        let Some(document) = window().document() else {
            return Self {
                _listeners: Vec::new(),
            };
        };
        let mut listeners = Vec::new();
        let mut on = |target: &EventTarget, kind: &'static str, input: fn() -> Input| {
            let emit = emit.clone();
            listeners.push(Listener::new(target, kind, move |_| emit(input())));
        };
        on(&document, "visibilitychange", || {
            if is_visible() {
                Input::BecameVisible
            } else {
                Input::BecameHidden
            }
        });
        on(&document, "resume", || Input::Resumed);
        let window = window();
        on(&window, "focus", || Input::Focused);
        on(&window, "online", || Input::WentOnline);
        on(&window, "offline", || Input::WentOffline);
        on(&window, "pagehide", || Input::PageHid);
        let emit = emit.clone();
        listeners.push(Listener::new(&window, "pageshow", move |event| {
            emit(Input::PageShown {
                persisted: json::property(&event, "persisted").is_truthy(),
            });
        }));
        Self {
            _listeners: listeners,
        }
    }
}

pub fn is_visible() -> bool {
    window()
        .document()
        .is_none_or(|document| document.visibility_state() == VisibilityState::Visible)
}

pub fn is_online() -> bool {
    window().navigator().on_line()
}
