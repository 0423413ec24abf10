// Data that is in browsers already: written by the libraries themselves, and read.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { build } from 'esbuild';
import { fromIndexedDb, fromLocalStorage, fromReduxPersist, fromZustandPersist } from '../../pkg-template/adopt.js';
import { inBrowsers } from '../e2e/browsers.mjs';
import { ROOT, send, serve } from '../prompt/harness.mjs';

const SCRIPT = `
import { persistReducer, persistStore } from 'redux-persist';
import storage from 'redux-persist/lib/storage';
import { combineReducers, legacy_createStore } from 'redux';
import { create } from 'zustand';
import { persist } from 'zustand/middleware';
import * as adopt from './pkg-template/adopt.js';
globalThis.made = { persistReducer, persistStore, storage, combineReducers, legacy_createStore, create, persist };
Object.assign(globalThis, adopt);
globalThis.read = async (adoption) => {
  const found = await adoption();
  return found && { ...found, records: [...found.records] };
};
globalThis.fails = (adoption) => Promise.resolve().then(adoption).then(() => 'did not fail', ({ code, message }) => ({ code, message }));
globalThis.answer = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});
globalThis.database = (name, version, stores) => {
  const request = indexedDB.open(name, version);
  request.onupgradeneeded = () => stores(request.result);
  return answer(request);
};
globalThis.names = async () => (await indexedDB.databases()).map(({ name, version }) => name + ' ' + version).sort();
`;

let bundled;
async function openPage(t, browser) {
  bundled ??= await build({ stdin: { contents: SCRIPT, resolveDir: ROOT }, bundle: true, format: 'iife', write: false, define: { 'process.env.NODE_ENV': '"production"' }, mainFields: ['module', 'main'], logLevel: 'warning' });
  const site = await serve({ '/': '<!doctype html><title>old data</title><link rel="icon" href="data:,"><script src="/test.js"></script>', '/test.js': (request, response) => send(response, 200, bundled.outputFiles[0].text, '.js') });
  t.after(site.close);
  return browser.open(site.origin);
}

inBrowsers('localStorage: one key, several keys, or all with a prefix', {}, async (t, browser) => {
  const page = await openPage(t, browser);
  const found = await page.eval(async () => {
    for (const [name, value] of Object.entries({ 'note:b': { n: 2 }, 'note:a': { n: 1 }, theme: 'dark' })) localStorage.setItem(name, JSON.stringify(value));
    localStorage.setItem('plain', 'no JSON');
    const before = JSON.stringify({ ...localStorage });
    const results = [
      await read(fromLocalStorage('theme', { schema: 1 })),
      await read(fromLocalStorage({ prefix: 'note:' }, { schema: 2 })),
      await read(fromLocalStorage(['theme', 'absent', 'note:a'], { schema: 1, key: (name) => name.toUpperCase() })),
      await read(fromLocalStorage('plain', { schema: 1, key: 'text', parse: (text) => text })),
      await read(fromLocalStorage('absent', { schema: 1 })),
      await read(fromLocalStorage({ prefix: 'absent' }, { schema: 1 })),
    ];
    return [results.map((result) => result ?? null), JSON.stringify({ ...localStorage }) === before];
  });
  assert.deepEqual(found, [
    [
      { schema: 1, records: [['theme', 'dark']] },
      { schema: 2, records: [['a', { n: 1 }], ['b', { n: 2 }]] },
      { schema: 1, records: [['THEME', 'dark'], ['NOTE:A', { n: 1 }]] },
      { schema: 1, records: [['text', 'no JSON']] },
      null,
      null,
    ],
    true,
  ]);
});

inBrowsers('what cannot be parsed is an error with its name, and stays', {}, async (t, browser) => {
  const page = await openPage(t, browser);
  const [problems, kept] = await page.eval(async () => {
    const broken = { cart: '{"items":', 'persist:root': '{"cart":"{\\"n\\":","_persist":"{\\"version\\":1}"}', 'persist:list': '[]', zustand: 'null', 'note:a': '1' };
    for (const [name, text] of Object.entries(broken)) localStorage.setItem(name, text);
    const problems = [
      await fails(fromLocalStorage('cart', { schema: 1 })),
      await fails(fromReduxPersist()),
      await fails(fromReduxPersist('list')),
      await fails(fromZustandPersist('zustand')),
      await fails(fromLocalStorage(['cart', 'note:a'], { schema: 1, parse: (text) => text, key: () => 'same' })),
    ];
    return [problems, Object.entries(broken).every(([name, text]) => localStorage.getItem(name) === text)];
  });
  assert.ok(kept);
  const expected = [
    ['not_readable', /^localStorage "cart" cannot be parsed: .*JSON/],
    ['not_readable', /^redux-persist's "persist:root", slice "cart", cannot be parsed: .*JSON/],
    ['not_readable', /^redux-persist's "persist:list" is no object$/],
    ['not_readable', /^zustand's "zustand" is no object$/],
    ['bad_key', /^two records of localStorage would both become "same"$/],
  ];
  assert.equal(problems.length, expected.length);
  problems.forEach(({ code, message }, at) => {
    assert.equal(code, expected[at][0]);
    assert.match(message, expected[at][1]);
  });
});

inBrowsers('redux-persist: each slice is a record, its version the schema', {}, async (t, browser) => {
  const page = await openPage(t, browser);
  const found = await page.eval(async () => {
    const { persistReducer, persistStore, storage, combineReducers, legacy_createStore } = made;
    const keep = async (key, version) => {
      const reducer = combineReducers({ cart: (state = { items: ['tea'] }) => state, view: (state = { page: 3 }) => state });
      const persistor = persistStore(legacy_createStore(persistReducer({ key, storage: storage.default ?? storage, ...(version === undefined ? {} : { version }) }, reducer)));
      await new Promise((ready) => persistor.subscribe(() => persistor.getState().bootstrapped && ready()));
      await persistor.flush();
    };
    await keep('root', 3);
    await keep('unversioned');
    return [
      await read(fromReduxPersist()),
      await read(fromReduxPersist('root', { schema: 9, slices: ['cart', 'absent'], storage: { getItem: async (key) => localStorage.getItem(key) } })),
      await fails(fromReduxPersist('unversioned')),
      await read(fromReduxPersist('unversioned', { schema: (version) => version + 2 })),
      (await read(fromReduxPersist('absent'))) ?? null,
    ];
  });
  assert.deepEqual(found, [
    { schema: 3, records: [['cart', { items: ['tea'] }], ['view', { page: 3 }]] },
    { schema: 9, records: [['cart', { items: ['tea'] }]] },
    { code: 'unknown_version', message: 'redux-persist\'s "persist:unversioned" has version -1, and schemas are whole numbers from 1: translate it with `schema: (version) => …`' },
    { schema: 1, records: [['cart', { items: ['tea'] }], ['view', { page: 3 }]] },
    null,
  ]);
});

inBrowsers('zustand: the state is one record, its version the schema', {}, async (t, browser) => {
  const page = await openPage(t, browser);
  const found = await page.eval(async () => {
    const keep = (name, options) => made.create(made.persist(() => ({ items: [1], add() {} }), { name, ...options })).setState({ items: [1, 2] });
    keep('cart', { version: 2 });
    keep('fresh');
    return [
      await read(fromZustandPersist('cart')),
      await read(fromZustandPersist('cart', { key: 'main', schema: 5 })),
      await fails(fromZustandPersist('fresh', { schema: (version) => version })),
      await fails(fromZustandPersist('fresh', { schema: () => 'one' })),
      await read(fromZustandPersist('fresh', { schema: (version) => version + 1 })),
    ];
  });
  assert.deepEqual(found, [
    { schema: 2, records: [['cart', { items: [1, 2] }]] },
    { schema: 5, records: [['main', { items: [1, 2] }]] },
    { code: 'unknown_version', message: 'zustand\'s "fresh" has version 0, and schemas are whole numbers from 1: translate it with `schema: (version) => …`' },
    { code: 'unknown_version', message: 'zustand\'s "fresh" has version 0, for which schema() gave one, and schemas are whole numbers from 1: translate it with `schema: (version) => …`' },
    { schema: 1, records: [['fresh', { items: [1, 2] }]] },
  ]);
});

inBrowsers('an IndexedDB store is read whole, at its own version, and closed', {}, async (t, browser) => {
  const page = await openPage(t, browser);
  const found = await page.eval(async () => {
    const db = await database('app', 7, (db) => {
      db.createObjectStore('notes', { keyPath: 'id' });
      db.createObjectStore('pairs');
      db.createObjectStore('dates');
      db.createObjectStore('many');
    });
    const write = db.transaction([...db.objectStoreNames], 'readwrite');
    write.objectStore('notes').put({ id: 2, at: new Date(5) });
    write.objectStore('pairs').put('one', 'b');
    write.objectStore('pairs').put(new Map([['k', 1]]), 'a');
    write.objectStore('dates').put('x', new Date(9));
    for (let n = 0; n < 1500; n += 1) write.objectStore('many').put({ n }, n);
    await new Promise((ready) => (write.oncomplete = ready));
    db.close();
    const take = (store, more) => fromIndexedDb({ database: 'app', store, schema: 1, ...more });
    const [notes, pairs, many] = [await read(take('notes')), await read(take('pairs')), await read(take('many'))];
    const results = [
      notes.records.map(([key, { id, at }]) => [key, id, at.getTime()]),
      pairs.records.map(([key, value]) => [key, value instanceof Map ? [...value] : value]),
      [many.records.length, new Set(many.records.map(([key]) => key)).size, many.records.every(([key, { n }]) => key === String(n))],
      await fails(take('dates')),
      await read(take('dates', { key: (date) => date.toISOString() })),
      await fails(take('absent')),
    ];
    // No connection is open any more: an upgrade is not blocked.
    const request = indexedDB.open('app', 8);
    let blocked = false;
    request.onblocked = () => (blocked = true);
    (await answer(request)).close();
    return [...results, blocked];
  });
  assert.deepEqual(found, [
    [['2', 2, 5]],
    [['a', [['k', 1]]], ['b', 'one']],
    [1500, 1500, true],
    { code: 'bad_key', message: 'a key that is a date needs `key: (key, value) => …` to become a string' },
    { schema: 1, records: [['1970-01-01T00:00:00.009Z', 'x']] },
    { code: 'no_such_store', message: 'the IndexedDB database "app" has no store "absent"; it has "dates", "many", "notes", "pairs"' },
    false,
  ]);
});

inBrowsers('a database that does not exist is none afterwards either, and an empty one holds nothing', {}, async (t, browser) => {
  const page = await openPage(t, browser);
  const found = await page.eval(async () => {
    const absent = await read(fromIndexedDb({ database: 'absent', store: 'x', schema: 1 }));
    const after = await names();
    (await database('empty', 1, () => {})).close();
    (await database('bare', 1, (db) => db.createObjectStore('x'))).close();
    return [absent, after, await read(fromIndexedDb({ database: 'empty', store: 'x', schema: 1 })), await read(fromIndexedDb({ database: 'bare', store: 'x', schema: 1 })), await names()].map((it) => it ?? null);
  });
  assert.deepEqual(found, [null, [], null, null, ['bare 1', 'empty 1']]);
});

inBrowsers('where databases cannot be listed, one that does not exist is not made either', { only: ['chromium', 'firefox'] }, async (t, browser) => {
  const page = await openPage(t, browser);
  const found = await page.eval(async () => {
    const list = IDBFactory.prototype.databases;
    delete IDBFactory.prototype.databases;
    const absent = await read(fromIndexedDb({ database: 'absent', store: 'x', schema: 1 }));
    IDBFactory.prototype.databases = list;
    return [absent ?? null, await names()];
  });
  assert.deepEqual(found, [null, []]);
});

inBrowsers('a database that another tab is upgrading is given up in time, and the late connection holds up no other', {}, async (t, browser) => {
  const page = await openPage(t, browser);
  const found = await page.eval(async () => {
    // A connection that ignores `versionchange` keeps the upgrade waiting, and every request behind it.
    const holder = await database('busy', 1, (db) => db.createObjectStore('x'));
    const upgrade = indexedDB.open('busy', 2);
    const upgraded = answer(upgrade);
    const problem = await fails(fromIndexedDb({ database: 'busy', store: 'x', schema: 1, timeout: 300 }));
    holder.close();
    (await upgraded).close();
    (await answer(indexedDB.open('busy', 3))).close();
    return [problem, await names()];
  });
  assert.deepEqual(found, [
    { code: 'blocked', message: 'the IndexedDB database "busy" cannot be read: it did not open within 0.3 s; perhaps another tab is upgrading it' },
    ['busy 3'],
  ]);
});

test('nothing is touched before the store is made, and mistakes are named at once', async () => {
  assert.equal(typeof fromLocalStorage('cart', { schema: 1 }), 'function');
  const table = [
    [() => fromLocalStorage(undefined, { schema: 1 }), 'fromLocalStorage() needs a key, a list of keys, or { prefix }'],
    [() => fromLocalStorage('cart'), 'fromLocalStorage() needs the schema of the records, a whole number from 1, and got undefined'],
    [() => fromIndexedDb({ database: 'a', schema: 1 }), 'fromIndexedDb() needs the names of a database and of a store in it'],
    [() => fromIndexedDb({ database: 'a', store: 'b', schema: 0 }), 'fromIndexedDb() needs the schema of the records, a whole number from 1, and got 0'],
  ];
  for (const [make, message] of table) assert.throws(make, { name: 'ChangeoverError', code: 'bad_adoption', message });
  await assert.rejects(async () => fromReduxPersist()(), { code: 'unavailable', message: /^localStorage cannot be read: / });
  await assert.rejects(fromIndexedDb({ database: 'a', store: 'b', schema: 1 }), { code: 'unavailable', message: /^the IndexedDB database "a" cannot be read: indexedDB is not defined$/ });
});
