//! The event stream: hints that another release exists. Reconnecting is the engine's decision.

use wasm_bindgen::JsValue;
use web_sys::EventSource;

use super::{Emit, handle::Listener, json};
use crate::engine::io::{BuildId, Input, Source};

/// An open (or opening) stream; dropping it closes the connection.
#[must_use = "dropping it closes the stream"]
pub struct EventStream {
    source: EventSource,
    _listeners: [Listener; 3],
}

impl EventStream {
    /// Opens the stream; `None` when the browser has no event streams or refuses the URL.
    pub fn open(url: &str, emit: &Emit) -> Option<Self> {
        let source = EventSource::new(url).ok()?;
        let (opened, failed, heard) = (emit.clone(), emit.clone(), emit.clone());
        let closing = source.clone();
        let listeners = [
            Listener::new(&source, "open", move |_| opened(Input::StreamOpened)),
            Listener::new(&source, "error", move |_| {
                // The browser's own reconnect has neither jitter nor back-off.
                closing.close();
                failed(Input::StreamClosed);
            }),
            Listener::new(&source, "release", move |event| {
                // A hint that cannot be read is still a hint.
                let hint = json::text(&event, "data")
                    .map_or(JsValue::UNDEFINED, |text| json::parse(&text));
                heard(Input::Sighted {
                    source: Source::Stream,
                    sequence: json::number(&hint, "sequence"),
                    build: json::text(&hint, "build").map(BuildId),
                });
            }),
        ];
        Some(Self {
            source,
            _listeners: listeners,
        })
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        self.source.close();
    }
}
