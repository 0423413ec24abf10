// Slots in a Vue app without single-file components.
import assert from 'node:assert/strict';

import { inBrowsers } from '../e2e/browsers.mjs';
import { provesSlots } from './apps.mjs';
import { startSwapSite } from './site.mjs';
import { committed, openWork, showsText } from './work.mjs';

const SETUP = '  setup() {\n    const state';

provesSlots('vue', {
  render: ['return () =>\n', "return () => { throw new Error('bad at render'); };\n    return () =>\n"],
  later: [SETUP, "  setup() {\n    onMounted(() => setTimeout(() => { throw new Error('bad later'); }, 1500));\n    const state"],
  silent: ['return () =>\n', 'return () => null;\n    return () =>\n'],
  never: [SETUP, '  async setup() {\n    await new Promise(() => {});\n    const state'],
  // The old generation goes on, hidden, until the new one stays.
  probation: { timers: 2 },
});

inBrowsers('a value that a generation does not ask for, as behind a `v-if`, is there for a later one', { only: ['chromium'], timeout: 90_000 }, async (t, browser) => {
  const site = await startSwapSite(t, { app: 'vue' });
  const tab = await openWork(browser, site);
  const STATE = "useSlotState('counter', () => ({ count: 0 }))";
  const closed = [STATE, `globalThis.countless ? { value: { count: 'closed' } } : ${STATE}`];
  const takes = async (/** @type {string} */ says) => {
    const build = await site.restore().publish({ 'src/routes/Counter.js': [closed, ['counter one', says]] });
    await showsText(tab, '#says', says);
    await committed(tab, build);
    return tab.text('#count');
  };
  await tab.eval(() => void (globalThis.countless = true));
  assert.deepEqual([await takes('counter two'), await takes('counter three')], ['closed', 'closed']);
  await tab.eval(() => void (globalThis.countless = false));
  assert.equal(await takes('counter four'), '3');
});
