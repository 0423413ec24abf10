// Chromium (DevTools protocol) and Firefox (WebDriver BiDi) for browsers.mjs.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import puppeteer from 'puppeteer-core';

/** @import { ChildProcess } from 'node:child_process' */
/** @import { Browser as PuppeteerBrowser, LaunchOptions as PuppeteerOptions, Page } from 'puppeteer-core' */
/** @import { Engine, EngineBrowser, LaunchOptions, PuppeteerTab } from './types.d.ts' */

// Puppeteer's own switches are left out: they turn off what is under test (bfcache, background behaviour).
const CHROMIUM_FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-quic',
  '--no-first-run',
  '--no-default-browser-check',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-default-apps',
  '--disable-extensions',
  '--disable-sync',
  '--disable-search-engine-choice-screen',
  // Pages of the browser itself, which it loads at each start in case they are wanted.
  '--disable-features=WebUIOmniboxAimPopup,WebUIOmniboxPopup,WebUIOmniboxFullPopup,PreloadTopChromeWebUI',
  '--metrics-recording-only',
  '--password-store=basic',
  '--use-mock-keychain',
  '--mute-audio',
  '--hide-scrollbars',
  '--window-size=1280,900',
  '--remote-debugging-port=0',
];

const FIREFOX_PREFS = {
  'app.update.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'toolkit.telemetry.reportingpolicy.firstRun': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'browser.safebrowsing.downloads.enabled': false,
  'extensions.getAddons.cache.enabled': false,
};

const NAVIGATED =
  /context was destroyed|Cannot find context|detached|Target closed|Session closed|no such (frame|browsing|realm)|navigat|DiscardedBrowsingContext|Browsing context .* (not found|closed)|AbortError|actor .* destroyed|JSWindowActor/i;

/**
 * Starts one browser; `flags` are added to its command line.
 *
 * @param {LaunchOptions & {engine: Engine, path: string, profile: string}} options
 * @returns {Promise<EngineBrowser>}
 */
export async function launchPuppeteer({ engine, path, profile, flags = [], prefs = {} }) {
  /** @type {PuppeteerOptions} */
  const common = {
    browser: engine === 'firefox' ? 'firefox' : 'chrome',
    executablePath: path,
    handleSIGINT: true,
    handleSIGTERM: true,
    defaultViewport: null,
    timeout: 90_000,
    protocolTimeout: 180_000,
  };
  const browser =
    engine === 'firefox'
      ? await puppeteer.launch({
          ...common,
          headless: true,
          userDataDir: profile,
          args: ['--width=1280', '--height=900', ...flags],
          extraPrefsFirefox: { ...FIREFOX_PREFS, ...prefs },
        })
      : await puppeteer.launch({
          ...common,
          ignoreDefaultArgs: true,
          args: [...CHROMIUM_FLAGS, `--user-data-dir=${profile}`, ...flags, 'about:blank'],
        });
  const child = /** @type {ChildProcess} */ (browser.process());
  /** @type {Page | null} */
  let blank = (await browser.pages())[0] ?? null;

  return {
    async newTab({ viewport } = {}) {
      const page = blank ?? (await browser.newPage());
      blank = null;
      if (viewport) await page.setViewport(viewport);
      return puppeteerTab(engine, browser, page);
    },
    /** Closes every tab; a blank one stays, with which the next test begins. */
    async empty() {
      const next = blank ?? (await browser.newPage());
      for (const page of await browser.pages()) if (page !== next) await page.close();
      blank = next;
    },
    /** Ends it as a power cut would: no page is told. */
    async kill() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
      // Puppeteer puts files of a Firefox profile back in its own time, and a browser started meanwhile misses them.
      await browser.close().catch(() => {});
      await sleep(1000);
      rmSync(join(profile, 'user.js'), { force: true });
    },
    /** Ends a page whose script never ends; Chromium only. */
    async killPage(url) {
      const session = await browser.target().createCDPSession();
      const { targetInfos } = await session.send('Target.getTargets');
      for (const { targetId } of targetInfos.filter((target) => target.url.startsWith(url))) await session.send('Target.closeTarget', { targetId });
      await session.detach();
    },
    async close() {
      if (child.signalCode) return;
      const ended = child.exitCode !== null ? null : new Promise((resolve) => child.once('exit', resolve));
      const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
      await browser.close().catch(() => child.kill('SIGKILL'));
      await ended;
      clearTimeout(timer);
    },
  };
}

/** @type {(engine: Engine, browser: PuppeteerBrowser, page: Page) => PuppeteerTab} */
function puppeteerTab(engine, browser, page) {
  /** @type {PuppeteerTab['errors']} */
  const errors = [];
  /** @type {PuppeteerTab['requests']} */
  const requests = [];
  page.on('pageerror', (error) => errors.push(`uncaught: ${/** @type {Partial<Error>} */ (error)?.message ?? error}`));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(`console: ${message.text()} ${message.location()?.url ?? ''}`.trim());
  });
  page.on('request', (request) => requests.push({ at: Date.now(), url: request.url() }));
  /** @type {PuppeteerTab['dialogs']} */
  const dialogs = [];
  /** @type {'accept' | 'dismiss'} */
  let onDialog = 'accept';
  page.on('dialog', (dialog) => {
    dialogs.push({ type: dialog.type(), message: dialog.message() });
    (onDialog === 'accept' ? dialog.accept() : dialog.dismiss()).catch(() => {});
  });

  /** @type {PuppeteerTab} */
  const tab = {
    engine,
    page,
    closed: false,
    /** What the page's console called an error, and every uncaught exception. */
    errors,
    /** Requests the page made: `{at, url}`. */
    requests,
    /** Dialogs that came up: `{type, message}`. */
    dialogs,
    /** What to do with the dialogs from now on: 'accept' or 'dismiss'. */
    answerDialogs(answer) {
      onDialog = answer;
    },
    goto: (url) => page.goto(url, { waitUntil: 'load', timeout: 30_000 }),
    eval: (fn, ...args) => /** @type {Promise<never>} */ (page.evaluate(/** @type {(...args: unknown[]) => unknown} */ (fn), ...args)),
    isBetweenPages: (error) => NAVIGATED.test(/** @type {Error} */ (error).message),
    clickAt: (x, y) => page.mouse.click(x, y),
    typeText: (text) => page.keyboard.type(text),
    press: (key) => page.keyboard.press(key),
    reload: () => page.reload({ waitUntil: 'load', timeout: 30_000 }),
    // Asked of the page: a restore from the back/forward cache sends no event that puppeteer could wait for.
    back: () => page.evaluate(() => void setTimeout(() => history.back())),
    bringToFront: () => page.bringToFront(),
    screenshot: (path) => page.screenshot({ path }),
    /** The DevTools session of the page; Chromium only. */
    async devtools() {
      tab.session ??= await page.createCDPSession();
      return tab.session;
    },
    async close() {
      if (tab.closed) return;
      tab.closed = true;
      await page.close();
    },
  };
  return tab;
}
