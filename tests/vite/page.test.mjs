import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { after, before, test } from 'node:test';
import puppeteer from 'puppeteer-core';
import { PACKAGE, VITES, build, changeover, makeApp, makeLogger } from './support.mjs';

/** @import { TestContext } from 'node:test' */
/** @import { IncomingMessage } from 'node:http' */

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const skip = existsSync(CHROMIUM) || process.env.CI ? false : `no Chromium at ${CHROMIUM}; set CHROMIUM`;
/** @type {import('puppeteer-core').Browser} */
let browser;
before(async () => {
  if (!skip) browser = await puppeteer.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
});
after(() => browser?.close());

const MAIN = `import { createChangeover } from 'changeover';
const guard = createChangeover({ release: '/changeover/release.json', interval: 5000 });
window.guard = guard;
guard.state('draft', { capture: () => 1, restore() {} });
document.getElementById('app').textContent = 'ready';
`;

/** Opens a store, and gives back what it reads after a write. */
const USE = `(async () => {
  const cart = guard.store('cart', { schema: 1 });
  await cart.set('1', 'tea');
  return cart.get('1');
})()`;

for (const { name, vite } of VITES) {
  test(`${name}: an app that imports the package uses the instance of the tag and bundles no runtime`, { skip }, async (t) => {
    const root = makeApp(t, { 'src/main.js': MAIN });
    const { out, manifest, files } = await build(vite, root);
    const wasm = /** @type {RegExpExecArray} */ (/[A-Za-z0-9+/]{2000}/.exec(readFileSync(join(PACKAGE, 'runtime.js'), 'latin1')))[0];
    for (const [path, bytes] of files) assert.ok(!bytes.includes(wasm), `${path} holds the inlined wasm`);
    const scripts = Object.entries(manifest.chunks).filter(([, chunk]) => chunk.kind === 'script' && !chunk.id.startsWith('changeover/'));
    assert.ok(scripts.reduce((total, [, { size }]) => total + size, 0) < 12_000, JSON.stringify(scripts));

    const page = await open(t, await serve(t, out));
    assert.equal(await page.evaluate('guard === changeover && guard === globalThis[Symbol.for("changeover")]'), true);
    assert.equal(await page.evaluate('guard.status.build'), manifest.id);
  });

  test(`${name}: the inlined loader starts the same instance`, { skip }, async (t) => {
    const root = makeApp(t, { 'src/main.js': MAIN });
    const { out, manifest } = await build(vite, root, { options: { loader: 'inline' } });
    const page = await open(t, await serve(t, out));
    assert.equal(await page.evaluate('guard === changeover'), true);
    assert.equal(await page.evaluate('guard.status.build'), manifest.id);
  });

  test(`${name}: a store of an app comes from the file that the tag names, with its wasm beside it, and only once one is opened`, { skip }, async (t) => {
    for (const loader of ['file', 'inline']) {
      const root = makeApp(t, { 'src/main.js': MAIN });
      const { out, files } = await build(vite, root, { options: { loader } });
      const wasm = /** @type {RegExpExecArray} */ (/[A-Za-z0-9+/]{2000}/.exec(readFileSync(join(PACKAGE, 'stores.js'), 'latin1')))[0];
      for (const [path, bytes] of files) assert.ok(!bytes.includes(wasm), `${path} holds the inlined wasm`);
      /** @type {string[]} */
      const asked = [];
      const page = await open(t, await serve(t, out), { asked });
      const parts = () => asked.filter((url) => url.includes('stores')).map((url) => new URL(url).pathname.replace(/-[0-9a-f]{10}/, '')).sort();
      await page.waitForFunction('guard.status.level === "full"');
      assert.deepEqual(parts(), []);
      assert.equal(await page.evaluate(USE), 'tea');
      assert.deepEqual(parts(), ['/assets/changeover-stores.js', '/assets/changeover-stores.wasm']);
    }
  });

  test(`${name}: prompt and state come from the files that the tag names, each when it is needed; without its file a plain bar asks`, { skip }, async (t) => {
    const root = makeApp(t, { 'src/main.js': MAIN });
    const { out, files } = await build(vite, root);
    for (const gone of [false, true]) {
      /** @type {string[]} */
      const asked = [];
      const news = {};
      const page = await open(t, await serve(t, out, news), { asked });
      const parts = () => asked.map((url) => new URL(url).pathname).filter((path) => /prompt|states/.test(path)).map((path) => path.replace(/-[0-9a-f]{10}/, ''));
      await page.waitForFunction('guard.status.level === "full" && guard.status.release');
      await page.waitForFunction('performance.getEntriesByType("resource").some(({ name }) => name.includes("changeover-states-"))');
      assert.deepEqual(parts(), ['/assets/changeover-states.js']);
      const [prompt] = [...files.keys()].filter((path) => path.includes('changeover-prompt-'));
      if (gone) rmSync(join(out, prompt));
      news.release = JSON.stringify({ sequence: 2, build: { id: 'another' } });
      await page.evaluate('addEventListener("vite:preloadError", () => { window.announced = true })');
      await page.waitForFunction('guard.check().then(({ skew }) => skew)', { polling: 300 }); // two looks at once are one
      await page.waitForSelector(gone ? 'html > output button' : 'changeover-prompt');
      assert.deepEqual(parts().slice(1), ['/assets/changeover-prompt.js']);
      assert.equal(await page.evaluate('window.announced'), undefined, 'the app hears nothing of a missing file of ours');
    }
  });

  test(`${name}: in a page without the tag a store says what is missing, and the page lives on`, { skip }, async (t) => {
    const root = makeApp(t, { 'src/main.js': MAIN });
    const { out, files } = await build(vite, root, { build: { rollupOptions: { input: join(root, 'src/main.js') } } });
    const entry = [...files.keys()].find((path) => /main-.*\.js$/.test(path));
    writeFileSync(join(out, 'index.html'), `<!doctype html><title>x</title><div id="app"></div><script type="module" src="/${entry}"></script>`);
    const page = await open(t, await serve(t, out));
    const said = await page.evaluate(`${USE}.catch(({ code, message }) => code + ': ' + message)`);
    assert.match(/** @type {string} */ (said), /^unavailable: .* this page has no changeover script tag and no option "stores"$/);
    await page.waitForFunction('guard.status.level === "loader"');
  });

  test(`${name}: in a dev server the package is there, asks for nothing and does nothing`, { skip }, async (t) => {
    const root = makeApp(t, { 'src/main.js': MAIN });
    const { logger, messages } = makeLogger(vite);
    const server = await vite.createServer({
      root, configFile: false, customLogger: logger, cacheDir: join(root, '.cache'), plugins: [changeover()],
      server: { port: 0, host: '127.0.0.1' },
    });
    t.after(() => server.close());
    await server.listen();
    assert.ok(/** @type {NonNullable<typeof server.config.optimizeDeps.include>} */ (server.config.optimizeDeps.include).includes('changeover'));
    /** @type {string[]} */
    const asked = [];
    const page = await open(t, `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (/** @type {NonNullable<typeof server.httpServer>} */ (server.httpServer).address()).port}/`, { asked });
    assert.equal(await page.evaluate('typeof changeover'), 'undefined');
    assert.equal(await page.evaluate('guard.status.level'), 'off');
    assert.equal(await page.evaluate(`(async () => {
      const undo = [guard.on('*', () => {}), guard.hold('busy'), guard.state('x', { capture() {}, restore() {} })];
      undo.forEach((back) => back());
      guard.snooze();
      guard.dispose();
      return (await guard.check()).level + ' ' + (await guard.reload()) + guard.trace();
    })()`), 'off noSkew');
    assert.deepEqual(await page.evaluate('guard.backups()'), []);
    assert.equal(await page.evaluate(USE), 'tea', 'stores work without a guard');
    assert.deepEqual(asked.filter((url) => url.includes('release.json') || url.includes('.wasm')), []);
    assert.deepEqual(messages.error, []);
  });
}

/**
 * Opens the page when its app is ready; fails when anything is logged as an error.
 *
 * @param {TestContext} t
 * @param {string} url
 * @param {{asked?: string[]}} notes
 */
async function open(t, url, { asked = [] } = {}) {
  const page = await browser.newPage();
  t.after(() => page.close());
  /** @type {string[]} */
  const errors = [];
  page.on('request', (request) => asked.push(request.url()));
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  await page.goto(url);
  await page.waitForFunction('document.getElementById("app").textContent === "ready"');
  assert.deepEqual(errors, []);
  return page;
}

/**
 * A static host of the folder `out`, with the release that a site would have until there is `news.release`.
 *
 * @param {TestContext} t
 * @param {string} out
 * @param {{release?: string}} news
 */
async function serve(t, out, news = {}) {
  const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm', '.json': 'application/json' };
  const [, id] = /data-build="(\w+)"/.exec(readFileSync(join(out, 'index.html'), 'utf8')) ?? [null, 'unknown'];
  const release = JSON.stringify({ format: 1, app: 'shop-fixture', channel: 'stable', sequence: 1, issued: '2026-07-31T12:00:00Z', build: { id, manifest: `builds/${id}.json` }, urgency: 'routine' });
  const server = createServer((request, response) => {
    const path = new URL(/** @type {string} */ (request.url), 'http://x').pathname;
    if (path === '/favicon.ico') return response.writeHead(204).end();
    if (path === '/changeover/release.json') return response.setHeader('content-type', 'application/json').end(news.release ?? release);
    const file = join(out, path === '/' ? 'index.html' : path);
    if (!existsSync(file)) return response.writeHead(404).end();
    response.setHeader('content-type', /** @type {Record<string, string>} */ (types)[extname(file)] ?? 'application/octet-stream').end(readFileSync(file));
  });
  await new Promise((/** @type {(value?: unknown) => void} */ listening) => server.listen(0, '127.0.0.1', listening));
  t.after(() => new Promise((closed) => {
    server.close(closed);
    server.closeAllConnections();
  }));
  return `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}/`;
}
