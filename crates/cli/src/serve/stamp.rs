//! What changes when a file is replaced or written: cheap to look at, and enough to know that a copy in memory is good.

use std::fs::{self, Metadata};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Twice the coarsest time stamp of a common file system (FAT: two seconds) would be four; those that sites lie on have
/// a clock tick or a second.
const TICK: Duration = Duration::from_secs(1);

/// The identity and age of a file's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    inode: (u64, u64),
    pub size: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    pub fn of(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(|found| Self::from(&found))
    }

    /// Whether a write within the same tick of the clock could leave this stamp and other bytes.
    pub fn is_young(&self) -> bool {
        self.modified
            .and_then(|modified| SystemTime::now().duration_since(modified).ok())
            .is_none_or(|age| age < TICK)
    }

    /// For the ETag of a file whose bytes were not hashed.
    pub fn text(&self) -> String {
        let modified = self
            .modified
            .and_then(|modified| modified.duration_since(SystemTime::UNIX_EPOCH).ok())
            .unwrap_or_default();
        format!("{:x}-{:x}", self.size, modified.as_nanos())
    }
}

impl From<&Metadata> for Stamp {
    fn from(found: &Metadata) -> Self {
        #[cfg(unix)]
        let inode = {
            use std::os::unix::fs::MetadataExt;
            (found.dev(), found.ino())
        };
        #[cfg(not(unix))]
        let inode = (0, 0);
        Self {
            inode,
            size: found.len(),
            modified: found.modified().ok(),
        }
    }
}
