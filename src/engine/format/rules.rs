//! The rules of the values in documents, and how serde keeps them.
//!
//! A field that has a rule names it: `#[serde(deserialize_with = "text::<Id, _>")]`. A `null` counts as absent.

use alloc::{string::String, vec::Vec};

use serde::{
    Deserialize, Deserializer,
    de::{Error, Unexpected},
};

use super::{FORMAT, MAX_SAFE_INTEGER, time};
use crate::{
    engine::excerpt::excerpt,
    ids::{BuildId, Names},
};

/// Longest id of a build, an app or a channel, in bytes; ids become file names.
pub const ID_LIMIT: usize = 64;

/// Longest path in bytes; what common file systems and URL parsers on the way take.
const PATH_LIMIT: usize = 1024;

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

/// What a text has to be.
pub(in crate::engine) trait Rule {
    const EXPECTED: &'static str;
    fn keeps(text: &str) -> bool;
}

/// [`is_id`].
pub(in crate::engine) struct Id;

/// [`is_relative_path`].
pub(in crate::engine) struct RelativePath;

/// [`is_integrity`].
pub(in crate::engine) struct Integrity;

/// [`time::time`].
pub(in crate::engine) struct Moment;

/// At most [`MESSAGE_LIMIT`] characters.
pub(in crate::engine) struct Message;

impl Rule for Id {
    const EXPECTED: &'static str = "1 to 64 letters, digits, '.', '_' or '-', and not only dots";

    fn keeps(text: &str) -> bool {
        is_id(text)
    }
}

impl Rule for RelativePath {
    const EXPECTED: &'static str = "a relative path without '..', scheme or host";

    fn keeps(text: &str) -> bool {
        is_relative_path(text)
    }
}

impl Rule for Integrity {
    const EXPECTED: &'static str = "'sha256-', 'sha384-' or 'sha512-' and the hash in base64";

    fn keeps(text: &str) -> bool {
        is_integrity(text)
    }
}

impl Rule for Moment {
    const EXPECTED: &'static str = "a time such as 2026-07-31T12:00:00Z";

    fn keeps(text: &str) -> bool {
        time::time(text).is_some()
    }
}

impl Rule for Message {
    const EXPECTED: &'static str = "a text of at most 500 characters";

    fn keeps(text: &str) -> bool {
        text.chars().count() <= MESSAGE_LIMIT
    }
}

/// Refuses a text that breaks the rule.
#[inline(never)]
pub(in crate::engine) fn check<R: Rule, E: Error>(text: &str) -> Result<(), E> {
    match R::keeps(text) {
        true => Ok(()),
        false => Err(E::invalid_value(
            Unexpected::Str(&excerpt(text)),
            &R::EXPECTED,
        )),
    }
}

#[inline(never)]
pub(in crate::engine) fn text<'de, R: Rule, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    check::<R, _>(&text).map(|()| text)
}

#[inline(never)]
pub(in crate::engine) fn maybe_text<'de, R: Rule, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.as_deref().map_or(Ok(()), check::<R, _>).map(|()| text)
}

/// A list of texts that each keep the rule.
#[inline(never)]
pub(in crate::engine) fn texts<'de, R: Rule, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<String>, D::Error> {
    let texts: Vec<String> = or_default(deserializer)?;
    texts
        .iter()
        .try_for_each(|text| check::<R, _>(text))
        .map(|()| texts)
}

/// An object whose names keep the rule.
#[inline(never)]
pub(in crate::engine) fn named<'de, R: Rule, V: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Names<V>, D::Error> {
    let names: Names<V> = or_default(deserializer)?;
    names
        .keys()
        .try_for_each(|name| check::<R, _>(name))
        .map(|()| names)
}

#[inline(never)]
pub(in crate::engine) fn build_id<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BuildId, D::Error> {
    text::<Id, D>(deserializer).map(BuildId)
}

/// A value that may be `null`.
#[inline(never)]
pub(in crate::engine) fn or_default<'de, T: Default + Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A whole number that JavaScript holds exactly.
#[inline(never)]
pub(in crate::engine) fn number<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<u64, D::Error> {
    at_most(
        u64::deserialize(deserializer)?,
        MAX_SAFE_INTEGER,
        &"a whole number from 0 to 9007199254740991",
    )
}

#[inline(never)]
pub(in crate::engine) fn maybe_number<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u64>, D::Error> {
    match Option::<u64>::deserialize(deserializer)? {
        Some(number) => at_most(
            number,
            MAX_SAFE_INTEGER,
            &"a whole number from 0 to 9007199254740991",
        )
        .map(Some),
        None => Ok(None),
    }
}

/// The number of the format; [`super::read`] tells a later one from a wrong one.
pub(in crate::engine) fn format<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<u32, D::Error> {
    match u64::deserialize(deserializer)? {
        1 => Ok(FORMAT),
        other => Err(D::Error::invalid_value(Unexpected::Unsigned(other), &"1")),
    }
}

#[inline(never)]
pub(in crate::engine) fn percent<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<u8, D::Error> {
    // At most 100, so the conversion holds.
    at_most(
        u64::deserialize(deserializer)?,
        100,
        &"a whole number from 0 to 100",
    )
    .map(|it| it as u8)
}

fn at_most<E: Error>(number: u64, most: u64, expected: &&str) -> Result<u64, E> {
    match number <= most {
        true => Ok(number),
        false => Err(E::invalid_value(Unexpected::Unsigned(number), expected)),
    }
}
