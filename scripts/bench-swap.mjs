// npm run bench:swap: what it costs to bring a changed route to an open page of a React app, as a swap and as a reload, in
// Chromium, on loopback and on a slow network with a slow processor.
//
//   swap_ms        from the start of the changeover to the new text being shown and a button of it having answered; no user is
//                  at the page, so there is no pause to wait for
//   reload_ms      from the start of a reload, with everything in the HTTP cache that may be there, to the same point; like the
//                  swap without the look at release and manifests that led to it, which without --json is told apart
//   ratio          reload by swap (budget: at least 10 on loopback)
//   swap_bytes     what the page has fetched for the swap, without the release and the manifest, which any look fetches
//   changed_bytes  the files of the new build that the old one has not, without the document, which the swap does not need
//   blocking_ms    longest time in which the page could not do anything else during the swap
//
// All are medians over runs, each in a tab of its own with an empty cache at its start. Bytes are those of the files.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { launch } from '../tests/e2e/browsers.mjs';
import { changeover } from '../tests/e2e/site.mjs';
import { startSwapSite } from '../tests/swapping/site.mjs';
import { build } from './build.mjs';
import { entry, terminal } from './lib/run.mjs';
import { ensure } from './setup.mjs';

/** @import { ReleaseSummary } from '../pkg-template/index.js' */
/** @import { Browser, ManifestFile, SwapSite } from '../tests/e2e/types.d.ts' */
/** @typedef {typeof SLOW | null} Slow */
/** @typedef {ReturnType<typeof result> & {reload_ms: number}} Run */

const json = process.argv.includes('--json');
const RUNS = 12;
const SLOW = { network: { offline: false, latency: 40, downloadThroughput: 1_600_000 / 8, uploadThroughput: 1_600_000 / 8 }, processor: 4 };
const TEXT = 'counter two';

/**
 * Runs in every document from its start: notes when `text` is shown and a click on the counter has been answered.
 *
 * @param {string} text
 */
function watch(text) {
  globalThis.bench = /** @type {typeof bench} */ ({ done: null });
  const shown = (/** @type {string} */ selector) => /** @type {HTMLElement[]} */ ([...document.querySelectorAll(selector)]).find((element) => element.checkVisibility());
  /** @type {string | null} */
  let clicked = null;
  const look = () => {
    if (bench.done || !shown('#says')?.textContent.includes(text)) return;
    const count = /** @type {HTMLElement} */ (shown('#count')).textContent;
    if (clicked === null) {
      clicked = count;
      return /** @type {HTMLElement} */ (shown('#count')).click();
    }
    if (count !== clicked) bench.done = performance.now();
  };
  const observer = new MutationObserver(look);
  observer.observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
}

/** Runs in the page that is to be swapped: notes its start, and the longest gap between two messages to itself. */
function arm() {
  bench.gap = 0;
  guard.on('releaseSeen', () => (bench.seen ??= performance.now()));
  guard.on('changeoverStarted', () => (bench.start ??= performance.now()));
  const { port1, port2 } = new MessageChannel();
  let last = performance.now();
  port1.onmessage = () => {
    const now = performance.now();
    if (bench.seen && !bench.done) bench.gap = Math.max(/** @type {number} */ (bench.gap), now - last);
    last = now;
    if (!bench.done) port2.postMessage(null);
  };
  port2.postMessage(null);
}

/** Runs in the page that was swapped. */
function result() {
  const fetched = /** @type {PerformanceResourceTiming[]} */ (performance.getEntriesByType('resource')).filter(({ name, startTime, transferSize }) => startTime >= /** @type {number} */ (bench.seen) && transferSize > 0 && !name.endsWith('.json'));
  return {
    swap_ms: /** @type {number} */ (bench.done) - /** @type {number} */ (bench.start),
    look_ms: /** @type {number} */ (bench.start) - /** @type {number} */ (bench.seen),
    blocking_ms: /** @type {number} */ (bench.gap),
    swap_bytes: fetched.reduce((sum, { decodedBodySize }) => sum + decodedBodySize, 0),
  };
}

/** @type {(browser: Browser, site: SwapSite, dists: [before: string, after: string], slow: Slow) => Promise<Run>} */
async function run(browser, site, [before, after], slow) {
  await changeover(['publish', before, '--to', site.site]);
  const tab = await browser.open();
  try {
    const devtools = await tab.devtools();
    await devtools.send('Network.enable');
    await devtools.send('Network.clearBrowserCache');
    if (slow) {
      await devtools.send('Network.emulateNetworkConditions', slow.network);
      await devtools.send('Emulation.setCPUThrottlingRate', { rate: slow.processor });
    }
    await tab.page.evaluateOnNewDocument(watch, TEXT);
    await tab.goto(site.url);
    await tab.waitFor(() => globalThis.guard?.status.level === 'full' && guard.status.release && document.querySelector('#says') !== null, { timeout: 30_000, what: 'the app' });
    await tab.waitFor((build) => /** @type {ReleaseSummary} */ (guard.status.release).build === build && !guard.status.skew, site.release().build.id, { timeout: 30_000, what: 'the build before' });
    await tab.eval(arm);
    await changeover(['publish', after, '--to', site.site]);
    await tab.waitFor(() => bench.done, { timeout: 30_000, what: 'the swap' });
    const swap = await tab.eval(result);
    await tab.eval(() => void setTimeout(() => location.reload()));
    await tab.waitFor(() => globalThis.bench && bench.gap === undefined && bench.done, { timeout: 30_000, what: 'the reload' });
    return { ...swap, reload_ms: /** @type {number} */ (await tab.eval(() => bench.done)) };
  } finally {
    await tab.close();
  }
}

/** @type {(browser: Browser, site: SwapSite, dists: [before: string, after: string], slow: Slow) => Promise<Record<string, number>>} */
async function measure(browser, site, dists, slow) {
  await run(browser, site, dists, slow); // for the machine to warm up
  /** @type {Run[]} */
  const runs = [];
  for (let nth = 0; nth < RUNS; nth += 1) runs.push(await run(browser, site, dists, slow));
  const median = (/** @type {keyof Run} */ field) => runs.map((one) => one[field]).toSorted((one, other) => one - other)[RUNS >> 1];
  const [swap, reload] = [median('swap_ms'), median('reload_ms')];
  const rounded = (/** @type {number} */ number) => Math.round(number * 10) / 10;
  return {
    swap_ms: rounded(swap),
    reload_ms: rounded(reload),
    ratio: rounded(reload / swap),
    swap_bytes: median('swap_bytes'),
    changed_bytes: changedBytes(dists),
    blocking_ms: rounded(median('blocking_ms')),
    ...(json ? {} : { look_ms: rounded(median('look_ms')) }),
  };
}

/** @param {string[]} dists */
function changedBytes(dists) {
  const [before, after] = dists.map((dist) => {
    const folder = join(dist, 'changeover/builds');
    return /** @type {ManifestFile} */ (JSON.parse(readFileSync(join(folder, readdirSync(folder)[0]), 'utf8'))).chunks;
  });
  return Object.keys(after).filter((file) => !before[file]).reduce((sum, file) => sum + after[file].size, 0);
}

await entry(async () => {
  if (json) terminal.stream = process.stderr; // the answer alone goes to the standard output
  await ensure(['chromium']);
  await build();
  const site = await startSwapSite(null);
  /** @type {Browser | undefined} */
  let browser;
  try {
    const before = await site.build();
    const after = await site.edit({ 'src/routes/Counter.jsx': [['counter one', TEXT]] }).build();
    browser = await launch('chromium');
    await browser.open(); // stays, so that the browser does
    const loopback = await measure(browser, site, [before, after], null);
    const answer = { ...loopback, throttled: await measure(browser, site, [before, after], SLOW) };
    if (json) return console.log(JSON.stringify(answer));
    const { throttled, ...fast } = answer;
    console.log(`${''.padEnd(14)} loopback throttled`);
    for (const name of Object.keys(fast)) console.log(`${name.padEnd(14)} ${String(/** @type {Record<string, number>} */ (fast)[name]).padStart(8)} ${String(throttled[name]).padStart(9)}`);
  } finally {
    await browser?.close();
    await site.close();
  }
});
