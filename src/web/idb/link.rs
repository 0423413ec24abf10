//! The state of the connection to a database, and how a request that takes too long is left.

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{IdbDatabase, IdbOpenDbRequest};

use crate::web::{
    callback::{Timer, once},
    reflect,
};

/// The object store that holds all records.
pub(super) const STORE: &str = "entries";

/// Stop waiting for the database after this time: a browser may never answer (w3c/IndexedDB#223).
pub(super) const OPEN_TIMEOUT: u64 = 10_000;

/// The connection.
pub(super) enum Link {
    Closed,
    Opening {
        request: IdbOpenDbRequest,
        /// Open timeout.
        _timer: Timer,
    },
    Open(IdbDatabase),
}

/// Stops waiting for a request. It cannot be cancelled: if the database opens later, the object store is still created and
/// the database is closed.
pub(super) fn abandon(request: &IdbOpenDbRequest) {
    let late = once(|event| {
        let request = reflect::property(&event, "target");
        if let Ok(database) = reflect::property(&request, "result").dyn_into::<IdbDatabase>() {
            match reflect::text(&event, "type").as_deref() {
                Some("upgradeneeded") => drop(database.create_object_store(STORE)),
                _ => database.close(),
            }
        }
        JsValue::UNDEFINED
    });
    request.set_onupgradeneeded(Some(&late));
    request.set_onsuccess(Some(&late));
    request.set_onerror(None);
}
