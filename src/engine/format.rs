//! What the two documents on the server have in common: how a text becomes a value, and what may go wrong.
//!
//! A text is measured, looked at for the usual strangers (nothing, HTML, half a document), read as JSON, asked for its
//! format number, and only then taken apart field by field. So a parsed value is a valid one.

mod fields;
mod reading;

use alloc::{string::String, vec::Vec};
use core::{fmt, ops::Range};

use super::{
    json::{self, Fault, Value},
    text::{decimal, join},
};
use crate::time::Timestamp;

pub(super) use fields::{ANY, Fields, ID, INTEGRITY, MESSAGE, PATH, Rule, SMALL, TIME};
pub(super) use reading::{Large, Reading, Whole};

/// The only format number of both documents so far.
pub const FORMAT: u32 = 1;

/// The largest integer that JavaScript, and so every tool on the way, holds exactly.
pub const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// Longest id of a build, an app or a channel, in bytes; ids become file names.
pub const ID_LIMIT: usize = 64;

/// Longest path in bytes; what common file systems and URL parsers on the way take.
const PATH_LIMIT: usize = 1024;

/// Why a document is not what it claims to be.
#[derive(Clone, PartialEq, Eq)]
pub struct ParseError {
    document: &'static str,
    kind: Kind,
}

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    Empty,
    TooLarge {
        size: usize,
        limit: usize,
    },
    Html,
    CutOff,
    NotJson {
        at: Option<usize>,
    },
    NotAnObject,
    UnknownFormat {
        format: u64,
    },
    Missing {
        field: String,
    },
    Invalid {
        field: String,
        value: String,
        rule: &'static str,
    },
}

impl ParseError {
    /// A stable name for the kind of error.
    pub fn code(&self) -> &'static str {
        match self.kind {
            Kind::Empty => "empty",
            Kind::TooLarge { .. } => "too_large",
            Kind::Html => "html",
            Kind::CutOff => "cut_off",
            Kind::NotJson { .. } => "not_json",
            Kind::NotAnObject => "not_an_object",
            Kind::UnknownFormat { .. } => "unknown_format",
            Kind::Missing { .. } => "missing_field",
            Kind::Invalid { .. } => "invalid_value",
        }
    }

    /// What is wrong, in a sentence.
    pub fn sentence(&self) -> String {
        let document = self.document;
        match &self.kind {
            Kind::Empty => join(&[document, " is empty"]),
            Kind::TooLarge { size, limit } => {
                let (size, limit) = (decimal(*size as u64), decimal(*limit as u64));
                join(&[
                    document,
                    " has ",
                    &size,
                    " bytes, more than the ",
                    &limit,
                    " that are read",
                ])
            }
            Kind::Html => join(&[document, " answered HTML instead of JSON"]),
            Kind::CutOff => join(&[document, " ends in the middle"]),
            Kind::NotJson { at: Some(at) } => join(&[
                document,
                " is not JSON: byte ",
                &decimal(*at as u64),
                " is wrong",
            ]),
            Kind::NotJson { at: None } => join(&[
                document,
                " is not JSON that we read: it is nested too deeply",
            ]),
            Kind::NotAnObject => join(&[document, " is JSON, but not an object"]),
            Kind::UnknownFormat { format } => {
                let (format, known) = (decimal(*format), decimal(FORMAT.into()));
                join(&[
                    document,
                    " has format ",
                    &format,
                    ", and only format ",
                    &known,
                    " is known",
                ])
            }
            Kind::Missing { field } => join(&[document, " has no ", field]),
            Kind::Invalid { field, value, rule } => join(&[
                document,
                " has ",
                field,
                " ",
                value,
                ", which must be ",
                rule,
            ]),
        }
    }

    fn new(document: &'static str, kind: Kind) -> Self {
        Self { document, kind }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence())
    }
}

impl fmt::Debug for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ParseError({}: {self})", self.code())
    }
}

impl core::error::Error for ParseError {}

/// Reads `text`, at most `limit` bytes of it: its format number, which must be the known one, and then what `build`
/// takes out of its fields.
pub(super) fn read<T>(
    document: &'static str,
    text: &str,
    limit: usize,
    build: fn(&mut Fields<'_>) -> T,
) -> Result<T, ParseError> {
    let fields = open(document, text, limit)?;
    finish(document, fields, build)
}

/// The same for a document that people write by hand, where the format number may be left out.
pub(super) fn read_by_hand<T>(
    document: &'static str,
    text: &str,
    limit: usize,
    build: fn(&mut Fields<'_>) -> T,
) -> Result<T, ParseError> {
    let mut fields = open(document, text, limit)?;
    if fields.iter().all(|(name, _)| name != "format") {
        fields.push(("format".into(), Value::Number(Some(FORMAT.into()))));
    }
    finish(document, fields, build)
}

/// The rest of [`read`], for fields that have been read.
pub(super) fn finish<T>(
    document: &'static str,
    fields: Vec<(String, Value)>,
    build: impl FnOnce(&mut Fields<'_>) -> T,
) -> Result<T, ParseError> {
    let mut error = None;
    let mut fields = Fields {
        document,
        path: String::new(),
        fields,
        error: &mut error,
    };
    let format = fields.number("format", u64::MAX);
    if fields.error.is_none() && format != u64::from(FORMAT) {
        return Err(ParseError::new(document, Kind::UnknownFormat { format }));
    }
    let value = build(&mut fields);
    match error {
        None => Ok(value),
        Some(error) => Err(error),
    }
}

fn open(
    document: &'static str,
    text: &str,
    limit: usize,
) -> Result<Vec<(String, Value)>, ParseError> {
    let read = |part| match json::read(text.get(part).unwrap_or_default()) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Kind::NotAnObject),
        Err(fault) => Err(kind_of(fault)),
    };
    look(text, limit)
        .and_then(read)
        .map_err(|kind| ParseError::new(document, kind))
}

/// Looks for the usual strangers. Returns the part of `text` that may be a document.
fn look(text: &str, limit: usize) -> Result<Range<usize>, Kind> {
    const SPACE: [char; 4] = [' ', '\n', '\r', '\t'];
    let size = text.len();
    let rest = text
        .trim_start_matches('\u{feff}')
        .trim_start_matches(SPACE);
    let start = size - rest.len();
    let end = start + rest.trim_end_matches(SPACE).len();
    if size > limit {
        Err(Kind::TooLarge { size, limit })
    } else if rest.is_empty() {
        Err(Kind::Empty)
    } else if rest.starts_with('<') {
        Err(Kind::Html)
    } else {
        Ok(start..end)
    }
}

fn kind_of(fault: Fault) -> Kind {
    match fault {
        Fault::CutOff => Kind::CutOff,
        Fault::At(at) => Kind::NotJson { at: Some(at) },
        Fault::TooDeep => Kind::NotJson { at: None },
    }
}

/// Longest message in characters: what a prompt can show.
pub const MESSAGE_LIMIT: usize = 500;

/// Whether `id` may name a build, an app or a channel: it is compared, shown and used as a file name.
pub fn is_id(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= ID_LIMIT
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
        && !id.bytes().all(|byte| byte == b'.')
}

/// Whether `path` stays below the place it is resolved against, as a URL and as a file: no scheme, no host, no way up.
pub fn is_relative_path(path: &str) -> bool {
    !path.is_empty()
        && path.len() <= PATH_LIMIT
        && !path.contains(|character: char| {
            character.is_control() || matches!(character, '\\' | '?' | '#')
        })
        && path
            .split('/')
            .all(|segment| !segment.is_empty() && !is_dot_segment(segment))
        && !path
            .split('/')
            .next()
            .is_some_and(|first| first.contains(':'))
}

/// Whether a URL parser would read `segment` as `.` or `..`; it also undoes `%2e`.
fn is_dot_segment(segment: &str) -> bool {
    let mut rest = segment;
    let mut dots = 0;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            rest = after;
        } else if rest
            .get(..3)
            .is_some_and(|start| start.eq_ignore_ascii_case("%2e"))
        {
            rest = rest.get(3..).unwrap_or_default();
        } else {
            return false;
        }
        dots += 1;
    }
    dots <= 2
}

/// Whether `text` is one hash as in an `integrity` attribute.
pub fn is_integrity(text: &str) -> bool {
    let Some((algorithm, hash)) = text.split_once('-') else {
        return false;
    };
    let length = match algorithm {
        "sha256" => 44,
        "sha384" => 64,
        "sha512" => 88,
        _ => return false,
    };
    hash.len() == length
        && hash
            .trim_end_matches('=')
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

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

#[cfg(test)]
mod tests;
