// Releases and manifests of one version, read by the other.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';

import { inBrowsers } from '../e2e/browsers.mjs';
import { changeover, packageDir, promptIsUp } from '../e2e/site.mjs';
import { restore, runs, startUpgrade } from './site.mjs';

/** @import { InPage } from '../e2e/site.mjs' */
/** @import { Tab } from '../e2e/types.d.ts' */
/** @import { Prompt } from '../../pkg-template/index.js' */

inBrowsers('the earlier runtime compares a build by the manifest of the CLI of today', {}, async (t, browser) => {
  const site = await startUpgrade(t);
  const tab = await browser.open(site.url);
  await runs(tab, 'old');
  const { release } = await site.publish('same');
  await nothingChanges(tab, release.build.id);
  await site.publish('new');
  await tab.waitFor(promptIsUp, { timeout: 20_000, what: 'the prompt' });
  assert.equal(await tab.eval(() => /** @type {Prompt} */ (/** @type {InPage} */ (changeover).status.prompt).reason), 'newBuild');
});

inBrowsers('the runtime of today compares builds by the manifests of the earlier CLI', {}, async (t, browser) => {
  const site = await startUpgrade(t);
  // The earlier builds with the scripts of today under the same names: a manifest does not say what a script tag's file holds.
  site.edge.answer(
    (path) => /^\/old\/(changeover|runtime|stores)/.test(path),
    ({ path, response }) => {
      response.writeHead(200, { 'content-type': path.endsWith('.wasm') ? 'application/wasm' : 'text/javascript' });
      response.end(readFileSync(join(packageDir(), basename(path))));
    },
  );
  const tab = await browser.open(site.url);
  await runs(tab, 'old');
  assert.equal(await tab.eval(() => /** @type {InPage} */ (changeover).status.build), site.old);
  restore('next', site.dir);
  const next = site.readRelease().build.id;
  assert.notEqual(next, site.old);
  await nothingChanges(tab, next);
  await tab.reload();
  await runs(tab, 'old');
  assert.equal(await tab.eval(() => /** @type {InPage} */ (changeover).status.build), next);
});

test('the CLI of today goes on with a site of the earlier one', async (t) => {
  const site = await startUpgrade(t);
  assert.match(await changeover(['verify', site.dir]), /./);
  const before = site.readRelease();
  const { release } = await site.publish('new');
  assert.ok(release.sequence > before.sequence);
  assert.equal(release.app, before.app);
  await site.rollback();
  const after = site.readRelease();
  assert.deepEqual([after.build, after.app, after.channel], [before.build, before.app, before.channel], 'the integrity of the earlier manifest included');
  assert.ok(after.sequence > release.sequence);
  await changeover(['verify', site.dir]);
});

/**
 * @param {Tab} tab
 * @param {string} build
 */
async function nothingChanges(tab, build) {
  await tab.waitFor((build) => /** @type {InPage} */ (changeover).status.release?.build === build && /** @type {InPage} */ (changeover).status.decision.kind !== 'wait', build, { timeout: 20_000, what: 'the release' });
  assert.deepEqual(await tab.eval(() => /** @type {InPage} */ (changeover).status.decision), { kind: 'ignore', reason: 'nothingLoadedChanged' });
  assert.equal(await tab.eval(promptIsUp), false);
}
