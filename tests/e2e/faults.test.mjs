// Odd answers change nothing but a counter, and replicas that disagree cannot make a tab flap.

import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { inBrowsers, until } from './browsers.mjs';
import { EVENTS, odd, RELEASE } from './server.mjs';
import { look, lookTimes, openApp, promptIsUp, startSite } from './site.mjs';

/** @import { Answer, Site, Tab } from './types.d.ts' */
/** @import { Events, Status } from '../../pkg-template/index.js' */

inBrowsers('replicas that answer old, new, old, new give one prompt, no flap and no reload', {}, async (t, browser) => {
  const site = await startSite(t, { attributes: { 'data-interval': 1000 } });
  const behind = join(site.folder, 'behind');
  cpSync(site.dir, behind, { recursive: true });
  const old = await site.serve(behind);
  site.edge.sendTo(old);
  const tab = await openApp(browser, site);

  await site.publish('two');
  // The page of build one is still old everywhere; all that is asked from now on meets the two in turn.
  site.edge.answer(() => true, odd.turns(old, site.origin));
  site.edge.answer(RELEASE, odd.turns(old, site.origin));
  // Both replicas stream; whichever one a reconnect meets, its news is only a hint.
  site.edge.answer(EVENTS, odd.turns(site.origin, old));
  site.edge.cut(EVENTS);

  await tab.waitFor(promptIsUp, { timeout: 20_000 });
  await lookTimes(tab, 8, () => site.edge.count(RELEASE));
  const seen = await tab.eval(() => news.filter((event) => /^(prompt|skew|releaseSeen)/.test(event.type)).map((event) => event.type));
  assert.deepEqual(
    seen.filter((type) => type !== 'releaseSeen'),
    ['skewFound', 'promptShown'],
  );
  assert.equal(seen.filter((type) => type === 'releaseSeen').length, 2, 'each of the two releases is seen once');
  assert.equal(await tab.eval(promptIsUp), true);
  assert.equal(await tab.eval(() => document.querySelectorAll('changeover-prompt').length), 1);
  await untouched(tab);
});

/**
 * Has the page look twice: the first may join a look that has its answer from before, the second cannot.
 *
 * @param {Tab} tab
 */
async function again(tab) {
  await look(tab);
  return look(tab);
}

/** @type {[name: string, make: (site: Site) => Answer][]} */
const FAULTS = [
  ['404', () => odd.status(404)],
  ['500', () => odd.status(500)],
  ['HTML with status 200', () => odd.html()],
  ['half a JSON', (/** @type {Site} */ site) => odd.half(site.releaseText())],
  ['an empty body with status 200', () => odd.empty()],
  ['a body of 10 MB', (/** @type {Site} */ site) => odd.huge(site.releaseText())],
  ['a redirect to a login page', () => odd.login()],
  ['no answer at all', () => odd.refuse()],
  ['a JSON array', () => odd.text('[]')],
  ['an unknown format', (/** @type {Site} */ site) => odd.text(JSON.stringify({ ...site.readRelease(), format: 99, sequence: 4e9 }))],
];
/** After these the page is left to recover by its own schedule: the back-off after two failures stays within seconds. */
const BY_ITSELF = new Set(['500', 'half a JSON', 'no answer at all']);

inBrowsers('each odd answer of the release endpoint leaves the app alone, is told by the status, and heals', { timeout: 120_000 }, async (t, browser) => {
  const site = await startSite(t, { attributes: { 'data-interval': 1000, 'data-stream': 'off' } });
  const tab = await openApp(browser, site, { stream: null });
  await tab.type('#draft', 'typed before the trouble');
  let clicks = 0;
  const codes = new Set();

  for (const [name, make] of FAULTS) {
    await t.test(`answer: ${name}`, async (t) => {
      const heal = site.edge.answer(RELEASE, make(site));
      const status = await again(tab);
      heal();
      assert.ok(status.failures >= 1, 'the failure is counted');
      assert.ok(status.lastFailure?.code && status.lastFailure.message, 'the failure has a code and a sentence');
      t.diagnostic(`${status.lastFailure.code}: ${status.lastFailure.message}`);
      codes.add(status.lastFailure.code);
      assert.equal(status.skew, false);
      assert.equal(status.prompt, null);
      await untouched(tab);
      await tab.click('#count');
      assert.equal(await tab.text('#count'), String(++clicks), 'the app still answers');

      if (BY_ITSELF.has(name)) await tab.waitFor(() => changeover.status.failures === 0, { timeout: 20_000, what: 'recovery' });
      else assert.equal((await again(tab)).failures, 0, 'one good answer heals');
    });
  }
  assert.ok(codes.size >= 4, `the codes tell kinds of trouble apart: ${[...codes].join(', ')}`);
  assert.equal(await tab.eval(() => /** @type {HTMLInputElement} */ (document.getElementById('draft')).value), 'typed before the trouble');

  await site.publish('two');
  await tab.waitFor(promptIsUp, { what: 'the true news after all that trouble' });
  await untouched(tab);
});

inBrowsers('a release endpoint silent for 30 s does not keep the user waiting', { only: ['chromium'], timeout: 90_000 }, async (t, browser) => {
  const site = await startSite(t, { attributes: { 'data-interval': 600_000, 'data-stream': 'off' } });
  const tab = await openApp(browser, site, { stream: null });
  const heal = site.edge.answer(RELEASE, odd.silence(30_000));
  await sleep(300);
  const asked = Date.now();
  const pending = tab.eval(() => changeover.check());
  await until(() => site.edge.open(RELEASE) > 0, { what: 'a look that hangs' });
  await tab.click('#count');
  assert.equal(await tab.text('#count'), '1', 'the app answers while the look hangs');
  const status = await pending;
  const took = Date.now() - asked;
  t.diagnostic(`the look was given up after ${took} ms: ${status.lastFailure?.code}`);
  assert.ok(took < 20_000, 'it is given up well before the server does');
  assert.ok(status.failures >= 1);
  assert.ok(/** @type {NonNullable<Status['lastFailure']>} */ (status.lastFailure).code);
  await untouched(tab);
  heal();
  assert.equal((await look(tab)).failures, 0);
});

inBrowsers('a server that goes down and comes back is noticed, and its news arrives', { only: ['chromium', 'firefox'] }, async (t, browser) => {
  const site = await startSite(t, { attributes: { 'data-interval': 1000 } });
  const tab = await openApp(browser, site);
  await site.edge.goDown();
  await look(tab);
  await tab.waitFor(() => changeover.status.failures >= 2, { timeout: 20_000, what: 'two failed looks' });
  assert.notEqual(await tab.eval(() => changeover.status.stream), 'open');
  await site.publish('two');
  await site.edge.comeBack();
  await tab.waitFor(promptIsUp, { timeout: 30_000 });
  await tab.waitFor(() => changeover.status.stream === 'open', { timeout: 30_000, what: 'the stream again' });
  assert.equal(await tab.eval(() => changeover.status.failures), 0);
  await untouched(tab);
});

/**
 * No reload, no error, on the old build.
 *
 * @param {Tab} tab
 */
async function untouched(tab) {
  const page = await tab.eval(() => ({ loads, errors: errors(), build: /** @type {Element} */ (document.getElementById('build')).textContent }));
  assert.deepEqual(page, { loads: 1, errors: [], build: 'one' });
}

inBrowsers('a page whose slots another copy guards is told that they take no new code', { only: ['chromium'] }, async (t, browser) => {
  const block = '<script type="application/json" id="changeover-slots">{"build":"one","slots":{}}</script>';
  const site = await startSite(t, { head: block });
  const tab = await openApp(browser, site);
  await tab.waitFor(() => news.some(({ type }) => type === 'problem'));
  const { code, message } = /** @type {Events['problem']} */ (await tab.eval(() => news.find(({ type }) => type === 'problem')));
  assert.equal(code, 'slots_off');
  assert.match(message, /^the slots of this page take no new code: it is guarded by a copy of changeover without them, which http:\S+\/changeover\.js started/);
  await untouched(tab);
});
