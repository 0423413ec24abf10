//! The event stream: opened when its URL is known and this tab may hold it, reopened after growing pauses.

use alloc::string::String;

use super::{io::WakeReason, status::StreamState};
use crate::{
    rng::Rng,
    time::{Millis, Timestamp},
};

/// Time limit for a connection to open.
const CONNECT_TIMEOUT: Millis = 30_000;

/// A connection that lasted this long was good: the next failure counts as the first.
const HEALTHY: Millis = 30_000;

/// Longest pause between two attempts; polling goes on meanwhile.
const LONGEST_PAUSE: Millis = 5 * 60 * 1_000;

/// The base of the pause between attempts, doubled each time.
const PAUSE: Millis = 1_000;

/// Decides when the stream opens and closes.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    url: Option<String>,
    allowed: bool,
    state: State,
    attempts: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Off,
    Connecting {
        since: Timestamp,
    },
    Open {
        since: Timestamp,
    },
    Waiting {
        until: Timestamp,
    },
}

/// What the guard has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Open { url: String },
    Close,
}

impl Stream {
    /// A response named the URL of the stream, or named none.
    pub fn on_url(&mut self, url: Option<String>) {
        // An open stream stays open when a response does not name it: replicas may differ.
        if url.is_some() || !self.is_open() {
            self.url = url;
        }
    }

    /// Whether this tab may hold the stream for its origin.
    pub fn on_allowed(&mut self, allowed: bool) {
        self.allowed = allowed;
    }

    pub fn on_opened(&mut self, now: Timestamp) {
        if let State::Connecting { .. } = self.state {
            self.state = State::Open { since: now };
        }
    }

    pub fn on_closed(&mut self, now: Timestamp, rng: &mut Rng) {
        match self.state {
            State::Connecting { .. } => self.pause(now, rng),
            State::Open { since } => {
                if now.0.saturating_sub(since.0) >= HEALTHY {
                    self.attempts = 0;
                }
                self.pause(now, rng);
            }
            State::Off | State::Waiting { .. } => {}
        }
    }

    /// The network is back: the pause ends early.
    pub fn on_online(&mut self, now: Timestamp, rng: &mut Rng) {
        if let State::Waiting { until } = self.state {
            let soon = Timestamp(now.0 + rng.at_most(PAUSE));
            self.state = State::Waiting {
                until: until.min(soon),
            };
        }
    }

    /// Returns the next step that is due. It is called until it returns `None`.
    pub fn poll(&mut self, now: Timestamp, rng: &mut Rng) -> Option<Step> {
        let url = self.url.clone().filter(|_| self.allowed);
        match (self.state, url) {
            (State::Off, None) => None,
            (State::Waiting { .. }, None) => {
                self.state = State::Off;
                None
            }
            (State::Connecting { .. } | State::Open { .. }, None) => {
                self.state = State::Off;
                Some(Step::Close)
            }
            (State::Off, Some(url)) => Some(self.open(url, now)),
            (State::Waiting { until }, Some(url)) if until <= now => Some(self.open(url, now)),
            (State::Connecting { since }, Some(_))
                if now.0 >= since.0.saturating_add(CONNECT_TIMEOUT) =>
            {
                self.pause(now, rng);
                Some(Step::Close)
            }
            (State::Waiting { .. } | State::Connecting { .. } | State::Open { .. }, Some(_)) => {
                None
            }
        }
    }

    pub fn next(&self) -> Option<(Timestamp, WakeReason)> {
        match self.state {
            State::Off | State::Open { .. } => None,
            State::Connecting { since } => Some((
                Timestamp(since.0.saturating_add(CONNECT_TIMEOUT)),
                WakeReason::Timeout,
            )),
            State::Waiting { until } => Some((until, WakeReason::StreamReconnect)),
        }
    }

    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open { .. })
    }

    pub fn state(&self) -> StreamState {
        match self.state {
            State::Off => StreamState::Off,
            State::Connecting { .. } => StreamState::Connecting,
            State::Open { .. } => StreamState::Open,
            State::Waiting { .. } => StreamState::Waiting,
        }
    }

    fn open(&mut self, url: String, now: Timestamp) -> Step {
        self.state = State::Connecting { since: now };
        Step::Open { url }
    }

    fn pause(&mut self, now: Timestamp, rng: &mut Rng) {
        self.attempts = self.attempts.saturating_add(1);
        let pause = rng.backed_off(PAUSE, self.attempts, LONGEST_PAUSE);
        self.state = State::Waiting {
            until: Timestamp(now.0 + pause),
        };
    }
}
