// The guard of a published site takes a Yew app from build to build.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before } from 'node:test';
import { inBrowsers } from '../e2e/browsers.mjs';
import { changeover, startServe } from '../e2e/site.mjs';
import { VITES, build } from '../vite/support.mjs';
import { compile, makePage, take } from './support.mjs';

/** @import { TestContext } from 'node:test' */
/** @import { Browser } from '../e2e/types.d.ts' */

const [{ vite }] = VITES;

before(compile);

/**
 * A published site whose page runs the first build, counted once and with a text.
 *
 * @param {TestContext} t
 * @param {Browser} browser
 */
async function open(t, browser) {
  const root = makePage(t, 'first');
  const site = join(root, 'site');
  const publish = async (/** @type {string} */ name) => {
    take(root, name);
    const { out } = await build(vite, root, { out: join(root, `out-${name}`), options: { interval: 1000 } });
    await changeover(['publish', out, '--to', site]);
  };
  await publish('first');
  const server = await startServe(site);
  t.after(server.close);
  const tab = await browser.open(server.url);
  await tab.waitFor(() => Boolean(window.view) && Boolean(window.changeover));
  await tab.eval(() => {
    /** @type {{ended: unknown}} */ (window).ended = [];
    window.changeover.on('swapEnded', ({ outcome, reason, message }) => /** @type {unknown[][]} */ (/** @type {unknown} */ (ended)).push([outcome, reason, message?.replace(/:\d+:\d+/, '') ?? null]));
  });
  await tab.click('#count');
  await tab.type('#text', 'tea');
  await tab.eval(() => /** @type {HTMLElement} */ (document.activeElement).blur());
  /** @type {(count: number) => Promise<unknown[]>} */
  const ended = async (count) => {
    await tab.waitFor((count) => ended.length >= count, count, { timeout: 45_000 });
    await tab.waitFor(() => document.querySelectorAll('section').length === 1);
    return tab.eval((count) => /** @type {unknown[][]} */ (/** @type {unknown} */ (ended))[count - 1], count);
  };
  const look = () => tab.eval(() => {
    const text = (/** @type {string} */ selector) => /** @type {Element} */ (document.querySelector(selector)).textContent;
    return { title: text('h1'), count: text('#count'), text: /** @type {HTMLInputElement} */ (document.querySelector('#text')).value, boots };
  });
  return { tab, publish, ended, look };
}

const USED = { count: '1', text: 'tea', boots: 1 };

inBrowsers('a published build takes the place of the app, with its state; one that panics does not', { only: ['chromium', 'firefox'], timeout: 120_000 }, async (t, browser) => {
  const { tab, publish, ended, look } = await open(t, browser);
  await publish('broken');
  assert.deepEqual(await ended(1), ['aborted', 'threw', 'ChangeoverError: counter_bg.wasm panicked at src/lib.rs:\nthis build is broken']);
  assert.deepEqual(await look(), { ...USED, title: 'The first build' });

  await publish('second');
  assert.deepEqual(await ended(2), ['committed', null, null]);
  assert.deepEqual(await look(), { ...USED, title: 'The second build' });
  await tab.waitFor(() => intervals.size === 1 && pings.size === 1, { what: 'what the first build ran is over' });
});

inBrowsers('a build that panics in its first seconds gives the place back', { only: ['chromium'], timeout: 90_000 }, async (t, browser) => {
  const { tab, publish, ended, look } = await open(t, browser);
  await publish('second');
  await tab.waitFor(() => [...document.querySelectorAll('section')].some((section) => section.getClientRects().length && section.textContent.includes('second')), { timeout: 30_000 });
  await tab.eval(() => /** @type {HTMLElement} */ (/** @type {Element} */ ([...document.querySelectorAll('section')].find((section) => section.textContent.includes('second'))).querySelector('#boom')).click());
  assert.deepEqual(await ended(1), ['rolledBack', 'threw', 'ChangeoverError: counter_bg.wasm panicked at src/lib.rs:\nthe button was pressed']);
  assert.deepEqual(await look(), { ...USED, title: 'The first build' });
  await tab.click('#count');
  await tab.waitFor(() => /** @type {Element} */ (document.querySelector('#count')).textContent === '2');
});
