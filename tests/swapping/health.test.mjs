// The app's own word during the trial of new code.
import assert from 'node:assert/strict';

import { inBrowsers } from '../e2e/browsers.mjs';
import { promptIsUp } from '../e2e/site.mjs';
import { keepsWork, openWork } from './work.mjs';
import { startSwapSite } from './site.mjs';

/** @import { Events } from '../../pkg-template/index.js' */

inBrowsers('new code that the app finds unhealthy is taken back with its state, and the user is not asked to load it', { only: ['chromium'] }, async (t, browser) => {
  const site = await startSwapSite(t);
  site.edit({ 'src/main.jsx': [['createChangeover()', 'createChangeover({ health: () => !globalThis.ill })']] });
  site.first = await site.publish();
  const tab = await openWork(browser, site);
  await site.publish({ 'src/routes/Counter.jsx': [['export const schema = 1;', 'globalThis.ill = true;\nexport const schema = 1;'], ['counter one', 'counter ill']] });
  await tab.waitFor(() => news.some(({ type }) => type === 'swapEnded'), { timeout: 15_000, what: 'the end of the swap' });
  const { outcome, reason } = /** @type {Events['swapEnded']} */ (await tab.eval(() => news.find(({ type }) => type === 'swapEnded')));
  assert.deepEqual([outcome, reason], ['rolledBack', 'unhealthy']);
  await keepsWork(tab);
  assert.match(await tab.text('#says'), /counter one/);
  await tab.waitFor(() => guard.status.decision.reason === 'badBuild', { timeout: 15_000, what: 'the decision to wait' });
  assert.equal(await tab.eval(promptIsUp), false);
});
