//! From a request to a file: mount point, the guard's own files, assets, documents, the app's routes.

use std::path::PathBuf;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri};

use super::answer::{self, Caching};
use super::view::{View, Views, etag_of};
use crate::build::{extension, is_document};
use crate::hash::Fingerprint;
use crate::url::{encoded, try_decoded};
use crate::walk::is_hidden;

/// The header that tells pages where the event stream is, relative to `release.json`.
const EVENTS_HEADER: &str = "changeover-events";

/// What a request gets.
pub enum Route {
    Events,
    Answer(Response<Body>),
}

pub async fn route(views: &Views, method: &Method, uri: &Uri, headers: &HeaderMap) -> Route {
    if method != Method::GET && method != Method::HEAD {
        return Route::Answer(answer::method_not_allowed());
    }
    let view = views.current();
    let Some(path) = uri.path().strip_prefix(view.base.as_str()) else {
        let at_root = uri.path() == "/" || format!("{}/", uri.path()) == view.base;
        return Route::Answer(if at_root {
            answer::redirect(&view.base)
        } else {
            answer::not_found()
        });
    };
    // Offered even before the first release: a page that waits for one hears of it.
    if path == "changeover/events" {
        return Route::Events;
    }
    let Some(path) = safe(path) else {
        return Route::Answer(answer::plain(
            StatusCode::BAD_REQUEST,
            "400: this is not a path of a file",
        ));
    };
    let answer = match path.strip_prefix("changeover/") {
        Some(own) => guard_file(views, &view, own, headers).await,
        None => site_file(views, &view, &path, headers).await,
    };
    Route::Answer(answer.unwrap_or_else(answer::not_found))
}

/// The decoded path, if no part of it can lead anywhere but down.
fn safe(path: &str) -> Option<String> {
    let mut parts = Vec::new();
    for part in path.split('/') {
        let part = try_decoded(part)?;
        if part == "." || part == ".." || part.contains(['/', '\\', '\0']) {
            return None;
        }
        parts.push(part);
    }
    Some(parts.join("/"))
}

/// `release.json` and the manifests; the history and the build folders are nobody's business.
async fn guard_file(
    views: &Views,
    view: &View,
    path: &str,
    headers: &HeaderMap,
) -> Option<Response<Body>> {
    let pointer = view.pointer.as_ref()?;
    if path == "release.json" {
        let mut answer = answer::json(
            pointer.body.clone(),
            &pointer.etag,
            Caching::AskEveryTime,
            headers,
        );
        answer
            .headers_mut()
            .insert(EVENTS_HEADER, HeaderValue::from_static("events"));
        return Some(answer);
    }
    let named = path == pointer.release.build.manifest;
    let usual = path
        .strip_prefix("builds/")
        .is_some_and(|name| name.ends_with(".json") && !name.contains('/') && !is_hidden(name));
    if !(named || usual) {
        return None;
    }
    let body = tokio::fs::read(views.site().guard().join(path))
        .await
        .ok()?;
    let etag = etag_of(&Fingerprint::of(&body).integrity);
    Some(answer::json(
        body.into(),
        &etag,
        Caching::immutable(usual),
        headers,
    ))
}

async fn site_file(
    views: &Views,
    view: &View,
    path: &str,
    headers: &HeaderMap,
) -> Option<Response<Body>> {
    if path.split('/').any(is_hidden) {
        return None;
    }
    if let Some(found) = view.asset(path) {
        return answer::file(
            &found.file,
            &found.etag,
            Caching::immutable(found.immutable),
            headers,
        )
        .await;
    }
    if let Some(answer) = document(view, path, headers).await {
        return Some(answer);
    }
    if let Some(answer) = foreign(views, view, path, headers).await {
        return Some(answer);
    }
    if !is_route(path, headers) {
        return None;
    }
    match document(view, "index.html", headers).await {
        Some(answer) => Some(answer),
        None => foreign(views, view, "index.html", headers).await,
    }
}

/// The document itself, that of a folder, or the one whose ending was left out.
async fn document(view: &View, path: &str, headers: &HeaderMap) -> Option<Response<Body>> {
    let folder = path.is_empty() || path.ends_with('/');
    if !folder && view.document(&format!("{path}/index.html")).is_some() {
        // Without the slash its relative references would lead to the folder above.
        return Some(answer::redirect(&format!(
            "{}{}/",
            view.base,
            encoded(path)
        )));
    }
    let candidates = if folder {
        vec![format!("{path}index.html")]
    } else {
        vec![path.to_owned(), format!("{path}.html")]
    };
    for candidate in candidates {
        if let Some(found) = view.document(&candidate) {
            return answer::file(&found.file, &found.etag, Caching::AskEveryTime, headers).await;
        }
    }
    None
}

/// A file that somebody put into the site by hand. What belongs to a build that is not part of the view, or no longer,
/// is as good as absent.
async fn foreign(
    views: &Views,
    view: &View,
    path: &str,
    headers: &HeaderMap,
) -> Option<Response<Body>> {
    let path = match path {
        "" => "index.html".to_owned(),
        folder if folder.ends_with('/') => format!("{folder}index.html"),
        file => file.to_owned(),
    };
    if path == "changeover" || view.knows(&path) {
        return None;
    }
    let root = views.site().root();
    let file = tokio::fs::canonicalize(root.join(&path)).await.ok()?;
    // A link may lead somewhere else in the site, but neither out of it nor into the guard's folder.
    if !file.starts_with(root) || file.starts_with(views.site().guard()) {
        return None;
    }
    let meta = tokio::fs::metadata(&file)
        .await
        .ok()
        .filter(std::fs::Metadata::is_file)?;
    if belongs_to_a_build(views, &path) {
        return None;
    }
    let modified = meta
        .modified()
        .ok()?
        .duration_since(std::time::UNIX_EPOCH)
        .ok()?;
    let etag = format!("W/\"{:x}-{:x}\"", meta.len(), modified.as_nanos());
    answer::file(&file, &etag, Caching::AskEveryTime, headers).await
}

fn belongs_to_a_build(views: &Views, path: &str) -> bool {
    let site = views.site();
    let builds: Vec<PathBuf> = site
        .builds()
        .unwrap_or_default()
        .iter()
        .map(|id| site.files(id).join(path))
        .collect();
    builds.iter().any(|file| file.is_file())
}

/// Whether the app's router would know `path`: then the answer is the app. A missing file is not a route, whoever asks.
fn is_route(path: &str, headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let navigates = text("sec-fetch-mode") == Some("navigate");
    // `empty` is `fetch()`; everything else that is not a document wants code, styles, pictures, …
    let wants_document = matches!(
        text("sec-fetch-dest"),
        None | Some("document" | "iframe" | "frame" | "empty" | "")
    );
    let accepts = text("accept").is_none_or(|accept| {
        accept
            .split(',')
            .map(|kind| kind.split(';').next().unwrap_or_default().trim())
            .any(|kind| matches!(kind, "" | "*/*" | "text/*" | "text/html"))
    });
    if !wants_document || !accepts {
        return false;
    }
    let ending = extension(path);
    if ending.is_empty() || is_document(path) {
        return true;
    }
    // `/users/jane.doe` is a route, `/assets/cart.js` never is.
    let is_a_file_type = !mime_guess::from_ext(&ending).is_empty()
        || matches!(ending.as_str(), "map" | "wasm" | "webmanifest");
    !is_a_file_type
        || (navigates && !is_of_the_web(&ending) && text("sec-fetch-dest") == Some("document"))
}

/// Endings that no router uses in its paths.
fn is_of_the_web(ending: &str) -> bool {
    matches!(
        ending,
        "js" | "mjs"
            | "cjs"
            | "css"
            | "wasm"
            | "map"
            | "json"
            | "webmanifest"
            | "txt"
            | "xml"
            | "ico"
            | "svg"
            | "png"
            | "jpg"
            | "jpeg"
            | "gif"
            | "webp"
            | "avif"
            | "woff"
            | "woff2"
            | "ttf"
            | "otf"
            | "eot"
            | "mp3"
            | "mp4"
            | "webm"
            | "pdf"
            | "zip"
            | "gz"
            | "br"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    axum::http::HeaderName::from_static(name),
                    value.parse().unwrap(),
                )
            })
            .collect()
    }

    #[test]
    fn paths_only_lead_down() {
        assert_eq!(safe("a%20b/%C3%BC.js").as_deref(), Some("a b/ü.js"));
        assert_eq!(safe("").as_deref(), Some(""));
        for path in [
            "..",
            "a/../b",
            "%2e%2e/x",
            "a/%2e%2e%2fb",
            "a%5cb",
            "a%00",
            "%ff",
            "./a",
        ] {
            assert_eq!(safe(path), None, "{path}");
        }
    }

    #[test]
    fn navigations_and_plain_fetches_of_routes_get_the_app_and_files_do_not() {
        let navigation = headers(&[
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
            ("accept", "text/html,*/*;q=0.8"),
        ]);
        let fetch = headers(&[
            ("sec-fetch-mode", "cors"),
            ("sec-fetch-dest", "empty"),
            ("accept", "*/*"),
        ]);
        let script = headers(&[
            ("sec-fetch-mode", "cors"),
            ("sec-fetch-dest", "script"),
            ("accept", "*/*"),
        ]);
        let old = headers(&[]);
        for (path, expected) in [
            ("cart", [true, true, false, true]),
            ("users/jane.doe", [true, true, false, true]),
            ("sites/example.com", [true, false, false, false]),
            ("about.html", [true, true, false, true]),
            ("assets/gone-B4qR8tz2.js", [false; 4]),
            ("assets/gone.css", [false; 4]),
            ("x.wasm", [false; 4]),
            ("x.js.map", [false; 4]),
        ] {
            let got = [&navigation, &fetch, &script, &old].map(|headers| is_route(path, headers));
            assert_eq!(got, expected, "{path}");
        }
        assert!(!is_route(
            "cart",
            &headers(&[("accept", "application/json")])
        ));
    }
}
