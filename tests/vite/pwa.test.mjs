// vite-plugin-pwa: a service worker answers for the document, so a reload has to go through it.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import puppeteer from 'puppeteer-core';
import { VitePWA } from 'vite-plugin-pwa';
import { ROOT, VITES, build, change, integrityOf, makeApp } from './support.mjs';

/** @import { TestContext } from 'node:test' */

/** Longer than Chromium waits after a navigation before it looks for a newer worker (milliseconds). */
const SOFT_UPDATE = 3_000;

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const skip = existsSync(CHROMIUM) || process.env.CI ? false : `no Chromium at ${CHROMIUM}; set CHROMIUM`;
/** @type {import('puppeteer-core').Browser} */
let browser;
before(async () => {
  if (!skip) browser = await puppeteer.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
});
after(() => browser?.close());

const HTML = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Installed</title><link rel="icon" href="data:,"></head><body><p id="app"></p><textarea></textarea><script type="module" src="/src/main.js"></script></body></html>';
const main = (/** @type {string} */ text) => `import { createChangeover } from 'changeover';
import { registerSW } from 'virtual:pwa-register';
registerSW({ immediate: true });
globalThis.guard = createChangeover();
const told = (what) => (sessionStorage.told = (sessionStorage.told ?? '') + what + ';');
guard.on('changeoverWaiting', ({ reason }) => told('waits for ' + reason));
guard.on('promptShown', ({ prompt }) => {
  if (prompt.busy?.type === 'serviceWorker') told('prompt: ' + document.querySelector('changeover-prompt').shadowRoot.querySelector('[part~="waiting"]').textContent);
});
const area = document.querySelector('textarea');
guard.state('draft', { capture: () => area.value, restore: (value) => (area.value = value) });
document.getElementById('app').textContent = ${JSON.stringify(text)};
`;
const pwa = (/** @type {'autoUpdate' | 'prompt'} */ registerType, workbox = {}) => VitePWA({ registerType, manifest: false, devOptions: { enabled: false }, workbox: { mode: 'development', sourcemap: false, inlineWorkboxRuntime: true, ...workbox } });

/** @param {TestContext} t */
function makePwa(t) {
  const root = makeApp(t, { 'index.html': HTML, 'src/main.js': main('first') });
  symlinkSync(join(ROOT, 'node_modules/workbox-window'), join(root, 'node_modules/workbox-window'));
  return root;
}

for (const { name, vite } of VITES) {
  test(`${name}: the list of a service worker names the document as it is served, and the manifest the worker as it is`, async (t) => {
    const root = makePwa(t);
    const compress = {
      name: 'compress', enforce: 'post', apply: 'build',
      closeBundle: { sequential: true, handler: () => writeFileSync(join(root, 'dist/sw.js.br'), brotliCompressSync(readFileSync(join(root, 'dist/sw.js')))) },
    };
    // As docs/hosts.md says, for a worker that keeps JSON.
    const keepsJson = { globPatterns: ['**/*.{js,css,html,json}'], globIgnores: ['**/node_modules/**/*', 'changeover/**'] };
    const first = await build(vite, root, { plugins: [pwa('autoUpdate', keepsJson), compress] });
    const revision = createHash('md5').update(first.files.get('index.html')).digest('hex');
    const worker = first.files.get('sw.js').toString();
    assert.ok(worker.includes(revision), /index\.html[^}]*/.exec(worker)?.[0]);
    assert.ok(!worker.includes('changeover/'), 'neither the release nor a manifest is kept by the worker');
    assert.equal(first.manifest.chunks['sw.js'].integrity, integrityOf(first.files.get('sw.js')));
    assert.equal(brotliDecompressSync(first.files.get('sw.js.br')).toString(), worker);
    assert.equal(first.manifest.chunks['sw.js.br'].integrity, integrityOf(first.files.get('sw.js.br')));
    // A build that differs in a file alone that the worker does not keep has another document, for its id.
    change(root, { 'public/robots.txt': 'User-agent: *' });
    const second = await build(vite, root, { plugins: [pwa('autoUpdate', keepsJson), compress] });
    assert.notEqual(second.manifest.id, first.manifest.id);
    assert.notEqual(second.files.get('sw.js').toString(), worker);
    const again = await build(vite, root, { plugins: [pwa('autoUpdate', keepsJson), compress] });
    assert.equal(again.manifest.id, second.manifest.id);
  });
}

for (const registerType of ['autoUpdate', 'prompt']) {
  test(`a page that a service worker controls (${registerType}) comes to the new build by one reload, with its state`, { skip, timeout: 90_000 }, async (t) => {
    const [{ vite }] = VITES;
    const root = makePwa(t);
    const host = join(root, 'host');
    const deploy = async (/** @type {string} */ text) => {
      change(root, { 'src/main.js': main(text) });
      const { manifest, out } = await build(vite, root, { options: { interval: 1000 }, plugins: [pwa(/** @type {'autoUpdate' | 'prompt'} */ (registerType))] });
      rmSync(host, { recursive: true, force: true });
      cpSync(out, host, { recursive: true });
      return manifest.id;
    };
    await deploy('first');
    const url = await serve(t, host);
    const context = await browser.createBrowserContext();
    t.after(() => context.close());
    const page = await context.newPage();
    await page.goto(url);
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => true));
    await page.goto(url);
    await page.waitForFunction(() => navigator.serviceWorker.controller?.state === 'activated' && guard.status.level === 'full' && guard.status.release);

    for (const text of ['second', 'third']) {
      await page.evaluate(() => (/** @type {HTMLTextAreaElement} */ (document.querySelector('textarea')).value = 'half a sentence'));
      await page.evaluate(() => (sessionStorage.told = ''));
      // The browser looks for a newer worker by itself some time after a navigation; found then, an autoUpdate page reloads unasked.
      await sleep(SOFT_UPDATE);
      const id = await deploy(text);
      await page.waitForFunction((/** @type {string} */ id) => guard.status.prompt?.build === id, { timeout: 20_000 }, id);
      // The status says so before the prompt is fetched and drawn.
      const reload = await page.waitForFunction(() => /** @type {PromptElement | null} */ (document.querySelector('changeover-prompt'))?.shadowRoot.querySelector('[part~="reload"]'), { timeout: 20_000 });
      await /** @type {import('puppeteer-core').ElementHandle<HTMLElement>} */ (reload).evaluate((button) => button.click());
      await page.waitForFunction((/** @type {string} */ text) => document.getElementById('app')?.textContent === text, { timeout: 20_000 }, text);
      await page.waitForFunction((/** @type {string} */ id) => guard.status.level === 'full' && guard.status.build === id && guard.status.release && !guard.status.skew, { timeout: 20_000 }, id);
      await page.waitForFunction(() => /** @type {HTMLTextAreaElement} */ (document.querySelector('textarea')).value === 'half a sentence');
      assert.equal(await page.evaluate(() => guard.status.prompt), null);
      assert.equal(await page.evaluate(() => sessionStorage.told), 'waits for serviceWorker;prompt: Waiting for: Service Worker;');
    }
  });
}

/**
 * A static host of a folder that is made anew.
 *
 * @param {TestContext} t
 * @param {string} host
 */
async function serve(t, host) {
  const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm', '.json': 'application/json' };
  const server = createServer((request, response) => {
    const path = new URL(/** @type {string} */ (request.url), 'http://x').pathname;
    const file = join(host, path === '/' ? 'index.html' : path);
    if (!existsSync(file)) return response.writeHead(404).end();
    response.setHeader('cache-control', 'no-cache');
    response.setHeader('content-type', /** @type {Record<string, string>} */ (types)[extname(file)] ?? 'application/octet-stream').end(readFileSync(file));
  });
  await new Promise((/** @type {(value?: unknown) => void} */ listening) => server.listen(0, '127.0.0.1', listening));
  t.after(() => new Promise((closed) => {
    server.close(closed);
    server.closeAllConnections();
  }));
  return `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}/`;
}
