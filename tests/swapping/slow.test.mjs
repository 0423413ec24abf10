// A page on a slow machine, and files that a cache has kept wrong: neither says anything about the build.
import assert from 'node:assert/strict';

import { inBrowsers } from '../e2e/browsers.mjs';
import { odd } from '../e2e/server.mjs';
import { promptIsUp } from '../e2e/site.mjs';
import { startSwapSite } from './site.mjs';
import { committed, ending, openWork, showsText } from './work.mjs';

const COUNTER = 'src/routes/Counter.jsx';
const BEGIN = 'export default function Counter() {';
const reasons = (/** @type {string} */ build) => news.filter(({ type, to }) => type === 'swapEnded' && to === build).map(({ outcome, reason }) => reason ?? outcome);

inBrowsers('code whose mount keeps the page busy for longer than it is given is shown all the same', { timeout: 90_000 }, async (t, browser) => {
  const site = await startSwapSite(t);
  const tab = await openWork(browser, site);
  if (browser.engine === 'chromium') await (await tab.devtools()).send('Emulation.setCPUThrottlingRate', { rate: 20 });
  const busy = `const end = performance.now() + 12_000;\n  React.useState(() => { while (performance.now() < end) {} });`;
  const build = await site.publish({ [COUNTER]: [[BEGIN, `${BEGIN}\n  ${busy}`], ['counter one', 'counter two']] });
  await showsText(tab, '#says', 'counter two', { timeout: 60_000 });
  if (browser.engine === 'chromium') await (await tab.devtools()).send('Emulation.setCPUThrottlingRate', { rate: 1 });
  await committed(tab, build);
  assert.deepEqual(await tab.eval(reasons, build), ['committed']);
  assert.deepEqual(await tab.eval(() => [/** @type {Element} */ (document.querySelector('#count')).textContent, /** @type {HTMLInputElement} */ (document.querySelector('#note')).value]), ['3', 'half a sent']);
});

inBrowsers('code that is ready too late is tried again, and the user is not asked before', { only: ['chromium'], timeout: 150_000 }, async (t, browser) => {
  const site = await startSwapSite(t);
  const tab = await openWork(browser, site);
  const late = 'let there;\nconst wait = () => (there ??= new Promise((go) => setTimeout(go, 14_000)));';
  const build = await site.publish({ [COUNTER]: [[BEGIN, `${late}\n${BEGIN}\n  React.use(wait());`], ['counter one', 'counter two']] });
  const ended = await ending(tab, build, { timeout: 40_000 });
  assert.deepEqual([ended.outcome, ended.reason], ['aborted', 'notReady']);
  await tab.waitFor(() => guard.status.decision.reason === 'swapPaused', { what: 'the pause' });
  assert.equal(await tab.eval(promptIsUp), false);
  await showsText(tab, '#says', 'counter two', { timeout: 90_000 });
  await committed(tab, build);
  assert.deepEqual(await tab.eval(reasons, build), ['notReady', 'committed']);
  assert.equal(await tab.text('#count'), '3');
});

inBrowsers('half a file that a cache keeps for good is fetched past the cache until it is whole, and the user is not asked before', { timeout: 120_000 }, async (t, browser) => {
  const site = await startSwapSite(t);
  const tab = await openWork(browser, site);
  const before = new Set(Object.keys(site.manifest().chunks));
  const isNew = (/** @type {string} */ path) => path.startsWith('/assets/Counter') && path.endsWith('.js') && !before.has(path.slice(1));
  const undo = site.edge.answer(isNew, odd.halfForGood());
  const build = await site.publish({ [COUNTER]: [['counter one', 'counter two']] });
  const ended = await ending(tab, build);
  assert.deepEqual([ended.outcome, ended.reason], ['aborted', 'fetchFailed']);
  await tab.waitFor(() => guard.status.decision.reason === 'swapPaused', { what: 'the pause' });
  assert.equal(await tab.eval(promptIsUp), false);
  const [file] = Object.keys(site.manifest(build).chunks).filter((path) => isNew(`/${path}`));
  assert.deepEqual(await tab.eval(() => Object.keys(JSON.parse(localStorage['changeover:wrong'])).map((url) => new URL(url).pathname)), [`/${file}`]);

  await t.test('a page that comes later mends the cache, whatever it shows itself', async () => {
    undo();
    let later = await browser.open(site.url);
    await later.waitFor(() => !localStorage['changeover:wrong'], { timeout: 30_000, what: 'the whole file' });
    await later.close();
    later = await browser.open(site.url);
    await showsText(later, '#says', 'counter two');
    const whole = await later.eval(async (file) => (await (await fetch(file, { cache: 'force-cache' })).text()).length, `/${file}`);
    assert.equal(whole, site.manifest(build).chunks[file].size);
    await later.close();
  });
  await t.test('the page itself takes it as soon as it asks again', async () => {
    await tab.eval(() => guard.check());
    await showsText(tab, '#says', 'counter two');
    await committed(tab, build);
    assert.equal(await tab.text('#count'), '3');
    assert.equal(await tab.eval(promptIsUp), false);
  });
});

inBrowsers('a page in the background takes new code too, however slow its timers are', { only: ['chromium'], timeout: 120_000 }, async (t, browser) => {
  const site = await startSwapSite(t);
  const tab = await openWork(browser, site);
  const front = await browser.open('about:blank');
  await front.bringToFront();
  await tab.waitFor(() => document.visibilityState === 'hidden', { what: 'the page to be hidden' });
  // As a browser does with pages that have been hidden for minutes.
  await tab.eval(() => {
    const { setTimeout: soon } = globalThis;
    /** @type {{setTimeout: unknown}} */ (globalThis).setTimeout = (/** @type {() => void} */ call, delay = 0, /** @type {[]} */ ...given) => soon(call, Math.max(delay, 4_000), ...given);
  });
  const build = await site.publish({ [COUNTER]: [['counter one', 'counter two']] });
  await tab.waitFor((build) => guard.status.build === build && !guard.status.changeover, build, { timeout: 90_000, what: 'the swap' });
  assert.deepEqual(await tab.eval(reasons, build), ['committed']);
  await tab.bringToFront();
  assert.deepEqual(await tab.eval(() => [/** @type {Element} */ (document.querySelector('#count')).textContent, /** @type {HTMLInputElement} */ (document.querySelector('#note')).value]), ['3', 'half a sent']);
});
