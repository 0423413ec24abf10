//! The release: the server's small mutable pointer that says which build to run, how urgently, and for whom.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Deserializer, Serialize};

use super::format::{
    self, FORMAT, Id, Integrity, Message, Moment, ParseError, RelativePath, build_id, maybe_number,
    maybe_text, number, or_default, percent,
};
use crate::{ids::BuildId, listed::listed};

pub use super::format::MESSAGE_LIMIT;

/// Most bytes of a release that are read. A release has some hundred; this leaves room for thousands of retired
/// builds and stops a login page or a video early.
pub const RELEASE_LIMIT: usize = 64 * 1024;

const DOCUMENT: &str = "release.json";

/// Which build to run, how urgently, and for whom. Ordered by `sequence`, never by the ids of builds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Always [`FORMAT`].
    #[serde(default = "first_format", deserialize_with = "format::format")]
    pub format: u32,
    /// `None`, as in a release that was made by hand: for any app that asks for it.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "maybe_text::<Id, _>"
    )]
    pub app: Option<String>,
    #[serde(default = "stable", deserialize_with = "channel")]
    pub channel: String,
    /// Grows with every release, a rollback included; at most 2^53 - 1.
    #[serde(deserialize_with = "number")]
    pub sequence: u64,
    /// ISO 8601.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "maybe_text::<Moment, _>"
    )]
    pub issued: Option<String>,
    /// ISO 8601; afterwards the freshness of the release is unknown, and nothing happens by itself.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "maybe_text::<Moment, _>"
    )]
    pub expires: Option<String>,
    pub build: BuildRef,
    #[serde(default, deserialize_with = "or_default")]
    pub urgency: Urgency,
    /// Plain text for the prompt.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "maybe_text::<Message, _>"
    )]
    pub message: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<Rollout>,
    /// Releases below this sequence must be left.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "maybe_number"
    )]
    pub floor: Option<u64>,
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "or_default"
    )]
    pub retire: Vec<Retire>,
}

/// A build and where its manifest is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildRef {
    #[serde(deserialize_with = "build_id")]
    pub id: BuildId,
    /// Path of the manifest relative to `release.json`. Without one, what the build changes is not known.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "maybe_text::<RelativePath, _>"
    )]
    pub manifest: Option<String>,
    /// Hash of the manifest's bytes, as in an `integrity` attribute.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "maybe_text::<Integrity, _>"
    )]
    pub integrity: Option<String>,
}

listed! {
    /// How much it matters that tabs move.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    pub enum Urgency {
        #[default]
        Routine,
        Soon,
        /// The page counts down and then moves by itself.
        Now,
    }
}

/// Which part of the browsers gets the release's build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollout {
    /// 0 to 100.
    #[serde(deserialize_with = "percent")]
    pub percent: u8,
    /// Decides with the visitor who is in; the same salt keeps the same visitors.
    pub salt: String,
    /// What the others run; without it they stay where they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<BuildRef>,
}

/// A build that must be left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retire {
    #[serde(deserialize_with = "build_id")]
    pub build: BuildId,
    pub how: How,
    /// ISO 8601; from then on `drain` is `force`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "maybe_text::<Moment, _>"
    )]
    pub by: Option<String>,
}

/// How a build is retired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// Ask, even where nothing the page has loaded changed.
    Drain,
    /// As with urgency `now`.
    Force,
}

impl Release {
    /// Reads and checks the text of a `release.json`. Only `sequence` and `build.id` must be there; unknown fields pass.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        format::read_owned(DOCUMENT, text, RELEASE_LIMIT)
    }

    /// Writes the release, indented, fields in the order of the type.
    pub fn to_json(&self) -> String {
        // Only maps with odd keys or failing writers make serde_json fail; there is neither.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// A release of `build` with nothing optional set.
    pub fn new(app: &str, channel: &str, sequence: u64, issued: &str, build: BuildRef) -> Self {
        Self {
            format: FORMAT,
            app: Some(app.into()),
            channel: channel.into(),
            sequence,
            issued: Some(issued.into()),
            expires: None,
            build,
            urgency: Urgency::default(),
            message: None,
            rollout: None,
            floor: None,
            retire: Vec::new(),
        }
    }
}

fn first_format() -> u32 {
    FORMAT
}

fn stable() -> String {
    "stable".into()
}

fn channel<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    maybe_text::<Id, _>(deserializer).map(|channel| channel.unwrap_or_else(stable))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const SMALLEST: &str = r#"{"format":1,"app":"shop","sequence":3115,"issued":"2026-07-31T12:00:00Z",
        "build":{"id":"9eedfbeeca","manifest":"builds/9eedfbeeca.json"}}"#;

    #[test]
    fn the_smallest_release_gets_the_defaults() {
        let release = Release::parse(SMALLEST).unwrap();
        assert_eq!(release.channel, "stable");
        assert_eq!(release.urgency, Urgency::Routine);
        assert_eq!(release.retire, []);
        assert_eq!(Release::parse(&release.to_json()).unwrap(), release);
    }

    #[test]
    fn a_number_and_a_build_are_enough() {
        let release = Release::parse(r#"{"sequence":7,"build":{"id":"two"}}"#).unwrap();
        assert_eq!((release.sequence, release.build.id.0.as_str()), (7, "two"));
        assert_eq!(
            (&release.app, &release.issued, &release.build.manifest),
            (&None, &None, &None)
        );
        assert_eq!(Release::parse(&release.to_json()).unwrap(), release);
    }

    #[test]
    fn a_message_that_was_cut_in_the_middle_of_a_character_costs_that_character_alone() {
        let text = SMALLEST.replacen('{', r#"{"message":"New: \ud83d\ude00\ud83d","#, 1);
        let release = Release::parse(&text).unwrap();
        assert_eq!(release.message.as_deref(), Some("New: 😀\u{fffd}"));
    }

    #[test]
    fn unknown_fields_pass() {
        let text = SMALLEST.replacen('{', r#"{"colour":"blue","nested":{"a":[1]},"#, 1);
        assert_eq!(
            Release::parse(&text).unwrap(),
            Release::parse(SMALLEST).unwrap()
        );
    }

    #[test]
    fn an_error_names_the_field_and_its_value() {
        for (from, to, code, sentence) in [
            (
                "\"format\":1",
                "\"format\":2",
                "unknown_format",
                "release.json has format 2, and only format 1 is known",
            ),
            (
                "\"sequence\":3115,",
                "",
                "missing_field",
                "release.json has no sequence",
            ),
            (
                "builds/9eedfbeeca.json",
                "../x.json",
                "invalid_value",
                "release.json has a wrong build.manifest: invalid value: string \"../x.json\", expected a relative path without '..', scheme or host",
            ),
            (
                "3115",
                "9007199254740992",
                "invalid_value",
                "release.json has a wrong sequence: invalid value: integer `9007199254740992`, expected a whole number from 0 to 9007199254740991",
            ),
            (
                "2026-07-31T12:00:00Z",
                "today",
                "invalid_value",
                "release.json has a wrong issued: invalid value: string \"today\", expected a time such as 2026-07-31T12:00:00Z",
            ),
            (
                "\"sequence\"",
                "\"rollout\":{\"percent\":101,\"salt\":\"\"},\"sequence\"",
                "invalid_value",
                "release.json has a wrong rollout.percent: invalid value: integer `101`, expected a whole number from 0 to 100",
            ),
        ] {
            let error = Release::parse(&SMALLEST.replace(from, to)).unwrap_err();
            assert_eq!((error.code(), error.to_string().as_str()), (code, sentence));
        }
    }

    #[test]
    fn odd_answers_have_names_of_their_own() {
        for (text, code) in [
            ("", "empty"),
            (" \r\n", "empty"),
            ("<!doctype html><title>Login</title>", "html"),
            ("{\"format\":1,\"app\":\"sh", "cut_off"),
            ("Bad gateway", "not_json"),
            ("[]", "not_an_object"),
        ] {
            assert_eq!(Release::parse(text).unwrap_err().code(), code, "{text}");
        }
        assert_eq!(
            Release::parse(&" ".repeat(RELEASE_LIMIT + 1))
                .unwrap_err()
                .code(),
            "too_large"
        );
    }
}
