// What thirty builds of an app leave behind in a page.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before } from 'node:test';
import { build as bundle, transform } from 'esbuild';
import { inBrowsers } from '../e2e/browsers.mjs';
import { startSite } from '../slots/site.mjs';
import { PACKAGE } from '../vite/support.mjs';
import { compile, glueOf, wasmOf } from './support.mjs';

/** @import { TestContext } from 'node:test' */
/** @import { Browser } from '../e2e/types.d.ts' */

const { moduleOf, wasmSlotParts } = await import(join(PACKAGE, 'vite-wasm-slot.js'));

const GENERATIONS = 30;
/** Heap that a generation may leave: its module, which no browser frees, with its glue as Chromium has compiled it. */
const LEFT = 60_000;

before(compile);

/**
 * A page whose slot takes one build after another, each with addresses of its own: what it has after the third, and at the end.
 *
 * @param {TestContext} t
 * @param {Browser} browser
 * @param {object} props
 */
async function live(t, browser, props, change = (/** @type {string} */ code) => code) {
  const parts = wasmSlotParts(glueOf('first'), wasmOf('first'), 'counter_bg.wasm');
  const text = (/** @type {string} */ name) => bundle({ entryPoints: [join(PACKAGE, name)], bundle: true, format: 'esm', write: false }).then(({ outputFiles }) => outputFiles[0].text);
  const site = await startSite(t, { files: {
    'index.html': '<!doctype html><link rel="icon" href="data:,"><script type="module">import { slot } from "./slots.js"; window.slot = slot; window.slots = globalThis[Symbol.for("changeover.slots")]</script><div id="app"></div>',
    'slots.js': await text('slots.js'),
    'wasm-slot.js': await text('wasm-slot.js'),
    // Seen from the module with its query, the WebAssembly is another in each generation too.
    'counter.js': change((await transform(moduleOf(parts, '"counter_bg.wasm" + new URL(import.meta.url).search', '', '/wasm-slot.js'), { minify: true, format: 'esm' })).code),
    'counter_bg.wasm': parts.wasm,
  } });
  const tab = await browser.open(site.url);
  await tab.waitFor(() => Boolean(window.slot));
  await tab.eval(async (props) => {
    const { instantiate } = WebAssembly;
    window.memories = [];
    window.modules = [];
    /** @type {{instantiate: unknown}} */ (WebAssembly).instantiate = async (/** @type {WebAssembly.Module} */ module, /** @type {WebAssembly.Imports} */ imports) => {
      const instance = await instantiate(module, imports);
      memories.push(new WeakRef(/** @type {WebAssembly.Memory} */ (instance.exports.memory)));
      modules.push(new WeakRef(module));
      return instance;
    };
    /** @type {{view: unknown}} */ (window).view = await slot('counter', () => import(/** @type {string} */ ('/counter.js?g=0'))).mount(/** @type {HTMLElement} */ (document.getElementById('app')), props);
    window.slots = /** @type {Record<symbol, typeof slots>} */ (/** @type {unknown} */ (globalThis))[Symbol.for('changeover.slots')];
    window.generation = 0;
    /** @type {{swap: unknown}} */ (window).swap = async () => {
      generation += 1;
      const module = await import(`/counter.js?g=${generation}`);
      const [holder] = slots.holders('counter');
      const part = await holder.prepare(module, holder.snapshot());
      await part.ready;
      part.show();
      part.drop();
    };
  }, props);
  const devtools = await tab.devtools();
  const measure = async () => {
    // What ended does so in a later task, and finalizers run after the first collection.
    for (let turn = 0; turn < 3; turn += 1) {
      await tab.eval(() => new Promise((go) => setTimeout(go, 50)));
      await devtools.send('HeapProfiler.collectGarbage');
    }
    const { nodes, jsEventListeners } = await devtools.send('Memory.getDOMCounters');
    const { usedSize } = await devtools.send('Runtime.getHeapUsage');
    return { nodes, listeners: jsEventListeners, heap: usedSize, ...(await tab.eval(() => ({ memories: memories.filter((memory) => memory.deref()).length, modules: modules.filter((module) => module.deref()).length }))) };
  };
  const swaps = (/** @type {number} */ count) => tab.eval(async (count) => {
    for (let n = 0; n < count; n += 1) await swap();
  }, count);
  await swaps(3);
  const first = await measure();
  await swaps(GENERATIONS);
  const last = await measure();
  assert.equal(await tab.eval(() => memories.length), GENERATIONS + 4, 'each generation had a memory of its own');
  await tab.waitFor(() => Number(/** @type {Element} */ (document.querySelector('#ticks')).textContent) > 0);
  return { first, last, tab, devtools, measure };
}

inBrowsers(`after ${GENERATIONS} builds only the last has memory and code; nodes and listeners are as many as before`, { only: ['chromium'], timeout: 120_000 }, async (t, browser) => {
  const { first, last, tab, measure } = await live(t, browser, {});
  assert.deepEqual([last.memories, last.modules], [1, 1]);
  assert.deepEqual([last.nodes, last.listeners], [first.nodes, first.listeners]);
  const left = (last.heap - first.heap) / GENERATIONS;
  t.diagnostic(`${Math.round(left)} bytes of heap a generation`);
  assert.ok(left < LEFT, `a generation leaves ${Math.round(left)} bytes`);
  await tab.eval(() => view.unmount());
  assert.equal((await measure()).memories, 0);
});

inBrowsers('listeners that an app forgets keep no memory, and do nothing; were they not cut off, they would', { only: ['chromium'], timeout: 120_000 }, async (t, browser) => {
  const { first, last, tab } = await live(t, browser, { forgetful: true });
  assert.equal(last.listeners - first.listeners, GENERATIONS, 'the app has forgotten a listener in each generation');
  assert.equal(last.memories, 1);
  await tab.eval(() => dispatchEvent(new Event('ping')));
  await tab.waitFor(() => /** @type {Element} */ (document.querySelector('#pings')).textContent === '1');
  assert.deepEqual(tab.errors, []);
  const uncut = await live(t, browser, { forgetful: true }, (code) => {
    const without = code.replace(/drop:\w+\}/, 'drop(){}}');
    assert.notEqual(without, code);
    return without;
  });
  assert.equal(uncut.last.memories, GENERATIONS + 4);
});
