//! Bursts of messages: of a flood, a few messages count at once, and of the rest the last one counts some time later.
//!
//! In order: a message begins a span, and counts at once, as do the next few; more than those are held back, of which only
//! the last is kept. When the span is over, that one counts and begins the next span. So no flood makes more than a few
//! messages a second, and what was said last is never lost.

use crate::time::{Millis, Timestamp};

/// How long a span is: short beside the time that a check takes, and time enough for what an honest sender says at once.
pub const SPAN: Millis = 250;

/// How many messages of a server count at once: more than an honest one says within a span.
pub const OF_A_SERVER: usize = 8;

/// How many messages of other tabs count at once: each visible one of them answers the leader's question, all at the same time.
pub const OF_TABS: usize = 128;

/// The messages of one sender in the current span.
#[derive(Clone, Debug)]
pub struct Burst<T> {
    most: usize,
    began: Option<Timestamp>,
    counted: usize,
    held: Option<T>,
    lost: bool,
}

/// What was held back in a span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rest<T> {
    pub last: T,
    /// Others were dropped, and may have said something else.
    pub lost: bool,
}

impl<T: Clone + PartialEq> Burst<T> {
    /// `most`: how many messages of a span count at once.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            began: None,
            counted: 0,
            held: None,
            lost: false,
        }
    }

    /// Whether no span has begun: the next message begins one.
    pub fn is_calm(&self) -> bool {
        self.began.is_none()
    }

    /// Whether the span has ended. Timers of hidden pages come late: who hears a message asks first.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.began
            .is_some_and(|began| !(began.0..began.0.saturating_add(SPAN)).contains(&now.0))
    }

    /// Whether a message counts now; if not, it is held back.
    pub fn on_message(&mut self, message: &T, now: Timestamp) -> bool {
        self.began.get_or_insert(now);
        let counts = self.counted < self.most;
        if counts {
            self.counted += 1;
        } else {
            let before = self.held.replace(message.clone());
            self.lost |= before.is_some_and(|before| before != *message);
        }
        counts
    }

    /// The span is over. Hands out what counts now; then the next span has begun.
    pub fn on_over(&mut self, now: Timestamp) -> Option<Rest<T>> {
        let last = self.held.take();
        self.began = last.as_ref().map(|_| now);
        self.counted = usize::from(last.is_some());
        let lost = core::mem::take(&mut self.lost);
        last.map(|last| Rest { last, lost })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const NOW: Timestamp = Timestamp(1_000);
    const THEN: Timestamp = Timestamp(1_000 + SPAN);

    #[test]
    fn a_few_messages_count_at_once_and_begin_a_span() {
        let mut burst = Burst::new(8);
        assert!(burst.is_calm() && !burst.is_over(THEN));
        for message in 0..8 {
            assert!(burst.on_message(&(message / 2), NOW), "the same ones too");
        }
        assert!(!burst.is_calm() && !burst.is_over(Timestamp(THEN.0 - 1)));
        assert!(burst.is_over(THEN));
        assert!(burst.is_over(Timestamp(NOW.0 - 1)), "the clock was set");
        assert_eq!(burst.on_over(THEN), None);
        assert!(burst.is_calm());
    }

    #[test]
    fn a_message_that_is_held_back_counts_when_the_span_is_over_and_begins_the_next() {
        let mut burst = Burst::new(1);
        assert!(burst.on_message(&1, NOW));
        assert!(!burst.on_message(&2, NOW));
        assert!(!burst.on_message(&2, NOW));
        let rest = Rest {
            last: 2,
            lost: false,
        };
        assert_eq!(burst.on_over(THEN), Some(rest));
        assert!(!burst.is_calm() && !burst.is_over(THEN));
        assert_eq!(burst.on_over(THEN), None);
    }

    #[test]
    fn of_a_flood_the_last_message_counts_and_the_loss_of_others_is_told_once() {
        let mut burst = Burst::new(8);
        let counted = (0..10_000).filter(|message| burst.on_message(message, NOW));
        assert_eq!(counted.count(), 8);
        let rest = |last, lost| Some(Rest { last, lost });
        assert_eq!(burst.on_over(THEN), rest(9_999, true));
        for _ in 0..10 {
            burst.on_message(&9_999, THEN);
        }
        assert_eq!(burst.on_over(THEN), rest(9_999, false));
    }
}
