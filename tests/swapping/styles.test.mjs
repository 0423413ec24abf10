// A style of the shell: a bundler renames the script of the shell for its sake, whose bytes stay the same.
import assert from 'node:assert/strict';

import { inBrowsers } from '../e2e/browsers.mjs';
import { RELOAD_BUTTON } from '../e2e/site.mjs';
import { startSwapSite } from './site.mjs';
import { asks, CLEAN, committed, keepsWork, leftovers, openWork, showsText, swapped } from './work.mjs';

const headings = () => getComputedStyle(/** @type {Element} */ (document.querySelector('#title'))).color;

inBrowsers("a style of the shell is taken alone, in its place among the others, and the page is never without", {}, async (t, browser) => {
  const site = await startSwapSite(t);
  const tab = await openWork(browser, site);
  await tab.eval(() => {
    globalThis.colors = new Set();
    const look = () => {
      colors.add(getComputedStyle(/** @type {Element} */ (document.querySelector('#title'))).color + getComputedStyle(/** @type {Element} */ (document.querySelector('.counter'))).borderLeftColor);
      requestAnimationFrame(look);
    };
    look();
  });
  const sheets = () => [.../** @type {NodeListOf<HTMLLinkElement>} */ (document.querySelectorAll('link[rel=stylesheet]'))].map(({ href }) => new URL(href).pathname.replace(/-[\w-]{8}\.css/, ''));
  const order = await tab.eval(sheets);
  const two = await site.publish({ 'src/shell.css': [['h1 { color: rgb(0, 0, 128); }', 'h1 { color: rgb(128, 0, 0); } .counter { border-left-color: rgb(1, 2, 3); }']] });
  await tab.waitFor((two) => guard.status.build === two || guard.status.prompt, two, { timeout: 20_000, what: 'the new build' });
  assert.deepEqual(await tab.eval(() => news.filter(({ type }) => type === 'swapRefused')), []);
  await committed(tab, two);
  assert.equal(await tab.eval(headings), 'rgb(128, 0, 0)');
  await tab.waitFor(() => colors.size > 1, { what: 'a frame with the new style' });
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

// A browser loads no file twice: what has other bytes under its old name comes with a fresh page only.
/** @type {Record<string, [output: object, file: string, from: string, to: string]>} */
const IN_PLACE = {
  'a style': [{ assetFileNames: 'assets/[name][extname]' }, 'src/routes/Counter.css', 'rgb(0, 128, 0)', 'rgb(0, 0, 128)'],
  'a module': [{ chunkFileNames: (/** @type {{name: string}} */ { name }) => `assets/${name}.js` }, 'src/widgets.js', '`* ${text}`', '`+ ${text}`'],
};

for (const [what, [output, file, from, to]] of Object.entries(IN_PLACE)) {
  inBrowsers(`where file names say nothing of the content, ${what} that a slot has loaded is asked for`, {}, async (t, browser) => {
    const site = await startSwapSite(t, { app: 'plain', output });
    const tab = await openWork(browser, site);
    const edge = () => getComputedStyle(/** @type {Element} */ (document.querySelector('.counter'))).borderLeftColor;
    const before = await tab.eval(edge);
    const two = await site.publish({ [file]: [[from, to]] });
    await asks(tab, site, 'fileReplaced');
    assert.equal(await tab.eval(edge), before);
    await tab.click(RELOAD_BUTTON);
    await tab.waitFor((two) => guard.status.build === two, two, { timeout: 20_000, what: 'the new build' });
    await showsText(tab, '#says', `${what === 'a module' ? '+' : '*'} counter one`);
    assert.equal(await tab.eval(edge), what === 'a style' ? to : before);
  });
}
