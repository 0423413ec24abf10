//! One tab of an origin leads: it polls for all tabs and holds the stream. The others listen.
//!
//! A tab requests leadership when it starts, and waits until it gets it. It gives up both when the page is hidden away, and
//! starts over when the page is shown again. Without locks every tab polls for itself, and holds no stream.

use alloc::{string::String, vec, vec::Vec};

use super::{
    io::{Effect, PeerMessage, WakeReason},
    poll_role::PollRole,
};
use crate::time::{Millis, Timestamp};

/// How many visible peers are remembered; one visible peer is enough to poll for.
const MOST_PEERS: usize = 64;

/// After so many unanswered questions a visible peer counts as gone: it may have crashed.
const PATIENCE: u32 = 3;

/// This tab's place among the tabs of its origin.
#[derive(Clone, Debug)]
pub struct Tabs {
    tab: String,
    interval: Millis,
    role: Role,
    visible: bool,
    /// Visible peers, with the questions they left unanswered.
    peers: Vec<(String, u32)>,
    next_beat: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// There are no locks: this tab polls for itself.
    Alone,
    Candidate,
    Leader,
    /// The page may be in the back/forward cache, where a held lock would harm the others.
    Away {
        alone: bool,
    },
}

impl Tabs {
    /// `tab`: a name that is unique among the tabs.
    pub fn new(tab: String, interval: Millis, locks: bool, visible: bool) -> Self {
        let role = Role::Away { alone: !locks };
        Self {
            tab,
            interval,
            role,
            visible,
            peers: Vec::new(),
            next_beat: None,
        }
    }

    /// The page was shown: at the start, or after it was hidden away.
    pub fn on_back(&mut self) -> Vec<Effect> {
        match self.role {
            Role::Away { alone: true } => {
                self.role = Role::Alone;
                Vec::new()
            }
            Role::Away { alone: false } => {
                self.role = Role::Candidate;
                let mut effects = vec![Effect::JoinElection];
                effects.extend(self.visible.then(|| self.tell_visibility()));
                effects
            }
            Role::Alone | Role::Candidate | Role::Leader => Vec::new(),
        }
    }

    /// The page is hidden away, and may come back.
    pub fn on_away(&mut self) -> Vec<Effect> {
        let effects = match self.role {
            Role::Candidate | Role::Leader => {
                let mut effects = Vec::new();
                if self.visible {
                    effects.push(tell(PeerMessage::Hidden {
                        tab: self.tab.clone(),
                    }));
                }
                effects.push(Effect::LeaveElection);
                effects
            }
            Role::Alone | Role::Away { .. } => Vec::new(),
        };
        self.role = Role::Away {
            alone: matches!(self.role, Role::Alone | Role::Away { alone: true }),
        };
        self.peers.clear();
        self.next_beat = None;
        effects
    }

    pub fn on_visible(&mut self, visible: bool) -> Option<Effect> {
        let changed = self.visible != visible;
        self.visible = visible;
        (changed && self.role == Role::Candidate).then(|| self.tell_visibility())
    }

    pub fn on_elected(&mut self, now: Timestamp) -> Vec<Effect> {
        match self.role {
            Role::Candidate => {
                self.role = Role::Leader;
                self.next_beat = Some(self.after_a_beat(now));
                vec![tell(PeerMessage::WhoIsVisible)]
            }
            // The answer to a request that was given up meanwhile.
            Role::Away { alone: false } => vec![Effect::LeaveElection],
            Role::Alone | Role::Leader | Role::Away { alone: true } => Vec::new(),
        }
    }

    pub fn on_deposed(&mut self) -> Vec<Effect> {
        match self.role {
            Role::Leader => {
                self.role = Role::Away { alone: false };
                self.peers.clear();
                self.next_beat = None;
                self.on_back()
            }
            Role::Alone | Role::Candidate | Role::Away { .. } => Vec::new(),
        }
    }

    /// A peer asks who is visible, or answers.
    pub fn on_peer(&mut self, message: &PeerMessage) -> Option<Effect> {
        match message {
            PeerMessage::WhoIsVisible => {
                let answers = self.visible && self.role == Role::Candidate;
                answers.then(|| self.tell_visibility())
            }
            PeerMessage::Visible { tab } => {
                let full = self.peers.len() >= MOST_PEERS;
                match self.peers.iter_mut().find(|(peer, _)| peer == tab) {
                    Some((_, unanswered)) => *unanswered = 0,
                    None if !full => self.peers.push((tab.clone(), 0)),
                    None => {}
                }
                None
            }
            PeerMessage::Hidden { tab } => {
                self.peers.retain(|(peer, _)| peer != tab);
                None
            }
            PeerMessage::Checked { .. } => None,
        }
    }

    /// A check is over: the leader tells the others, which need not check themselves.
    pub fn on_look_over(&mut self, sequence: Option<u64>, now: Timestamp) -> Option<Effect> {
        (self.role == Role::Leader).then(|| {
            self.next_beat = Some(self.after_a_beat(now));
            tell(PeerMessage::Checked { sequence })
        })
    }

    /// A sign of life of the leader, after an interval without messages.
    pub fn poll(&mut self, sequence: Option<u64>, now: Timestamp) -> Vec<Effect> {
        if self.poll_role() != PollRole::Lead || self.next_beat.is_none_or(|beat| now < beat) {
            return Vec::new();
        }
        self.next_beat = Some(self.after_a_beat(now));
        let mut effects = vec![tell(PeerMessage::Checked { sequence })];
        if !self.visible {
            effects.push(tell(PeerMessage::WhoIsVisible));
            self.peers.retain_mut(|(_, unanswered)| {
                *unanswered += 1;
                *unanswered <= PATIENCE
            });
        }
        effects
    }

    pub fn next(&self) -> Option<(Timestamp, WakeReason)> {
        self.next_beat
            .filter(|_| self.poll_role() == PollRole::Lead)
            .map(|beat| (beat, WakeReason::Beat))
    }

    pub fn poll_role(&self) -> PollRole {
        match self.role {
            Role::Leader if self.visible || !self.peers.is_empty() => PollRole::Lead,
            Role::Alone if self.visible => PollRole::Lead,
            Role::Candidate if self.visible => PollRole::Follow,
            Role::Leader | Role::Alone | Role::Candidate | Role::Away { .. } => PollRole::Rest,
        }
    }

    pub fn is_leader(&self) -> bool {
        self.role == Role::Leader
    }

    pub fn is_away(&self) -> bool {
        matches!(self.role, Role::Away { .. })
    }

    /// Whether this tab may hold the event stream. Tabs that cannot agree on one hold none: over HTTP/1.1 a browser has six
    /// connections to a host, and a stream in each tab would leave none for the app.
    pub fn may_stream(&self) -> bool {
        self.role == Role::Leader
    }

    pub fn is_visible(&self) -> bool {
        self.visible
    }

    fn tell_visibility(&self) -> Effect {
        let tab = self.tab.clone();
        tell(if self.visible {
            PeerMessage::Visible { tab }
        } else {
            PeerMessage::Hidden { tab }
        })
    }

    fn after_a_beat(&self, now: Timestamp) -> Timestamp {
        Timestamp(now.0.saturating_add(self.interval))
    }
}

fn tell(message: PeerMessage) -> Effect {
    Effect::TellPeers { message }
}
