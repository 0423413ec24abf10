// Where the page finds the guard's files, and whether its own document can be had: relative addresses, routers, <base>,
// user and password in the address, and hosts that serve the app with a status of their own.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { inBrowsers, until } from './browsers.mjs';
import { odd } from './server.mjs';
import { addPackage, openApp, promptIsUp, RECORD, RELOAD_BUTTON, scriptTag, shows, startSite } from './site.mjs';

/** @import { TestContext } from 'node:test' */
/** @import { Answer, Attributes, Browser } from './types.d.ts' */
/** @import { Status } from '../../pkg-template/index.js' */

/**
 * A page at any place with relative addresses; `before` and `after` stand around the tag.
 *
 * @param {TestContext} t
 * @param {{place: string, attributes?: Attributes, before?: string, after?: string, script?: string}} how
 */
function startRelative(t, { place, attributes = {}, before = '', after = '', script = '' }) {
  return startSite(t, {
    build(name, dist) {
      addPackage(dist);
      mkdirSync(join(dist, place), { recursive: true });
      writeFileSync(join(dist, 'record.js'), RECORD);
      const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Orders</title><link rel="icon" href="data:,"><script src="/record.js"></script>
${before}${scriptTag({ 'data-interval': 1000, ...attributes })}${after}</head>
<body><h1>Build <span id="build">${name}</span></h1><textarea id="draft"></textarea><script>
globalThis.news = [];
changeover.on('*', (event) => news.push(event));
const draft = document.getElementById('draft');
changeover.state('draft', { capture: () => draft.value, restore: (value) => (draft.value = value) });
${script}
globalThis.ready = true;
</script></body></html>`;
      writeFileSync(join(dist, place, 'index.html'), html);
      if (place) writeFileSync(join(dist, 'index.html'), `<!doctype html><title>Start of ${name}</title>`);
    },
  });
}

const UP = { src: '../../changeover.js', 'data-release': '../../changeover/release.json', 'data-runtime': '../../runtime.js' };
const ADDRESSES = [
  { what: 'at the root', place: '', attributes: { src: 'changeover.js', 'data-release': 'changeover/release.json', 'data-runtime': './runtime.js' } },
  { what: 'two folders down', place: 'shop/orders', attributes: UP },
  // Before the runtime has come, and again later.
  { what: 'under a router that changes the path at once', place: 'shop/orders', attributes: UP, script: "history.pushState(null, '', '/shop/orders/7/edit/');", back: true },
  { what: 'after a <base>', place: 'shop/orders', before: '<base href="/">', attributes: { src: 'changeover.js', 'data-release': 'changeover/release.json', 'data-runtime': 'runtime.js' } },
  { what: 'before a <base> that says otherwise', place: 'shop/orders', attributes: UP, after: '<base href="/nowhere/else/">' },
];

for (const { what, back, ...page } of ADDRESSES) {
  inBrowsers(`relative addresses of a tag ${what} lead to the guard and through a reload`, { only: back ? undefined : ['chromium', 'webkit'] }, async (t, browser) => {
    const site = await startRelative(t, page);
    const tab = await openApp(browser, site, { path: page.place ? `/${page.place}/` : '/', stream: null });
    await tab.type('#draft', 'half a sentence');
    await site.publish('two');
    await tab.waitFor(promptIsUp, { timeout: 20_000, what: 'the prompt' });
    if (back) await tab.eval(() => history.pushState(null, '', '/shop/orders/'));
    await tab.click(RELOAD_BUTTON);
    await shows(tab, 'two', 'half a sentence');
    assert.deepEqual(site.edge.requests.filter(({ status, path }) => status === 404 && path !== '/favicon.ico').map(({ path }) => path), []);
  });
}

inBrowsers('user and password in the address of the page stop nothing and are shown nowhere', { only: ['chromium', 'firefox'] }, async (t, browser) => {
  const site = await startSite(t, { attributes: { 'data-interval': 1000, 'data-trace': 'on' } });
  site.edge.answer(
    () => true,
    ({ request, response, pass }) => {
      if (request.headers.authorization === `Basic ${Buffer.from('ada:secret').toString('base64')}`) return pass();
      response.writeHead(401, { 'www-authenticate': 'Basic realm="staging"', 'content-type': 'text/plain' });
      response.end('who are you?');
    },
  );
  const tab = await openApp(browser, { ...site, url: site.url.replace('://', '://ada:secret@') }, { stream: null });
  await tab.type('#draft', 'mine');
  await site.publish('two');
  await tab.waitFor(promptIsUp, { timeout: 20_000, what: 'the prompt' });
  await tab.eval(() => import(/** @type {string} */ (/** @type {unknown} */ (new URL('/gone.js', location.href)))).catch(() => setTimeout(() => Promise.reject(new Error(`Failed to fetch dynamically imported module: ${new URL('/gone.js', document.baseURI)}`)))));
  await sleep(500);
  const told = await tab.eval(() => JSON.stringify([changeover.status, news, changeover.trace()]));
  assert.doesNotMatch(told, /secret/);
  await tab.click(RELOAD_BUTTON);
  await shows(tab, 'two', 'mine');
  assert.doesNotMatch(await tab.eval(() => JSON.stringify({ ...sessionStorage, ...localStorage, errors: null })), /secret/);
});

const TOKEN = '?token=secret';

inBrowsers('a token in the address of page, release, manifest, runtime or chunk is shown nowhere', { only: ['chromium', 'firefox'] }, async (t, browser) => {
  const attributes = { 'data-interval': 1000, 'data-trace': 'on', 'data-release': `/changeover/release.json${TOKEN}`, 'data-runtime': `/runtime.js${TOKEN}` };
  const site = await startSite(t, { attributes });
  // As a host with signed addresses has it.
  let manifest = '';
  site.edge.answer('/changeover/release.json', async ({ response }) => {
    const release = site.readRelease();
    release.build.manifest += manifest;
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store', 'changeover-events': `/changeover/events${TOKEN}` });
    response.end(JSON.stringify(release));
  });
  const tab = await openApp(browser, site, { path: `/${TOKEN}#secret` });
  await tab.type('#draft', 'mine');
  manifest = TOKEN;
  await tab.waitFor(() => changeover.status.lastFailure, { timeout: 20_000, what: 'the refusal' });
  assert.match(await tab.eval(() => /** @type {NonNullable<Status['lastFailure']>} */ (changeover.status.lastFailure).message), /^release\.json is wrong: .*"builds\/\w+\.json".*expected a relative path/);
  manifest = '';
  await site.publish('two');
  await tab.waitFor(promptIsUp, { timeout: 20_000, what: 'the prompt' });
  const undo = site.edge.answer('/record.js', odd.status(404));
  await tab.eval((token) => {
    document.head.append(Object.assign(document.createElement('script'), { src: `/record.js${token}` }));
    // By a script of the page: Chromium does not tell the page of what is rejected in a driver's.
    const textContent = `Promise.reject(new Error('Failed to fetch dynamically imported module: ${location.origin}/gone.js${token}#secret'))`;
    document.head.append(Object.assign(document.createElement('script'), { textContent }));
  }, TOKEN);
  await tab.waitFor(() => news.filter(({ type }) => type === 'chunkFailed').length === 2, { what: 'both chunks' });
  await tab.locate(RELOAD_BUTTON);
  const told = await tab.eval(() => JSON.stringify([changeover.status, news, changeover.trace(), /** @type {ShadowRoot} */ (/** @type {Element} */ (document.querySelector('changeover-prompt')).shadowRoot).textContent]));
  assert.doesNotMatch(told, /secret/);
  assert.match(told, /gone\.js/);
  assert.match(told, /release\.json/);
  undo();
  await tab.click(RELOAD_BUTTON);
  await shows(tab, 'two', 'mine');
  assert.match(await tab.eval(() => location.href), /\?token=secret#secret$/);
});

inBrowsers('a token in the address of a runtime that is gone is shown nowhere', { only: ['chromium', 'firefox'] }, async (t, browser) => {
  const site = await startSite(t, { attributes: { 'data-runtime': `/gone.js${TOKEN}` } });
  const tab = await openApp(browser, site, { level: 'loader', stream: null });
  const reason = await tab.eval(() => changeover.status.levelReason);
  assert.match(/** @type {string} */ (reason), /gone\.js/);
  assert.doesNotMatch(/** @type {string} */ (reason), /secret/);
});

const STRICT = "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'";
for (const level of /** @type {const} */ (['full', 'loader'])) {
  const start = async (/** @type {TestContext} */ t, /** @type {Browser} */ browser, /** @type {string} */ path) => {
    const site = await startSite(t, { attributes: { 'data-interval': 1000 } });
    if (level === 'loader') site.edge.addHeaders({ 'content-security-policy': STRICT });
    const fallback = site.edge.answer(
      (path) => !path.includes('.') && path !== '/' && !path.startsWith('/changeover'),
      ({ response }) => {
        response.writeHead(404, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'max-age=600' });
        response.end(readFileSync(join(site.dir, 'index.html')));
      },
    );
    const tab = await openApp(browser, site, { path, level, stream: null });
    await tab.type('#draft', 'mine');
    return { site, tab, fallback };
  };

  inBrowsers(`at level ${level}, a host that serves deep links with 404 is reachable, also after a route change`, {}, async (t, browser) => {
    const { site, tab } = await start(t, browser, '/');
    await tab.eval(() => history.pushState(null, '', '/orders/7'));
    await site.publish('two');
    await tab.waitFor(promptIsUp, { timeout: 20_000, what: 'the prompt' });
    await tab.click(RELOAD_BUTTON);
    await shows(tab, 'two', 'mine');
    assert.equal(await tab.eval(() => location.pathname), '/orders/7');
  });

  inBrowsers(`at level ${level}, a host that answers with an error page of its own is not`, { only: ['chromium', 'webkit'] }, async (t, browser) => {
    const { site, tab } = await start(t, browser, '/');
    await site.publish('two');
    await tab.waitFor(promptIsUp, { timeout: 20_000, what: 'the prompt' });
    for (const status of [404, 403, 503]) {
      const broken = site.edge.answer('/', ({ response }) => {
        response.writeHead(status, { 'content-type': 'text/html' });
        response.end('<!doctype html><title>Oops</title><h1>Nothing here</h1>');
      });
      const asked = site.edge.count('/');
      await tab.click(RELOAD_BUTTON);
      await until(() => site.edge.count('/') > asked, { what: 'the question for the document' });
      await tab.waitFor(() => changeover.status.prompt?.trouble === 'unreachable', { timeout: 20_000, what: `unreachable after ${status}` });
      assert.equal(await tab.eval(() => /** @type {HTMLInputElement} */ (document.getElementById('draft')).value), 'mine');
      broken();
    }
    await tab.click(RELOAD_BUTTON);
    await shows(tab, 'two', 'mine');
  });

  inBrowsers(`at level ${level}, another origin that wants a sign-in first is an answer`, { only: ['chromium', 'firefox'] }, async (t, browser) => {
    const { site, tab } = await start(t, browser, '/');
    await site.publish('two');
    await tab.waitFor(promptIsUp, { timeout: 20_000, what: 'the prompt' });
    const elsewhere = site.url.replace('127.0.0.1', 'localhost');
    const signIn = site.edge.answer('/', ({ response }) => {
      response.writeHead(302, { location: `${elsewhere}/login.html`, 'cache-control': 'no-store' });
      response.end();
    });
    await tab.click(RELOAD_BUTTON);
    await tab.waitFor(() => document.title === 'Sign in', { timeout: 20_000, what: 'the page to sign in' });
    signIn();
    await tab.goto(site.url);
    await shows(tab, 'two', 'mine');
  });
}

inBrowsers('at the loader level a build may be called __proto__ or constructor: it is reloaded for once', { only: ['chromium'] }, async (t, browser) => {
  for (const [level, id] of /** @type {const} */ ([['loader', 'constructor'], ['loader', '__proto__']])) {
    const site = await startSite(t, { attributes: { 'data-interval': 1000 } });
    if (level === 'loader') site.edge.addHeaders({ 'content-security-policy': STRICT });
    const tab = await openApp(browser, site, { level, stream: null });
    const release = JSON.parse(site.releaseText());
    const manifest = JSON.parse(readFileSync(join(site.dir, 'changeover', release.build.manifest), 'utf8'));
    /** @type {(document: unknown) => Answer} */
    const answer = (document) => ({ response }) => {
      response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
      response.end(JSON.stringify(document));
    };
    // A release whose build never comes: the reload does not take.
    site.edge.answer('/changeover/builds/odd.json', answer({ ...manifest, id, epoch: 7 }));
    site.edge.answer('/changeover/release.json', answer({ ...release, sequence: release.sequence + 1000, build: { id, manifest: 'builds/odd.json' } }));
    const asks = () => tab.waitFor((id) => changeover.status.prompt?.build === id, id, { timeout: 20_000, what: `the prompt for ${id} at level ${level}` });
    await asks();
    await tab.eval(() => void changeover.reload());
    await tab.waitFor(() => globalThis.loads === 2 && globalThis.ready, { timeout: 20_000, what: 'the one reload' });
    await asks();
    assert.equal(await tab.eval(() => changeover.reload()), 'reloadDidNotTake', `${id} at level ${level}`);
    await sleep(500);
    assert.equal(await tab.eval(() => loads), 2, `${id} at level ${level}`);
    await tab.close();
  }
});

inBrowsers('a runtime or a WebAssembly file that never answers leaves the loader level, and is taken when it comes late', { only: ['chromium', 'firefox'], timeout: 120_000 }, async (t, browser) => {
  const site = await startSite(t, { attributes: { 'data-interval': 1000 } });
  let let_go;
  const gate = new Promise((go) => (let_go = go));
  site.edge.answer('/runtime.js', async ({ pass }) => {
    await gate;
    await pass();
  });
  const tab = await browser.open(site.url);
  await tab.waitFor(() => globalThis.ready);
  await tab.waitFor(() => changeover.status.level === 'loader', { timeout: 40_000, what: 'the loader level' });
  assert.equal(await tab.eval(() => changeover.status.levelReason), 'no runtime');
  await tab.type('#draft', 'mine');
  await site.publish('two');
  await tab.waitFor(promptIsUp, { timeout: 20_000, what: 'the plain banner' });
  /** @type {() => void} */ (/** @type {unknown} */ (let_go))();
  await tab.waitFor(() => changeover.status.level === 'full', { timeout: 20_000, what: 'the full level' });
  await tab.waitFor(() => !document.querySelector('html > output') && changeover.status.prompt, { timeout: 20_000, what: 'the full prompt alone' });
  await tab.click(RELOAD_BUTTON);
  await shows(tab, 'two', 'mine');
});
