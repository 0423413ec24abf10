// `changeover/adopt`: data from before a durable store, taken over once when the store is made.
//
//   changeover.store('notes', { schema: 2, migrations, adopt: fromLocalStorage({ prefix: 'note:' }, { schema: 1 }) })
//
// Everything here only reads. What cannot be read is an error that names it, and stays as it is.
import { failure } from './error.js';

/**
 * @import { IndexedDbOptions, LocalStorageOptions, PersistOptions } from './adopt.js'
 * @import { Adopted, Adoption } from './index.js'
 *
 * @typedef {(text: string) => unknown} Parse
 */

/** How long an IndexedDB database may take to open. Another tab that upgrades it holds up all others. */
const PATIENCE = 5_000;
/** Records in one answer. */
const PORTION = 500;

/**
 * Keys of localStorage: one, several, or all with a prefix. Each becomes a record under `key(name)`; by default that is
 * its name without the prefix.
 *
 * @param {string | readonly string[] | { readonly prefix: string }} keys
 * @param {LocalStorageOptions} options
 * @returns {Adoption}
 */
export function fromLocalStorage(keys, { schema, key, parse = JSON.parse, storage } = /** @type {LocalStorageOptions} */ ({})) {
  const prefix = /** @type {{ prefix?: string }} */ (keys)?.prefix ?? '';
  const listed = typeof keys === 'string' ? [keys] : keys;
  if (!Array.isArray(listed) && typeof /** @type {{ prefix?: string }} */ (keys)?.prefix !== 'string') throw misuse('fromLocalStorage() needs a key, a list of keys, or { prefix }');
  demandSchema('fromLocalStorage()', schema);
  const recordKey = typeof key === 'string' ? () => key : (key ?? ((/** @type {string} */ name) => name.slice(prefix.length)));
  return () => {
    const from = storage ?? localStorageHere();
    const names = Array.isArray(listed) ? listed : Array.from({ length: from.length }, (_, at) => /** @type {string} */ (from.key(at))).filter((name) => name.startsWith(prefix)).sort();
    const found = names.flatMap(/** @returns {[key: string, value: unknown][]} */ (name) => {
      const text = from.getItem(name);
      return text === null ? [] : [[recordKey(name), parsed(parse, /** @type {string} */ (text), `localStorage ${quoted(name)}`)]];
    });
    return adopted(schema, found, 'localStorage');
  };
}

/**
 * An object store of an IndexedDB database that the app or a library has made; localforage calls the database
 * `localforage` and the store `keyvaluepairs`. It is opened without a version: it is never upgraded, and never made.
 *
 * @param {IndexedDbOptions} options
 * @returns {Adoption}
 */
export function fromIndexedDb({ database, store, schema, key = keyText, timeout = PATIENCE } = /** @type {IndexedDbOptions} */ ({})) {
  if (typeof database !== 'string' || typeof store !== 'string') throw misuse('fromIndexedDb() needs the names of a database and of a store in it');
  demandSchema('fromIndexedDb()', schema);
  const what = `the IndexedDB database ${quoted(database)}`;
  return async () => {
    const there = await open(database, timeout, what);
    if (!there) return undefined;
    try {
      const names = [...there.objectStoreNames];
      if (names.length === 0) return undefined;
      if (!names.includes(store)) throw failure({ code: 'no_such_store', message: `${what} has no store ${quoted(store)}; it has ${names.map(quoted).join(', ')}` });
      const [keys, values] = await readAll(there.transaction(store).objectStore(store), what);
      return adopted(schema, keys.map((found, at) => [key(found, values[at]), values[at]]), what);
    } finally {
      there.close();
    }
  };
}

/**
 * What redux-persist keeps under `persist:<key>`: each slice becomes a record, all or those of `slices`. The schema is
 * the `version` of its configuration; `schema(version)` translates it, which -1, its default, and 0 need.
 *
 * @param {string} [key]
 * @param {PersistOptions & { slices?: readonly string[] }} [options]
 * @returns {Adoption}
 */
export function fromReduxPersist(key = 'root', { schema, slices, storage, parse = JSON.parse } = {}) {
  const name = `persist:${key}`;
  const what = `redux-persist's ${quoted(name)}`;
  return async () => {
    const text = await (storage ?? localStorageHere()).getItem(name);
    if (text == null) return undefined;
    const { _persist, ...state } = asObject(typeof text === 'string' ? parsed(JSON.parse, text, what) : text, what);
    const inside = (/** @type {string} */ slice) => (typeof state[slice] === 'string' ? parsed(parse, state[slice], `${what}, slice ${quoted(slice)},`) : state[slice]);
    const { version } = /** @type {{ version?: number }} */ (asObject(typeof _persist === 'string' ? parsed(JSON.parse, _persist, what) : (_persist ?? {}), what));
    const wanted = slices ? slices.filter((slice) => slice in state) : Object.keys(state);
    return adopted(schemaOf(version ?? -1, schema, what), wanted.map((slice) => [slice, inside(slice)]), what);
  };
}

/**
 * What zustand's `persist` keeps under `name`: one record of that key. `schema(version)` translates its version, which is 0 by default.
 *
 * @param {string} name
 * @param {PersistOptions & { key?: string }} [options]
 * @returns {Adoption}
 */
export function fromZustandPersist(name, { schema, key = name, storage, parse = JSON.parse } = {}) {
  const what = `zustand's ${quoted(name)}`;
  return async () => {
    const text = await (storage ?? localStorageHere()).getItem(name);
    if (text == null) return undefined;
    const { state, version } = /** @type {{ state?: unknown, version?: number }} */ (asObject(typeof text === 'string' ? parsed(parse, text, what) : text, what));
    return state === undefined ? undefined : adopted(schemaOf(version ?? 0, schema, what), [[key, state]], what);
  };
}

/**
 * @param {number} schema
 * @param {[key: string, value: unknown][]} records
 * @param {string} what
 * @returns {Adopted | undefined}
 */
function adopted(schema, records, what) {
  const seen = new Set();
  for (const [key] of records) {
    if (typeof key !== 'string') throw failure({ code: 'bad_key', message: `a record of ${what} was given the key ${String(key)}, which is no string` });
    if (seen.has(key)) throw failure({ code: 'bad_key', message: `two records of ${what} would both become ${quoted(key)}` });
    seen.add(key);
  }
  return records.length ? { schema, records } : undefined;
}

/**
 * @param {number} version
 * @param {PersistOptions['schema']} schema
 * @param {string} what
 */
function schemaOf(version, schema, what) {
  const number = typeof schema === 'function' ? schema(version) : (schema ?? version);
  if (Number.isInteger(number) && number >= 1) return number;
  throw failure({
    code: 'unknown_version',
    message: `${what} has version ${version}${number === version ? '' : `, for which schema() gave ${number}`}, and schemas are whole numbers from 1: translate it with \`schema: (version) => …\``,
  });
}

/**
 * @param {string} who
 * @param {number} schema
 */
function demandSchema(who, schema) {
  if (!Number.isInteger(schema) || schema < 1) throw misuse(`${who} needs the schema of the records, a whole number from 1, and got ${schema}`);
}

const misuse = (/** @type {string} */ message) => failure({ code: 'bad_adoption', message });

function localStorageHere() {
  let problem = 'there is none';
  try {
    if (globalThis.localStorage) return globalThis.localStorage;
  } catch (error) {
    problem = /** @type {Error} */ (error).message;
  }
  throw failure({ code: 'unavailable', message: `localStorage cannot be read: ${problem}` });
}

/**
 * @param {Parse} parse
 * @param {string} text
 * @param {string} what
 */
function parsed(parse, text, what) {
  try {
    return parse(text);
  } catch (error) {
    throw failure({ code: 'not_readable', message: `${what} cannot be parsed: ${/** @type {Error | undefined} */ (error)?.message ?? error}` });
  }
}

/**
 * @param {unknown} value
 * @param {string} what
 * @returns {Record<string, unknown>}
 */
function asObject(value, what) {
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) return /** @type {Record<string, unknown>} */ (value);
  throw failure({ code: 'not_readable', message: `${what} is no object` });
}

/**
 * False only for certain. WebKit keeps an entry of a database whose making was given up, so it is better not begun.
 *
 * @param {string} database
 */
async function isListed(database) {
  try {
    return (await indexedDB.databases()).some(({ name }) => name === database);
  } catch {
    return true; // opening it will tell
  }
}

/**
 * Opens what is there; resolves with nothing when it is not. A connection that comes too late is closed.
 *
 * @param {string} database
 * @param {number} timeout
 * @param {string} what
 * @returns {Promise<IDBDatabase | undefined>}
 */
function open(database, timeout, what) {
  return new Promise((resolve, reject) => {
    /** @type {(code: string, why: string | undefined) => void} */
    const fail = (code, why) => reject(failure({ code, message: `${what} cannot be read: ${why}` }));
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      fail('blocked', `it did not open within ${timeout / 1000} s; perhaps another tab is upgrading it`);
    }, timeout);
    const begin = () => {
      const request = indexedDB.open(database);
      let missing = false;
      request.onupgradeneeded = () => {
        missing = true;
        /** @type {IDBTransaction} */ (request.transaction).abort(); // otherwise an empty database would be left behind
      };
      request.onerror = (event) => {
        event.preventDefault();
        clearTimeout(timer);
        if (missing) resolve(undefined);
        else fail('unavailable', request.error?.message || request.error?.name);
      };
      request.onsuccess = () => {
        clearTimeout(timer);
        const { result } = request;
        result.onversionchange = () => result.close();
        if (late) result.close();
        else resolve(result);
      };
    };
    isListed(database)
      .then((listed) => {
        if (late) return;
        if (listed) return begin();
        clearTimeout(timer);
        resolve(undefined);
      })
      .catch((error) => {
        clearTimeout(timer);
        fail('unavailable', error.message);
      });
  });
}

/**
 * All keys and values, as they are at one moment; in portions, since browsers limit how much one answer may hold.
 *
 * @param {IDBObjectStore} store
 * @param {string} what
 * @returns {Promise<[keys: IDBValidKey[], values: unknown[]]>}
 */
function readAll(store, what) {
  return new Promise((resolve, reject) => {
    /** @type {[keys: IDBValidKey[], values: unknown[]]} */
    const all = [[], []];
    const read = (/** @type {IDBKeyRange | null} */ range) => {
      const keys = store.getAllKeys(range, PORTION);
      const values = store.getAll(range, PORTION);
      values.onsuccess = () => {
        for (const key of keys.result) all[0].push(key);
        for (const value of values.result) all[1].push(value);
        if (keys.result.length === PORTION) read(IDBKeyRange.lowerBound(keys.result[PORTION - 1], true));
      };
    };
    read(null);
    const { transaction } = store;
    transaction.oncomplete = () => resolve(all);
    transaction.onabort = () => reject(failure({ code: 'unavailable', message: `${what} cannot be read: ${transaction.error?.message ?? 'the transaction was aborted'}` }));
  });
}

/** @param {IDBValidKey} key */
function keyText(key) {
  if (typeof key === 'string') return key;
  if (typeof key === 'number') return String(key);
  throw failure({ code: 'bad_key', message: `a key that is ${key instanceof Date ? 'a date' : Array.isArray(key) ? 'a list' : 'binary'} needs \`key: (key, value) => …\` to become a string` });
}

/** @type {(text: string) => string} */
const quoted = (text) => JSON.stringify(text);
