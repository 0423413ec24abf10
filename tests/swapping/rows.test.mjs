// Every kind of change, published to an open page of a React app: what can be swapped is, under the user's hands; what cannot
// is refused with its reason, and the page asks.
import assert from 'node:assert/strict';

import { inBrowsers } from '../e2e/browsers.mjs';
import { promptIsUp } from '../e2e/site.mjs';
import { startSwapSite } from './site.mjs';
import { asks, committed, keepsWork, openWork } from './work.mjs';

/** @import { Edits } from '../e2e/types.d.ts' */
/** @import { SwapRefusal } from '../../pkg-template/index.js' */

inBrowsers('rows of changes that slots take over in the open page', { only: ['chromium'], timeout: 240_000 }, async (t, browser) => {
  const site = await startSwapSite(t);
  /** @type {[what: string, edits: Edits, selector: string | null, text?: string, before?: Edits][]} */
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
      if (selector) await tab.waitFor((selector, text) => [...document.querySelectorAll(selector)].some((element) => element.checkVisibility() && element.textContent.includes(/** @type {string} */ (text))), selector, text, { timeout: 15_000 });
      await tab.waitFor((build) => guard.status.changeover?.phase === 'probation' || guard.status.build === build, next, { timeout: 15_000 });
      if (/** @type {NonNullable<typeof what>} */ (what).startsWith('a style')) {
        await tab.waitFor(() => getComputedStyle(/** @type {Element} */ ([...document.querySelectorAll('.counter')].find((element) => element.checkVisibility()))).borderLeftColor === 'rgb(128, 0, 0)');
      }
      assert.equal(await tab.eval(() => copies.size === 1 && boots === 1 && stores === 1 && timers === 1), true, 'nothing is there twice');
      assert.equal(await tab.eval(() => /** @type {HTMLInputElement} */ ([...document.querySelectorAll('#note')].find((field) => field.checkVisibility())).value), 'half a sent');
      await committed(tab, next);
      assert.equal(await tab.eval(() => guard.status.prompt), null);
      assert.deepEqual(tab.errors, []);
      await tab.close();
    });
  }
});

inBrowsers('rows of changes that need a refresh are refused by name, and the page asks', { only: ['chromium'], timeout: 240_000 }, async (t, browser) => {
  const site = await startSwapSite(t);
  /** @type {[what: string, edits: Edits, why: SwapRefusal['why'] | null][]} */
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
