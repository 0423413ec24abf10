// Data from before a durable store. Everything here only reads; what cannot be read is an error and stays as it is.
import type { Adoption, Millis } from './index.js';

/** What is read of a web storage, or of one that answers later. */
export interface TextStorage { getItem(key: string): unknown }

export interface LocalStorageOptions {
  /** The schema of the values. */
  schema: number;
  /** The key of the record. Default: the name in localStorage, without the prefix. */
  key?: string | ((name: string) => string);
  /** Default `JSON.parse`. */
  parse?(text: string): unknown;
  /** Another storage of the same kind. Default `localStorage`. */
  storage?: TextStorage & { readonly length: number; key(index: number): string | null };
}
export function fromLocalStorage(keys: string | readonly string[] | { readonly prefix: string }, options: LocalStorageOptions): Adoption;

export interface IndexedDbOptions {
  /** localforage's is `localforage`. */
  database: string;
  /** localforage's is `keyvaluepairs`. */
  store: string;
  /** The schema of the values. */
  schema: number;
  /** The key of the record. Default: strings and numbers as they are. */
  key?(key: any, value: any): string;
  /** How long the database may take to open. Default 5000. */
  timeout?: Millis;
}
/** Never upgrades the database, and never makes it. */
export function fromIndexedDb(options: IndexedDbOptions): Adoption;

export interface PersistOptions {
  /** The schema, or what makes it from the version the library has stored. Default: that version. */
  schema?: number | ((version: number) => number);
  /** Where the library keeps it. Default `localStorage`. */
  storage?: TextStorage;
  /** Default `JSON.parse`. */
  parse?(text: string): unknown;
}
/** Each slice under `persist:<key>` becomes a record. The version is -1 where the app has set none. */
export function fromReduxPersist(key?: string, options?: PersistOptions & { slices?: readonly string[] }): Adoption;
/** The state becomes one record under `key`, which is `name` by default. The version is 0 where the app has set none. */
export function fromZustandPersist(name: string, options?: PersistOptions & { key?: string }): Adoption;
