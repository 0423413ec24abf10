// A build of the plugin, copied to a host by hand: open pages are told, swap where the plan allows, and move.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { inBrowsers } from '../e2e/browsers.mjs';
import { promptIsUp, RELOAD_BUTTON } from '../e2e/site.mjs';
import { startSwapSite } from '../swapping/site.mjs';
import { CLEAN, committed, keepsWork, leftovers, openWork, showsText, swapped } from '../swapping/work.mjs';
import { copyAndDelete, copyInOrder, deleteAndCopy, switchTo } from './deploy.mjs';
import { skip, startNginx } from './nginx.mjs';

/** @import { Deploy, Group } from './deploy.mjs' */
/** @import { TestContext } from 'node:test' */
/** @import { Browser, SwapSite, Tab } from '../e2e/types.d.ts' */

const COUNTER = 'src/routes/Counter.js';
/** @type {Record<string, Group[]>} */
const ORDERS = {
  'the pointer first': ['pointer', 'documents', 'assets', 'manifest'],
  'the document first': ['documents', 'pointer', 'assets', 'manifest'],
  'the document last': ['pointer', 'assets', 'manifest', 'documents'],
  'the files last': ['manifest', 'documents', 'pointer', 'assets'],
  'the pointer first and the files last': ['pointer', 'manifest', 'documents', 'assets'],
};

onNginx('builds copied over one another on nginx reach an open page in any order of their files', async (t, browser) => {
  const { site, root, tab } = await start(t, browser, (/** @type {string} */ dist, /** @type {string} */ root) => copyInOrder(dist, root, ['assets', 'manifest', 'documents', 'pointer'], 0));
  for (const [name, order] of Object.entries(ORDERS)) {
    await t.test(name, () => takes(site, tab, `counter, ${name}`, (dist) => copyInOrder(dist, root, order)));
  }
  await t.test('a new shell', () => moves(site, tab, (dist) => copyInOrder(dist, root, ORDERS['the pointer first'])));
});

onNginx('builds that replace everything on a host reach an open page', async (t, browser) => {
  const { site, root, tab } = await start(t, browser, switchTo);
  /** @type {Record<string, Deploy>} */
  const deploys = {
    'another folder by a symbolic link': switchTo,
    'emptied, then copied, the document first': (/** @type {string} */ dist, /** @type {string} */ root) => deleteAndCopy(dist, root, ORDERS['the document first']),
    'emptied, then copied, the files last': (/** @type {string} */ dist, /** @type {string} */ root) => deleteAndCopy(dist, root, ORDERS['the files last']),
    'copied, the pointer first, then rid of what is old': (/** @type {string} */ dist, /** @type {string} */ root) => copyAndDelete(dist, root, ORDERS['the pointer first']),
  };
  for (const [name, deploy] of Object.entries(deploys)) await t.test(name, () => takes(site, tab, `counter, ${name}`, (dist) => deploy(dist, root)));
  await t.test('a new shell', () => moves(site, tab, (dist) => deleteAndCopy(dist, root, ORDERS['the pointer first'])));
});

onNginx('a new shell whose files come last is asked about when they are there', async (t, browser) => {
  const { site, root, tab } = await start(t, browser, (/** @type {string} */ dist, /** @type {string} */ root) => copyInOrder(dist, root, ['assets', 'manifest', 'documents', 'pointer'], 0));
  await moves(site, tab, async (dist) => {
    await copyInOrder(dist, root, ['pointer', 'manifest', 'documents'], 0);
    await tab.waitFor((build) => guard.status.release?.build === build, idOf(dist), { what: 'the pointer' });
    await sleep(3000);
    assert.equal(await tab.eval(promptIsUp), false, 'its files are not there');
    await copyInOrder(dist, root, ['assets'], 0);
  });
});

onNginx('a page that opens on the documents of a copy before its pointer is not asked back', async (t, browser) => {
  const { site, root, url } = await start(t, browser, (/** @type {string} */ dist, /** @type {string} */ root) => copyInOrder(dist, root, ['assets', 'manifest', 'documents', 'pointer'], 0));
  // Deploys lie further apart than the second that two builds of a test may have in common.
  const { sequence } = JSON.parse(readFileSync(join(root, 'changeover/release.json'), 'utf8'));
  const dist = await site.edit({ 'src/util.js': [['[${text}]', '{${text}}']] }).build({ sequence: sequence + 60 });
  await copyInOrder(dist, root, ['assets', 'manifest', 'documents'], 0);
  const early = await browser.open(url);
  await early.waitFor(() => globalThis.guard?.status.level === 'full' && guard.status.lastCheck, { what: 'the first look' });
  assert.equal(await early.eval(() => guard.status.build), idOf(dist), 'it is the new document');
  for (let look = 0; look < 3; look += 1) await early.eval(() => guard.check());
  assert.deepEqual(await early.eval(() => [guard.status.skew, guard.status.prompt, guard.status.lastFailure?.code]), [false, null, 'older_release']);
  await copyInOrder(dist, root, ['pointer'], 0);
  await early.waitFor((build) => /** @type {unknown} */ (guard.check()) && guard.status.release?.build === build, idOf(dist), { what: 'the pointer' });
  assert.deepEqual(await early.eval(() => [guard.status.skew, guard.status.prompt, guard.status.lastFailure, news.filter(({ type }) => type === 'promptShown')]), [false, null, null, []]);
});

/**
 * @param {string} name
 * @param {(t: TestContext, browser: Browser) => unknown} run
 */
function onNginx(name, run) {
  if (skip) test(name, { skip }, () => {});
  else inBrowsers(name, { timeout: 400_000 }, run);
}

/**
 * nginx with a first build, and an open page with work in it.
 *
 * @param {TestContext} t
 * @param {Browser} browser
 * @param {Deploy} deploy
 */
async function start(t, browser, deploy) {
  const site = await startSwapSite(t, { app: 'plain' });
  const host = join(site.folder, 'host');
  const root = join(host, 'root');
  mkdirSync(host);
  if (deploy !== switchTo) mkdirSync(root);
  await deploy(await site.build(), root);
  const url = await startNginx(t, root, join(site.folder, 'nginx'));
  return { site, root, url, tab: await openWork(browser, { url }) };
}

/**
 * The page takes the new code of a route, with all work.
 *
 * @param {SwapSite} site
 * @param {Tab} tab
 * @param {string} text
 * @param {(dist: string) => unknown} deploy
 */
async function takes(site, tab, text, deploy) {
  const dist = await site.restore().edit({ [COUNTER]: [['counter one', text]] }).build();
  await deploy(dist);
  await showsText(tab, '#says', text, { timeout: 60_000 });
  await swapped(tab, '#says', text);
  await committed(tab, idOf(dist));
  assert.deepEqual(await tab.eval(() => news.splice(0).filter(({ type }) => type === 'promptShown')), [], 'a swap needs no prompt');
  await keepsWork(tab);
  assert.deepEqual(await tab.eval(leftovers), CLEAN);
}

/**
 * The page asks, and is on the new build after the reload.
 *
 * @param {SwapSite} site
 * @param {Tab} tab
 * @param {(dist: string) => unknown} deploy
 */
async function moves(site, tab, deploy) {
  const dist = await site.restore().edit({ 'src/util.js': [['[${text}]', '{${text}}']] }).build();
  await deploy(dist);
  await tab.waitFor(promptIsUp, { timeout: 20_000, what: 'the prompt' });
  await keepsWork(tab);
  await tab.click(RELOAD_BUTTON);
  await showsText(tab, '#title', '{shell}');
  await tab.waitFor((build) => guard.status.build === build && guard.status.level === 'full' && !guard.status.skew, idOf(dist), { timeout: 20_000, what: 'the new build' });
}

const idOf = (/** @type {string} */ dist) => JSON.parse(readFileSync(join(dist, 'changeover/release.json'), 'utf8')).build.id;
