// The plain bar that asks where the file of the prompt cannot be had.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { require, screenshotPath, until, withBrowser } from './harness.mjs';
import { openPage, VIEW } from './page.mjs';

/** @import { BrowserContext, Page } from 'puppeteer-core' */
/** @import { TestContext } from 'node:test' */

const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
/** @type {Record<string, [view: object, words: string]>} */
const STATES = {
  plain: [{}, 'A new version is ready. Reload Later'],
  message: [{ message: 'Faster checkout.' }, 'Faster checkout. Reload Later'],
  offline: [{ trouble: 'offline' }, 'A new version is ready. You are offline. Reload Later'],
  'not-saved': [{ trouble: 'stateNotSaved' }, 'A new version is ready. Your work could not be saved and may be lost. Reload anyway Later'],
  ignored: [{ trouble: 'reloadDidNotTake' }, 'A new version is ready. Reload Later'],
  holds: [{ busy: { type: 'holds', reasons: ['Upload of report.pdf', 'Unsaved comment'] } }, 'A new version is ready. Upload of report.pdf, Unsaved comment Reload Later'],
  reloading: [{ busy: { type: 'reloading' } }, 'A new version is ready. Reloading… Reload Later'],
};

/**
 * @param {TestContext} t
 * @param {BrowserContext} browser
 * @param {Parameters<typeof openPage>[2]} [options]
 */
async function openBar(t, browser, options) {
  const page = await openPage(t, browser, options);
  await page.evaluate(async (view) => {
    const { openPlainPrompt } = /** @type {typeof import('../../pkg-template/plain-prompt.js')} */ (await import(/** @type {string} */ ('/pkg/plain-prompt.js')));
    globalThis.pressed = [];
    /** @type {{bar: unknown}} */ (globalThis).bar = openPlainPrompt({ labels: null, onReload: ({ trouble }) => pressed.push(`reload ${trouble}`), onLater: () => pressed.push('later') });
    /** @type {{view: unknown}} */ (globalThis).view = (/** @type {object} */ more) => bar.update({ ...view, ...more });
    globalThis.view({});
  }, VIEW);
  await until(page, () => document.querySelector('html > output > button'));
  return page;
}
const text = (/** @type {Page} */ page) => page.$eval('html > output', (output) => output.innerText);
const buttons = (/** @type {Page} */ page) => page.$$('html > output > button');

withBrowser('it says in each state what a click would do, and axe finds nothing', {}, async (t, browser) => {
  const page = await openBar(t, browser);
  await page.evaluate(AXE);
  for (const [name, [view, words]] of Object.entries(STATES)) {
    await page.evaluate((view) => globalThis.view(view), view);
    assert.equal(await text(page), words, name);
    const violations = await page.evaluate(async () => (await axe.run(document.querySelector('html > output'), { resultTypes: ['violations'] })).violations.map(({ id }) => id));
    assert.deepEqual(violations, [], name);
    await page.screenshot({ path: screenshotPath('prompt', `bar-${name}`) });
  }
  await page.evaluate(() => view({ countdownUntil: new Date(2026, 0, 1, 14, 5, 9).getTime() }));
  assert.match(await text(page), /Reload: 0?2:05:09|Reload: 14:05:09/);
});

withBrowser('its buttons tell what the user saw, do nothing while it waits, and leave with it', { engines: ['chromium', 'firefox'] }, async (t, browser) => {
  const page = await openBar(t, browser);
  const [reload, later] = await buttons(page);
  assert.equal(await page.evaluate(() => /** @type {Element} */ (document.activeElement).localName), 'body', 'it does not take the focus');
  await reload.press('Enter');
  await page.evaluate(() => view({ trouble: 'stateNotSaved' }));
  await reload.click();
  await page.evaluate(() => view({ busy: { type: 'reloading' } }));
  await reload.evaluate((button) => button.click());
  await later.press('Enter');
  await page.evaluate(() => view({ canSnooze: false }));
  assert.equal(await later.evaluate((button) => button.checkVisibility()), false);
  assert.deepEqual(await page.evaluate(() => pressed), ['reload null', 'reload stateNotSaved', 'later']);
  await page.evaluate(() => bar.close());
  assert.equal(await page.$('html > output'), null);
});

withBrowser('a strict policy is not violated', {}, async (t, browser) => {
  const page = await openBar(t, browser, { headers: { 'content-security-policy': "default-src 'self'; img-src data:; require-trusted-types-for 'script'" } });
  assert.deepEqual(await page.evaluate(() => [violations, seen]), [[], []]);
  assert.equal(await page.$eval('html > output', (output) => getComputedStyle(output).position), 'fixed');
});
