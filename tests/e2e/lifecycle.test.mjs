// A page that comes back from the back/forward cache, from a freeze or from offline looks once, promptly.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

import { inBrowsers, until } from './browsers.mjs';
import { EVENTS, RELEASE } from './server.mjs';
import { openApp, promptIsUp, RELOAD_BUTTON, shows, startSite } from './site.mjs';

/** @import { Site, Tab } from './types.d.ts' */

// Long enough that no look of the schedule falls into a test.
const SELDOM = { attributes: { 'data-interval': 600_000 } };
const PROMPTLY = 2000;

// Records what the page lives through, and in this page alone: a restored page keeps its variables.
const WATCH = `
globalThis.life = [];
addEventListener('pageshow', (event) => life.push('pageshow ' + event.persisted));
addEventListener('pagehide', (event) => life.push('pagehide ' + event.persisted));
document.addEventListener('freeze', () => life.push('freeze'));
document.addEventListener('resume', () => life.push('resume'));
addEventListener('offline', () => life.push('offline'));
addEventListener('online', () => life.push('online'));
`;

// Firefox keeps no page that holds a lock or an open stream at the moment it is left, so its leader is loaded anew.
inBrowsers('a page restored from the back/forward cache looks once and leads again', { only: ['chromium', 'webkit'] }, async (t, browser) => {
  const site = await startSite(t, { ...SELDOM, app: WATCH });
  const tab = await openApp(browser, site);
  await tab.type('#draft', 'still here');

  await tab.goto(`${site.url}/login.html`);
  await until(() => site.edge.open(EVENTS) === 0, { what: 'the stream to end with the page out of sight' });
  await site.publish('two');
  const since = Date.now();
  await tab.back();
  await tab.waitFor(() => globalThis.life?.at(-1) === 'pageshow true', { what: 'a restore from the cache' });

  await tab.waitFor(promptIsUp, { timeout: PROMPTLY + 3000 });
  await looksOnce(site, since, tab);
  assert.equal(await tab.eval(() => /** @type {HTMLInputElement} */ (document.getElementById('draft')).value), 'still here');
  await tab.waitFor(() => changeover.status.leader, { what: 'leadership again' });
  await until(() => site.edge.open(EVENTS) === 1, { what: 'the stream again' });

  // And it can still go where it was asked to go.
  await tab.click(RELOAD_BUTTON);
  await shows(tab, 'two', 'still here');
});

inBrowsers('a frozen tab that is resumed looks once, promptly', { only: ['chromium'] }, async (t, browser) => {
  const site = await startSite(t, { ...SELDOM, app: WATCH });
  const tab = await openApp(browser, site);
  const devtools = await tab.devtools();

  // Only hidden pages are frozen: another tab is in front.
  const other = await browser.open(`${site.url}/login.html`);
  await tab.waitFor(() => document.visibilityState === 'hidden');
  await devtools.send('Page.setWebLifecycleState', { state: 'frozen' });
  site.edge.cut(EVENTS);
  await site.publish('two');
  await sleep(1500);
  const since = Date.now();
  await devtools.send('Page.setWebLifecycleState', { state: 'active' });
  await tab.bringToFront();
  await tab.waitFor(() => globalThis.life.includes('freeze') && globalThis.life.includes('resume'), { what: 'freeze and resume' });
  await tab.waitFor(promptIsUp, { timeout: PROMPTLY + 3000 });
  await looksOnce(site, since, tab);
  await other.close();
});

inBrowsers('a tab that goes offline stays calm, and looks once when it is online again', { only: ['chromium'] }, async (t, browser) => {
  const site = await startSite(t, { ...SELDOM, app: WATCH });
  const tab = await openApp(browser, site);
  const devtools = await tab.devtools();
  const network = (/** @type {boolean} */ offline) =>
    devtools.send('Network.emulateNetworkConditions', { offline, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
  await devtools.send('Network.enable');

  await network(true);
  site.edge.cut(EVENTS);
  await tab.waitFor(() => life.includes('offline'));
  const offlineAt = Date.now();
  await site.publish('two');
  await sleep(1500);
  assert.equal(site.edge.count(RELEASE, offlineAt), 0, 'the page does not look while offline');
  assert.equal(await tab.eval(promptIsUp), false);

  const since = Date.now();
  await network(false);
  await tab.waitFor(() => life.includes('online'));
  await tab.waitFor(promptIsUp, { timeout: PROMPTLY + 3000 });
  await looksOnce(site, since, tab);
  await until(() => site.edge.open(EVENTS) === 1, { timeout: 15_000, what: 'the stream again' });
});

inBrowsers('a prompt accepted while offline says so and keeps the page', { only: ['chromium'] }, async (t, browser) => {
  const site = await startSite(t, { ...SELDOM, app: WATCH });
  const tab = await openApp(browser, site);
  await tab.type('#draft', 'unsent');
  await site.publish('two');
  await tab.waitFor(promptIsUp);
  await tab.locate(RELOAD_BUTTON);
  const devtools = await tab.devtools();
  await devtools.send('Network.enable');
  await devtools.send('Network.emulateNetworkConditions', { offline: true, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
  await tab.waitFor(() => life.includes('offline'));

  await tab.click(RELOAD_BUTTON);
  await tab.waitFor(() => changeover.status.prompt?.trouble === 'offline');
  await tab.waitFor(() => /offline/i.test(/** @type {ShadowRoot} */ (/** @type {Element} */ (document.querySelector('changeover-prompt')).shadowRoot).textContent));
  assert.equal(await tab.eval(() => loads), 1);

  await devtools.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
  await tab.waitFor(() => life.includes('online'));
  await tab.click(RELOAD_BUTTON);
  await shows(tab, 'two', 'unsent');
});

/**
 * Exactly one look since then, promptly, and none in the second after it.
 *
 * @param {Site} site
 * @param {Tab} tab
 * @param {number} since
 */
async function looksOnce(site, since, tab) {
  await sleep(1000);
  const looks = site.edge.requests.filter((entry) => entry.path === RELEASE && entry.at >= since);
  assert.equal(looks.length, 1, `one look, not ${looks.length}; the page lived through: ${await tab.eval(() => life.join(', '))}`);
  assert.ok(looks[0].at - since < PROMPTLY, `the look came after ${looks[0].at - since} ms`);
}
