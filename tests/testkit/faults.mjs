// What an app sees of each fault, told as lists of events: the same in a browser and in fake-indexeddb.

/** @import { Faults, IndexedDbFaults } from '../../pkg-template/testing.js' */
/** @typedef {IDBFactory & {readonly faults: Faults}} Factory */

/**
 * Ends when the transaction does; `seen` is everything the app was told, in order.
 *
 * @param {IDBTransaction} transaction
 * @param {unknown[]} seen
 */
function watched(transaction, seen, label = 'transaction') {
  const nameOf = (/** @type {Error | null} */ error) => error?.name ?? 'none';
  return new Promise((end) => {
    transaction.onerror = ({ target }) => seen.push(`${label} hears of ${nameOf(/** @type {IDBRequest} */ (target).error)}`);
    transaction.oncomplete = () => end(seen.push(`${label} complete`));
    transaction.onabort = ({ target }) => end(seen.push(`${label} aborted: ${nameOf(/** @type {IDBTransaction} */ (target).error)}`));
  });
}

/**
 * @template {IDBRequest} Made
 * @param {Made} made
 * @param {unknown[]} seen
 * @param {string} label
 */
function request(made, seen, label) {
  made.onsuccess = () => seen.push(`${label} done`);
  made.addEventListener('error', ({ target }) => seen.push(`${label} failed: ${/** @type {{error: Error}} */ (/** @type {unknown} */ (target)).error.name} ${made.error === /** @type {IDBRequest} */ (target).error}`));
  return made;
}

/** @type {<Result>(made: IDBRequest<Result>) => Promise<Result>} */
const answer = (made) =>
  new Promise((resolve, reject) => {
    made.onsuccess = ({ target }) => resolve(/** @type {IDBRequest} */ (target).result);
    made.onerror = () => reject(made.error);
  });

/**
 * @param {IDBFactory} factory
 * @param {string} name
 */
export function open(factory, name) {
  const made = factory.open(name, 1);
  made.onupgradeneeded = (/** @type {{target: any}} */ { target: { result } }) => {
    result.createObjectStore('notes');
    result.createObjectStore('lines', { autoIncrement: true }).createIndex('by', 'by');
  };
  return answer(made);
}

const contents = async (/** @type {IDBDatabase} */ database) => (await answer(database.transaction('notes').objectStore('notes').getAllKeys())).join();

/**
 * Writes a, b and c in one transaction with a fault; then what is there.
 *
 * @param {Factory} factory
 * @param {string} name
 * @param {(counts: Faults) => IndexedDbFaults} faults
 * @param {(made: IDBRequest) => void} handle
 */
async function three(factory, name, faults, handle = () => {}) {
  const database = await open(factory, name);
  Object.assign(factory.faults, { failAt: undefined, quotaAt: undefined, abortAt: undefined, delay: undefined, ...faults(factory.faults) });
  /** @type {unknown[]} */
  const seen = [];
  const transaction = database.transaction('notes', 'readwrite');
  const end = watched(transaction, seen);
  const store = transaction.objectStore('notes');
  for (const key of ['a', 'b', 'c']) handle(request(store.put({ key }, key), seen, key));
  await end;
  seen.push(`kept: ${await contents(database)}`);
  database.close();
  return seen;
}

/**
 * @param {typeof import('../../pkg-template/testing.js').faultyIndexedDb} faultyIndexedDb
 * @param {IDBFactory} indexedDB
 * @param {(name: string) => Function} className
 */
export async function scenarios(faultyIndexedDb, indexedDB, className) {
  const factory = faultyIndexedDb(indexedDB);
  /** @type {Record<string, any[]>} */
  const results = {};
  const second = (/** @type {Faults} */ { writes }) => writes + 2;

  results.none = await three(factory, 'none', () => ({}));
  results.quota = await three(factory, 'quota', (counts) => ({ quotaAt: second(counts) }));
  results.handledQuota = await three(factory, 'handledQuota', (counts) => ({ quotaAt: second(counts) }), (made) => made.addEventListener('error', (event) => event.preventDefault()));
  results.fail = await three(factory, 'fail', (counts) => ({ failAt: second(counts) }));
  results.handledFail = await three(factory, 'handledFail', (counts) => ({ failAt: second(counts) }), (made) => made.addEventListener('error', (event) => event.preventDefault()));
  results.abort = await three(factory, 'abort', ({ transactions }) => ({ abortAt: transactions + 1 }));
  results.everyWrite = await three(factory, 'everyWrite', () => ({ quotaAt: () => true }));

  // A transaction that goes on after an await, with every kind of write, aborts only when all is done.
  {
    const database = await open(factory, 'later');
    Object.assign(factory.faults, { quotaAt: undefined, abortAt: factory.faults.transactions + 1 });
    const transaction = database.transaction(['notes', 'lines'], 'readwrite');
    /** @type {unknown[]} */
    const seen = [];
    const end = watched(transaction, seen);
    const lines = transaction.objectStore('lines');
    const key = await answer(lines.add({ by: 'me' }));
    await answer(lines.index('by').get('me'));
    const cursors = lines.openCursor();
    let steps = 0;
    await new Promise((/** @type {(value?: unknown) => void} */ done) => {
      cursors.onsuccess = (/** @type {{target: any}} */ { target: { result } }) => {
        if (!result) return done();
        steps += 1;
        result.update({ by: 'you' });
        result.continue();
      };
    });
    await answer(transaction.objectStore('notes').clear());
    await answer(lines.delete(key));
    seen.push(`${steps} step`);
    await end;
    results.later = seen;
    database.close();
  }

  // A slow disk.
  {
    const began = Date.now();
    results.slow = await three(factory, 'slow', () => ({ delay: 200 }));
    results.slow.push(`slow: ${Date.now() - began >= 200}`);
    factory.faults.delay = undefined;
  }

  // A write in an upgrade.
  {
    const made = factory.open('upgrade', 1);
    factory.faults.quotaAt = factory.faults.writes + 1;
    made.onupgradeneeded = () => {
      made.result.createObjectStore('notes').put(1, 'a');
      /** @type {IDBTransaction} */ (made.transaction).onabort = ({ target }) => (results.upgrade = [`aborted: ${/** @type {IDBTransaction} */ (target).error?.name}`]);
    };
    results.upgrade = [...(await answer(made).then(() => ['opened'], (error) => [...results.upgrade, `open failed: ${error.name}`]))];
    factory.faults.quotaAt = undefined;
  }

  // An open that never answers.
  {
    factory.faults.blockOpen = factory.faults.opens + 1;
    const made = factory.open('none', 1);
    /** @type {unknown[]} */
    const seen = [];
    for (const type of ['success', 'error', 'upgradeneeded', 'blocked']) /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (made))[`on${type}`] = () => seen.push(type);
    const other = await open(factory, 'none');
    await new Promise((done) => setTimeout(done, 50));
    try {
      seen.push(made.result);
    } catch (error) {
      seen.push(/** @type {Error} */ (error).name);
    }
    results.blocked = [...seen, made.readyState];
    other.close();
  }
  {
    factory.faults.failOpen = factory.faults.opens + 1;
    const error = await open(factory, 'fails').catch((error) => error);
    (await open(factory, 'fails')).close();
    results.failed = [error.name, (await factory.databases()).some(({ name }) => name === 'fails')];
  }

  // What other tabs and the browser do to a connection.
  {
    const gone = await open(factory, 'told');
    gone.onversionchange = () => results.told.push('a closed connection is told');
    gone.close();
    results.told = [];
    const database = await open(factory, 'told');
    /** @type {unknown[]} */
    const seen = [];
    database.onversionchange = (/** @type {IDBVersionChangeEvent} */ { target, oldVersion, newVersion }) => seen.push(`versionchange ${oldVersion} ${newVersion} ${target === database}`);
    database.addEventListener('close', () => seen.push('close'));
    factory.faults.versionChange(2);
    factory.faults.versionChange();
    factory.faults.close();
    try {
      database.transaction('notes');
    } catch (error) {
      seen.push(/** @type {Error} */ (error).name);
    }
    results.told.push(...seen);
  }

  // Nothing is a stranger: objects keep their classes and identities.
  {
    const database = await open(factory, 'classes');
    const transaction = database.transaction(['notes'], 'readonly');
    const store = transaction.objectStore('notes');
    results.classes = [
      database instanceof className('IDBDatabase'), transaction instanceof className('IDBTransaction'), store instanceof className('IDBObjectStore'),
      store.transaction === transaction, transaction.db === database, transaction.objectStore('notes') === store,
      factory.cmp(1, 2), Object.prototype.toString.call(database),
    ];
    await answer(store.get('x'));
    const listener = () => results.classes.push('heard a removed listener');
    transaction.addEventListener('complete', listener);
    transaction.removeEventListener('complete', listener);
    await new Promise((done) => transaction.addEventListener('complete', done));
    database.close();
    await answer(factory.deleteDatabase('classes'));
  }
  return results;
}

export const expected = {
  none: ['a done', 'b done', 'c done', 'transaction complete', 'kept: a,b,c'],
  quota: ['a done', 'b failed: QuotaExceededError true', 'transaction hears of QuotaExceededError', 'c failed: AbortError true', 'transaction hears of AbortError', 'transaction aborted: QuotaExceededError', 'kept: '],
  handledQuota: ['a done', 'b failed: QuotaExceededError true', 'transaction hears of QuotaExceededError', 'c failed: AbortError true', 'transaction hears of AbortError', 'transaction aborted: QuotaExceededError', 'kept: '],
  fail: ['a done', 'b failed: UnknownError true', 'transaction hears of UnknownError', 'c failed: AbortError true', 'transaction hears of AbortError', 'transaction aborted: UnknownError', 'kept: '],
  handledFail: ['a done', 'b failed: UnknownError true', 'transaction hears of UnknownError', 'c done', 'transaction complete', 'kept: a,c'],
  abort: ['a done', 'b done', 'c done', 'transaction aborted: UnknownError', 'kept: '],
  everyWrite: ['a failed: QuotaExceededError true', 'transaction hears of QuotaExceededError', 'b failed: AbortError true', 'transaction hears of AbortError', 'c failed: AbortError true', 'transaction hears of AbortError', 'transaction aborted: QuotaExceededError', 'kept: '],
  later: ['1 step', 'transaction aborted: UnknownError'],
  slow: ['a done', 'b done', 'c done', 'transaction complete', 'kept: a,b,c', 'slow: true'],
  upgrade: ['aborted: QuotaExceededError', 'open failed: AbortError'],
  blocked: ['blocked', 'InvalidStateError', 'pending'],
  failed: ['UnknownError', true],
  told: ['versionchange 1 2 true', 'versionchange 1 null true', 'close', 'InvalidStateError'],
  classes: [true, true, true, true, true, true, -1, '[object IDBDatabase]'],
};
