// WebKitGTK for browsers.mjs: WebKitWebDriver and its MiniBrowser on a virtual display, spoken to in classic WebDriver.

import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { which } from './browsers.mjs';

/** @import { ChildProcess, SpawnOptions } from 'node:child_process' */
/** @import { AddressInfo } from 'node:net' */
/** @import { Readable } from 'node:stream' */
/** @import { EngineBrowser, EngineTab, LaunchOptions } from './types.d.ts' */
/** @typedef {Error & {code?: string}} WebDriverError */
/** @typedef {<Value>(run: () => Promise<Value>) => Promise<Value>} InTurn runs something when all before it is over */

/** @type {Record<string, string>} */
const ELEMENT_KEYS = {
  Enter: '\uE007',
  Escape: '\uE00C',
  Tab: '\uE004',
  Space: ' ',
  ArrowDown: '\uE015',
  ArrowUp: '\uE013',
  ArrowLeft: '\uE012',
  ArrowRight: '\uE014',
  Backspace: '\uE003',
};

/**
 * Starts a display (unless one is there and Xvfb is not), the driver and one session.
 *
 * @param {LaunchOptions & {path: string, profile: string}} options
 * @returns {Promise<EngineBrowser>}
 */
export async function launchWebkit({ path, profile, flags = [] }) {
  /** @type {ChildProcess[]} */
  const children = [];
  const endChildren = () => {
    for (const child of children.reverse()) endGroup(child);
  };
  process.once('exit', endChildren);
  try {
    /** @type {NodeJS.ProcessEnv} */
    const env = {
      ...process.env,
      HOME: profile,
      XDG_CONFIG_HOME: join(profile, 'config'),
      XDG_CACHE_HOME: join(profile, 'cache'),
      XDG_DATA_HOME: join(profile, 'data'),
      GDK_BACKEND: 'x11',
      NO_AT_BRIDGE: '1',
      LIBGL_ALWAYS_SOFTWARE: '1',
      WEBKIT_DISABLE_COMPOSITING_MODE: '1',
      // Its sandbox needs user namespaces and a D-Bus proxy; neither is there in a container.
      WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1',
    };
    const xvfb = which('Xvfb');
    if (xvfb) env.DISPLAY = await startDisplay(xvfb, children);
    else if (!env.DISPLAY) throw new Error('WebKitGTK needs a display and Xvfb is not installed; `npm run setup` gets it');

    const port = await freePort();
    const driver = start(children, path, [`--port=${port}`, '--host=127.0.0.1'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let words = '';
    /** @type {Readable} */ (driver.stderr).on('data', (chunk) => (words = (words + chunk).slice(-4000)));
    const base = `http://127.0.0.1:${port}`;
    await answering(`${base}/status`, driver, () => words);

    const session = /** @type {{sessionId: string}} */ (await call('POST', `${base}/session`, {
      capabilities: {
        alwaysMatch: {
          // Absent, the driver answers dialogs by itself and fails the command that met them.
          unhandledPromptBehavior: 'ignore',
          timeouts: { script: 30_000, pageLoad: 30_000, implicit: 0 },
          'webkitgtk:browserOptions': { binary: miniBrowser(), args: ['--automation', ...flags] },
        },
      },
    }));
    const root = `${base}/session/${session.sessionId}`;
    return webkitBrowser(root, async () => {
      await Promise.race([call('DELETE', root).catch(() => {}), sleep(3000)]);
      process.removeListener('exit', endChildren);
      await Promise.all(children.reverse().map(ended));
    });
  } catch (error) {
    endChildren();
    throw error;
  }
}

/** @type {(root: string, close: () => Promise<void>) => EngineBrowser} */
function webkitBrowser(root, close) {
  // WebDriver has one current window for the whole session, so commands of several tabs take turns.
  /** @type {Promise<unknown>} */
  let turn = Promise.resolve();
  /** @type {string | null} */
  let current = null;
  /** @type {InTurn} */
  const inTurn = (run) => {
    const result = turn.then(run);
    turn = result.catch(() => {});
    return result;
  };
  /** @type {<Value>(handle: string, run: () => Promise<Value>) => Promise<Value>} */
  const inWindow = (handle, run) =>
    inTurn(async () => {
      if (current !== handle) {
        await call('POST', `${root}/window`, { handle });
        current = handle;
      }
      return run();
    });

  let first = true;
  return {
    close,
    newTab: ({ window = false } = {}) =>
      inTurn(async () => {
        /** @type {string} */
        let handle;
        if (first) {
          handle = current = /** @type {string} */ (await call('GET', `${root}/window`));
          await call('POST', `${root}/window/rect`, { width: 1280, height: 900 }).catch(() => {});
        } else {
          if (current === null) {
            // The current window was closed, and a new one is asked for in one that is there.
            [current] = /** @type {string[]} */ (await call('GET', `${root}/window/handles`));
            await call('POST', `${root}/window`, { handle: current });
          }
          ({ handle } = /** @type {{handle: string}} */ (await call('POST', `${root}/window/new`, { type: window ? 'window' : 'tab' })));
        }
        first = false;
        return webkitTab(root, handle, (run) => inWindow(handle, run), () => (current = null));
      }),
  };
}

/** @type {(root: string, handle: string, inWindow: InTurn, forget: () => void) => EngineTab} */
function webkitTab(root, handle, inWindow, forget) {
  /** @type {(method: string, path: string, body?: object) => Promise<unknown>} */
  const send = (method, path, body) => inWindow(() => call(method, `${root}${path}`, body));
  /** @type {EngineTab} */
  const tab = {
    engine: 'webkit',
    closed: false,
    // WebDriver has no view of the console; pages of these tests keep their own record.
    errors: [],
    goto: (url) => send('POST', '/url', { url }),
    async eval(fn, ...args) {
      // The page's promise is awaited by hand: a page that goes away must not cost the script time-out.
      const script = `
        const done = arguments[arguments.length - 1];
        Promise.resolve().then(() => (${fn})(...${JSON.stringify(args)})).then((value) => JSON.stringify({ value })).then(
          done,
          (error) => done(JSON.stringify({ error: String(error && error.stack ? error + '\\n' + error.stack : error) })));`;
      const text = await send('POST', '/execute/async', { script, args: [] });
      if (typeof text !== 'string') throw new Error('the page went away while a script ran (navigation)');
      const answer = JSON.parse(text);
      if ('error' in answer) throw new Error(answer.error);
      return answer.value;
    },
    isBetweenPages: (error) => /navigat|javascript error|no such window|stale|unload/i.test(`${/** @type {WebDriverError} */ (error).code} ${/** @type {WebDriverError} */ (error).message}`),
    async clickAt(x, y) {
      await send('POST', '/actions', {
        actions: [
          {
            type: 'pointer',
            id: 'mouse',
            parameters: { pointerType: 'mouse' },
            actions: [
              { type: 'pointerMove', duration: 0, x, y, origin: 'viewport' },
              { type: 'pointerDown', button: 0 },
              { type: 'pointerUp', button: 0 },
            ],
          },
        ],
      });
    },
    async typeText(text) {
      const actions = [...text].flatMap((value) => [
        { type: 'keyDown', value },
        { type: 'keyUp', value },
      ]);
      await send('POST', '/actions', { actions: [{ type: 'key', id: 'keyboard', actions }] });
    },
    press: (key) => tab.typeText(ELEMENT_KEYS[key] ?? key),
    reload: () => send('POST', '/refresh', {}),
    back: () => send('POST', '/back', {}),
    bringToFront: () => send('POST', '/window', { handle }),
    async screenshot(path) {
      // The driver waits for the next frame, and a page at rest draws none.
      await tab.eval(() => void document.documentElement.animate([{ opacity: 0.999 }, { opacity: 1 }], 3000));
      await writeFile(path, Buffer.from(/** @type {string} */ (await send('GET', '/screenshot')), 'base64'));
    },
    async close() {
      if (tab.closed) return;
      tab.closed = true;
      await send('DELETE', '/window');
      forget();
    },
  };
  return tab;
}

/**
 * One command of WebDriver.
 *
 * @param {string} method
 * @param {string} url
 * @param {object} [body]
 * @returns {Promise<unknown>} its value
 */
async function call(method, url, body) {
  const response = await fetch(url, {
    method,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(45_000),
  });
  const { value } = await response.json();
  if (!response.ok) {
    /** @type {WebDriverError} */
    const error = new Error(`${method} ${new URL(url).pathname}: ${value?.error}: ${value?.message}`);
    error.code = value?.error;
    throw error;
  }
  return value;
}

/** The MiniBrowser of the installed library; it lies in a folder named after the architecture. */
function miniBrowser() {
  const named = process.env.WEBKIT_BROWSER;
  if (named) return named;
  const folders = ['/usr/libexec', '/usr/lib', '/usr/lib64'];
  for (const folder of ['/usr/lib']) {
    if (!existsSync(folder)) continue;
    for (const name of readdirSync(folder)) if (/-linux-/.test(name)) folders.push(join(folder, name));
  }
  for (const folder of folders) {
    for (const api of ['webkit2gtk-4.1', 'webkit2gtk-4.0', 'webkitgtk-6.0']) {
      const path = join(folder, api, 'MiniBrowser');
      if (existsSync(path)) return path;
    }
  }
  throw new Error('WebKitGTK is installed without its MiniBrowser; set WEBKIT_BROWSER to its path');
}

/** @type {(children: ChildProcess[], command: string, args: string[], options: SpawnOptions) => ChildProcess} */
function start(children, command, args, options) {
  // A group of its own, so that what it starts ends with it.
  const child = spawn(command, args, { detached: true, ...options });
  child.on('error', () => {});
  children.push(child);
  return child;
}

/** @type {(xvfb: string, children: ChildProcess[]) => Promise<string>} */
function startDisplay(xvfb, children) {
  const child = start(children, xvfb, ['-displayfd', '3', '-screen', '0', '1400x1000x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  return new Promise((resolve, reject) => {
    let number = '';
    /** @type {Readable} */ (child.stdio[3]).on('data', (chunk) => {
      number += chunk;
      if (number.includes('\n')) resolve(`:${number.trim()}`);
    });
    child.once('exit', (code) => reject(new Error(`Xvfb ended with ${code}`)));
  });
}

/** @type {(url: string, child: ChildProcess, words: () => string) => Promise<void>} */
async function answering(url, child, words) {
  for (let i = 0; i < 200; i++) {
    if (child.exitCode !== null) throw new Error(`WebKitWebDriver ended with ${child.exitCode}: ${words()}`);
    try {
      await fetch(url);
      return;
    } catch {
      await sleep(50);
    }
  }
  throw new Error(`WebKitWebDriver does not answer: ${words()}`);
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}

/** @type {(child: ChildProcess, signal?: NodeJS.Signals) => void} */
function endGroup(child, signal = 'SIGTERM') {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {}
}

/** @param {ChildProcess} child */
async function ended(child) {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) {
    endGroup(child, 'SIGKILL');
    return;
  }
  const exit = new Promise((resolve) => child.once('exit', resolve));
  endGroup(child);
  const timer = setTimeout(() => endGroup(child, 'SIGKILL'), 3000);
  await exit;
  clearTimeout(timer);
  endGroup(child, 'SIGKILL');
}
