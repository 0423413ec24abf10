//! When to look at the release.
//!
//! A look is wanted by the regular schedule, by a wish (the page came back, the app asked) or by a hint. At most
//! one is in flight. Its answer sets the next regular look: one interval on, give or take, or a back-off after a
//! failure. A look that is never answered ends by itself.

use super::{duty::Duty, io::WakeReason};
use crate::{
    ids::BuildId,
    rng::Rng,
    time::{Millis, Timestamp},
};

/// A request that takes longer has failed, whatever the driver says later.
pub const LOOK_TIMEOUT: Millis = 15_000;

/// Least time between two regular looks.
pub const LEAST_INTERVAL: Millis = 1_000;

/// A look that is younger answers a glance as well, and so does the look of the same burst of wake-ups.
const YOUNG: Millis = 2_000;

/// The same for an app that asks outright: it may just have published.
const JUST_NOW: Millis = 250;

/// How much rarer the looks are while a healthy stream tells the news.
const STREAM_FACTOR: u64 = 5;

/// Longest back-off: a server that was down for a night is met again within half an hour of its return.
const LONGEST_BACKOFF: Millis = 30 * 60 * 1_000;

/// The most that a server may ask for with `Retry-After`.
const LONGEST_RETRY_AFTER: Millis = 24 * 60 * 60 * 1_000;

/// All tabs of all browsers hear a hint at the same instant; this spreads their looks and still feels prompt.
const HINT_SPREAD: Millis = 300;

/// How many looks a hint is worth that nothing confirms.
const HINT_LOOKS: u32 = 4;

/// A hint that was looked for in vain is not heard again for so long.
const DISTRUST: Millis = 10 * 60 * 1_000;

/// Longest pause between looks for hints that nothing confirms.
const LONGEST_DOUBT: Millis = 60_000;

/// Decides when to look.
#[derive(Clone, Debug)]
pub struct Watch {
    interval: Millis,
    duty: Duty,
    stream_open: bool,
    regular: Option<(Timestamp, WakeReason)>,
    wish: Option<Wanted>,
    hint: Option<Hint>,
    chunk: Option<Hint>,
    in_flight: Option<Timestamp>,
    last_started: Option<Timestamp>,
    last_return: Option<Timestamp>,
    /// When this tab last knew how things stand, by itself or from the leader.
    fresh: Option<Timestamp>,
    failures: u32,
    blocked_until: Option<Timestamp>,
    /// The look in flight is for a hint.
    hinted: bool,
    /// Hinted looks in a row that confirmed nothing.
    doubts: u32,
    /// The last hint that was looked for in vain, and when it was given up.
    disproved: Option<(Hinted, Timestamp)>,
}

/// Why a look is wanted now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    Start,
    /// The user turned to the page.
    Glance,
    /// The page or the network was away: whatever was known is stale.
    Return,
    /// The app asks.
    Check,
    /// A chunk failed.
    Chunk,
}

/// What the guard has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Look,
    /// The look in flight was given up.
    TimedOut,
}

/// How a look ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Read,
    Failed { retry_after: Option<Millis> },
}

#[derive(Clone, Copy, Debug)]
struct Wanted {
    at: Timestamp,
    /// Goes ahead although the server asked for a pause.
    insists: bool,
    /// Is worth a look of its own even when the one before it fails.
    stands: bool,
}

/// What a hint says is there.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Hinted {
    sequence: Option<u64>,
    build: Option<BuildId>,
}

#[derive(Clone, Debug)]
struct Hint {
    what: Hinted,
    heard: Timestamp,
    spent: u32,
    next: Option<Timestamp>,
}

impl Watch {
    pub fn new(interval: Millis) -> Self {
        Self {
            interval: interval.max(LEAST_INTERVAL),
            duty: Duty::Rest,
            stream_open: false,
            regular: None,
            wish: None,
            hint: None,
            chunk: None,
            in_flight: None,
            last_started: None,
            last_return: None,
            fresh: None,
            failures: 0,
            blocked_until: None,
            hinted: false,
            doubts: 0,
            disproved: None,
        }
    }

    pub fn interval(&self) -> Millis {
        self.interval
    }

    pub fn failures(&self) -> u32 {
        self.failures
    }

    pub fn is_looking(&self) -> bool {
        self.in_flight.is_some()
    }

    pub fn on_duty(&mut self, duty: Duty, now: Timestamp, rng: &mut Rng) {
        if self.duty != duty {
            self.duty = duty;
            self.schedule(now, rng);
        }
    }

    pub fn on_stream(&mut self, open: bool, now: Timestamp, rng: &mut Rng) {
        if self.stream_open != open {
            self.stream_open = open;
            self.schedule(now, rng);
        }
    }

    pub fn on_wish(&mut self, wish: Wish, now: Timestamp) {
        let since = |moment: Option<Timestamp>| moment.map(|moment| now.0.saturating_sub(moment.0));
        let started = since(self.last_started).unwrap_or(Millis::MAX);
        let enough = match wish {
            Wish::Start => false,
            // Looks for a chunk that nothing explains are under way, or were in vain.
            Wish::Chunk
                if self
                    .chunk
                    .as_ref()
                    .is_some_and(|hint| now.0 < hint.heard.0.saturating_add(LONGEST_DOUBT)) =>
            {
                true
            }
            Wish::Glance | Wish::Chunk => {
                // A file is gone: the deploy that took it may have ended a moment ago.
                let young = match wish {
                    Wish::Chunk => JUST_NOW,
                    Wish::Start | Wish::Glance | Wish::Return | Wish::Check => YOUNG,
                };
                let known = since(self.fresh).is_some_and(|age| age < young);
                known || started < young || self.in_flight.is_some()
            }
            Wish::Return => {
                let burst = since(self.last_return).is_some_and(|age| age < YOUNG);
                burst && (self.failures == 0 || self.in_flight.is_some())
            }
            Wish::Check => started < JUST_NOW,
        };
        if enough {
            return;
        }
        if wish == Wish::Return {
            self.last_return = Some(now);
        }
        let insists = wish == Wish::Check || self.wish.is_some_and(|wish| wish.insists);
        let stands = wish != Wish::Check || self.wish.is_some_and(|wish| wish.stands);
        self.wish = Some(Wanted {
            at: now,
            insists,
            stands,
        });
    }

    /// The server or another tab says that there is something newer than what this tab has accepted.
    pub fn on_hint(
        &mut self,
        sequence: Option<u64>,
        build: Option<BuildId>,
        now: Timestamp,
        rng: &mut Rng,
    ) {
        let what = Hinted { sequence, build };
        let disproved = self.disproved.as_ref().is_some_and(|(disproved, at)| {
            *disproved == what && now.0 < at.0.saturating_add(DISTRUST)
        });
        let known = self.hint.as_ref().is_some_and(|hint| hint.what == what);
        if known || disproved {
            return;
        }
        let soon = self.spread(now, rng);
        match &mut self.hint {
            // The looks for what was hinted before serve this one too.
            Some(hint) => {
                hint.heard = now;
                hint.next = Some(hint.next.map_or(soon, |next| next.min(soon)));
                if what.sequence > hint.what.sequence || what.sequence.is_none() {
                    hint.what = what;
                }
            }
            None => {
                self.hint = Some(Hint {
                    what,
                    heard: now,
                    spent: 0,
                    next: Some(soon),
                });
            }
        }
    }

    /// A chunk failed and no other build explains it: a deploy may be under way.
    pub fn on_chunk_unexplained(&mut self, now: Timestamp, rng: &mut Rng) {
        if self
            .chunk
            .as_ref()
            .is_none_or(|hint| hint.next.is_none() && now.0 >= hint.heard.0 + LONGEST_DOUBT)
        {
            let next = Some(Timestamp(now.0 + pause(1, rng)));
            self.chunk = Some(Hint {
                what: Hinted {
                    sequence: None,
                    build: None,
                },
                heard: now,
                spent: 1,
                next,
            });
        }
    }

    /// The leader has looked and seen nothing new.
    pub fn on_all_quiet(&mut self, now: Timestamp, rng: &mut Rng) {
        self.fresh = Some(now);
        if self.duty == Duty::Follow {
            self.schedule(now, rng);
        }
    }

    /// A release was accepted: what was hinted is known now.
    pub fn on_accepted(&mut self, sequence: u64, build: &BuildId) {
        let confirmed = self.hint.as_ref().is_some_and(|hint| {
            let what = &hint.what;
            match what.sequence {
                Some(hinted) => hinted <= sequence,
                None => what.build.as_ref().is_none_or(|hinted| hinted == build),
            }
        });
        if confirmed {
            self.hint = None;
            self.hinted = false;
            self.doubts = 0;
        }
    }

    pub fn on_chunk_explained(&mut self) {
        self.chunk = None;
    }

    pub fn on_answer(&mut self, answer: Answer, now: Timestamp, rng: &mut Rng) {
        let started = self.in_flight.take();
        match answer {
            Answer::Read => {
                self.failures = 0;
                self.blocked_until = None;
                self.fresh = Some(now);
            }
            Answer::Failed { retry_after } => {
                self.failures = self.failures.saturating_add(1);
                self.wish.take_if(|wish| !wish.stands);
                self.blocked_until = retry_after
                    .map(|pause| Timestamp(now.0.saturating_add(pause.min(LONGEST_RETRY_AFTER))));
            }
        }
        if core::mem::take(&mut self.hinted) {
            self.doubts = self.doubts.saturating_add(1);
        }
        let is_due = |hint: &Hint| hint.next.is_some_and(|next| next <= now);
        let is_answered = |hint: &Hint| started.is_some_and(|started| started >= hint.heard);
        // Hints that come all the time are never older than a look: the pause grows for them all the same.
        let doubted = self.doubted_until();
        if let Some(hint) = &mut self.hint
            && is_due(hint)
            && !is_answered(hint)
        {
            hint.next = hint.next.max(doubted);
        }
        // An answer to a question asked before the hint was heard says nothing about the hint.
        for hint in [&mut self.hint, &mut self.chunk].into_iter().flatten() {
            if is_answered(hint) && is_due(hint) {
                hint.spent += 1;
                hint.next =
                    (hint.spent < HINT_LOOKS).then(|| Timestamp(now.0 + pause(hint.spent, rng)));
            }
        }
        if let Some(hint) = self.hint.take_if(|hint| hint.next.is_none()) {
            self.disproved = Some((hint.what, now));
        }
        self.schedule(now, rng);
    }

    /// What is due, one step at a time until there is none.
    pub fn poll(&mut self, now: Timestamp) -> Option<Step> {
        if let Some(started) = self.in_flight {
            return (now.0 >= started.0.saturating_add(LOOK_TIMEOUT)).then_some(Step::TimedOut);
        }
        let due = self.due().is_some_and(|(at, _)| at <= now);
        if due {
            let due = |hint: &Hint| hint.next.is_some_and(|next| next <= now);
            self.hinted = self.hint.as_ref().is_some_and(due);
            self.in_flight = Some(now);
            self.last_started = Some(now);
            self.wish = None;
            self.regular = None;
        }
        due.then_some(Step::Look)
    }

    pub fn next(&self) -> Option<(Timestamp, WakeReason)> {
        match self.in_flight {
            Some(started) => Some((
                Timestamp(started.0.saturating_add(LOOK_TIMEOUT)),
                WakeReason::Timeout,
            )),
            None => self.due(),
        }
    }

    fn due(&self) -> Option<(Timestamp, WakeReason)> {
        let unblocked = |at: Timestamp| self.blocked_until.map_or(at, |until| at.max(until));
        let regular = self.regular.map(|(at, reason)| (unblocked(at), reason));
        let wish = self.wish.map(|wish| {
            if wish.insists {
                wish.at
            } else {
                unblocked(wish.at)
            }
        });
        let hints = [&self.hint, &self.chunk]
            .into_iter()
            .flatten()
            .filter_map(|hint| hint.next)
            .map(unblocked);
        let extra = wish
            .into_iter()
            .chain(hints)
            .map(|at| (at, WakeReason::Jitter));
        regular.into_iter().chain(extra).min_by_key(|(at, _)| *at)
    }

    /// Sets the next regular look.
    fn schedule(&mut self, now: Timestamp, rng: &mut Rng) {
        let period = match (self.duty, self.stream_open) {
            (Duty::Lead, false) => self.interval,
            (Duty::Lead, true) => self.interval.saturating_mul(STREAM_FACTOR),
            (Duty::Follow, _) => self.interval.saturating_mul(5) / 2,
            (Duty::Rest, _) => {
                self.regular = None;
                return;
            }
        };
        self.regular = Some(if self.failures > 0 {
            // A first retry comes well before the next interval, so that a hiccup is soon forgotten.
            let base = (self.interval / 4).clamp(1_000, 15_000);
            (
                Timestamp(now.0 + rng.backed_off(base, self.failures, LONGEST_BACKOFF)),
                WakeReason::Backoff,
            )
        } else {
            let reason = if self.duty == Duty::Lead {
                WakeReason::Poll
            } else {
                WakeReason::Backstop
            };
            let jittered = rng.jittered(period);
            let at = self.fresh.map_or(now, |fresh| {
                Timestamp(fresh.0.saturating_add(jittered)).max(now)
            });
            (at, reason)
        });
    }

    /// When to look for a hint that was heard now.
    fn spread(&self, now: Timestamp, rng: &mut Rng) -> Timestamp {
        let soon = Timestamp(now.0 + rng.at_most(HINT_SPREAD));
        self.doubted_until().map_or(soon, |until| soon.max(until))
    }

    /// Until when no look is for another hint, after hints that nothing has confirmed.
    fn doubted_until(&self) -> Option<Timestamp> {
        let last = self.last_started.filter(|_| self.doubts > 0)?;
        let pause = 1_000_u64
            .saturating_mul(1 << self.doubts.min(16))
            .min(LONGEST_DOUBT);
        Some(Timestamp(last.0.saturating_add(pause)))
    }
}

/// The pause before another look for what was hinted: about 1, 4 and 16 s.
fn pause(spent: u32, rng: &mut Rng) -> Millis {
    rng.jittered(1_000 << (2 * spent.saturating_sub(1)).min(8))
}
