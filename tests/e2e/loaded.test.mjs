// What the page has loaded is known, or counts as loaded: a browser's list of resources is cut and can be cleared.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { inBrowsers } from './browsers.mjs';
import { odd } from './server.mjs';
import { look, openApp, promptIsUp, startSite, writeApp } from './site.mjs';

/** @import { TestContext } from 'node:test' */
/** @import { Browser, Engine } from './types.d.ts' */
/** @import { Prompt } from '../../pkg-template/index.js' */

/** @type {{only: Engine[], timeout: number}} */
const OPTIONS = { only: ['chromium', 'firefox'], timeout: 120_000 };

/** The page shows more pictures than the browser notes, and then loads the panel. */
const CROWDED = `
const shown = [];
for (let i = 0; i < 400; i++) {
  shown.push(new Promise((done) => Object.assign(new Image(), { onload: done, onerror: done, src: '/tile/' + i + '.svg' })));
}
Promise.all(shown).then(() => import('/panel.js')).then(({ text }) => (globalThis.panel = text));
`;

/** The page loads the panel, and clears the browser's notes as tools that measure pages do. */
const CLEARED = `
import('/panel.js').then(({ text }) => {
  globalThis.panel = text;
  performance.clearResourceTimings();
});
`;

const PLAIN = `import('/panel.js').then(({ text }) => (globalThis.panel = text));`;

for (const [what, app] of [
  ['more resources than the browser notes', CROWDED],
  ['notes that it clears', CLEARED],
  ['few resources', PLAIN],
]) {
  inBrowsers(`a page with ${what} is asked when a lazy module that it runs changes`, OPTIONS, async (t, browser) => {
    const { tab, site } = await open(t, browser, app);
    const { release } = await site.publish('2-1');
    await tab.waitFor((build) => changeover.status.prompt?.build === build, release.build.id, { timeout: 15_000, what: 'the prompt' });
  });
}

inBrowsers('a page with few resources is not asked when a module changes that it has not loaded', OPTIONS, async (t, browser) => {
  const { tab, site } = await open(t, browser, PLAIN);
  await site.publish('1-2');
  await tab.waitFor(() => changeover.status.decision.reason === 'nothingLoadedChanged', { timeout: 15_000 });
  assert.equal(await tab.eval(promptIsUp), false);

  // What is loaded later counts from then on, also when the notes are cleared at once.
  await tab.eval(() => import(/** @type {string} */ ('/rare.js')).then(() => performance.clearResourceTimings()));
  await look(tab);
  await tab.waitFor(promptIsUp, { timeout: 15_000, what: 'the prompt' });
});

inBrowsers("a script of the same host that is blocked is no chunk of the app, and one of the build's is", OPTIONS, async (t, browser) => {
  const { tab, site } = await open(t, browser, PLAIN);
  await site.publish('1-2');
  await tab.waitFor(() => changeover.status.decision.reason === 'nothingLoadedChanged', { timeout: 15_000 });
  const add = (/** @type {string} */ src) => tab.eval((src) => new Promise((onerror) => document.head.append(Object.assign(document.createElement('script'), { src, onerror }))).then(() => {}), src);
  await add('/count-visits.js');
  await look(tab);
  assert.deepEqual(await tab.eval(() => [changeover.status.prompt, news.filter(({ type }) => type === 'chunkFailed')]), [null, []]);
  site.edge.answer('/rare.js', odd.status(404));
  await add('/rare.js');
  await tab.waitFor(promptIsUp, { timeout: 15_000, what: 'the prompt' });
  assert.equal(await tab.eval(() => /** @type {Prompt} */ (changeover.status.prompt).reason), 'chunkFailed');
});

/**
 * A site whose builds are named `<version of the panel>-<version of a rarely used module>`.
 *
 * @param {TestContext} t
 * @param {Browser} browser
 * @param {string} app
 */
async function open(t, browser, app) {
  const build = (/** @type {string} */ name, /** @type {string} */ dist) => {
    const [panel, rare] = name.split('-');
    writeApp('one', dist, { attributes: { 'data-interval': 1000 }, app });
    writeFileSync(join(dist, 'panel.js'), `export const text = 'panel ${panel}';\n`);
    writeFileSync(join(dist, 'rare.js'), `export const text = 'rare ${rare}';\n`);
  };
  const site = await startSite(t, { build, first: '1-1' });
  site.edge.answer(
    (path) => path.startsWith('/tile/'),
    ({ response }) => {
      response.writeHead(200, { 'content-type': 'image/svg+xml', 'cache-control': 'no-store' });
      response.end('<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>');
    },
  );
  const tab = await openApp(browser, site);
  await tab.waitFor(() => globalThis.panel === 'panel 1', { timeout: 30_000, what: 'the panel' });
  return { tab, site };
}
