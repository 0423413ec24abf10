// A page or the whole browser is killed after each step of a migration: the store is exactly old or exactly new.
import assert from 'node:assert/strict';

import { inBrowsers, launch } from '../e2e/browsers.mjs';
import { openBuild, startStoreSite } from './site.mjs';

/** @import { StoreSite } from './site.mjs' */
/** @import { Browser } from '../e2e/types.d.ts' */

const PEOPLE = 10_000;
const FAST = { dwell: 0, census: 50 };

/**
 * Makes a store of schema 1 with all the people.
 *
 * @param {Browser} browser
 * @param {StoreSite} site
 * @param {string} store
 */
async function seed(browser, site, store) {
  const tab = await openBuild(browser, site, 1, { people: PEOPLE, store });
  assert.equal(await tab.eval(() => failed), null);
  assert.ok((await tab.eval((people) => inspect(people), PEOPLE)).whole);
  await tab.close();
}

/**
 * Runs build 2 until its `stop`-th step has committed, and kills its page there.
 *
 * @param {Browser} browser
 * @param {StoreSite} site
 * @param {string | number} stop
 * @param {Record<string, string | number>} options
 */
async function killAt(browser, site, stop, options) {
  const stopped = site.stopped();
  const tab = await browser.open(`${site.url}/blank`);
  const url = `${site.url}/app?${new URLSearchParams(/** @type {Record<string, string>} */ (/** @type {unknown} */ ({ build: 2, stop, ...FAST, ...options })))}`;
  tab.eval((url) => void setTimeout(() => (location.href = url)), url).catch(() => {});
  const step = await stopped;
  if (browser.engine === 'chromium') {
    await browser.killPage(`${site.url}/app`);
    tab.closed = true;
  } else await tab.close();
  return step;
}

/**
 * What each build sees of a store that was left in the middle.
 *
 * @param {Browser} browser
 * @param {StoreSite} site
 * @param {string} store
 * @param {boolean} contracted
 * @param {string} where
 */
async function check(browser, site, store, contracted, where) {
  const look = async (/** @type {number} */ build, /** @type {string} */ mode) => {
    const tab = await openBuild(browser, site, build, { store, census: 600_000 });
    const found = await tab.eval(async (people) => ({ failed, mode: /** @type {typeof globalThis.store} */ (/** @type {unknown} */ (store)).mode.kind, ...(await inspect(people)) }), PEOPLE);
    assert.ok(found.whole && found.mode === mode, `build ${build}, ${where}: ${JSON.stringify(found)}`);
    return tab;
  };
  const one = await look(1, contracted ? 'backup' : 'readWrite');
  // Build 1 keeps build 2 from going on; once the schema is left, both together would bring it back.
  if (contracted) await one.close();
  const two = await look(2, 'readWrite');
  await two.close();
  await one.close();
}

/**
 * Lets build 2 go on undisturbed to the end.
 *
 * @param {Browser} browser
 * @param {StoreSite} site
 * @param {string} store
 * @param {string} where
 */
async function complete(browser, site, store, where) {
  const tab = await openBuild(browser, site, 2, { store, ...FAST });
  await tab.waitFor(async () => (await readHead()).schema === 2, { timeout: 20_000, what: `${where}: the migration to complete` });
  const found = await tab.eval((people) => inspect(people), PEOPLE);
  assert.ok(found.whole, `${where}: ${JSON.stringify(found)}`);
  const head = await tab.eval(() => readHead());
  assert.deepEqual(head.namespaces.map((/** @type {{schema: number, fill: string}} */ { schema, fill }) => [schema, fill]), [[2, 'full']], where);
  assert.deepEqual(head.backups.map((/** @type {{schema: number}} */ { schema }) => schema), [1], where);
  await tab.close();
}

inBrowsers(
  'killed after every single step in turn, ten thousand records are exactly old or exactly new and arrive in the end',
  { only: ['chromium'], timeout: 240_000 },
  async (t, browser) => {
    const site = await startStoreSite(t);
    await browser.open(`${site.url}/blank`);
    await seed(browser, site, 'people');
    /** @type {string[]} */
    const steps = [];
    for (let phase = ''; phase !== 'contract'; ) {
      const step = await killAt(browser, site, 1, { batch: 1_000 });
      ({ phase } = step);
      steps.push(`${phase} ${step.done}`);
      await check(browser, site, 'people', phase === 'contract', `killed after ${steps.join(', ')}`);
      assert.ok(steps.length < 100, steps.join(', '));
    }
    const count = (/** @type {string} */ phase) => steps.filter((step) => step.startsWith(phase)).length;
    // The tenth batch is full, so it takes another one to know that it was the last.
    assert.deepEqual(['expand', 'copy', 'check', 'contract'].map(count), [1, 12, 11, 1], steps.join(', '));
    await complete(browser, site, 'people', 'after all');
  },
);

inBrowsers(
  'killed after any one step, the migration of ten thousand records completes on its own',
  { only: ['chromium'], timeout: 240_000 },
  async (t, browser) => {
    const site = await startStoreSite(t);
    await browser.open(`${site.url}/blank`);
    const batch = PEOPLE;
    let steps = 1;
    for (let at = 1; at <= steps; at += 1) {
      const store = `people-${at}`;
      await seed(browser, site, store);
      if (at === 1) {
        await seed(browser, site, 'undisturbed');
        const tab = await openBuild(browser, site, 2, { store: 'undisturbed', batch, ...FAST });
        await tab.waitFor(() => progress.at(-1)?.phase === 'contract', { timeout: 20_000 });
        steps = await tab.eval(() => progress.length);
        assert.equal(steps, 7, await tab.eval(() => JSON.stringify(progress)));
        await tab.close();
      }
      const { phase, done } = await killAt(browser, site, at, { store, batch });
      await complete(browser, site, store, `killed after step ${at}, ${phase} ${done}`);
    }
  },
);

inBrowsers(
  'the first, a middle and the last step survive the end of their tab',
  { only: ['firefox', 'webkit'], timeout: 120_000 },
  async (t, browser) => {
    const site = await startStoreSite(t);
    await browser.open(`${site.url}/blank`);
    // WebKitGTK takes ten seconds to end a page that does not answer.
    for (const at of browser.engine === 'webkit' ? [4, 9] : [1, 4, 9]) {
      const store = `people-${at}`;
      await seed(browser, site, store);
      const { phase, done } = await killAt(browser, site, at, { store, batch: 4_000 });
      const where = `killed after step ${at}, ${phase} ${done}`;
      await check(browser, site, store, phase === 'contract', where);
      await complete(browser, site, store, where);
    }
  },
);

// WebKitGTK keeps nothing on disk while it is automated.
inBrowsers('the whole browser is killed in the middle and finds the same store again', { only: ['chromium', 'firefox'], timeout: 120_000 }, async (t, first) => {
  const site = await startStoreSite(t);
  let browser = first;
  // Firefox does not really close its last tab.
  await browser.open(`${site.url}/blank`);
  await seed(browser, site, 'people');
  const phases = [];
  try {
    // Each run stops a few steps further on.
    for (const stop of first.engine === 'chromium' ? [1, 2, 3, 2, 1] : [3, 4, 2]) {
      const stopped = site.stopped();
      const tab = await browser.open(`${site.url}/blank`);
      const url = `${site.url}/app?${new URLSearchParams(/** @type {Record<string, string>} */ (/** @type {unknown} */ ({ build: 2, stop, batch: 4_000, ...FAST })))}`;
      tab.eval((url) => void setTimeout(() => (location.href = url)), url).catch(() => {});
      phases.push((await stopped).phase);
      await browser.kill();
      if (browser !== first) await browser.close();
      browser = await launch(first.engine, { profile: first.profile });
      await browser.open(`${site.url}/blank`);
      await check(browser, site, 'people', phases.at(-1) === 'contract', `the browser was killed in ${phases.join(', ')}`);
    }
    assert.deepEqual(phases, first.engine === 'chromium' ? ['expand', 'copy', 'check', 'check', 'contract'] : ['copy', 'check', 'contract']);
    await complete(browser, site, 'people', 'after all kills');
  } finally {
    if (browser !== first) await browser.close();
  }
});
