// A durable store that tabs of both versions have open, before, while and after its schema is taken up and down.
import assert from 'node:assert/strict';

import { inBrowsers } from '../e2e/browsers.mjs';
import { moves, runs, startUpgrade } from './site.mjs';

/** @import { Note } from './site.mjs' */
/** @import { Tab } from '../e2e/types.d.ts' */

/** Enough for several batches. */
const NOTES = 1200;
const ROUNDS = 60;

inBrowsers('a store is shared by tabs of both versions, in a schema of each, and no write is lost, forward and back', { timeout: 120_000 }, async (t, browser) => {
  const site = await startUpgrade(t);
  const old = await browser.open(site.url, { window: true });
  await runs(old, 'old');
  await opens(old);
  await old.eval(async (count) => {
    await Promise.all(Array.from({ length: count }, (_, at) => notes.set(`n${String(at).padStart(4, '0')}`, { text: `${at}\nend`, mark: at })));
  }, NOTES);

  await site.publish('new');
  const next = await browser.open(site.url, { window: true });
  await runs(next, 'new');
  await opens(next);
  await agree([old, next], NOTES);
  await tell(old, next, 'by old');
  await tell(next, old, 'by new');
  await countTogether([old, next]);
  assert.equal(await next.eval(() => steps.includes('contract')), false, 'the old schema stays as long as the old tab');

  // The old tab follows, and the old schema is left.
  await moves(old, 'new');
  await next.waitFor(() => steps.includes('contract'), { timeout: 20_000, what: 'the old schema to be left' });
  await opens(old);
  await agree([old, next], NOTES + 2);
  await next.eval(() => notes.set('n0007', noteOf('changed\nby new', { mark: 7 })));

  // Back: the build that leaves brings the old schema back first.
  await site.rollback();
  await moves(old, 'old');
  await opens(old);
  assert.deepEqual(await old.eval(() => notes.get('n0007')), { text: 'changed\nby new', mark: 7 });
  await agree([old, next], NOTES + 2);
  await tell(old, next, 'by old again');
  await tell(next, old, 'by new again');
  await countTogether([old, next], 2);
  for (const tab of [old, next]) assert.deepEqual(await tab.eval(() => errors), []);
});

/** @param {Tab} tab */
async function opens(tab) {
  await tab.eval(() => void openNotes());
  await tab.waitFor(() => globalThis.notes, { timeout: 20_000, what: 'the store to be there for reading and writing' });
}

/**
 * Every tab has all notes, each in its own schema, and what only the test knows of them.
 *
 * @param {Tab[]} tabs
 * @param {number} count
 */
async function agree(tabs, count) {
  const [first, ...others] = await Promise.all(
    tabs.map((tab) => tab.eval(async () => Object.entries(await allNotes()).map(([key, { mark, count, ...note }]) => [key, textOf(note), mark ?? null, count ?? null]))),
  );
  assert.equal(first.length, count);
  for (const other of others) assert.deepEqual(other, first);
}

/**
 * What one tab writes, the other is told and reads.
 *
 * @param {Tab} from
 * @param {Tab} to
 * @param {string} text
 */
async function tell(from, to, text) {
  await from.eval((text) => notes.set('told', noteOf(`word\n${text}`, { mark: text })), text);
  await to.waitFor((text) => changes.findLast(({ key }) => key === 'told')?.value?.mark === text, text, { timeout: 10_000, what: `the change ${text}` });
  assert.deepEqual(await to.eval(async () => [textOf(await notes.get('told')), /** @type {Note} */ (await notes.get('told')).mark]), [`word\n${text}`, text]);
}

/**
 * Both count on one note at the same time.
 *
 * @param {Tab[]} tabs
 */
async function countTogether(tabs, times = 1) {
  const count = (/** @type {Tab} */ tab) =>
    tab.eval(async (rounds) => {
      for (let round = 0; round < rounds; round += 1) await notes.update('counter', (note) => ({ ...noteOf('counted'), ...note, count: (note?.count ?? 0) + 1 }));
    }, ROUNDS);
  await Promise.all(tabs.map(count));
  for (const tab of tabs) assert.equal(/** @type {Note} */ (await tab.eval(() => notes.get('counter'))).count, 2 * ROUNDS * times);
}
