// A site is upgraded: pages of the earlier version move to a build of today's and back, with all that the user did.
import assert from 'node:assert/strict';

import { inBrowsers, until } from '../e2e/browsers.mjs';
import { moves, runs, startUpgrade } from './site.mjs';

/** @import { Tab } from '../e2e/types.d.ts' */
/** @typedef {Awaited<ReturnType<typeof workOf>>} Work */

inBrowsers('a page of the earlier version moves to a build of this one, back and forth, with its work', { timeout: 90_000 }, async (t, browser) => {
  const site = await startUpgrade(t);
  const tab = await browser.open(site.url);
  await runs(tab, 'old');
  await work(tab);
  const done = await tab.eval(workOf);
  assert.deepEqual(done, WORK);

  // Forward by the earlier prompt.
  await site.publish('new');
  await moves(tab, 'new');
  await arrives(tab, 'new', WORK);
  assert.deepEqual(await tab.eval(() => came.draft), { lines: ['two pounds', 'of tea'] }, 'migrated to the newer schema');

  // Back by today's.
  await add(tab, '\nand milk');
  await site.rollback();
  await moves(tab, 'old');
  await arrives(tab, 'old', { ...WORK, draft: 'two pounds\nof tea\nand milk' });
  assert.deepEqual(await tab.eval(() => came.draft), { text: 'two pounds\nof tea\nand milk' }, 'migrated down again');

  // The app asks for what follows. It gets one reload for each build until that has taken; no version may count another's twice.
  for (const [build, release] of /** @type {[string, () => Promise<unknown>][]} */ ([['new', () => site.publish('new')], ['old', () => site.rollback()], ['new', () => site.publish('new')], ['old', () => site.rollback()]])) {
    await release();
    await tab.waitFor(() => changeover.status.skew, { timeout: 20_000, what: `news of ${build}` });
    await tab.eval(() => void changeover.reload().then((reason) => (globalThis.refused = reason)));
    await until(async () => (await shown(tab)) === build || (await refusal(tab)), { timeout: 20_000, what: `the reload to ${build}` });
    assert.equal(await refusal(tab), null, `the reload to ${build} is refused`);
    await arrives(tab, build, { ...WORK, draft: 'two pounds\nof tea\nand milk' });
  }
});

const WORK = {
  draft: 'two pounds\nof tea',
  who: 'Ada',
  size: 'L',
  gift: true,
  album: ['Map', 'a,b', 1234, 'a picture'],
  box: 120,
  page: 1500,
};

/** @param {Tab} tab */
async function work(tab) {
  await tab.type('#draft', 'two pounds');
  await add(tab, '\nof tea');
  await tab.type('[name=who]', 'Ada');
  await tab.click('[name=gift]');
  await tab.eval(() => {
    const size = document.querySelector('[name=size]');
    /** @type {HTMLInputElement} */ (size).value = 'L';
    /** @type {NonNullable<typeof size>} */ (size).dispatchEvent(new Event('change', { bubbles: true }));
    globalThis.album = { tags: new Map([['a', 1], ['b', 2]]), taken: new Date(1234), picture: new Blob(['a picture'], { type: 'text/plain' }) };
    /** @type {Element} */ (document.querySelector('#box')).scrollTop = 120;
  });
  await tab.scroll(1500);
}

const add = (/** @type {Tab} */ tab, /** @type {string} */ text) =>
  tab.eval((text) => {
    /** @type {HTMLInputElement} */ (document.querySelector('#draft')).value += text;
  }, text);

/** What of the work is in the page. It runs there. */
const workOf = async () => {
  const field = (/** @type {string} */ name) => document.querySelector(`[name=${name}]`);
  return {
    draft: /** @type {HTMLInputElement} */ (document.querySelector('#draft')).value,
    who: /** @type {HTMLInputElement} */ (field('who')).value,
    size: /** @type {HTMLInputElement} */ (field('size')).value,
    gift: /** @type {HTMLInputElement} */ (field('gift')).checked,
    album: globalThis.album ? [/** @type {NonNullable<typeof album>} */ (album).tags.constructor.name, [.../** @type {NonNullable<typeof album>} */ (album).tags.keys()].join(), +/** @type {NonNullable<typeof album>} */ (album).taken, await /** @type {NonNullable<typeof album>} */ (album).picture.text()] : null,
    box: /** @type {Element} */ (document.querySelector('#box')).scrollTop,
    page: scrollY,
  };
};

/**
 * The build runs, and has all that the one before it captured.
 *
 * @param {Tab} tab
 * @param {string} build
 * @param {Work} work
 */
async function arrives(tab, build, work) {
  await runs(tab, build);
  const told = await tab.waitFor(() => news.find(({ type }) => type === 'stateRestored'), { what: 'the report of what was restored' });
  assert.deepEqual(told.failed, []);
  /** @type {Work | undefined} */
  let seen;
  await until(
    async () => {
      seen = await tab.eval(workOf);
      return JSON.stringify(seen) === JSON.stringify(work);
    },
    { timeout: 2000, what: 'the work' },
  ).catch(() => assert.deepEqual(seen, work));
  await tab.waitFor(() => changeover.status.release && !changeover.status.skew && !changeover.status.prompt, { what: 'the build to be the wanted one' });
  assert.deepEqual(await tab.eval(() => news.filter(({ type }) => type === 'problem')), []);
  assert.deepEqual(await tab.eval(() => errors), []);
}

const shown = (/** @type {Tab} */ tab) => tab.eval(() => document.getElementById('build')?.textContent).catch(() => null);
const refusal = (/** @type {Tab} */ tab) => tab.eval(() => globalThis.refused ?? null).catch(() => null);
