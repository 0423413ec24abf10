// What every migration should hold to, as checks for an app's own tests; and faults as browsers have them.
import type { ChangeoverError, Migration, Millis, Schema } from './index.js';

/** What is handed to `state()` or `store()`; `name` is for the messages and for the folder of the fixtures. */
export interface Spec<T = any> extends Schema<T> { name?: string }

/** What all of these reject with; the message is everything they know. */
export interface BrokenLaw extends ChangeoverError {
  /** The counter-example, as small as it could be made. */
  readonly sample?: unknown;
}

/** Every schema has a path to `head` without a loss: those of `reads` and of the steps, and without `reads` every number from 1. */
export function everySchemaReaches(head: number, spec: Spec): Promise<void>;

export interface RoundTripOptions {
  /** Values by schema. A schema without any gets what the steps make of the others. */
  samples?: Record<number, readonly unknown[]>;
  /** Generators by schema: functions, or whatever `sample` takes. */
  arbitrary?: Record<number, ((nth: number) => unknown) | object>;
  /** `fc.sample` of fast-check, or what does the same. */
  sample?(arbitrary: any, runs: number): readonly unknown[];
  /** Values of each generator. Default 100. */
  runs?: number;
  /** `false`: a step may drop fields it does not know. Default true. */
  unknownFields?: boolean;
  /** Longest time for one step. Default 3000. */
  budget?: Millis;
}
/**
 * `down(up(x)) = x` unless `up` is lossy, `up(down(x)) = x` unless `down` is, `up(down(up(x))) = up(x)` and
 * `down(up(down(x))) = down(x)` always; unknown fields are preserved; every sample arrives at the head as a valid value.
 */
export function roundTrip(spec: Spec, options: RoundTripOptions): Promise<{ checks: number }>;

export interface GoldenOptions {
  /** Writes what is missing: fixtures, and what they become at a new head. Never over what differs. */
  update?: boolean;
  /** By schema, what a missing fixture is made of. Default for the head: what the newest other fixture becomes. */
  values?: Record<number, unknown>;
  /** Schemas that must have a fixture. Default: every schema that `reads` or a step names. */
  released?: readonly number[];
}
/** Values as released builds stored them, in `<folder>/<store>/<schema>.json`, become what was recorded. Needs Node.js. */
export function golden(spec: Spec, folder: string, options?: GoldenOptions): Promise<{ checked: number[]; written: number[] }>;

export interface Job { store?: string; from: number; value: unknown; lineage?: string; to?: number }
export interface Rehearsal {
  store: string;
  from: number;
  to: number;
  lossy: boolean;
  steps: { name: string; lossy: boolean; took: Millis | null }[];
  error: { code: string; message: string; store: string; step: string | null; path: string | null } | null;
}
/** What a migration would do, without touching anything: one report for each job. */
export function rehearse(spec: Spec | readonly Spec[], jobs: readonly Job[], options?: { verify?: boolean; lossy?: boolean; budget?: Millis }): Promise<{ stores: Rehearsal[] }>;

/** The n-th, counted from 1, or those for which the function says so. */
export type Nth = number | ((nth: number) => boolean);
export interface IndexedDbFaults {
  /** This write fails; its transaction aborts unless the error is handled. */
  failAt?: Nth;
  /** This write fails for want of space, and so does its transaction. */
  quotaAt?: Nth;
  /** This writing transaction aborts instead of completing, after all its requests have succeeded. */
  abortAt?: Nth;
  /** This open never answers; `true`: none does. */
  blockOpen?: Nth | true;
  /** This open fails; `true`: every one does. */
  failOpen?: Nth | true;
  /** Writing transactions stay open for so long after their last request. */
  delay?: Millis;
}
export interface Faults extends IndexedDbFaults {
  readonly writes: number;
  readonly transactions: number;
  readonly opens: number;
  /** Closes all connections, as clearing site data does. */
  close(): void;
  /** Tells all connections that another tab wants to upgrade (`newVersion`) or to delete (`null`) the database. */
  versionChange(newVersion?: number | null): void;
}
/** `indexedDB`, of a page or of fake-indexeddb, with faults; the options in `faults` may be changed at any time. */
export function faultyIndexedDb<F extends object>(indexedDB: F, options?: IndexedDbFaults): F & { readonly faults: Faults };

/** Steps with faults; their calls are counted together. */
export function faultySteps<M extends Migration>(migrations: readonly M[], options?: { throwAt?: Nth; hangAt?: Nth; corruptAt?: Nth }): M[];
