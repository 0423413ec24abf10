// Faults in IndexedDB: in real browsers and in fake-indexeddb an app is told the same story.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { faultyIndexedDb } from 'changeover/testing';
import * as fake from 'fake-indexeddb';
import { inBrowsers } from '../e2e/browsers.mjs';
import { ROOT, serve } from '../prompt/harness.mjs';
import { expected, open, scenarios } from './faults.mjs';

/** @param {Record<string, unknown>} results */
function same(results) {
  for (const [name, seen] of Object.entries(expected)) assert.deepEqual(results[name], seen, name);
  assert.deepEqual(Object.keys(results).sort(), Object.keys(expected).sort());
}

test('faults in fake-indexeddb', async () => {
  same(await scenarios(faultyIndexedDb, new fake.IDBFactory(), (name) => /** @type {Record<string, any>} */ (fake)[name]));
});

inBrowsers('faults in a page', {}, async (t, browser) => {
  const dist = (/** @type {string} */ name) => readFileSync(join(ROOT, 'dist', 'npm', name), 'utf8');
  const site = await serve({
    '/': '<!doctype html><title>faults</title><link rel="icon" href="data:,">',
    '/kit/testing.js': dist('testing.js'),
    '/kit/stores.js': dist('stores.js'),
    '/faults.mjs': readFileSync(join(ROOT, 'tests/testkit/faults.mjs'), 'utf8'),
  });
  t.after(site.close);
  const page = await browser.open(site.origin);
  const results = await page.eval(async () => {
    const [{ faultyIndexedDb }, { scenarios }] = /** @type {[typeof import('changeover/testing'), typeof import('./faults.mjs')]} */ (await Promise.all([import(/** @type {string} */ ('/kit/testing.js')), import(/** @type {string} */ ('/faults.mjs'))]));
    return scenarios(faultyIndexedDb, indexedDB, (name) => /** @type {Record<string, any>} */ (globalThis)[name]);
  });
  same(results);
});

inBrowsers('a durable store of this package survives each fault at each write: what it says is what is there', {}, async (t, browser) => {
  const dist = (/** @type {string} */ name) => readFileSync(join(ROOT, 'dist', 'npm', name), 'utf8');
  const site = await serve({
    '/': '<!doctype html><title>faults</title><link rel="icon" href="data:,">',
    '/kit/testing.js': dist('testing.js'),
    '/kit/stores.js': dist('stores.js'),
  });
  t.after(site.close);
  const page = await browser.open(site.origin);
  const wrong = await page.eval(async () => {
    const [{ faultyIndexedDb }, { createStores }] = /** @type {[typeof import('changeover/testing'), any]} */ (await Promise.all([import(/** @type {string} */ ('/kit/testing.js')), import(/** @type {string} */ ('/kit/stores.js'))]));
    const factory = faultyIndexedDb(indexedDB);
    const { faults } = factory;
    Object.defineProperty(globalThis, 'indexedDB', { value: factory });
    const stores = await createStores({ options: {} });
    const wrong = [];
    let refused = 0;
    for (const fault of /** @type {const} */ (['quotaAt', 'failAt', 'abortAt'])) {
      for (let nth = 1; nth <= 4; nth += 1) {
        const store = await stores.open({ name: `${fault} ${nth}`, schema: 1 });
        await store.ready();
        await store.set('a', 0);
        const from = fault === 'abortAt' ? faults.transactions : faults.writes;
        faults[fault] = from + nth;
        let known = 0;
        for (const value of [1, 2, 3]) {
          try {
            await store.set('a', value);
            known = value;
          } catch (error) {
            refused += 1;
            if (fault === 'quotaAt' && /** @type {{code: string}} */ (error).code !== 'quota') wrong.push(`${fault} ${nth}: ${/** @type {{code: string}} */ (error).code}: ${/** @type {Error} */ (error).message}`);
          }
          const found = await store.get('a');
          if (found !== known) wrong.push(`${fault} ${nth}: ${found} is there and ${known} was acknowledged`);
        }
        faults[fault] = undefined;
        store.close();
      }
    }
    return { wrong, refused };
  });
  assert.deepEqual(wrong.wrong, []);
  assert.ok(wrong.refused > 0, 'no fault was met');
});

test('what is counted can be read, and options can be changed while it runs', async () => {
  const factory = faultyIndexedDb(new fake.IDBFactory(), { blockOpen: true });
  factory.open('x', 1);
  factory.faults.blockOpen = undefined;
  const database = await open(factory, 'x');
  const transaction = database.transaction('notes', 'readwrite');
  transaction.objectStore('notes').put(1, 'a');
  transaction.objectStore('notes').delete('a');
  await new Promise((done) => (transaction.oncomplete = done));
  database.transaction('notes').objectStore('notes').get('a');
  assert.deepEqual([factory.faults.opens, factory.faults.transactions, factory.faults.writes], [2, 1, 2]);
});
