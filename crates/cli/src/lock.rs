//! The lock of a site: one command changes it at a time.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::atomic_write::same_inode;
use crate::error::{At, Error, Result};
use crate::site::Site;

/// How long a command waits for another one to finish before it gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often it looks whether the other one has finished.
const RETRY_AFTER: Duration = Duration::from_millis(50);

/// Held while a site is being changed. The system releases it when the process ends, however it ends.
#[must_use]
#[derive(Debug)]
pub struct Lock {
    _file: File,
    path: PathBuf,
    removes_file: bool,
}

impl Lock {
    /// Waits until no other process holds it. Errors: `site-busy`.
    pub fn take(site: &Site) -> Result<Self> {
        let path = site.guard().join(".lock");
        let start = Instant::now();
        loop {
            if let Some(file) = try_take(&path)? {
                return Ok(Self {
                    _file: file,
                    path,
                    removes_file: false,
                });
            }
            if start.elapsed() >= PATIENCE {
                return Err(Error::new(
                    "site-busy",
                    format!(
                        "another publish or rollback has been changing {} for {} seconds; try again when it is done",
                        site.root().display(),
                        PATIENCE.as_secs()
                    ),
                ));
            }
            std::thread::sleep(RETRY_AFTER);
        }
    }

    /// Leaves no file behind, for a folder that is copied to a host.
    pub fn remove_file_at_the_end(&mut self) {
        self.removes_file = true;
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.removes_file {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// `None`: another process holds it.
fn try_take(path: &Path) -> Result<Option<File>> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .at("open", path)?;
    match file.try_lock() {
        // The process that held it may have removed the file since it was opened here: then the lock is worth nothing.
        Ok(()) => Ok(is_at(&file, path).then_some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(Error::io("lock", path, &error)),
    }
}

fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(open), Ok(named)) = (file.metadata(), fs::metadata(path)) else {
        return false;
    };
    same_inode(&open, &named) || cfg!(not(unix))
}
