//! The files this page has loaded.
//!
//! The browser's own list of resources is cut after 250 entries and an app may clear it; an observer hears of every later
//! one. Whether the list was whole when the observer began is for the engine to judge: here only is said what is known to
//! be lost.

use std::{cell::Cell, rc::Rc};

use js_sys::{Array, Object, Set};
use wasm_bindgen::prelude::*;
use web_sys::{PerformanceObserver, PerformanceObserverEntryList};

use super::{
    callback::{Callback, window},
    reflect,
};

#[wasm_bindgen]
extern "C" {
    /// With `catch`: older browsers want other options.
    type Observing;
    #[wasm_bindgen(method, catch)]
    fn observe(this: &Observing, options: &Object) -> Result<(), JsValue>;
}

/// More files than any page loads from one build; beyond it are the addresses of an API.
const LIMIT: u32 = 5_000;

/// The browser's list ends after a round number of entries: 250, or what the app has set.
const ROUND: u32 = 50;

/// Notes what is loaded while it lives.
#[must_use = "dropping it stops the observer"]
pub struct LoadedFiles {
    seen: Seen,
    observer: Option<PerformanceObserver>,
    _heard: Callback,
}

/// What was loaded so far.
pub struct Listed {
    /// The paths (without origin, query and hash) that the browser noted.
    pub files: Vec<String>,
    /// The paths of the scripts and styles in the document.
    pub elements: Vec<String>,
    /// Nothing was lost, as far as the browser tells.
    pub complete: bool,
}

#[derive(Clone)]
struct Seen {
    paths: Set,
    complete: Rc<Cell<bool>>,
}

impl LoadedFiles {
    pub fn watch() -> Self {
        let seen = Seen {
            paths: Set::new(&JsValue::UNDEFINED),
            complete: Rc::new(Cell::new(true)),
        };
        let noted = seen.clone();
        let heard = Callback::new(move |list| {
            noted.note(
                &list
                    .unchecked_into::<PerformanceObserverEntryList>()
                    .get_entries(),
            );
            JsValue::UNDEFINED
        });
        let observer = PerformanceObserver::new(heard.function()).ok();
        let observes = observer.as_ref().is_some_and(|observer| {
            let init = Object::new();
            reflect::set(&init, "type", &"resource".into());
            reflect::set(&init, "buffered", &JsValue::TRUE);
            observer.unchecked_ref::<Observing>().observe(&init).is_ok()
        });
        // Some browsers do not hand over what was noted before the observer began.
        let before = window()
            .performance()
            .map(|performance| performance.get_entries_by_type("resource"))
            .unwrap_or_default();
        seen.note(&before);
        if !observes || before.length().is_multiple_of(ROUND) {
            seen.complete.set(false);
        }
        Self {
            seen,
            observer,
            _heard: heard,
        }
    }

    /// Everything loaded so far.
    pub fn list(&self) -> Listed {
        if let Some(observer) = &self.observer {
            self.seen.note(&observer.take_records());
        }
        let mut elements = Vec::new();
        let found = window()
            .document()
            .and_then(|page| page.query_selector_all(LOADING).ok());
        if let Some(found) = found {
            for index in 0..found.length() {
                let Some(element) = found.get(index) else {
                    continue;
                };
                let (src, href) = (
                    reflect::text(&element, "src"),
                    reflect::text(&element, "href"),
                );
                let url = src.filter(|src| !src.is_empty()).or(href);
                elements.extend(url.as_deref().and_then(path).map(str::to_owned));
            }
        }
        let files = self.seen.paths.values().into_iter();
        Listed {
            files: files.filter_map(|path| path.ok()?.as_string()).collect(),
            elements,
            complete: self.seen.complete.get(),
        }
    }
}

/// The elements that load code.
const LOADING: &str = "script[src],link[rel~=stylesheet][href]";

impl Drop for LoadedFiles {
    fn drop(&mut self) {
        if let Some(observer) = &self.observer {
            observer.disconnect();
        }
    }
}

impl Seen {
    fn note(&self, entries: &Array) {
        for entry in entries.iter() {
            // What an app tells its server is no file of a build.
            if !matches!(
                reflect::text(&entry, "initiatorType").as_deref(),
                Some("beacon" | "ping")
            ) && let Some(url) = reflect::text(&entry, "name")
                && let Some(path) = path(&url)
            {
                self.keep(path);
            }
        }
    }

    fn keep(&self, path: &str) {
        let has_room = self.paths.size() < LIMIT;
        if is_code(path) {
            // What an app asks of its API must not take the place of its code.
            if self.paths.size() < 2 * LIMIT {
                self.paths.add(&path.into());
            } else {
                self.complete.set(false);
            }
        } else if has_room && is_file(path) {
            self.paths.add(&path.into());
        }
    }
}

/// Whether a path has the name of a file, and not of an address of an API.
fn is_file(path: &str) -> bool {
    path.rsplit('/')
        .next()
        .is_some_and(|name| name.contains('.'))
}

fn is_code(path: &str) -> bool {
    [".js", ".mjs", ".cjs", ".css", ".wasm"]
        .iter()
        .any(|ending| path.ends_with(ending))
}

/// The path of an http(s) URL.
fn path(url: &str) -> Option<&str> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))?;
    let path = rest.get(rest.find('/')?..)?;
    path.split(['?', '#']).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_path_of_a_url_counts() {
        assert_eq!(
            path("https://cdn.example:8443/app/assets/a.js?v=1#x"),
            Some("/app/assets/a.js")
        );
        assert_eq!(path("http://localhost/"), Some("/"));
        assert_eq!(path("blob:http://localhost/1234"), None);
        assert_eq!(path("data:text/javascript,1"), None);
        assert_eq!(path("https://example"), None);
    }
}
