// What is kept in IndexedDB, and the marks and locks against restoring twice: the modules as they are, in Chromium.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import puppeteer from 'puppeteer-core';

const SOURCE = join(import.meta.dirname, '..', '..', 'pkg-template');
const DAY = 24 * 60 * 60_000;

let browser;
let server;
let origin;

before(async () => {
  browser = await puppeteer.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
  server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    if (pathname === '/') return response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><link rel="icon" href="data:,">');
    response.writeHead(200, { 'content-type': 'text/javascript' }).end(readFileSync(join(SOURCE, pathname)));
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  origin = `http://127.0.0.1:${server.address().port}`;
});

after(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
});

/** A page of a fresh profile with `kept`, `used`, and `head(id, more)`. */
async function open(t) {
  const context = await browser.createBrowserContext();
  t.after(() => context.close());
  const page = async () => {
    const page = await context.newPage();
    await page.goto(origin);
    await page.evaluate(async () => {
      const [{ createKept }, { createUsed }] = await Promise.all([import('/snapshot-db.js'), import('/restored-marks.js')]);
      Object.assign(globalThis, { createKept, createUsed, kept: createKept('/r.json'), used: createUsed('/r.json') });
      globalThis.head = (id, more) => ({ id, token: id, name: 'draft', schema: 1, build: 'a', at: Date.now(), ...more });
    });
    return page;
  };
  return { page, first: await page() };
}

test('a value is kept for other pages until it is removed, and is no backup while it is on its way', async (t) => {
  const { page, first } = await open(t);
  await first.evaluate(() => kept.put(head('a'), new Map([['x', new Blob(['text'], { type: 'text/plain' })]])));
  const second = await page();
  const seen = await second.evaluate(async () => {
    const { value } = await kept.value('a');
    const listed = await kept.list();
    await kept.remove(['a', 'never there']);
    return [await value.get('x').text(), value.get('x').type, listed, (await kept.value('a')) ?? 'gone'];
  });
  assert.deepEqual(seen, ['text', 'text/plain', [], 'gone']);
});

test('the same blob in two places and in a cycle stays the same, and what was given stays as it was', async (t) => {
  const { first } = await open(t);
  const seen = await first.evaluate(async () => {
    const blob = new Blob(['one']);
    const given = { list: [blob, blob], set: new Set([blob]), map: new Map([[blob, { deep: [blob] }]]), none: new Set(['a']) };
    given.self = given;
    await kept.put(head('a'), given);
    const { value } = await kept.value('a');
    const [first] = value.list;
    const [[key, { deep }]] = value.map;
    const all = [...value.list, ...value.set, key, ...deep];
    return [all.length, all.every((part) => part === first), value.self === value, [...value.none], await first.text(), given.list[0] === blob, [...given.set][0] === blob];
  });
  assert.deepEqual(seen, [5, true, true, ['a'], 'one', true, true]);
});

test('a value that has a reason is a backup; it keeps its first reason, and a value that no page took in a day becomes one', async (t) => {
  const { first } = await open(t);
  const listed = await first.evaluate(async (day) => {
    await kept.put(head('a', { reason: 'step_failed', message: 'first' }), 1);
    await kept.put(head('a', { reason: 'other', message: 'second' }), 2);
    await kept.put(head('b', { at: Date.now() - 60_000 }), 1);
    await kept.note('b', { reason: 'no_path', message: 'noted' });
    await kept.put(head('c', { at: Date.now() - day }), 1);
    await kept.put(head('d', { at: Date.now() - day, spare: true }), 1);
    await kept.put(head('e'), 1);
    return (await kept.list()).map(({ id, reason, message }) => [id, reason, message]);
  }, DAY);
  assert.deepEqual(listed, [
    ['a', 'step_failed', 'first'],
    ['b', 'no_path', 'noted'],
    ['c', 'unclaimed', 'state "draft" was saved, and no page has taken it'],
  ]);
});

test('backups go after 30 days, and the oldest when there are more than 20; values on their way do not count', async (t) => {
  const { first } = await open(t);
  const ids = await first.evaluate(async (day) => {
    const old = (days) => ({ reason: 'no_path', message: '', at: Date.now() - days * day });
    await kept.put(head('gone', old(31)), 1);
    await kept.put(head('way'), 1);
    for (let n = 21; n >= 0; n -= 1) await kept.put(head(`n${n}`, old(n + 1)), 1);
    const listed = (await kept.list()).map(({ id }) => id);
    return [listed, ...(await Promise.all(['gone', 'n20', 'way'].map(kept.value)))].map((found) => found ?? 'gone');
  }, DAY);
  assert.deepEqual(ids, [Array.from({ length: 20 }, (_, n) => `n${n}`), 'gone', 'gone', { value: 1 }]);
});

test('a database that is missing, throws or never answers is an error with a sentence, not a hang', async (t) => {
  const { first } = await open(t);
  const errors = await first.evaluate(async () => {
    const factories = [() => undefined, () => ({ open() { throw new DOMException('no', 'SecurityError'); } }), () => ({ open: () => ({}) })];
    const answers = await Promise.allSettled(factories.map((factory) => createKept('/r.json', factory).list()));
    return answers.map(({ reason: { name, code, message } }) => [name, code, message]);
  });
  assert.deepEqual(errors.map(([name, code]) => [name, code]), Array.from({ length: 3 }, () => ['ChangeoverError', 'storage_unavailable']));
  const begin = 'the browser\'s database "changeover:/r.json:kept" does not work ';
  assert.match(errors[0][2], /^the browser's database "changeover:\/r\.json:kept" does not work \(Cannot read/);
  assert.deepEqual([errors[1][2], errors[2][2]], [`${begin}(no)`, `${begin}(no answer within 6 s)`]);
});

test('a full disk is named, and nothing of the value is left', async (t) => {
  const { first } = await open(t);
  const devtools = await first.createCDPSession();
  await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 200_000 });
  const [code, message, left] = await first.evaluate(async () => {
    const error = await kept.put(head('a', { reason: 'x' }), 'x'.repeat(3_000_000)).catch((error) => error);
    return [error.code, error.message, [await kept.list(), (await kept.value('a')) ?? null]];
  });
  assert.deepEqual([code, message, left], ['quota', 'the browser\'s database "changeover:/r.json:kept" is full', [[], null]]);
});

test('the database can be deleted at any time', async (t) => {
  const { first } = await open(t);
  const [deleted, after] = await first.evaluate(async () => {
    await kept.put(head('a'), 1);
    const request = indexedDB.deleteDatabase('changeover:/r.json:kept');
    const deleted = await new Promise((done) => {
      request.onsuccess = () => done('deleted');
      request.onblocked = () => done('blocked');
    });
    await kept.put(head('b'), 2);
    return [deleted, await kept.value('b')];
  });
  assert.deepEqual([deleted, after], ['deleted', { value: 2 }]);
});

test('a mark is seen by all tabs of the site, and goes after a week', async (t) => {
  const { page, first } = await open(t);
  await first.evaluate(() => {
    used.add('t1', 'draft');
    used.add('t1', 'cart');
  });
  const second = await page();
  const seen = await second.evaluate((week) => {
    const has = () => [used.has('t1', 'draft'), used.has('t1', 'cart'), used.has('t1', 'other'), used.has('t2', 'draft')];
    const before = has();
    const now = Date.now;
    Date.now = () => now() + week;
    const after = has();
    used.add('t2', 'draft');
    return [before, after, Object.keys(JSON.parse(localStorage['changeover:/r.json:used']))];
  }, 7 * DAY);
  assert.deepEqual(seen, [[true, true, false, false], [false, false, false, false], ['t2']]);
});

test('two tabs restore one after the other; one that is frozen does not keep the other waiting for long', async (t) => {
  const { page, first } = await open(t);
  const second = await page();
  const hold = () =>
    first.evaluate(() => new Promise((begun) => {
      used.alone('t1', () => new Promise((done) => {
        globalThis.finish = done;
        begun();
      }));
    }));
  await hold();
  const start = () => second.evaluate(() => void used.alone('t1', async () => { globalThis.began = (globalThis.began ?? 0) + 1; }));
  await start();
  await new Promise((done) => setTimeout(done, 300));
  assert.equal(await second.evaluate(() => globalThis.began), undefined);
  await first.evaluate(() => finish());
  await second.waitForFunction(() => globalThis.began === 1, { timeout: 2_000 });

  await hold();
  await start();
  await second.waitForFunction(() => globalThis.began === 2, { timeout: 7_000 });
  assert.equal(await second.evaluate(() => used.alone('t2', async () => 'answer')), 'answer', 'another token waits for nothing');
  assert.deepEqual(await second.evaluate(() => used.alone('t3', async () => { throw new Error('mine'); }).catch(({ message }) => message)), 'mine');
});
