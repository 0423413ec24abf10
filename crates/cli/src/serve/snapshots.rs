//! Keeps the current snapshot of a site for all requests, and follows the pointer on disk.
//!
//! A request checks the stamp of the pointer, which is one system call, unless another request did within a
//! millisecond. When the stamp has changed, the release is read on a thread that may block. While that release cannot
//! be used, the one before is served, and the check is repeated without a limit, since a copy may bring the pointer
//! first.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::snapshot::{Reader, Snapshot, folders};
use super::stamp::{Stamp, Unchanged, moment};
use super::unready::Unready;
use crate::error::Result;
use crate::site::Site;

/// The first delay after a check found the release not ready; each further delay is twice as long.
const SOON: Duration = Duration::from_millis(50);
/// The longest delay while files are arriving.
const LATER: Duration = Duration::from_secs(2);
/// An invalid release is checked again at this interval, in case it was replaced without a change of its stamp.
const MUCH_LATER: Duration = Duration::from_secs(5);
/// The history is read once more this long after its folders changed: files in them may have been incomplete.
const SETTLED: Duration = Duration::from_secs(5);

/// Shared by all requests.
#[derive(Debug)]
pub struct Snapshots {
    site: Site,
    shown: RwLock<Shown>,
    unchanged: Unchanged,
    reader: Arc<Mutex<Reader>>,
}

#[derive(Clone, Debug)]
struct Shown {
    snapshot: Arc<Snapshot>,
    retry: Option<Retry>,
    /// When to read the history once more.
    again: Option<Instant>,
}

/// A pointer that could not be used yet.
#[derive(Clone, Debug)]
struct Retry {
    pointer: Option<Stamp>,
    until: Instant,
    delay: Duration,
    reason: &'static str,
}

impl Snapshots {
    /// Reads the site. If a release is still arriving, the server starts and waits for it.
    ///
    /// Errors: the pointer or its manifest is invalid.
    pub fn new(site: Site) -> Result<Self> {
        let snapshots = Self {
            reader: Arc::new(Mutex::new(Reader::new(site.clone()))),
            site,
            unchanged: Unchanged::default(),
            shown: RwLock::new(Shown {
                snapshot: Arc::new(Snapshot::empty()),
                retry: None,
                again: None,
            }),
        };
        let pointer = snapshots.on_disk();
        let first = snapshots
            .reader
            .try_lock()
            .map(|mut reader| reader.read(None));
        match first.unwrap_or(Ok(None)) {
            Ok(Some(snapshot)) => snapshots.show(snapshot),
            Ok(None) => {}
            Err(Unready::Unfinished(error) | Unready::Refused(error)) => return Err(error),
            Err(unready @ (Unready::Waiting(..) | Unready::Failed(_))) => {
                snapshots.retry_later(pointer, &unready);
            }
        }
        Ok(snapshots)
    }

    pub fn site(&self) -> &Site {
        &self.site
    }

    /// The snapshot as it was last read.
    pub fn last(&self) -> Arc<Snapshot> {
        self.with_shown(|shown| shown.snapshot.clone())
    }

    /// The snapshot for the pointer on disk; while that cannot be used, the one before.
    pub async fn current(self: &Arc<Self>) -> Arc<Snapshot> {
        if self.unchanged.holds() {
            return self.last();
        }
        let (at, shown) = (moment(), self.shown());
        if self.is_due(&shown) {
            self.look(Self::is_due).await;
            return self.last();
        }
        self.unchanged.note(at);
        shown.snapshot
    }

    /// Checks the history, too, which may change without the pointer.
    pub async fn follow(self: &Arc<Self>) -> Arc<Snapshot> {
        let is_due = |snapshots: &Self, shown: &Shown| {
            snapshots.is_due(shown)
                || (shown.snapshot.pointer.is_some()
                    && shown.retry.is_none()
                    && (shown.again.is_some_and(|again| Instant::now() >= again)
                        || shown.snapshot.folders != folders(&snapshots.site)))
        };
        if is_due(self, &self.shown()) {
            self.look(is_due).await;
        }
        self.last()
    }

    async fn look(self: &Arc<Self>, is_due: impl Fn(&Self, &Shown) -> bool) {
        // One reader at a time, so that snapshots are installed in order.
        let turn = self.reader.clone().lock_owned().await;
        if !is_due(self, &self.shown()) {
            return;
        }
        let snapshots = self.clone();
        // The task owns the lock: reading goes on when the request is cancelled.
        let reading = tokio::task::spawn_blocking(move || {
            let mut turn = turn;
            snapshots.read(&mut turn);
        });
        let _ = reading.await;
    }

    fn read(&self, reader: &mut Reader) {
        let pointer = self.on_disk();
        let shown = self.shown();
        let release = shown
            .snapshot
            .pointer
            .as_ref()
            .map(|pointer| &pointer.release);
        match reader.read(release) {
            Ok(Some(snapshot)) => self.show(snapshot),
            // The pointer is gone. The last release stays until there is another one.
            Ok(None) => {}
            Err(unready) => self.retry_later(pointer, &unready),
        }
    }

    fn show(&self, snapshot: Snapshot) {
        let shown = self.shown();
        if shown.retry.is_some()
            && let Some(pointer) = &snapshot.pointer
        {
            let release = &pointer.release;
            eprintln!(
                "note: release {} is there now: build {} is served",
                release.sequence, release.build.id.0
            );
        }
        let is_copied_into =
            shown.snapshot.pointer.is_some() && shown.snapshot.folders != snapshot.folders;
        let again = if snapshot.is_half_adopted() {
            Some(Instant::now() + LATER)
        } else {
            is_copied_into.then(|| Instant::now() + SETTLED)
        };
        self.set(Shown {
            again,
            snapshot: Arc::new(snapshot),
            retry: None,
        });
    }

    fn retry_later(&self, pointer: Option<Stamp>, unready: &Unready) {
        let shown = self.shown();
        let before = shown
            .retry
            .as_ref()
            .filter(|before| before.pointer == pointer && before.reason == unready.kind());
        if before.is_none() {
            let stays = if shown.snapshot.pointer.is_some() {
                "; the release before stays served"
            } else {
                ""
            };
            eprintln!("warning: {unready}{stays}");
        }
        let (least, most) = match unready {
            Unready::Refused(_) => (MUCH_LATER, MUCH_LATER),
            Unready::Waiting(..) | Unready::Unfinished(_) | Unready::Failed(_) => (SOON, LATER),
        };
        let delay = before.map_or(least, |before| (before.delay * 2).min(most));
        self.set(Shown {
            retry: Some(Retry {
                pointer,
                until: Instant::now() + delay,
                delay,
                reason: unready.kind(),
            }),
            ..shown
        });
    }

    fn is_due(&self, shown: &Shown) -> bool {
        let on_disk = self.on_disk();
        let in_view = shown
            .snapshot
            .pointer
            .as_ref()
            .map(|pointer| &pointer.stamp);
        if let Some(retry) = &shown.retry
            && retry.pointer == on_disk
        {
            return Instant::now() >= retry.until;
        }
        on_disk.is_some()
            && (on_disk.as_ref() != in_view
                || (shown.again.is_none() && shown.snapshot.is_half_adopted()))
    }

    /// `None` also when it cannot be read now: then the snapshot stays.
    fn on_disk(&self) -> Option<Stamp> {
        Stamp::of(&self.site.pointer()).ok()
    }

    /// A panic in another thread must not stop the server. The value is replaced as a whole, so it is always valid.
    fn with_shown<T>(&self, take: impl FnOnce(&Shown) -> T) -> T {
        take(&self.shown.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn shown(&self) -> Shown {
        self.with_shown(Shown::clone)
    }

    fn set(&self, shown: Shown) {
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = shown;
    }
}
