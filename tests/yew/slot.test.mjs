// A Yew app in a slot of a built page: it takes the next build with its state, or stays as it is.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { inBrowsers } from '../e2e/browsers.mjs';
import { installSteps, startSite } from '../slots/site.mjs';
import { VITES, build, changeover } from '../vite/support.mjs';
import { listIn } from '../vite/slots-support.mjs';
import { compile, makePage, take } from './support.mjs';

/** @import { TestContext } from 'node:test' */
/** @import { Browser, Engine, ManifestFile, Tab } from '../e2e/types.d.ts' */
/** @import { SlotPointer } from '../../pkg-template/slots.js' */

const [{ vite }] = VITES;
/** @type {{only: Engine[]}} */
const ALL = { only: ['chromium', 'firefox', 'webkit'] };
/** @type {{only: Engine[]}} */
const CHROMIUM = { only: ['chromium'] };

before(compile);

/**
 * The page with each of the builds of the app, and where the slot points to in each.
 *
 * @param {TestContext} t
 * @param {string[]} names
 * @param {Parameters<typeof build>[2] & {using?: typeof vite}} how
 */
async function builds(t, names, { using = vite, ...config } = {}) {
  const root = makePage(t, names[0]);
  const made = [];
  for (const name of names) {
    take(root, name);
    made.push(await build(using, root, { ...config, out: join(root, `out-${name}`) }));
  }
  return { made, pointers: made.map(({ html }) => listIn(html()).slots.counter) };
}

/**
 * A page with the first build of the app, and the steps of a swap.
 *
 * @param {TestContext} t
 * @param {Browser} browser
 * @param {string[]} names
 */
async function open(t, browser, names) {
  const { made, pointers } = await builds(t, names);
  const site = await startSite(t, { folders: made.map(({ out }) => out) });
  const tab = await browser.open(site.url);
  await tab.waitFor(() => window.view || window.failed);
  await tab.eval(installSteps);
  await tab.eval(() => {
    /** Takes the state of the slot along as the guard does: a copy, through the steps of the new module. */
    /** @type {{swap: unknown}} */ (window).swap = async (/** @type {SlotPointer} */ pointer) => {
      const module = await slots.open(pointer);
      const [holder] = slots.holders('counter');
      let state = structuredClone(holder.snapshot());
      const step = module.migrations.find((/** @type {{from: number}} */ { from }) => from === holder.schema);
      if (module.schema !== holder.schema) state = await step.up(state);
      window.broken = [];
      const part = await holder.prepare(module, state, (error) => /** @type {string[]} */ (broken).push(/** @type {Error} */ (error).message));
      await /** @type {Promise<unknown>} */ (part.ready).catch((/** @type {Error} */ error) => {
        part.discard();
        throw error;
      });
      return part;
    };
    window.message = (promise) => promise.then(() => 'fine', (error) => `${error.code ?? error.name}: ${error.message}`);
  });
  return { tab, site, pointers, made };
}

/** What is to be seen, and what runs. */
const look = (/** @type {Tab} */ tab) => tab.eval(() => {
  const shown = [...document.querySelectorAll('section')].filter((section) => section.getClientRects().length);
  const text = (/** @type {string} */ selector) => shown[0]?.querySelector(selector)?.textContent;
  return {
    shown: shown.length, all: document.querySelectorAll('section').length, title: text('h1'), given: text('h2'), count: text('#count'), length: text('output'),
    text: /** @type {{querySelector(selector: string): HTMLInputElement} | undefined} */ (shown[0])?.querySelector('#text').value, ticks: Number(text('#ticks')) > 0, intervals: intervals.size, listening: pings.size, boots,
  };
});

const visible = (/** @type {Tab} */ tab, /** @type {string} */ selector) => tab.eval((selector) => {
  const shown = [...document.querySelectorAll('section')].find((section) => section.getClientRects().length);
  /** @type {HTMLElement} */ (/** @type {Element} */ (shown).querySelector(selector)).click();
}, selector);

const OLD = { shown: 1, all: 1, title: 'The first build', given: 'from the page', count: '2', length: '14', text: 'milk and honey', ticks: true, intervals: 1, listening: 1, boots: 1 };

/** The site has no release, and the guard says so. */
const unexpected = (/** @type {Tab} */ tab) => tab.errors.filter((error) => !error.includes('/changeover/release.json'));

/**
 * Counts and types.
 *
 * @param {Tab} tab
 */
async function use(tab) {
  await tab.waitFor(() => Boolean(document.querySelector('#count')));
  await tab.click('#count');
  await tab.click('#count');
  await tab.type('#text', 'milk and honey');
  await tab.waitFor(() => Number(/** @type {Element} */ (document.querySelector('#ticks')).textContent) > 5);
  assert.deepEqual(await look(tab), OLD);
}

for (const { name, vite: using } of VITES) {
  test(`${name}: a new build of the app changes the file of the slot and its WebAssembly, nothing else`, async (t) => {
    for (const base of ['/', './']) {
      const { made: [first, second] } = await builds(t, ['first', 'second'], { using, base });
      assert.deepEqual([first, second].map(({ manifest }) => manifest.slots.counter.schema), [1, 2], 'the schema is what the Rust code says');
      const fresh = Object.entries(second.manifest.chunks).filter(([file]) => !(file in first.manifest.chunks));
      assert.deepEqual(fresh.map(([, { id, owner }]) => [id, owner]).sort(), [['counter_bg.wasm', 'slot'], ['pkg/counter.js?wasm-slot', 'slot']]);
      assert.deepEqual(first.messages.warn, []);
    }
  });
}

for (const { name, vite: using } of VITES) {
  inBrowsers(`${name}: the app runs in a dev server, and takes a new build of it with its state`, CHROMIUM, async (t, browser) => {
    const root = makePage(t, 'first');
    const server = await using.createServer({ root, configFile: false, logLevel: 'silent', server: { host: '127.0.0.1', port: 0 }, plugins: [changeover()] });
    t.after(() => server.close());
    await server.listen();
    const tab = await browser.open(/** @type {NonNullable<typeof server.resolvedUrls>} */ (server.resolvedUrls).local[0]);
    await tab.waitFor(() => Boolean(window.view), { timeout: 20_000 });
    await tab.click('#count');
    await tab.waitFor(() => /** @type {Element} */ (document.querySelector('#count')).textContent === '1');
    // Another text of the same length: the same program.
    const path = join(root, 'pkg/counter_bg.wasm');
    writeFileSync(path, Buffer.from(readFileSync(path, 'latin1').replace('The first build', 'The other build'), 'latin1'));
    await tab.waitFor(() => document.querySelector('h1')?.textContent === 'The other build', { timeout: 20_000 });
    assert.deepEqual(await tab.eval(() => [document.querySelectorAll('section').length, /** @type {Element} */ (document.querySelector('#count')).textContent, boots]), [1, '1', 1]);
    assert.deepEqual(tab.errors, []);
  });
}

inBrowsers('the app takes the next build with its counter, its text and its ticks; what ran before runs no more', ALL, async (t, browser) => {
  const { tab, pointers: [, second] } = await open(t, browser, ['first', 'second']);
  await use(tab);
  await tab.eval(async (pointer) => void (window.part = await swap(pointer)), second);
  assert.deepEqual(await look(tab), { ...OLD, all: 2, intervals: 2, listening: 2 }, 'prepared: nothing is to be seen');
  assert.equal(await tab.eval(() => part.isEmpty()), false);
  const before = await tab.eval(() => Number(document.querySelectorAll('#ticks')[1].textContent));
  await tab.eval(() => {
    part.show();
    part.drop();
  });
  await tab.waitFor(() => intervals.size === 1);
  assert.deepEqual(await look(tab), { ...OLD, title: 'The second build' });
  await tab.click('#count');
  await tab.eval(() => dispatchEvent(new Event('ping')));
  await tab.waitFor(() => /** @type {Element} */ (document.querySelector('#count')).textContent === '3' && /** @type {Element} */ (document.querySelector('#pings')).textContent === '1');
  await tab.waitFor((before) => Number(/** @type {Element} */ (document.querySelector('#ticks')).textContent) > before + 5, before);
  assert.deepEqual(await tab.eval(() => slots.holders('counter').map(({ schema, snapshot }) => [schema, { .../** @type {object} */ (snapshot()), ticks: 0 }])), [[2, { counts: [3], text: 'milk and honey', ticks: 0 }]]);
  assert.deepEqual([await tab.eval(() => broken), unexpected(tab)], [[], []]);
});

inBrowsers('a build that panics while it renders is never shown, and the app goes on', ALL, async (t, browser) => {
  const { tab, pointers: [, broken] } = await open(t, browser, ['first', 'broken']);
  await use(tab);
  const said = await tab.eval((pointer) => message(swap(pointer)), broken);
  assert.match(said, /^slot_panicked: counter_bg\.wasm panicked at src\/lib\.rs:\d+:\d+:\nthis build is broken$/);
  await tab.waitFor(() => document.querySelectorAll('section').length === 1);
  assert.deepEqual(await look(tab), OLD);
  await tab.click('#count');
  await tab.waitFor(() => /** @type {Element} */ (document.querySelector('#count')).textContent === '3');
});

for (const [what, button, message] of /** @type {[string, string, RegExp][]} */ ([
  ['a panic', '#boom', /^counter_bg\.wasm panicked at src\/lib\.rs:\d+:\d+:\nthe button was pressed$/],
  ['another error of the WebAssembly', '#trap', /unreachable/i],
])) {
  inBrowsers(`${what} after it is shown is told, and the old generation comes back as it was`, ALL, async (t, browser) => {
    const { tab, pointers: [, second] } = await open(t, browser, ['first', 'second']);
    await use(tab);
    await tab.eval(async (pointer) => {
      window.part = await swap(pointer);
      part.show();
    }, second);
    await visible(tab, '#count');
    await visible(tab, button);
    await tab.waitFor(() => /** @type {string[]} */ (broken).length > 0);
    const told = await tab.eval(() => broken);
    assert.equal(/** @type {string[]} */ (told).length, 1);
    assert.match(/** @type {string[]} */ (told)[0], message);
    await tab.eval(() => part.back());
    await tab.waitFor(() => document.querySelectorAll('section').length === 1);
    assert.deepEqual({ ...(await look(tab)), intervals: 1, listening: 1 }, OLD);
    await tab.click('#count');
    await tab.waitFor(() => /** @type {Element} */ (document.querySelector('#count')).textContent === '3');
  });
}

inBrowsers('state that no step understands stays with the old build, and the error says where', CHROMIUM, async (t, browser) => {
  const { tab, pointers: [, second] } = await open(t, browser, ['first', 'second']);
  await tab.waitFor(() => Boolean(document.querySelector('#text')));
  await tab.type('#text', 'cannot be migrated');
  assert.match(await tab.eval((pointer) => message(swap(pointer)), second), /: store "slot": the step 1 -> 2 \(up\) failed at text: is not understood$/);
  assert.equal((await look(tab)).text, 'cannot be migrated');
});

inBrowsers('state that is none of this schema is refused before anything is rendered', CHROMIUM, async (t, browser) => {
  const { tab, pointers: [, second] } = await open(t, browser, ['first', 'second']);
  const said = await tab.eval(async (pointer) => {
    const [holder] = slots.holders('counter');
    const part = await holder.prepare(await slots.open(pointer), { counts: ['two'], text: '', ticks: 0 });
    const why = await message(/** @type {Promise<unknown>} */ (part.ready));
    part.discard();
    return why;
  }, second);
  assert.match(said, /store "slot": .*counts\[0\]: invalid type: string "two", expected u32/);
  assert.equal((await look(tab)).all, 1);
});

inBrowsers('WebAssembly that is missing, of another build, corrupt or a page is refused by name; the next try has the right one', CHROMIUM, async (t, browser) => {
  const { tab, site, pointers: [, pointer], made: [first, second] } = await open(t, browser, ['first', 'second']);
  const wasmIn = (/** @type {{manifest: ManifestFile}} */ { manifest }) => /** @type {string} */ (Object.keys(manifest.chunks).find((file) => file.includes('counter_bg')));
  const wasm = wasmIn(second);
  await use(tab);
  const trying = () => tab.eval((pointer) => message(swap(pointer)), pointer);

  site.gone.add(wasm);
  assert.equal(await trying(), `wasm_missing: ${site.url}/${wasm} answered 404.`);
  site.gone.clear();
  site.files[wasm] = /** @type {Buffer} */ (first.files.get(wasmIn(first)));
  assert.match(await trying(), /^wasm_mismatch: .*counter_bg-\S+ is of the pair [0-9a-f]{16}, the glue of counter_bg\.wasm of the pair [0-9a-f]{16}; they are built together and only work together\.$/);
  site.files[wasm] = Buffer.concat([/** @type {Buffer} */ (second.files.get(wasm)), Buffer.of(0, 2, 1, 65)]);
  assert.match(await trying(), /^wasm_corrupt: .* is not what was built: its integrity is not sha384-/);
  site.files[wasm] = /** @type {Buffer} */ (second.files.get(wasm)).subarray(0, 50_000);
  assert.match(await trying(), /^CompileError: /);
  assert.deepEqual(await look(tab), OLD);
  delete site.files[wasm];
  assert.equal(await trying(), 'fine');
});

inBrowsers('a slot that is unmounted leaves nothing that runs, and can be mounted again', CHROMIUM, async (t, browser) => {
  const { tab } = await open(t, browser, ['first']);
  await use(tab);
  await tab.eval(() => view.unmount());
  await tab.waitFor(() => intervals.size === 0 && pings.size === 0 && !document.querySelector('section'));
  await tab.eval(() => window.mount({ title: 'again' }).then((view) => (/** @type {{view: unknown}} */ (window).view = view)));
  await tab.waitFor(() => document.querySelector('h2')?.textContent === 'again');
  assert.equal(await tab.text('#count'), '0');
  await tab.eval(() => Promise.all([window.mount({ title: 'another' }), window.mount({})]));
  await tab.waitFor(() => document.querySelectorAll('#count').length === 3);
  await tab.click('#count');
  await tab.waitFor(() => [...document.querySelectorAll('#count')].map((count) => count.textContent).join() === '1,0,0', { what: 'each mount counts for itself' });
  assert.deepEqual(unexpected(tab), []);
});
