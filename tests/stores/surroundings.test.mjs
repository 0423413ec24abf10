// What the browser lacks or refuses: locks, channels, a database, WebAssembly, space; and what is left when a store ends.
import assert from 'node:assert/strict';

import { inBrowsers } from '../e2e/browsers.mjs';
import { openBuild, startStoreSite } from './site.mjs';

const FAST = { dwell: 0, census: 100 };
const START = { initial: JSON.stringify({ ada: { name: 'Ada Byron' } }) };
const NAME = 'changeover:/none/release.json:store:people';

inBrowsers('without Web Locks no schema is left, and everything else works', {}, async (t, browser) => {
  const site = await startStoreSite(t);
  await browser.open(`${site.url}/blank`);
  const one = await openBuild(browser, site, 1, { ...START, ...FAST, lacks: 'locks' });
  const two = await openBuild(browser, site, 2, { ...FAST, lacks: 'locks' });
  assert.deepEqual(await two.eval(() => Promise.all([failed, store.get('ada')])), [null, { first: 'Ada', last: 'Byron', note: '' }]);
  await two.eval(() => store.set('ada', { first: 'Ada', last: 'Lovelace', note: '' }));
  assert.deepEqual(await one.eval(() => store.get('ada')), { name: 'Ada Lovelace' });
  await one.close();
  await two.eval(() => new Promise((go) => setTimeout(go, 500)));
  assert.equal(await two.eval(async () => (await readHead()).schema), 1, 'no tab knows which others are there');
});

inBrowsers('where the page may not lock, the store opens all the same', { only: ['chromium'] }, async (t, browser) => {
  const site = await startStoreSite(t);
  const tab = await openBuild(browser, site, 1, { ...START, lacks: 'locking' });
  assert.deepEqual(await tab.eval(() => Promise.all([failed, store.get('ada')])), [null, { name: 'Ada Byron' }]);
});

inBrowsers('without BroadcastChannel a tab hears of its own changes, and reads those of others', { only: ['chromium', 'webkit'] }, async (t, browser) => {
  const site = await startStoreSite(t);
  const one = await openBuild(browser, site, 1, { ...START, lacks: 'BroadcastChannel' });
  const two = await openBuild(browser, site, 1, { lacks: 'BroadcastChannel' });
  await two.eval(() => store.set('ada', { name: 'Ada Lovelace' }));
  assert.deepEqual(await one.eval(() => store.get('ada')), { name: 'Ada Lovelace' });
  await two.waitFor(() => changes.length === 1);
});

for (const lacks of ['indexedDB', 'WebAssembly']) {
  inBrowsers(`without ${lacks} a store says that it is unavailable, and the page goes on`, {}, async (t, browser) => {
    const site = await startStoreSite(t);
    const tab = await openBuild(browser, site, 1, { ...START, lacks });
    const found = await tab.eval(async () => ({ failed: /** @type {{code: string}} */ (failed).code, mode: store.mode.kind, read: await attempt(() => store.get('ada')), write: await attempt(() => store.set('ada', { name: 'x y' })) }));
    assert.deepEqual([found.failed, found.mode, found.read.code, found.write.code], ['unavailable', 'refused', 'unavailable', 'unavailable']);
    if (lacks === 'indexedDB') assert.equal(found.read.message, 'store "people": the database is not available: this browser gives the page no IndexedDB');
    else assert.match(/** @type {string} */ (found.read.message), /^stores and migrations cannot run here: .*WebAssembly/);
  });
}

inBrowsers('a database that does not open is unavailable within seconds, and the same store works once it does', { timeout: 90_000 }, async (t, browser) => {
  const site = await startStoreSite(t);
  // A page of another kind holds the database and does not let go, and a second request waits for it.
  const holder = await browser.open(`${site.url}/blank`);
  await holder.eval(
    (name) =>
      new Promise((done) => {
        indexedDB.open(name, 1).onsuccess = (event) => {
          globalThis.held = /** @type {IDBOpenDBRequest} */ (event.target).result;
          globalThis.upgrade = indexedDB.open(name, 2);
          upgrade.onupgradeneeded = () => upgrade.result.createObjectStore('entries');
          upgrade.onsuccess = () => upgrade.result.close();
          upgrade.onblocked = () => /** @type {(value?: unknown) => void} */ (done)();
        };
      }),
    NAME,
  );
  const before = Date.now();
  const tab = await openBuild(browser, site, 1, START);
  assert.ok(Date.now() - before < 15_000, `it took ${Date.now() - before} ms`);
  const blocked = await tab.eval(() => ({ failed, mode: store.mode.kind }));
  assert.deepEqual(blocked, { failed: { code: 'unavailable', message: 'store "people": the database is not available: it did not open within 10 s' }, mode: 'refused' });
  await tab.eval(() => void (/** @type {{asked: unknown}} */ (globalThis).asked = attempt(() => store.get('ada'))));
  await holder.eval(() => held.close());
  assert.deepEqual(await tab.eval(() => asked), { value: { name: 'Ada Byron' } }, 'the version that other code has raised does not matter');
  assert.equal(await tab.eval(() => store.mode.kind), 'readWrite');
  await tab.eval(() => store.set('ada', { name: 'Ada Lovelace' }));
  await tab.waitFor(() => changes.some(({ key }) => key === 'ada'), { what: 'the listener from before to be told' });
});

inBrowsers('an open store survives that other code raises the version of its database, and starts anew when it is deleted', {}, async (t, browser) => {
  const site = await startStoreSite(t);
  const tab = await openBuild(browser, site, 1, START);
  const other = await browser.open(`${site.url}/blank`);
  const raised = await other.eval(
    (name) =>
      new Promise((done) => {
        const request = indexedDB.open(name, 7);
        request.onblocked = () => done('blocked');
        request.onsuccess = () => /** @type {(...what: unknown[]) => void} */ (done)('raised', request.result.close());
      }),
    NAME,
  );
  assert.equal(raised, 'raised', 'the store lets go');
  assert.deepEqual(await tab.eval(() => store.get('ada')), { name: 'Ada Byron' });
  const deleted = await other.eval(
    (name) =>
      new Promise((done) => {
        const request = indexedDB.deleteDatabase(name);
        request.onblocked = () => done('blocked');
        request.onsuccess = () => done('deleted');
      }),
    NAME,
  );
  assert.equal(deleted, 'deleted');
  await tab.eval(() => store.set('bob', { name: 'Bob Dylan' }));
  assert.deepEqual(await tab.eval(async () => (await store.list()).map(([key]) => key)), ['ada', 'bob']);
});

inBrowsers('a full disk stops a migration at its start or in its middle, and it goes on when there is space', { only: ['chromium'], timeout: 120_000 }, async (t, browser) => {
  const site = await startStoreSite(t);
  await browser.open(`${site.url}/blank`);
  const devtools = await (await browser.open(`${site.url}/blank`)).devtools();
  // Chromium goes on for a while with the space it once saw, so there is little from the beginning.
  /** @type {(quotaSize?: number) => Promise<unknown>} */
  const quota = (quotaSize) => devtools.send('Storage.overrideQuotaForOrigin', { origin: site.url, ...(quotaSize && { quotaSize }) });
  const usage = async () => (await devtools.send('Storage.getUsageAndQuota', { origin: site.url })).usage;
  await quota(9_000_000);
  const old = await openBuild(browser, site, 1, { people: 10_000 });
  assert.ok((await old.eval(() => inspect(10_000))).whole);
  const full = await old.eval(async () => {
    const codes = [];
    const rubbish = openStore('rubbish', { validate: undefined });
    for (const size of [500_000, 50_000, 5_000, 500, 50]) {
      for (let at = 0; at < 30; at += 1) {
        // What can be packed takes hardly any space.
        const bytes = new Uint8Array(size);
        for (let from = 0; from < size; from += 65_536) crypto.getRandomValues(bytes.subarray(from, from + 65_536));
        const { code } = await attempt(() => rubbish.set(`${size}-${at}`, /** @type {Person} */ (/** @type {unknown} */ (bytes))));
        if (code) {
          codes.push(code);
          break;
        }
      }
    }
    return codes;
  });
  assert.deepEqual(full, ['quota', 'quota', 'quota', 'quota', 'quota'], 'a write that does not fit says so');

  // At the start: not even a namespace of its own fits.
  const two = await openBuild(browser, site, 2, { ...FAST, census: 300 });
  await two.waitFor(() => store.mode.kind === 'readOnly', { what: 'to be read-only' });
  assert.equal(await two.eval(() => store.mode.reason), 'lossy_down');
  assert.ok((await two.eval(() => inspect(10_000))).whole, 'it reads through the steps');
  assert.equal((await two.eval(() => attempt(() => store.set('person-000000', { first: 'a', last: 'b', note: '' })))).code, 'read_only');
  assert.ok((await old.eval(() => inspect(10_000))).whole);

  // In the middle: some batches fit.
  await quota((await usage()) + 1_000_000);
  await two.waitFor(() => store.mode.kind === 'readWrite', { what: 'the same tab to go on' });
  await old.close();
  await two.waitFor(() => warnings.some((warning) => warning.includes('no space left')) && progress.some(({ phase, done }) => phase === 'copy' && done > 0), { timeout: 20_000, what: 'the filling to stop for lack of space' });
  const again = await openBuild(browser, site, 1);
  assert.ok((await again.eval(() => inspect(10_000))).whole);
  assert.ok((await two.eval(() => inspect(10_000))).whole);
  const written = await two.eval(() => {
    // More than the browser gains when it tidies up its own files meanwhile.
    const note = new Uint8Array(16_000_000);
    for (let from = 0; from < note.length; from += 65_536) crypto.getRandomValues(note.subarray(from, from + 65_536));
    return attempt(() => store.set('person-000000', /** @type {Person} */ (/** @type {unknown} */ ({ first: 'a', last: 'b', note }))));
  });
  assert.equal(written.code, 'quota');
  assert.equal(written.message, 'store "people": there is no space left to write to');
  await again.close();
  await quota();
  await two.waitFor(async () => (await readHead()).schema === 2, { timeout: 20_000, what: 'the migration to complete' });
  assert.ok((await two.eval(() => inspect(10_000))).whole);
});

inBrowsers('opened and closed fifty times, a store leaves no connection, lock, channel, listener or timer', {}, async (t, browser) => {
  const site = await startStoreSite(t);
  const tab = await openBuild(browser, site, 1, { ...START });
  const found = await tab.eval(async (name) => {
    store.close();
    changeover.dispose();
    const settled = () => new Promise((go) => setTimeout(go, 300));
    await settled();
    const before = await whatIsOpen();
    for (let time = 0; time < 50; time += 1) {
      const again = openStore();
      again.subscribe(() => {});
      again.subscribe('ada', () => {});
      if (time % 3) await again.set('ada', { name: `Ada ${time}` });
      again.close();
    }
    await settled();
    const after = await whatIsOpen();
    const deleted = await new Promise((done) => {
      const request = indexedDB.deleteDatabase(name);
      request.onblocked = () => done('blocked');
      request.onsuccess = () => done('deleted');
    });
    return { more: after.filter((line) => !before.includes(line)), locks: after.filter((line) => line.startsWith('lock') && line.includes('store')), deleted, late: await attempt(() => store.get('ada')) };
  }, NAME);
  assert.deepEqual(found, { more: [], locks: [], deleted: 'deleted', late: { code: 'closed', message: 'store "people" is closed', store: 'people' } });
});

inBrowsers('dispose closes the stores', {}, async (t, browser) => {
  const site = await startStoreSite(t);
  const tab = await openBuild(browser, site, 1, START);
  const found = await tab.eval(async () => {
    changeover.dispose();
    return [await attempt(() => store.get('ada')), store.mode.kind, /** @type {LockInfo[]} */ ((await navigator.locks.query()).held).filter(({ name }) => /** @type {NonNullable<typeof name>} */ (name).includes('store')).length];
  });
  assert.deepEqual(found, [{ code: 'closed', message: 'store "people" is closed', store: 'people' }, 'closed', 0]);
});
