// Two tabs at once, one on a build of each version: one of them asks the server for both, and each understands the other.
import assert from 'node:assert/strict';

import { inBrowsers, until } from '../e2e/browsers.mjs';
import { EVENTS, RELEASE } from '../e2e/server.mjs';
import { promptIsUp } from '../e2e/site.mjs';
import { runs, startUpgrade } from './site.mjs';

/** @import { Browser, Site, Tab } from '../e2e/types.d.ts' */

/** What every version calls the channel between tabs, and says there. */
const CHANNEL = 'changeover:/changeover/release.json';

inBrowsers('tabs of both versions have one leader, which tells the other of releases, and follow each other', { timeout: 90_000 }, async (t, browser) => {
  const site = await startUpgrade(t);
  const { edge } = site;
  const open = async (/** @type {string} */ build) => {
    const tab = await browser.open(`${site.url}/?as=${build}`, { window: true });
    await runs(tab, build);
    return tab;
  };
  await site.publish('new');
  const listener = await listen(browser, site);
  let old = await open('old');
  await leads(old);
  const next = await open('new');
  await follows(next, old);
  await answers(listener, next);
  await learns(next, 'newer', 'old');

  await old.close();
  await leads(next);
  old = await open('old');
  await follows(old, next);
  await answers(listener, old);
  await learns(old, 'newest', 'new');
  for (const tab of [old, next]) assert.deepEqual(await tab.eval(() => errors), []);

  /** @param {Tab} tab */
  async function leads(tab) {
    await tab.waitFor(() => changeover.status.leader && changeover.status.stream === 'open', { timeout: 10_000, what: 'the tab to lead and to hold the stream' });
  }

  /**
   * @param {Tab} tab
   * @param {Tab} leader
   */
  async function follows(tab, leader) {
    await until(() => edge.open(EVENTS) === 1, { what: 'one stream' });
    assert.deepEqual([await leader.eval(() => changeover.status.leader), await tab.eval(() => changeover.status.leader)], [true, false]);
    // A tab that opens asks several times; that is over after an interval without a request.
    await until(() => Date.now() - Math.max(...edge.requests.filter(({ path }) => path === RELEASE).map(({ at }) => at)) > 700, { timeout: 20_000, what: 'a pause' });
  }

  /**
   * A tab that does not ask by itself learns of the next build, and after the one that leads has asked.
   *
   * @param {Tab} tab
   * @param {string} build
   * @param {string} leader
   */
  async function learns(tab, build, leader) {
    const since = Date.now();
    const { release } = await site.publish(build);
    await tab.waitFor((build) => changeover.status.release?.build === build && changeover.status.prompt, release.build.id, { timeout: 15_000, what: `word of ${build}` });
    assert.equal(await tab.eval(promptIsUp), true);
    const [first] = edge.requests.filter(({ path, at }) => path === RELEASE && at >= since);
    assert.match(/** @type {string} */ (first.headers.referer), new RegExp(`as=${leader}$`), 'the leader asks first');
  }
});

/**
 * A page without a guard, on the channel of those that have one.
 *
 * @param {Browser} browser
 * @param {Site} site
 */
async function listen(browser, site) {
  const page = await browser.open(`${site.url}/old/report.js`);
  await page.eval((name) => {
    /** @type {{heard: unknown}} */ (globalThis).heard = [];
    globalThis.channel = new BroadcastChannel(name);
    channel.onmessage = ({ data }) => heard.push(JSON.parse(data));
  }, CHANNEL);
  return page;
}

/**
 * Asked as a leader asks, a tab that follows answers in the words that every version knows, as its leader did before.
 *
 * @param {Tab} listener
 * @param {Tab} tab
 */
async function answers(listener, tab) {
  await tab.bringToFront();
  await tab.waitFor(() => document.visibilityState === 'visible', { what: 'the tab to be visible' });
  await listener.eval(() => {
    heard.splice(0, heard.length, ...heard.filter(({ type }) => type === 'checked'));
    channel.postMessage('{"type":"whoIsVisible"}');
  });
  /** @type {typeof globalThis.heard} */
  const heard = /** @type {typeof globalThis.heard} */ (await listener.waitFor(() => heard.some(({ type }) => type === 'visible') && heard, { timeout: 10_000, what: 'the tab to say that it is visible' }));
  const [visible, checked] = ['visible', 'checked'].map((wanted) => /** @type {HeardOnChannel} */ (heard.find(({ type }) => type === wanted)));
  assert.deepEqual(visible, { type: 'visible', tab: String(visible.tab) });
  assert.deepEqual(checked, { type: 'checked', sequence: Number(checked.sequence) });
  await listener.eval(() => void heard.splice(0));
}
