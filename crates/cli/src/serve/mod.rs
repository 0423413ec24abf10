//! `changeover serve`: a site over HTTP with retention, right caching and an event stream, and nothing else needed.
//!
//! `listen` accepts connections and ends them, `route` finds what a request asks for in the current view (`views`,
//! `view`), `cache` has its bytes in the coding that the client likes best, `answer` writes the answer.

mod answer;
mod arriving;
mod cache;
mod coding;
mod connection;
mod events;
mod listen;
mod names;
pub mod range;
mod representation;
mod route;
mod stamp;
mod unready;
mod view;
mod views;

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

use self::answer::Body;
use self::connection::{Connection, Doing};
use self::events::Announcement;
use self::listen::Answers;
use self::route::{Route, Routes};
use self::view::View;
use self::views::Views;
use crate::error::{Error, Result};
use crate::site::Site;

/// How often the pointer file is looked at for the event stream. Requests look for themselves.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Of so many looks at the pointer one is at the history too.
const HISTORY_EVERY: u32 = 10;

/// What to serve and where.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    pub site: PathBuf,
    pub host: String,
    /// 0 takes any free port.
    pub port: u16,
    /// How long downloads may go on after the server was told to end.
    pub drain: Duration,
    pub limits: Limits,
}

/// A server that has its port and answers once [`Server::run`] is polled.
#[derive(Debug)]
pub struct Server {
    views: Arc<Views>,
    listener: TcpListener,
    address: SocketAddr,
    options: ServeOptions,
}

impl Server {
    /// Reads the site and takes the port.
    ///
    /// Errors: `site-missing`, `site-not-a-folder`, `release-invalid`, `manifest-invalid`, `host-unknown`,
    /// `port-in-use`, `port-forbidden`, `io`.
    pub async fn bind(options: &ServeOptions) -> Result<Self> {
        let views = Arc::new(Views::new(Site::open(&options.site)?)?);
        let listener = TcpListener::bind((options.host.as_str(), options.port))
            .await
            .map_err(|error| refused(options, &error))?;
        let address = listener
            .local_addr()
            .map_err(|error| refused(options, &error))?;
        Ok(Self {
            views,
            listener,
            address,
            options: options.clone(),
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the app is, with the base of the live build.
    pub fn url(&self) -> String {
        let host = &self.options.host;
        let host = match host.parse() {
            Ok(IpAddr::V6(ip)) => format!("[{ip}]"),
            _ => host.clone(),
        };
        format!(
            "http://{host}:{}{}",
            self.address.port(),
            self.views.last().base
        )
    }

    /// Whether a release was there when the server started.
    pub fn has_release(&self) -> bool {
        self.views.last().pointer.is_some()
    }

    /// Whether there is one on disk that is not complete yet.
    pub fn waits_for_release(&self) -> bool {
        !self.has_release() && self.views.site().pointer().exists()
    }

    /// Answers until `ending` says otherwise; then ends open streams at once and lets downloads finish for a while.
    pub async fn run(self, ending: watch::Receiver<Ending>) {
        let (announce, announced) = watch::channel(announcement(&self.views.last()));
        let watcher = tokio::spawn(watch_pointer(self.views.clone(), announce));
        let answers = Arc::new(Live {
            routes: Routes::new(self.views),
            announced,
            ending: ending.clone(),
        });
        let ServeOptions { limits, drain, .. } = self.options;
        listen::serve(self.listener, answers, limits, ending, drain).await;
        watcher.abort();
    }
}

/// Everything that answers follow from.
struct Live {
    routes: Routes,
    announced: watch::Receiver<Option<Announcement>>,
    ending: watch::Receiver<Ending>,
}

impl Answers for Live {
    async fn answer(&self, request: Request<Incoming>, connection: &Connection) -> Response<Body> {
        if !has_one_host(request.version(), request.headers()) {
            return answer::bad_request("400: a request has exactly one Host header");
        }
        let route = self
            .routes
            .route(request.method(), request.uri(), request.headers());
        match route.await {
            Route::Answer(answer) => answer,
            Route::Events => {
                connection.does(Doing::Streaming);
                let (announced, ending) = (self.announced.clone(), self.ending.clone());
                events::stream(announced, ending, request.method())
            }
        }
    }
}

/// RFC 9112, 3.2. Proxies in front must not see another host than we do.
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

async fn watch_pointer(views: Arc<Views>, announce: watch::Sender<Option<Announcement>>) {
    let mut tick = tokio::time::interval(LOOK_EVERY);
    let mut looks = 0;
    loop {
        tick.tick().await;
        looks = (looks + 1) % HISTORY_EVERY;
        let view = if looks == 0 {
            views.follow().await
        } else {
            views.current().await
        };
        let now = announcement(&view);
        announce.send_if_modified(|last| {
            let changed = *last != now;
            *last = now;
            changed
        });
    }
}

fn announcement(view: &View) -> Option<Announcement> {
    view.pointer.as_ref().map(|pointer| Announcement {
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
