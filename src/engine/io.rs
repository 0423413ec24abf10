//! What goes into the guard and what comes out of it.
//!
//! Inputs are facts in the past tense, effects are imperatives, events are news for the app. All of it is
//! serialisable, so that a trace recorded in a real page replays natively.

use alloc::{string::String, vec::Vec};
#[cfg(feature = "replay")]
use serde::Deserialize;
use serde::Serialize;

pub use super::failure::FetchFailure;
pub use super::news::{
    AbortReason, Busy, Decision, DecisionKind, Event, Prompt, Reason, SwapOutcome, SwapRefusal,
    WaitReason,
};
use super::{
    manifest::Store,
    names::Names,
    slots::{Answer, Fetch, SlotUse, Step},
};
use crate::{
    ids::BuildId,
    time::{Millis, Timestamp},
};

/// What the driver knows when the page starts.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "replay", derive(Deserialize))]
#[serde(rename_all = "camelCase")]
pub struct Start {
    /// The build this page runs; `None` when nothing in the page says so.
    pub build: Option<BuildId>,
    /// The release that the document was made for, if it says so: one with a lower sequence is older than the page.
    #[cfg_attr(feature = "replay", serde(default))]
    pub document_sequence: Option<u64>,
    /// Feeds jitter and ids; the driver draws it once per page.
    pub seed: u64,
    /// A stable random string per browser, the input to percentage rollouts.
    pub visitor: String,
    pub visible: bool,
    pub online: bool,
    /// Whether Web Locks are there to elect one polling tab per origin.
    pub locks: bool,
    /// Whether storage works: without it the guard never reloads by itself.
    pub storage: bool,
    /// The highest release sequence any tab of this origin has accepted.
    pub highest_sequence: Option<u64>,
    /// The app whose release that was, if it was written down.
    #[cfg_attr(feature = "replay", serde(default))]
    pub highest_app: Option<String>,
    /// Builds this tab has already been reloaded for, with the count.
    pub reloads: Vec<Reloads>,
    pub snooze: Option<Snooze>,
    /// Set when this page was reached by a changeover's reload.
    pub arrival: Option<Arrival>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "replay", derive(Deserialize))]
pub struct Reloads {
    pub target: BuildId,
    pub count: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "replay", derive(Deserialize))]
pub struct Snooze {
    /// The release the user put off; a newer one asks again at once.
    pub sequence: u64,
    pub until: Timestamp,
}

/// A changeover that reloaded the page, as the page before it wrote it down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "replay", derive(Deserialize))]
pub struct Arrival {
    pub changeover: String,
    pub from: Option<BuildId>,
    pub to: BuildId,
    pub at: Timestamp,
}

/// A fact from the world.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "replay", derive(Deserialize))]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Input {
    Started(Start),
    /// `release.json` was answered with a body (at most the byte cap, any content).
    ReleaseFetched {
        body: String,
        /// URL of the event stream, from the `Changeover-Events` header or the options.
        events: Option<String>,
        /// The server's clock, from the `Date` header.
        #[cfg_attr(feature = "replay", serde(default))]
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
        /// What the browser noted as loaded.
        files: Vec<String>,
        /// The scripts and styles that stand in the document.
        #[cfg_attr(feature = "replay", serde(default))]
        elements: Vec<String>,
        /// The browser noted everything since the page began, as far as the driver can tell.
        #[cfg_attr(feature = "replay", serde(default))]
        complete: bool,
    },
    /// The slots whose code this page has loaded; told at the start and whenever that changes.
    SlotsListed {
        slots: Vec<SlotUse>,
    },
    /// What came of an [`Effect::TakeSwapStep`].
    SwapAnswered {
        changeover: String,
        round: u32,
        answer: Answer,
    },
    /// The answer to [`Effect::CheckFiles`]: the first file found to be wrong. `None`: as far as it could be told in time, all are
    /// right.
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
    /// `beforeunload`: something may leave the page. Told again when the page runs on, since a dialog may have been open.
    LeavingBegan,
    /// `beforeunload` after [`Effect::Reload`]; `objected`: the app has asked for a leave dialog.
    UnloadAsked {
        objected: bool,
    },
    /// The page runs on after that.
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
        /// Although it failed: the answer is like that which brought this page, or carries our mark; or it sends to
        /// another origin, and nothing in between can have forged that.
        #[cfg_attr(feature = "replay", serde(default))]
        ours: bool,
    },
    /// A service worker answers for this page from now on, or none does any more.
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
    /// The timer the guard asked for went off (or may have: late and spurious wake-ups are fine).
    Woke,
    Disposed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "replay", derive(Deserialize))]
#[serde(rename_all = "camelCase")]
pub enum Source {
    Poll,
    Stream,
    Header,
    Peer,
    Chunk,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "replay", derive(Deserialize))]
#[serde(rename_all = "camelCase")]
pub enum LoadKind {
    Script,
    Style,
    /// A rejected `import()` or a `vite:preloadError`.
    Import,
    /// Any other uncaught error; the engine decides whether its text is a chunk failure.
    Error,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "replay", derive(Deserialize))]
#[serde(rename_all = "camelCase")]
pub enum Asker {
    /// The app called `reload()`.
    App,
    /// The user pressed the button.
    User,
    /// The user pressed it again after being told that state could not be saved.
    UserAnyway,
}

/// What became of the next version of a service worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "replay", derive(Deserialize))]
#[serde(rename_all = "camelCase")]
pub enum WorkerOutcome {
    /// It answers for the page.
    Activated,
    /// The worker in charge is the newest already.
    Unchanged,
    /// It could not be had, or could not be installed.
    Failed,
}

/// A file that is not as the manifest of its build says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "replay", derive(Deserialize))]
pub struct WrongFile {
    pub file: String,
    pub failure: FetchFailure,
}

/// What tabs of one origin tell each other. Unauthenticated, so only ever a hint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "replay", derive(Deserialize))]
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

/// What comes out: perform it, tell it, or sleep.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    Effect(Effect),
    Event(Event),
    /// Nothing more to do until `at` (or for ever) unless an input arrives.
    Wake {
        at: Option<Timestamp>,
        reason: WakeReason,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "replay", derive(Deserialize))]
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
    /// The leader tells the other tabs that it lives.
    Beat,
    /// A page that something wanted to leave stays.
    Leaving,
    /// Another try to fetch a manifest.
    Manifest,
    /// Checking the files of the target build again, or no longer waiting for them.
    Files,
    /// The next part of a large manifest, now that the page has had its turn.
    Reading,
    /// A release expires, or a build must be left from now on.
    Term,
    /// A step of a swap, or another try.
    Swap,
    /// The service worker has had its time.
    ServiceWorker,
}

/// Do this.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "replay", derive(Deserialize))]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Effect {
    FetchRelease,
    /// Take the copy that this browser has kept, or fetch the manifest and keep a copy for its tabs. Path relative to
    /// `release.json`.
    FetchManifest {
        build: BuildId,
        path: String,
        integrity: Option<String>,
    },
    /// Fetch it from the server and keep that: the kept copy is of no use.
    RefetchManifest {
        build: BuildId,
        path: String,
        integrity: Option<String>,
    },
    ListLoadedFiles,
    /// Fetch files of a build so that the HTTP cache has them whole and right, and never keeps a wrong copy; `base` stands before
    /// their names, relative to `release.json`.
    CheckFiles {
        build: BuildId,
        base: String,
        files: Vec<Fetch>,
    },
    OpenStream {
        url: String,
    },
    CloseStream,
    /// Ask for leadership; answered by `Elected`, perhaps much later.
    JoinElection,
    /// Give leadership or its request up, and close the channel to the peers.
    LeaveElection,
    TellPeers {
        message: PeerMessage,
    },
    ProbeDocument,
    CaptureState {
        changeover: String,
        from: Option<BuildId>,
        to: BuildId,
        /// What the build to come reads, as its manifest says.
        stores: Names<Store>,
    },
    RestoreState,
    /// Say which document may take the envelope; with `void` none may, and it is removed.
    MarkEnvelope {
        mark: EnvelopeMark,
    },
    /// Take a step of a swap, and answer with the changeover and the round.
    TakeSwapStep {
        changeover: String,
        round: u32,
        /// The build that the slots will be of.
        to: BuildId,
        step: Step,
    },
    /// Drop what a swap has mounted hidden.
    DiscardSwap {
        changeover: String,
    },
    RememberSequence {
        sequence: u64,
        #[cfg_attr(feature = "replay", serde(default))]
        app: String,
    },
    /// `count` 0: forget it, the reload took.
    RememberReload {
        target: BuildId,
        count: u32,
    },
    RememberSnooze {
        snooze: Snooze,
    },
    /// Tell those who built the page what to do, where only they look.
    Advise {
        message: String,
    },
    /// Have the service worker that answers for the page look for its next version, and tell when that is in charge. The page may be
    /// reloaded on the way, by an app that does so for every new worker.
    RenewWorker {
        changeover: String,
    },
    Reload,
}

/// Which document may take the envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "replay", derive(Deserialize))]
#[serde(rename_all = "camelCase")]
pub enum EnvelopeMark {
    /// One whose navigation had begun by now.
    Left,
    /// A leave dialog may be open: whichever the reload brings after it.
    Asked,
    /// The page has gone by its own reload: the next one.
    Gone,
    /// None: the page has lived on.
    Void,
}
