//! One file as an HTTP answer: conditional, ranged, streamed.

use std::io::SeekFrom;
use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::http::header::{
    ACCEPT_RANGES, ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, IF_RANGE, LOCATION, RANGE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

/// A year, the longest that caches honour.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const ASK_EVERY_TIME: &str = "no-cache";

/// Up to here a file is read at once: one hop to the thread pool instead of many, and little memory.
const READ_WHOLE: u64 = 256 * 1024;

/// How long a browser may use an answer without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caching {
    ForEver,
    AskEveryTime,
}

impl Caching {
    pub fn immutable(yes: bool) -> Self {
        if yes {
            Self::ForEver
        } else {
            Self::AskEveryTime
        }
    }
}

/// A file on disk; `None` when it is not there (any more).
pub async fn file(
    path: &Path,
    etag: &str,
    caching: Caching,
    request: &HeaderMap,
) -> Option<Response<Body>> {
    let opened = opened(path.to_path_buf()).await?;
    if let Some(answer) = not_modified(etag, caching, request) {
        return Some(answer);
    }
    let size = opened.size;
    let mut answer = base(StatusCode::OK, etag, caching);
    answer.headers_mut().insert(CONTENT_TYPE, media_type(path));
    answer
        .headers_mut()
        .insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let (first, length) = match wanted_range(request, etag, size) {
        Wanted::Everything => (0, size),
        Wanted::Nothing => return Some(unsatisfiable(size)),
        Wanted::Part { first, last } => {
            *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
            answer
                .headers_mut()
                .insert(CONTENT_RANGE, value(format!("bytes {first}-{last}/{size}")));
            (first, last - first + 1)
        }
    };
    answer.headers_mut().insert(CONTENT_LENGTH, length.into());
    *answer.body_mut() = match opened.content {
        // Both numbers are within the bytes that were read.
        Opened::Read(bytes) => bytes
            .slice(first as usize..(first + length) as usize)
            .into(),
        Opened::ToStream(file) => {
            let mut file = tokio::fs::File::from_std(file);
            file.seek(SeekFrom::Start(first)).await.ok()?;
            Body::from_stream(ReaderStream::with_capacity(file.take(length), 64 * 1024))
        }
    };
    Some(answer)
}

struct Open {
    size: u64,
    content: Opened,
}

enum Opened {
    Read(Bytes),
    ToStream(std::fs::File),
}

/// Opens a file and, when it is small, reads it in the same hop to the thread pool; larger ones are streamed.
async fn opened(path: PathBuf) -> Option<Open> {
    let open = move || -> std::io::Result<Option<Open>> {
        let mut file = std::fs::File::open(path)?;
        let meta = file.metadata()?;
        if !meta.is_file() {
            return Ok(None);
        }
        if meta.len() > READ_WHOLE {
            return Ok(Some(Open {
                size: meta.len(),
                content: Opened::ToStream(file),
            }));
        }
        let mut bytes = Vec::with_capacity(meta.len() as usize);
        std::io::Read::read_to_end(&mut file, &mut bytes)?;
        Ok(Some(Open {
            size: bytes.len() as u64,
            content: Opened::Read(bytes.into()),
        }))
    };
    tokio::task::spawn_blocking(open).await.ok()?.ok()?
}

/// JSON that is in memory.
pub fn json(body: Bytes, etag: &str, caching: Caching, request: &HeaderMap) -> Response<Body> {
    if let Some(answer) = not_modified(etag, caching, request) {
        return answer;
    }
    let mut answer = base(StatusCode::OK, etag, caching);
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    *answer.body_mut() = body.into();
    answer
}

/// Plain text, never HTML: a script loader that asked for a missing chunk must not be given a page.
pub fn plain(status: StatusCode, text: &str) -> Response<Body> {
    let mut answer = Response::new(Body::from(format!("{text}\n")));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

pub fn not_found() -> Response<Body> {
    plain(
        StatusCode::NOT_FOUND,
        "404: there is no such file in this site",
    )
}

pub fn method_not_allowed() -> Response<Body> {
    let mut answer = plain(
        StatusCode::METHOD_NOT_ALLOWED,
        "405: this server only answers GET and HEAD",
    );
    answer
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    answer
}

/// Temporary: browsers remember permanent redirects across builds.
pub fn redirect(to: &str) -> Response<Body> {
    let mut answer = plain(StatusCode::TEMPORARY_REDIRECT, to);
    answer.headers_mut().insert(LOCATION, value(to.to_owned()));
    answer
}

fn base(status: StatusCode, etag: &str, caching: Caching) -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(ETAG, value(etag.to_owned()));
    let caching = match caching {
        Caching::ForEver => FOR_EVER,
        Caching::AskEveryTime => ASK_EVERY_TIME,
    };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

fn not_modified(etag: &str, caching: Caching, request: &HeaderMap) -> Option<Response<Body>> {
    let plain = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let matches = request
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(','))
        .any(|tag| tag.trim() == "*" || plain(tag) == plain(etag));
    matches.then(|| base(StatusCode::NOT_MODIFIED, etag, caching))
}

#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Everything,
    Part { first: u64, last: u64 },
    Nothing,
}

/// A single range; several at once are answered with everything, as the standard allows.
fn wanted_range(request: &HeaderMap, etag: &str, size: u64) -> Wanted {
    let text = |name| {
        request
            .get(name)
            .and_then(|header: &HeaderValue| header.to_str().ok())
    };
    let Some(range) = text(RANGE).and_then(|range| range.strip_prefix("bytes=")) else {
        return Wanted::Everything;
    };
    // A part of a file that has changed since is worthless; weak tags never match here.
    if text(IF_RANGE).is_some_and(|tag| tag != etag || tag.starts_with("W/")) {
        return Wanted::Everything;
    }
    let Some((first, last)) = range.split_once('-').filter(|_| !range.contains(',')) else {
        return Wanted::Everything;
    };
    let (first, last) = match (first.trim().parse::<u64>(), last.trim()) {
        (Ok(first), "") => (first, size.saturating_sub(1)),
        (Ok(first), last) => match last.parse::<u64>() {
            Ok(last) if last >= first => (first, last.min(size.saturating_sub(1))),
            _ => return Wanted::Everything,
        },
        (Err(_), last) if first.trim().is_empty() => match last.parse::<u64>() {
            Ok(0) => return Wanted::Nothing,
            Ok(count) => (size.saturating_sub(count), size.saturating_sub(1)),
            Err(_) => return Wanted::Everything,
        },
        _ => return Wanted::Everything,
    };
    if first >= size {
        Wanted::Nothing
    } else {
        Wanted::Part { first, last }
    }
}

fn unsatisfiable(size: u64) -> Response<Body> {
    let mut answer = plain(
        StatusCode::RANGE_NOT_SATISFIABLE,
        "416: the file is shorter than that",
    );
    answer
        .headers_mut()
        .insert(CONTENT_RANGE, value(format!("bytes */{size}")));
    answer
}

/// What browsers insist on is spelled out; the rest is what everybody uses.
fn media_type(path: &Path) -> HeaderValue {
    let ending = path
        .extension()
        .map(|ending| ending.to_string_lossy().to_ascii_lowercase())
        .unwrap_or_default();
    let known = match ending.as_str() {
        "html" | "htm" => "text/html; charset=utf-8",
        "js" | "mjs" | "cjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        _ => "",
    };
    if !known.is_empty() {
        return HeaderValue::from_static(known);
    }
    let guessed = mime_guess::from_path(path).first_or_octet_stream();
    value(if guessed.type_() == "text" {
        format!("{}; charset=utf-8", guessed.essence_str())
    } else {
        guessed.essence_str().to_owned()
    })
}

/// Our own header values are ASCII; should one ever not be, the answer goes out without it.
fn value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range_of(range: &str, size: u64) -> Wanted {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, range.parse().unwrap());
        wanted_range(&headers, "\"x\"", size)
    }

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        let part = |first, last| Wanted::Part { first, last };
        for (range, wanted) in [
            ("bytes=0-0", part(0, 0)),
            ("bytes=2-", part(2, 9)),
            ("bytes=2-99", part(2, 9)),
            ("bytes=-3", part(7, 9)),
            ("bytes=-99", part(0, 9)),
            ("bytes=10-", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=5-2", Wanted::Everything),
            ("bytes=0-1,3-4", Wanted::Everything),
            ("lines=1-2", Wanted::Everything),
            ("bytes=x-", Wanted::Everything),
        ] {
            assert_eq!(range_of(range, 10), wanted, "{range}");
        }
        assert_eq!(range_of("bytes=0-", 0), Wanted::Nothing);
    }

    #[test]
    fn a_range_of_another_version_of_the_file_is_answered_with_all_of_it() {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, "bytes=0-1".parse().unwrap());
        headers.insert(IF_RANGE, "\"old\"".parse().unwrap());
        assert_eq!(wanted_range(&headers, "\"new\"", 10), Wanted::Everything);
    }

    #[test]
    fn media_types_are_those_that_browsers_insist_on() {
        for (name, kind) in [
            ("a.wasm", "application/wasm"),
            ("a.mjs", "text/javascript; charset=utf-8"),
            ("A.JS", "text/javascript; charset=utf-8"),
            ("a.css", "text/css; charset=utf-8"),
            ("a.woff2", "font/woff2"),
            ("a.webmanifest", "application/manifest+json"),
            ("a.png", "image/png"),
            ("a.unknown", "application/octet-stream"),
            ("a", "application/octet-stream"),
        ] {
            assert_eq!(media_type(Path::new(name)), kind, "{name}");
        }
    }
}
