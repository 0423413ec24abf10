//! The metadata that changes when a file is replaced or written. It is cheap to read, and enough to validate a copy in
//! memory.

use std::fs::{self, Metadata};
use std::io;
use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// The resolution of file times: a clock tick or a second on the file systems that sites are on.
const TICK: Duration = Duration::from_secs(1);

/// How long a file counts as unchanged after a check. A busy server gets a hundred requests in this time, and each
/// check is a system call; no deploy is that fast.
const HOLDS_FOR: Duration = Duration::from_millis(1);

/// The origin of [`moment`]: an `Instant` cannot be shared without a lock.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// When a file was last found to be unchanged.
#[derive(Debug, Default)]
pub struct Unchanged {
    /// Microseconds since `START`; 0 before the first check.
    at: AtomicU64,
}

impl Unchanged {
    /// Whether the file does not have to be checked.
    pub fn holds(&self) -> bool {
        let at = self.at.load(Ordering::Relaxed);
        at != 0 && moment().saturating_sub(at) < HOLDS_FOR.as_micros() as u64
    }

    /// Records a check. `at` is the [`moment`] before it, since a check may take long.
    pub fn note(&self, at: u64) {
        self.at.store(at, Ordering::Relaxed);
    }
}

/// Now, in microseconds since `START`; never 0.
pub fn moment() -> u64 {
    u64::try_from(START.elapsed().as_micros()).map_or(u64::MAX, |at| at + 1)
}

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

    /// Whether a write within the same clock tick could change the bytes and not the stamp.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_looked_at_again_after_a_moment() {
        let unchanged = Unchanged::default();
        assert!(!unchanged.holds(), "it was never looked at");
        unchanged.note(moment());
        std::thread::sleep(2 * HOLDS_FOR);
        assert!(!unchanged.holds());
    }
}
