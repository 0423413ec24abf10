// The prompt among pages that are not made for it: strict policies, hostile styles, dialogs, wiped documents.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { require, until, withBrowser } from './harness.mjs';
import { box, focused, openPage, PROMPT, part, show } from './page.mjs';

/** @import { Page } from 'puppeteer-core' */
/** @import { Prompt } from '../../pkg-template/index.js' */

/** @type {{engines: ('chromium' | 'firefox')[]}} */
const BOTH = { engines: ['chromium', 'firefox'] };

/** Computed styles of everything in the prompt, to compare two pages. */
const looks = (/** @type {Page} */ page) =>
  page.evaluate(async () => {
    const { shadowRoot } = /** @type {PromptElement} */ (document.querySelector('changeover-prompt'));
    await Promise.all(shadowRoot.querySelector('[part=panel]').getAnimations().map((animation) => animation.finished));
    const elements = [document.querySelector('changeover-prompt'), ...shadowRoot.querySelectorAll('*')];
    const names = ['display', 'position', 'color', 'background-color', 'font-size', 'font-family', 'font-weight', 'line-height', 'letter-spacing', 'text-transform', 'text-align', 'padding', 'margin', 'border', 'width', 'height', 'visibility', 'opacity', 'transform', 'box-sizing', 'float', 'z-index', 'pointer-events', 'filter', 'zoom'];
    return elements.map((element) => names.map((name) => `${name}: ${getComputedStyle(/** @type {Element} */ (element)).getPropertyValue(name)}`).join('; '));
  });

const visible = async (/** @type {Page} */ page) => {
  const { left, top, width, height } = await box(page, 'reload');
  return page.evaluate((x, y) => document.elementFromPoint(x, y)?.localName, left + width / 2, top + height / 2);
};

withBrowser('a strict policy and Trusted Types are not violated, and the style is there', BOTH, async (t, browser) => {
  const page = await openPage(t, browser, {
    headers: { 'content-security-policy': "default-src 'none'; script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'" },
    head: '',
  });
  await show(page, { countdownUntil: Date.now() + 50_000, message: 'Faster.' });
  await show(page, { busy: { type: 'holds', reasons: ['Upload'] } });
  const { width } = await box(page, 'panel');
  assert.equal(width, 384);
  await page.evaluate(() => /** @type {DrawnPrompt} */ (/** @type {unknown} */ (prompt)).hide());
  const { violations, seen } = /** @type {{violations: string[], seen: string[]}} */ (await page.evaluate(() => ({ violations, seen })));
  assert.deepEqual(violations.filter((/** @type {string} */ text) => !text.startsWith('img-src')), [], 'the icon of the test page is not ours');
  assert.deepEqual(seen, []);
});

withBrowser('a browser without constructable stylesheets gets a plain prompt in its place, under a strict policy, too', {}, async (t, browser) => {
  const page = await openPage(t, browser, {
    headers: { 'content-security-policy': "default-src 'none'; script-src 'self'" },
    before: () => {
      /** @type {{CSSStyleSheet: unknown}} */ (globalThis).CSSStyleSheet = class {
        constructor() {
          throw new TypeError('Illegal constructor');
        }
      };
      delete /** @type {Partial<HTMLElement>} */ (HTMLElement.prototype).showPopover;
    },
  });
  await show(page, { trouble: 'offline', canSnooze: false });
  const look = await page.evaluate(() => {
    const host = document.querySelector('changeover-prompt');
    const { position, right } = getComputedStyle(/** @type {Element} */ (host));
    const later = /** @type {ShadowRoot} */ (/** @type {NonNullable<typeof host>} */ (host).shadowRoot).querySelector('[part=later]');
    return [position, right, getComputedStyle(/** @type {Element} */ (/** @type {ShadowRoot} */ (/** @type {NonNullable<typeof host>} */ (host).shadowRoot).querySelector('[part=panel]'))).backgroundColor, /** @type {NonNullable<typeof later>} */ (later).getBoundingClientRect().width, /** @type {Element} */ (/** @type {ShadowRoot} */ (/** @type {NonNullable<typeof host>} */ (host).shadowRoot).querySelector('[role=status]')).getBoundingClientRect().width];
  });
  assert.deepEqual(look, ['fixed', '16px', 'rgb(255, 255, 255)', 0, 1]);
  assert.equal(await visible(page), PROMPT);
  assert.deepEqual(await page.evaluate(() => violations.filter((/** @type {string} */ text) => /style/.test(text))), []);
});

const HOSTILE = `
:not(html) { all: unset !important; display: none !important; color: red !important; font: 40px fantasy !important; visibility: hidden !important; opacity: 0 !important; pointer-events: none !important; transform: scale(3) !important; position: static !important }
changeover-prompt { display: none !important; width: 1px !important; z-index: -1 !important; inset: auto !important }
button, p, div, svg { display: none !important }
html { font-size: 62.5%; text-transform: uppercase; letter-spacing: 1em; line-height: 5; text-align: center; color: lime; cursor: none; user-select: none }`;

for (const [name, css] of /** @type {[string, () => string][]} */ ([
  ['hostile global styles', () => HOSTILE],
  ['the styles of swagger-ui', () => readFileSync(require.resolve('swagger-ui-next/swagger-ui.css'), 'utf8')],
])) {
  withBrowser(`${name} do not change it`, BOTH, async (t, browser) => {
    const calm = await openPage(t, browser);
    await show(calm, { message: 'Faster.', trouble: 'offline' });
    const expected = await looks(calm);
    const page = await openPage(t, browser, { head: '<link rel="stylesheet" href="/app.css">', answers: { '/app.css': css() } });
    await show(page, { message: 'Faster.', trouble: 'offline' });
    const got = await looks(page);
    got.forEach((text, index) => assert.equal(text, expected[index]));
    assert.equal(await visible(page), PROMPT);
  });
}

withBrowser('it is above everything the app puts on top', BOTH, async (t, browser) => {
  const page = await openPage(t, browser, { body: '<div style="position:fixed;inset:0;z-index:2147483647;background:#fed">overlay</div>' });
  await show(page);
  assert.equal(await visible(page), PROMPT);
});

withBrowser('it survives an app that wipes the document', {}, async (t, browser) => {
  const page = await openPage(t, browser);
  await show(page);
  for (const wipe of ['document.body.replaceChildren()', 'document.body.remove()', 'document.documentElement.replaceChildren(document.createElement("body"))', 'document.querySelector("changeover-prompt").hidePopover()']) {
    await page.evaluate(wipe);
    await until(page, () => document.querySelector('changeover-prompt')?.matches(':popover-open'));
    assert.equal(await visible(page), PROMPT, wipe);
  }
});

withBrowser('a modal dialog does not lock it away: it goes into the dialog, and comes back', BOTH, async (t, browser) => {
  const page = await openPage(t, browser, { body: '<dialog id="one"><input id="inside"></dialog><dialog id="two"><p>two</p><input id="deeper"></dialog><input id="field">' });
  const parent = () => page.evaluate(() => { const { parentNode } = /** @type {{parentNode: Element}} */ (/** @type {unknown} */ (document.querySelector('changeover-prompt'))); return parentNode.id || parentNode.localName; });
  const into = (/** @type {string} */ name) => until(page, (/** @type {string} */ name) => { const { parentNode } = /** @type {{parentNode: Element}} */ (/** @type {unknown} */ (document.querySelector('changeover-prompt'))); return (parentNode.id || parentNode.localName) === name; }, name);
  const usable = async () => {
    assert.equal(await visible(page), PROMPT);
    const count = await page.evaluate(() => calls.length);
    await page.click(`${PROMPT} >>> [part=reload]`);
    assert.equal(await page.evaluate(() => calls.length), count + 1);
  };
  await page.evaluate(() => one.showModal());
  await show(page);
  assert.equal(await parent(), 'one');
  await usable();
  assert.equal(await focused(page), 'reload');
  await new Promise((go) => setTimeout(go, 600));
  assert.equal(await focused(page), 'reload', 'it does not move under the hands of the user');
  await page.evaluate(() => two.showModal());
  await into('two');
  await usable();
  await page.evaluate(() => two.close());
  await into('one');
  await page.evaluate(() => one.close());
  await into('html');
  await page.evaluate(() => one.show()); // not modal: nothing is inert
  await new Promise((go) => setTimeout(go, 600));
  assert.equal(await parent(), 'html');
  await usable();
});

withBrowser('a modal dialog in a shadow root is found by the focus', {}, async (t, browser) => {
  const page = await openPage(t, browser, { body: '<div id="island"></div>' });
  await page.evaluate(() => {
    const root = island.attachShadow({ mode: 'open' });
    const dialog = root.appendChild(document.createElement('dialog'));
    dialog.append(document.createElement('input'));
    dialog.showModal();
  });
  await page.evaluate((view) => /** @type {DrawnPrompt} */ (/** @type {unknown} */ (prompt)).show(view), { reason: 'newBuild', sequence: 2, build: 'two', message: null, canSnooze: true, countdownUntil: null, busy: null, trouble: null });
  await page.evaluate(() => /** @type {{querySelector(selector: string): PromptElement}} */ (/** @type {unknown} */ (island.shadowRoot)).querySelector('changeover-prompt').shadowRoot.querySelector('[part=later]').click());
  assert.deepEqual(await page.evaluate(() => calls), [['later']]);
});

withBrowser('it is not printed', {}, async (t, browser) => {
  const page = await openPage(t, browser);
  await show(page);
  await page.emulateMediaType('print');
  assert.equal(await page.evaluate(() => getComputedStyle(/** @type {Element} */ (document.querySelector('changeover-prompt'))).display), 'none');
});

withBrowser('hiding it leaves no timer and no listener of the page behind', {}, async (t, browser) => {
  const page = await openPage(t, browser, {
    before: () => {
      const timers = new Set();
      for (const [start, stop] of [['setTimeout', 'clearTimeout'], ['setInterval', 'clearInterval']]) {
        const [begin, end] = [/** @type {Record<string, Function>} */ (/** @type {unknown} */ (globalThis))[start], /** @type {Record<string, Function>} */ (/** @type {unknown} */ (globalThis))[stop]];
        /** @type {Record<string, Function>} */ (/** @type {unknown} */ (globalThis))[start] = (/** @type {Function} */ run, /** @type {unknown[]} */ ...more) => {
          const id = begin((/** @type {unknown[]} */ ...args) => (start === 'setTimeout' && timers.delete(id), run(...args)), ...more);
          timers.add(id);
          return id;
        };
        /** @type {Record<string, Function>} */ (/** @type {unknown} */ (globalThis))[stop] = (/** @type {string} */ id) => (timers.delete(id), end(id));
      }
      globalThis.listening = 0;
      const { addEventListener, removeEventListener } = EventTarget.prototype;
      const outer = (/** @type {unknown} */ target) => !target || target === globalThis || target === document || target === document.documentElement;
      EventTarget.prototype.addEventListener = function (...given) {
        if (outer(this)) listening++;
        return addEventListener.apply(this ?? globalThis, given);
      };
      EventTarget.prototype.removeEventListener = function (...given) {
        if (outer(this)) listening--;
        return removeEventListener.apply(this ?? globalThis, given);
      };
      /** @type {{count: unknown}} */ (globalThis).count = () => [timers.size, listening];
    },
  });
  const before = await page.evaluate(() => count());
  for (let round = 0; round < 3; round++) {
    await show(page, { countdownUntil: Date.now() + 50_000 });
    assert.ok((await page.evaluate(() => count()))[0] > before[0]);
    await page.evaluate(() => (/** @type {DrawnPrompt} */ (/** @type {unknown} */ (prompt)).hide(), /** @type {DrawnPrompt} */ (/** @type {unknown} */ (prompt)).hide()));
    assert.deepEqual(await page.evaluate(() => count()), before);
    assert.equal(await page.$(PROMPT), null);
  }
});

withBrowser('two copies of the module share one element; another element of that name does no harm', {}, async (t, browser) => {
  const page = await openPage(t, browser, { head: '<script src="/first.js"></script>', answers: { '/first.js': 'customElements.define("changeover-prompt", class extends HTMLElement { constructor() { super(); this.attachShadow({ mode: "open" }); } });' } });
  await show(page);
  assert.equal(await part(page, 'title'), 'A new version is ready');
  const other = await page.evaluate(async () => {
    const { showPrompt } = /** @type {typeof import('../../pkg-template/prompt.js')} */ (await import(/** @type {string} */ ('/pkg/prompt.js?copy')));
    const shown = showPrompt(/** @type {Prompt} */ ({ reason: 'newBuild', sequence: 3, build: 'x', message: 'second', canSnooze: true }), { onReload: () => calls.push(/** @type {never} */ (['second'])) });
    const hosts = [...document.querySelectorAll('changeover-prompt')];
    /** @type {HTMLElement} */ (/** @type {ShadowRoot} */ (hosts[1].shadowRoot).querySelector('[part=reload]')).click();
    shown.update(/** @type {Prompt} */ ({ reason: 'newBuild', sequence: 3, build: 'x', message: 'changed', canSnooze: true }));
    const text = /** @type {Element} */ (/** @type {ShadowRoot} */ (hosts[1].shadowRoot).querySelector('[part=message]')).textContent;
    shown.close();
    return [hosts.length, text, calls, document.querySelectorAll('changeover-prompt').length];
  });
  assert.deepEqual(other, [2, 'changed', [['second']], 1]);
});
