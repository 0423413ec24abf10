// A tab that slept wakes in another world: what it writes is translated or refused, and never wins without a word.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

import { inBrowsers } from '../e2e/browsers.mjs';
import { openBuild, startStoreSite } from './site.mjs';

/** @import { StoreSite } from './site.mjs' */
/** @import { Browser, Engine, Tab } from '../e2e/types.d.ts' */

const FAST = { dwell: 300, census: 100 };
const SLOW = { dwell: 600_000, census: 100 };
const START = { initial: JSON.stringify({ ada: { name: 'Ada Byron' }, bob: { name: 'Bob Dylan' }, eve: { name: 'Eve Adams' } }) };

/** Each puts a tab to sleep while `meanwhile` runs, and wakes it. */
/** @type {Record<string, {only: Engine[], sleep: (tab: Tab, browser: Browser, site: StoreSite, meanwhile: () => unknown) => Promise<unknown>}>} */
const SLEEPS = {
  'frozen': {
    only: ['chromium'],
    async sleep(/** @type {Tab} */ tab, /** @type {Browser} */ browser, /** @type {StoreSite} */ site, /** @type {() => unknown} */ meanwhile) {
      const devtools = await tab.devtools();
      const other = await browser.open(`${site.url}/blank`);
      await tab.waitFor(() => document.visibilityState === 'hidden');
      await devtools.send('Page.setWebLifecycleState', { state: 'frozen' });
      await sleep(100);
      await meanwhile();
      await devtools.send('Page.setWebLifecycleState', { state: 'active' });
      await tab.bringToFront();
      await other.close();
    },
  },
  'in the back/forward cache': {
    only: ['chromium', 'webkit'],
    async sleep(/** @type {Tab} */ tab, /** @type {Browser} */ browser, /** @type {StoreSite} */ site, /** @type {() => unknown} */ meanwhile) {
      await tab.eval(() => void (globalThis.mark = true));
      await tab.goto(`${site.url}/blank`);
      await meanwhile();
      await tab.back();
      await tab.waitFor(() => globalThis.mark, { what: 'the same page again' });
    },
  },
};

/** Lets the clock of a page jump. */
function loosenClock() {
  const { now } = Date;
  globalThis.jump = (by) => {
    Date.now = () => now.call(Date) + by;
  };
}

for (const [place, { only, sleep: fallAsleep }] of Object.entries(SLEEPS)) {
  inBrowsers(`a tab that was ${place} while a newer build wrote is translated, or told of the conflict`, { only }, async (t, browser) => {
    const site = await startStoreSite(t);
    await browser.open(`${site.url}/blank`);
    const stale = await openBuild(browser, site, 1, { ...SLOW, ...START });
    // Who listens to all hears of what it missed, and then knows what it overwrites.
    await stale.eval(() => (unsubscribe(), everything()));
    await fallAsleep(stale, browser, site, async () => {
      const newer = await openBuild(browser, site, 2, SLOW);
      await newer.eval(() => store.set('ada', { first: 'Ada', last: 'Lovelace', note: 'countess' }));
      await newer.eval(() => store.delete('eve'));
      await newer.close();
    });
    const woken = await stale.eval(async () => ({
      changed: await attempt(() => store.set('ada', { name: 'Ada King' })),
      removed: await attempt(() => store.set('eve', { name: 'Eve Again' })),
      gone: await attempt(() => store.delete('ada')),
      same: await attempt(() => store.set('bob', { name: 'Bob Marley' })),
      unseen: await attempt(() => store.set('new', { name: 'New Record' })),
      updated: await attempt(() => store.update('ada', (value) => ({ ...value, title: 'countess' }))),
    }));
    const conflict = (/** @type {string} */ key) => ({ code: 'conflict', store: 'people', message: `store "people": "${key}" was changed since this tab last saw it` });
    assert.deepEqual(woken, { changed: conflict('ada'), removed: conflict('eve'), gone: conflict('ada'), same: {}, unseen: {}, updated: { value: { name: 'Ada Lovelace', title: 'countess' } } });
    const after = await stale.eval(async () => {
      const found = await store.get('ada');
      return [found, await attempt(() => store.set('ada', { name: 'Ada King' }))];
    });
    assert.deepEqual(after, [{ name: 'Ada Lovelace', title: 'countess' }, {}], 'once it has seen the new value, it may write');
    const newer = await openBuild(browser, site, 2, SLOW);
    assert.deepEqual(await newer.eval(() => everything()), {
      ada: { first: 'Ada', last: 'King', note: 'countess' },
      bob: { first: 'Bob', last: 'Marley', note: '' },
      new: { first: 'New', last: 'Record', note: '' },
    });
  });

  inBrowsers(`a tab that was ${place} while its schema was left reads the backup and cannot write`, { only }, async (t, browser) => {
    const site = await startStoreSite(t);
    await browser.open(`${site.url}/blank`);
    const stale = await openBuild(browser, site, 1, { ...FAST, ...START });
    await fallAsleep(stale, browser, site, async () => {
      const newer = await openBuild(browser, site, 2, FAST);
      await newer.waitFor(async () => (await readHead()).schema === 2, { timeout: 20_000, what: 'the schema of the sleeping tab to be left' });
      await newer.eval(() => store.set('ada', { first: 'Newer', last: 'Value', note: '' }));
      await newer.close();
    });
    const woken = await stale.eval(async () => ({
      write: await attempt(() => store.set('ada', { name: 'Older Value' })),
      update: await attempt(() => store.update('ada', (value) => ({ name: `${/** @type {NonNullable<typeof value>} */ (value).name}!` }))),
      remove: await attempt(() => store.delete('ada')),
      read: await store.get('ada'),
      mode: store.mode.kind,
    }));
    const refused = { code: 'backup_only', store: 'people', message: 'store "people" has gone on from schema 1; this build reads its backup and cannot write' };
    assert.deepEqual(woken, { write: refused, update: refused, remove: refused, read: { name: 'Ada Byron' }, mode: 'backup' });
    const newer = await openBuild(browser, site, 2, { ...FAST, census: 600_000 });
    assert.deepEqual(await newer.eval(() => store.get('ada')), { first: 'Newer', last: 'Value', note: '' });
  });
}

inBrowsers('a tab whose clock has jumped does not trust what it saw before, and hears what it missed', {}, async (t, browser) => {
  const site = await startStoreSite(t);
  await browser.open(`${site.url}/blank`);
  const stale = await openBuild(browser, site, 1, { ...SLOW, ...START });
  await stale.eval(() => (unsubscribe(), everything()));
  await stale.eval(loosenClock);
  const newer = await openBuild(browser, site, 2, SLOW);
  await newer.eval(() => store.set('bob', { first: 'Bob', last: 'Marley', note: '' }));
  const woken = await stale.eval(async () => {
    store.subscribe((change) => changes.push(/** @type {typeof changes[0]} */ (change)));
    jump(86_400_000);
    return [await attempt(() => store.set('bob', { name: 'Bob Builder' })), changes.some(({ key }) => key === null)];
  });
  assert.deepEqual([/** @type {{code?: string}} */ (woken[0]).code, woken[1]], ['conflict', true]);
  assert.deepEqual(await newer.eval(() => store.get('bob')), { first: 'Bob', last: 'Marley', note: '' });
});

inBrowsers('what a tab saw of a backup does not overwrite what was written meanwhile, once the schema is back', {}, async (t, browser) => {
  const site = await startStoreSite(t);
  await browser.open(`${site.url}/blank`);
  const first = await openBuild(browser, site, 1, { ...FAST, ...START });
  await first.close();
  const newer = await openBuild(browser, site, 2, FAST);
  await newer.waitFor(async () => (await readHead()).schema === 2, { timeout: 20_000 });
  await newer.close();
  const back = await openBuild(browser, site, 1, { ...FAST, census: 600_000 });
  assert.equal(await back.eval(() => store.mode.kind), 'backup');
  assert.equal(/** @type {Person} */ (await back.eval(() => store.get('ada'))).name, 'Ada Byron');
  const again = await openBuild(browser, site, 2, { ...FAST, census: 600_000 });
  await again.eval(() => store.set('ada', { first: 'Ada', last: 'Lovelace', note: 'countess' }));
  const asking = await openBuild(browser, site, 1, FAST);
  await back.waitFor(() => store.mode.kind === 'readWrite', { timeout: 20_000, what: 'the schema to come back' });
  const written = await back.eval(async () => [await attempt(() => store.set('ada', { name: 'Ada King' })), await store.get('ada')]);
  assert.equal(/** @type {{code?: string}} */ (written[0]).code, 'conflict');
  assert.deepEqual(written[1], { name: 'Ada Lovelace' });
  await asking.close();
});
