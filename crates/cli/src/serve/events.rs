//! The event stream: one event on connecting, one for each release after it, comments in between.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, Method};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use tokio::sync::watch;

/// Shorter than the idle limits of common proxies (30 to 60 seconds).
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What an event says. Only a hint: the page then fetches `release.json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    pub sequence: u64,
    pub build: String,
}

struct Listener {
    announced: watch::Receiver<Option<Announcement>>,
    ended: watch::Receiver<bool>,
    greeted: bool,
}

pub fn stream(
    announced: watch::Receiver<Option<Announcement>>,
    ended: watch::Receiver<bool>,
    method: &Method,
) -> Response {
    let listener = Listener {
        announced,
        ended,
        greeted: false,
    };
    let body = if method == Method::HEAD {
        Body::empty()
    } else {
        Body::from_stream(stream::unfold(listener, next))
    };
    let mut answer = Response::new(body);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // nginx would hold events back until its buffer is full.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    answer
}

async fn next(mut listener: Listener) -> Option<(Result<Bytes, Infallible>, Listener)> {
    if *listener.ended.borrow() {
        return None;
    }
    if !listener.greeted {
        listener.greeted = true;
        let text = match &*listener.announced.borrow_and_update() {
            Some(announcement) => event(announcement),
            // Something must be sent, or the page does not learn that the stream is open.
            None => ": nothing is published yet\n\n".into(),
        };
        return Some((Ok(text.into()), listener));
    }
    let text = tokio::select! {
        _ = listener.ended.changed() => return None,
        changed = listener.announced.changed() => {
            changed.ok()?;
            listener.announced.borrow_and_update().as_ref().map_or_else(String::new, event)
        }
        () = tokio::time::sleep(KEEP_ALIVE) => ":\n\n".into(),
    };
    Some((Ok(text.into()), listener))
}

fn event(announcement: &Announcement) -> String {
    // Ids hold only letters, digits, '.', '_' and '-': nothing to escape.
    format!(
        "event: release\ndata: {{\"sequence\":{},\"build\":\"{}\"}}\n\n",
        announcement.sequence, announcement.build
    )
}
