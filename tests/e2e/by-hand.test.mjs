// A release that people write by hand, a number and the id of a build, is enough at every level.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { example } from '../docs/examples.mjs';
import { inBrowsers } from './browsers.mjs';
import { odd, startEdge } from './server.mjs';
import { addPackage, promptIsUp, RELOAD_BUTTON } from './site.mjs';

/** @import { TestContext } from 'node:test' */

const OPTIONS = { timeout: 90_000 };
/** What docs/hosts.md calls its first build. */
const FIRST = JSON.parse(example('release-by-hand')).build.id;
const BANNER_BUTTON = 'html > output > button';

inBrowsers('a release by hand, with a number and an id, is told at the full level', OPTIONS, async (t, browser) => {
  const site = await startByHand(t);
  const tab = await browser.open(site.url);
  await tab.waitFor((first) => globalThis.changeover?.status.level === 'full' && changeover.status.release?.build === first, FIRST, { timeout: 15_000, what: 'the first release' });
  assert.deepEqual(await tab.eval(() => changeover.status.decision), { kind: 'ignore', reason: 'sameBuild' });
  site.deploy(2, 'second');
  await tab.waitFor(promptIsUp, { timeout: 15_000, what: 'the prompt' });
  await tab.click(RELOAD_BUTTON);
  await tab.waitFor(() => document.getElementById('build')?.textContent === 'second', { what: 'the second build' });
  await tab.waitFor(() => globalThis.changeover?.status.release?.sequence === 2 && !changeover.status.skew, { timeout: 15_000, what: 'the second release' });
  assert.equal(await tab.eval(promptIsUp), false);
  assert.deepEqual(site.edge.requests.filter(({ path }) => path.startsWith('/changeover/builds/')), [], 'no manifest is looked for');
});

inBrowsers('a release by hand is told at the loader level', OPTIONS, async (t, browser) => {
  const site = await startByHand(t);
  site.edge.answer('/runtime.js', odd.status(404));
  const tab = await browser.open(site.url);
  await tab.waitFor((first) => globalThis.changeover?.status.level === 'loader' && changeover.status.release?.build === first, FIRST, { timeout: 15_000, what: 'the first release' });
  site.deploy(2, 'second');
  await tab.click(BANNER_BUTTON, { timeout: 15_000 });
  await tab.waitFor(() => document.getElementById('build')?.textContent === 'second', { what: 'the second build' });
  await tab.waitFor(() => globalThis.changeover?.status.release?.sequence === 2 && !changeover.status.skew, { timeout: 15_000, what: 'the second release' });
  assert.equal(await tab.eval((button) => document.querySelector(button), BANNER_BUTTON), null);
});

/**
 * A folder as docs/hosts.md says it, on a host that knows nothing of us.
 *
 * @param {TestContext} t
 */
async function startByHand(t) {
  const root = mkdtempSync(join(tmpdir(), 'changeover-by-hand-'));
  mkdirSync(join(root, 'changeover'));
  addPackage(root);
  const edge = await startEdge({ root });
  t.after(async () => {
    await edge.close();
    rmSync(root, { recursive: true, force: true });
  });
  const deploy = (/** @type {number} */ sequence, /** @type {string} */ id) => {
    const tag = example('tag-by-hand').replaceAll(FIRST, id).replace('<script ', '<script data-interval="1000" ');
    const release = { ...JSON.parse(example('release-by-hand')), sequence, build: { id } };
    writeFileSync(join(root, 'index.html'), `<!doctype html><html lang="en"><head>${tag}<title>by hand</title></head><body><h1 id="build">${id}</h1></body></html>`);
    writeFileSync(join(root, 'changeover/release.json'), JSON.stringify(release));
  };
  deploy(JSON.parse(example('release-by-hand')).sequence, FIRST);
  return { edge, url: edge.url, deploy };
}
