//! What the documents on the server have in common: how a text becomes a value, and what may go wrong.
//!
//! A text is measured, checked for what usually stands in for JSON (nothing, HTML, half a document), and read by serde, which
//! keeps the rules of each field. So a value that was read is a valid one.

mod error;
mod rules;
mod surrogates;
mod time;

use alloc::string::String;

use serde::{
    Deserialize, Serialize,
    de::{DeserializeOwned, IgnoredAny},
};

use error::Kind;
pub use error::ParseError;
pub use rules::{ID_LIMIT, MESSAGE_LIMIT, is_id, is_integrity, is_relative_path};
pub(super) use rules::{
    Id, Integrity, Message, Moment, RelativePath, build_id, check, format, maybe_number,
    maybe_text, named, number, or_default, percent, text, texts,
};
pub use time::time;

/// The only format number of all documents so far.
pub const FORMAT: u32 = 1;

/// The largest integer that JavaScript, and so every tool on the way, holds exactly.
pub const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// Writes a value as JSON, on one line.
pub fn to_json(value: &impl Serialize) -> String {
    // serde_json fails on maps whose keys are not text, and on writers that fail: we have neither.
    serde_json::to_string(value).unwrap_or_default()
}

/// Reads JSON of our own, such as a record in the storage of the browser; `None` when something else lies there.
pub fn from_own_json<'t, T: Deserialize<'t>>(json: &'t str) -> Option<T> {
    serde_json::from_str(json).ok()
}

/// Reads a document of at most `limit` bytes; halves of characters in it are replaced.
pub(super) fn read_owned<T: DeserializeOwned>(
    document: &'static str,
    text: &str,
    limit: usize,
) -> Result<T, ParseError> {
    read(document, text, limit).or_else(|error| match repaired(&error, text) {
        Some(text) => read(document, &text, limit),
        None => Err(error),
    })
}

/// The text of a document that could not be read for halves of characters, without them.
pub(super) fn repaired(error: &ParseError, text: &str) -> Option<String> {
    (error.code() == "not_json")
        .then(|| surrogates::replaced(text))
        .flatten()
}

/// Reads a document of at most `limit` bytes, in which parts of `text` may stay as they are.
pub(super) fn read<'t, T: Deserialize<'t>>(
    document: &'static str,
    text: &'t str,
    limit: usize,
) -> Result<T, ParseError> {
    json_of(text, limit)
        .and_then(|json| {
            from_json(json).map_err(|kind| match version_of(json) {
                // What else is wrong then may be right in that format.
                Some(format) if format != u64::from(FORMAT) => Kind::UnknownFormat { format },
                _ => kind,
            })
        })
        .map_err(|kind| ParseError::new(document, kind))
}

/// Reads a part of a document, which was seen to be JSON.
pub(super) fn read_part<T: DeserializeOwned>(
    document: &'static str,
    text: &str,
) -> Result<T, ParseError> {
    let part = |text: &str| from_json(text).map_err(|kind| ParseError::new(document, kind));
    part(text).or_else(|error| match repaired(&error, text) {
        Some(text) => part(&text),
        None => Err(error),
    })
}

/// The text without what may stand around JSON.
fn json_of(text: &str, limit: usize) -> Result<&str, Kind> {
    const SPACE: [char; 4] = [' ', '\n', '\r', '\t'];
    let size = text.len();
    let json = text.trim_start_matches('\u{feff}').trim_matches(SPACE);
    if size > limit {
        Err(Kind::TooLarge { size, limit })
    } else if json.is_empty() {
        Err(Kind::Empty)
    } else if json.starts_with('<') {
        Err(Kind::Html)
    } else {
        Ok(json)
    }
}

fn from_json<'t, T: Deserialize<'t>>(json: &'t str) -> Result<T, Kind> {
    // serde would take a list for a struct.
    if !json.starts_with('{') {
        return Err(match serde_json::from_str::<IgnoredAny>(json) {
            Ok(_) => Kind::NotAnObject,
            Err(error) => Kind::of("", &error),
        });
    }
    let mut reader = serde_json::Deserializer::from_str(json);
    let value = deserialize(&mut reader)?;
    match reader.end() {
        Ok(()) => Ok(value),
        Err(error) => Err(Kind::of("", &error)),
    }
}

type Reader<'t> = serde_json::Deserializer<serde_json::de::StrRead<'t>>;

/// With the place of what is wrong, as `build.manifest`.
#[cfg(not(target_family = "wasm"))]
fn deserialize<'t, T: Deserialize<'t>>(reader: &mut Reader<'t>) -> Result<T, Kind> {
    serde_path_to_error::deserialize(reader).map_err(|error| {
        let path = alloc::string::ToString::to_string(error.path());
        let field = if path == "." { "" } else { &path };
        Kind::of(field, error.inner())
    })
}

/// Without the place, which costs a page 5 kB: there the code counts, and `changeover verify` says the rest.
#[cfg(target_family = "wasm")]
fn deserialize<'t, T: Deserialize<'t>>(reader: &mut Reader<'t>) -> Result<T, Kind> {
    T::deserialize(reader).map_err(|error| Kind::of("", &error))
}

/// The number of the document's format, where it can be read.
fn version_of(json: &str) -> Option<u64> {
    #[derive(Deserialize)]
    struct Version {
        format: u64,
    }
    serde_json::from_str(json)
        .ok()
        .map(|Version { format }| format)
}

#[cfg(test)]
mod tests;
