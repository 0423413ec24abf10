// A server or a tab that says ten thousand times a second that there is something new: the page works on, and finds what is true.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

import { inBrowsers } from './browsers.mjs';
import { EVENTS, RELEASE } from './server.mjs';
import { openApp, promptIsUp, startSite } from './site.mjs';

/** @import { TestContext } from 'node:test' */
/** @import { Engine, Tab } from './types.d.ts' */

/** @type {{only: Engine[], timeout: number}} */
const OPTIONS = { only: ['chromium', 'firefox'], timeout: 120_000 };
const A_SECOND = 10_000;
const FLOOD = 6_000;

/** So rare that in the time of a test only hints make the page look. */
const attributes = { 'data-interval': 600_000, 'data-trace': 'on' };

inBrowsers('a stream of ten thousand hints a second costs few looks, and a release told in it is found', OPTIONS, async (t, browser) => {
  const site = await startSite(t, { attributes });
  const { edge } = site;
  /** @type {import('node:http').ServerResponse} */
  let answer;
  edge.answer(EVENTS, ({ response }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(':\n\n');
    answer = response;
  });
  const tab = await openApp(browser, site);
  await tab.eval(watchGaps);
  const since = Date.now();
  let said = 0;
  const say = (/** @type {object} */ data) => (answer.destroyed || answer.writableNeedDrain ? false : answer.write(`event: release\ndata: ${JSON.stringify(data)}\n\n`));
  const flood = setInterval(() => {
    const due = ((Date.now() - since) / 1000) * A_SECOND;
    while (said < due && say({ sequence: 2_000_000_000 + said, build: `no-${said}` }) !== false) said += 1;
  }, 5);
  t.after(() => clearInterval(flood));
  await sleep(FLOOD / 2);
  const second = await site.publish('two');
  while (say({ sequence: second.release.sequence, build: second.release.build.id }) === false) await sleep(1);
  await tab.waitFor(promptIsUp, { timeout: 60_000, what: 'the prompt, in the flood' });
  const found = Date.now() - second.at;
  await sleep(Math.max(0, since + FLOOD - Date.now()));
  clearInterval(flood);
  await isBounded(t, tab, { since, said, atOnce: 8, looks: edge.count(RELEASE, since) });
  t.diagnostic(`the release was found ${Math.round(found)} ms after it was published`);

  // What is said last, after the flood, is heard.
  await sleep(500);
  const third = await site.publish('three');
  say({ sequence: third.release.sequence, build: third.release.build.id });
  await tab.waitFor((build) => changeover.status.prompt?.build === build, third.release.build.id, { timeout: 70_000, what: 'the next prompt' });
  assert.deepEqual(await tab.eval(() => errors()), []);
});

inBrowsers('ten thousand messages a second from another tab cost few looks, and a release told among them is found', OPTIONS, async (t, browser) => {
  const site = await startSite(t, { attributes: { ...attributes, 'data-stream': 'off' } });
  const tab = await openApp(browser, site, { stream: null });
  const other = await browser.open(`${site.url}/login.html`);
  await tab.bringToFront();
  await tab.eval(watchGaps);
  const since = Date.now();
  await other.eval((path, ms) => {
    const channel = new BroadcastChannel(`changeover:${path}`);
    globalThis.said = 0;
    globalThis.say = (/** @type {number} */ sequence) => channel.postMessage(JSON.stringify({ type: 'checked', sequence }));
    const { port1, port2 } = new MessageChannel();
    const since = performance.now();
    port1.onmessage = () => {
      // Timers of a hidden tab are slow, messages are not.
      const passed = performance.now() - since;
      for (let n = 0; n < 200 && /** @type {number} */ (said) < passed * 10; n++) say(2_000_000_000 + (/** @type {number} */ (said) += 1));
      // What a browser cannot hand over in time it keeps, so that a flood without an end leaves a slow machine no turn for anything else.
      if (passed < ms) port2.postMessage(null);
      else globalThis.over = true;
    };
    port2.postMessage(null);
  }, RELEASE, FLOOD);
  await sleep(FLOOD / 4);
  const second = await site.publish('two');
  await other.eval((sequence) => say(sequence), second.release.sequence);
  await tab.waitFor(promptIsUp, { timeout: 60_000, what: 'the prompt, in the flood or after it' });
  await other.waitFor(() => over, { what: 'the end of the flood' });
  const messages = /** @type {number} */ (await other.eval(() => said));
  await isBounded(t, tab, { since, said: messages, atOnce: 128, looks: site.edge.count(RELEASE, since) });
  assert.deepEqual(await tab.eval(() => errors()), []);
});

/** Runs in the page: how long it could do nothing else. */
function watchGaps() {
  globalThis.gaps = { longest: 0, over50: 0 };
  const { port1, port2 } = new MessageChannel();
  let last = performance.now();
  port1.onmessage = () => {
    const gap = performance.now() - last;
    gaps.longest = Math.max(gaps.longest, gap);
    if (gap > 50) gaps.over50 += gap;
    last = performance.now();
    setTimeout(() => port2.postMessage(null));
  };
  port2.postMessage(null);
}

/**
 * `atOnce`: how many messages of a span count at once (src/engine/burst.rs).
 *
 * @param {TestContext} t
 * @param {Tab} tab
 * @param {{since: number, said: number, atOnce: number, looks: number}} flood
 */
async function isBounded(t, tab, { since, said, atOnce, looks }) {
  const took = Date.now() - since;
  const trace = await tab.eval(() => changeover.trace());
  const lines = trace.trim().split('\n').map((line) => JSON.parse(line));
  const taken = lines.filter(({ at, input }) => at >= since && ['sighted', 'peerHeard'].includes(input?.type)).length;
  /** @type {typeof globalThis.gaps} */
  const gaps = await tab.eval(() => gaps);
  t.diagnostic(`${said} messages in ${took} ms: ${taken} taken in, ${looks} looks; longest gap ${Math.round(gaps.longest)} ms, ${Math.round((gaps.over50 / took) * 100)} % in gaps over 50 ms`);
  assert.ok(said > took, `the flood was one: ${said} messages in ${took} ms`);
  assert.ok(taken >= 1 && taken <= (took / 250 + 1) * (atOnce + 2), `${taken} messages were taken in within ${took} ms`);
  assert.ok(looks <= 3 + 2 * Math.log2(took / 1000), `${looks} looks in ${took} ms`);
}
