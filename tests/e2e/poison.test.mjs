// Nothing that a server said once is believed for good, and nothing that another origin says at all.

import assert from 'node:assert/strict';

import { inBrowsers } from './browsers.mjs';
import { odd, RELEASE, startEdge } from './server.mjs';
import { look, openApp, promptIsUp, startSite } from './site.mjs';

/** @import { Engine, Tab } from './types.d.ts' */
/** @import { Status } from '../../pkg-template/index.js' */

/** @type {{only: Engine[], timeout: number}} */
const OPTIONS = { only: ['chromium', 'firefox'], timeout: 90_000 };
const ABSURD = Number.MAX_SAFE_INTEGER;
const attributes = { 'data-interval': 1000, 'data-stream': 'off' };

inBrowsers('one answer with an absurd sequence hides no later release, in this page or the next', OPTIONS, async (t, browser) => {
  const site = await startSite(t, { attributes });
  const wrong = JSON.stringify({ ...site.readRelease(), sequence: ABSURD });
  let undo = site.edge.answer(RELEASE, odd.text(wrong));
  const tab = await openApp(browser, site, { stream: null });
  await tab.waitFor((absurd) => changeover.status.release?.sequence === absurd, ABSURD);
  assert.ok(!(await remembered(tab)).includes(String(ABSURD)), 'it is not remembered');
  undo();
  const second = await site.publish('two');
  await tab.waitFor((build) => changeover.status.prompt?.build === build, second.release.build.id, { timeout: 15_000, what: 'the prompt' });
  await tab.waitFor(() => news.some(({ type, code }) => type === 'problem' && code === 'sequence_implausible'));

  // Seen again, it is ignored; what an older page has written down is dropped.
  undo = site.edge.answer(RELEASE, odd.text(wrong));
  await look(tab);
  assert.equal(await tab.eval(() => /** @type {NonNullable<Status['release']>} */ (changeover.status.release).sequence), second.release.sequence);
  assert.equal(await tab.eval(() => /** @type {NonNullable<Status['lastFailure']>} */ (changeover.status.lastFailure).code), 'sequence_implausible');
  undo();
  await tab.eval((absurd) => {
    for (const key of Object.keys(localStorage)) if (key.endsWith(':sequence')) localStorage[key] = absurd;
  }, ABSURD);
  await openApp(browser, site, { tab, stream: null });
  const third = await site.publish('three');
  await tab.waitFor((build) => changeover.status.prompt?.build === build, third.release.build.id, { timeout: 15_000, what: 'the prompt' });
});

inBrowsers('a release that another origin answers is not believed', OPTIONS, async (t, browser) => {
  const site = await startSite(t, { attributes });
  const tab = await openApp(browser, site, { stream: null });
  await tab.waitFor(() => changeover.status.release, { what: 'the first look' });
  await site.write('two');
  const release = JSON.stringify({ ...site.readRelease(), sequence: site.readRelease().sequence + 1, build: { id: 'other', manifest: 'builds/other.json' } });
  const other = await startEdge({ root: site.dir });
  t.after(() => other.close());
  other.answer(RELEASE, odd.text(release, { 'access-control-allow-origin': '*' }));
  site.edge.answer(RELEASE, odd.login(other.url + RELEASE));
  await look(tab);
  await tab.waitFor(() => changeover.status.lastFailure?.code === 'redirected', { what: 'the redirect to be told' });
  assert.equal(await tab.eval(promptIsUp), false);
  assert.notEqual(await tab.eval(() => /** @type {NonNullable<Status['release']>} */ (changeover.status.release).build), 'other');
});

/** What the site has in local storage. */
const remembered = (/** @type {Tab} */ tab) => tab.eval(() => JSON.stringify({ ...localStorage }));
