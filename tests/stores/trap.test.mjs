// WebAssembly that traps ends the stores of a page: what was asked is refused, nothing is written, and the page goes on.
import assert from 'node:assert/strict';

import { inBrowsers } from '../e2e/browsers.mjs';
import { openBuild, startStoreSite } from './site.mjs';

const ADA = { name: 'Ada Byron', born: 1815 };
const START = { initial: JSON.stringify({ ada: ADA }) };

/** Where the trap happens: the memory is destroyed before a method is called, or while the database has not answered yet. */
const WAYS = {
  'a method': () => {
    destroy();
    return attempt(() => store.set('ada', { name: 'Ada Lovelace', born: 1815 }));
  },
  'an answer of the database': () =>
    attempt(() => {
      const written = store.set('ada', { name: 'Ada Lovelace', born: 1815 });
      destroy();
      return written;
    }),
};

for (const [name, provoke] of Object.entries(WAYS)) {
  inBrowsers(`a trap in ${name} refuses what was asked and what comes later, and harms no record`, {}, async (t, browser) => {
    const site = await startStoreSite(t);
    const tab = await openBuild(browser, site, 1, { ...START, wound: '' });
    await tab.eval(() => {
      globalThis.uncaught = [];
      addEventListener('error', ({ message }) => uncaught.push(message));
      addEventListener('unhandledrejection', ({ reason }) => uncaught.push(String(reason)));
    });
    const first = await tab.eval(provoke);
    assert.equal(first.code, 'panic');
    assert.match(/** @type {string} */ (first.message), /^stores have stopped: /);
    assert.equal((await tab.eval(() => attempt(() => store.get('ada')))).code, 'panic');

    // Another tab talks to the store of this one, and finds records it can read.
    const other = await openBuild(browser, site, 1);
    const found = await other.eval(() => store.get('ada'));
    assert.ok([ADA.name, 'Ada Lovelace'].includes(/** @type {string} */ (/** @type {NonNullable<typeof found>} */ (found).name)), JSON.stringify(found));
    await other.eval(() => store.set('ada', { name: 'Augusta King', born: 1815 }));
    assert.deepEqual(await tab.eval(() => uncaught), []);
  });
}
