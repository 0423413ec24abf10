// The contract of the package `changeover`. Needs no DOM library of the consumer.

/** Milliseconds; a point in time is milliseconds since the Unix epoch. */
export type Millis = number;

export interface Options {
  /** URL of the site's `release.json`. Default: `changeover/release.json` under the document's base path `/`. */
  release?: string;
  /** Id of the running build. Default: the `data-build` of the changeover script tag or `<meta name="changeover-build">`. */
  build?: string;
  /** Releases for another app are ignored. Default: not checked. */
  app?: string;
  /** Releases of another channel are ignored. Default: not checked. */
  channel?: string;
  /** Time between two looks at `release.json`, per origin, before jitter. Default 60000, least 1000. */
  interval?: Millis;
  /** `'auto'`: use the event stream the server announces. `'off'`, or a URL. Default `'auto'`. */
  stream?: string;
  /** `false`: no built-in prompt; listen to `promptShown` and call `reload()` or `snooze()`. Default true. */
  prompt?: boolean;
  /** BCP 47 tag for the prompt. Default: the document's language, else the browser's. */
  lang?: string;
  /** Texts that replace the built-in ones, by key. */
  labels?: Partial<Labels>;
  /** URL of the runtime module. Default: found beside the loader. */
  runtime?: string;
  /** URL of the `.wasm` file, for the slim runtime. */
  wasm?: string;
  /** Keep a trace of inputs and outputs, read with `trace()`. Default false. */
  trace?: boolean;
}

export interface Labels {
  region: string;
  title: string;
  requiredTitle: string;
  retryTitle: string;
  text: string;
  requiredText: string;
  retryText: string;
  reload: string;
  reloadAnyway: string;
  later: string;
  waiting: string;
  reloading: string;
  offline: string;
  unreachable: string;
  stateNotSaved: string;
  reloadIgnored: string;
  /** `{seconds}` is replaced. */
  countdown: string;
}

export type Level = 'starting' | 'loader' | 'full' | 'off';
export type DecisionKind = 'ignore' | 'wait' | 'swap' | 'prompt' | 'reload';
export type Reason =
  | 'noReleaseYet' | 'sameBuild' | 'unknownRunningBuild' | 'nothingLoadedChanged' | 'manifestUnavailable'
  | 'manifestPending' | 'snoozed' | 'newBuild' | 'rollback' | 'urgent' | 'retired' | 'chunkFailed'
  | 'reloadDidNotTake' | 'expired' | 'reloading';
export type AbortReason =
  | 'offline' | 'unreachable' | 'stateNotSaved' | 'reloadDidNotTake' | 'reloadIgnored' | 'noSkew' | 'superseded' | 'disposed';
export type Urgency = 'routine' | 'soon' | 'now';

export interface Decision { kind: DecisionKind; reason: Reason }

export interface ReleaseSummary { sequence: number; build: string; urgency: Urgency; message: string | null }

export interface Trouble { code: string; message: string }

/** Complete at the level `full`. The script tag's loader knows only `level` and `build` until the runtime is there. */
export interface Status {
  /** `loader`: no WebAssembly or no runtime: detection and prompt only. `off`: disposed or on a server. */
  level: Level;
  /** Why the level is not `full`, when it is not. */
  levelReason: string | null;
  /** The running build. */
  build: string | null;
  /** The newest release this page has accepted. */
  release: ReleaseSummary | null;
  skew: boolean;
  decision: Decision;
  leader: boolean;
  stream: 'off' | 'connecting' | 'open' | 'waiting';
  lastCheck: Millis | null;
  /** Failed looks in a row. */
  failures: number;
  lastFailure: Trouble | null;
  holds: { reason: string; deadline: Millis | null }[];
  prompt: Prompt | null;
  changeover: { id: string; from: string | null; to: string; phase: 'draining' | 'probing' | 'capturing' | 'reloading' } | null;
}

export interface Prompt {
  reason: Reason;
  sequence: number;
  build: string;
  message: string | null;
  canSnooze: boolean;
  countdownUntil: Millis | null;
  busy: { type: 'holds'; reasons: string[] } | { type: 'reloading' } | null;
  trouble: AbortReason | null;
}

export interface Events {
  statusChanged: { type: 'statusChanged' };
  releaseSeen: { type: 'releaseSeen'; sequence: number; build: string };
  skewFound: { type: 'skewFound'; from: string | null; to: string; sequence: number };
  skewGone: { type: 'skewGone' };
  decisionMade: { type: 'decisionMade'; decision: Decision };
  promptShown: { type: 'promptShown'; prompt: Prompt };
  promptHidden: { type: 'promptHidden' };
  changeoverStarted: { type: 'changeoverStarted'; changeover: string; from: string | null; to: string };
  changeoverWaiting: { type: 'changeoverWaiting'; changeover: string; holds: string[] };
  changeoverAborted: { type: 'changeoverAborted'; changeover: string; reason: AbortReason };
  changeoverDone: { type: 'changeoverDone'; changeover: string; from: string | null; to: string };
  stateRestored: { type: 'stateRestored'; restored: string[]; failed: string[] };
  chunkFailed: { type: 'chunkFailed'; url: string | null; message: string; skew: boolean };
  problem: { type: 'problem'; code: string; message: string };
}

export type ChangeoverEvent = Events[keyof Events];

export interface StateProvider<T = unknown> {
  /** Returns the value to carry over; must survive JSON. May return a promise (at most 3 s). `undefined`: nothing to carry. */
  capture(): T | undefined | Promise<T | undefined>;
  /** Takes the value a page before this one captured. */
  restore(value: T): void | Promise<void>;
}

export type Undo = () => void;

export interface Changeover {
  readonly status: Status;
  /** Looks at the server now. Resolves with the status after the answer; never rejects. */
  check(): Promise<Status>;
  /** Listens to one kind of event, or to all with `'*'`. A listener that throws harms nobody. */
  on<K extends keyof Events>(type: K, listener: (event: Events[K]) => void): Undo;
  on(type: '*', listener: (event: ChangeoverEvent) => void): Undo;
  /** "Not now": no changeover while the hold lasts. `deadline`: milliseconds from now after which it no longer counts; default 5 minutes. */
  hold(reason: string, options?: { deadline?: Millis }): Undo;
  /** Registers a piece of tab state; restores at once what a page before this one captured under `name`. */
  state<T>(name: string, provider: StateProvider<T>): Undo;
  /** Starts the changeover: waits for holds, saves state, reloads. At most one such reload per target build; later ones only prompt. Resolves to the reason if it did not happen. */
  reload(): Promise<AbortReason>;
  /** Puts the prompt off for this release. */
  snooze(): void;
  /** The recorded trace, one JSON document a line; empty unless `trace` is on. */
  trace(): string;
  /** Stops everything and leaves no listener, timer, channel or lock behind. */
  dispose(): void;
}

/**
 * Starts the guard, or returns the one this page already has (script tag, Vite plugin, another call). That one takes over
 * `prompt`, `lang` and `labels` at any time and the other options while it is starting, except `release`, `build` and
 * `runtime`; what comes too late is named by a `problem` with code `options_ignored`. Inert where there is no document.
 */
export function createChangeover(options?: Options): Changeover;
