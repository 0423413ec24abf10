// Finds the browsers the end-to-end tests drive, or installs them on Debian.
//
// An environment variable (CHROMIUM, FIREFOX, WEBKIT_DRIVER) names a browser outright; else the usual places are tried.
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { isProgram, say, which, Stop } from './run.mjs';
import * as debian from './debian.mjs';

/** @import { BrowserName } from './types.d.ts' */

/**
 * What is known of a browser.
 *
 * @typedef {object} Browser
 * @property {'CHROMIUM' | 'FIREFOX' | 'WEBKIT_DRIVER'} variable
 * @property {string[]} commands
 * @property {string[]} places
 * @property {string[]} packages of Debian
 * @property {string} why
 * @property {Partial<Record<NodeJS.Platform, string>>} how
 * @property {() => boolean} [complete] whether what it takes besides is there
 */

const programs = /** @type {string[]} */ ([process.env.ProgramFiles, process.env['ProgramFiles(x86)'], process.env.LOCALAPPDATA].filter(Boolean));
const windows = (/** @type {string[]} */ ...tail) => programs.map((folder) => join(folder, ...tail));
const mac = (/** @type {string} */ name) => ['/Applications', join(homedir(), 'Applications')].map((folder) => join(folder, `${name}.app`, 'Contents', 'MacOS', name));

/**
 * Each browser: where it may be, what Debian calls it, and what it takes besides.
 *
 * @type {Record<BrowserName, Browser>}
 */
const BROWSERS = {
  chromium: {
    variable: 'CHROMIUM',
    commands: ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'microsoft-edge'],
    places: [...mac('Google Chrome'), ...mac('Chromium'), ...windows('Google', 'Chrome', 'Application', 'chrome.exe')],
    packages: ['chromium', 'chromium-driver', 'fonts-dejavu-core'],
    why: 'Chromium runs the browser tests and the demo check',
    how: { linux: 'sudo apt-get install chromium chromium-driver', darwin: 'brew install --cask google-chrome', win32: 'winget install Google.Chrome' },
  },
  firefox: {
    variable: 'FIREFOX',
    commands: ['firefox-esr', 'firefox'],
    places: [...mac('Firefox').map((path) => path.replace(/Firefox$/, 'firefox')), ...windows('Mozilla Firefox', 'firefox.exe')],
    packages: ['firefox-esr'],
    why: 'the end-to-end tests run in Firefox as well',
    how: { linux: 'sudo apt-get install firefox-esr', darwin: 'brew install --cask firefox', win32: 'winget install Mozilla.Firefox' },
  },
  webkit: {
    variable: 'WEBKIT_DRIVER',
    commands: ['WebKitWebDriver'],
    places: [],
    packages: ['webkit2gtk-driver', 'xvfb', 'xauth'],
    why: 'the end-to-end tests run in WebKitGTK as well; it needs a (virtual) display',
    how: { linux: 'sudo apt-get install webkit2gtk-driver xvfb xauth' },
    complete: () => which('Xvfb') !== null && miniBrowser() !== null,
  },
};

export const browserNames = /** @type {BrowserName[]} */ (Object.keys(BROWSERS));

/** WebKitGTK's test browser lives outside the PATH, in a folder named after the machine and the library's version. */
function miniBrowser() {
  const libraries = ['/usr/lib', '/usr/lib64', '/usr/libexec'];
  const deeper = libraries.filter(existsSync).flatMap((folder) => [folder, ...readdirSync(folder).filter((name) => /-linux-gnu/.test(name)).map((name) => join(folder, name))]);
  const folders = deeper.flatMap((folder) => readdirSync(folder).filter((name) => /^webkit2?gtk-/.test(name)).sort().reverse().map((name) => join(folder, name)));
  return process.env.WEBKIT_BROWSER ?? folders.map((folder) => join(folder, 'MiniBrowser')).find(isProgram) ?? null;
}

/**
 * Path of a browser (for webkit: of its driver), or null.
 *
 * @param {BrowserName} name
 */
export function findBrowser(name) {
  const { variable, commands, places, complete } = BROWSERS[name];
  const named = process.env[variable];
  if (named) {
    if (!isProgram(named)) throw new Stop(`${variable} names ${named}, which is not a program; correct or unset it.`);
    return named;
  }
  const path = commands.map((command) => which(command)).find(Boolean) ?? places.find(isProgram) ?? null;
  return path && (complete?.() ?? true) ? path : null;
}

/** Variables that tell the tests where the browsers are; browsers that are absent have none. */
export function browserEnv() {
  /** @type {{[variable: string]: string}} */
  const env = {};
  for (const name of browserNames) {
    const path = findBrowser(name);
    if (path) env[BROWSERS[name].variable] = path;
  }
  const embedded = miniBrowser();
  if (env.WEBKIT_DRIVER && embedded) env.WEBKIT_BROWSER = embedded;
  const driver = process.env.CHROMEDRIVER ?? which('chromedriver');
  if (driver) env.CHROMEDRIVER = driver;
  return env;
}

/**
 * The command that installs a browser on this kind of machine, or null where it does not exist.
 *
 * @type {(name: BrowserName) => string | null}
 */
export const howToGet = (name) => BROWSERS[name].how[process.platform] ?? null;

/** Installs what is missing where that needs no question; elsewhere says what to run. Returns the missing names. */
export async function setUpBrowsers(wanted = browserNames) {
  /** @type {BrowserName[]} */
  const missing = [];
  for (const name of wanted) {
    if (!findBrowser(name) && debian.mayInstall) await debian.install(BROWSERS[name].packages, BROWSERS[name].why);
    const path = findBrowser(name);
    if (path) say(`  ${name}: ${path}`);
    else {
      missing.push(name);
      const how = howToGet(name);
      say(`  ${name}: not installed; ${how ? `get it with \`${how}\`` : `it does not exist for ${process.platform}`} (its tests are skipped until then)`);
    }
  }
  return missing;
}
