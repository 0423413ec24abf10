// Releases that come while a swap is under way, and people who use the page meanwhile: the page ends on the right build, whole.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

import { inBrowsers, until } from '../e2e/browsers.mjs';
import { startSwapSite } from './site.mjs';
import { CLEAN, committed, ending, keepsWork, leftovers, openWork, showsText } from './work.mjs';

/** @import { TestContext } from 'node:test' */
/** @import { Browser, SwapSite, Tab } from '../e2e/types.d.ts' */

const COUNTER = 'src/routes/Counter.jsx';
const named = (/** @type {string} */ name) => ({ [COUNTER]: [['counter one', `counter ${name}`]] });

/**
 * A site whose chunks of counters come as late as `late` says.
 *
 * @param {TestContext} t
 */
async function startLateSite(t) {
  const site = /** @type {SwapSite & {late: boolean, letCome: () => void}} */ (await startSwapSite(t));
  const known = new Set(Object.keys(site.manifest().chunks));
  const isNew = (/** @type {string} */ path) => /^\/assets\/Counter.*\.js$/.test(path) && !known.has(path.slice(1));
  /** @type {((value?: unknown) => void)[]} */
  const waiting = [];
  /** @type {Tab | undefined} */
  let last;
  site.edge.answer(isNew, async ({ pass }) => {
    if (site.late) await new Promise((go) => waiting.push(go));
    return pass();
  });
  return Object.assign(site, {
    late: false,
    /** Builds without publishing. */
    stage: (/** @type {string} */ name) => site.restore().edit(named(name)).build(),
    async isAsked() {
      await until(() => waiting.length > 0, { what: 'a chunk to be asked for' });
    },
    letCome() {
      site.late = false;
      for (const go of waiting.splice(0)) go();
    },
    /** Takes a new page from here. */
    async fresh(/** @type {Browser} */ browser) {
      site.restore();
      await last?.close(); // of the test before, however it ended
      site.letCome();
      site.first = await site.publish();
      last = await openWork(browser, site);
      return last;
    },
  });
}

const phase = (/** @type {Tab} */ tab, /** @type {string} */ name) => tab.waitFor((name) => guard.status.changeover?.phase === name, name, { timeout: 15_000, what: `phase ${name}` });
const ends = (/** @type {Tab} */ tab) => tab.eval(() => news.filter(({ type }) => type === 'swapEnded').map(({ to, outcome, reason }) => [to, outcome, reason]));

/**
 * @param {Tab} tab
 * @param {string} build
 * @param {string} text
 */
async function isWhole(tab, build, text) {
  await committed(tab, build);
  await showsText(tab, '#says', text);
  await keepsWork(tab);
  assert.deepEqual(await tab.eval(leftovers), CLEAN);
  assert.equal(await tab.eval(() => guard.status.prompt), null);
  assert.deepEqual(tab.errors, []);
}

inBrowsers('whatever is published while a swap is being prepared, the page ends on the right build', { only: ['chromium'], timeout: 240_000 }, async (t, browser) => {
  const site = await startLateSite(t);
  // Each part has counters of its own: the browser asks once only for a file that does not change.

  await t.test('of two builds 50 ms apart it takes the second', async () => {
    const tab = await site.fresh(browser);
    const dists = [await site.stage('two'), await site.stage('three')];
    const [, three] = await Promise.all([site.put(dists[0]), sleep(50).then(() => site.put(dists[1]))]);
    await isWhole(tab, site.release().build.id, site.release().build.id === three ? 'counter three' : 'counter two');
  });

  await t.test('of two builds it takes the second though the first is half there', async () => {
    const tab = await site.fresh(browser);
    const next = await site.stage('five');
    site.late = true;
    const four = await site.restore().publish(named('four'));
    await site.isAsked();
    site.late = false;
    const five = await site.put(next);
    await showsText(tab, '#says', 'counter five');
    site.letCome();
    await isWhole(tab, five, 'counter five');
    assert.deepEqual(await ends(tab), [[four, 'aborted', 'superseded'], [five, 'committed', null]]);
  });

  await t.test('a release that is taken back meanwhile changes nothing', async () => {
    const tab = await site.fresh(browser);
    site.late = true;
    const six = await site.restore().publish(named('six'));
    await site.isAsked();
    await site.put(await site.restore().build());
    const ended = await ending(tab, six);
    assert.deepEqual([ended.outcome, ended.reason], ['aborted', 'superseded']);
    site.letCome();
    await sleep(700);
    await isWhole(tab, site.first, 'counter one');
    assert.equal((await ends(tab)).length, 1);
  });

  await t.test('a page that is told to reload meanwhile does, to the new build', async () => {
    const tab = await site.fresh(browser);
    site.late = true;
    const seven = await site.restore().publish(named('seven'));
    await site.isAsked();
    await tab.eval(() => void guard.reload());
    setTimeout(site.letCome, 300);
    await tab.waitFor((seven) => !globalThis.witness && globalThis.guard?.status.build === seven, seven, { timeout: 15_000, what: 'the reloaded page' });
    await showsText(tab, '#says', 'counter seven');
    assert.deepEqual(await tab.eval(leftovers), CLEAN);
  });
});

inBrowsers('what is published while new code is on probation waits for the end of it', { only: ['chromium'], timeout: 120_000 }, async (t, browser) => {
  const site = await startLateSite(t);
  const tab = await openWork(browser, site);
  const two = await site.publish(named('two'));
  await phase(tab, 'probation');
  const three = await site.restore().publish(named('three'));
  await sleep(500);
  assert.equal((await tab.eval(leftovers)).counters, 2, 'no more than two generations');
  assert.equal(await tab.text('#counter .counter:not([inert] *) #says'), '* counter two of ada');
  await showsText(tab, '#says', 'counter three', { timeout: 25_000 });
  assert.deepEqual(await ends(tab), [[two, 'committed', null]]);

  // And then that one is taken back while it is on probation.
  await site.rollback();
  assert.equal(site.release().build.id, two);
  await sleep(500);
  await keepsWork(tab);
  await showsText(tab, '#says', 'counter two', { timeout: 25_000 });
  await committed(tab, two);
  await isWhole(tab, two, 'counter two');
  assert.deepEqual(await ends(tab), [[two, 'committed', null], [three, 'committed', null], [two, 'committed', null]]);
});

inBrowsers('a page that is told to reload while new code is on probation does, to the new build', { only: ['chromium'] }, async (t, browser) => {
  const site = await startLateSite(t);
  const tab = await openWork(browser, site);
  const two = await site.publish(named('two'));
  await phase(tab, 'probation');
  await tab.eval(() => void guard.reload());
  await tab.waitFor((two) => !globalThis.witness && globalThis.guard?.status.build === two, two, { timeout: 15_000, what: 'the reloaded page' });
  await showsText(tab, '#says', 'counter two');
  assert.deepEqual(await tab.eval(leftovers), CLEAN);
});

inBrowsers('a swap waits for a hold, and for a user who writes without a pause', {}, async (t, browser) => {
  const site = await startLateSite(t);
  const tab = await openWork(browser, site);
  await tab.eval(() => void (globalThis.release = guard.hold('a payment')));
  await site.publish(named('two'));
  await phase(tab, 'swapping');
  await sleep(1000);
  assert.match(await tab.text('#says'), /counter one/);
  // The user begins to write before the hold is over, and goes on.
  let text = 'half a sent';
  let released = false;
  for (const letter of 'ence that is long enough.') {
    await tab.typeText(letter);
    text += letter;
    if (!released && text.length > 14) {
      await tab.eval(() => globalThis.release());
      released = true;
    }
    await sleep(150);
  }
  assert.equal(await tab.eval(() => document.querySelectorAll('.counter').length), 1, 'nothing is mounted while the user writes');
  await showsText(tab, '#says', 'counter two');
  await keepsWork(tab, { note: [text], caret: text.length });
});
