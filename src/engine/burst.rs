//! Limits bursts of messages: the first few are handled at once, and of the rest only the last one, some time later.
//!
//! A message starts a span and is handled at once, as are the next few. Further ones are held back, and only the last is
//! kept. When the span ends, that one is handled and starts the next span. So a flood costs a few messages a second, and
//! the last message is never lost.

use crate::time::{Millis, Timestamp};

/// Length of a span: short compared with a check, and long enough for what a normal sender sends at once.
pub const SPAN: Millis = 250;

/// How many messages of a server are handled at once: more than a normal one sends within a span.
pub const OF_A_SERVER: usize = 8;

/// How many messages of other tabs are handled at once: all visible ones answer the leader at the same time.
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

/// The message that was held back in a span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rest<T> {
    pub last: T,
    /// Others were dropped, whose content may have differed.
    pub lost: bool,
}

impl<T: Clone + PartialEq> Burst<T> {
    /// `most`: how many messages of a span are handled at once.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            began: None,
            counted: 0,
            held: None,
            lost: false,
        }
    }

    /// Whether there is no span: the next message starts one.
    pub fn is_calm(&self) -> bool {
        self.began.is_none()
    }

    /// Whether the span has ended. Timers of hidden pages fire late, so this is asked at each message, too.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.began
            .is_some_and(|began| !(began.0..began.0.saturating_add(SPAN)).contains(&now.0))
    }

    /// Whether a message is handled now; otherwise it is held back.
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

    /// Ends the span. Returns the message that is handled now, which starts the next span.
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
