//! The release: the server's small mutable pointer that says which build to run, how urgently, and for whom.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use super::{
    format::{
        self, FORMAT, ID_RULE, INTEGRITY_RULE, MAX_SAFE_INTEGER, PATH_RULE, ParseError, TIME_RULE,
        is_id, is_integrity, is_relative_path,
    },
    io::BuildId,
};

/// Most bytes of a release that are read. A release has some hundred; this leaves room for thousands of retired
/// builds and stops a login page or a video early.
pub const RELEASE_LIMIT: usize = 64 * 1024;

/// Longest message in characters: what a prompt can show.
pub const MESSAGE_LIMIT: usize = 500;

const DOCUMENT: &str = "release.json";

/// Which build to run, how urgently, and for whom. Ordered by `sequence`, never by the ids of builds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Always [`FORMAT`].
    pub format: u32,
    pub app: String,
    #[serde(default = "stable")]
    pub channel: String,
    /// Grows with every release, a rollback included; at most 2^53 - 1.
    pub sequence: u64,
    /// ISO 8601.
    pub issued: String,
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
    /// Path of the manifest relative to `release.json`.
    pub manifest: String,
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
    /// Reads and checks the text of a `release.json`. Unknown fields pass.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let release: Self = format::read(DOCUMENT, text, RELEASE_LIMIT)?;
        release.check()?;
        Ok(release)
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
            app: app.into(),
            channel: channel.into(),
            sequence,
            issued: issued.into(),
            expires: None,
            build,
            urgency: Urgency::default(),
            message: None,
            rollout: None,
            floor: None,
            retire: Vec::new(),
        }
    }

    fn check(&self) -> Result<(), ParseError> {
        check_id("app", &self.app)?;
        check_id("channel", &self.channel)?;
        check_sequence("sequence", self.sequence)?;
        check_time("issued", Some(&self.issued))?;
        check_time("expires", self.expires.as_ref())?;
        check_build("build", &self.build)?;
        if let Some(message) = self
            .message
            .as_ref()
            .filter(|message| message.chars().count() > MESSAGE_LIMIT)
        {
            return Err(invalid("message", message, "at most 500 characters"));
        }
        if let Some(rollout) = &self.rollout {
            if rollout.percent > 100 {
                return Err(invalid(
                    "rollout.percent",
                    &alloc::format!("{}", rollout.percent),
                    "0 to 100",
                ));
            }
            if let Some(otherwise) = &rollout.otherwise {
                check_build("rollout.otherwise", otherwise)?;
            }
        }
        if let Some(floor) = self.floor {
            check_sequence("floor", floor)?;
        }
        for retire in &self.retire {
            check_id("retire.build", &retire.build.0)?;
            check_time("retire.by", retire.by.as_ref())?;
        }
        Ok(())
    }
}

fn stable() -> String {
    "stable".into()
}

fn invalid(field: impl Into<String>, value: &str, rule: &'static str) -> ParseError {
    ParseError::invalid(DOCUMENT, field, value, rule)
}

fn check_id(field: &str, id: &str) -> Result<(), ParseError> {
    if is_id(id) {
        Ok(())
    } else {
        Err(invalid(field, id, ID_RULE))
    }
}

fn check_sequence(field: &str, sequence: u64) -> Result<(), ParseError> {
    if sequence <= MAX_SAFE_INTEGER {
        Ok(())
    } else {
        Err(invalid(
            field,
            &alloc::format!("{sequence}"),
            "at most 9007199254740991",
        ))
    }
}

fn check_time(field: &str, text: Option<&String>) -> Result<(), ParseError> {
    match text {
        Some(text) if format::time(text).is_none() => Err(invalid(field, text, TIME_RULE)),
        _ => Ok(()),
    }
}

fn check_build(field: &str, build: &BuildRef) -> Result<(), ParseError> {
    if !is_id(&build.id.0) {
        return Err(invalid(alloc::format!("{field}.id"), &build.id.0, ID_RULE));
    }
    if !is_relative_path(&build.manifest) {
        return Err(invalid(
            alloc::format!("{field}.manifest"),
            &build.manifest,
            PATH_RULE,
        ));
    }
    match &build.integrity {
        Some(integrity) if !is_integrity(integrity) => Err(invalid(
            alloc::format!("{field}.integrity"),
            integrity,
            INTEGRITY_RULE,
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

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
                "\"format\":1,",
                "",
                "wrong_shape",
                "release.json does not have the expected shape: missing field `format` at line 2 column 72",
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
                "release.json has sequence \"9007199254740992\", which must be at most 9007199254740991",
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
                "release.json has rollout.percent \"101\", which must be 0 to 100",
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
            ("[]", "wrong_shape"),
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
