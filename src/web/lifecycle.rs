//! What the browser says about the page's own life: visible, focused, online, frozen, cached, gone.

use web_sys::{EventTarget, VisibilityState};

use super::{
    Emit,
    callback::{Listener, Timer, window},
    reflect,
};
use crate::{
    engine::{departure::Origin, io::Input},
    time::Timestamp,
};

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
        let runs_on = {
            let emit = emit.clone();
            Timer::new(move || emit(Input::LeavingBegan))
        };
        let leaving = emit.clone();
        listeners.push(Listener::new(&window, "beforeunload", move |_| {
            leaving(Input::LeavingBegan);
            // Timers stand still while a dialog is open.
            runs_on.arm(0);
        }));
        let emit = emit.clone();
        listeners.push(Listener::new(&window, "pageshow", move |event| {
            emit(Input::PageShown {
                persisted: reflect::property(&event, "persisted").is_truthy(),
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

/// How this document came to be.
pub fn origin() -> Origin {
    let Some(performance) = window().performance() else {
        return Origin::default();
    };
    let began = performance.time_origin();
    let navigation = performance.get_entries_by_type("navigation").get(0);
    Origin {
        began: (began > 0.0).then_some(Timestamp(began as u64)),
        is_reload: reflect::text(&navigation, "type").map(|kind| kind == "reload"),
    }
}

/// The status that this document was served with, where the browser tells.
pub fn own_status() -> Option<u16> {
    let navigation = window().performance()?.get_entries_by_type("navigation");
    reflect::number(&navigation.get(0), "responseStatus").map(|status| status as u16)
}
