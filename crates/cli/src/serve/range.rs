//! The `Range` header of a request: RFC 9110, section 14.

/// The part of a file that a range selects.
#[derive(Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The whole file: the range is invalid, or there are several.
    Everything,
    /// The bytes from `first` to `last`, both included; `first <= last < size`.
    Part { first: u64, last: u64 },
    /// No bytes of the file: status 416.
    Nothing,
}

/// Reads the value of a `Range` header for a file of `size` bytes.
///
/// Several ranges select the whole file, as the standard allows. `headers::Range` is not used because it refuses the
/// last 99 bytes of a shorter file and accepts `5-2`.
pub fn wanted(range: &str, size: u64) -> Wanted {
    let Some((first, last)) = range
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'))
        .map(|(first, last)| (first.trim(), last.trim()))
    else {
        return Wanted::Everything;
    };
    let end = size.saturating_sub(1);
    let (first, last) = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => (first, last.min(end)),
        (Some(first), None) if last.is_empty() => (first, end),
        (None, Some(0)) if first.is_empty() => return Wanted::Nothing,
        (None, Some(count)) if first.is_empty() => (size.saturating_sub(count), end),
        _ => return Wanted::Everything,
    };
    if first < size {
        Wanted::Part { first, last }
    } else {
        Wanted::Nothing
    }
}

/// Only digits: `u64::from_str` accepts a sign, too.
fn number(digits: &str) -> Option<u64> {
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        let part = |first, last| Wanted::Part { first, last };
        for (range, expected) in [
            ("bytes=0-0", part(0, 0)),
            ("bytes=2-", part(2, 9)),
            ("bytes=2-99", part(2, 9)),
            ("bytes=-3", part(7, 9)),
            ("bytes=-99", part(0, 9)),
            ("bytes=10-", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=5-2", Wanted::Everything),
            ("bytes=0-1,3-4", Wanted::Everything),
            ("bytes=+1-+2", Wanted::Everything),
            ("bytes=-", Wanted::Everything),
            ("bytes=--3", Wanted::Everything),
            ("lines=1-2", Wanted::Everything),
            ("bytes=x-", Wanted::Everything),
        ] {
            assert_eq!(wanted(range, 10), expected, "{range}");
        }
        assert_eq!(wanted("bytes=0-", 0), Wanted::Nothing);
    }
}
