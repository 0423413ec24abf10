// axe-core over every state in every look, what assistive technology is given, and the screenshots for human eyes.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { require, screenshotPath, withBrowser } from './harness.mjs';
import { box, openPage, show } from './page.mjs';

/** @import { Prompt } from '../../pkg-template/index.js' */

const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const NOW = Date.now();

/** @type {Record<string, Partial<Prompt>>} */
const STATES = {
  plain: {},
  message: { message: 'Faster checkout, and invoices can be exported as PDF.' },
  required: { reason: 'chunkFailed' },
  retry: { reason: 'reloadDidNotTake', trouble: 'reloadDidNotTake' },
  offline: { trouble: 'offline' },
  'not-saved': { trouble: 'stateNotSaved' },
  holds: { busy: { type: 'holds', reasons: ['Upload of report.pdf', 'Unsaved comment'] } },
  reloading: { busy: { type: 'reloading' } },
  countdown: { reason: 'urgent', message: 'Security fix for sign-in.', countdownUntil: NOW + 3_600_000 },
  'no-later': { reason: 'retired', canSnooze: false },
  long: { message: 'We moved the whole billing area to a new home. '.repeat(11) },
};

/** @type {Record<string, {media?: {name: string, value: string}[], viewport?: import('puppeteer-core').Viewport, html?: string, forced?: boolean}>} */
const LOOKS = {
  light: {},
  dark: { media: [{ name: 'prefers-color-scheme', value: 'dark' }] },
  narrow: { viewport: { width: 360, height: 640, isMobile: true, hasTouch: true, deviceScaleFactor: 2 } },
  rtl: { html: '<html lang="he" dir="rtl">' },
  'forced-colors': { forced: true },
};

for (const [look, { media, viewport = { width: 900, height: 560, deviceScaleFactor: 2 }, html, forced }] of Object.entries(LOOKS)) {
  withBrowser(`axe finds nothing in any state, ${look}`, {}, async (t, browser) => {
    const page = await openPage(t, browser, {
      viewport,
      html,
      head: '<style>body{font:16px/1.6 system-ui;margin:2rem;background:#f5f6f8;color:#1a1d23}@media(prefers-color-scheme:dark){body{background:#101216;color:#dfe3ea}a{color:#a9bbff}}</style>',
    });
    const client = await page.createCDPSession();
    if (forced) await client.send('Emulation.setEmulatedMedia', { features: [{ name: 'forced-colors', value: 'active' }, { name: 'prefers-color-scheme', value: 'dark' }] });
    else if (media) await page.emulateMediaFeatures(media);
    await page.evaluate(AXE);
    for (const [state, view] of Object.entries(STATES)) {
      await page.evaluate(() => make({}));
      await show(page, view);
      await box(page, 'panel');
      const violations = await page.evaluate(async () => {
        const { violations } = await axe.run(document.querySelector('changeover-prompt'), { resultTypes: ['violations'] });
        return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ failureSummary }) => failureSummary).join(' | ')}`);
      });
      assert.deepEqual(violations, [], state);
      await page.screenshot({ path: screenshotPath('prompt', `${look}-${state}`) });
    }
  });
}

withBrowser('assistive technology finds a named region with two buttons, and no picture', {}, async (t, browser) => {
  const page = await openPage(t, browser);
  await show(page, { countdownUntil: Date.now() + 50_000 });
  /** @type {import('puppeteer-core').SerializedAXNode[]} */
  const all = [];
  (function walk(/** @type {import('puppeteer-core').SerializedAXNode} */ node) {
    all.push(node);
    (node.children ?? []).forEach(walk);
  })(/** @type {import('puppeteer-core').SerializedAXNode} */ (await page.accessibility.snapshot({ interestingOnly: false })));
  const region = all.find(({ role, name }) => role === 'region' && name === 'App update');
  assert.ok(region);
  const names = (/** @type {string} */ role) => all.filter((node) => node.role === role).map(({ name }) => name);
  assert.deepEqual(names('button'), ['Reload', 'Later']);
  assert.deepEqual(names('image').concat(names('img')), []);
  assert.ok(!all.some(({ name }) => /Reloads in/.test(name ?? '')), 'the ticking text is not read');
});

withBrowser('a message in another direction and language keeps its own order', {}, async (t, browser) => {
  const page = await openPage(t, browser, { html: '<html lang="he" dir="rtl">' });
  await show(page, { message: 'Version 2.4 is here.' });
  assert.deepEqual(
    await page.evaluate(() => {
      const { shadowRoot } = /** @type {PromptElement} */ (document.querySelector('changeover-prompt'));
      return ['message', 'title'].map((name) => getComputedStyle(shadowRoot.querySelector(`[part=${name}]`)).direction);
    }),
    ['ltr', 'rtl'],
  );
});

withBrowser('screenshots: focus ring, twice the text, a long message on a small screen', { flags: ['--blink-settings=defaultFontSize=32'] }, async (t, browser) => {
  const page = await openPage(t, browser, { viewport: { width: 1200, height: 760 } });
  await show(page, { trouble: 'stateNotSaved', message: 'Faster checkout.' });
  await page.focus('#field');
  await page.keyboard.press('Tab');
  await box(page, 'panel');
  await page.screenshot({ path: screenshotPath('prompt', 'twice-the-text-focus') });
  await page.setViewport({ width: 640, height: 480 });
  await show(page, { message: 'We moved the whole billing area to a new home. '.repeat(11) });
  const [panel, reload] = [await box(page, 'panel'), await box(page, 'reload')];
  assert.ok(panel.height <= 480 * 0.85 + 1 && panel.bottom === 480);
  await page.keyboard.press('Tab'); // Later: keyboard users reach what is scrolled away
  const later = await box(page, 'later');
  assert.ok(later.top >= 0 && later.bottom <= 480, JSON.stringify({ reload, later }));
  await page.screenshot({ path: screenshotPath('prompt', 'twice-the-text-long') });
});
