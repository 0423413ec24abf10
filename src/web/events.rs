//! The event stream: hints that another release exists. Reconnecting is the engine's decision.
//!
//! A browser has few connections to an origin, so that all tabs and apps of this origin share one: a lock goes with it.

use std::{
    cell::RefCell,
    rc::{Rc, Weak},
};

use serde::Deserialize;
use web_sys::{EventSource, Url};

use super::{
    Emit,
    callback::{Listener, window},
    inlet::Inlet,
    locks::{Lock, LockEvent, LockMode},
};
use crate::{
    engine::{
        burst::OF_A_SERVER,
        format::from_own_json,
        io::{Input, Source},
    },
    ids::BuildId,
};

/// An open (or opening) stream; dropping it closes the connection.
#[must_use = "dropping it closes the stream"]
pub struct EventStream {
    inner: Rc<Inner>,
}

struct Inner {
    url: String,
    emit: Emit,
    lock: RefCell<Option<Lock>>,
    connection: RefCell<Option<Connection>>,
}

struct Connection {
    source: EventSource,
    _listeners: [Listener; 2],
    _hints: Inlet,
}

/// What a server says of a release that it has.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Hint {
    sequence: Option<u64>,
    build: Option<BuildId>,
}

impl EventStream {
    /// Opens the stream as soon as the lock is there; `StreamClosed` comes when another tab or app has it. `None` where there
    /// are no locks.
    pub fn open(url: &str, emit: &Emit) -> Option<Self> {
        let page = window().location().href().ok()?;
        let origin = Url::new_with_base(url, &page).ok()?.origin();
        let inner = Rc::new(Inner {
            url: url.to_owned(),
            emit: emit.clone(),
            lock: RefCell::default(),
            connection: RefCell::default(),
        });
        let weak = Rc::downgrade(&inner);
        let name = format!("changeover:stream {origin}");
        let lock = Lock::request(&name, LockMode::ExclusiveNow, move |fate| {
            if let Some(inner) = weak.upgrade() {
                match fate {
                    LockEvent::Granted => inner.connect(),
                    LockEvent::Refused | LockEvent::Lost => inner.end(),
                }
            }
        });
        inner.lock.replace(Some(lock?));
        Some(Self { inner })
    }
}

impl Inner {
    fn connect(self: &Rc<Self>) {
        match Connection::open(&self.url, &self.emit, Rc::downgrade(self)) {
            Some(connection) => drop(self.connection.replace(Some(connection))),
            None => self.end(),
        }
    }

    /// Gives the connection and its lock to others.
    fn end(&self) {
        if let Some(connection) = self.connection.borrow().as_ref() {
            // The browser's own reconnect has neither jitter nor back-off.
            connection.source.close();
        }
        let lock = self.lock.take();
        drop(lock);
        (self.emit)(Input::StreamClosed);
    }
}

impl Connection {
    /// `None` when the browser has no event streams or refuses the URL.
    fn open(url: &str, emit: &Emit, stream: Weak<Inner>) -> Option<Self> {
        let source = EventSource::new(url).ok()?;
        let (opened, heard) = (emit.clone(), emit.clone());
        let listeners = [
            Listener::new(&source, "open", move |_| opened(Input::StreamOpened)),
            Listener::new(&source, "error", move |_| {
                if let Some(stream) = stream.upgrade() {
                    stream.end();
                }
            }),
        ];
        let hints = Inlet::new(&source, "release", OF_A_SERVER, move |data| {
            // A hint that cannot be read, or was left out, is still a hint.
            let hint: Hint = data
                .and_then(|data| data.as_string())
                .and_then(|text| from_own_json(&text))
                .unwrap_or_default();
            heard(Input::Sighted {
                source: Source::Stream,
                sequence: hint.sequence,
                build: hint.build,
            });
        });
        Some(Self {
            source,
            _listeners: listeners,
            _hints: hints,
        })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.source.close();
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        let connection = self.inner.connection.take();
        drop(connection);
        let lock = self.inner.lock.take();
        drop(lock);
    }
}
