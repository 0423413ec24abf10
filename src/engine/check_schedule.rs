//! When to check the server for a release.
//!
//! A check is due by the poll interval, by a trigger (the page came back, the app asked) or by a hint. At most one is in
//! flight. Its result sets the next regular check: one interval later with jitter, or a back-off after a failure. A check
//! that is never answered times out.

use super::{io::WakeReason, poll_role::PollRole};
use crate::{
    ids::BuildId,
    rng::Rng,
    time::{Millis, Timestamp},
};

/// A request that takes longer has failed, whatever the driver says later.
pub const CHECK_TIMEOUT: Millis = 15_000;

/// Least time between two regular checks.
pub const LEAST_INTERVAL: Millis = 1_000;

/// A check younger than this also satisfies a focus event, and the other wake-ups of the same burst.
const YOUNG: Millis = 2_000;

/// The same for a check that the app asks for: it may just have published.
const JUST_NOW: Millis = 250;

/// How many times the poll interval is longer while the event stream is open.
const STREAM_FACTOR: u64 = 5;

/// Longest back-off: a server that was down for a night is noticed within half an hour of its return.
const LONGEST_BACKOFF: Millis = 30 * 60 * 1_000;

/// The most that a server may ask for with `Retry-After`.
const LONGEST_RETRY_AFTER: Millis = 24 * 60 * 60 * 1_000;

/// All tabs of all browsers hear a hint at the same instant; this spreads their checks and still feels prompt.
const HINT_SPREAD: Millis = 300;

/// How many checks are made for a hint that nothing confirms.
const HINT_CHECKS: u32 = 4;

/// How long a hint is ignored after the checks for it found nothing.
const DISTRUST: Millis = 10 * 60 * 1_000;

/// Longest pause between checks for hints that nothing confirms.
const LONGEST_DISTRUST_PAUSE: Millis = 60_000;

/// Decides when to check.
#[derive(Clone, Debug)]
pub struct CheckSchedule {
    interval: Millis,
    poll_role: PollRole,
    stream_open: bool,
    regular: Option<(Timestamp, WakeReason)>,
    trigger: Option<Triggered>,
    hint: Option<Hint>,
    chunk: Option<Hint>,
    in_flight: Option<Timestamp>,
    last_started: Option<Timestamp>,
    last_return: Option<Timestamp>,
    /// When this tab last knew how things stand, by itself or from the leader.
    fresh: Option<Timestamp>,
    failures: u32,
    blocked_until: Option<Timestamp>,
    /// The check in flight is for a hint.
    hinted: bool,
    /// Checks for hints in a row that confirmed nothing.
    unconfirmed: u32,
    /// The last hint that checks did not confirm, and when it was given up.
    disproved: Option<(Hinted, Timestamp)>,
}

/// Why a check is due now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckTrigger {
    Start,
    /// The user turned to the page.
    Focus,
    /// The page or the network was away: whatever was known is stale.
    Return,
    /// The app asks.
    App,
    /// A chunk failed.
    Chunk,
}

/// What the guard has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Check,
    /// The check in flight was given up.
    TimedOut,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Read,
    Failed { retry_after: Option<Millis> },
}

#[derive(Clone, Copy, Debug)]
struct Triggered {
    at: Timestamp,
    /// It is made although the server asked for a pause.
    ignores_retry_after: bool,
    /// It is still made when the check in flight fails.
    survives_failure: bool,
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

impl CheckSchedule {
    pub fn new(interval: Millis) -> Self {
        Self {
            interval: interval.max(LEAST_INTERVAL),
            poll_role: PollRole::Rest,
            stream_open: false,
            regular: None,
            trigger: None,
            hint: None,
            chunk: None,
            in_flight: None,
            last_started: None,
            last_return: None,
            fresh: None,
            failures: 0,
            blocked_until: None,
            hinted: false,
            unconfirmed: 0,
            disproved: None,
        }
    }

    pub fn interval(&self) -> Millis {
        self.interval
    }

    pub fn failures(&self) -> u32 {
        self.failures
    }

    pub fn is_checking(&self) -> bool {
        self.in_flight.is_some()
    }

    pub fn on_poll_role(&mut self, poll_role: PollRole, now: Timestamp, rng: &mut Rng) {
        if self.poll_role != poll_role {
            self.poll_role = poll_role;
            self.schedule(now, rng);
        }
    }

    pub fn on_stream(&mut self, open: bool, now: Timestamp, rng: &mut Rng) {
        if self.stream_open != open {
            self.stream_open = open;
            self.schedule(now, rng);
        }
    }

    pub fn on_trigger(&mut self, trigger: CheckTrigger, now: Timestamp) {
        let since = |moment: Option<Timestamp>| moment.map(|moment| now.0.saturating_sub(moment.0));
        let started = since(self.last_started).unwrap_or(Millis::MAX);
        let enough = match trigger {
            CheckTrigger::Start => false,
            // Checks for a chunk that nothing explains are under way, or found nothing.
            CheckTrigger::Chunk
                if self.chunk.as_ref().is_some_and(|hint| {
                    now.0 < hint.heard.0.saturating_add(LONGEST_DISTRUST_PAUSE)
                }) =>
            {
                true
            }
            CheckTrigger::Focus | CheckTrigger::Chunk => {
                // A file is gone: the deploy that took it may have ended a moment ago.
                let young = match trigger {
                    CheckTrigger::Chunk => JUST_NOW,
                    CheckTrigger::Start
                    | CheckTrigger::Focus
                    | CheckTrigger::Return
                    | CheckTrigger::App => YOUNG,
                };
                let known = since(self.fresh).is_some_and(|age| age < young);
                known || started < young || self.in_flight.is_some()
            }
            CheckTrigger::Return => {
                let burst = since(self.last_return).is_some_and(|age| age < YOUNG);
                burst && (self.failures == 0 || self.in_flight.is_some())
            }
            CheckTrigger::App => started < JUST_NOW,
        };
        if enough {
            return;
        }
        if trigger == CheckTrigger::Return {
            self.last_return = Some(now);
        }
        let ignores_retry_after = trigger == CheckTrigger::App
            || self
                .trigger
                .is_some_and(|trigger| trigger.ignores_retry_after);
        let survives_failure = trigger != CheckTrigger::App
            || self.trigger.is_some_and(|trigger| trigger.survives_failure);
        self.trigger = Some(Triggered {
            at: now,
            ignores_retry_after,
            survives_failure,
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
            // The checks for the hint before serve this one too.
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
        if self.chunk.as_ref().is_none_or(|hint| {
            hint.next.is_none() && now.0 >= hint.heard.0 + LONGEST_DISTRUST_PAUSE
        }) {
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

    /// The leader has checked and found nothing new.
    pub fn on_all_quiet(&mut self, now: Timestamp, rng: &mut Rng) {
        self.fresh = Some(now);
        if self.poll_role == PollRole::Follow {
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
            self.unconfirmed = 0;
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
                self.trigger.take_if(|trigger| !trigger.survives_failure);
                self.blocked_until = retry_after
                    .map(|pause| Timestamp(now.0.saturating_add(pause.min(LONGEST_RETRY_AFTER))));
            }
        }
        if core::mem::take(&mut self.hinted) {
            self.unconfirmed = self.unconfirmed.saturating_add(1);
        }
        let is_due = |hint: &Hint| hint.next.is_some_and(|next| next <= now);
        let is_answered = |hint: &Hint| started.is_some_and(|started| started >= hint.heard);
        // Hints that come all the time are never older than a check: the pause grows for them too.
        let distrusted = self.distrusted_until();
        if let Some(hint) = &mut self.hint
            && is_due(hint)
            && !is_answered(hint)
        {
            hint.next = hint.next.max(distrusted);
        }
        // An answer to a question asked before the hint was heard says nothing about the hint.
        for hint in [&mut self.hint, &mut self.chunk].into_iter().flatten() {
            if is_answered(hint) && is_due(hint) {
                hint.spent += 1;
                hint.next =
                    (hint.spent < HINT_CHECKS).then(|| Timestamp(now.0 + pause(hint.spent, rng)));
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
            return (now.0 >= started.0.saturating_add(CHECK_TIMEOUT)).then_some(Step::TimedOut);
        }
        let due = self.due().is_some_and(|(at, _)| at <= now);
        if due {
            let due = |hint: &Hint| hint.next.is_some_and(|next| next <= now);
            self.hinted = self.hint.as_ref().is_some_and(due);
            self.in_flight = Some(now);
            self.last_started = Some(now);
            self.trigger = None;
            self.regular = None;
        }
        due.then_some(Step::Check)
    }

    pub fn next(&self) -> Option<(Timestamp, WakeReason)> {
        match self.in_flight {
            Some(started) => Some((
                Timestamp(started.0.saturating_add(CHECK_TIMEOUT)),
                WakeReason::Timeout,
            )),
            None => self.due(),
        }
    }

    fn due(&self) -> Option<(Timestamp, WakeReason)> {
        let unblocked = |at: Timestamp| self.blocked_until.map_or(at, |until| at.max(until));
        let regular = self.regular.map(|(at, reason)| (unblocked(at), reason));
        let trigger = self.trigger.map(|trigger| {
            if trigger.ignores_retry_after {
                trigger.at
            } else {
                unblocked(trigger.at)
            }
        });
        let hints = [&self.hint, &self.chunk]
            .into_iter()
            .flatten()
            .filter_map(|hint| hint.next)
            .map(unblocked);
        let extra = trigger
            .into_iter()
            .chain(hints)
            .map(|at| (at, WakeReason::Jitter));
        regular.into_iter().chain(extra).min_by_key(|(at, _)| *at)
    }

    /// Sets the next regular check.
    fn schedule(&mut self, now: Timestamp, rng: &mut Rng) {
        let period = match (self.poll_role, self.stream_open) {
            (PollRole::Lead, false) => self.interval,
            (PollRole::Lead, true) => self.interval.saturating_mul(STREAM_FACTOR),
            (PollRole::Follow, _) => self.interval.saturating_mul(5) / 2,
            (PollRole::Rest, _) => {
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
            let reason = if self.poll_role == PollRole::Lead {
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

    /// When to check for a hint that came now.
    fn spread(&self, now: Timestamp, rng: &mut Rng) -> Timestamp {
        let soon = Timestamp(now.0 + rng.at_most(HINT_SPREAD));
        self.distrusted_until()
            .map_or(soon, |until| soon.max(until))
    }

    /// Until when no check is made for another hint, after hints that nothing confirmed.
    fn distrusted_until(&self) -> Option<Timestamp> {
        let last = self.last_started.filter(|_| self.unconfirmed > 0)?;
        let pause = 1_000_u64
            .saturating_mul(1 << self.unconfirmed.min(16))
            .min(LONGEST_DISTRUST_PAUSE);
        Some(Timestamp(last.0.saturating_add(pause)))
    }
}

/// The pause before another check for the same hint: about 1, 4 and 16 s.
fn pause(spent: u32, rng: &mut Rng) -> Millis {
    rng.jittered(1_000 << (2 * spent.saturating_sub(1)).min(8))
}
