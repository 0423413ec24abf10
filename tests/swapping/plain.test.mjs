// Slots without a framework: a function that mounts, and a custom element.
import assert from 'node:assert/strict';

import { provesSlots } from './apps.mjs';
import { ending, keepsWork } from './work.mjs';

/** @import { TestContext } from 'node:test' */

const MOUNT = 'export function mount(host, { state, signal }) {';

provesSlots('plain', {
  render: [MOUNT, `${MOUNT}\n  throw new Error('bad at render');`],
  later: [MOUNT, `${MOUNT}\n  setTimeout(() => { throw new Error('bad later'); }, 1500);`],
  silent: [MOUNT, `${MOUNT}\n  if (schema) return;`],
  never: [MOUNT, `export async function mount(host, { state, signal }) {\n  await new Promise(() => {});`],
  more: (/** @type {TestContext} */ t, { site, tab, build }) =>
    t.test('a custom element under a name that is taken', async () => {
      await tab.eval(() => customElements.define('the-cart', class extends HTMLElement {}));
      const next = await site.restore().publish({ 'src/routes/Cart.js': [['  snapshot() {', "  static { customElements.define('the-cart', this); }\n\n  snapshot() {"]] });
      const ended = await ending(tab, next);
      assert.deepEqual([ended.outcome, ended.reason], ['aborted', 'importFailed']);
      assert.match(/** @type {string} */ (ended.message), /the-cart/);
      await keepsWork(tab, { count: ['30'] });
      assert.equal(await tab.eval(() => guard.status.build), build);
    }),
});
