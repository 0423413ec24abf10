// One small adapter over three engines: Chromium and Firefox through puppeteer-core, WebKitGTK through WebDriver.
//
// In order: a test asks `inBrowsers` for one test per engine, `launch` starts the browser with a profile of its own,
// `open` gives tabs of that profile, `close` ends the processes it started and removes the profile.
//
// A tab speaks the same few words everywhere: `goto`, `eval`, `waitFor`, `click`, `type`, `press`, `scroll`,
// `screenshot`, `close`. Selectors may cross open shadow roots with ` >>> `.

import { accessSync, constants, cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { alone } from '../../scripts/lib/stages.mjs';
import { launchPuppeteer } from './browser-puppeteer.mjs';
import { launchWebkit } from './browser-webkit.mjs';

/** @import { TestContext } from 'node:test' */
/** @import { Browser, Engine, EngineBrowser, LaunchOptions, Tab, Truthy, WaitOptions } from './types.d.ts' */

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** @type {Engine[]} */
export const ENGINES = ['chromium', 'firefox', 'webkit'];

/** No time of a test is a measurement: on a machine that others use too, all take this many times as long. */
const SLOWEST = 3;

/**
 * Where a screenshot goes; the folder is made on demand.
 *
 * @param {string} name
 */
export function screenshotPath(name) {
  const path = join(ROOT, 'target', 'screenshots', 'e2e', `${name}.png`);
  mkdirSync(dirname(path), { recursive: true });
  return path;
}

/** @type {Record<Engine, [named: string | undefined, ...usual: string[]]>} */
const EXECUTABLES = {
  chromium: [process.env.CHROMIUM, 'chromium', 'chromium-browser', 'google-chrome'],
  firefox: [process.env.FIREFOX, 'firefox-esr', 'firefox'],
  webkit: [process.env.WEBKIT_DRIVER, 'WebKitWebDriver'],
};

/**
 * The path of an executable file named in full or found on PATH, else null.
 *
 * @param {string} name
 */
export function which(name) {
  const candidates = name.includes('/') ? [name] : (process.env.PATH ?? '').split(delimiter).map((dir) => join(dir, name));
  for (const path of candidates) {
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {}
  }
  return null;
}

/**
 * The executable of an engine, else null. A variable that names a missing file counts as missing.
 *
 * @param {Engine} engine
 */
export function executable(engine) {
  const [named, ...usual] = EXECUTABLES[engine];
  if (named) return which(named);
  for (const name of usual) {
    const path = which(name);
    if (path) return path;
  }
  return null;
}

/** The engines of `only` that BROWSERS (a comma list, default all) lets through. */
export function selected(only = ENGINES) {
  const wanted = (process.env.BROWSERS || ENGINES.join(',')).split(',').map((name) => name.trim()).filter(Boolean);
  for (const name of wanted) {
    if (!(/** @type {string[]} */ (ENGINES).includes(name))) throw new Error(`BROWSERS names "${name}"; known are ${ENGINES.join(', ')}`);
  }
  return only.filter((name) => wanted.includes(name));
}

/**
 * Registers one test per engine. `run(t, browser)` gets a browser without tabs, which is closed afterwards or, when nothing
 * special is asked of it, emptied for the next test. A missing browser skips, and fails when CI is set.
 *
 * @param {string} name a sentence
 * @param {{only?: Engine[], timeout?: number} & LaunchOptions} options timeout in ms on a machine of its own, flags for the browser
 * @param {(t: TestContext, browser: Browser) => unknown} run
 */
export function inBrowsers(name, options, run) {
  const { only, timeout = 60_000, ...launchOptions } = options;
  for (const engine of selected(only)) {
    const path = executable(engine);
    const title = `${name} [${engine}]`;
    if (!path) {
      if (process.env.CI) {
        test(title, () => {
          throw new Error(`${engine} is not installed; \`npm run setup\` gets it`);
        });
      } else {
        test(title, { skip: `${engine} is not installed; \`npm run setup\` gets it` }, () => {});
      }
      continue;
    }
    test(title, { timeout: timeout * SLOWEST }, async (t) => {
      const isUsual = Object.keys(launchOptions).length === 0;
      const browser = await (engine !== 'webkit' && isUsual ? borrow(engine) : launch(engine, launchOptions));
      t.after(() => browser.close());
      try {
        await run(t, browser);
      } catch (error) {
        await diagnose(t, browser, title);
        throw error;
      }
    });
  }
}

/**
 * Starts a browser, with a profile of its own unless one is given, which is kept.
 *
 * @param {Engine} engine
 * @param {LaunchOptions} options
 * @returns {Promise<Browser>}
 */
export async function launch(engine, options = {}) {
  const path = executable(engine);
  if (!path) throw new Error(`${engine} is not installed; \`npm run setup\` gets it`);
  const profile = options.profile ?? mkdtempSync(join(tmpdir(), `changeover-${engine}-`));
  if (engine === 'firefox' && !options.profile) cpSync(await usedFirefoxProfile(path), profile, { recursive: true });
  const cleanUp = () => options.profile ?? rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  try {
    /** @type {EngineBrowser} */
    const browser =
      engine === 'webkit'
        ? await launchWebkit({ path, ...options, profile })
        : await launchPuppeteer({ engine, path, ...options, profile });
    /** @type {Tab[]} */
    const tabs = [];
    /** @type {Promise<void> | undefined} */
    let closed;
    return {
      engine,
      profile,
      kill: /** @type {Browser['kill']} */ (browser.kill),
      killPage: /** @type {Browser['killPage']} */ (browser.killPage),
      empty: /** @type {Browser['empty']} */ (browser.empty),
      /** All tabs opened so far, closed ones included. */
      tabs,
      /** Opens a tab of this profile; resolves when `url` has loaded. */
      async open(url, options) {
        const tab = addWords(/** @type {Tab} */ (await browser.newTab(options)));
        tabs.push(tab);
        if (url) await tab.goto(url);
        return tab;
      },
      close() {
        closed ??= browser.close().finally(cleanUp);
        return closed;
      },
    };
  } catch (error) {
    cleanUp();
    throw error;
  }
}

/** @type {Map<Engine, Promise<Browser>>} */
const shared = new Map();

/**
 * Browsers take as much of the processor to start as a test takes: those of a file use one, in turn. Each test has a site of
 * its own on a port of its own, and with it storage and caches of its own.
 *
 * @param {Engine} engine
 * @returns {Promise<Browser>}
 */
async function borrow(engine) {
  const lent = shared.get(engine) ?? launch(engine);
  shared.set(engine, lent);
  const browser = await lent;
  const first = browser.tabs.length;
  let killed = false;
  return {
    ...browser,
    get tabs() {
      return browser.tabs.slice(first);
    },
    kill() {
      killed = true;
      shared.delete(engine);
      return browser.kill();
    },
    async close() {
      if (killed) return browser.close();
      await within(10_000, browser.empty()).catch(() => {
        shared.delete(engine);
        return browser.close();
      });
    },
  };
}

after(() => Promise.all([...shared.values()].map(async (browser) => (await browser.catch(() => null))?.close())));

/**
 * A profile in which Firefox was once and kept nothing of a page: its first start in an empty one takes twice the processor's time.
 *
 * @param {string} path
 */
async function usedFirefoxProfile(path) {
  const profile = join(ROOT, 'target', `firefox-profile-${Math.round(statSync(path).mtimeMs)}`);
  await alone(`${profile}.lock`, async () => {
    if (existsSync(profile)) return;
    const made = mkdtempSync(`${profile}-`);
    const browser = await launchPuppeteer({ engine: 'firefox', path, profile: made });
    await browser.newTab();
    await sleep(5000); // what it puts down after a start
    await browser.close();
    for (const name of ['cache2', 'storage', 'user.js']) rmSync(join(made, name), { recursive: true, force: true });
    renameSync(made, profile);
  });
  return profile;
}

/**
 * What a failed test leaves to look at: a screenshot and the page's own words.
 *
 * @param {TestContext} t
 * @param {Browser} browser
 * @param {string} title
 */
async function diagnose(t, browser, title) {
  const tab = browser.tabs.findLast((tab) => !tab.closed);
  if (!tab) return;
  try {
    const path = screenshotPath(`failed-${title.replaceAll(/[^A-Za-z0-9]+/g, '-')}`);
    await within(5000, tab.screenshot(path));
    t.diagnostic(`screenshot: ${path}`);
    t.diagnostic(`status: ${JSON.stringify(await within(2000, tab.eval(() => globalThis.changeover?.status ?? null)))}`);
    t.diagnostic(`news: ${JSON.stringify(await within(2000, tab.eval(() => globalThis.news ?? null)))}`);
  } catch (error) {
    t.diagnostic(`no screenshot: ${/** @type {Error} */ (error).message}`);
  }
}

/** @type {<Value>(ms: number, promise: Promise<Value>) => Promise<Value>} */
function within(ms, promise) {
  /** @type {NodeJS.Timeout} */
  let timer;
  /** @type {Promise<never>} */
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing within ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/**
 * Waits until `probe()` is truthy and returns its value. `timeout`: ms on a machine of its own.
 *
 * @template Value
 * @param {() => Value} probe
 * @param {WaitOptions} options
 * @returns {Promise<Truthy<Awaited<Value>>>}
 */
export async function until(probe, { timeout = 10_000, every = 25, what = String(probe) } = {}) {
  const deadline = Date.now() + timeout * SLOWEST;
  for (;;) {
    const value = await probe();
    if (value) return /** @type {Truthy<Awaited<Value>>} */ (value);
    if (Date.now() > deadline) throw new Error(`waited ${timeout * SLOWEST} ms in vain for: ${what}`);
    await sleep(every);
  }
}

/** How three engines say that something of the page is null, undefined or not defined yet. */
const NOT_THERE = /is null|is undefined|is not defined|of null|of undefined|null is not an object|undefined is not an object|Can't find variable/;

/**
 * The words every tab shares, built from the engine's few.
 *
 * @param {Tab} tab which has only the engine's words yet
 */
function addWords(tab) {
  /** Waits until `fn(...args)` is truthy in the page; a navigation in between is no failure, nor is what is not there yet. */
  tab.waitFor = async (/** @type {(...args: unknown[]) => unknown} */ fn, /** @type {unknown[]} */ ...rest) => {
    const options = isOptions(rest.at(-1)) ? /** @type {WaitOptions} */ (rest.pop()) : {};
    const what = options.what ?? String(fn);
    let last;
    try {
      return await until(
        async () => {
          try {
            return await tab.eval(fn, ...rest);
          } catch (error) {
            if (!tab.isBetweenPages(error) && !NOT_THERE.test(/** @type {Error} */ (error).message)) throw error;
            last = error;
          }
        },
        { timeout: options.timeout ?? 10_000, every: options.every ?? 50, what },
      );
    } catch (error) {
      if (last && /in vain/.test(/** @type {Error} */ (error).message)) /** @type {Error} */ (error).cause = last;
      throw error;
    }
  };
  /** Waits for an element and returns the middle of what is visible of it, in CSS pixels of the viewport. */
  tab.locate = async (selector, options) => {
    return tab.waitFor(findMiddle, selector, /** @type {WaitOptions} */ ({ what: `a visible ${selector}`, ...options, [OPTIONS]: true }));
  };
  tab.click = async (selector, options) => {
    const { x, y } = await tab.locate(selector, options);
    await tab.clickAt(x, y);
  };
  tab.type = async (selector, text) => {
    await tab.click(selector);
    await tab.typeText(text);
  };
  /** Scrolls to `y` CSS pixels from the top, as far as the document goes. */
  tab.scroll = (y) => tab.eval((y) => scrollTo({ top: y, behavior: 'instant' }), y);
  const shoot = tab.screenshot;
  /** Saves a picture of what is visible once animations have come to rest, infinite ones excepted. */
  tab.screenshot = async (path) => {
    await tab.eval(animationsToEnd);
    await shoot(path);
  };
  /** The text of an element, through shadow roots; '' while it is not there. */
  tab.text = (selector) => tab.eval(readText, selector);
  return tab;
}

const OPTIONS = Symbol('options');
const OPTION_NAMES = new Set(['timeout', 'every', 'what']);

/** @param {unknown} value */
function isOptions(value) {
  if (typeof value !== 'object' || value === null) return false;
  const keys = Object.keys(value);
  return /** @type {{[OPTIONS]?: true}} */ (value)[OPTIONS] === true || (keys.length > 0 && keys.every((key) => OPTION_NAMES.has(key)));
}

/* The next three run in the page. */

/** @param {string} selector */
async function findMiddle(selector) {
  /** @type {Document | ShadowRoot | null | undefined} */
  let scope = document;
  /** @type {Element | null} */
  let element = null;
  for (const part of selector.split(' >>> ')) {
    element = scope?.querySelector(part) ?? null;
    scope = element?.shadowRoot;
  }
  if (!element || !element.checkVisibility?.()) return null;
  element.scrollIntoView({ block: 'nearest', behavior: 'instant' });
  // An animation that moves it would make the click miss.
  await Promise.race([
    Promise.allSettled(/** @type {Document | ShadowRoot} */ (element.getRootNode()).getAnimations?.().map((animation) => animation.finished) ?? []),
    new Promise((resolve) => setTimeout(resolve, 1000)),
  ]);
  const box = element.getBoundingClientRect();
  if (!box.width || !box.height) return null;
  return { x: Math.round(box.x + box.width / 2), y: Math.round(box.y + box.height / 2) };
}

async function animationsToEnd() {
  const scopes = [document, .../** @type {ShadowRoot[]} */ ([...document.querySelectorAll('*')].map((element) => element.shadowRoot).filter(Boolean))];
  const ends = scopes.flatMap((scope) => scope.getAnimations?.() ?? []).map((animation) => animation.finished);
  await Promise.race([Promise.allSettled(ends), new Promise((resolve) => setTimeout(resolve, 1000))]);
}

/** @param {string} selector */
function readText(selector) {
  /** @type {Document | ShadowRoot | null | undefined} */
  let scope = document;
  /** @type {Element | null} */
  let element = null;
  for (const part of selector.split(' >>> ')) {
    element = scope?.querySelector(part) ?? null;
    scope = element?.shadowRoot;
  }
  return (/** @type {HTMLElement | null} */ (element)?.innerText ?? element?.textContent ?? '').trim();
}
