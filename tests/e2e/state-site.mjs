// A site whose builds differ in what they know of the schemas of their state.
//
// Each build is `{stores?, app}`: what its manifest says of its stores, and the script that registers its states. The page
// has a draft, and records what changeover tells it.

import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { addPackage, packageDir, promptIsUp, RECORD, RELOAD_BUTTON, scriptTag, startSite } from './site.mjs';

/** @import { Browser, Site, Tab } from './types.d.ts' */
/** @import { Status } from '../../pkg-template/index.js' */

/** The small state of most tests: schema 1 is a text, schema 2 its lines and a mark that schema 1 does not know. */
export const DRAFT = {
  one: `changeover.state('draft', {
    schema: 1,
    capture: () => ({ text: $('draft').value }),
    restore: (value) => { $('draft').value = value.text; restored.draft = value; },
  });`,
  two: ({ up = '({ text }) => ({ lines: text.split("\\n"), mark: "none" })', down = 'down: ({ lines }) => ({ text: lines.join("\\n") }),', more = '' } = {}) => `
  let mark = 'none';
  changeover.state('draft', {
    schema: 2,
    migrations: [{ from: 1, to: 2, id: 'text to lines', up: ${up}, ${down} }],
    capture: () => ({ lines: $('draft').value.split('\\n'), mark }),
    restore: (value) => { $('draft').value = value.lines.join('\\n'); mark = value.mark; restored.draft = value; },
    ${more}
  });
  globalThis.setMark = (value) => { mark = value; };`,
};
export const STORES = { one: { draft: { schema: 1, reads: [1] } }, two: { draft: { schema: 2, reads: [1, 2] } } };

/**
 * @param {import('node:test').TestContext} t
 * @param {Record<string, {stores?: object, app: string}>} builds the first is published
 */
export function startStateSite(t, builds, { attributes = {} } = {}) {
  return startSite(t, {
    first: Object.keys(builds)[0],
    build(name, dist) {
      const { stores, app } = builds[name];
      addPackage(dist);
      cpSync(join(packageDir(), 'stores.js'), join(dist, 'stores.js'));
      if (stores) writeFileSync(join(dist, 'changeover.stores.json'), JSON.stringify(stores));
      writeFileSync(join(dist, 'record.js'), RECORD);
      writeFileSync(join(dist, 'app.js'), `const $ = (id) => document.getElementById(id);
$('build').textContent = ${JSON.stringify(name)};
globalThis.news = [];
globalThis.restored = {};
changeover.on('*', (event) => news.push(event));
${app}
globalThis.ready = true;
`);
      writeFileSync(join(dist, 'index.html'), `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width" />
    <title>Draft</title>
    <link rel="icon" href="data:," />
    <script src="/record.js"></script>
    ${scriptTag({ 'data-interval': 1000, ...attributes })}
  </head>
  <body>
    <h1>Build <span id="build">?</span></h1>
    <textarea id="draft" rows="4" autocomplete="off"></textarea>
    <script src="/app.js"></script>
  </body>
</html>
`);
      writeFileSync(join(dist, 'empty.html'), '<!doctype html><title>Empty</title>');
    },
  });
}

/**
 * @param {Browser} browser
 * @param {Site} site
 * @param {{tab?: Tab, level?: Status['level']}} how
 */
export async function openDraft(browser, site, { tab, level = 'full' } = {}) {
  if (tab) await tab.goto(site.url);
  else tab = await browser.open(site.url);
  await runs(tab, null, level);
  return tab;
}

/**
 * Waits until a build runs, and has told what it restored if it `came` by a changeover.
 *
 * @param {Tab} tab
 * @param {string | null} build
 * @param {Status['level']} level
 */
export async function runs(tab, build, level = 'full') {
  if (build) await tab.waitFor((build) => document.getElementById('build')?.textContent === build, build, { timeout: 20_000, what: `build ${build}` });
  await tab.waitFor((level) => globalThis.ready && changeover.status.level === level, level, { timeout: 20_000, what: `level ${level}` });
}

/**
 * Publishes a build, or goes back to the one before, and waits until the page asks.
 *
 * @param {Tab} tab
 * @param {Site} site
 * @param {string | null} build
 */
export async function asks(tab, site, build) {
  await (build ? site.publish(build) : site.rollback());
  await tab.waitFor(promptIsUp, { timeout: 20_000, what: 'the prompt' });
}

/**
 * Moves the page to another build by its prompt, and waits until that has told what it restored.
 *
 * @param {Tab} tab
 * @param {Site} site
 * @param {string} build
 */
export async function moves(tab, site, build, { back = false } = {}) {
  await asks(tab, site, back ? null : build);
  await tab.click(RELOAD_BUTTON);
  await arrives(tab, build);
}

/**
 * @param {Tab} tab
 * @param {string} build
 */
export async function arrives(tab, build) {
  await runs(tab, build);
  await tab.waitFor(() => news.some(({ type }) => type === 'stateRestored'), { timeout: 20_000, what: 'the report of what was restored' });
}

/** What the page has told of restored states and of problems. */
export const told = (/** @type {Tab} */ tab) => tab.eval(() => news.filter(({ type }) => type === 'stateRestored' || type === 'problem'));
export const draft = (/** @type {Tab} */ tab) => tab.eval(() => /** @type {HTMLInputElement} */ (document.getElementById('draft')).value);
/** The backups of the site as plain objects. */
export const backups = (/** @type {Tab} */ tab) =>
  tab.eval(async () => (await changeover.backups()).map(({ kind, name, schema, reason, message }) => ({ kind, name, schema, reason, message })));
