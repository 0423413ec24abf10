// The main job: a tab open on one build learns of the next, asks, and comes back on it with its state.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { inBrowsers, screenshotPath } from './browsers.mjs';
import { odd, EVENTS, RELEASE } from './server.mjs';
import { look, openApp, PROMPT, promptIsUp, RELOAD_BUTTON, LATER_BUTTON, shownBuild, shows, startSite, writeApp } from './site.mjs';

/** @import { TestContext } from 'node:test' */
/** @import { Site, Tab } from './types.d.ts' */
/** @import { Prompt } from '../../pkg-template/index.js' */

const PATH = '/orders/7?tab=open&sort=%C3%A4#row-7';
const INTERVAL = 2000;
// Every interval is jittered, so that tabs do not look in step; plus the look itself on a busy machine.
const INTERVAL_AT_MOST = INTERVAL * 1.25 + 500;

inBrowsers('a tab is told of the next build by the event stream in under a second and moves to it', {}, async (t, browser) => {
  const site = await startSite(t);
  const tab = await openApp(browser, site, { path: PATH });
  await workInPage(tab);

  await site.write('two');
  const { at } = await site.publish('two');
  await promptAppears(tab, t, at, 1000, 'event stream');
  await tab.screenshot(screenshotPath(`move-prompt-${browser.engine}`));
  await acceptAndCheck(tab, site);
});

inBrowsers('a tab whose stream is blocked learns of the next build by polling and moves to it', {}, async (t, browser) => {
  const site = await startSite(t, { attributes: { 'data-interval': INTERVAL } });
  site.edge.answer(EVENTS, odd.status(403));
  const tab = await openApp(browser, site, { path: PATH, stream: null });
  await workInPage(tab);
  assert.notEqual(await tab.eval(() => changeover.status.stream), 'open');

  const { at } = await site.publish('two');
  await promptAppears(tab, t, at, INTERVAL_AT_MOST, `polling every ${INTERVAL} ms`);
  await acceptAndCheck(tab, site);
});

inBrowsers('"Later" puts the prompt off for this release, and a newer release asks again', {}, async (t, browser) => {
  const site = await startSite(t);
  const tab = await openApp(browser, site);

  await site.publish('two');
  await tab.waitFor(promptIsUp);
  await tab.click(LATER_BUTTON);
  await tab.waitFor(() => !changeover.status.prompt);
  await tab.waitFor((selector) => !document.querySelector(selector)?.checkVisibility(), PROMPT);
  assert.equal(await tab.eval(() => changeover.status.decision.reason), 'snoozed');

  // The same answer again does not ask again, nor does a page loaded anew in this tab.
  await look(tab);
  assert.equal(await tab.eval(promptIsUp), false);
  assert.equal(await tab.eval(shownBuild), 'one', 'putting it off reloads nothing');

  await site.publish('three');
  await tab.waitFor(promptIsUp);
  await tab.click(RELOAD_BUTTON);
  await shows(tab, 'three');
});

inBrowsers('a build that changes nothing this page has loaded asks nothing; the next that does, asks', { only: ['chromium'] }, async (t, browser) => {
  const site = await startSite(t, {
    build(name, dist) {
      writeApp(name === 'three' ? 'three' : 'one', dist);
      writeFileSync(join(dist, 'report.js'), `export const report = ${JSON.stringify(name)};`);
    },
  });
  const tab = await openApp(browser, site);
  const { release } = await site.publish('two');
  await tab.waitFor((build) => changeover.status.release?.build === build, release.build.id, { what: 'the release to be seen' });
  await tab.waitFor(() => changeover.status.decision.reason === 'nothingLoadedChanged');
  assert.equal(await tab.eval(() => changeover.status.decision.kind), 'ignore');
  assert.equal(await tab.eval(promptIsUp), false);

  await site.publish('three');
  await tab.waitFor(promptIsUp);
  assert.equal(await tab.eval(() => loads), 1);
});

inBrowsers('a rollback is a newer release of an older build, and the tab moves back', { only: ['chromium'] }, async (t, browser) => {
  const site = await startSite(t);
  const before = site.readRelease();
  await site.publish('two');
  const tab = await openApp(browser, site);
  assert.equal(await tab.eval(shownBuild), 'two');

  await site.rollback();
  const after = site.readRelease();
  assert.equal(after.build.id, before.build.id);
  assert.ok(after.sequence > before.sequence + 1, `${after.sequence} comes after two releases`);
  await tab.waitFor(promptIsUp);
  assert.equal(await tab.eval(() => /** @type {Prompt} */ (changeover.status.prompt).build), before.build.id);
  await tab.click(RELOAD_BUTTON);
  await shows(tab, 'one');
  await tab.waitFor(() => changeover.status.level === 'full' && !changeover.status.skew);
});

/** @param {Tab} tab */
async function workInPage(tab) {
  await tab.type('#draft', 'two pounds of tea');
  for (let i = 0; i < 3; i++) await tab.click('#count');
  await tab.scroll(1200);
  await tab.waitFor(() => scrollY === 1200);
}

/**
 * @param {Tab} tab
 * @param {TestContext} t
 * @param {number} renamedAt
 * @param {number} atMost
 * @param {string} source
 */
async function promptAppears(tab, t, renamedAt, atMost, source) {
  await tab.waitFor(promptIsUp, { timeout: atMost + 10_000 });
  await tab.locate(RELOAD_BUTTON);
  const shownAt = await tab.eval(() => /** @type {typeof news[0]} */ (news.find((event) => event.type === 'promptShown')).at);
  const took = shownAt - renamedAt;
  t.diagnostic(`prompt by ${source}: ${took.toFixed(0)} ms after the pointer's rename`);
  assert.ok(took < atMost, `the prompt took ${took.toFixed(0)} ms by ${source}; at most ${atMost} are allowed`);
  const events = await tab.eval(() => news.map((event) => event.type));
  const order = /** @type {const} */ (['releaseSeen', 'skewFound', 'promptShown']).map((type) => events.indexOf(type));
  assert.ok(!order.includes(-1) && order[0] < order[1] && order[1] < order[2], `in order: ${events}`);
  assert.equal(await tab.eval(() => loads), 1, 'nothing reloads before the user agrees');
}

/**
 * @param {Tab} tab
 * @param {Site} site
 */
async function acceptAndCheck(tab, site) {
  const before = await tab.eval(() => ({ href: location.href, scroll: scrollY }));
  await tab.click(RELOAD_BUTTON);
  await shows(tab, 'two');
  await tab.waitFor(() => globalThis.restored && globalThis.ready, { what: 'the state to be restored' });
  await tab.waitFor((y) => Math.abs(scrollY - y) <= 1, before.scroll, { what: `the scroll position ${before.scroll}` });

  const after = await tab.eval(() => ({
    href: location.href,
    draft: /** @type {HTMLInputElement} */ (document.getElementById('draft')).value,
    count: /** @type {Element} */ (document.getElementById('count')).textContent,
    loads,
  }));
  assert.deepEqual(after, { href: before.href, draft: 'two pounds of tea', count: '3', loads: 2 });

  await tab.waitFor(() => changeover.status.level === 'full');
  await tab.waitFor(() => news.some((event) => event.type === 'changeoverDone'), { what: 'changeoverDone' });
  const status = await tab.eval(() => changeover.status);
  assert.equal(status.build, site.readRelease().build.id);
  assert.equal(status.skew, false);
  assert.equal(status.prompt, null);
  assert.deepEqual(await tab.eval(() => errors()), []);
  // A forbidden stream is the test's own doing; browsers report it as a failed resource.
  assert.deepEqual(tab.errors.filter((text) => !text.includes(EVENTS) && !text.includes(RELEASE)), []);
}
