//! The requests of `verify`. Bodies are hashed while they arrive, and all requests end by the deadline.

use std::io::Read;
use std::time::{Duration, Instant};

use super::Findings;
use crate::hash::Fingerprint;

/// The limit for one response, from connecting to its last byte.
pub const PER_REQUEST: Duration = Duration::from_secs(60);

/// The limit until a response begins. A slower server is of no use to a page either.
const FIRST_BYTE: Duration = Duration::from_secs(20);

/// Makes requests until the deadline.
pub struct Fetcher {
    agent: ureq::Agent,
    start: Instant,
    deadline: Duration,
}

/// The result of a request.
pub enum Fetched {
    Body {
        measured: Fingerprint,
        /// Empty when only the hash was wanted.
        bytes: Vec<u8>,
        html: bool,
    },
    Status(u16),
    Unreachable(String),
    /// There was no time left for the request.
    Late,
}

impl Fetcher {
    pub fn new(deadline: Duration) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_recv_response(Some(FIRST_BYTE))
            .timeout_connect(Some(FIRST_BYTE))
            .user_agent(concat!("changeover/", env!("CARGO_PKG_VERSION")))
            .build()
            .into();
        Self {
            agent,
            start: Instant::now(),
            deadline,
        }
    }

    pub fn deadline(&self) -> Duration {
        self.deadline
    }

    pub fn is_over(&self) -> bool {
        self.start.elapsed() >= self.deadline
    }

    /// Reads and keeps at most `limit` bytes of the body.
    pub fn fetch_whole(&self, url: &str, limit: u64) -> Fetched {
        self.fetch(url, limit, |body| {
            let mut bytes = Vec::new();
            body.read_to_end(&mut bytes)?;
            Ok((Fingerprint::of(&bytes), bytes))
        })
    }

    /// Hashes at most `limit` bytes of the body with the algorithm of `integrity`, without keeping them.
    pub fn fetch_hash(&self, url: &str, limit: u64, integrity: &str) -> Fetched {
        self.fetch(url, limit, |body| {
            Ok((Fingerprint::like(integrity, body)?, Vec::new()))
        })
    }

    fn fetch(
        &self,
        url: &str,
        limit: u64,
        read: impl FnOnce(&mut dyn Read) -> std::io::Result<(Fingerprint, Vec<u8>)>,
    ) -> Fetched {
        let left = self.deadline.saturating_sub(self.start.elapsed());
        if left.is_zero() {
            return Fetched::Late;
        }
        let request = self
            .agent
            .get(url)
            .config()
            .timeout_global(Some(left.min(PER_REQUEST)))
            .build()
            .header("cache-control", "no-cache");
        let mut response = match request.call() {
            Ok(response) => response,
            Err(error) => return Fetched::Unreachable(error.to_string()),
        };
        if response.status() != 200 {
            return Fetched::Status(response.status().as_u16());
        }
        let html = response
            .headers()
            .get("content-type")
            .and_then(|kind| kind.to_str().ok())
            .is_some_and(|kind| kind.starts_with("text/html"));
        match read(&mut response.body_mut().as_reader().take(limit)) {
            Ok((measured, bytes)) => Fetched::Body {
                measured,
                bytes,
                html,
            },
            Err(error) => Fetched::Unreachable(error.to_string()),
        }
    }
}

impl Findings {
    /// Adds a fault for a request that brought no body. Its code begins with `prefix`.
    pub(super) fn unfetched(&mut self, prefix: &str, url: &str, fetched: &Fetched) {
        match fetched {
            Fetched::Status(404 | 410) => self.fault(
                &format!("{prefix}missing"),
                url,
                format!("{url} is missing"),
            ),
            Fetched::Status(status) => self.fault(
                &format!("{prefix}http-status"),
                url,
                format!("{url} answers with status {status} instead of 200"),
            ),
            Fetched::Unreachable(why) => self.fault(
                &format!("{prefix}unreachable"),
                url,
                format!("{url} cannot be fetched: {why}"),
            ),
            Fetched::Late => self.fault(
                &format!("{prefix}deadline"),
                url,
                format!(
                    "there was no time left to ask for {url}; --deadline gives the check more time"
                ),
            ),
            Fetched::Body { .. } => {}
        }
    }
}
