// When the user is not busy with the page: the module as it is, in Chromium, under real input.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import puppeteer from 'puppeteer-core';

const SOURCE = join(import.meta.dirname, '..', '..', 'pkg-template', 'user-idle.js');
const BODY = `<!doctype html><link rel="icon" href="data:,"><input id="field"><dialog id="native">one</dialog>
  <div id="aria" role="dialog" aria-modal="true" hidden>two</div><div role="dialog" id="pane">no modal one</div>`;

let browser;
let server;
let page;

before(async () => {
  browser = await puppeteer.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
  server = createServer((request, response) => {
    if (request.url === '/') return response.writeHead(200, { 'content-type': 'text/html' }).end(BODY);
    response.writeHead(200, { 'content-type': 'text/javascript' }).end(readFileSync(SOURCE));
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.evaluate(async () => {
    const { createQuiet } = await import('/user-idle.js');
    globalThis.quiet = createQuiet();
  });
});

after(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
});

/** Whether the page is quiet within 1.2 s, which is longer than any pause that is waited for after the last key. */
const isQuiet = () =>
  page.evaluate(async () => {
    const giveUp = new AbortController();
    const timer = setTimeout(() => giveUp.abort(), 1_200);
    return quiet.come(() => true, giveUp.signal).then(() => (clearTimeout(timer), true), () => false);
  });

const inUse = {
  'a pointer that is down': [() => page.mouse.move(300, 300).then(() => page.mouse.down()), () => page.mouse.up()],
  'a dialog': [() => page.evaluate(() => native.showModal()), () => page.evaluate(() => native.close())],
  'a modal dialog of a library': [() => page.evaluate(() => { aria.hidden = false; }), () => page.evaluate(() => { aria.hidden = true; })],
};

test('a page that the user does not touch is quiet, with a closed dialog and with one that is not modal', async () => {
  assert.equal(await isQuiet(), true);
});

for (const [what, [begin, end]] of Object.entries(inUse)) {
  test(`${what} keeps the page in use until it is over`, async () => {
    await begin();
    assert.equal(await isQuiet(), false);
    await end();
    assert.equal(await isQuiet(), true);
  });
}

test('an input method that composes keeps the page in use, however long it pauses', async () => {
  const session = await page.createCDPSession();
  await page.focus('#field');
  await session.send('Input.imeSetComposition', { text: 'か', selectionStart: 1, selectionEnd: 1 });
  assert.equal(await isQuiet(), false);
  await session.send('Input.insertText', { text: '火' });
  assert.equal(await isQuiet(), true);
});

test('a composition ends with the field that it was in', async () => {
  const session = await page.createCDPSession();
  await page.evaluate(() => {
    document.body.insertAdjacentHTML('beforeend', '<input id="passing">');
    passing.focus();
  });
  await session.send('Input.imeSetComposition', { text: 'か', selectionStart: 1, selectionEnd: 1 });
  assert.equal(await isQuiet(), false);
  await page.evaluate(() => passing.remove());
  assert.equal(await isQuiet(), true);
});

test('a key is a use after the mark, and what a script does is none', async () => {
  const mark = await page.evaluate(() => quiet.mark());
  await page.evaluate(() => field.dispatchEvent(new InputEvent('input', { bubbles: true })));
  assert.equal(await page.evaluate((mark) => quiet.isDisturbed(mark), mark), false);
  await page.type('#field', 'a');
  assert.equal(await page.evaluate((mark) => quiet.isDisturbed(mark), mark), true);
});
