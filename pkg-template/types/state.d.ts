// What the files of tab state and durable stores share, and what they and the engine behind the stores say to each other.
// None of it is shipped.
import type {
  Backup, ChangeoverError, Millis, Schema, StateProvider, Store, StoreMode, StoreProgress, StoreSpec,
} from '../index.js';
import type { failure } from '../error.js';

// States on their way through a reload.

/** A state in one of its schemas. Without `value` it is only known: as what `kept` holds, or as an entry of `about`. */
export interface Form {
  /** It counts as the first one when it is missing. */
  schema?: number;
  /** The steps that lead to the schema, as the engine writes them; missing when it did not run. */
  lineage?: string;
  /** The same as far as they are known without WebAssembly. */
  steps?: string[];
  /** Of the capture it comes from. */
  token?: string;
  build?: string | null;
  at?: Millis;
  value?: unknown;
  /** The id under which the browser's database holds the value. */
  kept?: string;
  /** The id of a copy among the backups. */
  backup?: string;
  /** Of an original: the fingerprint of what it was taken down to. */
  sum?: string;
}

/** A form that says when it was captured. */
export interface Captured extends Form {
  token: string;
}

/** What an envelope says of one state, beside its value. */
export interface About extends Form {
  /** In older schemas, for a build of which nothing was known. */
  others?: Form[];
  /** What was taken down to an older schema. */
  original?: Captured;
}

/** What a page leaves for the one after it. */
export interface Envelope {
  id: string;
  from?: string | null;
  at: Millis;
  states: Record<string, unknown>;
  about?: Record<string, About>;
}

/** What is said of a kept value. Without `reason` it is on its way. */
export interface KeptHead extends Form {
  id: string;
  token: string;
  name: string;
  build: string | null;
  at: Millis;
  reason?: string;
  message?: string;
  /** There only in case. */
  spare?: boolean;
}

/** Why a value could not be put in place. */
export interface Why {
  reason: string;
  message: string;
}

/** A file that was taken out of a value: its bytes, and the object that stands in its place. */
export interface KeptFile {
  at: object;
  bytes: ArrayBuffer;
  type: string;
  /** Missing for a blob. */
  name?: string;
  lastModified?: number;
}

export interface KeptValue {
  value: unknown;
  files?: KeptFile[];
}

/** The names of what was put in place on arrival, and of what was not. */
export interface Restored {
  restored: string[];
  failed: string[];
}

/** A tree of nodes as plain lists. */
export type Markup = string | [name: string, attributes: [name: string, value: string][], ...children: Markup[]];

// Migrations and stores.

/** What a build's manifest says of a store. */
export interface Taker {
  schema: number;
  reads: number[];
}

export interface NamedSchema extends Schema {
  name: string;
}

export interface NamedStoreSpec extends StoreSpec {
  name: string;
}

/** One function of a migration, by number what the engine knows. */
export interface Step {
  readonly run: (value: unknown) => unknown;
  /** As in `2 -> 3 (up)`. */
  readonly name: string;
  /** The number of the one that undoes it. */
  readonly back: number | null;
  readonly lossy: boolean;
}

/** A value to be migrated: to the schema of this build, or to `to`. */
export interface Job {
  store: string;
  from: number;
  lineage?: string;
  value: unknown;
  to?: number;
}

export interface Migrated {
  store: string;
  schema: number;
  value: unknown;
}

export interface MigrateOptions {
  /** Ends in a report. */
  dry?: boolean;
  /** Also goes back after each step, and compares. */
  verify?: boolean;
  /** A way with a loss will do. */
  lossy?: boolean;
  budget?: Millis;
  onProgress?: (done: number, total: number) => void;
}

/** What `createStores` makes. */
export interface Stores {
  register(spec: NamedSchema): void;
  unregister(name: string): void;
  /** Without `schema`: of the store's own. */
  lineage(name: string, schema?: number): string;
  way(name: string, from: number, to: number): Way;
  reach(name: string): Reach[];
  handover(name: string, taker: Taker | undefined): Handover;
  migrate(jobs: Job[], how: MigrateOptions & { dry: true }): Promise<{ stores: StoreReport[] }>;
  migrate(jobs: Job[], how?: MigrateOptions & { dry?: false }): Promise<Migrated[]>;
  open(spec: NamedStoreSpec): Promise<Store>;
  backups(): Promise<Backup[]>;
  handOver(target: Record<string, Pick<Taker, 'schema'> & Partial<Taker>>, patience: Millis): Promise<string[]>;
  close(): void;
  readonly states: StateRuns;
}

/** A durable store that is open, with what the app does not see of it. */
export interface OpenedStore {
  api: Store;
  spec: NamedStoreSpec;
  die(error: ChangeoverError): void;
  backups(): Backup[];
  revive(older: number, patience: Millis): Promise<string | null>;
}

/** What `createStateRuns` makes. */
export interface StateRuns {
  add(name: string, provider: ProviderWithSchema): void;
  remove(name: string): void;
  lineage(name: string, schema?: number): string;
  take(jobs: StateJob[]): Promise<{ form: Form; value: unknown }[]>;
  hand(name: string, value: unknown, taker: Taker | undefined): Promise<{ main: Form; others: Form[] }>;
}

export interface ProviderWithSchema extends StateProvider {
  schema: number;
}

/** A state to be taken, in all its forms, the newest schema first. */
export interface StateJob {
  name: string;
  forms: Form[];
  load: (form: Form) => Promise<unknown>;
}

// The engine: the classes of `src/js/stores.rs`.

/** What the engine throws, and tells of: no `Error` yet. */
export type Thrown = Parameters<typeof failure>[0];

export interface StoresBindings {
  Stores: new (host: EngineHost) => Engine;
}

export interface EngineHost {
  panicked(place: string): void;
}

export interface Engine {
  /** Takes what `readSpec` makes. */
  register(registration: object): void;
  unregister(store: string): void;
  lineage(store: string, schema: number | undefined): string;
  way(store: string, from: number, to: number): Way;
  reach(store: string): Reach[];
  handover(store: string, taker: Taker | undefined): Handover;
  migrate(jobs: Omit<Job, 'value'>[], options: Omit<MigrateOptions, 'onProgress'>): EngineRun;
  /** A text says why that cannot be found out. */
  exists(scope: string, store: string): Promise<boolean | string>;
  open(store: string, options: OpenOptions, host: StoreHost): EngineStore;
}

export interface Way {
  lossy: boolean;
  steps: string[];
}

export type Reach = [from: number, to: number, lossy: boolean];

export interface Handover {
  /** `null`: the value goes as it is. */
  to: number | null;
  /** Older schemas that go along. */
  also: number[];
}

export interface StoreReport {
  store: string;
  from: number;
  to: number;
  lossy: boolean;
  steps: { name: string; lossy: boolean; took: Millis }[];
  error: Thrown | null;
}

/** One migration under way: `next` until it is a `wake`, answers with `feed`. */
export interface EngineRun {
  next(): RunOutput;
  feed(input: RunInput): void;
  free(): void;
}

/** What the engine asks to be done with the value of one store. */
export type RunTask = { store: string } & (
  | { type: 'snapshot'; index?: undefined; step?: undefined; schema?: undefined }
  | { type: 'runStep'; index: number; name: string; step: number; schema?: undefined }
  | { type: 'goBack'; index: number; step: number; schema?: undefined }
  | { type: 'validate'; index?: undefined; step?: undefined; schema: number }
);

export type RunOutput =
  | RunTask
  | { type: 'progress'; done: number; total: number }
  | { type: 'ready'; stores: [store: string, schema: number][] }
  | { type: 'failed'; error: Thrown }
  | { type: 'reported'; stores: StoreReport[] }
  // `null` when all is over.
  | { type: 'wake'; at: Millis | null };

export interface RunInput {
  type:
    | 'snapshotTaken' | 'snapshotFailed' | 'stepDone' | 'stepFailed' | 'restored' | 'notRestored' | 'validated' | 'invalid'
    | 'cancelled' | 'woke';
  store: string;
  index?: number;
  message?: string;
  path?: string | null;
}

/** The durations that an app gives, as far as it does, and what the package knows. */
export interface OpenOptions extends Partial<Record<'dwell' | 'retention' | 'census' | 'batch', number>> {
  scope: string;
  build: string;
  accepts: number[];
  initial: StoreRecord[];
}

export type StoreRecord = [key: string, value: unknown];

/** How one record is made: a value and its hops, one after the other. */
export type Recipe = [value: unknown, hops: Hop[]];

/** `ours` is what the schema below has of an older copy: its value, and the steps from there to where the hop begins. */
export type Hop = [steps: number[], ours?: Ours];
export type Ours = [value: unknown, there: number[]];

/** What one store hears from the engine. */
export interface StoreHost {
  reply(id: number, error: Thrown | null, value: unknown): void;
  mode(kind: StoreMode['kind'], reason: string | null, message: string | null): void;
  problem(error: Thrown): void;
  progress(progress: StoreProgress): void;
  change(key: string | null, value: unknown): void;
  /** Rejects with, or throws, `{place, message, step, path}`. */
  translate(recipes: Recipe[], schema: number | undefined, forGood: boolean): unknown[] | Promise<unknown[]>;
}

/** What a record must still be to be written: its stamp, `null` for none, `undefined` for whatever it is. */
export type Seen = Stamp | null | undefined;
export type Stamp = [writer: number, count: number];

/** One open store. What is asked with an id is answered by `reply`. */
export interface EngineStore {
  read(id: number, key: string): void;
  list(id: number, after: string | undefined, limit: number): void;
  write(id: number, key: string, value: unknown, seen: Seen): void;
  delete(id: number, key: string, seen: Seen): void;
  /** `null`: to all records. */
  listen(key: string | null): void;
  unlisten(key: string | null): void;
  revive(schema: number): void;
  /** The layout as JSON text; empty while it is not known. */
  head(): string;
  readBackup(schema: number, after: string | undefined, limit: number): Promise<Portion | undefined>;
  dropBackup(schema: number): Promise<boolean>;
  close(): void;
}

export interface Portion {
  rows: StoreRecord[];
  last: boolean;
}

/** What comes back for each question to an open store. */
export interface Replies {
  read: [value: unknown, ...stamp: Stamp] | undefined;
  list: [rows: StoreRecord[], last: boolean];
  write: undefined;
  delete: undefined;
}

/** The layout of a store as far as it is of use here. */
export interface StoreLayout {
  schema: number;
  namespaces: { schema: number }[];
  backups: { schema: number; at: Millis; lineage: string }[];
}
