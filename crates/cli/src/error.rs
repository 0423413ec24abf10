//! One error type for every command: a stable code for scripts, a sentence for people.

use std::fmt;
use std::io;
use std::path::Path;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a command could not do its work.
///
/// The code is stable and machine-readable (`dist-missing`); the sentence names the thing and the value.
#[derive(Debug)]
pub struct Error {
    code: &'static str,
    sentence: String,
}

impl Error {
    pub fn new(code: &'static str, sentence: impl Into<String>) -> Self {
        Self {
            code,
            sentence: sentence.into(),
        }
    }

    /// An operating-system refusal on one path: `could not write SITE/x: permission denied`.
    pub fn io(doing: &str, path: &Path, error: &io::Error) -> Self {
        let code = match error.kind() {
            io::ErrorKind::PermissionDenied => "permission-denied",
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "disk-full",
            io::ErrorKind::ReadOnlyFilesystem => "read-only",
            _ => "io",
        };
        Self::new(
            code,
            format!("could not {doing} {}: {error}", path.display()),
        )
    }

    pub fn code(&self) -> &'static str {
        self.code
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for Error {}

/// Adds the path and the verb to an [`io::Error`].
pub trait At<T> {
    fn at(self, doing: &str, path: &Path) -> Result<T>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, doing: &str, path: &Path) -> Result<T> {
        self.map_err(|error| Error::io(doing, path, &error))
    }
}
