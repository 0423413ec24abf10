// What one version keeps in the browser's storage, the other takes at its word.
import assert from 'node:assert/strict';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { inBrowsers } from '../e2e/browsers.mjs';
import { odd, RELEASE } from '../e2e/server.mjs';
import { LATER_BUTTON, look, promptIsUp } from '../e2e/site.mjs';
import { runs, startUpgrade } from './site.mjs';

/** @import { Browser, ReleaseFile, Site, Tab } from '../e2e/types.d.ts' */

/** Whether a browser is among half of all is a matter of chance; so is whether two rules agree on it by chance. */
const SALTS = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];

inBrowsers('a prompt that was put off in one version stays put off in the other, and what was newest stays newest', {}, async (t, browser) => {
  const site = await startUpgrade(t);
  /** @type {string[]} */
  const releases = [];
  const publish = async (/** @type {string} */ name) => {
    await site.publish(name);
    releases.push(site.releaseText());
  };
  for (const name of ['new', 'newer', 'newest']) await publish(name);
  const tab = await open(browser, site, 'old');
  await putsOff(tab);
  await remembersBoth(tab, 'new');

  await publish('last');
  await putsOff(tab);
  await remembersBoth(tab, 'old');

  /**
   * A page of the other version is opened in this tab: it gets the release before the one that is known, and then that one.
   *
   * @param {Tab} tab
   * @param {string} build
   */
  async function remembersBoth(tab, build) {
    const undo = site.edge.answer(RELEASE, odd.text(/** @type {string} */ (releases.at(-2))));
    await tab.goto(`${site.url}/?as=${build}`);
    await tab.waitFor(() => globalThis.ready && changeover.status.level === 'full' && changeover.status.lastCheck, { what: `a check in ${build}` });
    await look(tab);
    assert.equal(await tab.eval(() => changeover.status.release), null, `what ${build} knows is newer than this answer`);
    undo();
    await look(tab);
    await tab.waitFor(() => changeover.status.decision.reason === 'snoozed', { what: `the decision in ${build}` });
    assert.equal(await tab.eval(promptIsUp), false);
    assert.deepEqual(await tab.eval(() => news.filter(({ type }) => type === 'promptShown')), []);
  }
});

inBrowsers('both versions know a browser by one name, and put it into the same part of a rollout', {}, async (t, browser) => {
  const site = await startUpgrade(t);
  await site.publish('new');
  const otherwise = site.readRelease().build;
  await site.publish('newer');
  const live = site.readRelease();
  const first = await open(browser, site, 'old');
  const visitor = await first.eval(visitors);
  assert.equal(visitor.length, 1);
  const second = await open(browser, site, 'new');
  assert.deepEqual(await second.eval(visitors), visitor);

  const wanted = new Set();
  let { sequence } = live;
  for (const salt of SALTS) {
    sequence += 1;
    rewrite(site, { ...live, sequence, issued: new Date().toISOString(), rollout: { percent: 50, salt, otherwise } });
    const answers = [];
    for (const tab of [first, second]) {
      await look(tab);
      await tab.waitFor((sequence) => changeover.status.release?.sequence === sequence && changeover.status.decision.kind !== 'wait', sequence, { what: `release ${sequence}` });
      answers.push(await tab.eval(() => changeover.status.prompt?.build ?? changeover.status.build));
    }
    assert.equal(answers[0], answers[1], `with the salt ${salt}`);
    wanted.add(answers[0]);
  }
  t.diagnostic(`builds of the rollout: ${[...wanted]}`);
  for (const build of wanted) assert.ok([live.build.id, otherwise.id].includes(build), build);
});

/**
 * @param {Browser} browser
 * @param {Site} site
 * @param {string} build
 */
async function open(browser, site, build) {
  const tab = await browser.open(`${site.url}/?as=${build}`);
  await runs(tab, build);
  return tab;
}

/** @param {Tab} tab */
async function putsOff(tab) {
  await tab.click(LATER_BUTTON, { timeout: 20_000 });
  await tab.waitFor(() => changeover.status.decision.reason === 'snoozed', { what: 'the prompt to be put off' });
}

/** What the browser is called in the storage of the site. It runs in the page. */
const visitors = () => Object.entries(localStorage).filter(([name]) => name.endsWith(':visitor'));

/**
 * The release by hand; it comes at once, as from the CLI.
 *
 * @param {Site} site
 * @param {ReleaseFile & { rollout?: object }} release
 */
function rewrite(site, release) {
  const pointer = join(site.dir, 'changeover/release.json');
  writeFileSync(`${pointer}.new`, JSON.stringify(release));
  renameSync(`${pointer}.new`, pointer);
}
