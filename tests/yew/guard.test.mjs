// The guard of a published site takes a Yew app from build to build.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before } from 'node:test';
import { inBrowsers } from '../e2e/browsers.mjs';
import { changeover, startServe } from '../e2e/site.mjs';
import { VITES, build } from '../vite/support.mjs';
import { compile, makePage, take } from './support.mjs';

const [{ vite }] = VITES;

before(compile);

inBrowsers('a published build takes the place of the app, with its state; one that panics does not', { only: ['chromium', 'firefox'], timeout: 90_000 }, async (t, browser) => {
  const root = makePage(t, 'first');
  const site = join(root, 'site');
  const publish = async (name) => {
    take(root, name);
    const { out } = await build(vite, root, { out: join(root, `out-${name}`), options: { interval: 1000 } });
    await changeover(['publish', out, '--to', site]);
  };
  await publish('first');
  const server = await startServe(site);
  t.after(server.close);
  const tab = await browser.open(server.url);
  await tab.waitFor(() => Boolean(window.view) && Boolean(window.changeover));
  await tab.eval(() => {
    window.ended = [];
    window.changeover.on('swapEnded', ({ reason }) => ended.push(reason));
  });
  await tab.click('#count');
  await tab.type('#text', 'tea');
  await tab.eval(() => document.activeElement.blur());
  const look = () => tab.eval(() => {
    const text = (selector) => document.querySelector(selector)?.textContent;
    return { title: text('h1'), count: text('#count'), text: document.querySelector('#text')?.value, apps: document.querySelectorAll('section').length, intervals: intervals.size, boots };
  });

  await publish('broken');
  await tab.waitFor(() => ended.length === 1, { timeout: 30_000 });
  assert.notEqual(await tab.eval(() => ended[0]), null);
  await tab.waitFor(() => document.querySelectorAll('section').length === 1);
  assert.deepEqual(await look(), { title: 'The first build', count: '1', text: 'tea', apps: 1, intervals: 1, boots: 1 });

  await publish('second');
  await tab.waitFor(() => ended.length === 2, { timeout: 45_000 });
  assert.equal(await tab.eval(() => ended[1]), null);
  await tab.waitFor(() => document.querySelectorAll('section').length === 1 && intervals.size === 1);
  assert.deepEqual(await look(), { title: 'The second build', count: '1', text: 'tea', apps: 1, intervals: 1, boots: 1 });
});
