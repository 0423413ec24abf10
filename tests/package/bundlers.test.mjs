// The package in apps of other bundlers: no warning, which is an error in many a CI, and a guard that runs.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { after, before, test } from 'node:test';
import puppeteer from 'puppeteer-core';
import { rspack } from '@rspack/core';
import webpack from 'webpack';
import { PACKAGE, ROOT } from './support.mjs';

/**
 * @import { AddressInfo } from 'node:net'
 * @import { TestContext } from 'node:test'
 * @import { Browser } from 'puppeteer-core'
 *
 * @typedef {object} Config what both bundlers take
 * @property {string} context
 * @property {'production' | 'development'} mode
 * @property {string} entry
 * @property {{ path: string, filename: string }} output
 * @property {{ modules: string[] }} resolve
 * @property {{ hints: false }} performance
 * @property {false} devtool
 *
 * @typedef {{ message: string, moduleName?: string }} Complaint
 * @typedef {{ toJson: (what: { all: false, errors?: boolean, warnings?: boolean }) => { errors?: Complaint[], warnings?: Complaint[] } }} Built
 * @typedef {(config: Config) => Promise<Built>} Bundle
 * @typedef {{ release?: string }} News what the server says instead of the first release
 */

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const skip = existsSync(CHROMIUM) || process.env.CI ? false : `no Chromium at ${CHROMIUM}; set CHROMIUM`;
/** @type {Browser} */
let browser;
before(async () => {
  if (!skip) browser = await puppeteer.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
});
after(() => browser?.close());

const MAIN = `
import { createChangeover } from 'changeover';
import { object } from 'changeover/adapters';
import { fromLocalStorage } from 'changeover/adopt';
import { slot } from 'changeover/slots';
import { lazy } from 'changeover/react';
import { lazy as lazyVue } from 'changeover/vue';
import * as wasm from 'changeover/wasm-slot';
globalThis.kits = [object, fromLocalStorage, slot, lazy, lazyVue, wasm];
globalThis.guard = createChangeover({ release: '/changeover/release.json', build: 'b1' });
`;

/** @type {Record<string, Bundle>} */
const BUNDLERS = {
  webpack: (config) => finished(webpack(config)),
  Rspack: (config) => finished(rspack(config)),
};

/**
 * @template Result
 * @param {{ run: (done: (error: Error | null, result?: Result) => void) => void, close: (done: () => void) => void }} compiler
 * @returns {Promise<Result>}
 */
const finished = (compiler) => new Promise((done, failed) => compiler.run((error, stats) => compiler.close(() => (stats ? done(stats) : failed(error)))));

for (const [name, bundle] of Object.entries(BUNDLERS)) {
  for (const mode of /** @type {const} */ (['production', 'development'])) {
    test(`${name}, ${mode}: no warning about any entry of the package`, async (t) => {
      const { stats } = await buildApp(t, bundle, mode, `${MAIN}import 'changeover/testing';\n`);
      assert.deepEqual(stats.toJson({ all: false, errors: true, warnings: true }).errors?.map(({ message }) => message), []);
      assert.deepEqual(warningsOf(stats), []);
    });
  }

  test(`${name}: the guard of a built app comes to its full level, and its stores work`, { skip }, async (t) => {
    const { out } = await buildApp(t, bundle, 'production', MAIN);
    const page = await browser.newPage();
    t.after(() => page.close());
    /** @type {string[]} */
    const errors = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    await page.goto(await serve(t, out));
    await page.waitForFunction('globalThis.guard?.status.level === "full" && guard.status.release');
    assert.equal(await page.evaluate(`(async () => {
      const cart = guard.store('cart', { schema: 1 });
      await cart.set('1', 'tea');
      return cart.get('1');
    })()`), 'tea');
    assert.deepEqual(errors, []);
  });

  test(`${name}: prompt and state are chunks that a page fetches when another build is in sight; without its chunk a plain bar asks`, { skip }, async (t) => {
    const { out } = await buildApp(t, bundle, 'production', MAIN);
    const [prompt, ...others] = readdirSync(out).filter((file) => readFileSync(join(out, file), 'utf8').includes('requiredTitle'));
    assert.ok(prompt && !others.length, `the prompt is in one file: ${[prompt, ...others]}`);
    for (const gone of [false, true]) {
      /** @type {News} */
      const news = {};
      const page = await browser.newPage();
      t.after(() => page.close());
      /** @type {string[]} */
      const errors = [];
      /** @type {string[]} */
      const asked = [];
      page.on('pageerror', (error) => errors.push(String(error)));
      page.on('request', (request) => asked.push(new URL(request.url()).pathname));
      await page.goto(await serve(t, out, news));
      await page.waitForFunction('globalThis.guard?.status.level === "full" && guard.status.release');
      const scripts = () => asked.filter((path) => path.endsWith('.js'));
      const before = scripts().length;
      assert.ok(!asked.includes(`/${prompt}`));
      if (gone) rmSync(join(out, prompt));
      news.release = JSON.stringify({ sequence: 2, build: { id: 'b2' } });
      await page.waitForFunction('guard.check().then(({ skew }) => skew)', { polling: 300 }); // two looks at once are one
      await page.waitForSelector(gone ? 'html > output button' : 'changeover-prompt');
      assert.equal(scripts().filter((path) => path === `/${prompt}`).length > 0, true);
      assert.ok(scripts().length >= before + 2, 'prompt and state');
      assert.deepEqual(errors, []);
    }
  });
}

/** The warnings of a build, each cut to a line that a test can print. */
const warningsOf = (/** @type {Built} */ stats) => stats.toJson({ all: false, warnings: true }).warnings?.map(({ moduleName, message }) => `${moduleName ?? ''}: ${message}`.slice(0, 300));

/**
 * @param {TestContext} t
 * @param {Bundle} bundle
 * @param {Config['mode']} mode
 * @param {string} main
 */
async function buildApp(t, bundle, mode, main) {
  const root = mkdtempSync(join(tmpdir(), 'changeover-bundlers-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, 'node_modules'));
  symlinkSync(PACKAGE, join(root, 'node_modules/changeover'));
  for (const library of ['react', 'react-dom', 'vue']) symlinkSync(join(ROOT, 'node_modules', library), join(root, 'node_modules', library));
  writeFileSync(join(root, 'package.json'), '{"type": "module"}');
  writeFileSync(join(root, 'main.js'), main);
  const out = join(root, 'dist');
  const stats = await bundle({
    context: root,
    mode,
    entry: './main.js',
    output: { path: out, filename: 'main.js' },
    // The libraries lie outside, where they would look for each other in vain.
    resolve: { modules: ['node_modules', join(ROOT, 'node_modules')] },
    // Said of the size of any app; the guard's own part comes when the page is idle.
    performance: { hints: false },
    devtool: false,
  });
  writeFileSync(join(out, 'index.html'), '<!doctype html><title>Built</title><script src="/main.js"></script>');
  return { out, stats };
}

/**
 * @param {TestContext} t
 * @param {string} out
 * @param {News} [news]
 */
async function serve(t, out, news = {}) {
  const release = JSON.stringify({ format: 1, app: 'shop', sequence: 1, issued: '2026-07-31T12:00:00Z', build: { id: 'b1', manifest: 'builds/b1.json' } });
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://x').pathname;
    if (path === '/favicon.ico') return response.writeHead(204).end();
    if (path === '/changeover/release.json') return response.setHeader('content-type', 'application/json').end(news.release ?? release);
    const file = join(out, path === '/' ? 'index.html' : path);
    if (!existsSync(file)) return response.writeHead(404).end();
    response.setHeader('content-type', extname(file) === '.html' ? 'text/html' : 'text/javascript').end(readFileSync(file));
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', () => listening(null)));
  t.after(() => new Promise((closed) => {
    server.close(closed);
    server.closeAllConnections();
  }));
  return `http://127.0.0.1:${/** @type {AddressInfo} */ (server.address()).port}/`;
}
