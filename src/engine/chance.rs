//! Chance from a seed, so that the same inputs give the same outputs.

use alloc::string::String;

use super::{io::Millis, text::hexadecimal};

/// A SplitMix64 generator: good enough to spread requests and to name things, no good for secrets.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        scramble(self.0)
    }

    /// A number from 0 to `most`.
    pub fn up_to(&mut self, most: u64) -> u64 {
        match most.checked_add(1) {
            Some(count) => self.draw() % count,
            None => self.draw(),
        }
    }

    /// `span`, give or take a fifth.
    pub fn jittered(&mut self, span: Millis) -> Millis {
        let fifth = span / 5;
        span - fifth + self.up_to(2 * fifth)
    }

    /// Exponential back-off with full jitter: from 1 s to `base * 2^attempt`, at most `cap`.
    pub fn backed_off(&mut self, base: Millis, attempt: u32, cap: Millis) -> Millis {
        /// Never below: a storm of retries only burdens the server.
        const FLOOR: Millis = 1_000;
        let ceiling = base.saturating_mul(1 << attempt.min(32)).min(cap);
        FLOOR + self.up_to(ceiling.saturating_sub(FLOOR))
    }

    /// Ten hexadecimal digits that no other page is likely to draw.
    pub fn name(&mut self) -> String {
        hexadecimal(self.draw() >> 24, 10)
    }
}

/// Spreads every bit of `value` over all bits of the result.
pub fn scramble(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn jitter_stays_within_a_fifth_and_back_off_between_a_second_and_its_cap() {
        let mut chance = Chance::new(7);
        for attempt in 0..200 {
            assert!((800..=1_200).contains(&chance.jittered(1_000)));
            assert!((1_000..=60_000).contains(&chance.backed_off(2_000, attempt, 60_000)));
        }
        assert_eq!(chance.jittered(0), 0);
    }

    #[test]
    fn the_same_seed_draws_the_same_names() {
        assert_eq!(Chance::new(1).name(), Chance::new(1).name());
        assert_ne!(Chance::new(1).name(), Chance::new(2).name());
        assert_eq!(Chance::new(3).name().len(), 10);
    }
}
