// A small site and real browsers for the tests of the prompt and of the loader.
//
// `serve()` answers pages that a test sets, the files of pkg-template/ under /pkg/, and whatever a test plugs in.
// `withBrowser()` registers one test per engine.
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { extname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import puppeteer from 'puppeteer-core';

/** @import { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http' */
/** @import { AddressInfo } from 'node:net' */
/** @import { TestContext } from 'node:test' */
/** @import { Browser, BrowserContext, Page } from 'puppeteer-core' */
/** @typedef {Buffer | string | undefined | ((request: IncomingMessage, response: ServerResponse) => unknown)} Answer */
/** @typedef {'chromium' | 'firefox'} Engine */

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const require = createRequire(import.meta.url);

/** @type {Record<string, string>} */
const TYPES = { '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css', '.html': 'text/html; charset=utf-8', '.json': 'application/json' };
const EXECUTABLES = {
  chromium: process.env.CHROMIUM || '/usr/bin/chromium',
  firefox: process.env.FIREFOX || '/usr/bin/firefox',
};

/**
 * A server on a free port. `answers` maps a path to a string, or to a function (request, response).
 *
 * @param {Record<string, Answer>} answers
 */
export async function serve(answers = {}) {
  /** @type {string[]} */
  const requests = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(/** @type {string} */ (request.url), 'http://x');
    requests.push(pathname);
    const answer = answers[pathname];
    try {
      if (typeof answer === 'function') return answer(request, response);
      if (answer !== undefined) return send(response, 200, answer, extname(pathname) || '.html');
      if (pathname.startsWith('/pkg/')) return send(response, 200, readFileSync(join(ROOT, 'pkg-template', pathname.slice(5))), extname(pathname));
      send(response, 404, 'no such file', '.html');
    } catch {
      send(response, 404, 'no such file', '.html');
    }
  });
  await new Promise((/** @type {(value?: unknown) => void} */ ready) => server.listen(0, '127.0.0.1', ready));
  return {
    origin: `http://127.0.0.1:${/** @type {AddressInfo} */ (server.address()).port}`,
    answers,
    requests,
    count: (/** @type {string} */ path) => requests.filter((asked) => asked === path).length,
    close: () => new Promise((done) => (server.closeAllConnections(), server.close(done))),
  };
}

/**
 * @param {ServerResponse} response
 * @param {number} status
 * @param {Buffer | string} body
 * @param {string} type the end of a file's name
 * @param {OutgoingHttpHeaders} headers
 */
export function send(response, status, body, type, headers = {}) {
  response.writeHead(status, { 'content-type': TYPES[type] ?? 'application/octet-stream', 'cache-control': 'no-cache', ...headers });
  response.end(body);
}

/**
 * Registers `name` once per engine, each in a profile of its own; skipped without the browser, except in CI.
 *
 * @param {string} name
 * @param {{engines?: Engine[], flags?: string[], timeout?: number}} options
 * @param {(t: TestContext, browser: BrowserContext, engine: Engine) => unknown} run
 */
export function withBrowser(name, { engines = ['chromium'], flags = [], timeout = 60_000 } = {}, run) {
  const wanted = (process.env.BROWSERS || 'chromium,firefox').split(',');
  for (const engine of engines.filter((engine) => wanted.includes(engine))) {
    test(engines.length > 1 ? `${name} [${engine}]` : name, { timeout }, async (t) => {
      /** @type {BrowserContext} */
      let browser;
      try {
        browser = /** @type {BrowserContext} */ (await (flags.length ? launch(engine, flags) : borrow(engine)));
      } catch (error) {
        if (process.env.CI || !/ENOENT|find|executable/i.test(String(error))) throw error;
        return t.skip(`${engine} is not installed (${EXECUTABLES[engine]})`);
      }
      try {
        await run(t, browser, engine);
      } finally {
        await browser.close();
      }
    });
  }
}

/** @type {Map<Engine, Promise<Browser>>} */
const shared = new Map();

/**
 * A browser takes longer to start than most tests take: those of a file use one, each in a context of its own.
 *
 * @param {Engine} engine
 */
async function borrow(engine) {
  const lent = shared.get(engine) ?? launch(engine, []);
  shared.set(engine, lent);
  return (await lent).createBrowserContext();
}

after(() => Promise.all([...shared.values()].map(async (browser) => (await browser.catch(() => null))?.close())));

/**
 * @param {Engine} engine
 * @param {string[]} flags
 */
function launch(engine, flags) {
  const chromium = engine === 'chromium';
  return puppeteer.launch({
    browser: chromium ? 'chrome' : 'firefox',
    executablePath: EXECUTABLES[engine],
    headless: true,
    args: chromium ? ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', ...flags] : flags,
  });
}

/**
 * Where a screenshot goes; `target/` is not in the repository.
 *
 * @param {string} suite
 * @param {string} name
 */
export function screenshotPath(suite, name) {
  const folder = join(ROOT, 'target', 'screenshots', suite);
  mkdirSync(folder, { recursive: true });
  return join(folder, `${name}.png`);
}

/**
 * Waits until `run` in the page is truthy.
 *
 * @template {unknown[]} Given
 * @param {Page} page
 * @param {(...given: Given) => unknown} run
 * @param {Given} given
 */
export async function until(page, run, ...given) {
  return page.waitForFunction(/** @type {import('puppeteer-core').EvaluateFunc<Given>} */ (run), { polling: 50, timeout: 15_000 }, ...given);
}
