//! Why the release on disk is not served: it is still on its way, it could not be read just now, or it is wrong.

use std::fmt;

use serde::de::IgnoredAny;

use crate::error::Error;

/// Why a release cannot be served now.
#[derive(Debug)]
pub enum Unready {
    /// Something is not there yet: a copy is going on, in an order that is not ours.
    Waiting(Lack, String),
    /// A file that ends too early: it is being written.
    Unfinished(Error),
    /// The system could not read it: too many open files, a network disk that is away.
    Failed(Error),
    /// It is whole and wrong, and will be until it is replaced.
    Refused(Error),
}

/// What a copy has not brought yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    Manifest,
    Files,
}

impl Unready {
    /// A document that cannot be used: still being written when it ends too early, else wrong.
    pub fn unparsed(bytes: &[u8], error: Error) -> Self {
        let ends_early =
            serde_json::from_slice::<IgnoredAny>(bytes).is_err_and(|error| error.is_eof());
        if ends_early {
            Self::Unfinished(error)
        } else {
            Self::Refused(error)
        }
    }

    /// Equal for what needs to be said only once.
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
