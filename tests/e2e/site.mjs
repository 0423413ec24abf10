// A small site with builds that differ, published by the real CLI and served by the real server behind an edge.
//
// In order: `startSite` makes folders, the first build, publishes it and starts `changeover serve` and the edge;
// `publish(name)` writes and publishes the next build; everything ends with the test.

import { execFile, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { ROOT, until } from './browsers.mjs';
import { startEdge } from './server.mjs';

/** @import { ExecFileException as Failure, ExecFileOptions } from 'node:child_process' */
/** @import { Changeover, Status } from '../../pkg-template/index.js' */
/** @import { Attributes, Browser, ReleaseFile, Served, Site, Tab } from './types.d.ts' */
/** @typedef {typeof changeover & Changeover} InPage `changeover` in a function that runs in the page, where it is the guard */

/** The native CLI: CHANGEOVER_BIN, else the one `npm run build` put into the package. */
export function changeoverBinary() {
  const path =
    process.env.CHANGEOVER_BIN ||
    join(ROOT, 'dist/npm/native', `${process.platform}-${process.arch}`, process.platform === 'win32' ? 'changeover.exe' : 'changeover');
  if (!existsSync(path)) throw new Error(`no changeover binary at ${path}; \`npm run build\` makes it`);
  return path;
}

/** The folder of the built npm package: PACKAGE_DIR, else dist/npm. */
export function packageDir() {
  const path = process.env.PACKAGE_DIR || join(ROOT, 'dist/npm');
  for (const name of ['changeover.js', 'runtime.js']) {
    if (!existsSync(join(path, name))) throw new Error(`no ${name} in ${path}; \`npm run build\` makes it`);
  }
  return path;
}

/**
 * Copies what the script tag needs into a dist.
 *
 * @param {string} dist
 */
export function addPackage(dist) {
  for (const name of ['changeover.js', 'runtime.js', 'prompt.js', 'states.js']) cpSync(join(packageDir(), name), join(dist, name));
}

/**
 * The script tag; `attributes` overrides the defaults, null drops one.
 *
 * @param {Attributes} attributes
 */
export function scriptTag(attributes = {}) {
  const all = { src: '/changeover.js', 'data-release': '/changeover/release.json', 'data-lang': 'en', ...attributes };
  const words = Object.entries(all)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}="${String(value).replaceAll('&', '&amp;').replaceAll('"', '&quot;')}"`);
  return `<script ${words.join(' ')}></script>`;
}

/**
 * @param {import('node:test').TestContext} t ends the site with the test
 * @param {{attributes?: Attributes, build?: (name: string, dist: string) => void | Promise<void>, first?: string, existing?: (dir: string) => void, head?: string, app?: string}} options
 *   `attributes` of the script tag; `build` writes the files of a build into an empty folder,
 *   else the small app is written, with `head` before the script tag and `app` as more code for app.js;
 *   `existing` writes a site that was published before, else `first` is published
 * @returns {Promise<Site>}
 */
export async function startSite(t, { attributes = {}, build, first = 'one', existing, head = '', app = '' } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'changeover-site-'));
  /** @type {(() => unknown)[]} */
  const closers = [() => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  t.after(close);
  const dir = join(folder, 'site');

  const site = /** @type {Site} */ ({
    dir,
    folder,
    /** Writes a build into a new folder and returns the folder. */
    async write(name) {
      const dist = join(folder, `dist-${name}`);
      mkdirSync(dist);
      if (build) await build(name, dist);
      else writeApp(name, dist, { attributes, head, app });
      return dist;
    },
    /** Writes and publishes a build. Returns `{output, at, release}`: what the CLI said, when the pointer was renamed, the pointer. */
    async publish(name, { to = dir, more = [] } = {}) {
      const dist = join(folder, `dist-${name}`);
      if (!existsSync(dist)) await site.write(name);
      const output = await changeover(['publish', dist, '--to', to, ...more]);
      return { output, at: renamedAt(to), release: readRelease(to) };
    },
    /** Publishes the build before the current one again, or the one that is named by its id. */
    rollback: (build) => changeover(['rollback', '--site', dir, ...(build ? [build] : [])]),
    readRelease: () => readRelease(dir),
    /** The text of the pointer, byte for byte. */
    releaseText: (of = dir) => readFileSync(join(of, 'changeover/release.json'), 'utf8'),
    /** Starts another `changeover serve`, for instance as a replica; returns its URL. */
    async serve(served = dir) {
      const server = await startServe(served);
      closers.push(server.close);
      return server.url;
    },
  });
  try {
    if (existing) existing(dir);
    else await site.publish(first);
    const origin = await site.serve();
    site.origin = origin;
    site.edge = await startEdge({ upstream: origin });
    closers.push(() => site.edge.close());
    site.url = site.edge.url;
  } catch (error) {
    await close();
    throw error;
  }
  return site;
}

/**
 * Runs the CLI to its end; the answer is its whole output.
 *
 * @param {string[]} args
 * @param {ExecFileOptions} options
 */
export async function changeover(args, options = {}) {
  try {
    const { stdout, stderr } = /** @type {{stdout: string, stderr: string}} */ (await promisify(execFile)(changeoverBinary(), args, { timeout: 60_000, ...options }));
    return stdout + stderr;
  } catch (error) {
    throw new Error(`changeover ${args.join(' ')} ended with ${/** @type {Failure} */ (error).code ?? /** @type {Failure} */ (error).signal}:\n${/** @type {Failure} */ (error).stdout}${/** @type {Failure} */ (error).stderr}`, { cause: error });
  }
}

/**
 * Starts `changeover serve` on a free port.
 *
 * @param {string} dir
 * @param {string[]} more
 * @returns {Promise<Served>}
 */
export async function startServe(dir, more = []) {
  const child = spawn(changeoverBinary(), ['serve', dir, '--port', '0', ...more], { stdio: ['ignore', 'pipe', 'pipe'] });
  let words = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (words += chunk));
  const over = new Promise((resolve) => child.once('exit', resolve));
  const endNow = () => child.kill('SIGKILL');
  process.once('exit', endNow);
  const url = await until(
    () => {
      if (child.exitCode !== null) throw new Error(`changeover serve ended with ${child.exitCode}: ${words}`);
      return words.match(/http:\/\/127\.0\.0\.1:\d+/)?.[0];
    },
    { what: 'the address of changeover serve' },
  );
  return {
    url,
    pid: child.pid,
    async close() {
      child.kill('SIGTERM');
      const timer = setTimeout(endNow, 3000);
      await over;
      clearTimeout(timer);
      process.removeListener('exit', endNow);
    },
  };
}

/** @type {(dir: string) => ReleaseFile} */
function readRelease(dir) {
  return JSON.parse(readFileSync(join(dir, 'changeover/release.json'), 'utf8'));
}

/**
 * When the pointer took its name, in ms since the epoch: a rename sets the inode's change time.
 *
 * @param {string} dir
 */
function renamedAt(dir) {
  return statSync(join(dir, 'changeover/release.json')).ctimeMs;
}

/* The small app: a heading with the build's name, a draft, a counter, a list built late, a record of what went wrong. */

/** @type {(name: string, dist: string, more?: {attributes?: Attributes, head?: string, app?: string}) => void} */
export function writeApp(name, dist, { attributes = {}, head = '', app = '' } = {}) {
  addPackage(dist);
  writeFileSync(join(dist, 'record.js'), RECORD);
  writeFileSync(join(dist, 'app.js'), appScript(name, app));
  writeFileSync(join(dist, 'app.css'), STYLE);
  writeFileSync(
    join(dist, 'index.html'),
    `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width" />
    <title>Orders</title>
    <link rel="icon" href="data:," />
    <script src="/record.js"></script>
    ${head}
    ${scriptTag(attributes)}
    <link rel="stylesheet" href="/app.css" />
  </head>
  <body>
    <h1>Orders, build <span id="build">?</span></h1>
    <p><button id="count">0</button> <input id="field" /></p>
    <textarea id="draft" rows="4"></textarea>
    <ol id="list"></ol>
    <script src="/app.js"></script>
  </body>
</html>
`,
  );
  writeFileSync(join(dist, 'login.html'), '<!doctype html><title>Sign in</title><h1>Sign in</h1>');
}

// Runs before everything else. Errors and the number of loads outlive a reload.
export const RECORD = `
(() => {
  const read = (key, other) => JSON.parse(sessionStorage.getItem(key) ?? JSON.stringify(other));
  const note = (text) => sessionStorage.setItem('errors', JSON.stringify([...read('errors', []), text]));
  globalThis.errors = () => read('errors', []);
  globalThis.loads = read('loads', 0) + 1;
  sessionStorage.setItem('loads', JSON.stringify(globalThis.loads));
  addEventListener('error', (event) => note('error: ' + (event.message ?? 'load of ' + (event.target.src ?? event.target.href))), true);
  document.addEventListener('securitypolicyviolation', (event) => {
    sessionStorage.setItem('violations', JSON.stringify([...read('violations', []), event.effectiveDirective + ' ' + event.blockedURI]));
  });
  globalThis.violations = () => read('violations', []);
  addEventListener('unhandledrejection', (event) => note('rejection: ' + event.reason));
  const error = console.error;
  console.error = (...words) => {
    note('console: ' + words.join(' '));
    error.apply(console, words);
  };
})();
`;

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem; }
#list li { height: 40px; }
#list li:target { background: #fea; }
`;

/** @type {(name: string, more: string) => string} */
function appScript(name, more) {
  return `'use strict';
const BUILD = ${JSON.stringify(name)};
const $ = (id) => document.getElementById(id);
$('build').textContent = BUILD;
let count = 0;
$('count').onclick = () => ($('count').textContent = String(++count));

globalThis.news = [];
changeover.on('*', (event) => news.push({ at: Date.now(), ...event }));
changeover.state('draft', {
  capture: () => ({ text: $('draft').value, count }),
  restore(value) {
    $('draft').value = value.text;
    count = value.count;
    $('count').textContent = String(count);
    globalThis.restored = value;
  },
});

// Rows come late, as from a server, so that the browser's own scroll restoration comes too early.
setTimeout(() => {
  for (let i = 1; i <= 80; i++) {
    const row = document.createElement('li');
    row.id = 'row-' + i;
    row.textContent = 'Order ' + i;
    $('list').append(row);
  }
  globalThis.ready = true;
}, 300);
${more}
`;
}

/**
 * Opens the small app and waits until it and the full guard run.
 *
 * @param {Browser} browser
 * @param {{url: string}} site
 * @param {{path?: string, level?: Status['level'], stream?: Status['stream'] | null, tab?: Tab}} options `stream`: null does not wait for one; `tab`: one that is open
 */
export async function openApp(browser, site, { path = '/', level = 'full', stream = 'open', tab } = {}) {
  if (tab) await tab.goto(site.url + path);
  else tab = await browser.open(site.url + path);
  await tab.waitFor(() => globalThis.ready);
  await tab.waitFor((level) => /** @type {InPage} */ (changeover).status.level === level, level, { timeout: 15_000, what: `level ${level}` });
  if (stream) await tab.waitFor((stream) => /** @type {InPage} */ (changeover).status.stream === stream, stream, { what: `stream ${stream}` });
  return tab;
}

/**
 * Has the page look now and answers with its status. A look within the last quarter second would count as this one.
 *
 * @param {Tab} tab
 */
export async function look(tab) {
  await tab.waitFor(() => Date.now() - (/** @type {InPage} */ (changeover).status.lastCheck ?? 0) > 300, { what: 'the last look to be over' });
  return tab.eval(() => /** @type {InPage} */ (changeover).check());
}

/**
 * Has the page look until `count()` has grown by `times`.
 *
 * @param {Tab} tab
 * @param {number} times
 * @param {() => number} count
 */
export async function lookTimes(tab, times, count) {
  const enough = count() + times;
  await until(
    async () => {
      await look(tab);
      return count() >= enough;
    },
    { timeout: 30_000, what: `${times} looks` },
  );
}

/**
 * Waits until the page shows this build and, when given, this draft: a new page restores state when its guard has come.
 *
 * @param {Tab} tab
 * @param {string} build
 * @param {string} [draft]
 */
export async function shows(tab, build, draft) {
  await tab.waitFor((build) => document.getElementById('build')?.textContent === build, build, { timeout: 15_000, what: `build ${build}` });
  if (draft !== undefined) {
    await tab.waitFor((draft) => /** @type {HTMLTextAreaElement} */ (document.getElementById('draft')).value === draft, draft, { what: `the draft "${draft}"` });
  }
}

/* What tests ask of a page. */

export const PROMPT = 'changeover-prompt';
export const RELOAD_BUTTON = 'changeover-prompt >>> [part~="reload"]';
export const LATER_BUTTON = 'changeover-prompt >>> [part~="later"]';

/** The build the page shows; null while there is no page. */
export const shownBuild = () => document.getElementById('build')?.textContent ?? null;
export const promptIsUp = () => Boolean(globalThis.changeover?.status.prompt);
