// A host that has one build at a time: each deploy removes the files of the build before it, as a container image, `rsync --delete`
// and hosts that deploy one folder do. Open pages know what they run all the same.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { inBrowsers, until } from '../e2e/browsers.mjs';
import { startEdge } from '../e2e/server.mjs';
import { promptIsUp } from '../e2e/site.mjs';
import { startSwapSite } from './site.mjs';
import { CLEAN, committed, keepsWork, leftovers, openWork, showsText } from './work.mjs';

/** @import { TestContext } from 'node:test' */
/** @import { Edits, SwapSite, Tab } from '../e2e/types.d.ts' */

const COUNTER = 'src/routes/Counter.js';
const manifestOf = (/** @type {string} */ build) => `/changeover/builds/${build}.json`;

/**
 * A site whose host holds only what was deployed last; `site.deploy(edits)` builds and replaces everything at once.
 *
 * @param {TestContext} t
 */
async function startOneFolder(t) {
  const site = /** @type {SwapSite & {deploy: (edits: Edits) => Promise<string>}} */ (await startSwapSite(t, { app: 'plain' }));
  const served = join(site.folder, 'served');
  let count = 0;
  const replace = () => {
    const id = site.release().build.id;
    const next = join(site.folder, `host-${(count += 1)}`);
    const files = ['index.html', 'changeover/release.json', manifestOf(id).slice(1), ...Object.keys(site.manifest(id).chunks)];
    for (const file of files) {
      mkdirSync(dirname(join(next, file)), { recursive: true });
      cpSync(join(site.site, file), join(next, file));
    }
    symlinkSync(next, `${served}-next`);
    renameSync(`${served}-next`, served);
    if (count > 1) rmSync(join(site.folder, `host-${count - 1}`), { recursive: true });
    return id;
  };
  replace();
  await site.edge.close(); // that of `serve`, which takes no part here
  site.edge = await startEdge({ root: served });
  t.after(() => site.edge.close());
  site.url = site.edge.url;
  site.deploy = async (/** @type {Edits} */ edits) => {
    await site.restore().publish(edits);
    return replace();
  };
  return site;
}

const says = (/** @type {string} */ text) => ({ [COUNTER]: [['counter one', text]] });
const downloads = (/** @type {SwapSite} */ site, /** @type {string} */ build) => site.edge.requests.filter(({ path, status }) => path === manifestOf(build) && status === 200).length;

/** Waits until a tab of the browser has put the manifest away for the others. */
const keeps = (/** @type {Tab} */ tab, /** @type {string} */ build) =>
  tab.waitFor(async (path) => Boolean(await caches.match(path)), manifestOf(build), { timeout: 15_000, what: `a copy of ${manifestOf(build)}` });

inBrowsers('open pages take new code of slots although each deploy removes the build they run', { timeout: 180_000 }, async (t, browser) => {
  const site = await startOneFolder(t);
  const tab = await openWork(browser, site);
  await keeps(tab, site.first);
  for (const text of ['counter two', 'counter three', 'counter four', 'counter five', 'counter six']) {
    const build = await site.deploy(says(text));
    await showsText(tab, '#says', text);
    await committed(tab, build);
    await keepsWork(tab);
    assert.deepEqual(await tab.eval(leftovers), CLEAN);
  }
  assert.equal(await tab.eval(promptIsUp), false);
  assert.deepEqual(await tab.eval(() => news.filter(({ type }) => type === 'problem' || type === 'promptShown')), []);
});

inBrowsers('the tabs of a browser download a manifest once, and one that missed it takes the copy', { timeout: 180_000 }, async (t, browser) => {
  const site = await startOneFolder(t);
  const tab = await openWork(browser, site);
  await keeps(tab, site.first);
  const other = await browser.open(site.url);
  await other.waitFor(() => guard.status.release, { what: 'the second tab' });
  const build = await site.deploy(says('counter two'));
  for (const each of [tab, other]) {
    await showsText(each, '#says', 'counter two');
    await committed(each, build);
  }
  assert.deepEqual([downloads(site, site.first), downloads(site, build)], [1, 1]);
  assert.equal(await other.eval(promptIsUp), false);
});

inBrowsers('a damaged copy of a manifest is replaced, and many copies are not kept', { only: ['chromium', 'firefox'], timeout: 120_000 }, async (t, browser) => {
  const site = await startOneFolder(t);
  const first = await openWork(browser, site);
  await keeps(first, site.first);
  const damage = async (/** @type {string} */ path) => {
    const [name] = await caches.keys();
    const cache = await caches.open(name);
    const whole = await /** @type {Response} */ (await cache.match(path)).text();
    await cache.put(path, new Response(whole.replace('"code"', '"c0de"')));
    for (let old = 0; old < 20; old += 1) await cache.put(`/changeover/builds/old-${old}.json`, new Response('{}'));
  };
  await first.eval(damage, manifestOf(site.first));
  const tab = await browser.open(site.url);
  await tab.waitFor(
    async (path) => {
      const keys = await (await caches.open((await caches.keys())[0])).keys();
      const copy = await caches.match(path);
      return keys.length === 8 && copy && !(await copy.text()).includes('"c0de"');
    },
    manifestOf(site.first),
    { timeout: 15_000, what: 'a whole copy among few' },
  );
  const build = await site.deploy(says('counter two'));
  await showsText(tab, '#says', 'counter two');
  await committed(tab, build);
  assert.equal(await tab.eval(promptIsUp), false);
});

inBrowsers('a browser that keeps nothing still knows what an open page runs', { only: ['chromium'], timeout: 120_000 }, async (t, browser) => {
  const site = await startOneFolder(t);
  const cleaner = await browser.open(`${site.url}/changeover/release.json`);
  for (const [what, spoil] of Object.entries({
    'no caches': () => Object.defineProperty(globalThis, 'caches', { get: () => undefined }),
    'caches that are refused': () => (CacheStorage.prototype.open = () => Promise.reject(new DOMException('The operation is insecure.', 'SecurityError'))),
    'caches that throw': () => (CacheStorage.prototype.open = () => { throw new TypeError('no'); }),
    'a full disk': () => (Cache.prototype.put = () => Promise.reject(new DOMException('full', 'QuotaExceededError'))),
    'no locks': () => Object.defineProperty(navigator, 'locks', { get: () => undefined }),
    'locks that are never granted': () => (LockManager.prototype.request = () => new Promise(() => {})),
  })) {
    await t.test(what, async () => {
      await cleaner.eval(async () => {
        for (const name of await caches.keys()) await caches.delete(name);
      });
      const own = manifestOf(site.release().build.id);
      const before = site.edge.count(own);
      const tab = await browser.open();
      await tab.page.evaluateOnNewDocument(spoil);
      await tab.goto(site.url);
      await until(() => site.edge.count(own) > before, { timeout: 20_000, what: 'a request for the manifest of the running build' });
      const text = `counter with ${what}`;
      const build = await site.deploy(says(text));
      await showsText(tab, '#says', text, { timeout: 30_000 });
      await committed(tab, build);
      assert.equal(await tab.eval(promptIsUp), false);
      await tab.close();
    });
  }
});
