// Drives the demo once, as a visitor and as the operator of the booth: `npm run demo -- --check`.
import assert from 'node:assert/strict';
import puppeteer from 'puppeteer-core';

/** @import { Browser, BrowserContext, ElementHandle, Frame, Page, Viewport } from 'puppeteer-core' */
/** @import { Events } from '../pkg-template/index.js' */
/** @import { DemoBuild } from '../scripts/lib/types.d.ts' */
/** @typedef {(words: string, work: () => unknown) => Promise<void>} Step */
/** @typedef {{app: string, booth: string}} Demo its URLs */

/** How long anything may take, in milliseconds; a swap alone is on trial for ten seconds. */
const PATIENCE = 30_000;

const TEXT = 'It begins as a lecture with slides, and then the slides begin to move.';
const SECOND = 'Bring somebody who is not afraid of the dark.';
const ADDRESS = 'note?film=haxan&from=check#handbill';
/** Two more films, a note on each of which is filed: by the fourth build and by the fifth. */
const FILED = { early: 'nosferatu', late: 'sunrise' };

/**
 * Says each step as it is done.
 *
 * @param {{chromium: string, demo: Demo, builds: DemoBuild[], say: (line: string) => void}} options
 * @returns {Promise<boolean>} whether every step was as it should be
 */
export async function drive({ chromium, demo, builds, say }) {
  const browser = await puppeteer.launch({ executablePath: chromium, args: ['--no-sandbox'], handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false });
  let doing = 'open the browser';
  /** @type {Step} */
  const step = async (words, work) => {
    doing = words;
    const started = Date.now();
    await work();
    say(`  ✓ ${words} (${Date.now() - started} ms)`);
  };
  try {
    await visit(browser, demo, builds, step);
    return true;
  } catch (error) {
    say(`  ✗ ${doing}: ${/** @type {Error} */ (error).message}`);
    return false;
  } finally {
    await browser.close();
  }
}

/** @type {(browser: Browser, demo: Demo, builds: DemoBuild[], step: Step) => Promise<void>} */
async function visit(browser, demo, builds, step) {
  /** @type {string[]} */
  const errors = [];
  // A window each, since a tab behind another is hidden and would rightly keep still.
  const booth = await open(await browser.createBrowserContext(), demo.booth, { width: 1440, height: 1000 }, errors);
  const tab = await open(browser, demo.app + ADDRESS, { width: 900, height: 500 }, errors);
  const other = await open(browser, 'about:blank', { width: 900, height: 500 }, errors);
  await tab.bringToFront();
  const moved = (/** @type {DemoBuild} */ build) => eventually(tab, (id) => globalThis.changeover?.status.build === id, build.id);
  const publishNext = () => booth.click('#publish');
  const note = () => tab.evaluate(() => {
    const field = [...document.querySelectorAll('textarea[name=text]')].find((one) => one.checkVisibility());
    return { text: /** @type {HTMLTextAreaElement} */ (field).value, interval: /** @type {HTMLInputElement} */ (document.querySelector('input[name=interval]')).checked, place: Math.round(window.scrollY) };
  });
  /** That the page is the one that was opened at first: the visitor was not asked, nothing was loaded anew. */
  const isSamePage = async () => {
    assert.equal(await tab.evaluate(() => globalThis.firstLoad), true, 'the page was loaded anew');
    assert.equal(await tab.evaluate(() => globalThis.asked ?? 0), 0, 'the visitor was asked');
  };

  await step('a tab opens build 1, and the runtime starts in it', async () => {
    await moved(builds[0]);
    await eventually(tab, () => globalThis.changeover.status.level === 'full');
    await eventually(tab, () => globalThis.changeover.status.release !== null);
    await tab.evaluate(() => {
      globalThis.firstLoad = true;
      globalThis.changeover.on('promptShown', () => (globalThis.asked = (globalThis.asked ?? 0) + 1));
    });
  });
  await step('the booth shows every screen on build 1', () => everyScreen(booth, builds[0].id));

  /** @type {Awaited<ReturnType<typeof note>>} */
  let before;
  await step('the visitor sells three tickets, writes a note and scrolls', async () => {
    await tab.waitForSelector('[aria-label="Sell a ticket"]', { timeout: PATIENCE });
    for (let sold = 0; sold < 3; sold += 1) await tab.click('[aria-label="Sell a ticket"]');
    await /** @type {ElementHandle} */ (await tab.waitForSelector('textarea[name=text]', { timeout: PATIENCE })).type(TEXT);
    await tab.click('input[name=interval]');
    await tab.evaluate(() => window.scrollTo(0, 260));
    before = await note();
    assert.ok(before.place > 100, `the page scrolled to ${before.place} only`);
  });

  await step('build 2 changes a route: the visitor is not asked, and every screen has it', async () => {
    await publishNext();
    await eventually(booth, (id) => /** @type {HTMLElement | null} */ (document.querySelector('.reel[data-live]'))?.dataset.build === id, builds[1].id);
    await moved(builds[1]);
    await isSamePage();
    assert.deepEqual(await note(), before);
    await everyScreen(booth, builds[1].id);
    await outcome(booth, 0, 'swapped', 'Programme');
  });
  await step('build 3 changes a widget: three slots of the open page change at once', async () => {
    await tab.click('nav a[href="/"]');
    await tab.waitForSelector('.screening .mark', { timeout: PATIENCE });
    await tab.$eval('.screening .mark', (mark) => /** @type {HTMLElement} */ (mark).click()); // the list may still be on the move
    await eventually(tab, () => document.querySelector('.pile .stub') !== null);
    assert.equal(await tab.$('.stub[data-torn]'), null);
    await publishNext();
    await eventually(tab, () => ['.clock', '.pile', '.programme'].every((place) => shown(`${place} .stub[data-torn]`).length));
    assert.equal(await tab.evaluate(() => shown('.stub:not([data-torn])').length), 0, 'a stub of the old build is still there');
    await moved(builds[2]);
    await isSamePage();
    await outcome(booth, 0, 'swapped', 'Programme, Clock, Pile');
    await outcome(booth, 1, 'swapped', 'Clock, Pile');
  });
  await step('build 4 changes the shape of what the till holds: it is migrated in the open page', async () => {
    await publishNext();
    await eventually(tab, () => shown('.till').some((till) => till.textContent.includes('Full 3') && till.textContent.includes('Reduced 0')));
    await tab.click('[aria-label="Sell a reduced ticket"]');
    await moved(builds[3]);
    await eventually(tab, () => shown('.till').length === 1 && shown('.till')[0].textContent.includes('Reduced 1'));
    await isSamePage();
    await outcome(booth, 0, 'swapped', 'Till');
  });
  await step('the note, its tick and the clock have come through three builds in one page', async () => {
    await tab.click('nav a[href="/note"]');
    await /** @type {ElementHandle} */ (await tab.waitForSelector('.note select', { timeout: PATIENCE })).select('haxan');
    await eventually(tab, (text) => /** @type {HTMLTextAreaElement | null} */ (document.querySelector('textarea[name=text]'))?.value === text, TEXT);
    assert.equal(await tab.$eval('input[name=interval]', (box) => /** @type {HTMLInputElement} */ (box).checked), true);
    const [minutes, seconds] = (await tab.$eval('.clock time', (clock) => clock.textContent)).split(':').slice(1).map(Number);
    assert.ok(minutes * 60 + seconds >= 30, `the clock says ${minutes}:${seconds}`);
  });
  await step('a note is filed, and a second tab of the visitor has it too', async () => {
    await fileNote(tab, FILED.early, 'A shadow climbs the stairs.\nIt takes its time.');
    await other.goto(`${demo.app}note`);
    await eventually(other, (id) => globalThis.changeover?.status.build === id, builds[3].id);
    await filed(other, 'A shadow climbs the stairs. It takes its time.');
  });

  await step('build 5 changes the shell: the visitor is asked, accepts while a job runs, and the page waits', async () => {
    await tab.bringToFront();
    await tab.click('nav a[href="/ingest"]');
    await /** @type {ElementHandle} */ (await tab.waitForSelector('.ingest select', { timeout: PATIENCE })).select('16');
    await tab.click('.ingest button.primary');
    await eventually(tab, () => globalThis.changeover.status.holds.length === 1);
    await publishNext();
    await prompted(tab);
    await press(tab, 'reload');
    await eventually(tab, () => globalThis.changeover.status.changeover?.phase === 'draining');
    assert.equal(await tab.evaluate(() => globalThis.changeover.status.build), builds[3].id);
  });
  await step('the booth says why the screens ask, and one of them moves', async () => {
    await eventually(booth, () => [...document.querySelectorAll('[data-report=state]')].every((line) => line.textContent === 'Asks its visitor'));
    await outcome(booth, 0, 'asked', 'entryChanged');
    const frame = /** @type {Frame} */ (await /** @type {ElementHandle<HTMLIFrameElement>} */ (await booth.$('.screen iframe')).contentFrame());
    // A pointer of the driver does not reach into a frame of another site.
    await frame.evaluate(() => /** @type {{shadowRoot: {querySelector(part: string): HTMLElement}}} */ (/** @type {unknown} */ (document.querySelector('changeover-prompt'))).shadowRoot.querySelector('[part~=reload]').click());
    await eventually(booth, (id) => /** @type {Element} */ (document.querySelector('[data-report=build]')).textContent === id, builds[4].id);
    await outcome(booth, 0, 'reloaded', builds[4].id);
  });
  await step('the job ends, the page moves, and its result and the till are still there', async () => {
    await moved(builds[4]);
    await eventually(tab, () => document.querySelector('.job .state')?.textContent === 'All 96 parts are sound.');
    await eventually(tab, () => /Full 3.*Reduced 1/s.test(document.querySelector('.till')?.textContent ?? ''));
    assert.ok(await tab.$('nav a[href="/access"]'), 'build 5 has a page that build 4 had not');
  });

  await step('build 5 keeps paragraphs apart: the draft and what was filed came along', async () => {
    /** @type {ElementHandle<HTMLSelectElement> | null} */
    let list = null;
    // A page that still scrolls to where it was moves the link away under a click.
    for (let tries = 0; !list && tries < 3; tries += 1) {
      await tab.click('nav a[href="/note"]');
      list = await tab.waitForSelector('.note select', { timeout: PATIENCE / 3 }).catch(() => null);
    }
    await /** @type {ElementHandle<HTMLSelectElement>} */ (list).select('haxan');
    await eventually(tab, (text) => /** @type {HTMLTextAreaElement | null} */ (document.querySelector('textarea[name=text]'))?.value === text, TEXT);
    await filed(tab, 'A shadow climbs the stairs. It takes its time.');
    await tab.type('textarea[name=text]', `\n${SECOND}`);
  });
  await step('what build 5 files, the second tab on build 4 reads in its own shape, and the other way round', async () => {
    await fileNote(tab, FILED.late, 'The city.\nThe country.');
    await filed(other, 'The city. The country.');
    assert.equal(await other.evaluate(() => globalThis.changeover.status.build), builds[3].id, 'the second tab moved without being told');
    await other.bringToFront();
    await fileNote(other, FILED.early, 'Count to ten.\nThen look.');
    await tab.bringToFront();
    await filed(tab, 'Count to ten. Then look.');
    await fileNote(tab, 'haxan', null);
  });

  await step('build 6 breaks as it is shown: page and state are as before, and the booth says so', async () => {
    await tab.evaluate(() => {
      globalThis.witness = true;
      globalThis.changeover.on('swapEnded', (event) => (globalThis.ended = event));
    });
    const complaints = errors.length;
    await publishNext();
    await eventually(tab, () => shown('.clock .stub')[0]?.textContent.includes('€'));
    await eventually(tab, () => globalThis.ended);
    const { outcome: how, to, message } = await tab.evaluate(() => /** @type {Events['swapEnded']} */ (globalThis.ended));
    assert.deepEqual([how, to], ['rolledBack', builds[5].id]);
    assert.match(/** @type {string} */ (message), /toFixed/);
    assert.deepEqual(await tab.evaluate(() => [shown('.clock .stub').length, shown('.clock .stub')[0].textContent.includes('€'), globalThis.witness]), [1, false, true]);
    assert.equal(await tab.evaluate(() => globalThis.changeover.status.build), builds[4].id);
    assert.equal((await note()).text, `${TEXT}\n${SECOND}`);
    assert.match(await tab.$eval('.till', (till) => till.textContent), /Full 3.*Reduced 1/s);
    await outcome(booth, 0, 'rolledBack', 'toFixed');
    // React tells the console what it has caught.
    assert.deepEqual(errors.splice(complaints).filter((words) => !words.includes('toFixed')), []);
  });
  await step('the booth takes build 6 back, and nothing is left to ask', async () => {
    await booth.click('#rollback');
    await eventually(tab, () => !globalThis.changeover.status.skew && globalThis.changeover.status.prompt === null);
    assert.equal(await tab.evaluate(() => globalThis.witness), true);
  });

  await step('the booth rolls back to build 4, and the tab goes there, its drafts with it', async () => {
    await booth.click('#rollback');
    await prompted(tab);
    await press(tab, 'reload');
    await moved(builds[3]);
    await eventually(tab, () => document.querySelector('nav') && !document.querySelector('nav a[href="/access"]'));
    await tab.click('nav a[href="/note"]');
    await /** @type {ElementHandle} */ (await tab.waitForSelector('.note select', { timeout: PATIENCE })).select('haxan');
    await eventually(tab, (text) => /** @type {HTMLTextAreaElement | null} */ (document.querySelector('textarea[name=text]'))?.value === text, `${TEXT}\n${SECOND}`);
    await filed(tab, 'The city. The country.');
    await filed(tab, 'Count to ten. Then look.');
  });
  await step('the booth rolls back to build 3: the till is taken down in the open page', async () => {
    await tab.evaluate(() => (globalThis.witness = true));
    await booth.click('#rollback');
    await eventually(tab, () => shown('.till').some((till) => till.textContent.includes('Sold 4')));
    await moved(builds[2]);
    assert.equal(await tab.evaluate(() => globalThis.witness), true, 'the page was loaded anew');
  });
  await step('no page complained', () => assert.deepEqual(errors, []));
}

/** @type {(window: Browser | BrowserContext, url: string, viewport: Viewport, errors: string[]) => Promise<Page>} */
async function open(window, url, viewport, errors) {
  const page = await window.newPage();
  await page.setViewport(viewport);
  page.on('pageerror', (error) => errors.push(`${url}: ${error}`));
  page.on('console', (message) => message.type() === 'error' && errors.push(`${url}: ${message.text()}`));
  // While a swap is on trial there are two of a slot, and one of them is hidden.
  await page.evaluateOnNewDocument(() => (globalThis.shown = (selector) => [...document.querySelectorAll(selector)].filter((element) => element.checkVisibility())));
  await page.goto(url);
  return page;
}

/**
 * Waits until `holds(value)` in the page; a page load in between is no failure.
 *
 * @template Value
 * @param {Page} page
 * @param {(value: Value) => unknown} holds
 * @param {Value} [value]
 */
async function eventually(page, holds, value) {
  const end = Date.now() + PATIENCE;
  let last;
  while (Date.now() < end) {
    try {
      if (await page.evaluate(/** @type {(value: unknown) => unknown} */ (holds), value)) return;
      last = null;
    } catch (error) {
      last = error;
    }
    await new Promise((done) => setTimeout(done, 30));
  }
  throw new Error(`not within ${PATIENCE / 1000} s: ${holds}${last ? `, ${/** @type {Error} */ (last).message}` : ''}`);
}

const prompted = (/** @type {Page} */ page) => eventually(page, () => document.querySelector('changeover-prompt')?.shadowRoot?.querySelector('[part~=reload]')?.checkVisibility());

/**
 * Presses a button of the prompt as a pointer does.
 *
 * @param {Page} page
 * @param {string} part
 */
async function press(page, part) {
  await prompted(page);
  await /** @type {ElementHandle} */ (await page.waitForSelector(`changeover-prompt >>> [part~=${part}]`, { timeout: PATIENCE })).click();
}

/**
 * Chooses a film on the note's page and files a note on it; without a text only chooses.
 *
 * @param {Page} page
 * @param {string} film
 * @param {string | null} text
 */
async function fileNote(page, film, text) {
  const choice = await page.waitForSelector('.note select', { timeout: PATIENCE });
  await /** @type {ElementHandle} */ (choice).select(film);
  if (text === null) return;
  await page.type('textarea[name=text]', text);
  await page.click('.note button.primary');
  await eventually(page, () => /** @type {Element} */ (document.querySelector('.note [role=status]')).textContent.endsWith('is filed.'));
}

/** @type {(page: Page, words: string) => Promise<void>} */
const filed = (page, words) =>
  eventually(page, (wanted) => [...document.querySelectorAll('.filed li')].some((item) => item.textContent.replace(/\s+/g, ' ').endsWith(wanted)), words);

/** @type {(booth: Page, id: string) => Promise<void>} */
const everyScreen = (booth, id) => eventually(booth, (build) => {
  const reported = [...document.querySelectorAll('[data-report=build]')];
  return reported.length > 1 && reported.every((place) => place.textContent === build);
}, id);

/**
 * What the booth says became of the last release on a screen.
 *
 * @type {(booth: Page, screen: number, kind: string, words: string) => Promise<void>}
 */
const outcome = (booth, screen, kind, words) => eventually(booth, (/** @type {[number, string, string]} */ [at, wanted, text]) => {
  const line = /** @type {HTMLElement} */ (document.querySelectorAll('[data-report=last]')[at]);
  return line?.dataset.kind === wanted && line.textContent.includes(text);
}, [screen, kind, words]);
