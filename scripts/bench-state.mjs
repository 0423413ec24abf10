// npm run bench:state: what durable stores cost, as ratios against the same work by hand in the same page of Chromium.
//
//   migrate_ratio  records migrated a second by a store, from its opening to the moved pointer (copied, read back and checked,
//                  a checkpoint in every batch), by the records of a bare loop (read a batch, map, write, no check)
//   write_ratio    time of a durable write by the time of a bare IndexedDB write, one after the other (budget 1.5)
//
// Both are medians over rounds that take turns.
import { launch } from '../tests/e2e/browsers.mjs';
import { startStoreSite } from '../tests/stores/site.mjs';
import { build } from './build.mjs';
import { entry, terminal } from './lib/run.mjs';
import { ensure } from './setup.mjs';

/** @typedef {{name: string, street: string, tags: string[], age: number}} Person a record of the old schema */
/** @typedef {Omit<Person, 'name'> & {first: string, last: string}} NewPerson */

const json = process.argv.includes('--json');
const ROUNDS = 5;
const RECORDS = 10_000;
const WRITES = 300;

/**
 * Runs in the page.
 *
 * @param {number} rounds
 * @param {number} records
 * @param {number} writes
 */
async function measure(rounds, records, writes) {
  const { createChangeover } = await import('/package/index.js');
  const changeover = createChangeover({ release: '/none/release.json', prompt: false });
  const median = (/** @type {number[]} */ numbers) => numbers.toSorted((one, other) => one - other)[numbers.length >> 1];
  const timed = async (/** @type {() => Promise<unknown>} */ run) => {
    const start = performance.now();
    await run();
    return performance.now() - start;
  };
  /** @type {(person: Person) => NewPerson} */
  const up = ({ name, ...rest }) => {
    const [first, last] = name.split(' ');
    return { first, last, ...rest };
  };
  /** @type {(person: NewPerson) => Person} */
  const down = ({ first, last, ...rest }) => ({ name: `${first} ${last}`, ...rest });
  /** @type {(at: number) => Person} */
  const person = (at) => ({ name: `Ada${at} Byron${at}`, street: '12 St James Square', tags: ['a', 'b'], age: at % 90 });
  const keyOf = (/** @type {number} */ at) => `person-${String(at).padStart(6, '0')}`;

  /** @type {(name: string) => Promise<IDBDatabase>} */
  const bare = (name) =>
    new Promise((resolve, reject) => {
      const request = indexedDB.open(name, 1);
      request.onupgradeneeded = () => request.result.createObjectStore('old') && request.result.createObjectStore('new');
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  /** @type {(transaction: IDBTransaction) => Promise<unknown>} */
  const done = (transaction) =>
    new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
  /** @type {<Value>(request: IDBRequest<Value>) => Promise<Value>} */
  const answered = (request) =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });

  const migrateByHand = async (/** @type {number} */ round) => {
    const database = await bare(`bench-${round}`);
    const filling = database.transaction('old', 'readwrite');
    for (let at = 0; at < records; at += 1) filling.objectStore('old').put(person(at), keyOf(at));
    await done(filling);
    const took = await timed(async () => {
      for (let /** @type {string | undefined} */ after; ; ) {
        const transaction = database.transaction(['old', 'new'], 'readwrite');
        const range = /** @type {IDBKeyRange | undefined} */ (after && IDBKeyRange.lowerBound(after, true));
        const old = transaction.objectStore('old');
        const [keys, values] = await Promise.all([answered(old.getAllKeys(range, 500)), answered(old.getAll(range, 500))]);
        values.forEach((value, at) => transaction.objectStore('new').put(up(value), keys[at]));
        await done(transaction);
        if (keys.length < 500) break;
        after = /** @type {string} */ (keys.at(-1));
      }
    });
    database.close();
    return took;
  };

  const migrateByStore = async (/** @type {number} */ round) => {
    const name = `people-${round}`;
    const initial = Object.fromEntries(Array.from({ length: records }, (_, at) => [keyOf(at), person(at)]));
    const first = changeover.store(name, { schema: 1, initial });
    await first.ready();
    first.close();
    const migrations = [{ from: 1, to: 2, up, down }];
    /** @type {(value?: undefined) => void} */
    let moved;
    const contracted = new Promise((resolve) => (moved = resolve));
    const took = await timed(async () => {
      const second = changeover.store(name, { schema: 2, migrations, dwell: 0, census: 0 });
      second.onProgress(({ phase }) => phase === 'contract' && moved());
      await contracted;
      second.close();
    });
    return took;
  };

  /** @type {{hand: number[], store: number[]}} */
  const migration = { hand: [], store: [] };
  for (let round = 0; round < rounds; round += 1) {
    migration.hand.push(await migrateByHand(round));
    migration.store.push(await migrateByStore(round));
  }

  const database = await bare('bench-writes');
  const store = changeover.store('writes', { schema: 1 });
  await store.ready();
  /** @type {{hand: number[], store: number[]}} */
  const writing = { hand: [], store: [] };
  for (let round = 0; round < 2 * rounds; round += 1) {
    writing.hand.push(
      await timed(async () => {
        for (let at = 0; at < writes; at += 1) {
          const transaction = database.transaction('old', 'readwrite');
          transaction.objectStore('old').put(person(at), keyOf(at));
          await done(transaction);
        }
      }),
    );
    writing.store.push(
      await timed(async () => {
        for (let at = 0; at < writes; at += 1) await store.set(keyOf(at), person(at));
      }),
    );
  }
  return {
    migrate_ratio: median(migration.hand) / median(migration.store),
    write_ratio: median(writing.store) / median(writing.hand),
    migrate_per_second: records / (median(migration.store) / 1000),
    write_ms: median(writing.store) / writes,
  };
}

await entry(async () => {
  if (json) terminal.stream = process.stderr; // the answer alone goes to the standard output
  await ensure(['chromium']);
  await build();
  const site = await startStoreSite();
  const browser = await launch('chromium');
  try {
    const tab = await browser.open(`${site.url}/blank`);
    const { migrate_ratio, write_ratio, migrate_per_second, write_ms } = await tab.eval(measure, ROUNDS, RECORDS, WRITES);
    const rounded = (/** @type {number} */ number) => Math.round(number * 1000) / 1000;
    if (json) return console.log(JSON.stringify({ migrate_ratio: rounded(migrate_ratio), write_ratio: rounded(write_ratio) }));
    console.log(`migrate_ratio ${rounded(migrate_ratio)} (${Math.round(migrate_per_second)} records a second)`);
    console.log(`write_ratio   ${rounded(write_ratio)} (${rounded(write_ms)} ms a write)`);
  } finally {
    await browser.close();
    await site.close();
  }
});
