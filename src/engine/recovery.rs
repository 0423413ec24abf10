//! Recognises that a chunk failed to load, in all the shapes that browsers and bundlers give it.
//!
//! Errors of the app must not be taken for chunk failures: that would reload a page because of a typo.

use alloc::string::{String, ToString};

use super::io::LoadKind;

/// Where this app's own files come from.
#[derive(Clone, Debug, Default)]
pub struct AppOrigin {
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
pub fn recognise(
    kind: LoadKind,
    message: &str,
    url: Option<&str>,
    app: &AppOrigin,
) -> Option<Failure> {
    match kind {
        LoadKind::Script | LoadKind::Style => {
            let url = url.filter(|url| app.is_ours(url))?;
            Some(Failure {
                url: Some(url.to_string()),
            })
        }
        LoadKind::Import | LoadKind::Error => {
            if is_load_text(message) {
                let named = url_in(message).or(if kind == LoadKind::Import { url } else { None });
                let ours = named.is_none_or(|url| app.is_ours(url));
                ours.then(|| Failure {
                    url: named.map(ToString::to_string),
                })
            } else if is_html_as_script(message) {
                let url = url.filter(|url| app.is_ours(url) && is_script(url))?;
                Some(Failure {
                    url: Some(url.to_string()),
                })
            } else {
                None
            }
        }
    }
}

impl AppOrigin {
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
            // A path; or `blob:`, `data:` and the like, which are no chunks.
            None => !url
                .split('/')
                .next()
                .is_some_and(|first| first.contains(':')),
        }
    }
}

fn origin_of(url: &str) -> Option<&str> {
    let host = url.find("://")? + 3;
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
        .any(|parts| parts.iter().all(|part| message.contains(part)))
}

/// An HTML page run as a script: Chromium and Safari, Firefox. `JSON.parse` has the same complaint about an API.
fn is_html_as_script(message: &str) -> bool {
    let says = |words: &str| message.contains(words);
    (says("Unexpected token '<'") || says("expected expression, got '<'")) && !says("JSON")
}

fn is_script(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    path.ends_with(".js") || path.ends_with(".mjs")
}

/// The first absolute URL, or the first path after a space or a bracket, in an error's text.
fn url_in(message: &str) -> Option<&str> {
    let after = |mark: &str| message.find(mark).map(|at| at + 1);
    let absolute = [message.find("https://"), message.find("http://")]
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

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const CHUNK: &str = "https://shop.test/assets/cart-1.js";

    fn app() -> AppOrigin {
        AppOrigin {
            base: Some("https://cdn.test/shop/".into()),
            ..AppOrigin::new("https://shop.test/changeover/release.json")
        }
    }

    /// What each engine and bundler says, and the chunk that it names.
    const CHUNKS: &[(LoadKind, &str, Option<&str>)] = &[
        (
            LoadKind::Import,
            "TypeError: Failed to fetch dynamically imported module: https://shop.test/assets/cart-1.js",
            Some(CHUNK),
        ),
        (
            LoadKind::Error,
            "Uncaught (in promise) TypeError: Failed to fetch dynamically imported module: https://shop.test/assets/cart-1.js",
            Some(CHUNK),
        ),
        (
            LoadKind::Import,
            "TypeError: error loading dynamically imported module: https://shop.test/assets/cart-1.js",
            Some(CHUNK),
        ),
        (
            LoadKind::Import,
            "TypeError: error loading dynamically imported module",
            None,
        ),
        (
            LoadKind::Import,
            "TypeError: Importing a module script failed.",
            None,
        ),
        (
            LoadKind::Error,
            "SyntaxError: The requested module './shared-1.js' does not provide an export named 'n'",
            None,
        ),
        (LoadKind::Error, "SyntaxError: import not found: n", None),
        (
            LoadKind::Error,
            "SyntaxError: Importing binding name 'n' is not found.",
            None,
        ),
        (
            LoadKind::Import,
            "Failed to load module script: Expected a JavaScript-or-Wasm module script but the server responded with a MIME type of \"text/html\".",
            None,
        ),
        (
            LoadKind::Error,
            "Loading module from “https://shop.test/assets/cart-1.js” was blocked because of a disallowed MIME type (“text/html”).",
            Some(CHUNK),
        ),
        (
            LoadKind::Import,
            "TypeError: 'text/html' is not a valid JavaScript MIME type.",
            None,
        ),
        (
            LoadKind::Import,
            "Error: Unable to preload CSS for /assets/cart-1.css",
            Some("/assets/cart-1.css"),
        ),
        (
            LoadKind::Error,
            "ChunkLoadError: Loading chunk 12 failed.\n(error: https://shop.test/assets/cart-1.js)",
            Some(CHUNK),
        ),
        (
            LoadKind::Error,
            "Loading CSS chunk 3 failed.\n(/assets/3.css)",
            Some("/assets/3.css"),
        ),
        (
            LoadKind::Error,
            "CompileError: WebAssembly.instantiate(): expected magic word 00 61 73 6d, found 3c 21 64 6f @+0",
            None,
        ),
        (
            LoadKind::Error,
            "CompileError: wasm validation error: at offset 0: failed to match magic number",
            None,
        ),
        (
            LoadKind::Error,
            "CompileError: WebAssembly.Module doesn't parse at byte 0: module doesn't start with '\\0asm'",
            None,
        ),
        (
            LoadKind::Error,
            "TypeError: WebAssembly: Response has unsupported MIME type 'text/html' expected 'application/wasm'",
            None,
        ),
        (
            LoadKind::Error,
            "LinkError: WebAssembly.instantiate(): Import #3 \"wbg\" \"__wbg_x\": function import requires a callable",
            None,
        ),
        (
            LoadKind::Error,
            "LinkError: import object field '__wbg_x' is not a Function",
            None,
        ),
        (
            LoadKind::Error,
            "LinkError: import function wbg:__wbg_x must be callable",
            None,
        ),
    ];

    #[test]
    fn a_failed_chunk_is_recognised_in_every_shape() {
        for (kind, message, url) in CHUNKS {
            let expected = Failure {
                url: url.map(ToString::to_string),
            };
            assert_eq!(
                recognise(*kind, message, None, &app()),
                Some(expected),
                "{message}"
            );
        }
    }

    #[test]
    fn a_script_or_style_of_this_app_is_a_chunk_and_that_of_others_is_not() {
        let ours: Vec<bool> = [
            CHUNK,
            "/assets/cart-1.js",
            "https://cdn.test/shop/assets/cart-1.js",
            "https://ads.test/a.js",
            "//ads.test/a.js",
            "https://cdn.test/other/a.js",
            "blob:https://shop.test/1",
            "chrome-extension://x/a.js",
        ]
        .iter()
        .map(|url| recognise(LoadKind::Script, "", Some(url), &app()).is_some())
        .collect();
        assert_eq!(ours, [true, true, true, false, false, false, false, false]);
        assert_eq!(recognise(LoadKind::Style, "", None, &app()), None);
    }

    #[test]
    fn html_run_as_a_script_is_a_chunk_and_html_parsed_as_json_is_not() {
        for message in [
            "Uncaught SyntaxError: Unexpected token '<'",
            "SyntaxError: expected expression, got '<'",
        ] {
            let failure = recognise(LoadKind::Error, message, Some(CHUNK), &app());
            assert_eq!(
                failure.and_then(|failure| failure.url).as_deref(),
                Some(CHUNK)
            );
            assert_eq!(
                recognise(
                    LoadKind::Error,
                    message,
                    Some("https://shop.test/cart"),
                    &app()
                ),
                None
            );
        }
        let api = "SyntaxError: Unexpected token '<', \"<!doctype \"... is not valid JSON";
        assert_eq!(recognise(LoadKind::Error, api, Some(CHUNK), &app()), None);
    }

    #[test]
    fn errors_of_the_app_and_imports_of_others_are_no_chunks() {
        for message in [
            "TypeError: Failed to fetch",
            "TypeError: Load failed",
            "TypeError: NetworkError when attempting to fetch resource.",
            "TypeError: Cannot read properties of undefined (reading 'map')",
            "ReferenceError: chunk is not defined",
            "Error: failed",
            "RuntimeError: unreachable",
            "TypeError: Failed to fetch dynamically imported module: https://esm.test/x.js",
            "",
        ] {
            for kind in [LoadKind::Import, LoadKind::Error] {
                assert_eq!(
                    recognise(kind, message, Some(CHUNK), &app()),
                    None,
                    "{message}"
                );
            }
        }
    }
}
