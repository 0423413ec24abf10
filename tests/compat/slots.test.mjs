// Two tabs with slots, one on a build of each version: each takes new code of its own version while the other is open.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { inBrowsers } from '../e2e/browsers.mjs';
import { promptIsUp } from '../e2e/site.mjs';
import { startSwapSite } from '../swapping/site.mjs';
import { committed, keepsWork, openWork, swapped } from '../swapping/work.mjs';
import { restore } from './site.mjs';

/** @import { Tab } from '../e2e/types.d.ts' */

const COUNTER = 'src/routes/Counter.js';

inBrowsers('each version swaps slots within its own builds beside a tab of the other, and asks for a refresh across', { timeout: 90_000 }, async (t, browser) => {
  const work = mkdtempSync(join(tmpdir(), 'changeover-compat-'));
  t.after(() => rmSync(work, { recursive: true, force: true }));
  const [first, second] = /** @type {const} */ (['slots', 'slots-next']).map((part) => {
    const dist = join(work, part);
    restore('slots', dist);
    if (part !== 'slots') restore(part, dist);
    return dist;
  });
  const site = await startSwapSite(t, { app: 'plain', first });
  const windows = { ...browser, open: (/** @type {string} */ url) => browser.open(url, { window: true }) };
  const old = await openWork(windows, site);

  const build = await site.publish();
  await asks(old);
  const next = await openWork(windows, site);

  const oldNext = await site.put(second);
  await takes(old, 'counter two');
  await asks(next);
  assert.equal(await next.eval(() => guard.status.build), build);

  const newer = await site.publish({ [COUNTER]: [['counter one', 'counter three']] });
  await takes(next, 'counter three');
  // While it was on trial in either, the other version's news came.
  await committed(old, oldNext);
  await asks(old);
  await committed(next, newer);
  assert.equal(await next.eval(promptIsUp), false);
  for (const tab of [old, next]) await keepsWork(tab);
});

/**
 * @param {Tab} tab
 * @param {string} text
 */
async function takes(tab, text) {
  await tab.bringToFront();
  await swapped(tab, '#says', text);
}

/**
 * The shell differs, so a refresh is due; the page keeps all it has until the user agrees.
 *
 * @param {Tab} tab
 */
async function asks(tab) {
  await tab.waitFor(promptIsUp, { timeout: 20_000, what: 'the prompt' });
  await keepsWork(tab);
}
