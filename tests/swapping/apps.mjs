// What holds for slots in any framework, with an app that has the same elements in each.
import assert from 'node:assert/strict';

import { inBrowsers } from '../e2e/browsers.mjs';
import { promptIsUp } from '../e2e/site.mjs';
import { startSwapSite } from './site.mjs';
import { CLEAN, committed, ending, keepsWork, leftovers, openWork, showsText, swapped } from './work.mjs';

/** @import { Edits, SwapSite, Tab } from '../e2e/types.d.ts' */
/** @import { TestContext } from 'node:test' */

const COUNTER = 'src/routes/Counter.js';
const MIGRATIONS = `export const schema = 2;
export const migrations = [{ from: 1, to: 2,
  up: ({ counter, ...rest }) => ({ ...rest, counter: { total: counter.count * 10 } }),
  down: ({ counter, ...rest }) => ({ ...rest, counter: { count: counter.total / 10 } }) }];`;

/**
 * @param {'vue' | 'plain'} app
 * @param {{render: string[], later: string[], silent: string[], never?: string[], probation?: object, more?: (t: TestContext, at: {site: SwapSite, tab: Tab, build: string}) => Promise<unknown>}} how edits that throw as it renders,
 *   a second later, and that render nothing; `probation`: what differs while the old generation is still there
 */
export function provesSlots(app, { render, later, silent, never, probation = {}, more }) {
  inBrowsers(`a page in ${app} takes a slot's code under the user's hands, and goes back`, { only: ['firefox', 'webkit'], timeout: 90_000 }, async (t, browser) => {
    const site = await startSwapSite(t, { app });
    const tab = await openWork(browser, site);
    await goesBack(site, tab, site.first);
    await takes(site, tab, { [COUNTER]: [['counter one', 'counter two']] }, '#says', 'counter two');
    assert.deepEqual(tab.errors.filter((error) => !/bad later/.test(error)), []);
  });

  inBrowsers(`a page in ${app} takes all that slots can take, is spared the rest, and asks about the shell`, { only: ['chromium'], timeout: 180_000 }, async (t, browser) => {
    const site = await startSwapSite(t, { app });
    const tab = await openWork(browser, site);
    let build = site.first;
    await t.test('code that throws as it renders', () => isSpared(site, tab, build, render, /bad at render/));
    await t.test('code that throws later', () => goesBack(site, tab, build));
    await t.test('code that renders nothing', () => isSpared(site, tab, build, silent, null, 'swapPaused'));
    if (never) await t.test('code that is never ready', () => isSpared(site, tab, build, never, null, 'swapPaused'));
    await t.test("a route's own code", async () => {
      build = await takes(site, tab, { [COUNTER]: [['counter one', 'counter two']] }, '#says', 'counter two');
    });
    await t.test('a module that slots share', async () => {
      build = await takes(site, tab, { 'src/widgets.js': [['- ${text}', '= ${text}']], [COUNTER]: [['counter one', 'counter three']] }, '#cart-says', '= cart one');
      assert.match(await tab.text('#says'), /counter three/);
    });
    await t.test('a schema with a way to it', async () => {
      const edits = [['count: 0', 'total: 0'], ['counter.count', 'counter.total'], ['value.count', 'value.total'], ['export const schema = 1;', MIGRATIONS]];
      const list = edits.filter(([from]) => site.restore().text(COUNTER).includes(from));
      build = await takes(site, tab, { [COUNTER]: [...list, ['counter one', 'counter four']] }, '#says', 'counter four', { count: ['30'] });
    });
    if (more) await more(t, { site, tab, build });
    await t.test('the shell', async () => {
      const next = await site.restore().publish({ 'src/util.js': [['[${text}]', '<${text}>']] });
      const { refusals } = await tab.waitFor((next) => news.find(({ type, to }) => type === 'swapRefused' && to === next), next, { timeout: 15_000, what: 'the refusal' });
      await tab.waitFor(promptIsUp, { what: 'the prompt' });
      assert.ok(/** @type {NonNullable<typeof refusals>} */ (refusals).some(({ why }) => why === 'entryChanged'), JSON.stringify(refusals));
      await keepsWork(tab, { count: ['30'] });
      assert.equal(await tab.eval(() => guard.status.build), build);
    });
  });

  /**
   * The page takes the edits; then all that was there before is gone.
   *
   * @param {SwapSite} site
   * @param {Tab} tab
   * @param {string} selector
   * @param {string} text
   * @param {Edits} edits
   */
  async function takes(site, tab, edits, selector, text, changed = {}) {
    const build = await site.restore().publish(edits);
    await swapped(tab, selector, text, { ...probation, ...changed });
    await committed(tab, build);
    await keepsWork(tab, changed);
    assert.deepEqual(await tab.eval(leftovers), CLEAN);
    return build;
  }

  /**
   * New code that does not do, found out before the user sees it.
   *
   * @param {SwapSite} site
   * @param {Tab} tab
   * @param {string} from
   * @param {string[]} edit
   * @param {RegExp | null} message
   * @param {string} [decision]
   */
  async function isSpared(site, tab, from, edit, message, decision) {
    const build = await site.restore().publish({ [COUNTER]: [edit, ['counter one', 'a counter that breaks']] });
    const ended = await ending(tab, build);
    assert.equal(ended.outcome, 'aborted', `${ended.reason}: ${ended.message}`);
    if (message) assert.match(/** @type {string} */ (ended.message), message);
    await asBefore(tab, from, decision);
  }

  /**
   * @param {SwapSite} site
   * @param {Tab} tab
   * @param {string} from
   */
  async function goesBack(site, tab, from) {
    const build = await site.restore().publish({ [COUNTER]: [later, ['counter one', 'a counter that breaks later']] });
    await showsText(tab, '#says', 'breaks later');
    const ended = await ending(tab, build);
    assert.deepEqual([ended.outcome, ended.reason], ['rolledBack', 'threw'], /** @type {string} */ (ended.message));
    assert.match(/** @type {string} */ (ended.message), /bad later/);
    await asBefore(tab, from);
  }

  /**
   * A refresh would load what has just failed, so the user is not asked for one; what proves nothing is tried again later.
   *
   * @param {Tab} tab
   * @param {string} build
   */
  async function asBefore(tab, build, decision = 'badBuild') {
    await tab.waitFor((decision) => guard.status.decision.reason === decision, decision, { timeout: 10_000, what: 'the decision to wait' });
    assert.equal(await tab.eval(promptIsUp), false);
    assert.equal(await tab.eval(() => guard.status.build), build);
    await keepsWork(tab);
    assert.deepEqual(await tab.eval(leftovers), CLEAN);
  }
}
