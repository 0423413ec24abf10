// Capability levels: without WebAssembly, or without the runtime, detection and the prompt still work, and nothing loops.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { inBrowsers, screenshotPath, until } from './browsers.mjs';
import { odd, RELEASE } from './server.mjs';
import { openApp, promptIsUp, RELOAD_BUTTON, shows, startSite } from './site.mjs';

/** @import { Engine, Site, Tab } from './types.d.ts' */

const STRICT = "default-src 'self'; img-src 'self' data:; style-src 'self'; object-src 'none'; base-uri 'none'; script-src 'self'";
const ATTRIBUTES = { attributes: { 'data-interval': 1000 } };
/** @type {{name: string, options: {only?: Engine[], flags?: string[]}, prepare: (site: Site) => Promise<void>, check: (tab: Tab) => Promise<void>, carriesState?: boolean}[]} */
const WAYS = [
  {
    name: 'no WebAssembly in the browser',
    options: { only: ['chromium'], flags: ['--js-flags=--jitless'] },
    async prepare() {},
    check: async (/** @type {Tab} */ tab) => assert.equal(await tab.eval(() => typeof WebAssembly), 'undefined'),
    carriesState: true,
  },
  {
    name: "a policy without 'wasm-unsafe-eval'",
    options: {},
    async prepare(/** @type {Site} */ site) {
      site.edge.addHeaders({ 'content-security-policy': STRICT });
    },
    // The attempt itself is the one violation there is: a probe would be another.
    async check(/** @type {Tab} */ tab) {
      const violations = /** @type {string[] & (() => string[])} */ (await tab.eval(() => violations()));
      assert.ok(violations.length <= 1 && violations.every((/** @type {string} */ text) => /wasm/.test(text)), violations.join('; '));
    },
    carriesState: true,
  },
  {
    name: 'a runtime that is gone from the server',
    options: { only: ['chromium', 'firefox'] },
    async prepare(/** @type {Site} */ site) {
      site.edge.answer('/runtime.js', odd.status(404));
    },
    check: async () => {},
  },
  {
    name: 'HTML in place of the runtime',
    options: { only: ['chromium'] },
    async prepare(/** @type {Site} */ site) {
      site.edge.answer('/runtime.js', odd.html());
    },
    check: async () => {},
  },
];

for (const way of WAYS) {
  inBrowsers(`with ${way.name} a tab still learns of the next build and moves to it`, way.options, async (t, browser) => {
    const site = await startSite(t, ATTRIBUTES);
    await way.prepare(site);
    const tab = await openApp(browser, site, { path: '/orders?x=1#row-3', level: 'loader', stream: null });
    await way.check(tab);
    t.diagnostic(`level reason: ${await tab.eval(() => changeover.status.levelReason)}`);
    assert.ok(await tab.eval(() => changeover.status.levelReason));
    await tab.type('#draft', 'by hand');

    await site.publish('two');
    await tab.waitFor(buttonThatSays, 'Reload', { what: 'the banner' });
    await tab.screenshot(screenshotPath(`loader-level-${way.name.replaceAll(/\W+/g, '-')}-${browser.engine}`));
    assert.equal(await tab.eval(() => loads), 1);
    await press(tab, 'Reload');
    // Where our JavaScript runs, registered state comes along; the loader alone has no bytes for it.
    await shows(tab, 'two', way.carriesState ? 'by hand' : undefined);
    await tab.waitFor(() => globalThis.ready && changeover.status.level === 'loader');
    assert.match(await tab.eval(() => location.href), /\/orders\?x=1#row-3$/);
    assert.equal(await tab.eval(() => loads), 2);
    await tab.eval(() => changeover.check().then(() => null));
    assert.equal(await tab.eval(buttonThatSays, 'Reload'), null, 'nothing more to ask');
    assert.deepEqual(await tab.eval(() => errors()), []);
  });
}

inBrowsers("a strict policy with 'wasm-unsafe-eval' gives the full guard and is not violated once", {}, async (t, browser) => {
  const site = await startSite(t, ATTRIBUTES);
  const types = "require-trusted-types-for 'script'; trusted-types changeover";
  site.edge.addHeaders({ 'content-security-policy': `${STRICT} 'wasm-unsafe-eval'; ${types}` });
  const tab = await openApp(browser, site);
  await site.publish('two');
  await tab.waitFor(promptIsUp);
  await tab.locate(RELOAD_BUTTON);
  await tab.screenshot(screenshotPath(`prompt-strict-policy-${browser.engine}`));
  await tab.click(RELOAD_BUTTON);
  await shows(tab, 'two');
  await tab.waitFor(() => changeover.status.level === 'full');
  assert.deepEqual(await tab.eval(() => ({ violations: violations(), errors: errors() })), { violations: [], errors: [] });
});

inBrowsers('at the loader level reload() to a stale server happens once; then it asks', { only: ['chromium'], flags: ['--js-flags=--jitless'] }, async (t, browser) => {
  const site = await startSite(t, ATTRIBUTES);
  const stale = readFileSync(join(site.dir, 'index.html'), 'utf8');
  const tab = await openApp(browser, site, { level: 'loader', stream: null });
  site.edge.answer('/', ({ response }) => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
    response.end(stale);
  });
  await site.publish('two');
  await tab.waitFor(() => changeover.status.skew);
  await tab.eval(() => void changeover.reload());
  await tab.waitFor(() => globalThis.loads === 2 && globalThis.ready, { timeout: 15_000, what: 'one reload' });
  await tab.waitFor(buttonThatSays, 'Reload', { what: 'the banner' });
  await tab.eval(() => void changeover.reload());
  const before = site.edge.count(RELEASE);
  await until(() => site.edge.count(RELEASE) >= before + 3, { timeout: 20_000, what: 'three more looks' });
  assert.equal(await tab.eval(() => loads), 2);
});

inBrowsers('at the loader level odd answers leave the app alone', { only: ['chromium'], flags: ['--js-flags=--jitless'] }, async (t, browser) => {
  const site = await startSite(t, ATTRIBUTES);
  const tab = await openApp(browser, site, { level: 'loader', stream: null });
  for (const answer of [odd.status(500), odd.html(), odd.half(site.releaseText()), odd.empty(), odd.login(), odd.refuse()]) {
    const heal = site.edge.answer(RELEASE, answer);
    await tab.eval(() => changeover.check().then(() => null));
    heal();
    assert.equal(await tab.eval(buttonThatSays, 'Reload'), null);
  }
  assert.deepEqual(await tab.eval(() => ({ loads, errors: errors() })), { loads: 1, errors: [] });
  await site.publish('two');
  await tab.waitFor(buttonThatSays, 'Reload', { timeout: 20_000, what: 'the banner' });
});

/**
 * Waits for the plain banner and presses the button that says so.
 *
 * @param {Tab} tab
 * @param {string} word
 */
async function press(tab, word) {
  const { x, y } = await tab.waitFor(buttonThatSays, word, { what: `a button "${word}"` });
  await tab.clickAt(x, y);
}

/* Runs in the page: the middle of the visible button of ours with this text. The app has no button like it. */
/** @param {string} word */
function buttonThatSays(word) {
  const ours = [...document.querySelectorAll('*')].flatMap((element) => [element, ...(element.shadowRoot?.querySelectorAll('*') ?? [])]);
  const button = ours.find((element) => element.localName === 'button' && element.textContent.trim() === word && element.checkVisibility());
  if (!button) return null;
  const box = button.getBoundingClientRect();
  return { x: Math.round(box.x + box.width / 2), y: Math.round(box.y + box.height / 2) };
}
