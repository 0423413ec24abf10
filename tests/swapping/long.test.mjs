// A page that is open for long: what each swap leaves behind is small, and after so many of them the page asks.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { build } from 'esbuild';

import { ROOT, inBrowsers } from '../e2e/browsers.mjs';
import { startEdge } from '../e2e/server.mjs';
import { startSwapSite } from './site.mjs';
import { ending, keepsWork, openWork } from './work.mjs';

/** @import { TestContext } from 'node:test' */

const WARM = 10;
const SWAPS = 100;
const KINDS = {
  plain: {
    start: (/** @type {typeof String.raw} */ text) => text`slot('a', () => load('a')).mount(document.getElementById('host'))`,
    module: (/** @type {number} */ n) => `export const mount = (host, { state = { count: 0 } }) => {
  host.innerHTML = '<p>build ${n}</p><button>' + state.count + '</button><input name="note">';
  const press = () => (host.querySelector('button').textContent = state.count += 1);
  host.querySelector('button').addEventListener('click', press);
  return { snapshot: () => state };
};`,
  },
  react: {
    start: (/** @type {typeof String.raw} */ text) => text`createRoot(document.getElementById('host')).render(React.createElement(React.Suspense, null, React.createElement(lazy(() => load('a'), 'a'))))`,
    module: (/** @type {number} */ n) => `const { React, useSlotState } = kit;
export default () => {
  const [count, set] = useSlotState('count', 0);
  React.useEffect(() => {
    const listen = () => {};
    addEventListener('resize', listen);
    return () => removeEventListener('resize', listen);
  }, []);
  return React.createElement('div', null, React.createElement('p', null, 'build ${n}'), React.createElement('button', { onClick: () => set(count + 1) }, count), React.createElement('input', { name: 'note' }));
};`,
  },
};

/**
 * A page with one slot whose swaps the test drives itself, without the guard and its budget.
 *
 * @param {TestContext} t
 * @param {keyof typeof KINDS} kind
 */
async function startPage(t, kind) {
  const folder = mkdtempSync(join(tmpdir(), 'changeover-long-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const from = join(ROOT, 'pkg-template');
  const frameworks = kind === 'react' ? `export { lazy, useSlotState } from ${JSON.stringify(join(from, 'react.js'))}; export * as React from 'react'; export { createRoot } from 'react-dom/client';` : '';
  await build({
    stdin: { contents: `export { createIntact } from './intact.js'; export { createSwap } from './swap.js'; export * from './slots.js'; ${frameworks}`, resolveDir: from },
    nodePaths: [join(ROOT, 'node_modules')],
    bundle: true,
    format: 'iife',
    globalName: 'kit',
    define: { 'process.env.NODE_ENV': '"production"' },
    outfile: join(folder, 'kit.js'),
  });
  for (let n = 0; n <= WARM + SWAPS; n += 1) writeFileSync(join(folder, `m-${n}.js`), KINDS[kind].module(n));
  const start = KINDS[kind].start(String.raw);
  writeFileSync(
    join(folder, 'index.html'),
    `<!doctype html><link rel="icon" href="data:,"><script type="application/json" id="changeover-slots">${JSON.stringify({ build: '0', base: '/', slots: { a: { file: 'm-0.js' } } })}</script>
<div id="host"></div><script src="/kit.js"></script><script>{ const { slot, load, lazy, React, createRoot } = kit; ${start}; }</script>`,
  );
  const edge = await startEdge({ root: folder });
  t.after(() => edge.close());
  return edge;
}

/**
 * Takes one swap as the engine would.
 *
 * @param {number} n
 */
async function swapTo(n) {
  const slots = kit.registry();
  const pointers = [{ slot: 'a', file: `m-${n}.js`, css: [] }];
  const steps = [
    { type: 'fetch', files: [{ file: `m-${n}.js`, integrity: '', kind: 'script' }] },
    { type: 'import', modules: [{ slot: 'a', file: `m-${n}.js` }], pointers },
    { type: 'snapshot', slots: ['a'] },
    { type: 'mount', slots: ['a'], styles: [], pointers },
    { type: 'switch', pointers, styles: [], stylesOut: [] },
    { type: 'watch', slots: ['a'], files: [`m-${n}.js`] },
    { type: 'commit', slots: ['a'], styles: [] },
  ];
  globalThis.driver ??= kit.createSwap({ slots, intact: kit.createIntact(), answer: (/** @type {[string, number, {type: string}]} */ ...words) => globalThis.heard(...words), stores: /** @type {never} */ (/** @type {unknown} */ (null)) });
  for (const step of steps) {
    const answer = new Promise((done) => (/** @type {{heard: unknown}} */ (globalThis).heard = (/** @type {string} */ _changeover, /** @type {number} */ _round, /** @type {{type: string}} */ what) => done(what.type)));
    driver.ask(`swap-${n}`, 0, /** @type {Parameters<typeof driver.ask>[2]} */ (step), String(n));
    if (step.type === 'watch') continue;
    const said = await answer;
    if (!/^(fetched|imported|snapshotted|mounted|switched|committed)$/.test(said)) throw new Error(`${step.type}: ${said}`);
  }
}

for (const kind of /** @type {(keyof typeof KINDS)[]} */ (Object.keys(KINDS))) {
  inBrowsers(`a hundred swaps of a small slot (${kind}) leave no node and no listener behind, and little of the heap`, { only: ['chromium'] }, async (t, browser) => {
    const edge = await startPage(t, kind);
    const tab = await browser.open(edge.url);
    await tab.waitFor(() => document.querySelector('#host p')?.checkVisibility());
    await tab.click('#host button');
    await tab.waitFor(() => /** @type {Element} */ (document.querySelector('#host button')).textContent === '1');
    const session = await tab.devtools();
    await session.send('Performance.enable');
    const measure = async () => {
      for (let i = 0; i < 3; i += 1) await session.send('HeapProfiler.collectGarbage');
      const { metrics } = await session.send('Performance.getMetrics');
      return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
    };
    let n = 0;
    const swaps = async (/** @type {number} */ times) => {
      for (const end = n + times; n < end; ) {
        n += 1;
        await tab.eval(swapTo, n);
      }
    };
    await swaps(WARM);
    const before = await measure();
    await swaps(SWAPS);
    const after = await measure();
    assert.equal(await tab.text('#host p'), `build ${WARM + SWAPS}`);
    assert.equal(await tab.text('#host button'), '1');
    const heap = (after.JSHeapUsedSize - before.JSHeapUsedSize) / SWAPS;
    const grown = { nodes: after.Nodes - before.Nodes, listeners: after.JSEventListeners - before.JSEventListeners };
    t.diagnostic(`${Math.round(heap)} bytes of heap a swap, ${JSON.stringify(grown)}`);
    assert.ok(heap <= 20_000, `${heap} bytes a swap`);
    // The browser lets go of a node or two in its own time.
    assert.ok(grown.nodes <= 5 && grown.listeners <= 5, JSON.stringify(grown));
  });
}

inBrowsers('after as many generations as a page may take it asks, and says why', { only: ['chromium'], timeout: 120_000 }, async (t, browser) => {
  const site = await startSwapSite(t);
  const tab = await openWork(browser, site);
  const COUNTER = 'src/routes/Counter.jsx';
  for (let n = 1; n <= 20; n += 1) {
    const build = await site.restore().publish({ [COUNTER]: [['export default', `throw new Error('bad ${n}');\nexport default`]] });
    assert.equal((await ending(tab, build)).reason, 'importFailed');
  }
  const good = await site.restore().publish({ [COUNTER]: [['counter one', 'counter two']] });
  const { refusals } = await tab.waitFor((good) => news.find(({ type, to }) => type === 'swapRefused' && to === good), good, { timeout: 15_000, what: 'the refusal' });
  assert.deepEqual(/** @type {NonNullable<typeof refusals>} */ (refusals).map(({ why, slot }) => [why, slot]), [['budgetSpent', COUNTER]]);
  await tab.waitFor((good) => guard.status.prompt?.build === good, good, { what: 'the prompt' });
  await keepsWork(tab);
});
