//! What goes into a store's client and what comes out of it.

use alloc::{string::String, vec::Vec};

use crate::{
    engine::{
        format::ParseError,
        store::{
            error::{DurableError, Failure, Untranslated},
            head::Stamp,
            mode::Mode,
            transaction::{Answer, Seen, Transaction, TranslationPlan},
        },
    },
    time::Timestamp,
};

/// Names a question to the driver until it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u32);

/// A request of the app; `id` is the app's number for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Request<V> {
    pub id: u32,
    pub want: RequestKind<V>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RequestKind<V> {
    Read {
        key: String,
    },
    /// Up to `limit` records whose keys come after `after`.
    List {
        after: Option<String>,
        limit: usize,
    },
    /// With `seen`, only if the record was not written since: for an update that was computed from what was read, and
    /// for every write of a tab that may have slept since it read.
    Write {
        key: String,
        value: V,
        seen: Option<Seen>,
    },
    Delete {
        key: String,
        seen: Option<Seen>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input<V> {
    /// The shared lock of the tab's schema is held.
    LockGranted,
    /// The lock was taken away, or may have been.
    LockLost,
    ExclusiveGranted {
        schema: u32,
    },
    ExclusiveRefused {
        schema: u32,
    },
    /// A transaction was evaluated and has committed.
    Judged {
        ticket: Ticket,
        answer: Answer<V>,
    },
    /// A transaction did not commit; nothing was written.
    Failed {
        ticket: Ticket,
        failure: Failure,
    },
    /// A transaction found a head that cannot be read.
    HeadUnreadable {
        ticket: Ticket,
        error: ParseError,
    },
    Translated {
        ticket: Ticket,
        values: Vec<V>,
    },
    /// `place`: which of the translations.
    TranslateFailed {
        ticket: Ticket,
        place: usize,
        why: Untranslated,
    },
    Requested(Request<V>),
    /// The page is being frozen or hidden away.
    Suspended,
    Resumed,
    /// Another tab or the release needs an older schema again.
    ReviveRequested {
        schema: u32,
    },
    /// A hint of another tab that the head has changed.
    Hinted,
    Woke,
    Closed,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Output<V> {
    /// Ask for the shared lock of the schema and keep it.
    LockShared {
        schema: u32,
    },
    UnlockShared {
        schema: u32,
    },
    /// Ask for the exclusive lock of the schema, but do not wait for it.
    TryExclusive {
        schema: u32,
    },
    ReleaseExclusive {
        schema: u32,
    },
    /// Run a transaction. `background`: no request waits for it.
    Transact {
        ticket: Ticket,
        op: Transaction<V>,
        background: bool,
    },
    /// Translate values; with `check`, also validate each against that schema.
    Translate {
        ticket: Ticket,
        recipes: Vec<TranslationPlan<V>>,
        check: Option<u32>,
    },
    Reply {
        id: u32,
        result: Result<Reply<V>, DurableError>,
    },
    ModeChanged {
        mode: Mode,
    },
    /// Ask tabs on newer builds to bring the schema back.
    AskRevive {
        schema: u32,
    },
    /// The layout has changed: tell the other tabs to read the head.
    HeadChanged,
    /// Background work stopped; it is tried again later.
    Problem {
        error: DurableError,
    },
    Wake {
        at: Option<Timestamp>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reply<V> {
    Value(Option<(V, Stamp)>),
    Rows {
        rows: Vec<(String, V, Stamp)>,
        last: bool,
    },
    Written(Stamp),
    Deleted,
}

impl<V> RequestKind<V> {
    pub(super) fn key(&self) -> String {
        match self {
            Self::Read { key } | Self::Write { key, .. } | Self::Delete { key, .. } => key.clone(),
            Self::List { .. } => String::new(),
        }
    }

    pub(super) fn has_seen(&self) -> bool {
        match self {
            Self::Write { seen, .. } | Self::Delete { seen, .. } => seen.is_some(),
            Self::Read { .. } | Self::List { .. } => false,
        }
    }
}
