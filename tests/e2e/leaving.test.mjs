// Between the reload and the end of the page: what the page has saved reaches the document that the reload brings,
// however late, and never one in which something newer is at stake.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

import { inBrowsers, until } from './browsers.mjs';
import { odd } from './server.mjs';
import { openApp, promptIsUp, RELOAD_BUTTON, shows, startSite } from './site.mjs';

/** @import { TestContext } from 'node:test' */
/** @import { Browser, Site, Tab } from './types.d.ts' */
/** @import { Status } from '../../pkg-template/index.js' */

const STRICT = "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'";
// The leave dialog of an app with unsaved work, and its way to save it.
const APP = `
let dirty = false;
document.getElementById('draft').addEventListener('input', () => (dirty = true));
addEventListener('beforeunload', (event) => dirty && event.preventDefault());
document.getElementById('draft').value = localStorage.saved ?? '';
globalThis.save = () => {
  localStorage.saved = document.getElementById('draft').value;
  dirty = false;
};
`;
/** @type {{level: Status['level'], stream: Status['stream'] | null, headers: Record<string, string>}[]} */
const LEVELS = [
  { level: 'full', stream: 'open', headers: {} },
  { level: 'loader', stream: null, headers: { 'content-security-policy': STRICT } },
];

/**
 * @param {TestContext} t
 * @param {Browser} browser
 * @param {typeof LEVELS[0]} how
 */
async function startDraft(t, browser, { level, stream, headers }, app = '') {
  const site = await startSite(t, { attributes: { 'data-interval': 1000 }, app });
  site.edge.addHeaders(headers);
  const tab = await openApp(browser, site, { level, stream });
  await tab.type('#draft', 'old words');
  await site.publish('two');
  await tab.waitFor(promptIsUp, { timeout: 20_000, what: 'the prompt' });
  return { site, tab };
}

/**
 * The next documents take this long; what the page itself asks for does not.
 *
 * @param {Site} site
 * @param {number} ms
 */
function slowDocuments(site, ms) {
  site.edge.answer(
    (path, request) => path === '/' && /** @type {boolean} */ (request.headers.accept?.includes('text/html')),
    async ({ pass }) => {
      await sleep(ms);
      await pass();
    },
  );
}
const documents = (/** @type {Site} */ site) => site.edge.requests.filter(({ path, headers }) => path === '/' && headers.accept?.includes('text/html')).length;
const restored = (/** @type {Tab} */ tab) => tab.eval(() => globalThis.restored ?? null);

for (const way of LEVELS) {
  for (const pause of [400, 12_000]) {
    inBrowsers(
      `at level ${way.level}, work saved after "Stay" is not replaced by a reload by hand ${pause} ms later`,
      { only: ['chromium', 'firefox'], timeout: 90_000 },
      async (t, browser) => {
        const { site, tab } = await startDraft(t, browser, way, APP);
        tab.answerDialogs('dismiss');
        await tab.click(RELOAD_BUTTON);
        await until(() => tab.dialogs.length === 1, { what: "the browser's question" });
        await sleep(pause);
        await tab.eval(() => {
          /** @type {HTMLInputElement} */ (document.getElementById('draft')).value = 'new words';
          save();
        });
        tab.answerDialogs('accept');
        await tab.reload();
        await shows(tab, 'two', 'new words');
        await tab.waitFor((level) => changeover.status.level === level, way.level, { timeout: 20_000 });
        await sleep(1000);
        assert.equal(await restored(tab), null);
        assert.equal(await tab.eval(() => /** @type {HTMLInputElement} */ (document.getElementById('draft')).value), 'new words');
        assert.deepEqual(await tab.eval(() => Object.keys(sessionStorage).filter((key) => /envelope|leaving/.test(key))), []);
        assert.equal(tab.dialogs.length, 1);
        assert.ok(site);
      },
    );
  }

  inBrowsers(`at level ${way.level}, what is typed while a slow server answers the reload arrives with it`, { timeout: 90_000 }, async (t, browser) => {
    const { site, tab } = await startDraft(t, browser, way);
    slowDocuments(site, 14_000);
    const before = documents(site);
    // By a timer of the page: the drivers wait for the navigation before they type.
    await tab.eval(() =>
      setTimeout(() => {
        const draft = document.getElementById('draft');
        /** @type {HTMLInputElement} */ (draft).value += ' and more';
        /** @type {NonNullable<typeof draft>} */ (draft).dispatchEvent(new Event('input', { bubbles: true }));
      }, 8_000),
    );
    await tab.click(RELOAD_BUTTON);
    await until(() => documents(site) > before, { timeout: 20_000, what: 'the request for the document' });
    await tab.waitFor(() => document.getElementById('build')?.textContent === 'two', { timeout: 40_000, what: 'build two' });
    await tab.waitFor(() => globalThis.restored, { timeout: 20_000, what: 'the draft' });
    assert.equal(await tab.eval(() => /** @type {HTMLInputElement} */ (document.getElementById('draft')).value), 'old words and more');
  });

  inBrowsers(`at level ${way.level}, a reload by hand while a slow server answers keeps the draft`, { only: ['chromium', 'firefox'], timeout: 90_000 }, async (t, browser) => {
    const { site, tab } = await startDraft(t, browser, way);
    slowDocuments(site, 6_000);
    const before = documents(site);
    await tab.click(RELOAD_BUTTON);
    await until(() => documents(site) > before, { timeout: 20_000, what: 'the request for the document' });
    await sleep(3000);
    await tab.reload().catch(() => {}); // the first navigation is cancelled, and the driver says so
    await shows(tab, 'two', 'old words');
  });
}

inBrowsers('a copy of a tab that stayed does not take its state', { only: ['chromium', 'firefox'] }, async (t, browser) => {
  const { site, tab } = await startDraft(t, browser, LEVELS[0], APP);
  tab.answerDialogs('dismiss');
  await tab.click(RELOAD_BUTTON);
  await until(() => tab.dialogs.length === 1, { what: "the browser's question" });
  await tab.waitFor(() => Object.keys(sessionStorage).some((key) => key.endsWith(':envelope')));
  // As browsers do it when a tab is duplicated.
  const session = await tab.eval(() => ({ ...sessionStorage }));
  const copy = await browser.open(`${site.url}/login.html`);
  await copy.eval((session) => Object.assign(sessionStorage, session), session);
  await sleep(2000);
  await openApp(browser, site, { tab: copy, stream: null });
  await sleep(1000);
  assert.equal(await restored(copy), null);
});

inBrowsers('a page to sign in between the reload and the app loses nothing', {}, async (t, browser) => {
  const { site, tab } = await startDraft(t, browser, LEVELS[0]);
  const signedIn = site.edge.answer(
    (path, request) => path === '/' && /** @type {boolean} */ (request.headers.accept?.includes('text/html')),
    ({ response }) => {
      response.writeHead(302, { location: '/login.html', 'cache-control': 'no-store' });
      response.end();
    },
  );
  await tab.click(RELOAD_BUTTON);
  await tab.waitFor(() => location.pathname === '/login.html', { timeout: 20_000, what: 'the page to sign in' });
  await sleep(3000);
  signedIn();
  await tab.goto(site.url);
  await shows(tab, 'two', 'old words');
});

// Firefox and WebKit stop what a page loads as soon as it is being left, and the page lives on until the server answers.
const NOTES = `
changeover.on('*', ({ type }) => /chunkFailed|promptShown/.test(type) && (localStorage.noted = (localStorage.noted ?? '') + type + ' '));
globalThis.load = () => import('/slow.js').catch((error) => {
  localStorage.stopped = String(error);
  throw error;
});
`;
/**
 * What a page is told of while it imports something slow and is left by `leave`, with a build live that it does not need.
 *
 * @param {TestContext} t
 * @param {Browser} browser
 */
async function startLeaving(t, browser) {
  const site = await startSite(t, { attributes: { 'data-interval': 600_000, 'data-prompt': 'off' }, app: NOTES });
  const tab = await openApp(browser, site);
  await site.publish('two');
  await tab.waitFor(() => changeover.status.prompt, { timeout: 20_000, what: 'the news' });
  await tab.eval(() => {
    changeover.snooze();
    localStorage.noted = '';
  });
  site.edge.answer('/slow.js', odd.silence());
  await tab.eval(() => void load());
  await until(() => site.edge.open('/slow.js') > 0, { what: 'the import' });
  return { site, tab };
}

inBrowsers('leaving the page during an import shows and tells nothing on the way out', {}, async (t, browser) => {
  const { site, tab } = await startLeaving(t, browser);
  site.edge.answer(
    (path, request) => path === '/login.html' && /** @type {boolean} */ (request.headers.accept?.includes('text/html')),
    async ({ pass }) => {
      await sleep(3_000);
      await pass();
    },
  );
  // A timer of the page: the drivers wait for the navigation.
  await tab.eval(() => void setTimeout(() => (location.href = '/login.html')));
  await tab.waitFor(() => location.pathname === '/login.html', { timeout: 20_000, what: 'the other page' });
  const { stopped, noted } = await tab.eval(() => ({ ...localStorage }));
  t.diagnostic(`the import said: ${stopped}`);
  if (browser.engine !== 'chromium') assert.ok(stopped, 'the browser has stopped the import');
  assert.equal(noted, '');
});

inBrowsers('an import that a download stopped counts when the page stays', { only: ['firefox', 'webkit'], timeout: 90_000 }, async (t, browser) => {
  const { site, tab } = await startLeaving(t, browser);
  site.edge.answer('/report', ({ response }) => {
    response.writeHead(204);
    response.end();
  });
  await tab.eval(() => void setTimeout(() => (location.href = '/report')));
  await tab.waitFor(() => localStorage.stopped, { what: 'the end of the import' });
  await tab.waitFor(() => /chunkFailed promptShown/.test(localStorage.noted), { timeout: 45_000, what: 'the failed chunk' });
  assert.equal(await tab.eval(() => /** @type {Element} */ (document.getElementById('build')).textContent), 'one');
});
