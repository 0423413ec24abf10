// The open page of a React app as its slots take new code: what stays, what is migrated, what is found again.
import assert from 'node:assert/strict';

import { inBrowsers, screenshotPath } from '../e2e/browsers.mjs';
import { startSwapSite } from './site.mjs';
import { committed, openWork, swapped } from './work.mjs';

inBrowsers("a route's own code reaches the open page, and the work in it stays", {}, async (t, browser) => {
  const site = await startSwapSite(t);
  const tab = await openWork(browser, site);
  const two = await site.publish({ 'src/routes/Counter.jsx': [['counter one', 'counter two']] });
  await swapped(tab, '#says', 'counter two');
  await tab.screenshot(screenshotPath(`swap-${browser.engine}`));
  assert.equal(await tab.eval(() => guard.status.changeover?.phase), 'probation');
  await tab.type('#note', 'ence');
  await committed(tab, two);
  const after = await tab.eval(() => ({ note: [...document.querySelectorAll('#note')].map((field) => field.value), counters: document.querySelectorAll('.counter').length, timers, prompt: guard.status.prompt }));
  assert.deepEqual(after, { note: ['half a sentence'], counters: 1, timers: 1, prompt: null });
  const ended = await tab.eval(() => news.find(({ type }) => type === 'swapEnded'));
  assert.deepEqual([ended.outcome, ended.slots], ['committed', ['src/routes/Counter.jsx']]);
  await tab.click('#count');
  assert.equal(await tab.text('#count'), '4');
  assert.deepEqual(tab.errors, []);
});

inBrowsers('state of a slot is migrated on the way, and taken down again on the way back', {}, async (t, browser) => {
  const site = await startSwapSite(t);
  const tab = await openWork(browser, site);
  const migrations = `export const schema = 2;
export const migrations = [{ from: 1, to: 2,
  up: ({ counter, ...rest }) => ({ ...rest, counter: { total: counter.count * 10 } }),
  down: ({ counter, ...rest }) => ({ ...rest, counter: { count: counter.total / 10 } }) }];`;
  await site.publish({
    'src/routes/Counter.jsx': [
      ['export const schema = 1;', migrations],
      ['{ count: 0 }', '{ total: 0 }'],
      ['count: before.count + 1', 'total: before.total + 10'],
      ['{state.count}', '{state.total}'],
      ['counter one', 'counter two'],
    ],
  });
  await tab.waitFor(() => [...document.querySelectorAll('#count')].some((element) => element.checkVisibility() && element.textContent === '30'), { timeout: 15_000, what: 'the migrated counter' });
  await committed(tab, site.release().build.id);
  await tab.click('#count');
  assert.equal(await tab.text('#count'), '40');
  assert.equal(await tab.eval(() => document.querySelector('#note').value), 'half a sent');

  await site.rollback();
  await tab.waitFor(() => [...document.querySelectorAll('#count')].some((element) => element.checkVisibility() && element.textContent === '4'), { timeout: 15_000, what: 'the counter of the build before' });
  await committed(tab, site.first);
  assert.equal(await tab.text('#count'), '4');
  assert.deepEqual(await tab.eval(() => [document.querySelector('#note').value, boots, guard.status.prompt]), ['half a sent', 1, null]);
});

inBrowsers('a lazy route whose chunk is gone from the server is found through the release', {}, async (t, browser) => {
  const site = await startSwapSite(t);
  const tab = await openWork(browser, site);
  const old = site.manifest().slots['src/routes/Help.jsx'].file;
  // The stream is late, and the file is gone already.
  site.edge.answer('/changeover/events', async ({ response }) => response.writeHead(503).end());
  site.edge.answer(`/${old}`, async ({ response }) => response.writeHead(404).end());
  await site.publish({ 'src/routes/Help.jsx': [['help one', 'help two']] });
  await tab.click('#ask');
  await tab.waitFor(() => document.querySelector('#help-says')?.textContent.includes('help two'), { timeout: 20_000, what: 'the help of the new build' });
  await tab.waitFor(() => guard.status.prompt === null);
  assert.equal(await tab.eval(() => boots === 1 && copies.size === 1), true);
  assert.equal(await tab.text('#count'), '3');
});
