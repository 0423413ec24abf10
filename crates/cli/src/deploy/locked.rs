//! A site that is locked, and the release that is live there.

use std::fs;

use changeover::engine::release::Release;

use super::Deployment;
use crate::amend::Draft;
use crate::build::Note;
use crate::error::{At, Error, Result};
use crate::lock::Lock;
use crate::release_document::ReleaseDocument;
use crate::site::Site;
use crate::time::unix_now;

/// A site that only this process may change, and the release that is live there.
pub struct Locked {
    pub(super) site: Site,
    _lock: Lock,
    live: Option<ReleaseDocument>,
    damaged: Option<Error>,
    sequence: u64,
}

impl Locked {
    /// Waits for the lock. A pointer that pages cannot use counts as absent: the next release replaces it.
    ///
    /// Errors: `site-busy`, `release-newer`.
    pub fn new(site: Site) -> Result<Self> {
        let lock = site.lock()?;
        let (live, damaged) = match site.live_document() {
            Ok(live) => (live, None),
            Err(error) if error.code() == "release-invalid" => (None, Some(error)),
            Err(error) => return Err(error),
        };
        let sequence = next_sequence(&site, live.as_deref())?;
        Ok(Self {
            site,
            _lock: lock,
            live,
            damaged,
            sequence,
        })
    }

    /// A site on which something must be live. Errors: `nothing-published`, `site-busy`, `release-*`.
    pub fn published(site: Site) -> Result<Self> {
        let nothing = |site: &Site| {
            Error::new(
                "nothing-published",
                format!(
                    "nothing is published at {}, so there is nothing to change",
                    site.root().display()
                ),
            )
        };
        // Before the lock, which would make a folder in what may be no site at all.
        if site.live()?.is_none() {
            return Err(nothing(&site));
        }
        let locked = Self::new(site)?;
        match &locked {
            Self {
                damaged: Some(error),
                ..
            } => Err(Error::new(error.code(), error.to_string())),
            Self { live: None, .. } => Err(nothing(&locked.site)),
            _ => Ok(locked),
        }
    }

    /// A folder that is a deploy by itself. It has no history that would count its releases, so the sequence is the time,
    /// as for the first release of a site: it grows from build to build, wherever they are made.
    ///
    /// Errors: `site-busy`, `release-newer`.
    pub fn in_place(site: Site) -> Result<Self> {
        let folder = site.guard().join("builds");
        fs::create_dir_all(&folder).at("create the folder", &folder)?;
        let mut locked = Self::new(site)?;
        locked._lock.remove_file_at_the_end();
        locked.sequence = locked.sequence.max(unix_now());
        Ok(locked)
    }

    /// Brings the history in order after publishes that were killed, and gives a site that was made by hand a history.
    pub fn begin(self) -> Result<Deployment> {
        Deployment::new(self)
    }

    pub fn site(&self) -> &Site {
        &self.site
    }

    pub fn live(&self) -> Option<&ReleaseDocument> {
        self.live.as_ref()
    }

    /// Why pages cannot use the pointer that is there.
    pub fn damaged(&self) -> Option<&Error> {
        self.damaged.as_ref()
    }

    /// The sequence of the next release, above all earlier ones.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Makes the next release newer than one that browsers may know from elsewhere.
    pub fn go_above(&mut self, sequence: u64) {
        self.sequence = self.sequence.max(sequence + 1);
    }

    /// The next release, which `change` makes of the live one, and the notes about it. Writes nothing, so a release that
    /// cannot be published leaves the site as it is.
    ///
    /// Errors: `release-invalid`, those of `change`.
    pub fn draft(
        &self,
        change: impl FnOnce(&mut Draft) -> Result<()>,
    ) -> Result<(ReleaseDocument, Vec<Note>)> {
        let mut draft = Draft::new(self.live(), self.sequence, unix_now());
        change(&mut draft)?;
        draft.finish()
    }
}

/// The sequence of the next release. A fresh site starts at the time in seconds, so that a site made again from
/// nothing never goes below what browsers remember.
fn next_sequence(site: &Site, live: Option<&Release>) -> Result<u64> {
    let recorded = site
        .history_files()?
        .into_iter()
        .map(|(sequence, _)| sequence)
        .max();
    let highest = live
        .map(|release| release.sequence)
        .into_iter()
        .chain(recorded)
        .max();
    Ok(highest.map_or_else(unix_now, |highest| highest + 1))
}
