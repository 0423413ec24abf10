//! `changeover serve`: a site over HTTP with retention, right caching and an event stream, and nothing else needed.

mod answer;
mod events;
mod names;
mod route;
mod view;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::sync::watch;

use self::events::Announcement;
use self::route::Route;
use self::view::Views;
use crate::error::{Error, Result};
use crate::site::Site;

/// How often the pointer file is looked at for the event stream. Requests look for themselves.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How long downloads may go on after the server was told to end.
const GRACE: Duration = Duration::from_millis(500);

/// What to serve and where.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    pub site: PathBuf,
    pub host: String,
    /// 0 takes any free port.
    pub port: u16,
}

/// A server that has its port and answers once [`Server::run`] is polled.
#[derive(Debug)]
pub struct Server {
    views: Arc<Views>,
    listener: TcpListener,
    address: SocketAddr,
    host: String,
}

impl Server {
    /// Reads the site and takes the port.
    ///
    /// Errors: `site-missing`, `site-not-a-folder`, `release-invalid`, `manifest-missing`, `manifest-invalid`,
    /// `host-unknown`, `port-in-use`, `port-forbidden`, `io`.
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
            host: options.host.clone(),
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the app is, with the base of the live build.
    pub fn url(&self) -> String {
        let host = match self.host.parse() {
            Ok(IpAddr::V6(ip)) => format!("[{ip}]"),
            _ => self.host.clone(),
        };
        format!(
            "http://{host}:{}{}",
            self.address.port(),
            self.views.current().base
        )
    }

    /// Whether a release was there when the server started.
    pub fn has_release(&self) -> bool {
        self.views.current().pointer.is_some()
    }

    /// Answers until `stop` resolves; then ends open streams at once and lets downloads finish for a moment.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let (announce, announced) = watch::channel(announcement(&self.views));
        let (end, ended) = watch::channel(false);
        let state = Shared {
            views: self.views.clone(),
            announced,
            ended: ended.clone(),
        };
        let watcher = tokio::spawn(watch_pointer(self.views, announce));
        let app = Router::new().fallback(answer).with_state(state);
        let mut told = ended.clone();
        let server = axum::serve(self.listener, app).with_graceful_shutdown(async move {
            let _ = told.wait_for(|ended| *ended).await;
        });
        tokio::spawn(async move {
            stop.await;
            let _ = end.send(true);
        });
        let mut told = ended;
        let result = tokio::select! {
            result = server => result,
            () = async move {
                let _ = told.wait_for(|ended| *ended).await;
                tokio::time::sleep(GRACE).await;
            } => Ok(()),
        };
        watcher.abort();
        result.map_err(|error| Error::new("io", format!("the server stopped: {error}")))
    }
}

#[derive(Clone)]
struct Shared {
    views: Arc<Views>,
    announced: watch::Receiver<Option<Announcement>>,
    ended: watch::Receiver<bool>,
}

async fn answer(State(shared): State<Shared>, request: Request) -> Response {
    match route::route(
        &shared.views,
        request.method(),
        request.uri(),
        request.headers(),
    )
    .await
    {
        Route::Answer(answer) => answer.into_response(),
        Route::Events => events::stream(shared.announced, shared.ended, request.method()),
    }
}

async fn watch_pointer(views: Arc<Views>, announce: watch::Sender<Option<Announcement>>) {
    let mut tick = tokio::time::interval(LOOK_EVERY);
    loop {
        tick.tick().await;
        let now = announcement(&views);
        announce.send_if_modified(|last| {
            let changed = *last != now;
            *last = now;
            changed
        });
    }
}

fn announcement(views: &Views) -> Option<Announcement> {
    views
        .current()
        .pointer
        .as_ref()
        .map(|pointer| Announcement {
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
