// Every kind of change, published to an open page of a React app: what can be swapped is, under the user's hands; what cannot
// is refused with its reason, and the page asks.
import assert from 'node:assert/strict';

import { inBrowsers, screenshotPath } from '../e2e/browsers.mjs';
import { promptIsUp } from '../e2e/site.mjs';
import { startSwapSite } from './site.mjs';
import { asks, committed, keepsWork, openWork, swapped } from './work.mjs';

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

inBrowsers('rows of changes that slots take over in the open page', { only: ['chromium'], timeout: 240_000 }, async (t, browser) => {
  const site = await startSwapSite(t);
  const rows = [
    ['a module that routes share, and not the shell', { 'src/widgets.js': [['`* ${text}`', '`* ${text}!`']] }, '#says', 'counter one!'],
    ['a new dependency of a route', { 'src/fresh.js': "export const fresh = 'quite fresh';\n", 'src/routes/Cart.jsx': [["import { star", "import { fresh } from '../fresh.js';\nimport { star"], ["dash('cart one')", 'dash(fresh)']] }, '#cart-says', 'quite fresh'],
    ['a style of a route', { 'src/routes/Counter.css': [['rgb(0, 128, 0)', 'rgb(128, 0, 0)']] }, null],
    [
      'what a route imports late',
      { 'src/late.js': "export const late = 'quite late';\n" },
      '#cart-says',
      'quite late',
      {
        'src/late.js': "export const late = 'late';\n",
        'src/routes/Cart.jsx': [
          ["import { star", "import { useEffect, useState } from 'react';\nimport { star"],
          ['export default function Cart() {', "export default function Cart() {\n  const [late, setLate] = useState('');\n  useEffect(() => void import('../late.js').then((module) => setLate(module.late)), []);"],
          ["dash('cart one')", 'dash(late)'],
        ],
      },
    ],
  ];
  for (const [what, edits, selector, text, before = {}] of rows) {
    await t.test(what, async () => {
      site.restore();
      const base = await site.publish(before);
      const tab = await openWork(browser, site);
      await tab.waitFor((build) => guard.status.build === build, base);
      const next = await site.publish(edits);
      if (selector) await tab.waitFor((selector, text) => [...document.querySelectorAll(selector)].some((element) => element.checkVisibility() && element.textContent.includes(text)), selector, text, { timeout: 15_000 });
      await tab.waitFor((build) => guard.status.changeover?.phase === 'probation' || guard.status.build === build, next, { timeout: 15_000 });
      if (what.startsWith('a style')) {
        await tab.waitFor(() => getComputedStyle([...document.querySelectorAll('.counter')].find((element) => element.checkVisibility())).borderLeftColor === 'rgb(128, 0, 0)');
      }
      assert.equal(await tab.eval(() => copies.size === 1 && boots === 1 && stores === 1 && timers === 1), true, 'nothing is there twice');
      assert.equal(await tab.eval(() => [...document.querySelectorAll('#note')].find((field) => field.checkVisibility()).value), 'half a sent');
      await committed(tab, next);
      assert.equal(await tab.eval(() => guard.status.prompt), null);
      assert.deepEqual(tab.errors, []);
      await tab.close();
    });
  }
});

inBrowsers('rows of changes that need a refresh are refused by name, and the page asks', { only: ['chromium'], timeout: 240_000 }, async (t, browser) => {
  const site = await startSwapSite(t);
  const rows = [
    ['the shell', { 'src/App.jsx': [["label('shell')", "label('another shell')"]] }, 'entryChanged'],
    ['a module that the shell uses too', { 'src/util.js': [['[${text}]', '<${text}>']], 'src/routes/Cart.jsx': [["import { star", "import { label } from '../util.js';\nimport { star"], ["dash('cart one')", "label('cart')"]] }, 'entryChanged'],
    ['the document', { 'index.html': [['<title>Swapping</title>', '<title>Swapped</title>'], ['<div id="app">', '<div id="app" class="new">']] }, 'htmlChanged'],
    ['a schema without a way', { 'src/routes/Counter.jsx': [['schema = 1', 'schema = 2'], ['counter one', 'counter two']] }, null],
  ];
  for (const [what, edits, why] of rows) {
    await t.test(what, async () => {
      site.restore();
      site.first = await site.publish();
      const tab = await openWork(browser, site);
      await site.publish(edits);
      if (why) await asks(tab, site, why);
      else {
        await tab.waitFor(() => news.some(({ type }) => type === 'swapEnded' || type === 'swapRefused'), { timeout: 15_000 });
        await tab.waitFor(promptIsUp, { timeout: 15_000 });
        await keepsWork(tab);
      }
      await tab.close();
    });
  }
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
  site.edge.answer('/changeover/events', async (_request, response) => response.writeHead(503).end());
  site.edge.answer(`/${old}`, async (_request, response) => response.writeHead(404).end());
  await site.publish({ 'src/routes/Help.jsx': [['help one', 'help two']] });
  await tab.click('#ask');
  await tab.waitFor(() => document.querySelector('#help-says')?.textContent.includes('help two'), { timeout: 20_000, what: 'the help of the new build' });
  await tab.waitFor(() => guard.status.prompt === null);
  assert.equal(await tab.eval(() => boots === 1 && copies.size === 1), true);
  assert.equal(await tab.text('#count'), '3');
});
