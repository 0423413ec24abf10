//! Recognises that a chunk failed to load, in all the shapes that browsers and bundlers give it.
//!
//! An error of the app itself is none: whoever takes one for a missing chunk reloads a page for a typo.

use alloc::string::{String, ToString};

use super::{io::LoadKind, text::find};

/// Where this app's own files come from.
#[derive(Clone, Debug, Default)]
pub struct Home {
    /// Scheme, host and port.
    pub origin: String,
    /// The bundler's base, when it is on another host.
    pub base: Option<String>,
}

/// A chunk that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The chunk, when the browser says which.
    pub url: Option<String>,
}

/// Says whether what the page reported is a chunk of this app that failed to load.
///
/// `url`: the element's address for scripts and styles; for errors the script that threw.
pub fn recognise(kind: LoadKind, message: &str, url: Option<&str>, home: &Home) -> Option<Failure> {
    match kind {
        LoadKind::Script | LoadKind::Style => {
            let url = url.filter(|url| home.is_ours(url))?;
            Some(Failure {
                url: Some(url.to_string()),
            })
        }
        LoadKind::Import | LoadKind::Error => {
            if is_load_text(message) {
                let named = url_in(message).or(if kind == LoadKind::Import { url } else { None });
                let ours = named.is_none_or(|url| home.is_ours(url));
                ours.then(|| Failure {
                    url: named.map(ToString::to_string),
                })
            } else if is_html_as_script(message) {
                let url = url.filter(|url| home.is_ours(url) && is_script(url))?;
                Some(Failure {
                    url: Some(url.to_string()),
                })
            } else {
                None
            }
        }
    }
}

impl Home {
    /// `release`: the absolute URL of `release.json`.
    pub fn new(release: &str) -> Self {
        Self {
            origin: origin_of(release).unwrap_or_default().to_string(),
            base: None,
        }
    }

    fn is_ours(&self, url: &str) -> bool {
        if url.starts_with("//") {
            return false;
        }
        if let Some(base) = self
            .base
            .as_deref()
            .filter(|base| origin_of(base).is_some())
            && url.starts_with(base)
        {
            return true;
        }
        match origin_of(url) {
            Some(origin) => !self.origin.is_empty() && origin == self.origin,
            // A path; or `blob:`, `data:` and the like, which are nobody's chunks.
            None => !url
                .split('/')
                .next()
                .is_some_and(|first| first.contains(':')),
        }
    }
}

fn origin_of(url: &str) -> Option<&str> {
    let host = find(url, "://")? + 3;
    let end = url.get(host..)?.find(['/', '?', '#']);
    end.map_or(Some(url), |end| url.get(..host + end))
}

/// Texts that only loading code can produce. Lower case; each needs all its parts.
const LOAD_TEXTS: &[&[&str]] = &[
    // A rejected `import()`: Chromium, Firefox, Safari.
    &["failed to fetch dynamically imported module"],
    &["error loading dynamically imported module"],
    &["importing a module script failed"],
    // The import came, but from another build: Chromium, Firefox, Safari.
    &["the requested module", "does not provide an export named"],
    &["import not found:"],
    &["importing binding name", "is not found"],
    // HTML or an error page where a script should be: Chromium, Firefox, Safari.
    &["failed to load module script"],
    &["loading module from", "disallowed mime type"],
    &["is not a valid javascript mime type"],
    // Vite.
    &["unable to preload css for"],
    // webpack and Rspack.
    &["chunkloaderror"],
    &["loading chunk", "failed"],
    &["loading css chunk", "failed"],
    // HTML or an error page where WebAssembly should be: Chromium, Firefox, Safari.
    &["webassembly", "expected magic word"],
    &["wasm validation error", "failed to match magic number"],
    &["webassembly", "doesn't start with '\\0asm'"],
    &["webassembly", "doesn't parse at byte 0"],
    &["webassembly", "mime type", "application/wasm"],
    &["unexpected response mime type", "application/wasm"],
    // WebAssembly of one build and its glue of another: Chromium, Firefox, Safari.
    &["webassembly", "import #", "requires a callable"],
    &["webassembly", "import #", "is not an object or function"],
    &["import object field", "is not a"],
    &["linkerror", "import"],
    &["import function", "must be callable"],
];

fn is_load_text(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    LOAD_TEXTS
        .iter()
        .any(|parts| parts.iter().all(|part| find(&message, part).is_some()))
}

/// An HTML page run as a script: Chromium and Safari, Firefox. `JSON.parse` has the same complaint about an API.
fn is_html_as_script(message: &str) -> bool {
    let says = |words: &str| find(message, words).is_some();
    (says("Unexpected token '<'") || says("expected expression, got '<'")) && !says("JSON")
}

fn is_script(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    path.ends_with(".js") || path.ends_with(".mjs")
}

/// The first absolute URL, or the first path after a space or a bracket, in an error's text.
fn url_in(message: &str) -> Option<&str> {
    let after = |mark: &str| find(message, mark).map(|at| at + 1);
    let absolute = [find(message, "https://"), find(message, "http://")]
        .into_iter()
        .flatten()
        .min();
    let start = absolute.or_else(|| after(" /")).or_else(|| after("(/"))?;
    let rest = message.get(start..)?;
    let ends = |character: char| {
        matches!(character, '\'' | '"' | '(' | ')' | '<' | '>' | '“' | '”') || character <= ' '
    };
    let url = rest.get(..rest.find(ends).unwrap_or(rest.len()))?;
    Some(url.trim_end_matches(['.', ',', ';'])).filter(|url| url.len() > 1)
}
