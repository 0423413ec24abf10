// What the modules of a page tell each other. None of it is public, and none of it is shipped.
import type { AbortReason, Backup, Changeover, ChangeoverEvent, Labels, Migration, Millis, Prompt, Status, Store, StoreSpec, Validator } from '../index.js';
import type { KEY } from '../loader.js';
import type { LATE } from '../options.js';
import type { createStates } from '../states.js';

// ------------------------------------------------------------------------------------------------------ options

/** All options: URLs are absolute, `null` is what was not given. */
export type CompleteOptions = {
  /** What the URLs were relative to. */
  base: string;
  release: string;
  build: string | null;
  /** Of the release that the document was made for. */
  sequence: number | null;
  app: string | null;
  channel: string | null;
  interval: Millis;
  /** `auto`, `off` or a URL. */
  stream: string;
  prompt: boolean;
  lang: string | null;
  labels: Partial<Labels> | null;
  health: (() => boolean | Promise<boolean>) | null;
  runtime: string | null;
  wasm: string | null;
  promptFile: string | null;
  statesFile: string | null;
  stores: string | null;
  storesWasm: string | null;
  fields: boolean;
  trace: boolean;
};

/** What they are made of: options of the app, the dataset of a tag, or options that are complete already. */
export type GivenOptions = { readonly [Name in keyof CompleteOptions]?: unknown };

/** What the loader reads of the options it was given. Numbers are texts in a dataset, and compare as well. */
export interface LoaderOptions extends GivenOptions {
  readonly base: string;
  readonly release: string;
  readonly build?: string | null;
  readonly sequence?: number | null;
  readonly interval?: Millis;
  readonly prompt?: string;
  readonly runtime?: string | null;
}

// ------------------------------------------------------------------------------------------------------ the page

/** What loader and runtime share. At the loader level the public object calls it; `loader-fallback.js` adds what has a `?`. */
export interface Page extends Implementation {
  readonly options: LoaderOptions;
  readonly api: Api;
  /** What has happened before the runtime came. */
  readonly failures: LoadEvent[];
  onFailure(event: LoadEvent): unknown;
  /** From now on `next` does what is asked of the public object. */
  connect(next: Implementation): void;
  /** Falls back to the loader level. */
  degrade(reason: unknown): void;
  readonly status: LoaderStatus;
  check(): Promise<LoaderStatus>;
  /** Whether the page may reload now. `by`: `user`, `anyway` or the event when the user asks for it. */
  save(by?: unknown): Promise<boolean>;
  reload(by?: unknown): Promise<AbortReason | void>;
  show(): { remove(): void };
  backups?(): Promise<Backup[]>;
  unequip?(): void;
}

/** What the public object calls. */
export interface Implementation extends Partial<Pick<Changeover, 'on' | 'hold' | 'state'>> {
  readonly status: LoaderStatus;
  check(): Promise<LoaderStatus>;
  reload(by?: unknown): Promise<AbortReason | void>;
  snooze(): void;
  trace(): string;
  dispose(): void;
}

/** The public object, with what copies of this package find on it. */
export interface Api extends Omit<Changeover, 'store' | 'backups'> {
  readonly options?: LoaderOptions;
  store?<T = unknown>(name: string, spec: StoreSpec<T>): Store<T>;
  backups?(): Promise<Backup[]>;
  /** Takes later options: an object until the runtime has come. */
  [LATE]?: GivenOptions | ((late: GivenOptions) => void);
}

/** Where it is, on `globalThis`. */
export interface ApiPlace {
  [KEY]?: Api;
  changeover?: Api;
}

/** The status as far as the loader knows it. */
export interface LoaderStatus extends Omit<Partial<Status>, 'release' | 'prompt'> {
  level: Status['level'];
  decision: Status['decision'];
  failures: number;
  holds: Status['holds'];
  release?: LoaderRelease | null;
  /** What is asked; `loader-fallback.js` makes a whole prompt of it. */
  prompt?: LoaderRelease | Prompt | null;
}

/** `release.json` as the loader reads it, with the id of the build in its place. */
export interface LoaderRelease {
  sequence: number;
  build: string;
  message?: string | null;
}

/** The runtime as the loader fetches it. */
export interface Runtime {
  attach(page: Page): Promise<void>;
}

// ------------------------------------------------------------------------------------------------------ failures

/** Something went wrong while code was loaded or run: an event as the browser made it, or what is passed on in its shape. */
export interface LoadEvent {
  readonly type: string;
  readonly target?: unknown;
  readonly error?: unknown;
  readonly message?: unknown;
  readonly filename?: string;
  /** Of an `unhandledrejection`. */
  readonly reason?: unknown;
  /** Of a `vite:preloadError`. */
  readonly payload?: unknown;
}

/** What the engine judges of it. */
export interface LoadFailure {
  kind: 'script' | 'style' | 'import' | 'error';
  message: string;
  url: string | null;
}

/** Why a file cannot be had, as the engine knows it. */
export type FetchFailure = { type: 'network' | 'integrity' | 'html' } | { type: 'status'; status: number } | { type: 'length'; bytes: number };

/** A file of a build, as its manifest says. */
export interface FileToFetch {
  file: string;
  integrity: string;
  size: number;
  kind: 'script' | 'style' | 'wasm' | 'asset';
  priority?: RequestPriority;
}

export interface WrongFile {
  file: string;
  failure: FetchFailure;
}

// ------------------------------------------------------------------------------------------------------ the engine

/** What the bindings of `runtime.js` export: the class of `src/js/guard.rs`. */
export interface GuardBindings {
  Core: new (options: CompleteOptions, host: GuardHost) => GuardCore;
}

export interface GuardCore {
  start(): void;
  status(): Status;
  isSettled(): boolean;
  check(): void;
  /** Gives the number of the hold. */
  hold(reason: string, deadline: Millis | undefined): number;
  release(hold: number): void;
  reload(by: 'app' | 'user' | 'anyway'): void;
  snooze(): void;
  loadFailed(failure: LoadFailure): void;
  carried(): Envelope;
  keep(): void;
  restored(names: { restored: string[]; failed: string[] }): void;
  slotsListed(slots: SlotUse[]): void;
  swapAnswered(changeover: string, round: number, answer: SwapAnswer): void;
  filesChecked(build: string, wrong: WrongFile | null): void;
  workerSeen(controls: boolean): void;
  workerRenewed(changeover: string, outcome: 'activated' | 'unchanged' | 'failed'): void;
  trace(): string;
  dispose(): void;
  abandon(): void;
}

/** What the engine calls. */
export interface GuardHost {
  panicked(place: string): void;
  event(event: ChangeoverEvent): void;
  settled(): void;
  stayed(): void;
  renew(changeover: string): void;
  capture(stores: StoreReads | null): Promise<object>;
  restore(): Promise<object>;
  check(effect: CheckFiles): void;
  swap(effect: SwapEffect): void;
}

/** What has come through a reload; empty when nothing has. */
export type Envelope = ReturnType<Parameters<typeof createStates>[0]['carried']>;

/** What the build to come reads, by store. */
export type StoreReads = Record<string, { schema: number; reads: number[] }>;

export interface CheckFiles {
  build: string;
  /** Of the files, relative to the release. */
  base: string;
  files: FileToFetch[];
}

// ------------------------------------------------------------------------------------------------------ swaps

export type SlotUse = [slot: string, use: 'mounted' | 'idle' | 'taken'];

export type SwapEffect =
  | { type: 'takeSwapStep'; changeover: string; round: number; to: string; step: SwapStep }
  | { type: 'discardSwap'; changeover: string; round?: undefined; to?: undefined; step?: undefined };

/** Where a slot points to. */
export interface SwapPointer {
  slot: string;
  file: string;
  css: string[];
}

/** `Step` of `src/engine/slots.rs`. */
export type SwapStep =
  | { type: 'fetch'; files: FileToFetch[] }
  | { type: 'import'; modules: { slot: string; file: string; kind: 'module' | 'wasm' }[]; pointers: SwapPointer[] }
  | { type: 'awaitQuiet'; slots: string[] }
  | { type: 'snapshot'; slots: string[] }
  | { type: 'migrate'; states: { slot: string; from: number; to: number }[] }
  | { type: 'mount'; slots: string[]; pointers: SwapPointer[]; styles: string[] }
  | { type: 'switch'; slots: string[]; pointers: SwapPointer[]; styles: string[]; stylesOut?: string[] }
  | { type: 'watch'; slots: string[]; files: string[] }
  | { type: 'commit'; slots: string[]; styles: string[] }
  | { type: 'rollBack'; slots: string[] };

/** `Answer` of `src/engine/slots.rs`. */
export type SwapAnswer =
  | { type: 'fetched' | 'imported' | 'quiet' | 'snapshotted' | 'migrated' | 'mounted' | 'disturbed' | 'switched' | 'committed' | 'rolledBack' }
  | { type: 'fetchFailed'; file: string; failure: FetchFailure }
  | { type: 'importFailed' | 'snapshotFailed' | 'migrationFailed' | 'noMigrationPath' | 'mountFailed'; slot: string; message: string }
  | { type: 'vetoed' | 'placeUnknown' | 'notShown' | 'empty'; slot: string }
  | { type: 'switchFailed' | 'unhealthy' | 'rollBackFailed'; message: string }
  | { type: 'threw'; slot: string | null; message: string };

/** What a swap needs of the module `stores.js`. */
export interface SlotMigrations {
  register(spec: { name: string; schema: number; migrations?: readonly Migration[]; validate?: Validator }): void;
  unregister(name: string): void;
  migrate(jobs: { store: string; from: number; lineage: string; value: unknown; to: number }[], how: { budget: Millis }): Promise<{ value: unknown }[]>;
}
