//! What goes into the guard and what comes out of it.
//!
//! Inputs are facts in the past tense, effects are imperatives, events are news for the app. All of it is
//! serialisable, so that a trace recorded in a real page replays natively.

use alloc::{string::String, vec::Vec};
use serde::{Deserialize, Serialize};

pub use super::failure::FetchFailure;
pub use super::news::{
    AbortReason, Busy, Decision, DecisionKind, Event, Prompt, Reason, SwapOutcome, SwapRefusal,
    WaitReason,
};
use super::{
    manifest::Store,
    slots::{Answer, Fetch, SlotUse, Step},
};
use crate::{
    ids::{BuildId, Names},
    listed::listed,
    time::{Millis, Timestamp},
};

/// What the driver knows when the page starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Start {
    /// The running build; `None` when the page does not name it.
    pub build: Option<BuildId>,
    /// The sequence of the release that the document was published with, if it names it. A release with a lower sequence is
    /// older than the page.
    #[serde(default)]
    pub document_sequence: Option<u64>,
    /// Feeds jitter and ids; the driver draws it once per page.
    pub seed: u64,
    /// A stable random string per browser, the input to percentage rollouts.
    pub visitor: String,
    pub visible: bool,
    pub online: bool,
    /// Whether Web Locks are available, which elect one polling tab per origin.
    pub locks: bool,
    /// Whether storage works: without it the guard never reloads by itself.
    pub storage: bool,
    /// The highest release sequence any tab of this origin has accepted.
    pub highest_sequence: Option<u64>,
    /// The app of that release, if it is known.
    #[serde(default)]
    pub highest_app: Option<String>,
    /// Builds this tab has already been reloaded for, with the count.
    pub reloads: Vec<Reloads>,
    pub snooze: Option<Snooze>,
    /// Set when this page was reached by a changeover's reload.
    pub arrival: Option<Arrival>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloads {
    pub target: BuildId,
    pub count: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snooze {
    /// The release that the user postponed; a newer one prompts again at once.
    pub sequence: u64,
    pub until: Timestamp,
}

/// A changeover that reloaded the page, as the page before recorded it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    pub changeover: String,
    pub from: Option<BuildId>,
    pub to: BuildId,
    pub at: Timestamp,
}

/// A fact from the world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Input {
    Started(Start),
    /// `release.json` arrived; the body has any content, up to the byte limit.
    ReleaseFetched {
        body: String,
        /// URL of the event stream, from the `Changeover-Events` header or the options.
        events: Option<String>,
        /// The server's clock, from the `Date` header.
        #[serde(default)]
        date: Option<Timestamp>,
    },
    ReleaseFailed {
        failure: FetchFailure,
        /// `Retry-After`, in milliseconds from now.
        retry_after: Option<Millis>,
    },
    ManifestFetched {
        build: BuildId,
        body: String,
    },
    /// A copy of a manifest that this browser has kept; the server was not asked.
    ManifestKept {
        build: BuildId,
        body: String,
    },
    ManifestFailed {
        build: BuildId,
        failure: FetchFailure,
    },
    /// The answer to [`Effect::ListLoadedFiles`]; URLs without origin.
    LoadedFilesListed {
        /// Files that the browser lists as loaded.
        files: Vec<String>,
        /// The scripts and styles in the document.
        #[serde(default)]
        elements: Vec<String>,
        /// Whether the browser's list is complete, as far as the driver can tell.
        #[serde(default)]
        complete: bool,
    },
    /// The slots whose code this page has loaded; sent at the start and after each change.
    SlotsListed {
        slots: Vec<SlotUse>,
    },
    /// The result of an [`Effect::TakeSwapStep`].
    SwapAnswered {
        changeover: String,
        round: u32,
        answer: Answer,
    },
    /// The answer to [`Effect::CheckFiles`]: the first wrong file. `None`: all files are right, as far as could be checked in
    /// time.
    FilesChecked {
        build: BuildId,
        wrong: Option<WrongFile>,
    },
    /// A hint that another release or build exists. Never acted on, only checked.
    Sighted {
        source: Source,
        sequence: Option<u64>,
        build: Option<BuildId>,
    },
    /// Something that may be a chunk failed to load.
    LoadFailed {
        kind: LoadKind,
        message: String,
        url: Option<String>,
    },
    StreamOpened,
    StreamClosed,
    BecameVisible,
    BecameHidden,
    Focused,
    WentOnline,
    WentOffline,
    /// The page was frozen and runs again, or its clock jumped.
    Resumed,
    /// `pageshow`; `persisted`: the page comes from the back/forward cache.
    PageShown {
        persisted: bool,
    },
    /// `pagehide`: the page may enter the back/forward cache or go for good.
    PageHid,
    /// `beforeunload`: the page may be left. Sent again when the page runs on, since a dialog may have been open.
    LeavingBegan,
    /// `beforeunload` after [`Effect::Reload`]; `objected`: the app has asked for a leave dialog.
    UnloadAsked {
        objected: bool,
    },
    /// The page still runs after that.
    UnloadSettled,
    /// The user has done something in a page that is about to be reloaded.
    UserActed,
    Elected,
    Deposed,
    PeerHeard {
        message: PeerMessage,
    },
    HoldTaken {
        hold: u32,
        reason: String,
        deadline: Option<Timestamp>,
    },
    HoldReleased {
        hold: u32,
    },
    CheckRequested,
    ReloadRequested {
        by: Asker,
    },
    SnoozeRequested,
    /// The answer to [`Effect::ProbeDocument`].
    DocumentProbed {
        failure: Option<FetchFailure>,
        /// Whether the failed answer still seems to be the app: it is like the one that brought this page, carries our mark, or
        /// redirects to another origin in a way that nothing in between can have forged.
        #[serde(default)]
        ours: bool,
    },
    /// A service worker controls this page from now on, or none does any more.
    WorkerSeen {
        controls: bool,
    },
    /// The answer to [`Effect::RenewWorker`].
    WorkerRenewed {
        changeover: String,
        outcome: WorkerOutcome,
    },
    StateSaved,
    StateSaveFailed {
        message: String,
    },
    /// The answer to [`Effect::RestoreState`].
    StateRestored {
        restored: Vec<String>,
        failed: Vec<String>,
    },
    /// The timer of the last `Wake` fired. Late and spurious ones do no harm.
    Woke,
    Disposed,
}

listed! {
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub enum Source {
        Poll,
        Stream,
        Header,
        Peer,
        Chunk,
    }
}

listed! {
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub enum LoadKind {
        Script,
        Style,
        /// A rejected `import()` or a `vite:preloadError`.
        Import,
        /// Any other uncaught error; the engine decides whether its text is a chunk failure.
        Error,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Asker {
    /// The app called `reload()`.
    App,
    /// The user pressed the button.
    User,
    /// The user pressed it again after being told that state could not be saved.
    UserAnyway,
}

/// Whether the next version of a service worker was installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WorkerOutcome {
    /// It controls the page.
    Activated,
    /// The active worker is the newest already.
    Unchanged,
    /// It could not be fetched or installed.
    Failed,
}

/// A file that differs from what its manifest says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrongFile {
    pub file: String,
    pub failure: FetchFailure,
}

/// Messages between the tabs of one origin. Unauthenticated, so that they only serve as hints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum PeerMessage {
    /// The leader has checked; `sequence` is the last one it accepted.
    Checked {
        sequence: Option<u64>,
    },
    /// A new leader asks who is visible.
    WhoIsVisible,
    Visible {
        tab: String,
    },
    Hidden {
        tab: String,
    },
}

/// What the guard hands out.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    Effect(Effect),
    Event(Event),
    /// Nothing more to do until `at`, or until an input arrives.
    Wake {
        at: Option<Timestamp>,
        reason: WakeReason,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WakeReason {
    Nothing,
    Poll,
    Backoff,
    /// A follower's own check, since it has not heard from the leader.
    Backstop,
    StreamReconnect,
    HoldDeadline,
    Countdown,
    SnoozeOver,
    ReloadIgnored,
    Jitter,
    Timeout,
    /// The leader sends a sign of life to the other tabs.
    Beat,
    /// A page that was about to be left stays.
    Leaving,
    /// Fetching a manifest again.
    Manifest,
    /// Checking the files of the target build again, or no longer waiting for them.
    Files,
    /// Parsing the next part of a large manifest, after a pause for the page.
    Reading,
    /// A release expires, or a build must be left from now on.
    Term,
    /// A step of a swap, or another try.
    Swap,
    /// The time limit of the service worker.
    ServiceWorker,
}

/// An effect for the driver to perform.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Effect {
    FetchRelease,
    /// Take the cached copy, or fetch the manifest and cache it for all tabs. The path is relative to `release.json`.
    FetchManifest {
        build: BuildId,
        path: String,
        integrity: Option<String>,
    },
    /// Fetch it from the server and cache it: the cached copy is unusable.
    RefetchManifest {
        build: BuildId,
        path: String,
        integrity: Option<String>,
    },
    ListLoadedFiles,
    /// Fetch files of a build so that the HTTP cache holds them intact, and never keeps a wrong copy. `base` precedes their
    /// names and is relative to `release.json`.
    CheckFiles {
        build: BuildId,
        base: String,
        files: Vec<Fetch>,
    },
    OpenStream {
        url: String,
    },
    CloseStream,
    /// Request leadership; answered by `Elected`, perhaps much later.
    JoinElection,
    /// Give up leadership or its request, and close the channel to the peers.
    LeaveElection,
    TellPeers {
        message: PeerMessage,
    },
    ProbeDocument,
    CaptureState {
        changeover: String,
        from: Option<BuildId>,
        to: BuildId,
        /// The schemas that the target build reads, from its manifest.
        stores: Names<Store>,
    },
    RestoreState,
    /// Record which document may take the envelope; with `void` none may, and it is removed.
    MarkEnvelope {
        mark: EnvelopeMark,
    },
    /// Perform a step of a swap; the answer names the changeover and the round.
    TakeSwapStep {
        changeover: String,
        round: u32,
        /// The target build of the slots.
        to: BuildId,
        step: Step,
    },
    /// Drop what a swap has mounted hidden.
    DiscardSwap {
        changeover: String,
    },
    RememberSequence {
        sequence: u64,
        #[serde(default)]
        app: String,
    },
    /// `count` 0: forget it, since the reload succeeded.
    RememberReload {
        target: BuildId,
        count: u32,
    },
    RememberSnooze {
        snooze: Snooze,
    },
    /// Log advice for the developers of the page to the console.
    Advise {
        message: String,
    },
    /// Have the service worker that controls the page install its next version, and report when that is active. An app that
    /// reloads for every new worker may reload the page meanwhile.
    RenewWorker {
        changeover: String,
    },
    Reload,
}

/// Which document may take the envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EnvelopeMark {
    /// A document whose navigation has begun by now.
    Left,
    /// A leave dialog may be open: the document that the reload brings afterwards.
    Asked,
    /// The page has gone by its own reload: the next document.
    Gone,
    /// No document: the page lives on.
    Void,
}
