// An app built by Vite with the plugin: wasm as a file of its own, and questions only when something in use changed.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { inBrowsers } from './browsers.mjs';
import { look, openApp, packageDir, promptIsUp, RECORD, RELOAD_BUTTON, startSite } from './site.mjs';

// A build is named `<version of the entry>-<version of the lazy route>`.
const BASE = '/desk/';

inBrowsers('an app built by Vite is asked only when something it uses has changed, and moves', { timeout: 120_000 }, async (t, browser) => {
  const site = await startSite(t, { first: '1-1', build: buildApp });
  const tab = await openApp(browser, site, { path: `${BASE}?view=today#top` });
  assert.equal(await tab.eval(() => globalThis.sameInstance), true, 'the import and the script tag give one instance');
  assert.ok(site.edge.requests.some((entry) => entry.path.startsWith(BASE) && entry.path.endsWith('.wasm')), 'the wasm is a file of its own');

  // Only the lazy route changed, and this page has not loaded it.
  const second = await site.publish('1-2');
  await tab.waitFor((build) => changeover.status.release?.build === build, second.release.build.id, { what: 'the second release' });
  await tab.waitFor(() => changeover.status.decision.reason === 'nothingLoadedChanged');
  assert.equal(await tab.eval(promptIsUp), false);

  // The route of the old build is still served to the old tab; with it in use, the change matters.
  await tab.click('#open-report');
  await tab.waitFor(() => /** @type {Element} */ (document.getElementById('report')).textContent === 'report 1');
  await look(tab);
  await tab.waitFor(promptIsUp, { what: 'the prompt once the changed route is in use' });

  // A newer build, and the user agrees.
  const third = await site.publish('2-2');
  await tab.waitFor((build) => changeover.status.prompt?.build === build, third.release.build.id);
  await tab.type('#note', 'tea at five');
  await tab.click(RELOAD_BUTTON);
  await tab.waitFor(() => document.getElementById('build')?.textContent === '2');
  await tab.waitFor(() => /** @type {HTMLInputElement} */ (document.getElementById('note')).value === 'tea at five');
  await tab.click('#open-report');
  await tab.waitFor(() => /** @type {Element} */ (document.getElementById('report')).textContent === 'report 2');
  assert.match(await tab.eval(() => location.href), /\/desk\/\?view=today#top$/);
  await tab.waitFor(() => changeover.status.level === 'full' && !changeover.status.skew);
  assert.equal(await tab.eval(() => changeover.status.build), third.release.build.id);
  assert.equal(await tab.eval(() => loads), 2);
  assert.deepEqual(await tab.eval(() => errors()), []);
});

/**
 * Writes the sources of a build and has Vite build them into `dist`.
 *
 * @param {string} name
 * @param {string} dist
 */
async function buildApp(name, dist) {
  const [entry, route] = name.split('-');
  const root = `${dist}-source`;
  mkdirSync(join(root, 'public'), { recursive: true });
  const files = {
    'package.json': '{"name":"desk","type":"module"}',
    'public/record.js': RECORD,
    'index.html': `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>Desk</title>
    <link rel="icon" href="data:," />
    <script src="${BASE}record.js"></script>
    <script type="module" src="/main.js"></script>
  </head>
  <body>
    <h1>Desk <span id="build"></span></h1>
    <button id="open-report">Report</button>
    <p id="report"></p>
    <input id="note" />
  </body>
</html>`,
    'main.js': `
import { createChangeover } from 'changeover';
import './style.css';
const changeover = createChangeover();
globalThis.sameInstance = changeover === globalThis.changeover;
globalThis.news = [];
changeover.on('*', (event) => news.push({ at: Date.now(), ...event }));
document.getElementById('build').textContent = '${entry}';
const note = document.getElementById('note');
changeover.state('note', { capture: () => note.value, restore: (value) => (note.value = value) });
document.getElementById('open-report').onclick = async () => {
  const { text } = await import('./report.js');
  document.getElementById('report').textContent = text();
};
globalThis.ready = true;`,
    'report.js': `import './report.css';\nexport const text = () => 'report ${route}';`,
    'style.css': 'body { font: 16px system-ui; }',
    'report.css': '#report { font-weight: bold; }',
  };
  for (const [path, text] of Object.entries(files)) writeFileSync(join(root, path), text);

  const { build } = await import('vite');
  const { default: plugin } = await import(pathToFileURL(join(packageDir(), 'vite.js')).href);
  await build({
    root,
    base: BASE,
    configFile: false,
    logLevel: 'error',
    resolve: { alias: { changeover: join(packageDir(), 'index.js') } },
    build: { outDir: dist, emptyOutDir: true },
    plugins: [plugin()],
  });
}
