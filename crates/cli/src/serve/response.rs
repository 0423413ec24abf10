//! A representation as an HTTP response: conditional requests, ranges, streaming.

use std::error::Error as StdError;
use std::fs::File;
use std::io::{self, SeekFrom};
use std::path::PathBuf;

use async_compression::Level;
use async_compression::tokio::bufread::{BrotliEncoder, GzipEncoder, ZstdEncoder};
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt as _};
use headers::{ETag, HeaderMapExt as _, IfMatch, IfNoneMatch, IfRange};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Either, Full, StreamBody};
use hyper::body::Frame;
use hyper::header::{
    ACCEPT_RANGES, ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE,
    ETAG, HeaderMap, HeaderValue, IF_MATCH, IF_NONE_MATCH, IF_RANGE, LOCATION, RANGE, RETRY_AFTER,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Response, StatusCode};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncSeekExt as _, BufReader};
use tokio_util::io::ReaderStream;

use super::coding::Coding;
use super::range::{self, Wanted};
use super::representation::{Content, Representation};

/// Bytes in memory, or a stream.
pub type Body = Either<Full<Bytes>, UnsyncBoxBody<Bytes, Box<dyn StdError + Send + Sync>>>;

/// A year, the longest time that caches respect.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// Each piece costs a switch to the thread pool.
const PIECE: usize = 256 * 1024;

/// How long a browser may use a response without asking.
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

/// The response to a request for a representation. Its bytes are read when they are sent.
///
/// Errors: temporary ones, such as too many open files.
pub async fn of(
    found: &Representation,
    caching: Caching,
    request: &HeaderMap,
    head_only: bool,
) -> io::Result<Response<Body>> {
    if let Some(response) = precondition(found, caching, request) {
        return Ok(response);
    }
    let mut response = Response::new(empty());
    *response.headers_mut() = cached(found.headers.clone(), caching);
    let (first, length) = match wanted_range(request, found) {
        Wanted::Everything => (0, found.size),
        Wanted::Nothing => return Ok(unsatisfiable(found)),
        Wanted::Part { first, last } => {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let headers = response.headers_mut();
            let range = format!("bytes {first}-{last}/{}", found.size);
            headers.insert(CONTENT_RANGE, value(range));
            headers.insert(CONTENT_LENGTH, (last - first + 1).into());
            (first, last - first + 1)
        }
    };
    if !head_only {
        *response.body_mut() = match &found.content {
            // Both numbers are within the length of the bytes.
            Content::Memory(bytes) => full(bytes.slice(first as usize..(first + length) as usize)),
            Content::Disk(path) => {
                let mut file = opened(path.clone(), found.size).await?;
                file.seek(SeekFrom::Start(first)).await?;
                streamed(ReaderStream::with_capacity(file.take(length), PIECE))
            }
            Content::Encoded(path) => {
                encoded(opened(path.clone(), found.size).await?, found.coding)
            }
        };
    }
    Ok(response)
}

/// Opens a file that still has the length which the response announces.
async fn opened(path: PathBuf, size: u64) -> io::Result<tokio::fs::File> {
    let open = move || {
        let file = File::open(path)?;
        if file.metadata()?.len() != size {
            return Err(io::Error::other("the file changed while it was looked at"));
        }
        Ok(file)
    };
    let file = tokio::task::spawn_blocking(open)
        .await
        .map_err(io::Error::other)??;
    let mut file = tokio::fs::File::from_std(file);
    file.set_max_buf_size(PIECE);
    Ok(file)
}

/// Fast rather than small, because the result is not kept.
fn encoded(file: tokio::fs::File, coding: Option<Coding>) -> Body {
    let file = BufReader::with_capacity(PIECE, file);
    let quick = Level::Precise(4);
    match coding {
        Some(Coding::Brotli) => pieces(BrotliEncoder::with_quality(file, quick)),
        Some(Coding::Zstd) => pieces(ZstdEncoder::with_quality(file, quick)),
        Some(Coding::Gzip) => pieces(GzipEncoder::with_quality(file, quick)),
        None => pieces(file),
    }
}

fn pieces(reader: impl AsyncRead + Send + 'static) -> Body {
    streamed(ReaderStream::with_capacity(reader, PIECE))
}

fn streamed(stream: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Body {
    boxed(stream.map_err(Into::into))
}

/// A body from a stream of bytes.
pub fn boxed(
    stream: impl Stream<Item = Result<Bytes, Box<dyn StdError + Send + Sync>>> + Send + 'static,
) -> Body {
    Either::Right(StreamBody::new(stream.map_ok(Frame::data)).boxed_unsync())
}

pub fn full(bytes: Bytes) -> Body {
    Either::Left(Full::new(bytes))
}

pub fn empty() -> Body {
    full(Bytes::new())
}

/// Plain text and never HTML: a script loader that requests a missing chunk must not get a page.
pub fn plain(status: StatusCode, text: &str) -> Response<Body> {
    let text = format!("{text}\n");
    let length = text.len();
    let mut response = Response::new(full(text.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    headers.insert(CONTENT_LENGTH, length.into());
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

pub fn not_found() -> Response<Body> {
    plain(
        StatusCode::NOT_FOUND,
        "404: there is no such file in this site",
    )
}

/// A request that violates HTTP. The connection is closed, because its further data cannot be trusted.
pub fn bad_request(text: &str) -> Response<Body> {
    let mut response = plain(StatusCode::BAD_REQUEST, text);
    response
        .headers_mut()
        .insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The file exists and cannot be read now. A 404 would say that it is gone.
pub fn unavailable() -> Response<Body> {
    let mut response = plain(
        StatusCode::SERVICE_UNAVAILABLE,
        "503: the file cannot be read now; try again in a second",
    );
    response
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

pub fn method_not_allowed() -> Response<Body> {
    let mut response = plain(
        StatusCode::METHOD_NOT_ALLOWED,
        "405: this server only answers GET and HEAD",
    );
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}

/// Temporary, because browsers remember permanent redirects for later builds.
pub fn redirect(to: &str) -> Response<Body> {
    let mut response = plain(StatusCode::TEMPORARY_REDIRECT, to);
    response
        .headers_mut()
        .insert(LOCATION, value(to.to_owned()));
    response
}

/// 304 or 412, depending on the conditions of the request. RFC 9110, 13.2.2.
fn precondition(
    found: &Representation,
    caching: Caching,
    request: &HeaderMap,
) -> Option<Response<Body>> {
    if request.contains_key(IF_MATCH) {
        let passes = request
            .typed_get::<IfMatch>()
            .zip(tag_of(found))
            .is_none_or(|(wanted, etag)| wanted.precondition_passes(&etag));
        if !passes {
            return Some(about(
                found,
                plain(
                    StatusCode::PRECONDITION_FAILED,
                    "412: the file is not the one that was asked for",
                ),
            ));
        }
    }
    if !request.contains_key(IF_NONE_MATCH) {
        return None;
    }
    // Fast path: nearly always it is exactly our own ETag.
    let has_it = request.get(IF_NONE_MATCH) == found.headers.get(ETAG)
        || request
            .typed_get::<IfNoneMatch>()
            .zip(tag_of(found))
            .is_some_and(|(had, etag)| !had.precondition_passes(&etag));
    has_it.then(|| {
        let mut response = Response::new(empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.headers_mut() = cached(found.selected().clone(), caching);
        response
    })
}

/// Adds the headers with which a cache identifies its copy. Headers that are there stay.
fn about(found: &Representation, mut response: Response<Body>) -> Response<Body> {
    for (name, value) in found.selected() {
        response.headers_mut().entry(name).or_insert(value.clone());
    }
    response
}

fn cached(mut headers: HeaderMap, caching: Caching) -> HeaderMap {
    // The headers of a representation forbid it by default.
    if caching == Caching::ForEver {
        headers.insert(CACHE_CONTROL, FOR_EVER);
    }
    headers
}

fn tag_of(found: &Representation) -> Option<ETag> {
    found.headers.typed_get()
}

fn wanted_range(request: &HeaderMap, found: &Representation) -> Wanted {
    // A representation that is encoded while it is sent has no ranges.
    if !found.headers.contains_key(ACCEPT_RANGES) {
        return Wanted::Everything;
    }
    let Some(range) = request.get(RANGE).and_then(|range| range.to_str().ok()) else {
        return Wanted::Everything;
    };
    // A range of a changed file is useless. Weak ETags and dates never match here.
    if request.contains_key(IF_RANGE) {
        let is_modified = request
            .typed_get::<IfRange>()
            .is_none_or(|condition| condition.is_modified(tag_of(found).as_ref(), None));
        if is_modified {
            return Wanted::Everything;
        }
    }
    range::wanted(range, found.size)
}

fn unsatisfiable(found: &Representation) -> Response<Body> {
    let mut response = about(
        found,
        plain(
            StatusCode::RANGE_NOT_SATISFIABLE,
            "416: the file is shorter than that",
        ),
    );
    response
        .headers_mut()
        .insert(CONTENT_RANGE, value(format!("bytes */{}", found.size)));
    response
}

/// Header values made here are ASCII. If one ever is not, it is sent empty.
fn value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_another_version_of_the_file_is_answered_with_all_of_it() {
        let found = Representation::of_json(b"0123456789".to_vec());
        let wanted = |condition: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RANGE, "bytes=0-1".parse().unwrap());
            headers.insert(IF_RANGE, condition.parse().unwrap());
            wanted_range(&headers, &found)
        };
        assert_eq!(wanted(&found.etag), Wanted::Part { first: 0, last: 1 });
        for other in [
            "\"old\"",
            &format!("W/{}", found.etag),
            "Sat, 29 Oct 1994 19:43:31 GMT",
            "nonsense",
        ] {
            assert_eq!(wanted(other), Wanted::Everything, "{other}");
        }
    }
}
