//! Which sequences a release of its time can have.
//!
//! A sequence is a count, a time in seconds, milliseconds or microseconds, or a date written as a number, with a serial
//! number or a time of day behind it. What fits none of these as of now is no sequence that later releases go beyond: a page
//! may follow it while it is served, and must not remember it.

use super::format;
use crate::time::{Millis, Timestamp};

/// Clocks differ, and a release may be dated ahead.
const SLACK: Millis = 2 * 24 * 60 * 60 * 1_000;

/// 2015-01-01: what lies before was not meant as a time.
const EARLIEST: Millis = 1_420_070_400_000;

/// Larger than the count of anything that is released, ids that a large host gives to all its users' runs included.
const ABSURD: u64 = 100_000_000_000;

/// Whether a site that numbers like this gives later releases larger sequences. `now`: the latest of the clocks.
pub fn is_plausible(sequence: u64, now: Timestamp) -> bool {
    let latest = now.0.saturating_add(SLACK);
    let is_time = |millis: u64| (EARLIEST..=latest).contains(&millis);
    let is_date = |number: u64, century: u64| date(century + number).is_some_and(is_time);
    sequence <= latest / 1_000
        || is_time(sequence)
        || is_time(sequence / 1_000)
        || is_date(sequence / 100, 0)
        || is_date(sequence / 10_000, 0)
        || is_date(sequence / 1_000_000, 0)
        || is_date(sequence / 10_000, 20_000_000)
        || is_date(sequence / 1_000_000, 20_000_000)
}

/// Whether no numbering has sequences like this one.
pub fn is_absurd(sequence: u64, now: Timestamp) -> bool {
    sequence > ABSURD && !is_plausible(sequence, now)
}

/// The beginning of a day such as 20260731.
fn date(number: u64) -> Option<u64> {
    let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
    let two = |number: u64| format!("{}{number}", if number < 10 { "0" } else { "" });
    let text = format!("{year}-{}-{}T00:00:00Z", two(month), two(day));
    format::time(&text).map(|time| time.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// 2026-07-31T12:00:00Z.
    const NOON: Timestamp = Timestamp(1_785_499_200_000);

    #[test]
    fn counts_times_and_dates_of_today_are_plausible() {
        for sequence in [
            0,
            1,
            3_115,
            20_260_731,
            20_270_101,
            1_785_499_200,
            2_026_073_101,
            2_607_311_159,
            202_607_311_159,
            260_731_115_959,
            1_785_499_200_000,
            20_260_731_115_959,
            1_785_499_200_000_000,
        ] {
            assert!(is_plausible(sequence, NOON), "{sequence}");
        }
    }

    #[test]
    fn what_lies_years_ahead_in_every_reading_is_not() {
        for sequence in [
            2_147_483_647,
            2_100_000_000,
            2_036_073_101,
            4_294_967_295,
            999_999_999_999,
            203_607_311_159,
            2_100_000_000_000,
            20_360_731_115_959,
            2_100_000_000_000_000,
            9_007_199_254_740_991,
        ] {
            assert!(!is_plausible(sequence, NOON), "{sequence}");
        }
        assert!(is_absurd(9_007_199_254_740_991, NOON) && is_absurd(999_999_999_999, NOON));
        assert!(!is_absurd(2_147_483_647, NOON) && !is_absurd(1_785_499_200_000, NOON));
    }

    #[test]
    fn a_clock_that_is_a_day_behind_changes_nothing() {
        let yesterday = Timestamp(NOON.0 - 24 * 60 * 60 * 1_000);
        for sequence in [1_785_499_200, 1_785_499_200_000, 20_260_731_115_959] {
            assert!(is_plausible(sequence, yesterday), "{sequence}");
        }
    }
}
