// A style of the shell: a bundler renames the script of the shell for its sake, whose bytes stay the same.
import assert from 'node:assert/strict';

import { inBrowsers } from '../e2e/browsers.mjs';
import { startSwapSite } from './site.mjs';
import { CLEAN, committed, keepsWork, leftovers, openWork, swapped } from './work.mjs';

const headings = () => getComputedStyle(document.querySelector('#title')).color;

inBrowsers("a style of the shell is taken alone, in its place among the others, and the page is never without", {}, async (t, browser) => {
  const site = await startSwapSite(t);
  const tab = await openWork(browser, site);
  await tab.eval(() => {
    globalThis.colors = new Set();
    const look = () => {
      colors.add(getComputedStyle(document.querySelector('#title')).color + getComputedStyle(document.querySelector('.counter')).borderLeftColor);
      requestAnimationFrame(look);
    };
    look();
  });
  const sheets = () => [...document.querySelectorAll('link[rel=stylesheet]')].map(({ href }) => new URL(href).pathname.replace(/-[\w-]{8}\.css/, ''));
  const order = await tab.eval(sheets);
  const two = await site.publish({ 'src/shell.css': [['h1 { color: rgb(0, 0, 128); }', 'h1 { color: rgb(128, 0, 0); } .counter { border-left-color: rgb(1, 2, 3); }']] });
  await tab.waitFor((two) => guard.status.build === two || guard.status.prompt, two, { timeout: 20_000, what: 'the new build' });
  assert.deepEqual(await tab.eval(() => news.filter(({ type }) => type === 'swapRefused')), []);
  await committed(tab, two);
  assert.equal(await tab.eval(headings), 'rgb(128, 0, 0)');
  // As in a fresh page, the style of the slot stands behind that of the shell.
  assert.deepEqual(await tab.eval(() => [...colors]), ['rgb(0, 0, 128)rgb(0, 128, 0)', 'rgb(128, 0, 0)rgb(0, 128, 0)']);
  assert.deepEqual(await tab.eval(sheets), order);
  assert.deepEqual(await tab.eval(leftovers), CLEAN);
  await keepsWork(tab);
  // The script has another name by now; what comes next is for the page as it is.
  const three = await site.publish({ 'src/routes/Counter.jsx': [['counter one', 'counter two']] });
  await swapped(tab, '#says', 'counter two');
  await committed(tab, three);
  assert.equal(await tab.eval(headings), 'rgb(128, 0, 0)');
  assert.deepEqual(tab.errors, []);
});
