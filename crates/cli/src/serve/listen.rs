//! Connections: how many at once, how long they may take, and how they end.
//!
//! No error ends the loop that accepts connections. When all places are taken, one is freed: that of the connection
//! that has been idle longest, else of the oldest event stream, else of a very long download.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::task::TaskTracker;

use super::connection::{Answered, Connection, Doing, Watched};
use super::response::Body;

/// The limit for the head of a request, including cookies.
const LARGEST_HEAD: usize = 64 * 1024;

/// How often the server checks whether a connection that should end has finished.
const ASK_EVERY: Duration = Duration::from_millis(200);

/// A connection that is younger than this has probably sent its first request.
const JUST_NOW: Duration = Duration::from_secs(1);

/// The delay before the server tries again to accept a connection that the system refused.
const PAUSE: Duration = Duration::from_millis(50);

/// A warning is printed again when its cause was absent for this long.
const REPEAT_AFTER: Duration = Duration::from_secs(60);

/// Open files that are no connections: the runtime, the standard streams, files of the site.
const OTHER_FILES: u64 = 32;

/// Enough for a busy site, and a small machine has memory for all of them.
const MOST_CONNECTIONS: u64 = 16_384;

/// The limits for connections.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The number of connections at once. `None` derives it from the number of files that the process may open.
    pub connections: Option<usize>,
    /// The time for the whole head of a request, and for the next request on a kept connection.
    pub request: Duration,
    /// The time within which the client must read some of the data that waits for it.
    pub taking: Duration,
    /// The age at which a response may be ended to make room for another connection.
    pub long_response: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: None,
            request: Duration::from_secs(20),
            taking: Duration::from_secs(30),
            long_response: Duration::from_secs(60),
        }
    }
}

/// Responds to requests.
pub trait Responder: Send + Sync + 'static {
    fn respond(
        &self,
        request: Request<Incoming>,
        connection: &Connection,
    ) -> impl Future<Output = Response<Body>> + Send;
}

/// The stages of shutting down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    #[default]
    NotYet,
    /// Responses that have begun are finished.
    Draining,
    AtOnce,
}

/// Accepts connections until `ending` changes, then lets responses finish for at most `drain`.
pub async fn serve<R: Responder>(
    listener: TcpListener,
    responder: Arc<R>,
    limits: Limits,
    mut ending: watch::Receiver<Ending>,
    drain: Duration,
) {
    let most = places(limits.connections);
    let open = Arc::new(Open {
        places: Arc::new(Semaphore::new(most)),
        connections: Mutex::new(HashMap::new()),
        long_response: limits.long_response,
    });
    let tasks = TaskTracker::new();
    let mut ended = ending.clone();
    let accepting = async {
        let mut warnings = Warnings::default();
        let mut number = 0;
        loop {
            let (stream, _) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) if is_of_one_connection(&error) => continue,
                Err(error) => {
                    warnings.cannot_accept(&error);
                    open.make_room();
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            let place = open.place(most, &mut warnings).await;
            number += 1;
            let member = open.enter(number, place);
            let one = one(
                stream,
                responder.clone(),
                member,
                limits.clone(),
                ending.clone(),
            );
            tasks.spawn(one);
        }
    };
    tokio::select! {
        () = accepting => {}
        _ = ended.wait_for(|ending| *ending != Ending::NotYet) => {}
    }
    // New clients are refused immediately, so that they try another server.
    drop(listener);
    tasks.close();
    tokio::select! {
        () = tasks.wait() => {}
        () = tokio::time::sleep(drain) => {}
        _ = ending.wait_for(|ending| *ending == Ending::AtOnce) => {}
    }
}

async fn one<R: Responder>(
    stream: TcpStream,
    responder: Arc<R>,
    member: Member,
    limits: Limits,
    mut ending: watch::Receiver<Ending>,
) {
    // A small response must not wait for the client to acknowledge the one before.
    let _ = stream.set_nodelay(true);
    let connection = member.connection.clone();
    let service = service_fn(|request| {
        let (responder, connection) = (responder.clone(), connection.clone());
        async move {
            connection.does(Doing::Answering);
            let response = responder.respond(request, &connection).await;
            Ok::<_, std::convert::Infallible>(response.map(|body| Answered::new(body, connection)))
        }
    });
    let stream = Watched::new(stream, connection.clone(), limits.taking);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.request)
        .max_buf_size(LARGEST_HEAD);
    let mut serving = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        _ = serving.as_mut() => return,
        () = connection.ended.notified() => return,
        _ = ending.wait_for(|ending| *ending != Ending::NotYet) => {}
    }
    serving.as_mut().graceful_shutdown();
    loop {
        tokio::select! {
            _ = serving.as_mut() => return,
            () = connection.ended.notified() => return,
            () = tokio::time::sleep(ASK_EVERY) => {
                // The server does not wait for the rest of a request.
                if connection.doing() == Doing::Waiting {
                    return;
                }
            }
        }
    }
}

/// The connections that are open.
#[derive(Debug)]
struct Open {
    places: Arc<Semaphore>,
    connections: Mutex<HashMap<u64, Arc<Connection>>>,
    long_response: Duration,
}

impl Open {
    /// Waits for a place, and frees one if possible.
    async fn place(&self, most: usize, warnings: &mut Warnings) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            return Some(place);
        }
        loop {
            if !self.make_room() {
                warnings.is_full(most);
            }
            let free = self.places.clone().acquire_owned();
            if let Ok(place) = tokio::time::timeout(PAUSE, free).await {
                return place.ok();
            }
        }
    }

    /// Ends the connection that matters least. Returns `false` when all of them are responding.
    fn make_room(&self) -> bool {
        let now = Instant::now();
        let connections = self
            .connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let least = connections
            .values()
            .filter_map(|connection| {
                let since = connection.since();
                let age = now.duration_since(since);
                let rank = match connection.doing() {
                    Doing::Waiting if age >= JUST_NOW => 0,
                    Doing::Streaming => 1,
                    Doing::Waiting => 2,
                    Doing::Answering if age >= self.long_response => 3,
                    Doing::Answering => return None,
                };
                Some((rank, since, connection))
            })
            .min_by_key(|(rank, since, _)| (*rank, *since));
        if let Some((_, _, connection)) = least {
            connection.ended.notify_one();
        }
        least.is_some()
    }

    fn enter(self: &Arc<Self>, number: u64, place: Option<OwnedSemaphorePermit>) -> Member {
        let connection = Arc::new(Connection::new());
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(number, connection.clone());
        Member {
            open: self.clone(),
            number,
            connection,
            _place: place,
        }
    }
}

/// The entry of an open connection, which is removed on drop.
struct Member {
    open: Arc<Open>,
    number: u64,
    connection: Arc<Connection>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Drop for Member {
    fn drop(&mut self) {
        self.open
            .connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.number);
    }
}

/// When each warning was last caused, so that it is printed once and not for every connection.
#[derive(Default)]
struct Warnings {
    cannot_accept: Option<Instant>,
    is_full: Option<Instant>,
}

impl Warnings {
    fn cannot_accept(&mut self, error: &io::Error) {
        if is_due(&mut self.cannot_accept) {
            eprintln!(
                "warning: no connection can be accepted now: {error}; the server goes on trying (raise the limit with `ulimit -n`, or lower --max-connections)"
            );
        }
    }

    fn is_full(&mut self, most: usize) {
        if is_due(&mut self.is_full) {
            eprintln!(
                "warning: all {most} connections are at work, so others wait (see --max-connections)"
            );
        }
    }
}

fn is_due(last: &mut Option<Instant>) -> bool {
    let now = Instant::now();
    last.replace(now)
        .is_none_or(|last| now.duration_since(last) > REPEAT_AFTER)
}

/// Errors that only concern one client, which closed its connection before it was accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

/// The number of connections: each needs a socket and may read a file.
fn places(wanted: Option<usize>) -> usize {
    let wanted_files = wanted.map_or(MOST_CONNECTIONS, |wanted| wanted as u64) * 2 + OTHER_FILES;
    let files = may_open(wanted_files).unwrap_or(wanted_files);
    let fitting = files.saturating_sub(OTHER_FILES) / 2;
    wanted.unwrap_or_else(|| fitting.clamp(4, MOST_CONNECTIONS) as usize)
}

/// The number of files that the process may open, after asking the system for `wanted`.
#[cfg(unix)]
fn may_open(wanted: u64) -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let now = limit.current.unwrap_or(u64::MAX);
    let raised = wanted.min(limit.maximum.unwrap_or(u64::MAX));
    if raised <= now {
        return Some(now);
    }
    let asked = Rlimit {
        current: Some(raised),
        maximum: limit.maximum,
    };
    Some(setrlimit(Resource::Nofile, asked).map_or(now, |()| raised))
}

#[cfg(not(unix))]
fn may_open(_: u64) -> Option<u64> {
    None
}
