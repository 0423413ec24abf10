// What the modules of a page tell each other. None of it is public, and none of it is shipped.
import type { AbortReason, Backup, Changeover, Labels, Millis, Prompt, StateProvider, Status, Store, StoreSpec, Undo } from '../index.js';
import type { KEY } from '../loader.js';
import type { LATE } from '../options.js';

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

/** What loader and runtime share. At the loader level the public object calls it; `equip.js` adds what has a `?`. */
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
  /** What is asked; `equip.js` makes a whole prompt of it. */
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
