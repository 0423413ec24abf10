// Drives the demo once, as a visitor and as whoever stands in the booth: `npm run demo -- --check`.
import assert from 'node:assert/strict';
import puppeteer from 'puppeteer-core';

/** How long anything may take, in milliseconds. */
const PATIENCE = 15_000;

const TEXT = 'It begins as a lecture with slides, and then the slides begin to move.';
const SECOND = 'Bring somebody who is not afraid of the dark.';
const ADDRESS = 'note?film=haxan&from=check#handbill';
/** Two more films, a note on each of which is filed: by the second build and by the third. */
const FILED = { early: 'nosferatu', late: 'sunrise' };

/**
 * Says each step as it is done.
 *
 * @param {{chromium: string, demo: {app: string, booth: string}, builds: {id: string, title: string}[], say: (line: string) => void}} options
 * @returns {Promise<boolean>} whether every step was as it should be
 */
export async function drive({ chromium, demo, builds, say }) {
  const browser = await puppeteer.launch({ executablePath: chromium, args: ['--no-sandbox'], handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false });
  let doing = 'open the browser';
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
    say(`  ✗ ${doing}: ${error.message}`);
    return false;
  } finally {
    await browser.close();
  }
}

async function visit(browser, demo, builds, step) {
  const errors = [];
  // A window each, since a tab behind another is hidden and would rightly keep still.
  const booth = await open(await browser.createBrowserContext(), demo.booth, { width: 1440, height: 1000 }, errors);
  const tab = await open(browser, demo.app + ADDRESS, { width: 900, height: 500 }, errors);
  const other = await open(browser, 'about:blank', { width: 900, height: 500 }, errors);
  await tab.bringToFront();
  const moved = (build) => eventually(tab, (id) => globalThis.changeover?.status.build === id, build.id);

  await step('a tab opens build 1, and the runtime starts in it', async () => {
    await moved(builds[0]);
    await eventually(tab, () => globalThis.changeover.status.level === 'full');
    await eventually(tab, () => globalThis.changeover.status.release !== null);
  });
  await step('the booth shows every screen on build 1', () => everyScreen(booth, builds[0].id));

  let scrolled;
  await step('the visitor writes a note and scrolls', async () => {
    await tab.type('textarea[name=text]', TEXT);
    await tab.click('input[name=interval]');
    await tab.evaluate(() => window.scrollTo(0, 260));
    scrolled = await tab.evaluate(() => window.scrollY);
    assert.ok(scrolled > 100, `the page scrolled to ${scrolled} only`);
  });
  await step('the booth publishes build 2, and the tab asks within a second or two', async () => {
    await booth.click('#publish');
    await prompted(tab);
    assert.equal(await tab.evaluate(() => globalThis.changeover.status.build), builds[0].id, 'the tab moved without being told');
    await eventually(booth, (id) => document.querySelector('.reel[data-live]')?.dataset.build === id, builds[1].id);
  });
  await step('the visitor accepts, and the same address shows build 2', async () => {
    await press(tab, 'reload');
    await moved(builds[1]);
    assert.equal(tab.url(), demo.app + ADDRESS);
  });
  await step('note, tick and place on the page are back', async () => {
    await eventually(tab, (text) => document.querySelector('textarea[name=text]')?.value === text, TEXT);
    assert.equal(await tab.$eval('input[name=interval]', (box) => box.checked), true);
    await eventually(tab, (place) => Math.abs(window.scrollY - place) < 2, scrolled);
  });
  await step('a note is filed, and a second tab of the visitor has it too', async () => {
    await fileNote(tab, FILED.early, 'A shadow climbs the stairs.\nIt takes its time.');
    await other.goto(`${demo.app}note`);
    await eventually(other, (id) => globalThis.changeover?.status.build === id, builds[1].id);
    await filed(other, 'A shadow climbs the stairs. It takes its time.');
  });
  await step('the screens in the booth ask too, and one of them moves', async () => {
    await eventually(booth, () => [...document.querySelectorAll('[data-report=state]')].every((line) => line.textContent === 'Asks its visitor'));
    const frame = await (await booth.$('.screen iframe')).contentFrame();
    // A pointer of the driver does not reach into a frame of another site.
    await frame.evaluate(() => document.querySelector('changeover-prompt').shadowRoot.querySelector('[part~=reload]').click());
    await eventually(booth, (id) => document.querySelector('[data-report=build]').textContent === id, builds[1].id);
  });

  await step('a running job holds: the visitor accepts build 3, and the page waits', async () => {
    await tab.click('nav a[href="/ingest"]');
    await (await tab.waitForSelector('.ingest select', { timeout: PATIENCE })).select('16');
    await tab.click('.ingest button.primary');
    await eventually(tab, () => globalThis.changeover.status.holds.length === 1);
    await booth.click('#publish');
    await prompted(tab);
    await press(tab, 'reload');
    await eventually(tab, () => globalThis.changeover.status.changeover?.phase === 'draining');
    assert.equal(await tab.evaluate(() => globalThis.changeover.status.build), builds[1].id);
  });
  await step('the job ends, the page moves, and the result is still there', async () => {
    await moved(builds[2]);
    await eventually(tab, () => document.querySelector('.job .state')?.textContent === 'All 96 parts are sound.');
    assert.ok(await tab.$('nav a[href="/access"]'), 'build 3 has a page that build 2 had not');
  });

  await step('build 3 keeps paragraphs apart: the draft and what was filed came along', async () => {
    await tab.click('nav a[href="/note"]');
    await (await tab.waitForSelector('.note select', { timeout: PATIENCE })).select('haxan');
    await eventually(tab, (text) => document.querySelector('textarea[name=text]')?.value === text, TEXT);
    await filed(tab, 'A shadow climbs the stairs. It takes its time.');
    await tab.type('textarea[name=text]', `\n${SECOND}`);
  });
  await step('what build 3 files, the second tab on build 2 reads in its own shape, and the other way round', async () => {
    await fileNote(tab, FILED.late, 'The city.\nThe country.');
    await filed(other, 'The city. The country.');
    assert.equal(await other.evaluate(() => globalThis.changeover.status.build), builds[1].id, 'the second tab moved without being told');
    await other.bringToFront();
    await fileNote(other, FILED.early, 'Count to ten.\nThen look.');
    await tab.bringToFront();
    await filed(tab, 'Count to ten. Then look.');
    await fileNote(tab, 'haxan', null);
  });

  await step('the booth rolls back, and the tab goes to build 2 again', async () => {
    await booth.click('#rollback');
    await prompted(tab);
    await press(tab, 'reload');
    await moved(builds[1]);
    await eventually(tab, () => document.querySelector('nav') && !document.querySelector('nav a[href="/access"]'));
    await tab.click('nav a[href="/note"]');
    await (await tab.waitForSelector('.note select', { timeout: PATIENCE })).select('haxan');
    await eventually(tab, (text) => document.querySelector('textarea[name=text]')?.value === text, `${TEXT}\n${SECOND}`);
    await filed(tab, 'The city. The country.');
    await filed(tab, 'Count to ten. Then look.');
  });
  await step('no page complained', () => assert.deepEqual(errors, []));
}

async function open(window, url, viewport, errors) {
  const page = await window.newPage();
  await page.setViewport(viewport);
  page.on('pageerror', (error) => errors.push(`${url}: ${error}`));
  page.on('console', (message) => message.type() === 'error' && errors.push(`${url}: ${message.text()}`));
  await page.goto(url);
  return page;
}

/** Waits until `holds(value)` in the page; a page load in between is no failure. */
async function eventually(page, holds, value) {
  const end = Date.now() + PATIENCE;
  let last;
  while (Date.now() < end) {
    try {
      if (await page.evaluate(holds, value)) return;
      last = null;
    } catch (error) {
      last = error;
    }
    await new Promise((done) => setTimeout(done, 30));
  }
  throw new Error(`not within ${PATIENCE / 1000} s: ${holds}${last ? `, ${last.message}` : ''}`);
}

const prompted = (page) => eventually(page, () => document.querySelector('changeover-prompt')?.shadowRoot?.querySelector('[part~=reload]')?.checkVisibility());

/** Presses a button of the prompt as a pointer does. */
async function press(page, part) {
  await prompted(page);
  await (await page.waitForSelector(`changeover-prompt >>> [part~=${part}]`, { timeout: PATIENCE })).click();
}

/** Chooses a film on the note's page and files a note on it; without a text only chooses. */
async function fileNote(page, film, text) {
  const choice = await page.waitForSelector('.note select', { timeout: PATIENCE });
  await choice.select(film);
  if (text === null) return;
  await page.type('textarea[name=text]', text);
  await page.click('.note button.primary');
  await eventually(page, () => document.querySelector('.note [role=status]').textContent.endsWith('is filed.'));
}

const filed = (page, words) =>
  eventually(page, (wanted) => [...document.querySelectorAll('.filed li')].some((item) => item.textContent.replace(/\s+/g, ' ').endsWith(wanted)), words);

const everyScreen = (booth, id) => eventually(booth, (build) => {
  const reported = [...document.querySelectorAll('[data-report=build]')];
  return reported.length > 1 && reported.every((place) => place.textContent === build);
}, id);
