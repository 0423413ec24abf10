// The loader level with comfort, where WebAssembly is blocked and the runtime's JavaScript is not.
import assert from 'node:assert/strict';
import { screenshotPath, until, withBrowser } from '../prompt/harness.mjs';
import { BANNER, BLOCKED_RUNTIME, startSite, WATCHING } from './site.mjs';

/** @import { BrowserContext, Page } from 'puppeteer-core' */
/** @import { TestContext } from 'node:test' */
/** @import { Prompt } from '../../pkg-template/index.js' */

const APP = `
globalThis.restored = [];
globalThis.draft = 'by hand';
changeover.state('draft', { capture: () => draft, restore: (value) => restored.push(value) });
`;
const RELEASE = '/changeover/release.json';

/**
 * @param {TestContext} t
 * @param {BrowserContext} browser
 */
async function start(t, browser, options = {}) {
  const site = await startSite({ head: WATCHING, runtime: BLOCKED_RUNTIME, body: '<input id="field"><script src="/app.js"></script>', ...options });
  t.after(site.close);
  site.answers['/app.js'] = APP;
  const page = await browser.newPage();
  await page.goto(site.origin);
  await until(page, () => globalThis.changeover?.status.level === 'loader');
  return { site, page };
}

const ask = async (/** @type {Awaited<ReturnType<typeof startSite>>} */ site, /** @type {Page} */ page) => {
  site.publish(101, 'two', { message: 'A better cart.' });
  await until(page, () => document.querySelector('changeover-prompt'));
};
const part = (/** @type {Page} */ page, /** @type {string} */ name) => page.evaluate((name) => /** @type {PromptElement | null} */ (document.querySelector('changeover-prompt'))?.shadowRoot.querySelector(`[part=${name}]`).textContent, name);
const press = (/** @type {Page} */ page, /** @type {string} */ name) => page.evaluate((name) => /** @type {HTMLElement} */ (/** @type {ShadowRoot} */ (/** @type {Element} */ (document.querySelector('changeover-prompt')).shadowRoot).querySelector(`[part=${name}]`)).click(), name);

withBrowser('where WebAssembly is blocked the full prompt asks, and registered state comes along', { engines: ['chromium', 'firefox'] }, async (t, browser, engine) => {
  const { site, page } = await start(t, browser);
  await ask(site, page);
  assert.equal(await page.$(BANNER), null, 'no plain banner');
  assert.equal(await part(page, 'message'), 'A better cart.');
  assert.deepEqual(await page.evaluate(() => changeover.status.prompt), {
    reason: 'newBuild', sequence: 101, build: 'two', message: 'A better cart.', canSnooze: true, countdownUntil: null, busy: null, trouble: null,
  });
  await page.screenshot({ path: screenshotPath('loader', `equipped-${engine}`) });
  site.deploy('two');
  await press(page, 'reload');
  await until(page, () => sessionStorage.visits === '2' && globalThis.restored?.length);
  assert.deepEqual(await page.evaluate((path) => [restored, sessionStorage.getItem(`changeover:${path}:envelope`), seen], RELEASE), [['by hand'], null, []]);
  await until(page, () => changeover.status.level === 'loader' && changeover.status.release);
  assert.equal(await page.evaluate(() => changeover.status.prompt), null);
});

withBrowser('a hold delays the reload, and the prompt says for what', {}, async (t, browser) => {
  const { site, page } = await start(t, browser);
  await page.evaluate(() => (globalThis.done = changeover.hold('Upload of report.pdf')));
  assert.deepEqual(await page.evaluate(() => changeover.status.holds.map(({ reason }) => reason)), ['Upload of report.pdf']);
  await ask(site, page);
  await press(page, 'reload');
  await until(page, () => /report\.pdf/.test(/** @type {Element} */ (/** @type {ShadowRoot} */ (/** @type {Element} */ (document.querySelector('changeover-prompt')).shadowRoot).querySelector('[part=waiting]')).textContent));
  await new Promise((go) => setTimeout(go, 700));
  assert.equal(await page.evaluate(() => sessionStorage.visits), '1');
  await page.evaluate(() => done());
  await until(page, () => sessionStorage.visits === '2');
});

withBrowser('a hold whose deadline has passed no longer counts', {}, async (t, browser) => {
  const { site, page } = await start(t, browser);
  await page.evaluate(() => void changeover.hold('forgotten', { deadline: 300 }));
  await ask(site, page);
  await press(page, 'reload');
  await until(page, () => sessionStorage.visits === '2');
});

withBrowser('state that cannot be saved stops the reload; the user may insist; what could be saved comes along', {}, async (t, browser) => {
  const { site, page } = await start(t, browser);
  await page.evaluate(() => void changeover.state('cart', { capture() { throw new Error('no'); }, restore() {} }));
  await ask(site, page);
  assert.equal(await page.evaluate(() => changeover.reload()), 'stateNotSaved');
  await until(page, () => /** @type {Element} */ (/** @type {ShadowRoot} */ (/** @type {Element} */ (document.querySelector('changeover-prompt')).shadowRoot).querySelector('[part=reload]')).textContent === 'Reload anyway');
  assert.match(/** @type {string} */ (await part(page, 'trouble')), /could not be saved/);
  assert.deepEqual(await page.evaluate((path) => [sessionStorage.visits, sessionStorage.getItem(`changeover:${path}:envelope`)], RELEASE), ['1', null]);
  await press(page, 'reload');
  await until(page, () => sessionStorage.visits === '2' && globalThis.restored?.length);
  assert.deepEqual(await page.evaluate(() => restored), ['by hand']);
});

withBrowser('offline and unreachable servers are told, keep the page, and leave no old state behind', {}, async (t, browser) => {
  const { site, page } = await start(t, browser);
  await ask(site, page);
  await page.setOfflineMode(true);
  await press(page, 'reload');
  await until(page, () => /offline/.test(/** @type {{querySelector(selector: string): PromptElement}} */ (/** @type {unknown} */ (document)).querySelector('changeover-prompt').shadowRoot.querySelector('[part=trouble]').textContent));
  await page.setOfflineMode(false);
  const document = site.answers['/'];
  site.answers['/'] = (request, response) => response.destroy();
  await press(page, 'reload');
  await until(page, () => /does not answer/.test(/** @type {Element} */ (/** @type {ShadowRoot} */ (/** @type {Element} */ (globalThis.document.querySelector('changeover-prompt')).shadowRoot).querySelector('[part=trouble]')).textContent));
  assert.deepEqual(await page.evaluate((path) => [sessionStorage.visits, sessionStorage.getItem(`changeover:${path}:envelope`), seen], RELEASE), ['1', null, []]);
  site.answers['/'] = document;
  await press(page, 'reload');
  await until(page, () => sessionStorage.visits === '2');
});

withBrowser('a reload that did not take is told as such, the focus stays, and "Later" puts it off', {}, async (t, browser) => {
  const { site, page } = await start(t, browser);
  await ask(site, page);
  await page.evaluate(() => void changeover.reload());
  await until(page, () => sessionStorage.visits === '2' && document.querySelector('changeover-prompt'));
  await page.focus('#field');
  await page.evaluate(() => /** @type {HTMLElement} */ (/** @type {ShadowRoot} */ (/** @type {Element} */ (document.querySelector('changeover-prompt')).shadowRoot).querySelector('[part=later]')).focus());
  assert.equal(await page.evaluate(() => changeover.reload()), 'reloadDidNotTake');
  await until(page, () => /** @type {Prompt} */ (changeover.status.prompt).trouble === 'reloadDidNotTake');
  await new Promise((go) => setTimeout(go, 400));
  assert.equal(await page.evaluate(() => /** @type {Element} */ (document.activeElement).localName), 'changeover-prompt');
  await press(page, 'later');
  await until(page, () => !document.querySelector('changeover-prompt'));
  assert.equal(await page.evaluate(() => /** @type {Element} */ (document.activeElement).id), 'field');
  assert.equal(await page.evaluate(() => sessionStorage.visits), '2');
});

withBrowser('dispose() at this level takes the prompt away', {}, async (t, browser) => {
  const { site, page } = await start(t, browser);
  await ask(site, page);
  await page.evaluate(() => changeover.dispose());
  await until(page, () => !document.querySelector('changeover-prompt'));
  assert.equal(await page.evaluate(() => changeover.status.level), 'off');
});

withBrowser('a picture that is gone and a style that a policy blocks are no reason to ask for a refresh', {}, async (t, browser) => {
  const policy = '<meta http-equiv="content-security-policy" content="style-src \'self\'">';
  const { site, page } = await start(t, browser, { head: `${WATCHING}${policy}`, body: '<link rel="preload" as="image" href="/gone.png"><style>p { color: red }</style><script src="/app.js"></script>' });
  await ask(site, page);
  assert.ok(await page.evaluate(() => performance.getEntriesByName(`${location.origin}/gone.png`).length), 'it was asked for');
  assert.equal(await page.evaluate(() => /** @type {Prompt} */ (changeover.status.prompt).reason), 'newBuild');
});

withBrowser('without storage the app is told that it may not reload, and the user sees no warning of lost work', {}, async (t, browser) => {
  const denied = `<script>for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(globalThis, name, { get() { throw new DOMException('denied', 'SecurityError'); } });</script>`;
  const { site, page } = await start(t, browser, { head: denied, body: '<p></p>' });
  let visits = 0;
  page.on('load', () => visits++);
  await ask(site, page);
  assert.equal(await page.evaluate(() => changeover.reload()), 'reloadDidNotTake');
  assert.equal(await page.evaluate(() => /** @type {Prompt} */ (changeover.status.prompt).trouble), 'reloadDidNotTake');
  assert.equal(await part(page, 'trouble'), '');
  assert.equal(visits, 0);
  await press(page, 'reload');
  while (!visits) await new Promise((go) => setTimeout(go, 20));
});
