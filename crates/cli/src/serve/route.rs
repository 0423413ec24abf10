//! Finds the file for a request: mount point, files of the guard, assets, documents, routes of the app.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use hyper::header::{HeaderMap, HeaderValue};
use hyper::{Method, Response, StatusCode, Uri};

use super::cache::Cache;
use super::response::{self, Body, Caching};
use super::snapshot::{Found, Snapshot};
use super::snapshots::Snapshots;
use crate::build::{extension, is_document};
use crate::url::{encoded, try_decoded};
use crate::walk::is_hidden;

/// The header that tells pages where the event stream is, relative to `release.json`.
const EVENTS_HEADER: &str = "changeover-events";

/// The result for a request.
pub enum Route {
    Events,
    Response(Response<Body>),
}

/// Finds and reads files.
#[derive(Debug)]
pub struct Routes {
    pub snapshots: Arc<Snapshots>,
    cache: Cache,
}

/// A GET or HEAD request.
struct FileRequest<'a> {
    snapshot: &'a Snapshot,
    headers: &'a HeaderMap,
    head_only: bool,
}

/// `Ok(None)` when there is no such file, an error when it cannot be read now.
type RouteResult = io::Result<Option<Response<Body>>>;

impl Routes {
    pub fn new(snapshots: Arc<Snapshots>) -> Self {
        let cache = Cache::new(snapshots.site().root());
        Self { snapshots, cache }
    }

    pub async fn route(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Route {
        if method != Method::GET && method != Method::HEAD {
            return Route::Response(response::method_not_allowed());
        }
        let snapshot = self.snapshots.current().await;
        let Some(path) = uri.path().strip_prefix(snapshot.base.as_str()) else {
            let at_root = uri.path() == "/" || format!("{}/", uri.path()) == snapshot.base;
            return Route::Response(if at_root {
                response::redirect(&snapshot.base)
            } else {
                response::not_found()
            });
        };
        // Available even before the first release, so that waiting pages learn about it.
        if path == "changeover/events" {
            return Route::Events;
        }
        let Some(path) = safe(path) else {
            return Route::Response(response::plain(
                StatusCode::BAD_REQUEST,
                "400: this is not a path of a file",
            ));
        };
        let request = FileRequest {
            snapshot: &snapshot,
            headers,
            head_only: method == Method::HEAD,
        };
        let outcome = match path.strip_prefix("changeover/") {
            Some(own) => self.guard_file(&request, own).await,
            None => self.site_file(&request, &path).await,
        };
        Route::Response(match outcome {
            Ok(Some(response)) => response,
            Ok(None) => response::not_found(),
            Err(_) => response::unavailable(),
        })
    }

    /// `release.json` and the manifests. The history and the build folders are private.
    async fn guard_file(&self, request: &FileRequest<'_>, path: &str) -> RouteResult {
        let Some(pointer) = &request.snapshot.pointer else {
            return Ok(None);
        };
        if path == "release.json" {
            let plain = &pointer.representation;
            let found = self.cache.chosen_of(plain, path, request.headers).await?;
            let every_time = Caching::AskEveryTime;
            let mut response =
                response::of(&found, every_time, request.headers, request.head_only).await?;
            response
                .headers_mut()
                .insert(EVENTS_HEADER, HeaderValue::from_static("events"));
            return Ok(Some(response));
        }
        let is_named = Some(path) == pointer.release.build.manifest.as_deref();
        let is_usual = path
            .strip_prefix("builds/")
            .is_some_and(|name| name.ends_with(".json") && !name.contains('/') && !is_hidden(name));
        if !(is_named || is_usual) {
            return Ok(None);
        }
        self.found(
            request,
            &request.snapshot.manifest(self.snapshots.site(), path),
        )
        .await
    }

    async fn site_file(&self, request: &FileRequest<'_>, path: &str) -> RouteResult {
        if path.split('/').any(is_hidden) {
            return Ok(None);
        }
        if let Some(found) = request.snapshot.asset(path) {
            return self.found(request, &found).await;
        }
        if let Some(response) = self.document(request, path).await? {
            return Ok(Some(response));
        }
        if let Some(response) = self.unmanaged(request, path).await? {
            return Ok(Some(response));
        }
        if !is_route(path, request.headers) {
            return Ok(None);
        }
        match self.document(request, "index.html").await? {
            Some(response) => Ok(Some(response)),
            None => self.unmanaged(request, "index.html").await,
        }
    }

    /// A document by its name, by its folder, or by its name without the ending.
    async fn document(&self, request: &FileRequest<'_>, path: &str) -> RouteResult {
        let snapshot = request.snapshot;
        let folder = path.is_empty() || path.ends_with('/');
        if !folder && snapshot.document(&format!("{path}/index.html")).is_some() {
            // Without the slash, relative references would be resolved against the folder above.
            return Ok(Some(response::redirect(&format!(
                "{}{}/",
                snapshot.base,
                encoded(path)
            ))));
        }
        let candidates = if folder {
            vec![format!("{path}index.html")]
        } else {
            vec![path.to_owned(), format!("{path}.html")]
        };
        for candidate in candidates {
            if let Some(found) = snapshot.document(&candidate) {
                return self.found(request, &found).await;
            }
        }
        Ok(None)
    }

    /// A file that no build has put into the site. Files of builds that are not in the snapshot count as absent.
    async fn unmanaged(&self, request: &FileRequest<'_>, path: &str) -> RouteResult {
        let path = match path {
            "" => "index.html".to_owned(),
            folder if folder.ends_with('/') => format!("{folder}index.html"),
            file => file.to_owned(),
        };
        if path == "changeover" || request.snapshot.knows(&path) {
            return Ok(None);
        }
        let snapshots = self.snapshots.clone();
        let looked_for = tokio::task::spawn_blocking(move || in_the_site(&snapshots, &path));
        let Some(file) = looked_for.await.map_err(io::Error::other)?? else {
            return Ok(None);
        };
        let found = Found {
            file: file.into(),
            within: self.snapshots.site().root().into(),
            integrity: None,
            immutable: false,
            ambiguous: false,
        };
        self.found(request, &found).await
    }

    async fn found(&self, request: &FileRequest<'_>, found: &Found) -> RouteResult {
        let Some(chosen) = self.cache.chosen(found, request.headers).await? else {
            return Ok(None);
        };
        // Other bytes than those in the manifest are just being replaced, or were changed by hand.
        let is_promised =
            found.integrity.is_some() && found.integrity.as_deref() == chosen.integrity.as_deref();
        let is_immutable =
            (found.immutable && is_promised) || (chosen.names_itself && !found.ambiguous);
        let caching = Caching::immutable(is_immutable);
        response::of(&chosen, caching, request.headers, request.head_only)
            .await
            .map(Some)
    }
}

/// The decoded path, if no part of it leads upwards.
fn safe(path: &str) -> Option<Cow<'_, str>> {
    // Fast path: most need no decoding.
    let is_plain = !path.contains(['%', '\\', '\0'])
        && path.split('/').all(|part| part != "." && part != "..");
    if is_plain {
        return Some(path.into());
    }
    let mut parts = Vec::new();
    for part in path.split('/') {
        let part = try_decoded(part)?;
        if part == "." || part == ".." || part.contains(['/', '\\', '\0']) {
            return None;
        }
        parts.push(part);
    }
    Some(parts.join("/").into())
}

/// The path of a file that belongs to no build. Reads the disk.
fn in_the_site(snapshots: &Snapshots, path: &str) -> io::Result<Option<PathBuf>> {
    let site = snapshots.site();
    let Ok(file) = site.root().join(path).canonicalize() else {
        return Ok(None);
    };
    // A link may lead to another place of the site, but neither out of it nor into the folder of the guard. Hidden
    // files are refused when they are read.
    if !file.starts_with(site.root()) || file.starts_with(site.guard()) || !file.is_file() {
        return Ok(None);
    }
    let builds = site.builds().map_err(io::Error::other)?;
    let belongs_to_a_build = builds.iter().any(|id| site.files(id).join(path).is_file());
    Ok((!belongs_to_a_build).then_some(file))
}

/// Whether `path` may be a route of the app, which is answered with the app. A missing file is not a route.
fn is_route(path: &str, headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let navigates = text("sec-fetch-mode") == Some("navigate");
    // `empty` is `fetch()`. All other values except documents request code, styles, pictures, …
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

/// Endings that routers do not use in their paths.
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
                    hyper::header::HeaderName::from_static(name),
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
