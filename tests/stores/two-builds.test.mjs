// Two builds at once over one store: each reads its own schema, nothing is lost, the old one is left in the end.
import assert from 'node:assert/strict';

import { inBrowsers } from '../e2e/browsers.mjs';
import { openBuild, startStoreSite } from './site.mjs';

inBrowsers('a record is written, read, listed, updated and removed', {}, async (t, browser) => {
  const site = await startStoreSite(t);
  const tab = await openBuild(browser, site, 1, { initial: JSON.stringify({ ada: { name: 'Ada Byron' } }) });
  const seen = await tab.eval(async () => {
    await store.set('grace', { name: 'Grace Hopper', born: new Date(0) });
    const updated = await store.update('ada', (value) => ({ ...value, name: 'Ada Lovelace' }));
    const grace = await store.get('grace');
    const keys = (await store.list()).map(([key]) => key);
    await store.delete('grace');
    return { updated, isDate: grace.born instanceof Date, keys, gone: (await store.get('grace')) === undefined, mode: store.mode.kind };
  });
  assert.deepEqual(seen, { updated: { name: 'Ada Lovelace' }, isDate: true, keys: ['ada', 'grace'], gone: true, mode: 'readWrite' });
});
