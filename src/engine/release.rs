//! The release: the server's small mutable pointer that says which build to run, how urgently, and for whom.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use super::format::{
    self, ANY, FORMAT, Fields, ID, INTEGRITY, MAX_SAFE_INTEGER, MESSAGE, PATH, ParseError, TIME,
};
use crate::ids::BuildId;

pub use super::format::MESSAGE_LIMIT;

/// Most bytes of a release that are read. A release has some hundred; this leaves room for thousands of retired
/// builds and stops a login page or a video early.
pub const RELEASE_LIMIT: usize = 64 * 1024;

const DOCUMENT: &str = "release.json";

/// Which build to run, how urgently, and for whom. Ordered by `sequence`, never by the ids of builds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Always [`FORMAT`].
    pub format: u32,
    /// `None`, as in a release that was made by hand: for any app that asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    #[serde(default = "stable")]
    pub channel: String,
    /// Grows with every release, a rollback included; at most 2^53 - 1.
    pub sequence: u64,
    /// ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued: Option<String>,
    /// ISO 8601; afterwards the freshness of the release is unknown, and nothing happens by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    pub build: BuildRef,
    #[serde(default)]
    pub urgency: Urgency,
    /// Plain text for the prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<Rollout>,
    /// Releases below this sequence must be left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retire: Vec<Retire>,
}

/// A build and where its manifest is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildRef {
    pub id: BuildId,
    /// Path of the manifest relative to `release.json`. Without one, what the build changes is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
    /// Hash of the manifest's bytes, as in an `integrity` attribute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integrity: Option<String>,
}

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

/// Which part of the browsers gets the release's build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollout {
    /// 0 to 100.
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
    pub build: BuildId,
    pub how: How,
    /// ISO 8601; from then on `drain` is `force`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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
        format::read_by_hand(DOCUMENT, text, RELEASE_LIMIT, Self::read)
    }

    fn read(fields: &mut Fields<'_>) -> Self {
        let urgencies = ["routine", "soon", "now"];
        Self {
            format: FORMAT,
            app: fields.maybe_text("app", ID),
            channel: fields.maybe_text("channel", ID).unwrap_or_else(stable),
            sequence: fields.number("sequence", MAX_SAFE_INTEGER),
            issued: fields.maybe_text("issued", TIME),
            expires: fields.maybe_text("expires", TIME),
            build: BuildRef::read(&mut fields.inner("build")),
            urgency: match fields.maybe_word("urgency", &urgencies, "routine, soon or now") {
                Some(2) => Urgency::Now,
                Some(1) => Urgency::Soon,
                Some(_) | None => Urgency::Routine,
            },
            message: fields.maybe_text("message", MESSAGE),
            rollout: fields
                .maybe_inner("rollout")
                .map(|mut rollout| Rollout::read(&mut rollout)),
            floor: fields.maybe_number("floor", MAX_SAFE_INTEGER),
            retire: fields.inners("retire", Retire::read),
        }
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

impl BuildRef {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            id: BuildId(fields.text("id", ID)),
            manifest: fields.maybe_text("manifest", PATH),
            integrity: fields.maybe_text("integrity", INTEGRITY),
        }
    }
}

impl Rollout {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            // At most 100, so the conversion holds.
            percent: fields.number("percent", 100) as u8,
            salt: fields.text("salt", ANY),
            otherwise: fields
                .maybe_inner("otherwise")
                .map(|mut otherwise| BuildRef::read(&mut otherwise)),
        }
    }
}

impl Retire {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            build: BuildId(fields.text("build", ID)),
            how: match fields.word("how", &["drain", "force"], "drain or force") {
                0 => How::Drain,
                _ => How::Force,
            },
            by: fields.maybe_text("by", TIME),
        }
    }
}

fn stable() -> String {
    "stable".into()
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
                "release.json has build.manifest \"../x.json\", which must be a relative path without '..', scheme or host",
            ),
            (
                "3115",
                "9007199254740992",
                "invalid_value",
                "release.json has sequence 9007199254740992, which must be a whole number from 0 to 9007199254740991",
            ),
            (
                "2026-07-31T12:00:00Z",
                "today",
                "invalid_value",
                "release.json has issued \"today\", which must be a time such as 2026-07-31T12:00:00Z",
            ),
            (
                "\"sequence\"",
                "\"rollout\":{\"percent\":101,\"salt\":\"\"},\"sequence\"",
                "invalid_value",
                "release.json has rollout.percent 101, which must be a whole number from 0 to 100",
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
