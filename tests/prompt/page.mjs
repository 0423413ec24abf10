// A page with the prompt in it, and the few words in which the tests speak about it.
import { send, serve } from './harness.mjs';

/** @import { OutgoingHttpHeaders } from 'node:http' */
/** @import { TestContext } from 'node:test' */
/** @import { BrowserContext, Page, Viewport } from 'puppeteer-core' */
/** @import { Prompt } from '../../pkg-template/index.js' */
/** @import { Answer } from './harness.mjs' */

export const PROMPT = 'changeover-prompt';

/** What the engine asks for when nothing is special. */
export const VIEW = { reason: 'newBuild', sequence: 2, build: 'two', message: null, canSnooze: true, countdownUntil: null, busy: null, trouble: null };

/** In the page: what the prompt called (`calls`), what the app noticed (`keys`, `clicks`), what was said (`speech`). */
const SCRIPT = `
import { createPrompt } from '/pkg/prompt.js';
globalThis.calls = [];
globalThis.keys = [];
globalThis.clicks = [];
globalThis.speech = [];
globalThis.violations = [];
globalThis.clock = 0;
const now = Date.now;
Date.now = () => clock || now();
document.addEventListener('keydown', ({ key }) => key !== 'Tab' && keys.push(key));
document.addEventListener('click', ({ target }) => clicks.push(target.localName));
document.addEventListener('pointerdown', ({ target }) => clicks.push(target.localName));
globalThis.make = (options) => {
  globalThis.prompt?.hide?.();
  globalThis.prompt = createPrompt({
    ...options,
    onReload: (view) => calls.push(['reload', view]),
    onLater: () => calls.push(['later']),
  });
};
make({});
globalThis.showIt = (view) => {
  prompt.show(view);
  const region = document.querySelector('changeover-prompt').shadowRoot.querySelector('[role=status]');
  if (region.watched) return;
  region.watched = true;
  new MutationObserver(() => region.textContent && speech.push(region.textContent)).observe(region, { childList: true, characterData: true, subtree: true });
};
globalThis.ready = true;
`;

const WATCH = `
globalThis.seen = [];
globalThis.violations = [];
addEventListener('error', (event) => seen.push(event.message));
addEventListener('unhandledrejection', (event) => seen.push(String(event.reason)));
addEventListener('securitypolicyviolation', (event) => violations.push(event.effectiveDirective + ' ' + event.sourceFile));
`;

/**
 * Opens a page of its own site.
 *
 * @param {TestContext} t
 * @param {BrowserContext} browser
 * @param {{html?: string, head?: string, body?: string, headers?: OutgoingHttpHeaders, viewport?: Viewport, answers?: Record<string, Answer>, before?: () => unknown}} options
 *   `before` runs before any script
 */
export async function openPage(t, browser, { html = '<html lang="en">', head = '', body = BODY, headers = {}, viewport, answers = {}, before } = {}) {
  const document = `<!doctype html>${html}<head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Orders</title><link rel="icon" href="data:,"><script src="/watch.js"></script>${head}</head><body>${body}<script type="module" src="/test.js"></script></body></html>`;
  const site = await serve({
    '/': (request, response) => send(response, 200, document, '.html', headers),
    '/watch.js': WATCH,
    '/test.js': SCRIPT,
    ...answers,
  });
  t.after(site.close);
  const page = await browser.newPage();
  if (viewport) await page.setViewport(viewport);
  if (before) await page.evaluateOnNewDocument(before);
  await page.goto(site.origin);
  await page.waitForFunction(() => globalThis.ready, { polling: 20 });
  return page;
}

const BODY = `
<main><h1>Orders</h1><p>The app, at work. <a id="link" href="#x">A link</a></p>
<label>Note <input id="field" value="typing here"></label></main>`;

export const show = (/** @type {Page} */ page, /** @type {Partial<Prompt>} */ view = {}) => page.evaluate((view) => showIt(view), { ...VIEW, ...view });

/** The text of a part. */
export const part = (/** @type {Page} */ page, /** @type {string} */ name) => page.evaluate((name) => /** @type {PromptElement} */ (document.querySelector('changeover-prompt')).shadowRoot.querySelector(`[part=${name}]`).textContent, name);

/**
 * Where a part is, once it has arrived.
 *
 * @param {Page} page
 * @param {string} name
 */
export async function box(page, name) {
  return page.evaluate(async (name) => {
    const { shadowRoot } = /** @type {PromptElement} */ (document.querySelector('changeover-prompt'));
    await Promise.all(/** @type {Element} */ (shadowRoot.querySelector('[part=panel]')).getAnimations().map((animation) => animation.finished));
    const { left, right, top, bottom, width, height } = /** @type {Element} */ (shadowRoot.querySelector(`[part=${name}]`)).getBoundingClientRect();
    return { left, right, top, bottom, width, height };
  }, name);
}

export const spoken = (/** @type {Page} */ page) => page.evaluate(() => speech);

/** The id or part that has the focus. */
export const focused = (/** @type {Page} */ page) =>
  page.evaluate(() => {
    const inner = /** @type {{shadowRoot: ShadowRoot | null} & Element} */ (document.activeElement).shadowRoot?.activeElement ?? /** @type {Element} */ (document.activeElement);
    return inner.getAttribute('part') ?? inner.id;
  });
