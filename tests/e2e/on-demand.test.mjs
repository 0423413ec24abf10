// What the runtime fetches when it is first needed, the prompt and what saves state: not before, and nothing is lost without it.

import assert from 'node:assert/strict';

import { inBrowsers, screenshotPath, until } from './browsers.mjs';
import { odd, RELEASE } from './server.mjs';
import { promptIsUp, RELOAD_BUTTON } from './site.mjs';
import { arrives, asks, backups, draft, DRAFT, openDraft, runs, startStateSite, STORES } from './state-site.mjs';

/** @import { Site, Tab } from './types.d.ts' */

const PROMPT = '/prompt.js';
const STATES = '/states.js';
const PARTS = [PROMPT, STATES, '/stores.js'];
const NONE = { app: '' };
/** A draft without a schema, which needs no migrations. */
const PLAIN = { app: DRAFT.one.replace('schema: 1,', '') };
const BANNER = 'html > output';
const RELOAD = `${BANNER} > button:first-of-type`;
const LATER = `${BANNER} > button:last-of-type`;

/** How often each part was asked for. */
const asked = (/** @type {Site} */ site) => PARTS.map((path) => site.edge.count(path));
const problems = (/** @type {Tab} */ tab) => tab.eval(() => news.filter(({ type }) => type === 'problem').map(({ code, message }) => `${code}: ${message}`));
const says = (/** @type {Tab} */ tab) => tab.eval((banner) => document.querySelector(banner)?.textContent ?? null, BANNER);
const missing = (/** @type {Site} */ site, /** @type {string} */ path) => site.edge.answer(path, odd.status(404));
/**
 * @param {Site} site
 * @param {number} times
 */
async function looks(site, times) {
  const before = site.edge.count(RELEASE);
  await until(() => site.edge.count(RELEASE) >= before + times, { timeout: 20_000, what: `${times} more looks at the release` });
}

inBrowsers('a page that sees no other build fetches none of them; at the sight of one it fetches each once', {}, async (t, browser) => {
  const site = await startStateSite(t, { one: NONE, two: NONE }, { attributes: { 'data-stream': 'off' } });
  const tab = await openDraft(browser, site);
  await looks(site, 3);
  assert.deepEqual(asked(site), [0, 0, 0]);
  await asks(tab, site, 'two');
  await tab.locate(RELOAD_BUTTON);
  await until(() => String(asked(site)) === '1,1,0', { what: 'prompt and state to be fetched' });
  await tab.screenshot(screenshotPath(`on-demand-prompt-${browser.engine}`));
  await tab.click(RELOAD_BUTTON);
  await runs(tab, 'two');
  assert.deepEqual(await tab.eval(() => errors()), []);
});

inBrowsers('a page with registered state fetches what saves it at once, and nothing of the prompt', { only: ['chromium'] }, async (t, browser) => {
  const site = await startStateSite(t, { one: PLAIN, two: PLAIN });
  const tab = await openDraft(browser, site);
  await until(() => site.edge.count(STATES) === 1, { what: 'states.js to be fetched' });
  assert.deepEqual(asked(site), [0, 1, 0]);
  // A deploy that removes it afterwards takes nothing away.
  missing(site, STATES);
  await tab.type('#draft', 'tea');
  await asks(tab, site, 'two');
  await tab.locate(RELOAD_BUTTON);
  site.edge.answer(STATES, ({ pass }) => pass());
  await tab.click(RELOAD_BUTTON);
  await arrives(tab, 'two');
  assert.equal(await draft(tab), 'tea');
});

inBrowsers('a prompt of the app’s own never fetches the built-in one', { only: ['chromium'] }, async (t, browser) => {
  const site = await startStateSite(t, { one: PLAIN, two: PLAIN }, { attributes: { 'data-prompt': 'off' } });
  const tab = await openDraft(browser, site);
  await asks(tab, site, 'two');
  await looks(site, 2);
  assert.equal(site.edge.count(PROMPT), 0);
  assert.equal(await says(tab), null);
});

inBrowsers('without the prompt’s file a plain bar asks, waits for holds, and moves the page with its state', {}, async (t, browser) => {
  const site = await startStateSite(t, { one: PLAIN, two: PLAIN });
  missing(site, PROMPT);
  const tab = await openDraft(browser, site);
  await tab.type('#draft', 'tea');
  await tab.eval(() => void (globalThis.done = changeover.hold('upload of report.pdf')));
  await asks(tab, site, 'two');
  await tab.locate(RELOAD);
  assert.match(/** @type {string} */ (await says(tab)), /^A new version is ready\./);
  assert.match((await problems(tab)).join(), /^prompt_unavailable: a plain bar asks in place of the prompt: prompt\.js did not load: /);
  await tab.screenshot(screenshotPath(`on-demand-bar-${browser.engine}`));
  await tab.click(RELOAD);
  await tab.waitFor((banner) => /** @type {string} */ (/** @type {Element} */ (document.querySelector(banner)).textContent).includes('upload of report.pdf'), BANNER, { what: 'the bar to say what it waits for' });
  assert.equal(await tab.eval(() => /** @type {Element} */ (document.getElementById('build')).textContent), 'one');
  await tab.eval(() => void setTimeout(() => globalThis.done(), 200)); // the page goes at once
  await arrives(tab, 'two');
  assert.equal(await draft(tab), 'tea');
  assert.deepEqual(await tab.eval(() => errors()), []);
});

inBrowsers('“Later” in the plain bar puts the question off', { only: ['chromium'] }, async (t, browser) => {
  const site = await startStateSite(t, { one: NONE, two: NONE });
  missing(site, PROMPT);
  const tab = await openDraft(browser, site);
  await asks(tab, site, 'two');
  await tab.locate(LATER);
  await tab.click(LATER);
  await tab.waitFor((banner) => !document.querySelector(banner), BANNER, { what: 'the bar to go' });
  assert.deepEqual(await tab.eval(() => changeover.status.decision), { kind: 'wait', reason: 'snoozed' });
});

inBrowsers('a server that never answers for the prompt gets a plain bar, too', { only: ['chromium'] }, async (t, browser) => {
  const site = await startStateSite(t, { one: NONE, two: NONE });
  site.edge.answer(PROMPT, () => new Promise(() => {}));
  const tab = await openDraft(browser, site);
  await asks(tab, site, 'two');
  await tab.locate(RELOAD, { timeout: 15_000 });
  assert.match((await problems(tab)).join(), /no answer within 4 s/);
  await tab.click(RELOAD);
  await runs(tab, 'two');
});

inBrowsers('without what saves state the page stays, says so, and moves with its state once the file is there again', {}, async (t, browser) => {
  const site = await startStateSite(t, { one: PLAIN, two: PLAIN });
  const heal = missing(site, STATES);
  const tab = await openDraft(browser, site);
  await tab.type('#draft', 'tea');
  await asks(tab, site, 'two');
  await tab.locate(RELOAD_BUTTON);
  assert.equal(await tab.eval(() => changeover.reload()), 'stateNotSaved');
  const said = await problems(tab);
  assert.match(said[0], /^state_unavailable: no state of this page can be saved or put in place: states\.js did not load: /);
  assert.match(/** @type {string} */ (said.at(-1)), /^state_not_saved: no state could be captured: states\.js did not load: /);
  await tab.waitFor(() => /** @type {Element} */ (/** @type {ShadowRoot} */ (/** @type {Element} */ (document.querySelector('changeover-prompt')).shadowRoot).querySelector('[part~="reload"]')).textContent === 'Reload anyway', { what: 'the prompt to warn' });
  await tab.screenshot(screenshotPath(`on-demand-not-saved-${browser.engine}`));
  assert.equal(await draft(tab), 'tea');

  heal();
  // Some browsers remember a failed address: the second of two attempts is at another one.
  await tab.eval(() => changeover.backups().catch(() => null).then(() => changeover.backups()));
  await tab.click(RELOAD_BUTTON);
  await arrives(tab, 'two');
  assert.equal(await draft(tab), 'tea');
});

inBrowsers('state that came is put in place when its file answers at the second attempt', { only: ['chromium', 'firefox'] }, async (t, browser) => {
  const site = await startStateSite(t, { one: PLAIN, two: PLAIN });
  const tab = await openDraft(browser, site);
  await tab.type('#draft', 'tea');
  await asks(tab, site, 'two');
  await tab.locate(RELOAD_BUTTON);
  site.edge.answer(STATES, ({ nth, response, pass }) => (nth > 1 ? pass() : void response.writeHead(503).end()));
  await tab.click(RELOAD_BUTTON);
  await arrives(tab, 'two');
  assert.equal(await draft(tab), 'tea');
  assert.equal(site.edge.requests.filter(({ path, status }) => path === STATES && status === 503).length, 1);
});

inBrowsers('state that cannot be put in place stays on its way, and the next page has it', { only: ['chromium'] }, async (t, browser) => {
  const site = await startStateSite(t, { one: PLAIN, two: PLAIN });
  const tab = await openDraft(browser, site);
  await tab.type('#draft', 'tea');
  await asks(tab, site, 'two');
  await tab.locate(RELOAD_BUTTON);
  const heal = missing(site, STATES);
  await tab.click(RELOAD_BUTTON);
  await runs(tab, 'two');
  await tab.waitFor(() => news.some(({ code }) => code === 'state_unavailable'), { what: 'the problem to be told' });
  assert.equal(await draft(tab), '');
  heal();
  await tab.reload();
  await runs(tab, 'two');
  await tab.waitFor(() => restored.draft, { what: 'the draft' });
  assert.equal(await draft(tab), 'tea');
});

inBrowsers('what could be put in place only after a while becomes a backup, and what was typed since stays', { only: ['chromium'] }, async (t, browser) => {
  const site = await startStateSite(t, { one: PLAIN, two: PLAIN, three: PLAIN });
  const tab = await openDraft(browser, site);
  await tab.type('#draft', 'tea');
  await asks(tab, site, 'two');
  await tab.locate(RELOAD_BUTTON);
  const heal = missing(site, STATES);
  await tab.click(RELOAD_BUTTON);
  await runs(tab, 'two');
  await tab.type('#draft', 'coffee');
  await new Promise((go) => setTimeout(go, 16_000));
  heal();
  await tab.eval(() => changeover.backups().catch(() => null).then(() => changeover.backups()).then(() => null));
  assert.equal(await draft(tab), 'coffee');
  const [backup] = await until(async () => { const list = await backups(tab); return list.length && list; }, { what: 'the backup' });
  assert.deepEqual([backup.name, backup.reason], ['draft', 'came_late']);
  await asks(tab, site, 'three');
  await tab.click(RELOAD_BUTTON);
  await arrives(tab, 'three');
  assert.equal(await draft(tab), 'coffee');
  assert.deepEqual(await tab.eval(async () => (await changeover.backups()).at(0)?.value()), { text: 'tea' });
});

inBrowsers('files of another version of the package do not count', { only: ['chromium'] }, async (t, browser) => {
  const site = await startStateSite(t, { one: PLAIN, two: PLAIN });
  for (const path of [PROMPT, STATES]) {
    site.edge.answer(path, ({ response }) => {
      response.writeHead(200, { 'content-type': 'text/javascript' });
      response.end("export const stamp = 'another'; export const createPrompt = () => { throw new Error('run'); }; export const createStates = createPrompt;");
    });
  }
  const tab = await openDraft(browser, site);
  await asks(tab, site, 'two');
  await tab.locate(RELOAD);
  assert.equal(await tab.eval(() => changeover.reload()), 'stateNotSaved');
  assert.deepEqual(
    [...new Set((await problems(tab)).map((text) => text.replace(/^(\w+): .*: /, '$1: ')))],
    ['state_unavailable', 'prompt_unavailable', 'state_not_saved'].map((code) => `${code}: it is of another version of changeover`),
  );
});

inBrowsers('where WebAssembly does not run it is the same: the page stays with its state, and a plain bar asks', { only: ['chromium'], flags: ['--js-flags=--jitless'] }, async (t, browser) => {
  const site = await startStateSite(t, { one: PLAIN, two: PLAIN });
  const heal = [missing(site, PROMPT), missing(site, STATES)];
  const tab = await openDraft(browser, site, { level: 'loader' });
  await tab.type('#draft', 'tea');
  await asks(tab, site, 'two');
  await tab.locate(RELOAD);
  assert.equal(await tab.eval(() => changeover.reload()), 'stateNotSaved');
  assert.match(/** @type {string} */ (await says(tab)), /Your work could not be saved and may be lost\. Reload anyway Later$/);
  assert.equal(await draft(tab), 'tea');
  for (const one of heal) one();
  await tab.eval(() => changeover.backups().catch(() => null).then(() => changeover.backups()).then(() => null));
  await tab.click(RELOAD);
  await runs(tab, 'two', 'loader');
  await tab.waitFor(() => restored.draft, { what: 'the draft' });
  assert.equal(await draft(tab), 'tea');
});

inBrowsers('migrations still run: the draft of schema 1 arrives as schema 2', { only: ['chromium'] }, async (t, browser) => {
  const site = await startStateSite(t, { one: { stores: STORES.one, app: DRAFT.one }, two: { stores: STORES.two, app: DRAFT.two() } });
  const tab = await openDraft(browser, site);
  await tab.type('#draft', 'tea');
  await asks(tab, site, 'two');
  await tab.waitFor(promptIsUp);
  await tab.click(RELOAD_BUTTON);
  await arrives(tab, 'two');
  assert.deepEqual(await tab.eval(() => restored.draft), { lines: ['tea'], mark: 'none' });
});
