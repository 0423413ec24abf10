// What the texts of a type may be: one for each variant of an enum of the engine. Written by tests/samples/enums.rs.

/** How much of the guard runs. */
export type GuardLevel =
  | 'starting'
  | 'full'
  | 'off';

/** The state of the event stream. */
export type StreamState =
  | 'off'
  | 'connecting'
  | 'open'
  | 'waiting';

/** How much it matters that tabs move. */
export type Urgency =
  | 'routine'
  | 'soon'
  /** The page counts down and then moves by itself. */
  | 'now';

/** What the page does about a release. */
export type DecisionKind =
  | 'ignore'
  | 'wait'
  | 'swap'
  | 'prompt'
  | 'reload';

/** Stable reason codes, the same in logs, events, UI and tests. */
export type Reason =
  | 'noReleaseYet'
  | 'sameBuild'
  | 'unknownRunningBuild'
  | 'nothingLoadedChanged'
  | 'manifestUnavailable'
  | 'manifestPending'
  /** The files that a refresh would load are being checked. */
  | 'filesPending'
  /** One of them is missing or wrong. */
  | 'targetNotReady'
  | 'snoozed'
  | 'newBuild'
  | 'rollback'
  | 'urgent'
  | 'retired'
  | 'chunkFailed'
  | 'reloadDidNotTake'
  | 'expired'
  | 'reloading'
  /** Only slots changed, which can be swapped in the open page. */
  | 'slotsChanged'
  /** A swap lacked a file or time, and is tried again. */
  | 'swapPaused'
  /** The build already failed in this page: its code threw, or the app rejected it. The user is not prompted until the app checks. */
  | 'badBuild';

/** What a changeover is doing. */
export type ChangeoverPhase =
  | 'draining'
  | 'probing'
  | 'capturing'
  /** The service worker installs its next version. */
  | 'renewing'
  | 'reloading'
  /** New code is being fetched and mounted. */
  | 'swapping'
  /** New code is shown, and the old code is kept until probation ends. */
  | 'probation';

/** What a changeover waits for. */
export type WaitReason =
  | 'holds'
  /** For the next version of the service worker that controls the page. */
  | 'serviceWorker';

/** Why a changeover did not happen. */
export type AbortReason =
  | 'offline'
  | 'unreachable'
  | 'stateNotSaved'
  /** This target already had its one reload; only the user may ask for another. */
  | 'reloadDidNotTake'
  | 'reloadIgnored'
  /** There is no other build to move to. */
  | 'noSkew'
  /** The user postponed it while it waited, or another release came. */
  | 'superseded'
  /** A swap failed; `swapEnded` says why. */
  | 'swapFailed'
  | 'disposed';

/** Why a page cannot be swapped to a build. The codes are stable. */
export type SwapRefusalCode =
  /** An entry script changed, was added or removed. */
  | 'entryChanged'
  /** Another file of the shell changed. */
  | 'shellChanged'
  | 'htmlChanged'
  /** The base of the files changed. */
  | 'baseChanged'
  | 'epochChanged'
  /** A slot needs a new file of a module whose old file stays in the page. */
  | 'secondCopy'
  | 'pinnedChanged'
  | 'slotRemoved'
  | 'slotKindChanged'
  /** The new slot does not read the schema that the running one writes. */
  | 'noMigrationPath'
  /** The page holds so much dead code that a refresh is due. */
  | 'budgetSpent'
  /** The build already failed in this page. */
  | 'badBuild'
  /** A slot needs an export that the running file of a shared module does not have; pinning it helps. */
  | 'signatureMissing'
  /** The slot defines a custom element, which a page can do only once. */
  | 'elementRedefined'
  | 'unsupportedKind'
  /** A file has other content than the page may have loaded from the same URL. */
  | 'fileReplaced'
  /** The manifest does not say what a file is, so it cannot be verified. */
  | 'fileUnlisted'
  /** A rollback failed; what the page shows is unknown. */
  | 'rollBackFailed';

/** How a swap ended. */
export type SwapOutcome =
  | 'committed'
  /** Before the switch: the page is as it was. */
  | 'aborted'
  /** After it: the page is as it was before. */
  | 'rolledBack'
  /** After it, and with data written that the old code cannot read: the page stays on the new build. */
  | 'kept'
  /** The rollback failed too: only a refresh helps. */
  | 'broken';

/** Why a swap did not commit. The codes are stable. */
export type SwapReason =
  /** A file is missing, is not what the manifest says, or could not be fetched. */
  | 'fetchFailed'
  /** A module threw when it was evaluated, or could not be linked. */
  | 'importFailed'
  | 'importTimedOut'
  /** The user did not pause for as long as a swap waits. */
  | 'neverQuiet'
  | 'vetoed'
  /** Nothing says whether a slot is inside another one that is swapped too. */
  | 'placeUnknown'
  | 'snapshotFailed'
  | 'snapshotTimedOut'
  | 'noMigrationPath'
  | 'migrationFailed'
  | 'migrationTimedOut'
  | 'mountFailed'
  /** The new code around a slot does not show it, and its state would be lost. */
  | 'notShown'
  /** The new code was mounted and did not become ready. */
  | 'notReady'
  | 'switchFailed'
  | 'switchTimedOut'
  | 'threw'
  | 'empty'
  | 'unhealthy'
  /** The release has moved on to another build. */
  | 'superseded'
  | 'pageChanged'
  | 'disposed';
