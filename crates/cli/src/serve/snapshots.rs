//! Keeps the snapshot of a site that all requests share, and follows the pointer on disk.
//!
//! A request looks at the pointer's stamp, one system call, unless another did within a millisecond. When it has changed,
//! the release is read on a thread that may wait. While it cannot be used, the last one that could stays served, and another look is taken after a while:
//! for as long as it takes, since a copy that is not ours may bring the pointer first.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::snapshot::{Reader, Snapshot, folders};
use super::stamp::{Stamp, Unchanged, moment};
use super::unready::Unready;
use crate::error::Result;
use crate::site::Site;

/// The first wait after a look that found the release not ready; each further one takes twice as long.
const SOON: Duration = Duration::from_millis(50);
/// The longest wait while something is on its way.
const LATER: Duration = Duration::from_secs(2);
/// What is wrong in itself is looked at again only in case it was replaced under an unchanged stamp.
const MUCH_LATER: Duration = Duration::from_secs(5);
/// After the folders of the history changed: what was copied into them may not have been whole.
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
    put_off: Option<PutOff>,
    /// When to read the history once more.
    again: Option<Instant>,
}

/// A pointer that could not be used yet.
#[derive(Clone, Debug)]
struct PutOff {
    pointer: Option<Stamp>,
    until: Instant,
    delay: Duration,
    said: &'static str,
}

impl Snapshots {
    /// Reads the site. What is on its way is waited for while the server runs.
    ///
    /// Errors: a pointer that cannot be used, or whose manifest cannot.
    pub fn new(site: Site) -> Result<Self> {
        let snapshots = Self {
            reader: Arc::new(Mutex::new(Reader::new(site.clone()))),
            site,
            unchanged: Unchanged::default(),
            shown: RwLock::new(Shown {
                snapshot: Arc::new(Snapshot::empty()),
                put_off: None,
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
                snapshots.put_off(pointer, &unready);
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

    /// The snapshot that belongs to the pointer on disk. While that cannot be used, the last one that could.
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

    /// Looks at the history too, for which a change of the pointer is not the only sign.
    pub async fn follow(self: &Arc<Self>) -> Arc<Snapshot> {
        let is_due = |snapshots: &Self, shown: &Shown| {
            snapshots.is_due(shown)
                || (shown.snapshot.pointer.is_some()
                    && shown.put_off.is_none()
                    && (shown.again.is_some_and(|again| Instant::now() >= again)
                        || shown.snapshot.folders != folders(&snapshots.site)))
        };
        if is_due(self, &self.shown()) {
            self.look(is_due).await;
        }
        self.last()
    }

    async fn look(self: &Arc<Self>, is_due: impl Fn(&Self, &Shown) -> bool) {
        // One reader at a time: two of them must not install snapshots in the wrong order.
        let turn = self.reader.clone().lock_owned().await;
        if !is_due(self, &self.shown()) {
            return;
        }
        let snapshots = self.clone();
        // The turn goes along: should the request end, the reading does not.
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
            // The pointer is gone; what it said stays true until another says something else.
            Ok(None) => {}
            Err(unready) => self.put_off(pointer, &unready),
        }
    }

    fn show(&self, snapshot: Snapshot) {
        let shown = self.shown();
        if shown.put_off.is_some()
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
            put_off: None,
        });
    }

    fn put_off(&self, pointer: Option<Stamp>, unready: &Unready) {
        let shown = self.shown();
        let before = shown
            .put_off
            .as_ref()
            .filter(|before| before.pointer == pointer && before.said == unready.kind());
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
            put_off: Some(PutOff {
                pointer,
                until: Instant::now() + delay,
                delay,
                said: unready.kind(),
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
        if let Some(put_off) = &shown.put_off
            && put_off.pointer == on_disk
        {
            return Instant::now() >= put_off.until;
        }
        on_disk.is_some()
            && (on_disk.as_ref() != in_view
                || (shown.again.is_none() && shown.snapshot.is_half_adopted()))
    }

    /// `None` also when it cannot be looked at now: then the snapshot stays.
    fn on_disk(&self) -> Option<Stamp> {
        Stamp::of(&self.site.pointer()).ok()
    }

    /// A panic elsewhere must not stop the server; the value is replaced whole, so it is never half written.
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
