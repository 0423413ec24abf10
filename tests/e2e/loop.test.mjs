// The guard reloads a page at most once per target, loses no work of the user, and asks when it cannot go on.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { inBrowsers, screenshotPath, until } from './browsers.mjs';
import { RELEASE } from './server.mjs';
import { lookTimes, openApp, PROMPT, promptIsUp, RELOAD_BUTTON, shows, startSite } from './site.mjs';

/** @import { Site } from './types.d.ts' */
/** @import { Prompt, Status } from '../../pkg-template/index.js' */

/**
 * An edge cache that keeps one old index.html for every page, and the script that it names.
 *
 * @param {Site} site
 */
function serveStaleDocument(site) {
  const stale = readFileSync(join(site.dir, 'index.html'), 'utf8').replace('/app.js', '/app-old.js');
  const script = readFileSync(join(site.dir, 'app.js'), 'utf8');
  return [
    site.edge.answer(
      (path, request) => path === '/' || request.headers['sec-fetch-dest'] === 'document',
      ({ response }) => {
        response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' });
        response.end(stale);
      },
    ),
    site.edge.answer('/app-old.js', ({ response }) => {
      response.writeHead(200, { 'content-type': 'text/javascript; charset=utf-8' });
      response.end(script);
    }),
  ];
}

inBrowsers('reload() to a server that still serves the old page happens exactly once; then it asks', {}, async (t, browser) => {
  const site = await startSite(t, { attributes: { 'data-interval': 1000 } });
  const tab = await openApp(browser, site);
  await tab.type('#draft', 'kept');
  const fresh = serveStaleDocument(site);

  await site.publish('two');
  await tab.waitFor(() => changeover.status.skew);
  await tab.eval(() => void changeover.reload());
  await tab.waitFor(() => globalThis.loads === 2 && globalThis.ready, { timeout: 15_000, what: 'one reload' });
  await tab.waitFor(() => changeover.status.level === 'full');
  await tab.waitFor(promptIsUp, { what: 'the prompt after the reload that did not take' });
  assert.equal(await tab.eval(() => /** @type {Prompt} */ (changeover.status.prompt).reason), 'reloadDidNotTake');
  await shows(tab, 'one', 'kept');
  assert.equal(await tab.eval(() => changeover.status.build === /** @type {NonNullable<Status['release']>} */ (changeover.status.release).build), false);

  // The app may insist; the guard does not.
  assert.equal(await tab.eval(() => changeover.reload()), 'reloadDidNotTake');
  await lookTimes(tab, 3, () => site.edge.count(RELEASE));
  assert.equal(await tab.eval(() => loads), 2, 'no second reload');
  assert.equal(await tab.eval(promptIsUp), true);

  // The user's own click is honoured, and takes once the server has caught up.
  for (const undo of fresh) undo();
  await tab.click(RELOAD_BUTTON);
  await shows(tab, 'two', 'kept');
  await tab.waitFor(() => changeover.status.level === 'full' && !changeover.status.skew && !changeover.status.prompt);
});

inBrowsers('an app that calls reload() at every skew does not loop', { only: ['chromium', 'firefox'] }, async (t, browser) => {
  const site = await startSite(t, {
    attributes: { 'data-interval': 1000 },
    app: `
      changeover.on('skewFound', () => void changeover.reload());
      changeover.on('promptShown', () => void changeover.reload());
      changeover.on('releaseSeen', () => void changeover.reload());
    `,
  });
  const tab = await openApp(browser, site);
  serveStaleDocument(site);
  await site.publish('two');
  await tab.waitFor(() => globalThis.loads === 2 && globalThis.ready, { timeout: 15_000, what: 'one reload' });
  await tab.waitFor(promptIsUp, { timeout: 15_000 });
  await lookTimes(tab, 3, () => site.edge.count(RELEASE));
  assert.equal(await tab.eval(() => loads), 2);
  // A reload by hand gives a new page with the same memory.
  await tab.reload();
  await tab.waitFor(() => globalThis.ready && changeover.status.level === 'full');
  await tab.waitFor(promptIsUp);
  await sleep(2000);
  assert.equal(await tab.eval(() => loads), 3, 'only the reload by hand');
});

inBrowsers('a server that is down at the moment of accepting does not cost the page', {}, async (t, browser) => {
  const site = await startSite(t);
  const tab = await openApp(browser, site, { path: '/orders?x=1' });
  await tab.type('#draft', 'not lost');
  await site.publish('two');
  await tab.waitFor(promptIsUp);
  await tab.locate(RELOAD_BUTTON);
  await site.edge.goDown();

  await tab.click(RELOAD_BUTTON);
  await tab.waitFor(() => changeover.status.prompt?.trouble === 'unreachable', { timeout: 20_000, what: 'the prompt to say unreachable' });
  const words = await tab.eval(() => /** @type {ShadowRoot} */ (/** @type {Element} */ (document.querySelector('changeover-prompt')).shadowRoot).textContent);
  await tab.screenshot(screenshotPath(`prompt-unreachable-${browser.engine}`));
  assert.match(words, /reach|server/i);
  const page = await tab.eval(() => ({ loads, draft: /** @type {HTMLInputElement} */ (document.getElementById('draft')).value, build: /** @type {Element} */ (document.getElementById('build')).textContent }));
  assert.deepEqual(page, { loads: 1, draft: 'not lost', build: 'one' });

  await site.edge.comeBack();
  await tab.click(RELOAD_BUTTON);
  await shows(tab, 'two', 'not lost');
  assert.match(await tab.eval(() => location.href), /\/orders\?x=1$/);
});

inBrowsers('a reload the user cancels in the browser own question leaves the page and asks again', { only: ['chromium'] }, async (t, browser) => {
  const site = await startSite(t);
  const tab = await openApp(browser, site);
  await tab.type('#draft', 'mine');
  await tab.eval(() => {
    globalThis.guarded = true;
    addEventListener('beforeunload', (event) => globalThis.guarded && event.preventDefault());
  });
  await site.publish('two');
  await tab.waitFor(promptIsUp);
  tab.answerDialogs('dismiss');
  await tab.click(RELOAD_BUTTON);
  await until(() => tab.dialogs.length === 1, { what: "the browser's question" });
  assert.equal(tab.dialogs[0].type, 'beforeunload');

  await tab.waitFor(() => news.some((event) => event.type === 'changeoverAborted' && event.reason === 'reloadIgnored'), {
    timeout: 20_000,
    what: 'the guard to notice that the browser stayed',
  });
  await tab.waitFor(promptIsUp);
  const page = await tab.eval(() => ({ loads, draft: /** @type {HTMLInputElement} */ (document.getElementById('draft')).value, trouble: /** @type {Prompt} */ (changeover.status.prompt).trouble }));
  assert.deepEqual(page, { loads: 1, draft: 'mine', trouble: 'reloadIgnored' });

  await tab.eval(() => (globalThis.guarded = false));
  await tab.click(RELOAD_BUTTON);
  await shows(tab, 'two', 'mine');
});

inBrowsers('a hold delays the reload until it is released', { only: ['chromium', 'firefox'] }, async (t, browser) => {
  const site = await startSite(t);
  const tab = await openApp(browser, site);
  await site.publish('two');
  await tab.waitFor(promptIsUp);
  await tab.eval(() => {
    globalThis.done = changeover.hold('upload of 3 files', { deadline: 60_000 });
  });
  await tab.click(RELOAD_BUTTON);
  await tab.waitFor(() => changeover.status.changeover?.phase === 'draining');
  const status = await tab.eval(() => changeover.status);
  assert.deepEqual(status.holds.map((hold) => hold.reason), ['upload of 3 files']);
  assert.deepEqual(/** @type {Prompt} */ (status.prompt).busy, { type: 'holds', reasons: ['upload of 3 files'] });
  await tab.waitFor(() => /** @type {string} */ (/** @type {ShadowRoot} */ (/** @type {Element} */ (document.querySelector('changeover-prompt')).shadowRoot).textContent).includes('upload of 3 files'));
  await sleep(1000);
  assert.equal(await tab.eval(() => loads), 1, 'the page waits');

  await tab.eval(() => setTimeout(globalThis.done));
  await shows(tab, 'two');
});

inBrowsers('a hold does not count after its deadline', { only: ['chromium'] }, async (t, browser) => {
  const site = await startSite(t);
  const tab = await openApp(browser, site);
  await site.publish('two');
  await tab.waitFor(promptIsUp);
  const until = await tab.eval(() => {
    changeover.hold('forgotten', { deadline: 3000 });
    return Date.now() + 3000;
  });
  await tab.click(RELOAD_BUTTON);
  await shows(tab, 'two');
  const late = await tab.eval(() => performance.timeOrigin) - until;
  assert.ok(late > -50 && late < 3000, `the new page began ${late} ms after the deadline`);
});

inBrowsers('a state provider that throws costs the user no work', { only: ['chromium', 'firefox'] }, async (t, browser) => {
  const site = await startSite(t, {
    app: `
      globalThis.broken = true;
      changeover.state('basket', {
        capture() {
          if (globalThis.broken) throw new Error('basket is locked');
          return ['tea'];
        },
        restore: (value) => (globalThis.basket = value),
      });
    `,
  });
  const tab = await openApp(browser, site);
  await tab.type('#draft', 'precious');
  await site.publish('two');
  await tab.waitFor(promptIsUp);
  await tab.click(RELOAD_BUTTON);
  await tab.waitFor(() => changeover.status.prompt?.trouble === 'stateNotSaved');
  const page = await tab.eval(() => ({ loads, draft: /** @type {HTMLInputElement} */ (document.getElementById('draft')).value, errors: errors() }));
  assert.deepEqual(page, { loads: 1, draft: 'precious', errors: [] });
  await tab.screenshot(screenshotPath(`prompt-state-not-saved-${browser.engine}`));

  // Once the provider works again, so does the way out.
  await tab.eval(() => (globalThis.broken = false));
  await tab.click(RELOAD_BUTTON);
  await shows(tab, 'two', 'precious');
  await tab.waitFor(() => globalThis.basket?.[0] === 'tea', { what: 'the basket' });
});

inBrowsers('a state that cannot be restored stays for the next page and is told', { only: ['chromium'] }, async (t, browser) => {
  const site = await startSite(t, {
    app: `
      changeover.state('view', {
        capture: () => 'map',
        restore(value) {
          if (BUILD === 'two') throw new Error('no map here');
          globalThis.view = value;
        },
      });
    `,
  });
  const tab = await openApp(browser, site);
  await site.publish('two');
  await tab.waitFor(promptIsUp);
  await tab.click(RELOAD_BUTTON);
  await shows(tab, 'two');
  await tab.waitFor(() => news.some((event) => event.type === 'stateRestored' && event.failed.length > 0), { what: 'the failure to be told' });
  const told = await tab.eval(() => news.filter((event) => event.type === 'stateRestored'));
  assert.deepEqual(told.flatMap((event) => event.failed), ['view']);
  assert.deepEqual(told.flatMap((event) => event.restored), ['draft']);
  // Nothing is thrown at the app; the console names the state and the cause.
  const words = await tab.eval(() => errors());
  assert.equal(words.length, 1);
  assert.match(words[0], /^console: changeover: .*"view".*no map here/);
  const kept = await tab.eval(() => Object.entries(sessionStorage).find(([key]) => key.endsWith(':envelope'))?.[1]);
  assert.ok(kept?.includes('"view":"map"'), `the envelope keeps what no provider took: ${kept}`);
  assert.equal(await tab.eval((selector) => document.querySelector(selector)?.checkVisibility() ?? false, PROMPT), false);
});

// An app that has registered nothing, in a browser that stores nothing of the guard.
const FORGETS = `<script>
const { setItem } = Storage.prototype;
Storage.prototype.setItem = function (name, value) {
  if (name.startsWith('changeover:')) throw new DOMException('full', 'QuotaExceededError');
  setItem.call(this, name, value);
};
</script>`;
const NOTHING = "changeover.state('draft', { capture() {}, restore() {} });";

inBrowsers('a page that registered nothing is not said to lose work where nothing can be stored', { only: ['chromium', 'firefox'] }, async (t, browser) => {
  const site = await startSite(t, { head: FORGETS, app: NOTHING });
  const tab = await openApp(browser, site);
  await site.publish('two');
  await tab.waitFor(promptIsUp);
  assert.equal(await tab.eval(() => changeover.reload()), 'reloadDidNotTake');
  assert.equal(await tab.eval(() => /** @type {Prompt} */ (changeover.status.prompt).trouble), 'reloadDidNotTake');
  await tab.locate(RELOAD_BUTTON);
  assert.doesNotMatch(await tab.eval(() => /** @type {ShadowRoot} */ (/** @type {Element} */ (document.querySelector('changeover-prompt')).shadowRoot).textContent), /lost|anyway/);
  await tab.click(RELOAD_BUTTON);
  await shows(tab, 'two');
});

inBrowsers('work that cannot be stored keeps the page, and the user is told', { only: ['chromium'] }, async (t, browser) => {
  const site = await startSite(t, { head: FORGETS });
  const tab = await openApp(browser, site);
  await tab.type('#draft', 'precious');
  await site.publish('two');
  await tab.waitFor(promptIsUp);
  await tab.click(RELOAD_BUTTON);
  await tab.waitFor(() => changeover.status.prompt?.trouble === 'stateNotSaved');
  assert.equal(await tab.eval(() => loads), 1);
});
