// The prompt as a person meets it: where it is, what it says, how it is used, and that it leaves the page alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until, withBrowser } from './harness.mjs';
import { box, focused, openPage, PROMPT, part, show, spoken, VIEW } from './page.mjs';

/** @import { Prompt } from '../../pkg-template/index.js' */

/** @type {{engines: ('chromium' | 'firefox')[]}} */
const BOTH = { engines: ['chromium', 'firefox'] };

test('importing the prompt needs no browser', async () => {
  const { createPrompt, showPrompt } = await import('../../pkg-template/prompt.js');
  assert.equal(typeof createPrompt({}).hide, 'function');
  assert.equal(typeof showPrompt, 'function');
});

withBrowser('it appears in the bottom corner without moving the page or taking the focus', BOTH, async (t, browser) => {
  const page = await openPage(t, browser);
  await page.focus('#field');
  const before = await page.evaluate(() => [document.body.getBoundingClientRect().height, document.documentElement.scrollHeight, document.documentElement.scrollWidth]);
  await show(page);
  assert.equal(await focused(page), 'field');
  assert.deepEqual(await page.evaluate(() => [document.body.getBoundingClientRect().height, document.documentElement.scrollHeight, document.documentElement.scrollWidth]), before);
  const { left, right, bottom, width } = await box(page, 'panel');
  const view = await page.evaluate(() => ({ width: innerWidth, height: innerHeight }));
  assert.ok(left > view.width / 3 && view.width - right === 20 && Math.round(view.height - bottom) === 20, JSON.stringify({ left, right, bottom, view }));
  assert.equal(width, 384);
  assert.equal(await page.evaluate(() => /** @type {{parentNode: Element}} */ (/** @type {unknown} */ (document.querySelector('changeover-prompt'))).parentNode.localName), 'html');
  assert.deepEqual([await part(page, 'title'), await part(page, 'message'), await part(page, 'reload'), await part(page, 'later')], [
    'A new version is ready', 'Reload when it suits you.', 'Reload', 'Later',
  ]);
});

withBrowser('it is used by keyboard: in the tab order after the page, Escape means later only inside, the focus returns', BOTH, async (t, browser) => {
  const page = await openPage(t, browser);
  await show(page);
  await page.focus('#field');
  await page.keyboard.press('Escape');
  assert.deepEqual(await page.evaluate(() => calls), [], 'Escape outside is the business of the app');
  assert.deepEqual(await page.evaluate(() => keys.splice(0)), ['Escape']);
  await page.keyboard.press('Tab');
  assert.equal(await focused(page), 'reload');
  const ring = await page.evaluate(() => {
    const { outlineStyle, outlineWidth } = getComputedStyle(/** @type {Element} */ (/** @type {ShadowRoot} */ (/** @type {Element} */ (document.activeElement).shadowRoot).activeElement));
    return [outlineStyle, outlineWidth];
  });
  assert.deepEqual(ring, ['solid', '2px']);
  await page.keyboard.press('Enter');
  assert.deepEqual(await page.evaluate(() => calls.map(([name]) => name)), ['reload']);
  await page.keyboard.press('Tab');
  assert.equal(await focused(page), 'later');
  await page.keyboard.press(' ');
  await page.keyboard.press('Escape');
  assert.deepEqual(await page.evaluate(() => calls.map(([name]) => name)), ['reload', 'later', 'later']);
  assert.deepEqual(await page.evaluate(() => keys), [], 'no key reaches the shortcuts of the app');
  await page.evaluate(() => /** @type {DrawnPrompt} */ (/** @type {unknown} */ (prompt)).hide());
  assert.equal(await page.$(PROMPT), null);
  assert.equal(await focused(page), 'field');
});

withBrowser('closing it does not move a focus that is elsewhere', {}, async (t, browser) => {
  const page = await openPage(t, browser);
  await page.focus('#field');
  await show(page);
  await page.evaluate(() => /** @type {HTMLElement} */ (/** @type {ShadowRoot} */ (/** @type {Element} */ (document.querySelector('changeover-prompt')).shadowRoot).querySelector('button')).focus());
  await page.focus('#link');
  await page.evaluate(() => /** @type {DrawnPrompt} */ (/** @type {unknown} */ (prompt)).hide());
  assert.equal(await focused(page), 'link');
});

withBrowser('a click in it is no click outside for the app, and tells which view was seen', {}, async (t, browser) => {
  const page = await openPage(t, browser);
  await show(page, { trouble: 'stateNotSaved' });
  await page.click(`${PROMPT} >>> [part=reload]`);
  await page.click(`${PROMPT} >>> [part=title]`);
  await page.click(`${PROMPT} >>> [part=later]`);
  assert.deepEqual(await page.evaluate(() => [calls.map(([name]) => name), /** @type {typeof calls[0]} */ (calls[0])[1].trouble, clicks]), [['reload', 'later'], 'stateNotSaved', []]);
});

withBrowser('a screen reader hears it once, politely, and hears of what changes', {}, async (t, browser) => {
  const page = await openPage(t, browser);
  await show(page, { message: 'Faster checkout' });
  await until(page, () => speech.length);
  for (let round = 0; round < 3; round++) await show(page, { message: 'Faster checkout' });
  await new Promise((go) => setTimeout(go, 600));
  assert.deepEqual(await spoken(page), ['A new version is ready. Faster checkout.']);
  await show(page, { message: 'Faster checkout', busy: { type: 'holds', reasons: ['Upload', 'Comment'] } });
  await until(page, () => speech.length === 2);
  await show(page, { message: 'Faster checkout', trouble: 'offline' });
  await until(page, () => speech.length === 3);
  await show(page, { message: 'Faster checkout', trouble: 'offline' });
  await show(page, { message: 'Faster checkout', busy: { type: 'reloading' } });
  await show(page, { message: 'Faster checkout', trouble: 'offline' });
  await until(page, () => speech.length === 4);
  await show(page, { sequence: 3, message: 'Something newer.' });
  await until(page, () => speech.length === 5);
  assert.deepEqual((await spoken(page)).slice(1), [
    'Waiting for: Upload, Comment.',
    'You are offline.',
    'You are offline.',
    'A new version is ready. Something newer.',
  ]);
  const live = await page.evaluate(() => {
    const region = /** @type {ShadowRoot} */ (/** @type {Element} */ (document.querySelector('changeover-prompt')).shadowRoot).querySelector('[role=status]');
    const { width, height } = /** @type {NonNullable<typeof region>} */ (region).getBoundingClientRect();
    return [/** @type {NonNullable<typeof region>} */ (region).getAttribute('aria-atomic'), width, height];
  });
  assert.deepEqual(live, ['true', 1, 1]);
});

withBrowser('a countdown ticks for the eye, and speaks only at sensible moments', {}, async (t, browser) => {
  const page = await openPage(t, browser);
  const until_ = (await page.evaluate(() => Date.now())) + 100_000;
  await show(page, { reason: 'urgent', countdownUntil: until_, message: 'Security fix.' });
  await until(page, () => speech.length);
  for (let left = 99; left >= 1; left -= 3) {
    await page.evaluate((now) => (clock = now), until_ - left * 1000);
    await page.waitForFunction((left) => /** @type {Element} */ (/** @type {ShadowRoot} */ (/** @type {Element} */ (document.querySelector('changeover-prompt')).shadowRoot).querySelector('[part=countdown]')).textContent === `Reloads in ${left} s`, { polling: 20, timeout: 5000 }, left);
    await new Promise((go) => setTimeout(go, 200));
  }
  assert.deepEqual(await spoken(page), ['A new version is ready. Security fix. Reloads in 100 s.', 'Reloads in 60 s.', 'Reloads in 30 s.', 'Reloads in 9 s.']);
  assert.equal(await page.evaluate(() => /** @type {Element} */ (/** @type {ShadowRoot} */ (/** @type {Element} */ (document.querySelector('changeover-prompt')).shadowRoot).querySelector('[part=countdown]')).getAttribute('aria-hidden')), 'true');
  const bar = await page.evaluate(() => /** @type {HTMLElement} */ (/** @type {ShadowRoot} */ (/** @type {Element} */ (document.querySelector('changeover-prompt')).shadowRoot).querySelector('[part=progress] i')).style.transform);
  assert.match(bar, /^scaleX\(0\.03/);
  await show(page, { countdownUntil: null });
  assert.equal(await part(page, 'countdown'), '');
});

withBrowser('each state says what it is', {}, async (t, browser) => {
  const page = await openPage(t, browser);
  /** @type {[view: Partial<Prompt>, part: string, text: string][]} */
  const states = [
    [{ reason: 'chunkFailed' }, 'title', 'This page needs to reload'],
    [{ reason: 'chunkFailed' }, 'message', 'A part of the app could not be loaded.'],
    [{ reason: 'reloadDidNotTake' }, 'title', 'The new version did not load'],
    [{ trouble: 'reloadDidNotTake' }, 'title', 'The new version did not load'],
    [{ trouble: 'reloadDidNotTake' }, 'trouble', ''],
    [{ trouble: 'offline' }, 'trouble', 'You are offline.'],
    [{ trouble: 'unreachable' }, 'trouble', 'The server does not answer.'],
    [{ trouble: 'reloadIgnored' }, 'trouble', 'The browser did not reload the page.'],
    [{ trouble: 'stateNotSaved' }, 'trouble', 'Your work could not be saved and may be lost.'],
    [{ trouble: 'stateNotSaved' }, 'reload', 'Reload anyway'],
    [{ trouble: 'stateNotSaved' }, 'message', ''],
    [{ busy: { type: 'serviceWorker' } }, 'waiting', 'Waiting for: Service Worker'],
    [{ busy: { type: 'reloading' } }, 'waiting', 'Reloading…'],
    [{ busy: { type: 'holds', reasons: ['x'.repeat(200)] } }, 'waiting', `Waiting for: ${'x'.repeat(79)}…`],
    [{ message: '  <img src=x onerror=alert(1)>  ' }, 'message', '<img src=x onerror=alert(1)>'],
    [{ message: 'y'.repeat(600) }, 'message', `${'y'.repeat(499)}…`],
    [{ canSnooze: false }, 'later', ''],
  ];
  for (const [view, name, text] of states) {
    await show(page, view);
    assert.equal(await part(page, name), text, `${JSON.stringify(view)} ${name}`);
    const shown = (await box(page, name)).width > 0;
    assert.equal(shown, text !== '', `${JSON.stringify(view)} ${name} is ${shown ? '' : 'not '}shown`);
  }
});

withBrowser('while it is busy a press does nothing, and the focus stays on the button', {}, async (t, browser) => {
  const page = await openPage(t, browser);
  await show(page);
  await page.focus('#field');
  await page.keyboard.press('Tab');
  await show(page, { busy: { type: 'reloading' } });
  assert.equal(await focused(page), 'reload');
  for (const key of /** @type {const} */ (['Enter', 'Escape', 'Tab', 'Enter'])) await page.keyboard.press(key);
  assert.deepEqual(await page.evaluate(() => calls), []);
  await show(page, { canSnooze: false });
  await page.keyboard.press('Escape');
  assert.deepEqual(await page.evaluate(() => calls), [], 'Escape cannot put off what must not be put off');
});

withBrowser('languages: the option, the document, the browser; texts can be replaced', {}, async (t, browser) => {
  const page = await openPage(t, browser);
  const titleIn = async (/** @type {string} */ lang, options = {}) => {
    await page.evaluate((lang, options) => { document.documentElement.lang = lang; make(options); }, lang, options);
    await show(page);
    return [await part(page, 'title'), ...(await page.evaluate(() => {
      const panel = /** @type {ShadowRoot} */ (/** @type {Element} */ (document.querySelector('changeover-prompt')).shadowRoot).querySelector('[part=panel]');
      return [/** @type {HTMLElement} */ (panel).lang, /** @type {HTMLElement} */ (panel).dir];
    }))];
  };
  assert.deepEqual(await titleIn('de-AT'), ['Eine neue Version ist da', 'de', 'ltr']);
  assert.deepEqual(await titleIn('de', { lang: 'fr' }), ['Une nouvelle version est prête', 'fr', 'ltr']);
  assert.deepEqual(await titleIn('iw'), ['גרסה חדשה מוכנה', 'he', 'rtl']);
  assert.deepEqual(await titleIn('pt_BR'), ['Há uma nova versão', 'pt', 'ltr']);
  assert.deepEqual(await titleIn('tlh'), ['A new version is ready', 'en', 'ltr'], "the browser's own language");
  assert.deepEqual(await titleIn('constructor'), ['A new version is ready', 'en', 'ltr']);
  assert.deepEqual(await titleIn('en', { labels: { title: 'Fresh bread', waiting: 'Baking:', nonsense: 'x', later: 5 } }), ['Fresh bread', 'en', 'ltr']);
  await show(page, { busy: { type: 'holds', reasons: ['rolls'] } });
  assert.deepEqual([await part(page, 'waiting'), await part(page, 'later')], ['Baking: rolls', 'Later']);
});

test('every language has every text, with its places', async () => {
  const { chooseLabels, languages } = await import('../../pkg-template/prompt-labels.js');
  assert.deepEqual(languages, ['en', 'de', 'fr', 'es', 'pt', 'it', 'nl', 'pl', 'tr', 'ru', 'uk', 'ja', 'zh', 'ko', 'ar', 'he', 'hi']);
  const english = chooseLabels(['en']).labels;
  for (const lang of languages) {
    const { labels } = chooseLabels([lang]);
    for (const [key, text] of Object.entries(labels)) {
      assert.ok(text.trim() && text.length < 100, `${lang} ${key}`);
      assert.deepEqual(text.match(/\{\w+\}/g), /** @type {Record<string, string>} */ (english)[key].match(/\{\w+\}/g), `${lang} ${key}`);
      if (lang !== 'en' && key !== 'later') assert.notEqual(text, /** @type {Record<string, string>} */ (english)[key], `${lang} ${key}`);
    }
  }
});

withBrowser('in a document from right to left it is mirrored', BOTH, async (t, browser) => {
  const page = await openPage(t, browser, { html: '<html lang="ar" dir="rtl">' });
  await show(page, { countdownUntil: Date.now() + 60_000 });
  const panel = await box(page, 'panel');
  assert.equal(panel.left, 20);
  assert.ok((await box(page, 'reload')).left > (await box(page, 'later')).left, 'the first button is on the right');
  const [picture, title] = [await page.evaluate(() => /** @type {Element} */ (/** @type {ShadowRoot} */ (/** @type {Element} */ (document.querySelector('changeover-prompt')).shadowRoot).querySelector('svg')).getBoundingClientRect().left), (await box(page, 'title')).right];
  assert.ok(picture >= title, 'the picture is on the right');
});

withBrowser('on a narrow screen it is a sheet at the bottom, with targets for fingers', {}, async (t, browser) => {
  const page = await openPage(t, browser, { viewport: { width: 360, height: 640, isMobile: true, hasTouch: true } });
  await show(page, { message: 'A longer message that needs more than one line on such a screen.' });
  const { left, right, bottom } = await box(page, 'panel');
  assert.deepEqual([left, right, bottom], [0, 360, 640]);
  for (const name of ['reload', 'later']) {
    const button = await box(page, name);
    assert.ok(button.height >= 44 && button.width >= 44, `${name} ${JSON.stringify(button)}`);
  }
});

withBrowser('a coarse pointer gets targets of 44 px on a wide screen, too', {}, async (t, browser) => {
  const page = await openPage(t, browser, { viewport: { width: 1000, height: 700, isMobile: true, hasTouch: true } });
  await show(page);
  assert.ok((await box(page, 'later')).height >= 44);
});

withBrowser('text of twice the size fits', { flags: ['--blink-settings=defaultFontSize=32'] }, async (t, browser) => {
  const page = await openPage(t, browser, { viewport: { width: 1200, height: 800 } });
  await show(page, { message: 'Faster checkout, and invoices can be exported as PDF.', trouble: 'stateNotSaved' });
  assert.equal(await page.evaluate(() => getComputedStyle(/** @type {Element} */ (document.querySelector('changeover-prompt'))).fontSize), '32px');
  for (const name of ['title', 'message', 'trouble', 'reload', 'later']) {
    const [inner, outer] = [await box(page, name), await box(page, 'panel')];
    assert.ok(inner.left >= outer.left && inner.right <= outer.right && inner.bottom <= outer.bottom, name);
  }
});

withBrowser('it moves only for people who like that', {}, async (t, browser) => {
  const page = await openPage(t, browser);
  const animation = async () => {
    await page.evaluate(() => make({}));
    await show(page);
    return page.evaluate(() => getComputedStyle(/** @type {Element} */ (/** @type {ShadowRoot} */ (/** @type {Element} */ (document.querySelector('changeover-prompt')).shadowRoot).querySelector('[part=panel]'))).animationName);
  };
  assert.equal(await animation(), 'arrive');
  await page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: 'reduce' }]);
  assert.equal(await animation(), 'none');
});

withBrowser('the theme is changed from outside by custom properties and parts', {}, async (t, browser) => {
  const page = await openPage(t, browser, { head: '<style>:root{--changeover-accent:rgb(1,2,3);--changeover-radius:2px}changeover-prompt::part(title){color:rgb(4,5,6)}</style>' });
  await show(page);
  const look = await page.evaluate(() => {
    const root = /** @type {Element} */ (document.querySelector('changeover-prompt')).shadowRoot;
    const style = (/** @type {string} */ name) => getComputedStyle(/** @type {Element} */ (/** @type {NonNullable<typeof root>} */ (root).querySelector(`[part=${name}]`)));
    return [style('reload').backgroundColor, style('panel').borderTopLeftRadius, style('title').color];
  });
  assert.deepEqual(look, ['rgb(1, 2, 3)', '2px', 'rgb(4, 5, 6)']);
  assert.equal(VIEW.reason, 'newBuild');
});
