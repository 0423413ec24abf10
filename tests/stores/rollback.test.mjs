// A release goes back a build after the store has gone on: the build that leaves brings the old schema back first.
import assert from 'node:assert/strict';

import { inBrowsers } from '../e2e/browsers.mjs';
import { PROMPT, RELOAD_BUTTON, promptIsUp, shows } from '../e2e/site.mjs';
import { openDraft, startStateSite } from '../e2e/state-site.mjs';

/** @import { Tab } from '../e2e/types.d.ts' */

const UP = '({ text, ...rest }) => ({ lines: text.split("\\n"), ...rest })';
const DOWN = 'down: ({ lines, ...rest }) => ({ text: lines.join("\\n"), ...rest }),';

/** The script of a build. On a script tag the store is there once the runtime is. */
const build = (/** @type {number} */ schema, down = DOWN) => `
  const migrations = ${schema === 1 ? '[]' : `[{ from: 1, to: 2, up: ${UP}, ${down} }]`};
  globalThis.progress = [];
  globalThis.opened = (async () => {
    while (!changeover.store) await new Promise((go) => setTimeout(go, 20));
    globalThis.notes = changeover.store('notes', { schema: ${schema}, migrations, dwell: 2500, census: 50 });
    notes.onProgress((step) => progress.push(step.phase));
    await notes.ready();
  })();`;
const STORES = { one: { notes: { schema: 1, reads: [1] } }, two: { notes: { schema: 2, reads: [1, 2] } } };

const move = async (/** @type {Tab} */ tab, /** @type {string} */ to) => {
  await tab.waitFor(promptIsUp, { timeout: 10_000 });
  await tab.click(RELOAD_BUTTON);
  await shows(tab, to);
  await tab.waitFor(() => globalThis.notes && notes.mode.kind !== 'opening', { what: 'the store' });
};

inBrowsers('on a rollback the newer build takes the store down to the older schema before it leaves', {}, async (t, browser) => {
  const site = await startStateSite(t, { one: { stores: STORES.one, app: build(1) }, two: { stores: STORES.two, app: build(2) } });
  const tab = await openDraft(browser, site);
  await tab.eval(async () => {
    await opened;
    for (let at = 0; at < 1200; at += 1) await notes.set(`n${String(at).padStart(4, '0')}`, { text: `${at}\nend`, own: at });
  });

  await site.publish('two');
  await move(tab, 'two');
  await tab.waitFor(() => /** @type {string[]} */ (/** @type {unknown} */ (progress)).includes('contract'), { timeout: 20_000, what: 'the old schema to be left' });
  await tab.eval(() => notes.set('n0007', { lines: ['changed', 'in two'], own: 7 }));

  await site.rollback();
  await move(tab, 'one');
  await tab.eval(() => opened);
  const seen = await tab.eval(async () => {
    const all = new Map();
    for await (const [key, value] of notes.entries()) all.set(key, value);
    return { count: all.size, seventh: all.get('n0007'), eighth: all.get('n0008'), mode: notes.mode.kind };
  });
  assert.deepEqual(seen, { count: 1200, seventh: { text: 'changed\nin two', own: 7 }, eighth: { text: '8\nend', own: 8 }, mode: 'readWrite' });
  await tab.eval(() => notes.set('n0007', { text: 'and again in one', own: 7 }));

  await site.publish('two', { more: [] });
  await move(tab, 'two');
  await tab.eval(() => opened);
  assert.deepEqual(await tab.eval(() => notes.get('n0007')), { lines: ['and again in one'], own: 7 });
});

inBrowsers('without a step down the page asks before it leaves, and what the store held is there for the older build to read', { only: ['chromium'] }, async (t, browser) => {
  const site = await startStateSite(t, { one: { stores: STORES.one, app: build(1) }, two: { stores: STORES.two, app: build(2, '') } });
  const tab = await openDraft(browser, site);
  await tab.eval(async () => {
    await opened;
    await notes.set('a', { text: 'before' });
  });
  await site.publish('two');
  await move(tab, 'two');
  await tab.waitFor(() => /** @type {string[]} */ (/** @type {unknown} */ (progress)).includes('contract'), { timeout: 20_000, what: 'the old schema to be left' });
  await tab.eval(() => notes.set('a', { lines: ['after'] }));

  await site.rollback();
  await tab.waitFor(promptIsUp, { timeout: 10_000 });
  await tab.click(RELOAD_BUTTON);
  await tab.waitFor(() => changeover.status.prompt?.trouble === 'stateNotSaved', { timeout: 15_000, what: 'the page to ask' });
  const problem = await tab.eval(() => news.find(({ type, code }) => type === 'problem' && code === 'state_not_saved')?.message);
  assert.match(/** @type {string} */ (problem), /store "notes" has no way back from schema 2 to 1/);
  assert.equal(await tab.text('#build'), 'two');

  await tab.waitFor((selector) => document.querySelector(selector), PROMPT);
  await tab.click(RELOAD_BUTTON);
  await shows(tab, 'one');
  await tab.eval(() => opened);
  assert.deepEqual(await tab.eval(() => notes.get('a')), { text: 'before' });
  assert.deepEqual(await tab.eval(() => notes.set('a', { text: 'x' }).catch(({ code }) => code)), 'backup_only');
});
