//! The time between the reload command and the end of the page, and which document may take the envelope.
//!
//! A page that has been told to reload may live on: for minutes before a slow server answers, or for good when a leave
//! dialog is answered "Stay". The envelope must reach the document that the reload brings, however late, and none other:
//! what the user does in a page that stays is newer. So the page marks the envelope as it learns more, and keeps it
//! current as long as it lives.

use alloc::string::String;

use super::io::{EnvelopeMark, WakeReason};
use crate::{
    ids::BuildId,
    time::{Millis, Timestamp},
};

/// Browsers give up waiting for a server after five minutes at the latest.
const PATIENCE: Millis = 5 * 60 * 1_000;

/// Longest time between the last mark of a page and the start of the navigation that it asked for.
const SLACK: Millis = 1_500;

/// A commanded reload in a page that is still alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Departure {
    pub changeover: String,
    pub from: Option<BuildId>,
    pub to: BuildId,
    since: Timestamp,
    /// How often the page was about to unload since then; the first time is the reload itself.
    unloads: u32,
    objected: bool,
}

impl Departure {
    pub fn begin(changeover: String, from: Option<BuildId>, to: BuildId, since: Timestamp) -> Self {
        Self {
            changeover,
            from,
            to,
            since,
            unloads: 0,
            objected: false,
        }
    }

    /// The page is about to unload. `objected`: the app has asked for a leave dialog.
    pub fn on_unload_asked(&mut self, objected: bool) -> EnvelopeMark {
        self.unloads = self.unloads.saturating_add(1);
        if self.unloads > 1 && self.objected {
            // The user stayed the first time and has gone on working.
            return EnvelopeMark::Void;
        }
        self.objected = objected;
        if objected {
            EnvelopeMark::Asked
        } else {
            // Also when the user gets tired of waiting and reloads by hand: the envelope is up to date.
            EnvelopeMark::Left
        }
    }

    /// The page still runs afterwards: a dialog is closed by now, and a navigation would have begun.
    pub fn on_unload_settled(&self) -> EnvelopeMark {
        EnvelopeMark::Left
    }

    /// The page goes.
    pub fn on_hid(&self) -> Option<EnvelopeMark> {
        (self.unloads <= 1).then_some(EnvelopeMark::Gone)
    }

    pub fn is_over(&self, now: Timestamp) -> bool {
        now >= self.end()
    }

    pub fn next(&self) -> (Timestamp, WakeReason) {
        (self.end(), WakeReason::ReloadIgnored)
    }

    fn end(&self) -> Timestamp {
        Timestamp(self.since.0.saturating_add(PATIENCE))
    }
}

impl EnvelopeMark {
    pub fn code(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Asked => "asked",
            Self::Gone => "gone",
            Self::Void => "void",
        }
    }
}

/// How a document was loaded, as far as the browser reports it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// When the navigation to it began.
    pub began: Option<Timestamp>,
    pub is_reload: Option<bool>,
}

/// Whether an envelope with this mark, made at this time, is meant for a document of this origin.
pub fn is_for(mark: EnvelopeMark, at: Timestamp, origin: Origin) -> bool {
    let reloaded = origin.is_reload != Some(false);
    match mark {
        EnvelopeMark::Left => {
            let latest = at.0.saturating_add(SLACK);
            reloaded && origin.began.is_none_or(|began| began.0 <= latest)
        }
        EnvelopeMark::Asked => reloaded,
        // Perhaps not directly: a sign-in page may have come in between.
        EnvelopeMark::Gone => true,
        EnvelopeMark::Void => false,
    }
}
