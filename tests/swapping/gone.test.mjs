// Slots that a page loads for the first time after a deploy has removed their files: the release says where they are now.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { inBrowsers } from '../e2e/browsers.mjs';
import { odd } from '../e2e/server.mjs';
import { startSwapSite } from './site.mjs';

/** @import { Answer, Browser, SwapSite } from '../e2e/types.d.ts' */
/** @import { TestContext } from 'node:test' */

const MAIN = `import { createChangeover } from 'changeover';
import { slot } from 'changeover/slots';

globalThis.copies = new Set();
globalThis.guard = createChangeover();
globalThis.news = [];
guard.on('*', (event) => news.push(event));
const slots = { counter: slot('counter', () => import('./routes/Counter.js')), cart: slot('cart', () => import('./routes/Cart.js')) };
document.getElementById('app').innerHTML = '<section id="counter"></section><section id="cart"></section>';
globalThis.show = (name) => slots[name].mount(document.getElementById(name)).then(() => 'shown', (error) => 'failed: ' + error.message);
if (location.hash) globalThis.shown = show(location.hash.slice(1));
`;
const EDITS = { 'src/routes/Counter.js': [['counter one', 'counter two']], 'src/routes/Cart.js': [['cart one', 'cart two']], 'src/routes/Counter.css': [['rgb(0, 128, 0)', 'rgb(0, 0, 255)']] };

/**
 * @param {TestContext} t
 * @param {Answer} answer
 */
async function startGone(t, answer, { only = /\.(js|css)$/ } = {}) {
  const site = await startSwapSite(t, { app: 'plain', options: { interval: 600_000, stream: 'off' } });
  await site.publish({ 'src/main.js': MAIN });
  const [old, html] = [site.manifest(), readFileSync(join(site.site, 'index.html'), 'utf8')];
  /** Deploys, and the files of the build before are gone. */
  const deploy = async () => {
    await site.publish(EDITS);
    const live = site.manifest().chunks;
    site.edge.answer((path) => only.test(path) && path.slice(1) in old.chunks && !(path.slice(1) in live), answer);
    await sleep(500); // a page that has looked this very moment does not look again
    return site.release().build.id;
  };
  return { site, html, deploy };
}

const open = async (/** @type {Browser} */ browser, /** @type {SwapSite} */ site) => {
  const tab = await browser.open(site.url);
  await tab.waitFor(() => guard.status.level === 'full' && guard.status.release, { what: 'the guard' });
  return tab;
};

for (const [what, answer, how] of /** @type {[string, Answer, {only?: RegExp}][]} */ ([
  ['missing', odd.status(404), {}],
  ['pages of HTML', odd.html(), {}],
  ['without their style', odd.status(404), { only: /\.css$/ }],
])) {
  inBrowsers(`the first slots of a page whose files are ${what} come from the new build`, {}, async (t, browser) => {
    const { site, deploy } = await startGone(t, answer, how);
    const tab = await open(browser, site);
    const build = await deploy();
    assert.deepEqual(await tab.eval(() => Promise.all([show('counter'), show('cart')])), ['shown', 'shown']);
    assert.match(await tab.text('#says'), /counter two/);
    assert.match(await tab.text('#cart-says'), /cart two/);
    assert.equal(await tab.eval(() => getComputedStyle(/** @type {Element} */ (document.querySelector('.counter'))).borderLeftColor), 'rgb(0, 0, 255)');
    await tab.waitFor((build) => guard.status.build === build && guard.status.prompt === null, build, { what: 'the new build' });
    const failures = await tab.eval(() => news.filter(({ type }) => type === 'chunkFailed').map(({ skew }) => skew));
    assert.ok(failures.length && failures.every(Boolean), JSON.stringify(failures));
  });
}

inBrowsers('a slot that is asked for before the guard has come waits for it', {}, async (t, browser) => {
  const { site, html, deploy } = await startGone(t, odd.status(404));
  await deploy();
  // A document of the build before, out of a cache.
  site.edge.answer('/', ({ response }) => response.writeHead(200, { 'content-type': 'text/html' }).end(html));
  const tab = await browser.open(`${site.url}/#counter`);
  assert.equal(await tab.eval(() => shown), 'shown');
  assert.match(await tab.text('#says'), /counter two/);
});

inBrowsers('a slot that no build explains fails as it does without a guard', { only: ['chromium'] }, async (t, browser) => {
  const { site } = await startGone(t, odd.status(404));
  const tab = await open(browser, site);
  site.edge.answer((path) => path.includes('/Counter'), odd.status(404));
  assert.match(await tab.eval(() => show('counter')), /failed: .*Counter/);
});
