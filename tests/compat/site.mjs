// A site that an earlier version of changeover has published, and whose next builds come from today's package and CLI.
//
// `startUpgrade` restores what the fixture kept of the earlier CLI's site and serves it; `site.publish(name)` then builds
// with today's package, or, when the name is `same`, takes the earlier build with a change that no page has loaded. `/?as=NAME` is the document of a build that is not live any more, as a stale cache would give it.

import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { ROOT } from '../e2e/browsers.mjs';
import { packageDir, RELOAD_BUTTON, startSite } from '../e2e/site.mjs';
import { writeBuild } from './app.mjs';

/** @import { TestContext } from 'node:test' */
/** @import { Site, Tab } from '../e2e/types.d.ts' */
/** @typedef {{text?: string, lines?: string[], mark?: string | number, count?: number, own?: number}} Note a note of either schema; `mark`, `count` and `own` are fields that only the test knows */

/** The build that wrote the fixture; see the README there. */
const EARLIER = join(ROOT, 'tests/compat/fixtures/04766e4');
/** @type {Record<string, string>} */
const COPIES = JSON.parse(readFileSync(join(EARLIER, 'copies.json'), 'utf8'));

/**
 * Writes a part of the fixture into a folder, over what is there.
 *
 * @param {'site' | 'next' | 'slots' | 'slots-next'} part
 * @param {string} dir
 */
export function restore(part, dir) {
  const pointer = 'changeover/release.json';
  cpSync(join(EARLIER, part), dir, { recursive: true, filter: (from) => !from.endsWith(pointer) });
  for (const [name, kept] of Object.entries(COPIES)) {
    if (!name.startsWith(`${part}/`)) continue;
    const to = join(dir, name.slice(part.length + 1));
    mkdirSync(dirname(to), { recursive: true });
    cpSync(join(EARLIER, kept), to);
  }
  if (!part.startsWith('slots')) putLast(join(EARLIER, part, pointer), join(dir, pointer));
}

/**
 * The pointer comes last and at once, as a publish does it.
 *
 * @param {string} from
 * @param {string} to
 */
function putLast(from, to) {
  cpSync(from, `${to}.new`);
  renameSync(`${to}.new`, to);
}

/**
 * @param {TestContext} t ends the site with the test
 * @returns {Promise<Site & {old: string}>} `old`: the id of the earlier build
 */
export async function startUpgrade(t) {
  /** @type {Record<string, string>} */
  const documents = {};
  const site = await startSite(t, {
    existing: (dir) => restore('site', dir),
    build(name, dist) {
      if (name !== 'same') return writeBuild(dist, { name, schema: 2, from: packageDir() });
      restore('site', dist);
      rmSync(join(dist, 'changeover'), { recursive: true });
      writeFileSync(join(dist, 'old/report.js'), "export const report = 'third';\n");
      const page = join(dist, 'index.html');
      writeFileSync(page, readFileSync(page, 'utf8').replace(/ data-build="[^"]*"/, '')); // its id, which the CLI adds
    },
  });
  const note = (/** @type {string} */ name) => (documents[name] = readFileSync(join(site.dir, 'index.html'), 'utf8'));
  note('old');
  site.edge.answer(
    (path, request) => path === '/' && new URL(/** @type {string} */ (request.url), site.url).searchParams.has('as'),
    ({ request, response }) => {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' });
      response.end(documents[/** @type {string} */ (new URL(/** @type {string} */ (request.url), site.url).searchParams.get('as'))]);
    },
  );
  const { publish } = site;
  return Object.assign(site, {
    old: site.readRelease().build.id,
    async publish(/** @type {string} */ name, /** @type {Parameters<Site['publish']>[1]} */ options) {
      const published = await publish(name, options);
      note(name);
      return published;
    },
  });
}

/**
 * Waits until a build runs with the whole guard.
 *
 * @param {Tab} tab
 * @param {string} build
 */
export async function runs(tab, build) {
  await tab.waitFor((build) => globalThis.ready && document.getElementById('build')?.textContent === build, build, { timeout: 20_000, what: `build ${build}` });
  await tab.waitFor(() => changeover.status.level === 'full' && changeover.status.release, { timeout: 20_000, what: 'the level full' });
}

/**
 * Agrees to the prompt, and waits until that build runs in place of the page's.
 *
 * @param {Tab} tab
 * @param {string} build
 */
export async function moves(tab, build) {
  await tab.bringToFront();
  await tab.click(RELOAD_BUTTON, { timeout: 20_000 });
  const trouble = await tab.waitFor(
    (build) => {
      if (/** @type {Element} */ (document.getElementById('build')).textContent === build) return 'none';
      const { prompt } = changeover.status;
      return prompt?.trouble && `${prompt.trouble}: ${JSON.stringify(news.filter(({ type }) => type === 'problem'))}`;
    },
    build,
    { timeout: 20_000, what: `the move to ${build}` },
  );
  assert.equal(trouble, 'none');
  await runs(tab, build);
}
