// The contract of the package `changeover`. Needs no DOM library of the consumer.
import type {
  AbortReason, ChangeoverPhase, DecisionKind, GuardLevel, Reason, StreamState, SwapOutcome, SwapReason, SwapRefusalCode, Urgency, WaitReason,
} from './enums.js';

export type { AbortReason, DecisionKind, Reason, SwapOutcome, SwapReason, SwapRefusalCode, Urgency } from './enums.js';

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
  /** Time between two checks of `release.json`, per origin, before jitter. Default 60000, least 1000. */
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
  /** URL of the file with the prompt, which is fetched when the user may have to be asked. Default: `prompt.js` beside the runtime. */
  promptFile?: string;
  /** URL of the file that saves and restores state, which is fetched when there is some. Default: `states.js` beside the runtime. */
  statesFile?: string;
  /** URL of the module for stores and migrations. Default: found beside the runtime. */
  stores?: string;
  /** URL of its `.wasm` file, for `stores-slim.js`. */
  storesWasm?: string;
  /** Asked during the trial of a swap: `false` or an error takes the new code back. */
  health?: () => boolean | Promise<boolean>;
  /** Carry form fields, focus, selection and scroll positions through a reload, but no passwords or card fields. Default false. */
  fields?: boolean;
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

/** `loader` is the level of the script tag's loader, without a runtime. */
export type Level = GuardLevel | 'loader';

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
  /** `'off'` also in tabs that do not lead, and where there are no Web Locks (plain http): those tabs poll. */
  stream: StreamState;
  lastCheck: Millis | null;
  /** Failed checks in a row. */
  failures: number;
  lastFailure: Trouble | null;
  holds: { reason: string; deadline: Millis | null }[];
  prompt: Prompt | null;
  changeover: { id: string; from: string | null; to: string; phase: ChangeoverPhase } | null;
}

export interface Prompt {
  reason: Reason;
  sequence: number;
  build: string;
  message: string | null;
  canSnooze: boolean;
  countdownUntil: Millis | null;
  /** `serviceWorker`: the worker that answers for the page takes its next version before the reload. */
  busy: { type: 'holds'; reasons: string[] } | { type: 'serviceWorker' } | { type: 'reloading' } | null;
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
  changeoverWaiting: { type: 'changeoverWaiting'; changeover: string; reason: WaitReason; holds: string[] };
  changeoverAborted: { type: 'changeoverAborted'; changeover: string; reason: AbortReason };
  changeoverDone: { type: 'changeoverDone'; changeover: string; from: string | null; to: string };
  /** The slots of this page cannot follow the release, and why; the page asks for a refresh where one is due. */
  swapRefused: { type: 'swapRefused'; to: string; refusals: SwapRefusal[] };
  /** A swap is over. `reason` is `null` when it was committed. */
  swapEnded: {
    type: 'swapEnded';
    changeover: string;
    from: string | null;
    to: string;
    /** The slots that were to get new code. */
    slots: string[];
    /** `aborted`, `rolledBack`: the page is as before. `kept`: the new code wrote durable data and stays. `broken`: only a refresh helps. */
    outcome: SwapOutcome;
    reason: SwapReason | null;
    slot: string | null;
    message: string | null;
  };
  stateRestored: { type: 'stateRestored'; restored: string[]; failed: string[] };
  chunkFailed: { type: 'chunkFailed'; url: string | null; message: string; skew: boolean };
  problem: { type: 'problem'; code: string; message: string };
}

export interface SwapRefusal {
  why: SwapRefusalCode;
  slot: string | null;
  file: string | null;
  /** Modules from the entry or the slot to the one at the root of it. */
  root: string[];
}

export type ChangeoverEvent = Events[keyof Events];

/** One step of a store's schema, with its way back if it has one. Steps are pure: they get a copy and return a value. */
export interface Migration<From = any, To = any> {
  from: number;
  to: number;
  up(value: From): To | Promise<To>;
  /** Without it the step cannot be undone: a rollback asks the user, and older tabs keep newer ones from writing. */
  down?(value: To): From | Promise<From>;
  /** Which way drops something that the other cannot bring back. The cheapest path without a loss is taken. */
  lossy?: 'up' | 'down' | 'both';
  /** Names the content of the step, so that two branches which both built "schema 7" are told apart. Any text. */
  id?: string;
  /** At least 1, the default. */
  cost?: number;
}

/** What https://standardschema.dev says a validator looks like (zod, valibot, arktype, …). */
export interface StandardSchema<T = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    validate(value: unknown): StandardResult<T> | Promise<StandardResult<T>>;
  };
}
export type StandardResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined }[] };

/** A Standard Schema, or a function that throws or returns `false` for what is no value of the schema. */
export type Validator<T = any> = StandardSchema<T> | ((value: unknown) => boolean | void | Promise<boolean | void>);

/** What a build knows about the shape of a state or a store. */
export interface Schema<T = any> {
  /** The schema this build works with: a whole number from 1. */
  schema: number;
  /** Schemas that must have a path to `schema`; checked when it is registered. Default: every schema a step names. */
  reads?: number[];
  migrations?: Migration[];
  /** Checks each value after its steps, before anything is put in place. */
  validate?: Validator<T>;
  /** Whether a schema of `reads` may reach `schema` by a lossy path only. Default false. */
  allowLossy?: boolean;
  /** Set hashes of foreign lineages that mean the same, as the error `foreign_schema` names them. */
  accepts?: number[];
}

/** A piece of tab state. With `schema` it travels with its schema number and is migrated by the build that takes it. */
export interface StateProvider<T = unknown> extends Partial<Schema<T>> {
  /** Returns the value to carry over; anything that can be cloned. May return a promise (at most 3 s). `undefined`: nothing to carry. */
  capture(): T | undefined | Promise<T | undefined>;
  /** Takes the value a page before this one captured. */
  restore(value: T): void | Promise<void>;
}

/** A durable store that all tabs of the origin share, whatever their build. */
export interface StoreSpec<T = unknown> extends Schema<T> {
  /** The records a new store begins with, by key. */
  initial?: Record<string, T> | (() => Record<string, T> | Promise<Record<string, T>>);
  /** Data from before this store: taken over once, when the store is made. The originals stay as they are. */
  adopt?: Adoption | Adoption[];
  /** An old schema is left when no tab has been seen on it for this long. Default 3 days. */
  dwell?: Millis;
  /** How long a left schema is kept as a backup after its last use. Default 14 days. */
  retention?: Millis;
  /** Time between two checks for tabs on older schemas. Default 30000. */
  census?: Millis;
  /** Records in one batch of a migration. Default 500. */
  batch?: number;
  /** Longest time for one step on one record. Default 3000. */
  budget?: Millis;
}

/** Where existing data comes from; made by the functions of `changeover/adopt`. `undefined`: there is none. */
export type Adoption = () => Adopted | undefined | Promise<Adopted | undefined>;
export interface Adopted {
  /** The schema of these records; they are migrated on the way in. */
  schema: number;
  records: Iterable<readonly [key: string, value: unknown]>;
}

/** What this tab may do with a store. `reason` is a stable code, `message` a sentence. */
export interface StoreMode {
  kind: 'opening' | 'readWrite' | 'readOnly' | 'backup' | 'refused' | 'closed';
  reason: string | null;
  message: string | null;
}

/** `key: null`: this tab may have missed changes, so anything may be different. */
export interface StoreChange<T> { key: string | null; value: T | undefined }

export interface StoreProgress {
  store: string;
  /** The schema that is being filled or left. */
  from: number;
  to: number;
  phase: 'expand' | 'copy' | 'check' | 'contract' | 'revive' | 'return' | 'sweep';
  /** Records so far in this phase. */
  done: number;
}

/**
 * Every method rejects with a {@link ChangeoverError}; nothing has changed then. Values are cloned on the way in and out.
 */
export interface Store<T = unknown> {
  readonly name: string;
  readonly schema: number;
  readonly mode: StoreMode;
  /** Resolves when the store can be read; rejects when this build is refused. */
  ready(): Promise<void>;
  get(key: string): Promise<T | undefined>;
  /** The last write wins, unless this tab slept since it last saw the record and another tab has written it: `conflict`. */
  set(key: string, value: T): Promise<void>;
  /** Reads, computes and writes as one: runs `change` again when another write came first. `undefined` deletes. */
  update(key: string, change: (value: T | undefined) => T | undefined | Promise<T | undefined>): Promise<T | undefined>;
  delete(key: string): Promise<void>;
  /** Up to `limit` (default 1000) records whose keys come after `after`, in key order. */
  list(options?: { after?: string; limit?: number }): Promise<[key: string, value: T][]>;
  /** All records in key order, read in portions. */
  entries(): AsyncIterableIterator<[key: string, value: T]>;
  /** Told after each change of a record, by this tab or another one. */
  subscribe(listener: (change: StoreChange<T>) => void): Undo;
  subscribe(key: string, listener: (change: StoreChange<T>) => void): Undo;
  onMode(listener: (mode: StoreMode) => void): Undo;
  /** Told after each committed step of a migration. */
  onProgress(listener: (progress: StoreProgress) => void): Undo;
  /** Ends this tab's part in the store. */
  close(): void;
}

/** State that could not be put in place, kept for 30 days; or a schema of a store that has been left. */
export interface Backup {
  id: string;
  kind: 'state' | 'store';
  name: string;
  schema: number;
  /** The build that captured it. */
  build: string | null;
  at: Millis;
  /** Why it is here: a stable code such as `step_failed`, `no_path`, `left`. */
  reason: string;
  message: string;
  /** The value of a state, or all records of a store by key. */
  value(): Promise<unknown>;
  /** Migrates it to what this build knows and puts it in place; rejects with the reason when that is impossible. */
  restore(): Promise<void>;
  remove(): Promise<void>;
}

/** What this package throws and rejects with. */
export interface ChangeoverError extends Error {
  /** Stable: `step_failed`, `no_path`, `ambiguous_path`, `foreign_schema`, `read_only`, `refused`, `conflict`, `quota`, … */
  readonly code: string;
  readonly store?: string;
  /** As in `2 -> 3 (up)`. */
  readonly step?: string;
  /** Where in the value, as in `items[0].price`. */
  readonly path?: string;
}

export type Undo = () => void;

export interface Changeover {
  readonly status: Status;
  /** Checks the server now. Resolves with the status after the answer; never rejects. */
  check(): Promise<Status>;
  /** Listens to one kind of event, or to all with `'*'`. A listener that throws stops no other. */
  on<K extends keyof Events>(type: K, listener: (event: Events[K]) => void): Undo;
  on(type: '*', listener: (event: ChangeoverEvent) => void): Undo;
  /** "Not now": no changeover while the hold lasts. `deadline`: milliseconds from now after which it no longer counts; default 5 minutes. */
  hold(reason: string, options?: { deadline?: Millis }): Undo;
  /** Registers a piece of tab state; restores at once what a page before this one captured under `name`. */
  state<T>(name: string, provider: StateProvider<T>): Undo;
  /** Opens a durable store; its methods wait until it is there. Opened twice under one name, it is the same store. */
  store<T = unknown>(name: string, spec: StoreSpec<T>): Store<T>;
  /** State and store contents that are kept because they could not be put in place, or were left behind. */
  backups(): Promise<Backup[]>;
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
 * `prompt`, `lang`, `labels` and `health` at any time and the other options while it is starting, except `release`, `build` and
 * `runtime`; what comes too late is named by a `problem` with code `options_ignored`. Inert where there is no document.
 */
export function createChangeover(options?: Options): Changeover;
