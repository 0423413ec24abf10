//! Local and session storage, either of which may be missing, throw, or be full.

use wasm_bindgen::JsValue;
use web_sys::Storage as WebStorage;

use super::callback::window;

/// The storage of one site (the scope is the path of its `release.json`).
pub struct Storage {
    prefix: String,
    local: Option<WebStorage>,
    session: Option<WebStorage>,
}

/// Which of the two: local is shared by all tabs of the origin, session belongs to this tab.
#[derive(Clone, Copy)]
pub enum Area {
    Local,
    Session,
}

impl Storage {
    /// Opens what the browser grants; an area that cannot hold a probe counts as missing.
    pub fn open(scope: &str) -> Self {
        let prefix = format!("changeover:{scope}:");
        let works = |area: &WebStorage| {
            let probe = format!("{prefix}probe");
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

    pub fn read(&self, area: Area, name: &str) -> Option<String> {
        self.area(area)?.get_item(&self.key(name)).ok().flatten()
    }

    pub fn write(&self, area: Area, name: &str, text: &str) -> Result<(), JsValue> {
        let area = self.area(area).ok_or(JsValue::UNDEFINED)?;
        area.set_item(&self.key(name), text)
    }

    pub fn remove(&self, area: Area, name: &str) {
        if let Some(area) = self.area(area) {
            let _ = area.remove_item(&self.key(name));
        }
    }

    /// Everything under names that begin so: what follows in the name, and the text.
    pub fn list(&self, area: Area, start: &str) -> Vec<(String, String)> {
        let Some(area) = self.area(area) else {
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

    fn area(&self, area: Area) -> Option<&WebStorage> {
        match area {
            Area::Local => self.local.as_ref(),
            Area::Session => self.session.as_ref(),
        }
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}
