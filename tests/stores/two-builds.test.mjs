// Two builds at once over one store: each reads its own schema, nothing is lost, the old one is left in the end.
import assert from 'node:assert/strict';

import { inBrowsers } from '../e2e/browsers.mjs';
import { openBuild, startStoreSite } from './site.mjs';

/** @import { StoreSite } from './site.mjs' */
/** @import { Browser, Engine, Tab } from '../e2e/types.d.ts' */

inBrowsers('a record is written, read, listed, updated and removed', {}, async (t, browser) => {
  const site = await startStoreSite(t);
  const tab = await openBuild(browser, site, 1, { initial: JSON.stringify({ ada: { name: 'Ada Byron' } }) });
  const seen = await tab.eval(async () => {
    await store.set('grace', { name: 'Grace Hopper', born: new Date(0) });
    const updated = await store.update('ada', (value) => ({ ...value, name: 'Ada Lovelace' }));
    const grace = await store.get('grace');
    const keys = (await store.list()).map(([key]) => key);
    await store.delete('grace');
    return { updated, isDate: /** @type {NonNullable<typeof grace>} */ (grace).born instanceof Date, keys, gone: (await store.get('grace')) === undefined, mode: store.mode.kind };
  });
  assert.deepEqual(seen, { updated: { name: 'Ada Lovelace' }, isDate: true, keys: ['ada', 'grace'], gone: true, mode: 'readWrite' });
});

for (const [writes, only] of /** @type {[number, Engine[]][]} */ ([[1_000, ['chromium']], [200, ['firefox', 'webkit']]])) {
  inBrowsers(`${writes} writes of two builds in turn lose nothing, and each build sees them in its own schema`, { only, timeout: 120_000 }, async (t, browser) => {
    const site = await startStoreSite(t);
    await browser.open(`${site.url}/blank`);
    const [one, two] = await openBoth(browser, site);
    const random = randomFrom(7);
    const reference = new Map();
    const operation = (/** @type {number} */ count) => {
      const [key, kind, old] = [`k${random(20)}`, random(8), random(2) === 0];
      const value = old ? { name: `f${count} l${count}` } : { first: `f${count}`, last: `l${count}`, note: `n${count}` };
      return { tab: old ? one : two, key, old, kind: kind === 0 ? 'delete' : kind < 4 ? 'update' : 'set', value };
    };
    for (let count = 0; count < writes; count += 1) {
      const { tab, key, old, kind, value } = operation(count);
      await tab.eval(async (kind, key, value) => (kind === 'delete' ? store.delete(key) : kind === 'set' ? store.set(key, value) : store.update(key, (now) => ({ ...now, ...value }))), kind, key, value);
      const known = reference.get(key);
      if (kind === 'delete') reference.delete(key);
      // The old build does not know the note, so what it says leaves it alone.
      else if (old) reference.set(key, { first: `f${count}`, last: `l${count}`, note: known?.note ?? '' });
      else reference.set(key, value);
      if (count % 10 === 0) await agree(one, two, reference, `after write ${count}`);
    }
    await agree(one, two, reference, 'in the end');
    await converge([one, two], [...reference.keys()]);
    await leaveAndComeBack(browser, site, one, two, reference);
  });
}

inBrowsers('two builds that count on the same records at the same time lose no increment, and subscribers converge', { timeout: 120_000 }, async (t, browser) => {
  const site = await startStoreSite(t);
  await browser.open(`${site.url}/blank`);
  const [one, two] = await openBoth(browser, site);
  const rounds = browser.engine === 'firefox' ? 60 : 250;
  const count = (/** @type {Tab} */ tab, /** @type {number} */ seed) =>
    tab.eval(
      async (rounds, seed) => {
        const add = (/** @type {{count?: number} | undefined} */ value) => ({ first: 'f', last: 'l', note: '', ...value, count: (value?.count ?? 0) + 1 });
        const old = (/** @type {{count?: number} | undefined} */ value) => ({ name: 'f l', ...value, count: (value?.count ?? 0) + 1 });
        const jobs = [];
        for (let round = 0; round < rounds; round += 1) {
          jobs.push(store.update(`counter${(round * seed) % 5}`, /** @type {(value: Person | undefined) => Person} */ (store.schema === 1 ? old : add)), store.set(`${store.schema}-${round}`, store.schema === 1 ? { name: `f ${round}` } : { first: 'f', last: `${round}`, note: '' }));
          if (round % 7 === 0) await jobs.at(-1);
        }
        await Promise.all(jobs);
      },
      rounds,
      seed,
    );
  await Promise.all([count(one, 3), count(two, 2)]);
  for (const tab of [one, two]) {
    const found = await tab.eval(async () => {
      const all = await everything();
      const counters = Object.entries(all).filter(([key]) => key.startsWith('counter'));
      return { sum: counters.reduce((sum, [, { count }]) => sum + /** @type {number} */ (count), 0), records: Object.keys(all).length - counters.length };
    });
    assert.deepEqual(found, { sum: 2 * rounds, records: 2 * rounds });
  }
  await converge([one, two], ['counter0', 'counter1', 'counter2', 'counter3', 'counter4', '1-0', '2-0', `1-${rounds - 1}`, `2-${rounds - 1}`]);
});

inBrowsers('two tabs of the new build migrate together, and a third one that comes later finds it done', {}, async (t, browser) => {
  const site = await startStoreSite(t);
  await browser.open(`${site.url}/blank`);
  const old = await openBuild(browser, site, 1, { people: 2_000 });
  await old.close();
  const tabs = [await openBuild(browser, site, 2, FAST), await openBuild(browser, site, 2, FAST)];
  await tabs[0].waitFor(async () => (await readHead()).schema === 2, { timeout: 20_000 });
  tabs.push(await openBuild(browser, site, 2, FAST));
  for (const tab of tabs) assert.ok((await tab.eval(() => inspect(2_000))).whole);
  const contractions = await Promise.all(tabs.map((tab) => tab.eval(() => progress.filter(({ phase }) => phase === 'contract').length)));
  assert.equal(contractions.reduce((sum, count) => sum + count), 1, 'one of them left the old schema');
});

const FAST = { dwell: 300, census: 100, batch: 200 };

/**
 * @param {Browser} browser
 * @param {StoreSite} site
 */
async function openBoth(browser, site) {
  return [await openBuild(browser, site, 1, FAST), await openBuild(browser, site, 2, FAST)];
}

/**
 * The same numbers for the same seed.
 *
 * @param {number} seed
 */
function randomFrom(seed) {
  return (/** @type {number} */ end) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * end);
  };
}

const asOld = (/** @type {Person} */ { first, last }) => ({ name: `${first} ${last}` });
const sorted = (/** @type {object} */ object) => Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));

/**
 * Both builds have exactly what the reference says.
 *
 * @param {Tab} one
 * @param {Tab} two
 * @param {Map<string, Person>} reference
 * @param {string} when
 */
async function agree(one, two, reference, when) {
  const all = sorted(Object.fromEntries(reference));
  const olds = Object.fromEntries(Object.entries(all).map(([key, value]) => [key, asOld(value)]));
  assert.deepEqual(await one.eval(() => everything()), olds, `schema 1 ${when}`);
  assert.deepEqual(await two.eval(() => everything()), all, `schema 2 ${when}`);
}

/**
 * What each tab was told last about these records is what they hold.
 *
 * @param {Tab[]} tabs
 * @param {string[]} keys
 */
async function converge(tabs, keys) {
  for (const tab of tabs) {
    await tab.waitFor(
      async (keys) => {
        for (const key of keys) {
          const told = changes.findLast((change) => change.key === key);
          if (!told || JSON.stringify(told.value) !== JSON.stringify(await store.get(key))) return false;
        }
        return true;
      },
      keys,
      { what: 'the last news of each record to be its value' },
    );
  }
}

/**
 * The old build closes, its schema is left, comes back as a backup, and in the end comes back to life.
 *
 * @param {Browser} browser
 * @param {StoreSite} site
 * @param {Tab} one
 * @param {Tab} two
 * @param {Map<string, Person>} reference
 */
async function leaveAndComeBack(browser, site, one, two, reference) {
  await one.close();
  await two.waitFor(() => progress.some(({ phase, from, to }) => phase === 'contract' && from === 1 && to === 2), { timeout: 20_000, what: 'the old schema to be left' });
  assert.deepEqual(await two.eval(() => everything()), sorted(Object.fromEntries(reference)));

  await two.close();
  const olds = Object.fromEntries(Object.entries(sorted(Object.fromEntries(reference))).map(([key, value]) => [key, asOld(value)]));
  const alone = await openBuild(browser, site, 1, FAST);
  assert.deepEqual(await alone.eval(() => everything()), olds, 'its data as it was left');
  const refused = await alone.eval(() => attempt(() => store.set('k0', { name: 'too late' })));
  assert.equal(refused.code, 'backup_only');
  assert.equal(refused.message, 'store "people" has gone on from schema 1; this build reads its backup and cannot write');

  const again = await openBuild(browser, site, 2, FAST);
  await again.eval(() => store.set('fresh', { first: 'Fresh', last: 'Record', note: 'new' }));
  await alone.waitFor(() => store.mode.kind === 'readWrite', { timeout: 20_000, what: 'the old schema to come back' });
  assert.deepEqual(await alone.eval(() => everything()), sorted({ ...olds, fresh: { name: 'Fresh Record' } }));
  await alone.waitFor(() => changes.some(({ key }) => key === null), { what: 'subscribers of all to be told that they may have missed something' });
  await alone.eval(() => store.set('fresh', { name: 'Old Record' }));
  await again.waitFor(() => changes.findLast(({ key }) => key === 'fresh')?.value?.first === 'Old', { what: 'the newer build to be told' });
  assert.deepEqual(await again.eval(() => store.get('fresh')), { first: 'Old', last: 'Record', note: 'new' }, 'with the note that the old build cannot know');
  assert.equal(await again.eval(async () => (await readHead()).schema), 1);
}
