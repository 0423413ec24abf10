//! Why the release on disk is not served: it is incomplete, it cannot be read now, or it is invalid.

use std::fmt;

use serde::de::IgnoredAny;

use crate::error::Error;

/// Why a release cannot be served now.
#[derive(Debug)]
pub enum Unready {
    /// Files are missing: a copy is going on, in an order that differs from that of `publish`.
    Waiting(Lack, String),
    /// A file ends too early: it is being written.
    Unfinished(Error),
    /// The system could not read it: too many open files, a network disk that is offline.
    Failed(Error),
    /// It is complete and invalid, and stays so until it is replaced.
    Refused(Error),
}

/// What is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    Manifest,
    Files,
}

impl Unready {
    /// A document that cannot be parsed: still being written if it ends too early, else invalid.
    pub fn unparsed(bytes: &[u8], error: Error) -> Self {
        let ends_early =
            serde_json::from_slice::<IgnoredAny>(bytes).is_err_and(|error| error.is_eof());
        if ends_early {
            Self::Unfinished(error)
        } else {
            Self::Refused(error)
        }
    }

    /// Equal for states that are reported only once.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Waiting(Lack::Manifest, _) => "manifest",
            Self::Waiting(Lack::Files, _) => "files",
            Self::Unfinished(_) => "rest",
            Self::Failed(_) => "failed",
            Self::Refused(_) => "refused",
        }
    }
}

impl From<Error> for Unready {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl fmt::Display for Unready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting(_, what) => write!(f, "waiting for {what}"),
            Self::Unfinished(error) => write!(f, "waiting for the rest of a file: {error}"),
            Self::Failed(error) => write!(
                f,
                "waiting, because the release cannot be read now: {error}"
            ),
            Self::Refused(error) => write!(f, "refused: {error}"),
        }
    }
}
