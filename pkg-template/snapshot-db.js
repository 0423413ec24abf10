// What is kept in IndexedDB: values on their way through a reload that are too large for session storage or no plain
// JSON, and values that could not be put in place.
//
// One database for each site, of version 1 for ever: another version would wait for tabs on older builds. `heads` says
// what there is and is read as a whole, `values` holds it. The database is opened for each transaction and closed after
// it, so that it never holds up another tab.
import { failure } from './error.js';
import { filesIn, filesOut } from './blobs.js';
/** @import { KeptHead, KeptValue, Why } from './types/state.js' */

/**
 * @template T
 * @typedef {{ readonly result: T, onsuccess: ((event: { target: { result: T } }) => void) | null }} Request
 */
/**
 * @typedef {{
 *   get: (id: string) => Request<KeptHead | undefined>,
 *   getAll: () => Request<KeptHead[]>,
 *   put: (head: KeptHead) => void,
 *   delete: (id: string) => void,
 * }} Heads
 */
/**
 * @typedef {{
 *   get: (id: string) => Request<KeptValue | undefined>,
 *   put: (value: KeptValue, id: string) => void,
 *   delete: (id: string) => void,
 * }} Values
 */

/** A disk may be slow; a user who has pressed "Reload" waits no longer. */
const PATIENCE = 6_000;
/** What no page has taken by then is no longer on its way. Older envelopes belong to work the user has forgotten. */
export const ON_THE_WAY = 24 * 60 * 60_000;
/** Long enough to come back from a holiday and miss something. */
const LIFE = 30 * ON_THE_WAY;
/** A build that fails to restore a state does so in every tab and at every reload. */
const MOST = 20;

/**
 * A head: `{id, token, name, schema?, lineage?, steps?, build, at, reason, message, spare}`; without `reason` it is on
 * its way, and a `spare` is there only in case.
 *
 * @param {string} scope the path of the site's `release.json`
 * @param {() => IDBFactory} [factory]
 */
export function createKept(scope, factory = () => indexedDB) {
  const name = `changeover:${scope}:kept`;

  /**
   * Runs `work(heads, values)` in one transaction; resolves with what the request it returns has found.
   *
   * @template [T=undefined]
   * @param {IDBTransactionMode} mode
   * @param {(heads: Heads, values: Values) => Request<T> | void} work
   * @returns {Promise<T>}
   */
  const transact = (mode, work) =>
    new Promise((resolve, reject) => {
      /** @type {IDBDatabase | undefined} */
      let database;
      let over = false;
      /** @type {<A>(settle: (answer: A) => void, answer: A) => void} */
      const end = (settle, answer) => {
        over = true;
        clearTimeout(timer);
        database?.close();
        settle(answer);
      };
      const refuse = (/** @type {any} */ error) => {
        const full = error?.name === 'QuotaExceededError';
        const why = full ? 'is full' : `does not work (${error?.message || error?.name || error})`;
        end(reject, failure({ code: full ? 'quota' : 'storage_unavailable', message: `the browser's database "${name}" ${why}` }));
      };
      const timer = setTimeout(refuse, PATIENCE, `no answer within ${PATIENCE / 1000} s`);
      try {
        const request = factory().open(name, 1);
        request.onupgradeneeded = () => {
          request.result.createObjectStore('heads', { keyPath: 'id' });
          request.result.createObjectStore('values');
        };
        request.onerror = () => refuse(request.error);
        request.onsuccess = () => {
          database = request.result;
          if (over) return database.close();
          database.onversionchange = () => /** @type {IDBDatabase} */ (database).close();
          try {
            const transaction = database.transaction(['heads', 'values'], mode);
            const found = work(
              /** @type {Heads} */ (transaction.objectStore('heads')),
              /** @type {Values} */ (transaction.objectStore('values')),
            );
            transaction.oncomplete = () => end(resolve, /** @type {T} */ (found?.result));
            transaction.onabort = () => refuse(transaction.error);
          } catch (error) {
            refuse(error);
          }
        };
      } catch (error) {
        refuse(error);
      }
    });

  /** @type {(heads: Heads, values: Values, id: string) => void} */
  const forget = (heads, values, id) => {
    heads.delete(id);
    values.delete(id);
  };

  return {
    /**
     * Keeps a value, and lets go what is too old or too much. What is there under its id keeps its reason.
     *
     * @param {KeptHead} head
     * @param {unknown} value
     */
    async put(head, value) {
      const record = await filesOut(value);
      await transact('readwrite', (heads, values) => {
        values.put(record, head.id);
        heads.getAll().onsuccess = ({ target: { result } }) => {
          const before = result.find(({ id }) => id === head.id);
          heads.put({ ...head, ...(before?.reason && { reason: before.reason, message: before.message }) });
          const others = result.filter(({ id }) => id !== head.id);
          for (const { id } of tooMany(others, MOST - 1)) forget(heads, values, id);
        };
      });
    },

    /**
     * `{value}`, or undefined for an unknown id.
     *
     * @param {string} id
     */
    async value(id) {
      const record = await transact('readonly', (heads, values) => values.get(id));
      return record && { value: filesIn(record) };
    },

    /**
     * Says of values on their way why they have not arrived.
     *
     * @param {string} id
     * @param {Why} why
     */
    note: (id, { reason, message }) =>
      transact('readwrite', (heads) => {
        heads.get(id).onsuccess = ({ target: { result } }) => result && !result.reason && heads.put({ ...result, reason, message });
      }),

    /** @param {string[]} ids */
    remove: (ids) => transact('readwrite', (heads, values) => ids.forEach((id) => forget(heads, values, id))),

    /**
     * What is kept because it could not be put in place, the newest first.
     *
     * @returns {Promise<(KeptHead & Why)[]>}
     */
    list: async () => {
      const heads = await transact('readonly', (heads) => heads.getAll());
      const gone = tooMany(heads, MOST);
      const left = (/** @type {KeptHead} */ { name, reason }) =>
        !reason && { reason: 'unclaimed', message: `state "${name}" was saved, and no page has taken it` };
      return heads
        .filter((head) => !gone.includes(head) && !isOnTheWay(head) && (head.reason || !head.spare))
        .map((head) => /** @type {KeptHead & Why} */ ({ ...head, ...left(head) }))
        .sort((one, other) => other.at - one.at);
    },
  };
}

const isOnTheWay = (/** @type {KeptHead} */ { at, reason }) => !reason && Date.now() - at < ON_THE_WAY;

/** @type {(heads: KeptHead[], most: number) => KeptHead[]} */
function tooMany(heads, most) {
  const settled = heads.filter((head) => !isOnTheWay(head)).sort((one, other) => other.at - one.at);
  const wanted = settled.filter(({ at, reason, spare }) => Date.now() - at < LIFE && (reason || !spare));
  return [...settled.filter((head) => !wanted.includes(head)), ...wanted.slice(most)];
}
