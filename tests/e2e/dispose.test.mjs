// dispose() leaves nothing behind: the page counts what was opened before the script tag ran and what is open after.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

import { inBrowsers, until } from './browsers.mjs';
import { INSTRUMENT } from './instrument.mjs';
import { EVENTS, RELEASE, odd } from './server.mjs';
import { openApp, PROMPT, promptIsUp, startSite } from './site.mjs';

/** @import { Site, Tab } from './types.d.ts' */

const QUICK = { attributes: { 'data-interval': 1000, 'data-fields': 'on' }, head: INSTRUMENT };
/** WebKit's driver limits each script it runs with a timer of its own in the page. */
const DRIVERS_OWN = 'setTimeout after 30000 ms from the page';
const open = async (/** @type {Tab} */ tab) => (await tab.eval(() => whatIsOpen())).filter((line) => line !== DRIVERS_OWN);

inBrowsers('dispose() of a full guard leaves no listener, timer, stream, channel or lock', {}, async (t, browser) => {
  const site = await startSite(t, QUICK);
  const tab = await openApp(browser, site);
  await tab.waitFor(() => changeover.status.leader);

  // The count means something: all of it is there before.
  const before = await open(tab);
  for (const kind of ['listener ', 'listener focusin', 'setTimeout ', 'EventSource ', 'BroadcastChannel ', 'lock ']) {
    assert.ok(before.some((line) => line.startsWith(kind)), `${kind}is open while the guard runs:\n${before.join('\n')}`);
  }

  await tab.eval(() => changeover.dispose());
  assert.equal(await tab.eval(() => changeover.status.level), 'off');
  await settled(tab);
  await until(() => site.edge.open(EVENTS) === 0, { what: 'the end of the stream at the server' });
  await staysQuiet(tab, site);
});

inBrowsers('dispose() with a prompt up, a hold and state registered leaves nothing either', {}, async (t, browser) => {
  const site = await startSite(t, QUICK);
  const tab = await openApp(browser, site);
  await tab.eval(() => void changeover.hold('a job', { deadline: 60_000 }));
  await site.publish('two');
  await tab.waitFor(promptIsUp);
  await tab.waitFor((selector) => Boolean(document.querySelector(selector)), PROMPT);
  // In the middle of a changeover, with a look on its way.
  await tab.eval(() => void changeover.reload());
  await tab.waitFor(() => changeover.status.changeover?.phase === 'draining');
  site.edge.answer(RELEASE, odd.silence(20_000));
  await tab.eval(() => void changeover.check());

  await tab.eval(() => changeover.dispose());
  await settled(tab);
  assert.equal(await tab.eval((selector) => document.querySelectorAll(selector).length, PROMPT), 0);
  await staysQuiet(tab, site);
  assert.equal(await tab.eval(() => loads), 1, 'no reload after dispose()');
  assert.deepEqual(await tab.eval(() => errors()), []);
});

inBrowsers('dispose() before the runtime has come leaves nothing, and the runtime stays asleep when it comes', {}, async (t, browser) => {
  const site = await startSite(t, QUICK);
  let send;
  const asked = new Promise((/** @type {(value?: unknown) => void} */ resolve) => {
    site.edge.answer('/runtime.js', async ({ pass }) => {
      resolve();
      await new Promise((go) => (send = go));
      await pass();
    });
  });
  const tab = await browser.open(`${site.url}/`);
  await tab.waitFor(() => globalThis.ready);
  await asked;
  assert.equal(await tab.eval(() => changeover.status.level), 'starting');
  assert.notDeepEqual(await open(tab), []);
  await tab.eval(() => changeover.dispose());
  /** @type {() => void} */ (/** @type {unknown} */ (send))();
  await until(() => site.edge.requests.some((entry) => entry.path === '/runtime.js' && entry.endedAt), { what: 'the runtime to arrive' });
  await sleep(500);
  await settled(tab);
  assert.equal(await tab.eval(() => changeover.status.level), 'off');
  await staysQuiet(tab, site);
  assert.deepEqual(await tab.eval(() => errors()), []);
});

inBrowsers('dispose() at the loader level leaves nothing', {}, async (t, browser) => {
  const site = await startSite(t, QUICK);
  site.edge.answer('/runtime.js', odd.status(404));
  const tab = await openApp(browser, site, { level: 'loader', stream: null });
  await site.publish('two');
  await tab.waitFor(() => changeover.status.skew);
  assert.notDeepEqual(await open(tab), []);
  await tab.eval(() => changeover.dispose());
  await settled(tab);
  await staysQuiet(tab, site);
});

/**
 * Everything is closed, at once or within the tick a lock or an aborted request takes.
 *
 * @param {Tab} tab
 */
async function settled(tab) {
  let left;
  try {
    await until(async () => (left = await open(tab)).length === 0, { timeout: 2000 });
  } catch {
    assert.deepEqual(left, [], 'what dispose() left open');
  }
}

/**
 * No look and no stream for more than two intervals, and nothing comes to life again.
 *
 * @param {Tab} tab
 * @param {Site} site
 */
async function staysQuiet(tab, site) {
  const since = Date.now();
  await sleep(2500);
  assert.equal(site.edge.count(RELEASE, since) + site.edge.count(EVENTS, since), 0, 'the page does not look any more');
  assert.deepEqual(await open(tab), []);
}
