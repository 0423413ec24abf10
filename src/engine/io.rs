//! What goes into the guard and what comes out of it.
//!
//! Inputs are facts in the past tense, effects are imperatives, events are news for the app. All of it is
//! serialisable, so that a trace recorded in a real page replays natively.

use alloc::{string::String, vec::Vec};
use serde::{Deserialize, Serialize};

use super::{
    manifest::Store,
    names::Names,
    slots::{Answer, SlotUse, Step},
};

/// Milliseconds since the Unix epoch. The driver clamps its clock so that it never runs backwards.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

/// A span in milliseconds.
pub type Millis = u64;

/// The opaque name of a build; compared, never ordered in meaning.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BuildId(pub String);

/// What the driver knows when the page starts.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "replay", derive(Deserialize))]
#[serde(rename_all = "camelCase")]
pub struct Start {
    /// The build this page runs; `None` when nothing in the page says so.
    pub build: Option<BuildId>,
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
    ManifestFailed {
        build: BuildId,
        failure: FetchFailure,
    },
    /// The answer to [`Effect::ListLoadedFiles`]: URLs this page has loaded, without origin.
    LoadedFilesListed {
        files: Vec<String>,
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

/// Why an answer is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "replay", derive(Deserialize))]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum FetchFailure {
    Network,
    Timeout,
    Status { status: u16 },
    TooLarge { limit: u32 },
    Integrity,
}

/// What tabs of one origin tell each other. Unauthenticated, so only ever a hint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "replay", derive(Deserialize))]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum PeerMessage {
    /// The leader has looked; `sequence` is what it saw last.
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
    /// A follower's own look when the leader has gone quiet.
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
    /// Another try to fetch a manifest.
    Manifest,
    /// A release expires, or a build must be left from now on.
    Term,
    /// A step of a swap, or another try.
    Swap,
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
    /// Path relative to `release.json`.
    FetchManifest {
        build: BuildId,
        path: String,
        integrity: Option<String>,
    },
    ListLoadedFiles,
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
    },
    /// `count` 0: forget it, the reload took.
    RememberReload {
        target: BuildId,
        count: u32,
    },
    RememberSnooze {
        snooze: Snooze,
    },
    Reload,
}

/// News for the app; the tag is the event's name in JavaScript.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "replay", derive(Deserialize))]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Event {
    StatusChanged,
    ReleaseSeen {
        sequence: u64,
        build: BuildId,
    },
    SkewFound {
        from: Option<BuildId>,
        to: BuildId,
        sequence: u64,
    },
    /// The release wants what the page runs again (for instance after a rollback).
    SkewGone,
    DecisionMade {
        decision: Decision,
    },
    PromptShown {
        prompt: Prompt,
    },
    PromptHidden,
    ChangeoverStarted {
        changeover: String,
        from: Option<BuildId>,
        to: BuildId,
    },
    ChangeoverWaiting {
        changeover: String,
        holds: Vec<String>,
    },
    ChangeoverAborted {
        changeover: String,
        reason: AbortReason,
    },
    /// Told by the page that arrived on the target build.
    ChangeoverDone {
        changeover: String,
        from: Option<BuildId>,
        to: BuildId,
    },
    /// The slots of this page cannot follow the release, and why; told once for a build.
    SwapRefused {
        to: BuildId,
        refusals: Vec<SwapRefusal>,
    },
    /// A swap is over, one way or the other.
    SwapEnded {
        changeover: String,
        from: Option<BuildId>,
        to: BuildId,
        /// The slots that were to get new code.
        slots: Vec<String>,
        outcome: SwapOutcome,
        /// A stable code, unless it was committed.
        reason: Option<String>,
        slot: Option<String>,
        message: Option<String>,
    },
    StateRestored {
        restored: Vec<String>,
        failed: Vec<String>,
    },
    /// A chunk failed and no other build explains it: network trouble.
    ChunkFailed {
        url: Option<String>,
        message: String,
        skew: bool,
    },
    Problem {
        code: String,
        message: String,
    },
}

/// How a swap ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "replay", derive(Deserialize))]
#[serde(rename_all = "camelCase")]
pub enum SwapOutcome {
    Committed,
    /// Before the switch: the page is as it was.
    Aborted,
    /// After it: the page is as it was before.
    RolledBack,
    /// After it, and with data written that the old code cannot read: the page stays on the new build.
    Kept,
    /// Going back failed too: only a refresh helps.
    Broken,
}

/// Why slots cannot follow a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "replay", derive(Deserialize))]
pub struct SwapRefusal {
    /// A stable code, such as `entryChanged`.
    pub why: String,
    pub slot: Option<String>,
    pub file: Option<String>,
    /// Modules from the entry or the slot to the one at the root of it.
    pub root: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "replay", derive(Deserialize))]
#[serde(rename_all = "camelCase")]
pub enum DecisionKind {
    Ignore,
    Wait,
    Swap,
    Prompt,
    Reload,
}

/// What the guard has decided, and always why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "replay", derive(Deserialize))]
pub struct Decision {
    pub kind: DecisionKind,
    pub reason: Reason,
}

/// Stable reason codes, the same in logs, events, UI and tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "replay", derive(Deserialize))]
#[serde(rename_all = "camelCase")]
pub enum Reason {
    NoReleaseYet,
    SameBuild,
    UnknownRunningBuild,
    NothingLoadedChanged,
    ManifestUnavailable,
    ManifestPending,
    Snoozed,
    NewBuild,
    Rollback,
    Urgent,
    Retired,
    ChunkFailed,
    ReloadDidNotTake,
    Expired,
    Reloading,
    /// What changed are slots, which can take new code in the open page.
    SlotsChanged,
    /// A swap failed for want of a file, and is tried again soon.
    SwapPaused,
    /// Its code was tried in this page and did not do; nobody is asked to load it.
    BadBuild,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "replay", derive(Deserialize))]
#[serde(rename_all = "camelCase")]
pub enum AbortReason {
    Offline,
    Unreachable,
    StateNotSaved,
    /// This target already had its one reload; only the user may ask for another.
    ReloadDidNotTake,
    ReloadIgnored,
    /// There is nothing to move to.
    NoSkew,
    /// The user put it off while it waited, or another release came.
    Superseded,
    /// A swap did not work; `swapEnded` says why.
    SwapFailed,
    Disposed,
}

/// What the prompt shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "replay", derive(Deserialize))]
#[serde(rename_all = "camelCase")]
pub struct Prompt {
    pub reason: Reason,
    pub sequence: u64,
    pub build: BuildId,
    /// The release's own words; plain text.
    pub message: Option<String>,
    pub can_snooze: bool,
    /// When the page reloads by itself (urgency `now`).
    pub countdown_until: Option<Timestamp>,
    /// Set while accepted: what is being waited for.
    pub busy: Option<Busy>,
    /// Why the last attempt ended, if it did.
    pub trouble: Option<AbortReason>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "replay", derive(Deserialize))]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Busy {
    Holds { reasons: Vec<String> },
    Reloading,
}
