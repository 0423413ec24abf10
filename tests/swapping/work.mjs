// What a user does in the app of these tests, and the proof that none of it is lost: the same elements in each framework.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

import { promptIsUp } from '../e2e/site.mjs';

/** @import { SwapRefusal } from '../../pkg-template/index.js' */
/** @import { Browser, SwapSite, Tab, WaitOptions } from '../e2e/types.d.ts' */
/** @typedef {import('../../pkg-template/index.js').Events['swapRefused']} Refused */
/** @typedef {import('../../pkg-template/index.js').Events['swapEnded']} Ended */
/** @typedef {ReturnType<typeof seenWork>} Work what can be seen of the work */

/**
 * Opens the app and leaves work in it: a counter, a typed note, a cart, a scrolled box, a running timer.
 *
 * @param {Pick<Browser, 'open'>} browser
 * @param {{url: string}} site
 */
export async function openWork(browser, site) {
  const tab = await browser.open(site.url);
  await tab.waitFor(() => Boolean(document.querySelector('#count') && document.querySelector('#add')), { what: 'the app' });
  await tab.waitFor(() => guard.status.level === 'full' && guard.status.release, { what: 'the guard' });
  await countTo(tab, 3);
  await tab.click('#add');
  await tab.waitFor(() => Boolean(document.querySelector('#cart li')), { what: 'the item' });
  await tab.type('#note', 'half a sent');
  await tab.eval(() => {
    /** @type {Element} */ (document.querySelector('#box')).scrollTop = 120;
    globalThis.witness = { copies: copies.size, boots, stores, ticks: Number(/** @type {Element} */ (document.querySelector('#ticks')).textContent) };
    // Whatever is painted from now on: a region that shows nothing, or the same thing twice.
    globalThis.glimpses = [];
    const look = () => {
      for (const id of ['counter', 'cart']) if (!document.getElementById(id)?.innerText.trim()) /** @type {string[]} */ (glimpses).push(`${id} is blank`);
      for (const id of ['count', 'note', 'cart-says']) {
        const shown = [...document.querySelectorAll(`#${id}`)].filter((element) => element.checkVisibility()).length;
        if (shown !== 1) /** @type {string[]} */ (glimpses).push(`#${id} is there ${shown} times`);
      }
      requestAnimationFrame(look);
    };
    look();
  });
  return tab;
}

/**
 * Clicks the counter up. On a slow machine a style that comes late moves the button away under the pointer: a click that missed is made again.
 *
 * @param {Tab} tab
 * @param {number} count
 */
async function countTo(tab, count) {
  const shows = (/** @type {number} */ count) => /** @type {Element} */ (document.querySelector('#count')).textContent === String(count);
  for (let i = 1; i <= count; i += 1) {
    await tab.click('#count');
    await tab.waitFor(shows, i, { timeout: 1000, what: `the count ${i}` }).catch(() => tab.click('#count'));
    await tab.waitFor(shows, i, { what: `the count ${i}` });
  }
}

/** What of the work can be seen. */
export const seenWork = () => {
  const shown = (/** @type {string} */ selector) => [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(selector))].filter((element) => element.checkVisibility());
  return {
    count: shown('#count').map((element) => element.textContent),
    note: shown('#note').map((element) => /** @type {HTMLInputElement} */ (element).value),
    items: shown('#cart li').map((element) => element.textContent),
    focus: document.activeElement?.id,
    caret: /** @type {HTMLInputElement | null} */ (document.activeElement)?.selectionStart,
    box: shown('#box').map((element) => element.scrollTop),
    user: /** @type {HTMLInputElement} */ (document.querySelector('#user')).value,
    timers,
    grows: Number(shown('#ticks')[0]?.textContent) >= /** @type {Witness} */ (witness).ticks,
    once: copies.size === /** @type {Witness} */ (witness).copies && boots === /** @type {Witness} */ (witness).boots && stores === /** @type {Witness} */ (witness).stores && copies.size === 1,
    glimpses: [...new Set(glimpses)],
  };
};

/**
 * Nothing of the work is lost, nothing is there twice, and nothing was at any time. A focus or a scroll position may
 * come a frame after the text. `changed`: what differs on purpose.
 *
 * @param {Tab} tab
 * @param {Partial<Work>} changed
 */
export async function keepsWork(tab, changed = {}) {
  const expected = {
    count: ['3'],
    note: ['half a sent'],
    items: ['* item 1'],
    focus: 'note',
    caret: 11,
    box: [120],
    user: 'ada',
    timers: 1,
    grows: true,
    once: true,
    glimpses: [],
    ...changed,
  };
  let seen;
  for (const start = Date.now(); Date.now() - start < 3000; await sleep(50)) {
    seen = await tab.eval(seenWork);
    if (isDeepStrictEqual(seen, expected)) return;
  }
  assert.deepEqual(seen, expected);
}

/** @type {(tab: Tab, selector: string, text: string, options?: WaitOptions) => Promise<boolean>} */
export const showsText = (tab, selector, text, options) =>
  tab.waitFor((selector, text) => [...document.querySelectorAll(selector)].some((element) => element.checkVisibility() && element.textContent.includes(text)), selector, text, { timeout: 15_000, what: `"${text}"`, ...options });

/**
 * Waits until the page shows `text` in `selector`, with all work.
 *
 * @param {Tab} tab
 * @param {string} selector
 * @param {string} text
 * @param {Partial<Work>} [changed]
 */
export async function swapped(tab, selector, text, changed) {
  await showsText(tab, selector, text);
  await keepsWork(tab, changed);
}

export const committed = (/** @type {Tab} */ tab, /** @type {string} */ build) => tab.waitFor((build) => guard.status.build === build && !guard.status.changeover, build, { timeout: 20_000, what: 'the swap to be committed' });

/**
 * Waits for the end of a swap to `build`, and returns what is told of it.
 *
 * @param {Tab} tab
 * @param {string} build
 */
export async function ending(tab, build, { timeout = 25_000 } = {}) {
  return /** @type {Promise<Ended>} */ (tab.waitFor((build) => news.find(({ type, to }) => type === 'swapEnded' && to === build), build, { timeout, what: 'the end of the swap' }));
}

/**
 * The page keeps its build and its work, and asks; the refusal names the reason.
 *
 * @param {Tab} tab
 * @param {SwapSite} site
 * @param {SwapRefusal['why']} why
 * @param {Partial<Work>} [changed]
 */
export async function asks(tab, site, why, changed) {
  await tab.waitFor(promptIsUp, { timeout: 15_000, what: 'the prompt' });
  const refused = /** @type {Refused} */ (await tab.eval(() => news.find(({ type }) => type === 'swapRefused')));
  const reasons = refused.refusals.map((refusal) => refusal.why);
  assert.ok(reasons.includes(why), `${why} is not among ${reasons}`);
  assert.equal(await tab.eval(() => guard.status.build), site.first);
  await keepsWork(tab, changed);
  return refused.refusals.find((refusal) => refusal.why === why);
}

/** How many elements and generations the regions hold, shown or not. */
export const leftovers = () => ({
  counters: document.querySelectorAll('.counter').length,
  notes: document.querySelectorAll('#note').length,
  carts: document.querySelectorAll('#cart-says').length,
  hidden: document.querySelectorAll('#counter [inert], #cart [inert]').length,
  styles: document.querySelectorAll('link[rel=stylesheet][href*=Counter]').length,
});
export const CLEAN = { counters: 1, notes: 1, carts: 1, hidden: 0, styles: 1 };
