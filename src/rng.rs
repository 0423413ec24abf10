//! The generator of random numbers, which draws the same ones from the same seed, and the hash that outlives a build.

use alloc::string::String;

use crate::time::Millis;

/// A SplitMix64 generator: good enough to spread requests and to name things, no good for secrets.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        scramble(self.0)
    }

    /// A number from 0 to `most`.
    pub fn at_most(&mut self, most: u64) -> u64 {
        match most.checked_add(1) {
            Some(count) => self.draw() % count,
            None => self.draw(),
        }
    }

    /// `span`, give or take a fifth.
    pub fn jittered(&mut self, span: Millis) -> Millis {
        let fifth = span / 5;
        span - fifth + self.at_most(2 * fifth)
    }

    /// Exponential back-off with full jitter: from 1 s to `base * 2^attempt`, at most `cap`.
    pub fn backed_off(&mut self, base: Millis, attempt: u32, cap: Millis) -> Millis {
        /// Never below: a storm of retries only burdens the server.
        const FLOOR: Millis = 1_000;
        let ceiling = base.saturating_mul(1 << attempt.min(32)).min(cap);
        FLOOR + self.at_most(ceiling.saturating_sub(FLOOR))
    }

    /// Ten hexadecimal digits that no other page is likely to draw.
    pub fn random_id(&mut self) -> String {
        hexadecimal(self.draw() >> 24, 10)
    }
}

/// Spreads every bit of `value` over all bits of the result.
pub fn scramble(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// Where [`fnv`] begins.
pub const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

/// 64-bit FNV-1a, continued from `state`: the same in every build, and for accidents only, since collisions are easily made.
pub fn fnv(state: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(state, |state, byte| {
        (state ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The last `count` hexadecimal digits of `number`, without the machinery of `core::fmt`.
pub fn hexadecimal(number: u64, count: u32) -> String {
    let digit = |place| u32::try_from((number >> (4 * place)) & 15).unwrap_or_default();
    (0..count)
        .rev()
        .filter_map(|place| char::from_digit(digit(place), 16))
        .collect()
}

/// A number for a text, for tables of this page; not for what an attacker may choose. FNV, eight bytes at a time, with its upper
/// half mixed in: the lower one alone does not see the ends of the words.
pub fn hash(text: &str) -> u64 {
    let hash = text
        .as_bytes()
        .chunks(8)
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, bytes| {
            let word = bytes
                .iter()
                .fold(0, |word, byte| (word << 8) | u64::from(*byte));
            (hash ^ word).wrapping_mul(0x0100_0000_01b3).rotate_left(23)
        });
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn jitter_stays_within_a_fifth_and_back_off_between_a_second_and_its_cap() {
        let mut rng = Rng::new(7);
        for attempt in 0..200 {
            assert!((800..=1_200).contains(&rng.jittered(1_000)));
            assert!((1_000..=60_000).contains(&rng.backed_off(2_000, attempt, 60_000)));
        }
        assert_eq!(rng.jittered(0), 0);
    }

    #[test]
    fn digits_are_those_that_the_formatter_writes() {
        for number in [0, 1, 99, 1 << 53, u64::MAX] {
            assert_eq!(hexadecimal(number, 16), alloc::format!("{number:016x}"));
        }
        assert_eq!(hexadecimal(0xabcdef, 4), "cdef");
    }

    #[test]
    fn the_same_seed_draws_the_same_ids() {
        assert_eq!(Rng::new(1).random_id(), Rng::new(1).random_id());
        assert_ne!(Rng::new(1).random_id(), Rng::new(2).random_id());
        assert_eq!(Rng::new(3).random_id().len(), 10);
    }
}
