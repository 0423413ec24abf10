// A browser holds one event stream to an origin, however many tabs and apps it has open there.

import assert from 'node:assert/strict';

import { inBrowsers, until } from './browsers.mjs';
import { EVENTS, RELEASE } from './server.mjs';
import { openApp, promptIsUp, startSite } from './site.mjs';

/** @import { Engine } from './types.d.ts' */

/** @type {{only: Engine[], timeout: number}} */
const OPTIONS = { only: ['chromium', 'firefox'], timeout: 120_000 };
const APPS = 4;

inBrowsers('several apps of one origin share one stream, and those without it poll', OPTIONS, async (t, browser) => {
  const site = await startSite(t, { attributes: { 'data-interval': 1000 } });
  const { edge } = site;
  // The same site under other names is another app to the guard: the path of its release differs.
  edge.answer(
    (path) => /^\/app\d\//.test(path),
    async ({ request, response, path }) => {
      const answer = await fetch(site.origin + path.replace(/^\/app\d/, ''), { headers: { accept: request.headers.accept ?? '*/*' } });
      const text = await answer.text();
      /** @type {import('node:http').OutgoingHttpHeaders} */
      const headers = { 'content-type': /** @type {string} */ (answer.headers.get('content-type')), 'cache-control': 'no-cache' };
      if (path.endsWith(RELEASE)) headers['changeover-events'] = EVENTS;
      response.writeHead(answer.status, headers);
      response.end(text.replace('data-release="/', `data-release="${path.slice(0, 5)}/`));
    },
  );
  const tabs = [await openApp(browser, site)];
  for (let i = 1; i < APPS; i++) tabs.push(await openApp(browser, site, { path: `/app${i}/`, stream: 'waiting' }));
  for (const tab of tabs) assert.equal(await tab.eval(() => changeover.status.leader), true, 'each app has a leader');
  assert.equal(edge.open(EVENTS), 1);

  // An app without the stream hears of a release by its poll, and takes the stream when it is free.
  await tabs[1].goto(`${site.url}/app1/`);
  await openApp(browser, site, { path: '/app1/', tab: tabs[1], stream: 'waiting' });
  await site.publish('two');
  await tabs[1].bringToFront();
  await tabs[1].waitFor(promptIsUp, { timeout: 15_000, what: 'the prompt of the app that polls' });
  await tabs[0].close();
  await until(() => edge.open(EVENTS) === 1, { timeout: 60_000, what: 'the stream of another app' });
});
