// node scripts/bench-manifest.mjs: what large manifests cost the main thread of a page, in Chromium, on loopback.
//
//   start   a page with slots starts: it reads the manifest of its own build
//   slot    a build of which one slot changed: read, compared, planned, swapped
//   all     a build in which every file has another name and other code: read, compared, refused, asked about
//   plain   the same for a page without slots
//
//   longest_ms    longest time in which the page could do nothing else (budget: 50)
//   long_tasks    the durations of tasks over 50 ms, as the browser reports them
//   decided_ms    from the release being seen to the decision
//   requests      for the two manifests, by two tabs (budget: 2)
//
// `--files N` (20 000), `--slow N` divides the processor's speed (1), `--json`.
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT, launch } from '../tests/e2e/browsers.mjs';
import { startEdge } from '../tests/e2e/server.mjs';
import { packageDir } from '../tests/e2e/site.mjs';
import { build } from './build.mjs';
import { entry } from './lib/run.mjs';
import { ensure } from './setup.mjs';

/** @import { Decision } from '../pkg-template/index.js' */
/** @import { Browser } from '../tests/e2e/types.d.ts' */
/** @typedef {{slot: string, rest: string}} Codes what differs in the code of two builds: of the slot, and of all else */
/** @typedef {ReturnType<typeof result> & {decided_ms?: number}} Measured */

/** @type {(name: string, usual: number) => number} */
const numberAfter = (name, usual) => Number(process.argv[process.argv.indexOf(name) + 1]) || usual;
const FILES = process.argv.includes('--files') ? numberAfter('--files', 20_000) : 20_000;
const SLOW = process.argv.includes('--slow') ? numberAfter('--slow', 1) : 1;
const json = process.argv.includes('--json');

const integrity = (/** @type {string} */ text) => `sha384-${createHash('sha384').update(text).digest('base64')}`;
const short = (/** @type {string} */ text) => createHash('sha256').update(text).digest('hex').slice(0, 10);

/**
 * The manifest of a build with one slot; `rest` is in the code of every other file.
 *
 * @param {string} id
 * @param {Codes} codes
 */
function manifestOf(id, { slot, rest }) {
  /** @type {Record<string, object>} */
  const chunks = {};
  /** @type {Record<string, string>} */
  const files = {};
  /** @type {(module: string, text: string, more: object) => string} */
  const add = (module, text, more) => {
    const file = `assets/${/** @type {string} */ (module.split('/').at(-1)).replace(/\.\w+$/, '')}-${short(text)}.js`;
    if (!module.startsWith('src/pages/')) files[file] = text; // what a refresh would load must be there
    chunks[file] = { id: module, code: short(text), integrity: integrity(text), size: text.length, kind: 'script', ...more };
    return file;
  };
  const cart = add('src/routes/cart.js', slotCode(slot), { owner: 'slot' });
  const shared = Array.from({ length: 20 }, (_, n) => add(`src/shared/part-${n}.js`, `shared ${n} ${rest}`, { owner: 'shared' }));
  const lazy = Array.from({ length: FILES - 22 }, (_, n) =>
    add(`src/pages/page-${n}.js`, `page ${n} ${rest}`, { imports: [shared[n % 20], shared[(n * 7) % 20]], owner: 'shell' }),
  );
  const main = add('src/main.js', `main ${rest}`, { imports: shared, dynamicImports: lazy.slice(0, 2000), owner: 'shell' });
  const sorted = Object.fromEntries(Object.entries(chunks).sort(([one], [other]) => (one < other ? -1 : 1)));
  return { cart, files, text: JSON.stringify({ format: 1, app: 'large', id, created: '2026-07-31T12:00:00Z', base: '/', entries: [main], slots: { cart: { file: cart, kind: 'module', schema: 0 } }, chunks: sorted }) };
}

const slotCode = (/** @type {string} */ text) => `export const mount = (host) => { host.textContent = 'cart ${text}'; };`;

const tag = (/** @type {string} */ more) => `<script src="/npm/changeover.js" data-release="/changeover/release.json" data-build="a" data-interval="1" ${more}></script><script>globalThis.guard = changeover;</script>`;
/** @type {Record<'slots' | 'plain', (cart: string) => string>} */
const PAGES = {
  slots: (cart) => `<!doctype html><meta name="changeover-build" content="a"><link rel="icon" href="data:,">
<script type="application/json" id="changeover-slots">${JSON.stringify({ build: 'a', base: '/', slots: { cart: { file: cart } } })}</script><div id="host"></div>
${tag('data-runtime="/npm/runtime-slots-slim.js" data-wasm="/npm/changeover-slots.wasm"')}
<script type="module">import { load, slot } from '/npm/slots.js'; slot('cart', () => load('cart')).mount(document.getElementById('host'));</script>`,
  plain: () => `<!doctype html><link rel="icon" href="data:,">${tag('')}`,
};

/** Runs in the document that is measured: what the page could not do, and when. It ticks seldom, so as to leave the processor to the browser. */
function watch() {
  globalThis.bench = /** @type {typeof bench} */ ({ longest: 0, tasks: /** @type {number[]} */ ([]), last: performance.now() });
  new PerformanceObserver((list) => bench.tasks.push(...list.getEntries().map(({ duration }) => Math.round(duration)))).observe({ type: 'longtask' });
  const tick = () => {
    const now = performance.now();
    bench.longest = Math.max(bench.longest, now - bench.last - 4); // timers go off every 4 ms at most
    bench.last = now;
    setTimeout(tick, 4);
  };
  setTimeout(tick, 4);
}

const reset = () => void Object.assign(bench, { longest: 0, tasks: [], last: performance.now() });
const result = () => ({ longest_ms: Math.round(bench.longest), long_tasks: bench.tasks });

/** @type {(browser: Browser, kind: keyof typeof PAGES) => Promise<object>} */
async function run(browser, kind) {
  const folder = mkdtempSync(join(ROOT, 'target', 'bench-manifest-'));
  const put = (/** @type {string} */ path, /** @type {string} */ text) => {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  let sequence = 0;
  const publish = (/** @type {string} */ id, /** @type {Codes} */ codes) => {
    const { cart, files, text } = manifestOf(id, codes);
    for (const [file, code] of Object.entries(files)) put(file, code);
    put(`changeover/builds/${id}.json`, text);
    put('changeover/release.json', JSON.stringify({ format: 1, app: 'large', channel: 'stable', sequence: (sequence += 1), issued: '2026-07-31T12:00:00Z', build: { id, manifest: `builds/${id}.json`, integrity: integrity(text) } }));
    return { cart, bytes: text.length };
  };
  const { cart, bytes } = publish('a', { slot: 'one', rest: '1' });
  cpSync(packageDir(), join(folder, 'npm'), { recursive: true });
  put('index.html', PAGES[kind](cart));
  const edge = await startEdge({ root: folder });
  try {
    const open = async (/** @type {boolean} */ measured) => {
      const tab = await browser.open();
      if (measured) await tab.page.evaluateOnNewDocument(watch);
      if (SLOW > 1) await tab.page.emulateCPUThrottling(SLOW);
      await tab.goto(edge.url);
      await tab.waitFor(() => globalThis.guard?.status.release, { timeout: 60_000, what: 'the guard' });
      return tab;
    };
    const tab = await open(true);
    // The manifest is read behind the scenes: nothing tells when that is over.
    await new Promise((resolve) => setTimeout(resolve, 4000 * SLOW));
    /** @type {Record<string, Measured | Record<string, number> | number>} */
    const out = { bytes, [kind === 'slots' ? 'start' : 'plain_start']: await tab.eval(result) };
    const other = await open(false);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    /** @type {(name: string, id: string, codes: Codes, done: (id: string) => unknown) => Promise<void>} */
    const decide = async (name, id, codes, done) => {
      await tab.page.bringToFront();
      await tab.eval(reset);
      await tab.eval(() => {
        bench.at = [];
        guard.on('*', (/** @type {{type: string, decision?: Decision}} */ { type, decision }) => bench.at.push([type, decision?.reason, performance.now()]));
      });
      publish(id, codes);
      await tab.waitFor(done, id, { timeout: 60_000, what: `${name} to be decided` }).catch(async (error) => {
        throw new Error(`${error.message}: ${await tab.eval(() => JSON.stringify([guard.status, bench.at.slice(-30)]))}`);
      });
      await tab.eval(() => new Promise((resolve) => setTimeout(resolve, 500)));
      out[name] = await tab.eval(result);
      /** @type {Measured} */ (out[name]).decided_ms = await tab.eval(() => {
        const seen = /** @type {typeof bench.at[0]} */ (bench.at.find(([type]) => type === 'releaseSeen'))[2];
        const decided = /** @type {typeof bench.at[0]} */ (bench.at.find(([type, reason]) => type === 'decisionMade' && !['manifestPending', 'sameBuild'].includes(/** @type {string} */ (reason))));
        return Math.round(decided[2] - seen);
      });
    };
    if (kind === 'slots') await decide('slot', 'b', { slot: 'two', rest: '1' }, (id) => guard.status.build === id && !guard.status.changeover);
    await decide(kind === 'slots' ? 'all' : 'plain', 'c', { slot: 'two', rest: '2' }, () => guard.status.prompt);
    await other.waitFor(() => guard.status.prompt, { timeout: 120_000, what: 'the second tab to ask' });
    const asked = edge.requests.filter(({ path }) => path.startsWith('/changeover/builds/'));
    out.requests = Object.fromEntries([...new Set(asked.map(({ path }) => path.split('/').at(-1)))].map((name) => [name, asked.filter(({ path }) => path.endsWith(/** @type {string} */ (name))).length]));
    await tab.close();
    await other.close();
    return out;
  } finally {
    await edge.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

await entry(async () => {
  await ensure(['chromium']);
  await build();
  const browser = await launch('chromium');
  try {
    for (const kind of /** @type {const} */ (['slots', 'plain'])) {
      const out = await run(browser, kind);
      console.log(json ? JSON.stringify(out) : `${kind}: ${JSON.stringify(out, null, 2)}`);
    }
  } finally {
    await browser.close();
  }
});
