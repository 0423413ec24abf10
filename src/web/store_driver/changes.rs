//! Changes of records: hints to and from the other tabs, and reads that give the listeners of this tab the new values.

use std::rc::Rc;

use js_sys::Array;
use wasm_bindgen::JsValue;

use super::{Inner, OWN};
use crate::{
    engine::store::{DurableError, Reply, RequestKind, Stamp},
    time::Millis,
};

/// Between two messages about changed records, in milliseconds; a user does not see a delay of a frame or two.
const PAUSE: Millis = 25;

impl Inner {
    /// Tells the other tabs of a change: the first one at once, and those that follow closely in one message, because each
    /// message costs a quarter of a write.
    pub(super) fn on_changed(&self, key: String) {
        let paused = {
            let mut unannounced = self.unannounced.borrow_mut();
            let paused = !unannounced.is_empty();
            // The pause lasts while the list is not empty, so an empty key marks its start.
            match paused {
                true if !unannounced.contains(&key) => unannounced.push(key.clone()),
                true => {}
                false => unannounced.push(String::new()),
            }
            paused
        };
        if paused {
            return;
        }
        self.tell_changed(&[key]);
        if let Some(pause) = &self.open.borrow().pause {
            pause.arm(PAUSE);
        }
    }

    /// Sends the changes that were collected during the pause.
    pub(super) fn end_pause(&self) {
        let unannounced = self.unannounced.take();
        let keys: Vec<String> = unannounced
            .into_iter()
            .filter(|key| !key.is_empty())
            .collect();
        self.tell_changed(&keys);
    }

    fn tell_changed(&self, keys: &[String]) {
        if let Some(channel) = &self.open.borrow().channel
            && !keys.is_empty()
        {
            let keys: Array = keys.iter().map(|key| JsValue::from(key.as_str())).collect();
            let _ = channel.port.post_message(&keys);
        }
    }

    /// A record may have changed, here or in another tab.
    pub(super) fn on_hint(self: &Rc<Self>, key: &str) {
        if self.versions.borrow_mut().on_hinted(key) {
            self.read_for_listeners(key);
        }
    }

    /// Reads a record again, to report its value to listeners.
    pub(super) fn read_for_listeners(self: &Rc<Self>, key: &str) {
        let id = self.reads.get().wrapping_add(1) | OWN;
        self.reads.set(id);
        self.request(id, RequestKind::Read { key: key.into() });
    }

    pub(super) fn on_own_read(
        self: &Rc<Self>,
        key: &str,
        result: Result<Reply<JsValue>, DurableError>,
    ) {
        let found = match result {
            Ok(Reply::Value(found)) => Some(found),
            Ok(_) | Err(_) => None,
        };
        let stamp: Option<Option<Stamp>> = found.as_ref().map(|it| it.as_ref().map(|it| it.1));
        let news = self.versions.borrow_mut().on_read(key, stamp);
        if let (true, Some(found)) = (news.tell, found) {
            self.app.on_change(Some(key), found.map(|it| it.0));
        }
        if news.read_again {
            self.read_for_listeners(key);
        }
    }

    /// Reads again what may have changed while this tab could not hear of it.
    pub(super) fn tell_missed(self: &Rc<Self>) {
        let missed = self.versions.borrow_mut().on_missed();
        for key in missed {
            self.read_for_listeners(&key);
        }
        let to_all = self.versions.borrow().has_listeners_to_all();
        if to_all {
            self.app.on_change(None, None);
        }
    }
}
