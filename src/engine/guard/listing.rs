//! The list of the files that this page has loaded, which the driver is asked for.

use alloc::{string::String, vec::Vec};

use crate::time::{Millis, Timestamp};

/// Give up waiting for the list of loaded files after this time.
const LISTING_TIMEOUT: Millis = 5_000;

/// The files that this page has loaded.
#[derive(Debug, Default)]
pub(super) struct Listing {
    files: Option<Vec<String>>,
    elements: Vec<String>,
    complete: bool,
    asked: Option<Timestamp>,
    stale: bool,
    revision: u64,
}

impl Listing {
    pub(super) fn on_listed(&mut self, files: Vec<String>, elements: Vec<String>, complete: bool) {
        self.files = Some(files);
        self.elements = elements;
        self.complete = complete;
        self.asked = None;
        self.revision += 1;
    }

    /// The list is out of date: it is requested again, and used until then.
    pub(super) fn on_stale(&mut self) {
        self.stale = true;
        self.asked = None;
    }

    /// The files and the elements, once they are known.
    pub(super) fn known(&self) -> Option<(&[String], &[String])> {
        Some((self.files.as_deref()?, &self.elements))
    }

    /// The first list was requested and may still come.
    pub(super) fn is_awaited(&self, now: Timestamp) -> bool {
        let asked = self.asked.filter(|_| self.files.is_none());
        asked.is_some_and(|asked| now.0 < asked.0.saturating_add(LISTING_TIMEOUT))
    }

    /// Changes with each list.
    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    /// Whether the list has every file that the page has loaded.
    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }

    /// When the list that was requested last counts as not coming.
    pub(super) fn gives_up_at(&self) -> Option<Timestamp> {
        let asked = self.asked?;
        Some(Timestamp(asked.0.saturating_add(LISTING_TIMEOUT)))
    }

    /// Whether to request the list now.
    pub(super) fn poll(&mut self, now: Timestamp) -> bool {
        let due = self.asked.is_none() && (self.stale || self.files.is_none());
        if due {
            self.stale = false;
            self.asked = Some(now);
        }
        due
    }
}
