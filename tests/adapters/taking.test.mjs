// Old data on its way into a durable store of the built package: migrated, once, and the originals stay.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inBrowsers } from '../e2e/browsers.mjs';
import { ROOT, send, serve } from '../prompt/harness.mjs';

const SCRIPT = `
import { createChangeover } from '/kit/index.js';
import * as adopt from '/kit/adopt.js';
globalThis.adopt = adopt;
globalThis.changeover = createChangeover({ release: '/changeover/release.json', build: 'one', stream: 'off', prompt: false });
globalThis.entriesOf = async (store) => {
  const all = [];
  for await (const entry of store.entries()) all.push(entry);
  return all;
};
globalThis.ready = true;
`;

async function openPage(t, browser) {
  const kit = (name) => (request, response) => send(response, 200, readFileSync(join(ROOT, 'dist', 'npm', name), 'utf8'), '.js');
  const files = ['index.js', 'runtime.js', 'states.js', 'stores.js', 'adopt.js'];
  const site = await serve({
    '/': '<!doctype html><title>notes</title><link rel="icon" href="data:,"><script type="module" src="/test.js"></script>',
    '/test.js': SCRIPT,
    ...Object.fromEntries(files.map((name) => [`/kit/${name}`, kit(name)])),
  });
  t.after(site.close);
  const page = await browser.open(site.origin);
  await page.waitFor(() => globalThis.ready);
  return page;
}

const again = async (page) => {
  await page.eval(() => void (globalThis.ready = false));
  await page.reload();
  await page.waitFor(() => globalThis.ready);
};

inBrowsers('what three libraries have kept becomes one store, at its schema, once', {}, async (t, browser) => {
  const page = await openPage(t, browser);
  const opened = () =>
    page.eval(async () => {
      const { fromIndexedDb, fromLocalStorage, fromZustandPersist } = adopt;
      const store = changeover.store('notes', {
        schema: 2,
        migrations: [{ from: 1, to: 2, up: ({ text, ...rest }) => ({ ...rest, lines: text.split('/') }), down: ({ lines, ...rest }) => ({ ...rest, text: lines.join('/') }) }],
        validate: ({ lines }) => Array.isArray(lines),
        initial: { welcome: { lines: ['hello'] }, b: { lines: ['overruled'] } },
        adopt: [
          fromLocalStorage({ prefix: 'note:' }, { schema: 1 }),
          fromIndexedDb({ database: 'localforage', store: 'keyvaluepairs', schema: 2 }),
          fromZustandPersist('draft'),
          fromLocalStorage('absent', { schema: 1 }),
        ],
      });
      await store.ready();
      return entriesOf(store);
    });
  await page.eval(async () => {
    localStorage.setItem('note:a', JSON.stringify({ text: 'x/y', mine: 1 }));
    localStorage.setItem('note:b', JSON.stringify({ text: 'z' }));
    localStorage.setItem('draft', JSON.stringify({ state: { text: 'd' }, version: 1 }));
    await new Promise((ready) => {
      const request = indexedDB.open('localforage', 2);
      request.onupgradeneeded = () => request.result.createObjectStore('keyvaluepairs').put({ lines: ['kept'] }, 'c');
      request.onsuccess = () => (request.result.close(), ready());
    });
  });
  const expected = [
    ['a', { lines: ['x', 'y'], mine: 1 }],
    ['b', { lines: ['z'] }],
    ['c', { lines: ['kept'] }],
    ['draft', { lines: ['d'] }],
    ['welcome', { lines: ['hello'] }],
  ];
  assert.deepEqual(await opened(), expected);
  assert.equal(await page.eval(() => localStorage.getItem('note:a')), '{"text":"x/y","mine":1}');
  // The old code of another tab goes on writing to the original; that is not this store any more.
  await page.eval(() => localStorage.setItem('note:a', JSON.stringify({ text: 'later' })));
  await again(page);
  assert.deepEqual(await opened(), expected);
});

inBrowsers('old data that cannot be read keeps the store from being made, until it can', { only: ['chromium'] }, async (t, browser) => {
  const page = await openPage(t, browser);
  const opened = (text) =>
    page.eval(async (text) => {
      if (text !== null) localStorage.setItem('cart', text);
      const migrations = [{ from: 1, to: 2, up: (value) => ({ ...value, total: value.items.length }) }];
      const store = changeover.store('cart', { schema: 2, migrations, adopt: adopt.fromLocalStorage('cart', { schema: 1 }) });
      try {
        await store.ready();
        return await store.get('cart');
      } catch ({ code, message, store }) {
        return { code, message, store, kept: localStorage.getItem('cart') };
      }
    }, text);
  const broken = await opened('{"items":');
  assert.deepEqual([broken.code, broken.store, broken.kept], ['not_readable', 'cart', '{"items":']);
  assert.match(broken.message, /^store "cart" could not take over what was there before it: .*localStorage "cart" cannot be parsed/);
  await again(page);
  const strange = await opened('{"things":[]}');
  assert.deepEqual([strange.code, strange.kept], ['step_failed', '{"things":[]}']);
  await again(page);
  assert.deepEqual(await opened('{"items":["tea"]}'), { items: ['tea'], total: 1 });
});
