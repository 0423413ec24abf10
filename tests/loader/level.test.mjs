// The loader level: detection, a plain banner and reload, all by the loader alone.
import assert from 'node:assert/strict';
import { screenshotPath, send, until, withBrowser } from '../prompt/harness.mjs';
import { BANNER, startSite, WATCHING } from './site.mjs';

/** @import { Page } from 'puppeteer-core' */
/** @import { IncomingMessage, ServerResponse } from 'node:http' */
/** @import { Prompt, Status } from '../../pkg-template/index.js' */

const RELEASE = '/changeover/release.json';

const levelIs = (/** @type {Page} */ page, /** @type {Status['level']} */ level) => until(page, (/** @type {Status['level']} */ level) => globalThis.changeover?.status.level === level, level);
const bannerIsUp = (/** @type {Page} */ page) => until(page, (/** @type {string} */ selector) => document.querySelector(selector)?.querySelectorAll('button').length === 2, BANNER);
const press = (/** @type {Page} */ page, /** @type {string} */ name) =>
  page.evaluate((selector, name) => /** @type {HTMLElement} */ ([...document.querySelectorAll(`${selector} button`)].find((button) => button.textContent === name)).click(), BANNER, name);

const WAYS = [
  { name: 'is not there', runtime: null },
  { name: 'is HTML', runtime: null, answer: (/** @type {IncomingMessage} */ request, /** @type {ServerResponse} */ response) => send(response, 200, '<!doctype html><h1>Not found</h1>', '.html') },
  { name: 'throws while it is evaluated', runtime: 'throw new Error("evaluation");' },
  { name: 'throws when it attaches', runtime: 'export function attach() { throw new Error("attach"); }' },
  { name: 'rejects when it attaches', runtime: 'export const attach = async () => { throw new WebAssembly.CompileError("blocked"); };' },
  { name: 'is something else', runtime: 'export const other = 1;' },
];

for (const { name, runtime, answer } of WAYS) {
  withBrowser(`a page whose runtime ${name} learns of the next build, asks, and moves`, { engines: ['chromium', 'firefox'] }, async (t, browser, engine) => {
    const site = await startSite({ head: WATCHING, runtime });
    t.after(site.close);
    if (answer) site.answers['/runtime.js'] = answer;
    const page = await browser.newPage();
    await page.goto(`${site.origin}/?x=1#here`);
    await levelIs(page, 'loader');
    assert.ok(await page.evaluate(() => changeover.status.levelReason));

    site.publish(101, 'two');
    site.deploy('two');
    await bannerIsUp(page);
    assert.deepEqual(await page.evaluate(() => ({ skew: changeover.status.skew, build: /** @type {Prompt} */ (changeover.status.prompt).build, visits: sessionStorage.visits })), {
      skew: true,
      build: 'two',
      visits: '1',
    });
    if (!runtime && !answer) await page.screenshot({ path: screenshotPath('loader', `banner-${engine}`) });
    await press(page, 'Reload');
    await until(page, () => /** @type {HTMLElement} */ (document.querySelector('script[data-build]'))?.dataset.build === 'two' && globalThis.changeover?.status.level === 'loader');
    await until(page, () => changeover.status.release);
    assert.deepEqual(await page.evaluate((selector) => [location.search + location.hash, document.querySelector(selector), seen, sessionStorage.visits], BANNER), [
      '?x=1#here',
      null,
      [],
      '2',
    ]);
  });
}

withBrowser('without WebAssembly in the browser the loader level asks', { flags: ['--js-flags=--jitless'] }, async (t, browser) => {
  const site = await startSite({ head: WATCHING, runtime: 'export async function attach() { await WebAssembly.compile(new Uint8Array(8)); }' });
  t.after(site.close);
  const page = await browser.newPage();
  await page.goto(site.origin);
  assert.equal(await page.evaluate(() => typeof WebAssembly), 'undefined');
  await levelIs(page, 'loader');
  site.publish(101, 'two');
  await bannerIsUp(page);
  assert.match(/** @type {string} */ (await page.evaluate(() => changeover.status.levelReason)), /WebAssembly is not defined/);
  assert.deepEqual(await page.evaluate(() => seen), []);
});

withBrowser('the banner is announced, can be used by keyboard, and does not take the focus', {}, async (t, browser) => {
  const site = await startSite({ body: '<input id="field">' });
  t.after(site.close);
  const page = await browser.newPage();
  await page.goto(site.origin);
  await page.focus('#field');
  site.publish(101, 'two', { message: 'Safer <b>sign-in</b>.' });
  await bannerIsUp(page);
  assert.equal(await page.evaluate(() => /** @type {Element} */ (document.activeElement).id), 'field');
  const tree = await page.accessibility.snapshot({ interestingOnly: false });
  /** @type {(node: import('puppeteer-core').SerializedAXNode, test: (node: import('puppeteer-core').SerializedAXNode) => boolean) => import('puppeteer-core').SerializedAXNode | undefined} */
  const find = (node, test) => (test(node) ? node : (node.children ?? []).map((child) => find(child, test)).find(Boolean));
  assert.ok(find(/** @type {import('puppeteer-core').SerializedAXNode} */ (tree), ({ role }) => role === 'status'), 'a live region');
  assert.match(await page.$eval(BANNER, (banner) => banner.textContent), /^Safer <b>sign-in<\/b>\./, 'the message is text');

  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => /** @type {Element} */ (document.activeElement).textContent), 'Reload');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter'); // Later
  await until(page, (/** @type {string} */ selector) => !document.querySelector(selector), BANNER);
  const asked = site.count(RELEASE);
  await until(page, () => true);
  while (site.count(RELEASE) < asked + 2) await new Promise((go) => setTimeout(go, 50));
  assert.equal(await page.$(BANNER), null, '"Later" holds for this release');
  site.publish(102, 'three');
  await bannerIsUp(page);
});

withBrowser('odd answers change nothing, and a good one afterwards does', {}, async (t, browser) => {
  const site = await startSite({ head: WATCHING });
  t.after(site.close);
  site.answers['/login'] = '<!doctype html><form>login</form>';
  const good = site.answers[RELEASE];
  const next = { format: 1, sequence: 101, build: { id: 'two' } };
  const json = (/** @type {unknown} */ value, status = 200) => (/** @type {IncomingMessage} */ request, /** @type {ServerResponse} */ response) => send(response, status, typeof value === 'string' ? value : JSON.stringify(value), '.json');
  const odd = {
    'a lower sequence': json({ ...next, sequence: 99 }),
    404: json('no', 404),
    '500 with a good body': json(next, 500),
    html: (/** @type {IncomingMessage} */ request, /** @type {ServerResponse} */ response) => send(response, 200, '<!doctype html><h1>Welcome to the hotel</h1>', '.html'),
    empty: json(''),
    half: json('{"format":1,"sequence":101,"bui'),
    redirect: (/** @type {IncomingMessage} */ request, /** @type {ServerResponse} */ response) => response.writeHead(302, { location: '/login' }).end(),
    null: json('null'),
    list: json([next]),
    'another format': json({ ...next, format: 2 }),
    'a text as sequence': json({ ...next, sequence: '101' }),
    'half a sequence': json({ ...next, sequence: 101.5 }),
    'a sequence of no count and no time': json({ ...next, sequence: Number.MAX_SAFE_INTEGER }),
    'no build': json({ format: 1, sequence: 101 }),
    'a number as build': json({ ...next, build: { id: 2 } }),
    'broken connection': (/** @type {IncomingMessage} */ request, /** @type {ServerResponse} */ response) => response.destroy(),
    '10 MB': (/** @type {IncomingMessage} */ request, /** @type {ServerResponse} */ response) => send(response, 200, 'x'.repeat(10_000_000), '.json'),
  };
  const page = await browser.newPage();
  await page.goto(site.origin);
  await levelIs(page, 'loader');
  await until(page, () => changeover.status.release);
  for (const [name, answer] of Object.entries(odd)) {
    site.answers[RELEASE] = answer;
    const status = await page.evaluate(() => changeover.check().then(({ skew, release }) => ({ skew, sequence: /** @type {NonNullable<typeof release>} */ (release).sequence })));
    assert.deepEqual(status, { skew: false, sequence: 100 }, name);
    assert.equal(await page.$(BANNER), null, name);
  }
  assert.ok((await page.evaluate(() => changeover.status.failures)) > 10);
  site.answers[RELEASE] = good;
  site.publish(101, 'two');
  await page.evaluate(() => changeover.check().then(() => {}));
  await bannerIsUp(page);
  assert.deepEqual(await page.evaluate(() => [changeover.status.failures, seen]), [0, []]);
});

withBrowser('what one answer said of the sequence ends with the page', {}, async (t, browser) => {
  const site = await startSite();
  t.after(site.close);
  const page = await browser.newPage();
  await page.goto(site.origin);
  await levelIs(page, 'loader');
  const years = Math.floor(Date.now() / 1000) + 10 ** 9;
  site.publish(years, 'wrong');
  await bannerIsUp(page);
  assert.deepEqual(await page.evaluate(() => ({ ...localStorage })), {});
  site.publish(101, 'two');
  await page.reload();
  await bannerIsUp(page);
  assert.equal(await page.evaluate(() => /** @type {Prompt} */ (changeover.status.prompt).build), 'two');
});

withBrowser('a document that is newer than the release is not asked back', {}, async (t, browser) => {
  const site = await startSite({ attributes: { 'data-build': 'two', 'data-sequence': '101' } });
  t.after(site.close);
  const page = await browser.newPage();
  await page.goto(site.origin);
  await levelIs(page, 'loader');
  const look = () => page.evaluate(() => changeover.check().then(({ failures, release }) => [failures, release?.build ?? null]));
  assert.deepEqual(await look(), [0, null]);
  assert.equal(await page.$(BANNER), null);
  site.publish(101, 'two');
  assert.deepEqual(await look(), [0, 'two']);
  assert.equal(await page.$(BANNER), null);
  site.publish(102, 'three');
  assert.deepEqual(await look(), [0, 'three']);
  await bannerIsUp(page);
});

withBrowser('a page that does not say what it runs is told of the second release', {}, async (t, browser) => {
  const site = await startSite({ attributes: { 'data-build': '' } });
  t.after(site.close);
  const page = await browser.newPage();
  await page.goto(site.origin);
  await levelIs(page, 'loader');
  await until(page, () => changeover.status.release);
  assert.equal(await page.$(BANNER), null);
  site.publish(101, 'two');
  await bannerIsUp(page);
});

withBrowser('replicas that answer old and new in turn make one banner; a rollback takes it away', {}, async (t, browser) => {
  const site = await startSite();
  t.after(site.close);
  const page = await browser.newPage();
  await page.goto(site.origin);
  await levelIs(page, 'loader');
  await page.evaluate((selector) => {
    globalThis.banners = 0;
    new MutationObserver((records) => records.forEach(({ addedNodes }) => addedNodes.forEach((node) => (banners += /** @type {number} */ (/** @type {unknown} */ (/** @type {HTMLElement} */ (node).matches(selector))))))).observe(document.documentElement, { childList: true });
  }, BANNER);
  for (let round = 0; round < 3; round++) {
    site.publish(101, 'two');
    await page.evaluate(() => changeover.check().then(() => {}));
    site.publish(100, 'one');
    await page.evaluate(() => changeover.check().then(() => {}));
  }
  assert.equal(await page.evaluate(() => banners), 1);
  assert.ok(await page.$(BANNER));
  site.publish(102, 'one');
  await page.evaluate(() => changeover.check().then(() => {}));
  assert.equal(await page.$(BANNER), null);
  assert.equal(await page.evaluate(() => changeover.status.skew), false);
});

withBrowser('reload() to a server that still serves the old document happens once, then it asks; a click is honoured', {}, async (t, browser) => {
  const site = await startSite({ head: WATCHING });
  t.after(site.close);
  const page = await browser.newPage();
  await page.goto(site.origin);
  await levelIs(page, 'loader');
  site.publish(101, 'two');
  await bannerIsUp(page);
  await page.evaluate(() => void changeover.reload());
  await until(page, () => sessionStorage.visits === '2' && globalThis.changeover?.status.prompt);
  await bannerIsUp(page);
  assert.equal(await page.evaluate(() => changeover.reload()), 'reloadDidNotTake');
  await bannerIsUp(page);
  assert.equal(await page.evaluate(() => sessionStorage.visits), '2');
  await press(page, 'Reload');
  await until(page, () => sessionStorage.visits === '3');
});

withBrowser('a server that cannot be reached never costs the page', {}, async (t, browser) => {
  const site = await startSite({ head: WATCHING });
  t.after(site.close);
  const page = await browser.newPage();
  await page.goto(site.origin);
  await levelIs(page, 'loader');
  site.publish(101, 'two');
  await bannerIsUp(page);
  await page.setOfflineMode(true);
  await press(page, 'Reload');
  await new Promise((go) => setTimeout(go, 500));
  assert.deepEqual(await page.evaluate(() => [sessionStorage.visits, seen]), ['1', []]);
  await page.setOfflineMode(false);
  await bannerIsUp(page);
  await press(page, 'Reload');
  await until(page, () => sessionStorage.visits === '2');
});

withBrowser('without storage it still asks, never reloads by itself, and honours a click', {}, async (t, browser) => {
  const site = await startSite();
  t.after(site.close);
  const page = await browser.newPage();
  let visits = 0;
  page.on('load', () => visits++);
  await page.evaluateOnNewDocument(() => {
    for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(globalThis, name, { get: () => { throw new DOMException('denied', 'SecurityError'); } });
  });
  await page.goto(site.origin);
  await levelIs(page, 'loader');
  site.publish(101, 'two');
  await bannerIsUp(page);
  assert.equal(await page.evaluate(() => changeover.reload()), 'reloadDidNotTake');
  assert.equal(visits, 1);
  await bannerIsUp(page);
  await press(page, 'Reload');
  while (visits < 2) await new Promise((go) => setTimeout(go, 20));
});

withBrowser('data-prompt="off" tells the app instead, through listeners from before the runtime failed', {}, async (t, browser) => {
  const site = await startSite({ attributes: { 'data-prompt': 'off' }, head: WATCHING });
  t.after(site.close);
  const page = await browser.newPage();
  await page.goto(site.origin);
  await page.evaluate(() => {
    globalThis.told = [];
    changeover.on('promptShown', () => { throw new Error('a careless listener'); });
    changeover.on('promptShown', (event) => told.push(event));
    const undo = changeover.on('promptShown', () => told.push('undone'));
    undo();
  });
  await levelIs(page, 'loader');
  site.publish(101, 'two', { message: 'hello' });
  await until(page, () => told.length);
  assert.deepEqual(await page.evaluate(() => [told.length, told[0].type, told[0].prompt.build, told[0].prompt.message, seen]), [1, 'promptShown', 'two', 'hello', []]);
  assert.equal(await page.$(BANNER), null);
});

withBrowser('it polls with jitter, backs off while the server fails, and sleeps while the tab is hidden', {}, async (t, browser) => {
  const site = await startSite({ attributes: { 'data-interval': '2000' } });
  t.after(site.close);
  const page = await browser.newPage();
  await page.evaluateOnNewDocument(() => {
    globalThis.delays = [];
    const real = setTimeout;
    /** @type {{setTimeout: unknown}} */ (globalThis).setTimeout = (/** @type {() => void} */ run, /** @type {number} */ after, /** @type {[]} */ ...more) => (after >= 1000 && delays.push(after), real(run, after, ...more));
    let hidden = false;
    Object.defineProperty(document, 'hidden', { get: () => hidden });
    globalThis.hide = (value) => {
      hidden = value;
      document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
    };
  });
  await page.goto(site.origin);
  await levelIs(page, 'loader');
  await until(page, () => delays.length >= 1);
  for (let round = 0; round < 8; round++) await page.evaluate(() => changeover.check().then(() => {}));
  const calm = (await page.evaluate(() => delays.splice(0))).filter((delay) => delay !== 20_000); // the patience for the runtime
  assert.ok(calm.every((delay) => delay >= 1000 && delay <= 3000), `${calm}`);
  assert.ok(new Set(calm).size > 4, `jitter: ${calm}`);
  site.answers[RELEASE] = (request, response) => send(response, 500, 'down', '.html');
  for (let round = 0; round < 5; round++) await page.evaluate(() => changeover.check().then(() => {}));
  const troubled = await page.evaluate(() => delays.splice(0));
  assert.ok(troubled.every((delay, index) => delay >= 2000 * (index + 1.5) && delay <= 2000 * (index + 2.5)), `${troubled}`);
  delete site.answers[RELEASE];

  await page.evaluate(() => hide(true));
  await page.evaluate(() => changeover.check().then(() => {}));
  const asked = site.count(RELEASE);
  await page.evaluate(() => (delays.length = 0));
  await new Promise((go) => setTimeout(go, 4000));
  assert.equal(site.count(RELEASE), asked, 'no request while hidden');
  await page.evaluate(() => hide(false));
  while (site.count(RELEASE) === asked) await new Promise((go) => setTimeout(go, 20));
});

for (const interval of ['0', '-5', 'soon', '20']) {
  withBrowser(`data-interval="${interval}" does not make it poll without pause`, {}, async (t, browser) => {
    const site = await startSite({ attributes: { 'data-interval': interval } });
    t.after(site.close);
    const page = await browser.newPage();
    await page.goto(site.origin);
    await levelIs(page, 'loader');
    await new Promise((go) => setTimeout(go, 1500));
    assert.equal(site.count(RELEASE), 1);
  });
}

withBrowser('a strict policy is not violated, and the banner still has its place', {}, async (t, browser) => {
  const site = await startSite({
    head: WATCHING,
    headers: { 'content-security-policy': "default-src 'none'; script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'" },
  });
  t.after(site.close);
  const page = await browser.newPage();
  await page.goto(site.origin);
  await levelIs(page, 'loader');
  site.publish(101, 'two');
  await bannerIsUp(page);
  const box = await page.$eval(BANNER, (banner) => ({ position: getComputedStyle(banner).position, bottom: innerHeight - banner.getBoundingClientRect().bottom, violations, seen }));
  assert.deepEqual(box, { position: 'fixed', bottom: 0, violations: [], seen: [] });
});
