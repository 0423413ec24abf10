//! Local and session storage, either of which may be missing, throw, or be full.

use wasm_bindgen::JsValue;
use web_sys::Storage as Area;

use super::handle::window;
use crate::engine::text::join;

/// The storage of one site (the scope is the path of its `release.json`).
pub struct Storage {
    prefix: String,
    local: Option<Area>,
    session: Option<Area>,
}

/// Which of the two: local is shared by all tabs of the origin, session belongs to this tab.
#[derive(Clone, Copy)]
pub enum Kept {
    Local,
    Session,
}

impl Storage {
    /// Opens what the browser grants; an area that cannot hold a probe counts as missing.
    pub fn open(scope: &str) -> Self {
        let prefix = join(&["changeover:", scope, ":"]);
        let works = |area: &Area| {
            let probe = join(&[&prefix, "probe"]);
            area.set_item(&probe, "1")
                .and_then(|()| area.remove_item(&probe))
                .is_ok()
        };
        Self {
            local: window().local_storage().ok().flatten().filter(works),
            session: window().session_storage().ok().flatten().filter(works),
            prefix,
        }
    }

    /// Whether what is written here survives a reload of this tab.
    pub fn survives_reload(&self) -> bool {
        self.session.is_some()
    }

    pub fn read(&self, kept: Kept, name: &str) -> Option<String> {
        self.area(kept)?.get_item(&self.key(name)).ok().flatten()
    }

    pub fn write(&self, kept: Kept, name: &str, text: &str) -> Result<(), JsValue> {
        let area = self.area(kept).ok_or(JsValue::UNDEFINED)?;
        area.set_item(&self.key(name), text)
    }

    pub fn remove(&self, kept: Kept, name: &str) {
        if let Some(area) = self.area(kept) {
            let _ = area.remove_item(&self.key(name));
        }
    }

    /// Everything under names that begin so: what follows in the name, and the text.
    pub fn list(&self, kept: Kept, start: &str) -> Vec<(String, String)> {
        let Some(area) = self.area(kept) else {
            return Vec::new();
        };
        let start = self.key(start);
        let key = |index| area.key(index).ok().flatten();
        (0..area.length().unwrap_or_default())
            .filter_map(key)
            .filter_map(|key| {
                let text = area.get_item(&key).ok().flatten()?;
                Some((key.strip_prefix(&start)?.to_owned(), text))
            })
            .collect()
    }

    fn area(&self, kept: Kept) -> Option<&Area> {
        match kept {
            Kept::Local => self.local.as_ref(),
            Kept::Session => self.session.as_ref(),
        }
    }

    fn key(&self, name: &str) -> String {
        join(&[&self.prefix, name])
    }
}
