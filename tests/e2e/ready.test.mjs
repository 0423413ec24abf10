// No refresh is asked for before the files are there, and whole, that it would load.

import assert from 'node:assert/strict';
import { readFileSync, renameSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { inBrowsers } from './browsers.mjs';
import { odd } from './server.mjs';
import { look, openApp, promptIsUp, RELOAD_BUTTON, shows, startSite, writeApp } from './site.mjs';

/** @import { Answer } from './types.d.ts' */

const attributes = { 'data-interval': 1000, 'data-stream': 'off' };
const problems = () => news.filter(({ type, code }) => type === 'problem' && code === 'target_not_ready').map(({ message }) => message);
const reason = (/** @type {string} */ reason) => changeover.status.decision.reason === reason;

/**
 * The small app with a script and a style whose names are new in each build, as bundlers make them.
 *
 * @param {string} name
 * @param {string} dist
 */
function build(name, dist) {
  writeApp(name, dist, { attributes });
  mkdirSync(join(dist, 'assets'));
  const html = join(dist, 'index.html');
  for (const kind of ['js', 'css']) renameSync(join(dist, `app.${kind}`), join(dist, `assets/app-${name}.${kind}`));
  writeFileSync(html, readFileSync(html, 'utf8').replaceAll(/\/app\.(js|css)/g, `/assets/app-${name}.$1`));
}

inBrowsers('half a file that a cache would keep for good holds the prompt up until it is whole, and the refresh brings the new build', { timeout: 120_000 }, async (t, browser) => {
  const site = await startSite(t, { build });
  const tab = await openApp(browser, site, { stream: null });
  const undo = site.edge.answer('/assets/app-two.js', odd.halfForGood());
  const { release } = await site.publish('two');
  await tab.waitFor(reason, 'targetNotReady', { timeout: 15_000, what: 'the look at the files' });
  const size = readFileSync(join(site.folder, 'dist-two/assets/app-two.js')).length;
  const sentence = `assets/app-two.js of build "${release.build.id}" has ${size >> 1} bytes, which is not its length; no refresh is asked for before it is right`;
  assert.deepEqual(await tab.eval(problems), [sentence]);
  assert.equal(await tab.eval(promptIsUp), false);
  assert.equal(await tab.eval(() => changeover.reload()), 'unreachable', 'the app cannot reload into it either');

  undo();
  await tab.waitFor((build) => changeover.status.prompt?.build === build, release.build.id, { timeout: 40_000, what: 'the prompt, once the file is whole' });
  assert.deepEqual(await tab.eval(problems), [sentence], 'told once');
  await tab.eval(() => (/** @type {HTMLInputElement} */ (document.getElementById('draft')).value = 'half a sentence'));
  await tab.click(RELOAD_BUTTON);
  await shows(tab, 'two', 'half a sentence');
  assert.deepEqual(await tab.eval(() => errors().filter((text) => !text.startsWith('console: '))), []);
});

for (const [what, answer, words] of /** @type {[string, Answer, string][]} */ ([
  ['404', odd.status(404), 'was answered with status 404'],
  ['a page of HTML', odd.html(), 'was answered with a page of HTML'],
])) {
  inBrowsers(`${what} for a script of the new document holds the prompt up until the script is there`, { only: ['chromium'], timeout: 90_000 }, async (t, browser) => {
    const site = await startSite(t, { build });
    const tab = await openApp(browser, site, { stream: null });
    const undo = site.edge.answer('/assets/app-two.js', answer);
    await site.publish('two');
    await tab.waitFor(reason, 'targetNotReady', { timeout: 15_000, what: 'the look at the files' });
    const [told, ...more] = await tab.eval(problems);
    assert.ok(/** @type {string} */ (told).includes(words), /** @type {string} */ (told));
    assert.deepEqual(more, []);
    assert.equal(await tab.eval(promptIsUp), false);
    undo();
    await look(tab);
    await tab.waitFor(promptIsUp);
    await tab.click(RELOAD_BUTTON);
    await shows(tab, 'two');
  });
}

inBrowsers('a host that rewrites scripts is asked about its builds all the same', { only: ['chromium'], timeout: 90_000 }, async (t, browser) => {
  const site = await startSite(t, { build });
  site.edge.answer((path) => path.startsWith('/assets/app-'), async ({ path, response }) => {
    const name = path.slice('/assets/app-'.length).split('.')[0];
    response.writeHead(200, { 'content-type': path.endsWith('.js') ? 'text/javascript' : 'text/css', 'cache-control': 'no-cache' });
    response.end(`/* minified by the host */ ${readFileSync(join(site.folder, `dist-${name}`, path))}`);
  });
  const tab = await openApp(browser, site, { stream: null });
  await site.publish('two');
  await tab.waitFor(/** @type {(nothing: undefined) => boolean} */ (promptIsUp), undefined, { timeout: 15_000, what: 'the prompt' });
  await tab.waitFor(() => news.some(({ type, code }) => type === 'problem' && code === 'files_altered'));
});
