//! Errors of shared stores, as apps see them.

use alloc::string::String;
use core::fmt;

use super::mode::{ReadOnlyReason, RefuseReason};
use crate::engine::excerpt::quoted;

/// Why a read or a write of a shared store did not happen. Nothing has changed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DurableError {
    store: String,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    ReadOnly { reason: ReadOnlyReason },
    Refused { reason: RefuseReason },
    Backup { schema: u32 },
    Conflict { key: String },
    Untranslated { key: String, why: Untranslated },
    Storage { failure: Failure },
    Busy { key: String },
    Closed,
}

/// Why a transaction failed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The disk or the quota of the origin is full.
    Quota,
    /// The database did not open in time, or closed.
    Unavailable { message: String },
    /// Any other error of the database.
    Failed { message: String },
}

/// Why a value could not be translated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Untranslated {
    /// A complete sentence.
    pub message: String,
    /// The step that failed, as in `2 -> 3 (up)`.
    pub step: Option<String>,
    /// Where in the value, as in `items[0].price`.
    pub path: Option<String>,
}

impl From<String> for Untranslated {
    fn from(message: String) -> Self {
        Self {
            message,
            ..Self::default()
        }
    }
}

impl Failure {
    /// What happened, as the end of a sentence.
    pub fn sentence(&self) -> String {
        match self {
            Self::Quota => "there is no space left to write to".into(),
            Self::Unavailable { message } => format!("the database is not available: {message}"),
            Self::Failed { message } => format!("the database failed: {message}"),
        }
    }
}

impl DurableError {
    pub(super) fn new(store: &str, kind: Kind) -> Self {
        Self {
            store: store.into(),
            kind,
        }
    }

    /// A stable name for the kind of error.
    pub fn code(&self) -> &'static str {
        match &self.kind {
            Kind::ReadOnly { .. } => "read_only",
            Kind::Refused { .. } => "refused",
            Kind::Backup { .. } => "backup_only",
            Kind::Conflict { .. } => "conflict",
            Kind::Untranslated { .. } => "untranslated",
            Kind::Storage { failure } => match failure {
                Failure::Quota => "quota",
                Failure::Unavailable { .. } => "unavailable",
                Failure::Failed { .. } => "storage_failed",
            },
            Kind::Busy { .. } => "busy",
            Kind::Closed => "closed",
        }
    }

    /// The details, for a value that could not be translated.
    pub fn untranslated(&self) -> Option<&Untranslated> {
        match &self.kind {
            Kind::Untranslated { why, .. } => Some(why),
            _ => None,
        }
    }
}

impl DurableError {
    /// A sentence that says what failed and why.
    pub fn sentence(&self) -> String {
        let end = match &self.kind {
            Kind::ReadOnly { reason } => {
                format!(" is read-only for this build: {}", reason.sentence())
            }
            Kind::Refused { reason } => format!(" is refused to this build: {}", reason.sentence()),
            Kind::Backup { schema } => format!(
                " has gone on from schema {}; this build reads its backup and cannot write",
                schema
            ),
            Kind::Conflict { key } => {
                format!(": {} was changed since this tab last saw it", quoted(key))
            }
            Kind::Untranslated { key, why } => {
                format!(": {} could not be translated: {}", quoted(key), why.message)
            }
            Kind::Storage { failure } => format!(": {}", failure.sentence()),
            Kind::Busy { key } => format!(
                ": {} was changed by others each time this tab tried to write it",
                quoted(key)
            ),
            Kind::Closed => " is closed".into(),
        };
        format!("store {}{end}", quoted(&self.store))
    }
}

impl fmt::Display for DurableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence())
    }
}

impl fmt::Debug for DurableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DurableError({}: {self})", self.code())
    }
}

impl core::error::Error for DurableError {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{collections::BTreeSet, format, string::ToString};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn every_kind_of_error_has_a_code_and_a_sentence_of_its_own() {
        let key = || "k".to_string();
        let message = || "why".to_string();
        let table = [
            (
                Kind::ReadOnly {
                    reason: ReadOnlyReason::NoDown { schema: 2 },
                },
                " is read-only for this build: tabs on schema 2 may be open, and this build has no step down to it",
            ),
            (
                Kind::Refused {
                    reason: RefuseReason::Newer { schema: 3 },
                },
                " is refused to this build: it has gone on to schema 3, and nothing is left of the one this build knows",
            ),
            (
                Kind::Backup { schema: 2 },
                " has gone on from schema 2; this build reads its backup and cannot write",
            ),
            (
                Kind::Conflict { key: key() },
                ": \"k\" was changed since this tab last saw it",
            ),
            (
                Kind::Untranslated {
                    key: key(),
                    why: message().into(),
                },
                ": \"k\" could not be translated: why",
            ),
            (
                Kind::Storage {
                    failure: Failure::Quota,
                },
                ": there is no space left to write to",
            ),
            (
                Kind::Storage {
                    failure: Failure::Unavailable { message: message() },
                },
                ": the database is not available: why",
            ),
            (
                Kind::Storage {
                    failure: Failure::Failed { message: message() },
                },
                ": the database failed: why",
            ),
            (
                Kind::Busy { key: key() },
                ": \"k\" was changed by others each time this tab tried to write it",
            ),
            (Kind::Closed, " is closed"),
        ];
        let mut codes = BTreeSet::new();
        for (kind, sentence) in table {
            let error = DurableError::new("cart", kind);
            assert_eq!(error.to_string(), format!("store \"cart\"{sentence}"));
            assert!(codes.insert(error.code()), "{} is used twice", error.code());
        }
    }

    #[test]
    fn every_reason_has_a_sentence_of_its_own() {
        let sentences = [
            RefuseReason::Head {
                message: "its head is broken".into(),
            }
            .to_string(),
            RefuseReason::ForeignSchema {
                schema: 7,
                message: "why".into(),
            }
            .to_string(),
            RefuseReason::NoPath { schema: 1 }.to_string(),
            RefuseReason::Newer { schema: 1 }.to_string(),
            RefuseReason::Reviving { schema: 1 }.to_string(),
            RefuseReason::MinReader { schema: 1 }.to_string(),
            ReadOnlyReason::NoDown { schema: 1 }.to_string(),
            ReadOnlyReason::LossyDown { schema: 1 }.to_string(),
            ReadOnlyReason::MinWriter { schema: 1 }.to_string(),
        ];
        let different: BTreeSet<&String> = sentences.iter().collect();
        assert_eq!(different.len(), sentences.len());
    }
}
