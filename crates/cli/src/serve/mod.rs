//! `changeover serve`: serves a site over HTTP, with retained builds, correct caching and an event stream.
//!
//! `listen` accepts and ends connections. `route` finds the file for a request in the current snapshot (`snapshots`,
//! `snapshot`), `cache` provides its bytes in the coding that the client prefers, and `response` makes the response.

mod arriving;
mod cache;
mod coding;
mod connection;
mod events;
mod hashed_names;
mod listen;
pub mod range;
mod representation;
mod response;
mod route;
mod snapshot;
mod snapshots;
mod stamp;
mod unready;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{HOST, HeaderMap};
use hyper::{Request, Response, Version};
use tokio::net::TcpListener;
use tokio::sync::watch;

pub use self::listen::{Ending, Limits};

use self::connection::{Connection, Doing};
use self::events::Announcement;
use self::listen::Responder;
use self::response::Body;
use self::route::{Route, Routes};
use self::snapshot::Snapshot;
use self::snapshots::Snapshots;
use crate::error::{Error, Result};
use crate::site::Site;

/// How often the pointer file is checked for the event stream. Requests check it themselves.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Every tenth check of the pointer includes the history.
const HISTORY_EVERY: u32 = 10;

/// What to serve and where.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    pub site: PathBuf,
    pub host: String,
    /// 0 takes any free port.
    pub port: u16,
    /// How long downloads may continue after the server was told to end.
    pub drain: Duration,
    pub limits: Limits,
}

/// A server that has its port. It responds once [`Server::run`] is polled.
#[derive(Debug)]
pub struct Server {
    snapshots: Arc<Snapshots>,
    listener: TcpListener,
    address: SocketAddr,
    options: ServeOptions,
}

impl Server {
    /// Reads the site and binds the port.
    ///
    /// Errors: `site-missing`, `site-not-a-folder`, `release-invalid`, `manifest-invalid`, `host-unknown`,
    /// `port-in-use`, `port-forbidden`, `io`.
    pub async fn bind(options: &ServeOptions) -> Result<Self> {
        let snapshots = Arc::new(Snapshots::new(Site::open(&options.site)?)?);
        let listener = TcpListener::bind((options.host.as_str(), options.port))
            .await
            .map_err(|error| refused(options, &error))?;
        let address = listener
            .local_addr()
            .map_err(|error| refused(options, &error))?;
        Ok(Self {
            snapshots,
            listener,
            address,
            options: options.clone(),
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of the app, with the base of the live build.
    pub fn url(&self) -> String {
        let host = &self.options.host;
        let host = match host.parse() {
            Ok(IpAddr::V6(ip)) => format!("[{ip}]"),
            _ => host.clone(),
        };
        format!(
            "http://{host}:{}{}",
            self.address.port(),
            self.snapshots.last().base
        )
    }

    /// Whether there is a release to serve.
    pub fn has_release(&self) -> bool {
        self.snapshots.last().pointer.is_some()
    }

    /// Whether there is a release on disk that is not complete yet.
    pub fn waits_for_release(&self) -> bool {
        !self.has_release() && self.snapshots.site().pointer().exists()
    }

    /// Responds until `ending` changes; then ends open streams at once and lets downloads finish for a while.
    pub async fn run(self, ending: watch::Receiver<Ending>) {
        let (announce, announced) = watch::channel(announcement(&self.snapshots.last()));
        let watcher = tokio::spawn(watch_pointer(self.snapshots.clone(), announce));
        let responder = Arc::new(Live {
            routes: Routes::new(self.snapshots),
            announced,
            ending: ending.clone(),
        });
        let ServeOptions { limits, drain, .. } = self.options;
        listen::serve(self.listener, responder, limits, ending, drain).await;
        watcher.abort();
    }
}

/// What responses are made from.
struct Live {
    routes: Routes,
    announced: watch::Receiver<Option<Announcement>>,
    ending: watch::Receiver<Ending>,
}

impl Responder for Live {
    async fn respond(&self, request: Request<Incoming>, connection: &Connection) -> Response<Body> {
        if !has_one_host(request.version(), request.headers()) {
            return response::bad_request("400: a request has exactly one Host header");
        }
        let route = self
            .routes
            .route(request.method(), request.uri(), request.headers());
        match route.await {
            Route::Response(response) => response,
            Route::Events => {
                connection.does(Doing::Streaming);
                let (announced, ending) = (self.announced.clone(), self.ending.clone());
                events::stream(announced, ending, request.method())
            }
        }
    }
}

/// RFC 9112, 3.2. A proxy must not see another host than this server.
fn has_one_host(version: Version, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().is_ok_and(|host| {
            host.is_empty() || host.parse::<hyper::http::uri::Authority>().is_ok()
        }),
        (None, _) => version < Version::HTTP_11,
        (Some(_), Some(_)) => false,
    }
}

async fn watch_pointer(snapshots: Arc<Snapshots>, announce: watch::Sender<Option<Announcement>>) {
    let mut tick = tokio::time::interval(LOOK_EVERY);
    let mut looks = 0;
    loop {
        tick.tick().await;
        looks = (looks + 1) % HISTORY_EVERY;
        let snapshot = if looks == 0 {
            snapshots.follow().await
        } else {
            snapshots.current().await
        };
        let now = announcement(&snapshot);
        announce.send_if_modified(|last| {
            let changed = *last != now;
            *last = now;
            changed
        });
    }
}

fn announcement(snapshot: &Snapshot) -> Option<Announcement> {
    snapshot.pointer.as_ref().map(|pointer| Announcement {
        sequence: pointer.release.sequence,
        build: pointer.release.build.id.0.clone(),
    })
}

fn refused(options: &ServeOptions, error: &std::io::Error) -> Error {
    let (host, port) = (&options.host, options.port);
    match error.kind() {
        std::io::ErrorKind::AddrInUse => Error::new(
            "port-in-use",
            format!(
                "port {port} of {host} is used by another program; choose another with --port, or --port 0 for any free one"
            ),
        ),
        std::io::ErrorKind::PermissionDenied => Error::new(
            "port-forbidden",
            format!("this user may not open port {port}; choose one above 1023 with --port"),
        ),
        std::io::ErrorKind::AddrNotAvailable => Error::new(
            "host-unknown",
            format!(
                "{host} is not an address of this machine; use --host 127.0.0.1 or --host 0.0.0.0"
            ),
        ),
        _ => Error::new(
            "host-unknown",
            format!("cannot listen on {host} port {port}: {error}"),
        ),
    }
}
