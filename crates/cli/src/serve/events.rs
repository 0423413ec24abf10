//! The event stream: an event on connecting, one for each later release, and comments in between.

use std::collections::hash_map::RandomState;
use std::error::Error;
use std::hash::{BuildHasher as _, Hasher as _};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Response};
use tokio::sync::watch;

use super::listen::Ending;
use super::response::{self, Body};

/// Shorter than the idle limits of common proxies (30 to 60 seconds).
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Browsers connect again after at least this long: a restart takes about a second.
const SOONEST_MS: u32 = 1000;
const SPREAD_MS: u32 = 4000;

/// The content of an event. It is only a hint: the page then fetches `release.json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    pub sequence: u64,
    pub build: String,
}

struct Listener {
    announced: watch::Receiver<Option<Announcement>>,
    ending: watch::Receiver<Ending>,
    greeted: bool,
    dismissed: bool,
}

pub fn stream(
    announced: watch::Receiver<Option<Announcement>>,
    ending: watch::Receiver<Ending>,
    method: &Method,
) -> Response<Body> {
    let listener = Listener {
        announced,
        ending,
        greeted: false,
        dismissed: false,
    };
    let body = if method == Method::HEAD {
        response::empty()
    } else {
        response::boxed(stream::unfold(listener, next))
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // nginx would hold events back until its buffer is full.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

async fn next(
    mut listener: Listener,
) -> Option<(Result<Bytes, Box<dyn Error + Send + Sync>>, Listener)> {
    if *listener.ending.borrow() != Ending::NotYet {
        // Tabs must not all connect to the next server at once.
        return (!std::mem::replace(&mut listener.dismissed, true))
            .then(|| (Ok(come_back_later().into()), listener));
    }
    if !listener.greeted {
        listener.greeted = true;
        let text = match &*listener.announced.borrow_and_update() {
            Some(announcement) => event(announcement),
            // Without any data, the page would not learn that the stream is open.
            None => ": nothing is published yet\n\n".into(),
        };
        return Some((Ok(text.into()), listener));
    }
    let text = tokio::select! {
        // Handled by the next call.
        _ = listener.ending.changed() => String::new(),
        changed = listener.announced.changed() => {
            changed.ok()?;
            listener.announced.borrow_and_update().as_ref().map_or_else(String::new, event)
        }
        () = tokio::time::sleep(KEEP_ALIVE) => ":\n\n".into(),
    };
    Some((Ok(text.into()), listener))
}

/// Sets a random delay of some seconds after which the browser connects again.
fn come_back_later() -> String {
    let spread = RandomState::new().build_hasher().finish() % u64::from(SPREAD_MS);
    format!("retry: {}\n\n", u64::from(SOONEST_MS) + spread)
}

fn event(announcement: &Announcement) -> String {
    // Ids contain only letters, digits, '.', '_' and '-', so nothing has to be escaped.
    format!(
        "event: release\ndata: {{\"sequence\":{},\"build\":\"{}\"}}\n\n",
        announcement.sequence, announcement.build
    )
}
