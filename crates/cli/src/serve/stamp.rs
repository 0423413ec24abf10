//! What changes when a file is replaced or written: cheap to look at, and enough to know that a copy in memory is good.

use std::fs::{self, Metadata};
use std::io;
use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// Twice the coarsest time stamp of a common file system (FAT: two seconds) would be four; those that sites lie on have
/// a clock tick or a second.
const TICK: Duration = Duration::from_secs(1);

/// How long it holds that a file was found unchanged. A busy server is asked a hundred times within it, and each look at
/// the file is a system call; no deploy is as quick.
const HOLDS_FOR: Duration = Duration::from_millis(1);

/// What moments are counted from; those of the clock cannot be shared without a lock.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// When a file was last found to be as it was: to begin with, never.
#[derive(Debug, Default)]
pub struct Unchanged {
    /// Microseconds since `START`; 0 when it was not looked at yet.
    at: AtomicU64,
}

impl Unchanged {
    /// Whether there is no need to look.
    pub fn holds(&self) -> bool {
        let at = self.at.load(Ordering::Relaxed);
        at != 0 && moment().saturating_sub(at) < HOLDS_FOR.as_micros() as u64
    }

    /// It was looked at; `at` is the [`moment`] before that, since a look may take long.
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
