//! The files this page has loaded.
//!
//! The browser's own list of resources is cut after 250 entries, and a tab that polls an API for days has long filled it;
//! an observer hears of every later one too.

use js_sys::{Array, Object, Set};
use wasm_bindgen::prelude::*;
use web_sys::{PerformanceObserver, PerformanceObserverEntryList};

use super::{
    handle::{Callback, window},
    json,
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

/// Notes what is loaded while it lives.
#[must_use = "dropping it stops the observer"]
pub struct LoadedFiles {
    seen: Set,
    observer: Option<PerformanceObserver>,
    _heard: Callback,
}

impl LoadedFiles {
    pub fn watch() -> Self {
        let seen = Set::new(&JsValue::UNDEFINED);
        let noted = seen.clone();
        let heard = Callback::new(move |list| {
            note(
                &noted,
                &list
                    .unchecked_into::<PerformanceObserverEntryList>()
                    .get_entries(),
            );
            JsValue::UNDEFINED
        });
        let observer = PerformanceObserver::new(heard.function()).ok();
        if let Some(observer) = &observer {
            let init = Object::new();
            json::set(&init, "type", &"resource".into());
            json::set(&init, "buffered", &JsValue::TRUE);
            let _ = observer.unchecked_ref::<Observing>().observe(&init);
        }
        Self {
            seen,
            observer,
            _heard: heard,
        }
    }

    /// The paths (without origin, query and hash) of everything loaded so far.
    pub fn list(&self) -> Vec<String> {
        if let Some(observer) = &self.observer {
            note(&self.seen, &observer.take_records());
        }
        let elements = window()
            .document()
            .and_then(|page| page.query_selector_all("script[src],link[href]").ok());
        if let Some(elements) = elements {
            for index in 0..elements.length() {
                let Some(element) = elements.get(index) else {
                    continue;
                };
                let (src, href) = (json::text(&element, "src"), json::text(&element, "href"));
                keep(&self.seen, src.filter(|src| !src.is_empty()).or(href));
            }
        }
        self.seen
            .values()
            .into_iter()
            .filter_map(|path| path.ok()?.as_string())
            .collect()
    }
}

impl Drop for LoadedFiles {
    fn drop(&mut self) {
        if let Some(observer) = &self.observer {
            observer.disconnect();
        }
    }
}

fn note(seen: &Set, entries: &Array) {
    for entry in entries.iter() {
        // What an app asks of its API is no file of a build.
        if !matches!(
            json::text(&entry, "initiatorType").as_deref(),
            Some("xmlhttprequest" | "beacon" | "ping")
        ) {
            keep(seen, json::text(&entry, "name"));
        }
    }
}

fn keep(seen: &Set, url: Option<String>) {
    let Some(path) = url.as_deref().and_then(path) else {
        return;
    };
    if seen.size() < LIMIT {
        seen.add(&path.into());
    }
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
