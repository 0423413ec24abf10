// One open durable store, as the app sees it.
import { failure } from './error.js';
import { textOf } from './load-errors.js';
import { check, then } from './spec.js';
import { cloned } from './clone.js';
/** @import { ChangeoverError, Store, StoreChange, StoreMode, StoreProgress, Undo } from './index.js' */
/**
 * @import {
 *   EngineStore, NamedStoreSpec, OpenedStore, Replies, Seen, StoreHost, StoreLayout, StoreRecord, Stores,
 * } from './types/state.js'
 */

/** @typedef {(change: StoreChange<unknown>) => void} Listener */
/**
 * What a question to the engine's store takes beside its id.
 *
 * @template {keyof Replies} M
 * @typedef {Parameters<EngineStore[M]> extends [id: number, ...given: infer Given] ? Given : never} Given
 */

/** Records in one portion of `entries()` and of a backup. */
const PORTION = 1_000;
/** How often an update starts again because another tab was faster, and how often at once: timers of hidden tabs are slow. */
const TRIES = 100;
const EAGER = 20;
/** Between two looks whether a schema has come back. */
const ROUND = 50;

/**
 * @param {{
 *   spec: NamedStoreSpec,
 *   stores: Pick<Stores, 'migrate' | 'reach'>,
 *   begin: (host: Omit<StoreHost, 'translate'>) => EngineStore,
 *   call: <T>(run: () => T) => T,
 *   forget: () => void,
 * }} parts `begin` opens the engine's store with a host for its callbacks
 * @returns {OpenedStore}
 */
export function openStore({ spec, stores, begin, call, forget }) {
  const { name, schema, validate } = spec;
  /** @type {Map<number, [resolve: (value: any) => void, reject: (error: unknown) => void]>} */
  const pending = new Map(); // id -> [resolve, reject]
  /** @type {Set<Listener>} */
  const all = new Set();
  /** @type {Map<string, Set<Listener>>} */
  const byKey = new Map(); // key -> listeners
  /** @type {Set<(mode: StoreMode) => void>} */
  const modeListeners = new Set();
  /** @type {Set<(progress: StoreProgress) => void>} */
  const progressListeners = new Set();
  /** @type {Map<string, Promise<unknown>>} */
  const updates = new Map(); // key -> the last update in line
  /** @type {StoreMode} */
  let mode = { kind: 'opening', reason: null, message: null };
  let ids = 0;
  /** @type {ChangeoverError | null} */
  let over = null; // why it is closed

  /** @type {<T>(listeners: Iterable<(news: T) => void>, news: () => T) => void} */
  const deliver = (listeners, news) => {
    for (const listener of [...listeners]) {
      try {
        listener(news());
      } catch (error) {
        console.error(`changeover: a listener of the store "${name}" threw`, error);
      }
    }
  };
  /** @type {(id: number, error: ChangeoverError | null, value?: unknown) => void} */
  const settle = (id, error, value) => {
    const [resolve, reject] = pending.get(id) ?? [];
    pending.delete(id);
    if (error) reject?.(error);
    else resolve?.(value);
  };
  /** @type {StoreHost['mode']} */
  const enter = (kind, reason, message) => {
    mode = { kind, reason, message };
    deliver(modeListeners, () => mode);
  };

  const handle = begin({
    reply: (id, error, value) => settle(id, error && failure(error), value),
    mode: enter,
    problem: (error) => console.warn(`changeover: ${error.message}`),
    progress: (progress) => deliver(progressListeners, () => ({ ...progress })),
    change(key, value) {
      if (key !== null) deliver(byKey.get(key) ?? [], () => ({ key, value: structuredClone(value) }));
      deliver(all, () => ({ key, value: structuredClone(value) }));
    },
  });

  /** @type {<M extends keyof Replies>(method: M, ...given: Given<M>) => Promise<Replies[M]>} */
  const ask = (method, ...given) =>
    new Promise((resolve, reject) => {
      if (over) throw over;
      const id = (ids += 1);
      pending.set(id, [resolve, reject]);
      try {
        call(() => /** @type {(id: number, ...given: unknown[]) => void} */ (handle[method])(id, ...given));
      } catch (error) {
        pending.delete(id);
        throw error;
      }
    });
  /** @type {(key: string & { isWellFormed?: () => boolean }) => string} */
  const keyed = (key) => {
    if (typeof key === 'string' && key && (key.isWellFormed?.() ?? true)) return key;
    throw failure({ code: 'invalid_key', message: `store "${name}": ${textOf(JSON.stringify(key) ?? key)} is no key; a key is a text that is not empty`, store: name });
  };
  /**
   * A copy that may be stored.
   *
   * @type {(key: string, value: unknown) => unknown}
   */
  const storable = (key, value) => {
    const copy = cloned(value, `store "${name}": "${key}"`);
    return then(check(validate, copy), (/** @type {{ message: string, path?: string } | null} */ wrong) => {
      if (!wrong) return copy;
      const at = wrong.path ? ` at ${wrong.path}` : '';
      throw failure({ code: 'invalid_value', message: `store "${name}": "${key}" is no value of schema ${schema}${at}: ${wrong.message}`, store: name, path: wrong.path });
    });
  };

  /** @type {(key: string, change: (value: unknown) => unknown) => Promise<unknown>} */
  const update = async (key, change) => {
    for (let tried = 1; ; tried += 1) {
      const [before, ...stamp] = (await ask('read', key)) ?? [];
      const found = stamp.length > 0;
      const after = await change(found ? before : undefined);
      const seen = /** @type {Seen} */ (found ? stamp : null);
      try {
        if (after !== undefined) {
          const copy = await storable(key, after);
          await ask('write', key, copy, seen);
        } else if (found) await ask('delete', key, seen);
        return after;
      } catch (/** @type {any} */ error) {
        if (error.code !== 'conflict' || tried === TRIES) throw error;
        if (tried > EAGER) await new Promise((go) => setTimeout(go, Math.random() * tried));
      }
    }
  };

  /** @type {<T>(listeners: Set<(news: T) => void>, listener: (news: T) => void, on?: () => void, off?: () => void) => Undo} */
  const listen = (listeners, listener, on, off) => {
    /** @type {typeof listener} */
    const entry = (news) => listener(news);
    if (listeners.size === 0) on?.();
    listeners.add(entry);
    return () => {
      if (listeners.delete(entry) && listeners.size === 0) off?.();
    };
  };
  /** @type {(method: 'listen' | 'unlisten', key: string | null) => void} */
  const tell = (method, key) => {
    if (!over) call(() => handle[method](key));
  };

  /** @param {ChangeoverError} error */
  const die = (error) => {
    over = error;
    for (const id of [...pending.keys()]) settle(id, error);
    enter('closed', error.code, error.message);
  };

  /** @type {Store} */
  const api = {
    name,
    schema,
    get mode() {
      return mode;
    },
    async ready() {
      await ask('list', undefined, 1);
    },
    async get(key) {
      const [value] = (await ask('read', keyed(key))) ?? [];
      return value;
    },
    async set(key, value) {
      if (value === undefined) throw failure({ code: 'not_cloneable', message: `store "${name}": "${keyed(key)}" cannot be set to undefined; delete() removes a record`, store: name });
      await ask('write', keyed(key), await storable(key, value), undefined);
    },
    update(key, change) {
      const next = (updates.get(key) ?? Promise.resolve()).then(() => update(keyed(key), change));
      /** @type {Promise<unknown>} */
      const line = next.catch(() => {}).then(() => updates.get(key) === line && updates.delete(key));
      updates.set(key, line);
      return next;
    },
    async delete(key) {
      await ask('delete', keyed(key), undefined);
    },
    async list({ after, limit = PORTION } = {}) {
      const [rows] = await ask('list', after, Math.max(1, Math.min(limit, 2 ** 31)));
      return rows;
    },
    async *entries() {
      for (let /** @type {string | undefined} */ after; ; ) {
        const [rows, last] = await ask('list', after, PORTION);
        yield* rows;
        if (last || !rows.length) return;
        after = /** @type {StoreRecord} */ (rows.at(-1))[0];
      }
    },
    /** @param {[listener: Listener] | [key: string, listener: Listener]} given */
    subscribe(...given) {
      const listener = /** @type {Listener} */ (given.pop());
      if (!given.length) return listen(all, listener, () => tell('listen', null), () => tell('unlisten', null));
      const key = keyed(/** @type {string} */ (given[0]));
      if (!byKey.has(key)) byKey.set(key, new Set());
      return listen(/** @type {Set<Listener>} */ (byKey.get(key)), listener, () => tell('listen', key), () => tell('unlisten', key));
    },
    onMode: (listener) => listen(modeListeners, listener),
    onProgress: (listener) => listen(progressListeners, listener),
    close() {
      if (over) return;
      try {
        call(() => handle.close());
      } catch {}
      die(failure({ code: 'closed', message: `store "${name}" is closed`, store: name }));
      forget();
    },
  };

  /** @returns {StoreLayout | null} */
  const head = () => {
    const text = over ? '' : call(() => handle.head());
    return text ? JSON.parse(text) : null;
  };

  /**
   * All records of a schema that has been left.
   *
   * @param {number} from
   */
  const readBackup = async (from) => {
    /** @type {StoreRecord[]} */
    const records = [];
    for (let /** @type {string | undefined} */ after; ; ) {
      const portion = await call(() => handle.readBackup(from, after, PORTION));
      if (!portion) throw failure({ code: 'unavailable', message: `store "${name}": its backup of schema ${from} cannot be read`, store: name });
      records.push(...portion.rows);
      if (portion.last || !portion.rows.length) return records;
      after = /** @type {StoreRecord} */ (portion.rows.at(-1))[0];
    }
  };

  return {
    api,
    spec,
    die,
    backups: () =>
      (head()?.backups ?? []).map(({ schema: from, at, lineage }) => ({
        id: `store:${name}:${from}`,
        kind: 'store',
        name,
        schema: from,
        build: null,
        at,
        reason: 'left',
        message: `store "${name}" has gone on from schema ${from} to ${schema}`,
        value: async () => Object.fromEntries(await readBackup(from)),
        async restore() {
          const records = await readBackup(from);
          // All are made before the first is written.
          /** @type {StoreRecord[]} */
          const made = [];
          for (const [key, value] of records) {
            const [{ value: now }] = await stores.migrate([{ store: name, from, lineage, value }]);
            made.push([key, now]);
          }
          for (const [key, value] of made) await api.set(key, value);
        },
        async remove() {
          if (!(await call(() => handle.dropBackup(from)))) throw failure({ code: 'in_use', message: `store "${name}": its backup of schema ${from} is not there or still in use`, store: name });
        },
      })),
    /** Has an older schema brought back for a build that is about to take over; answers with why it has not come. */
    async revive(older, patience) {
      const end = Date.now() + patience;
      const lives = () => head()?.namespaces.some((it) => it.schema === older);
      const usable = () => lives() && /** @type {StoreLayout} */ (head()).schema <= older;
      const able = stores.reach(name).some(([from, to]) => from === schema && to === older);
      while (!over && head() && !usable()) {
        if (!lives()) {
          if (!able) return `store "${name}" has no way back from schema ${schema} to ${older}`;
          call(() => handle.revive(older));
        }
        if (Date.now() > end) return `store "${name}" is still on its way back from schema ${schema} to ${older}; try again soon`;
        await new Promise((go) => setTimeout(go, ROUND));
      }
      return null;
    },
  };
}
