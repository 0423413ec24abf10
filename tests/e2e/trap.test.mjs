// WebAssembly that traps ends the guard, wherever the browser has entered it from, and the app notices nothing.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

import { inBrowsers } from './browsers.mjs';
import { RELEASE } from './server.mjs';
import { openApp, shows, startSite } from './site.mjs';
import { WOUND } from './wound.mjs';

/** @import { Tab } from './types.d.ts' */

const OPTIONS = { head: WOUND, attributes: { 'data-interval': 1000, 'data-stream': 'off' } };

/** Where the trap happens: what the page does after its memory is destroyed. */
const WAYS = {
  'a listener': () => void dispatchEvent(new Event('online')),
  'a timer': () => {},
  'a method': () => void changeover.hold('upload'),
};

for (const [name, provoke] of Object.entries(WAYS)) {
  inBrowsers(`a trap in ${name} ends the guard and leaves the page alone`, {}, async (t, browser) => {
    const site = await startSite(t, OPTIONS);
    const tab = await openApp(browser, site, { stream: null });
    await tab.eval(() => destroy());
    await tab.eval(provoke);
    await ended(tab);
  });
}

inBrowsers('a trap when an answer of the server comes in ends the guard and leaves the page alone', {}, async (t, browser) => {
  const site = await startSite(t, OPTIONS);
  const tab = await openApp(browser, site, { stream: null });
  /** @type {(value?: undefined) => void} */
  let letGo = () => {};
  const gate = new Promise((/** @type {(value?: undefined) => void} */ open) => (letGo = open));
  const asked = new Promise((/** @type {(value?: undefined) => void} */ done) => {
    const undo = site.edge.answer(RELEASE, async ({ pass }) => {
      undo();
      done();
      await gate;
      await pass();
    });
  });
  await asked; // the interval's next look
  await tab.eval(() => destroy());
  letGo();
  await ended(tab);
});

inBrowsers('a trap below a frame of the guard that is still on the stack ends both', {}, async (t, browser) => {
  const site = await startSite(t, OPTIONS);
  const tab = await openApp(browser, site, { stream: null });
  await tab.eval(() => {
    changeover.on('statusChanged', () => {
      destroy();
      dispatchEvent(new Event('online')); // a listener of the guard, while it waits for this one
    });
    changeover.hold('upload');
  });
  await ended(tab);
});

/**
 * The loader level has taken over and works; the app has seen no error, then and when everything comes that the guard listened to.
 *
 * @param {Tab} tab
 */
async function ended(tab) {
  await tab.waitFor(() => changeover.status.level === 'loader', { timeout: 5_000, what: 'the loader level' });
  assert.match(/** @type {string} */ (await tab.eval(() => changeover.status.levelReason)), /^panic: /);
  await tab.eval(() => {
    for (const type of ['online', 'focus', 'pagehide', 'pageshow']) dispatchEvent(new Event(type));
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await sleep(1_500); // a look of the interval
  await shows(tab, 'one');
  assert.deepEqual(await tab.eval(() => errors()), []);
}
