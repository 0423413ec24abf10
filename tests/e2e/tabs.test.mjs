// Twenty tabs of one origin cost one poller and one stream, survive the loss of their leader, and all learn the news.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

import { inBrowsers, until } from './browsers.mjs';
import { EVENTS, RELEASE } from './server.mjs';
import { openApp, promptIsUp, startSite } from './site.mjs';

/** @import { Edge, Tab } from './types.d.ts' */

const TABS = 20;
const INTERVAL = 1000;
/** Long enough for several looks: with an open stream they are rarer than the interval. */
const WATCHED = 16_000;

// WebKitGTK's driver opens tabs too slowly for twenty; leadership there is the same code on the same two interfaces.
inBrowsers(
  'of twenty tabs one polls and one holds the stream; when the leader goes another follows; each tab prompts',
  { only: ['chromium', 'firefox'], timeout: 150_000 },
  async (t, browser) => {
    const site = await startSite(t, { attributes: { 'data-interval': INTERVAL } });
    const { edge } = site;
    /** @type {Tab[]} */
    const tabs = [];
    for (let i = 0; i < TABS; i++) tabs.push(await openApp(browser, site, { path: `/?tab=${i}`, stream: null }));

    const leader = await until(() => onlyLeader(tabs), { what: 'exactly one leader' });
    await until(() => edge.open(EVENTS) === 1, { what: 'exactly one open stream' });
    await quiet(edge);

    const since = Date.now();
    await sleep(WATCHED);
    const looks = edge.requests.filter((entry) => entry.path === RELEASE && entry.at >= since);
    const lookers = new Set(looks.map((entry) => entry.headers.referer));
    t.diagnostic(`${looks.length} looks at the release by ${lookers.size} of ${TABS} tabs in ${WATCHED} ms, ${edge.open(EVENTS)} stream`);
    assert.deepEqual([...lookers], [await leader.eval(() => location.href)], 'only the leader looks');
    assert.ok(looks.length >= 2, 'it does look');
    assert.ok(looks.length <= WATCHED / INTERVAL + 1, 'and not more often than once an interval');
    assert.equal(edge.count(EVENTS, since), 0, 'no tab opens another stream');
    assert.equal(edge.open(EVENTS), 1);

    // The leader's tab is closed.
    const closedAt = Date.now();
    await leader.close();
    const rest = tabs.filter((tab) => tab !== leader);
    await until(() => onlyLeader(rest), { timeout: 5000, what: 'another leader within 5 s' });
    await until(() => edge.open(EVENTS) === 1 && edge.count(EVENTS, closedAt) >= 1, { timeout: 5000, what: "the new leader's stream" });
    const took = Date.now() - closedAt;
    t.diagnostic(`another tab led and streamed ${took} ms after the leader was closed`);
    assert.ok(took <= 5000, `the takeover took ${took} ms`);

    // News reaches every tab, the hidden ones too, and asks in each.
    const publishedAt = Date.now();
    await site.publish('two');
    for (const tab of rest) await tab.waitFor(promptIsUp, { timeout: 15_000, what: 'the prompt in every tab' });
    t.diagnostic(`all ${rest.length} tabs prompted ${Date.now() - publishedAt} ms after publish began`);
    for (const tab of rest) {
      assert.equal(await tab.eval(() => loads), 1);
      assert.deepEqual(await tab.eval(() => errors()), []);
    }
    assert.equal(edge.open(EVENTS), 1);
  },
);

inBrowsers('two tabs share one poller, and the second leads when the first goes', { only: ['webkit'] }, async (t, browser) => {
  const site = await startSite(t, { attributes: { 'data-interval': INTERVAL } });
  /** @type {Tab[]} */
  const tabs = [];
  for (const i of [0, 1]) tabs.push(await openApp(browser, site, { path: `/?tab=${i}`, stream: null }));
  const leader = await until(() => onlyLeader(tabs), { what: 'exactly one leader' });
  await until(() => site.edge.open(EVENTS) === 1, { what: 'exactly one open stream' });
  const other = tabs.find((tab) => tab !== leader);
  const closedAt = Date.now();
  await leader.close();
  await /** @type {NonNullable<typeof other>} */ (other).waitFor(() => changeover.status.leader, { timeout: 5000, what: 'the other tab to lead' });
  await until(() => site.edge.open(EVENTS) === 1 && site.edge.count(EVENTS, closedAt) >= 1, { timeout: 5000, what: 'its stream' });
  await site.publish('two');
  await /** @type {NonNullable<typeof other>} */ (other).waitFor(promptIsUp);
});

/**
 * The tab that leads, when exactly one says so.
 *
 * @param {Tab[]} tabs
 */
async function onlyLeader(tabs) {
  const leaders = [];
  for (const tab of tabs) if (await tab.eval(() => changeover.status.leader)) leaders.push(tab);
  return leaders.length === 1 && leaders[0];
}

/**
 * Waits until no tab has looked for half an interval: the excitement of opening twenty tabs is over.
 *
 * @param {Edge} edge
 */
async function quiet(edge) {
  await until(() => Date.now() - (edge.requests.findLast((entry) => entry.path === RELEASE)?.at ?? 0) > INTERVAL / 2, {
    timeout: 20_000,
    what: 'a pause between two looks',
  });
}
