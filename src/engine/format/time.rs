//! Moments in documents: RFC 3339.

use crate::time::Timestamp;

/// Reads `2026-07-31T12:00:00.5Z` or the same with an offset such as `+02:00`; `None` when it is no such time, or before 1970.
pub fn time(text: &str) -> Option<Timestamp> {
    let (date, rest) = text.split_once(['T', 't', ' '])?;
    let mut date = date.split('-');
    let year = digits(date.next()?, 4)?;
    let month = digits(date.next()?, 2).filter(|month| (1..=12).contains(month))?;
    let day = digits(date.next()?, 2).filter(|day| (1..=days_in(year, month)).contains(day))?;
    if date.next().is_some() {
        return None;
    }
    let (clock, offset) = match rest.find(['Z', 'z', '+', '-']) {
        Some(at) => (rest.get(..at)?, rest.get(at..)?),
        None => return None,
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut clock = clock.split(':');
    let hour = digits(clock.next()?, 2).filter(|hour| *hour < 24)?;
    let minute = digits(clock.next()?, 2).filter(|minute| *minute < 60)?;
    let second = digits(clock.next()?, 2).filter(|second| *second <= 60)?;
    if clock.next().is_some()
        || fraction.is_empty()
        || !fraction.bytes().all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    let millis = fraction
        .bytes()
        .chain([b'0'; 3])
        .take(3)
        .fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    let seconds = days_since_epoch(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    let away = match offset {
        "Z" | "z" => 0,
        _ => {
            let sign = if offset.starts_with('-') { -1 } else { 1 };
            let (hours, minutes) = offset.get(1..)?.split_once(':')?;
            sign * (digits(hours, 2)? * 3_600 + digits(minutes, 2)? * 60)
        }
    };
    u64::try_from((seconds - away) * 1_000 + millis)
        .ok()
        .map(Timestamp)
}

fn digits(text: &str, count: usize) -> Option<i64> {
    let valid = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    valid.then(|| {
        text.bytes()
            .fold(0, |number, digit| number * 10 + i64::from(digit - b'0'))
    })
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Counts in years that begin in March, so that the leap day is the last of its year.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year
        - 719_468
}
