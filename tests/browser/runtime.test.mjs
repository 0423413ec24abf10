// The runtime as it is shipped, in Chromium: loading in all its ways, the public object, and a core that dies.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import puppeteer from 'puppeteer-core';

const PACKAGE = process.env.PACKAGE ?? join(import.meta.dirname, '..', '..', 'dist', 'npm');
const RELEASE = {
  format: 1, app: 'test', channel: 'stable', sequence: 7, issued: '2026-01-01T00:00:00Z', urgency: 'routine',
  build: { id: 'a', manifest: 'builds/a.json' },
};
const TAG = '<script src="/changeover.js" data-release="/changeover/release.json" data-build="a" data-interval="1000"></script>';

let browser;
let server;
let origin;
const answers = new Map(); // path -> [status, type, body] or a function of the response

before(async () => {
  browser = await puppeteer.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
  server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    const answer = answers.get(pathname);
    if (typeof answer === 'function') return answer(response);
    const [status, type, body] = answer ?? shipped(pathname);
    response.writeHead(status, { 'content-type': type, 'cache-control': 'no-cache' }).end(body);
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  origin = `http://127.0.0.1:${server.address().port}`;
});

after(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
});

function shipped(path) {
  try {
    const type = path.endsWith('.wasm') ? 'application/wasm' : 'text/javascript';
    return [200, type, readFileSync(join(PACKAGE, path))];
  } catch {
    return [404, 'text/plain', 'not found'];
  }
}

/** A page with its own errors collected in `window.errors`. */
async function open(t, head, { release = RELEASE, level = 'full', files = {} } = {}) {
  answers.clear();
  answers.set('/changeover/release.json', [200, 'application/json', JSON.stringify(release)]);
  for (const [path, answer] of Object.entries(files)) answers.set(path, answer);
  const collect = '<script>errors = []; onerror = (text) => { errors.push(text) }; onunhandledrejection = ({ reason }) => { errors.push(String(reason)) }</script>';
  answers.set('/', [200, 'text/html', `<!doctype html><meta charset=utf-8>${collect}${head}<button onclick="this.textContent = 'works'">app</button>`]);
  const page = await (await browser.createBrowserContext()).newPage();
  t.after(() => page.browserContext().close());
  await page.goto(`${origin}/`);
  if (level) await page.waitForFunction((level) => globalThis.changeover?.status.level === level, { timeout: 10_000 }, level);
  return page;
}

const slim = (wasm = '/changeover.wasm') => TAG.replace('data-build', `data-runtime="/runtime-slim.js" data-wasm="${wasm}" data-build`);
/** Two looks at once are one. */
const aMoment = () => new Promise((done) => setTimeout(done, 300));
const status = (page) => page.evaluate(() => changeover.status);

async function assertAppWorks(page) {
  await page.click('button');
  assert.equal(await page.$eval('button', (button) => button.textContent), 'works');
  assert.deepEqual(await page.evaluate(() => errors), []);
}

test('the runtime with its inlined wasm reaches the full level', async (t) => {
  const page = await open(t, TAG);
  await assertAppWorks(page);
});

test('the slim runtime streams the wasm it is told of', async (t) => {
  await assertAppWorks(await open(t, slim()));
});

test('the slim runtime takes wasm that the server serves as something else', async (t) => {
  const [, , bytes] = shipped('/changeover.wasm');
  await assertAppWorks(await open(t, slim(), { files: { '/changeover.wasm': [200, 'application/octet-stream', bytes] } }));
});

for (const [what, file, reason] of [
  ['is the start page', [200, 'text/html; charset=utf-8', '<!doctype html>'], /\/changeover\.wasm is an HTML page, not WebAssembly/],
  ['is missing', [404, 'text/plain', ''], /\/changeover\.wasm answered 404/],
  ['is cut off', [200, 'application/wasm', shipped('/changeover.wasm')[2].subarray(0, 5_000)], /CompileError/],
]) {
  test(`wasm that ${what} leaves the loader level and says so`, async (t) => {
    const page = await open(t, slim(), { level: 'loader', files: { '/changeover.wasm': file } });
    assert.match((await status(page)).levelReason, reason);
    await assertAppWorks(page);
  });
}

test('check() resolves with the status after the answer, and never rejects', async (t) => {
  const page = await open(t, TAG);
  const seen = await page.evaluate(() => changeover.check());
  assert.equal(seen.release.sequence, 7);
  assert.equal(seen.failures, 0);
  await aMoment();
  answers.set('/changeover/release.json', [500, 'text/plain', 'no']);
  assert.equal((await page.evaluate(() => changeover.check())).failures, 1);
  await aMoment();
  answers.set('/changeover/release.json', (response) => response.destroy());
  const both = await page.evaluate(() => Promise.all([changeover.check(), changeover.check()]));
  assert.ok(both.every(({ failures, lastFailure }) => failures >= 2 && lastFailure.code), JSON.stringify(both));
});

test('reload() resolves with the reason when there is nothing to move to', async (t) => {
  const page = await open(t, TAG);
  assert.equal(await page.evaluate(() => changeover.reload()), 'noSkew');
});

test('a listener that throws stops no other, and an undone one hears nothing', async (t) => {
  const page = await open(t, TAG);
  const heard = await page.evaluate(async () => {
    const heard = [];
    changeover.on('*', () => { throw new Error('mine'); });
    changeover.on('statusChanged', () => heard.push('kept'));
    const undo = changeover.on('statusChanged', () => heard.push('undone'));
    undo();
    undo();
    changeover.hold('upload');
    await Promise.resolve();
    return heard;
  });
  assert.ok(heard.includes('kept') && !heard.includes('undone'), heard.join());
  await assertAppWorks(page);
});

test('holds are in the status until they are undone', async (t) => {
  const page = await open(t, TAG);
  const before = Date.now();
  await page.evaluate(() => {
    window.undo = changeover.hold('upload');
    changeover.hold('call', { deadline: 1_000 });
  });
  const [upload, call] = (await status(page)).holds;
  assert.equal(upload.reason, 'upload');
  assert.ok(Math.abs(upload.deadline - before - 300_000) < 5_000);
  assert.equal(call.reason, 'call');
  assert.ok(Math.abs(call.deadline - before - 1_000) < 5_000);
  await page.evaluate(() => {
    undo();
    undo();
  });
  assert.deepEqual((await status(page)).holds.map(({ reason }) => reason), ['call']);
  await page.waitForFunction(() => changeover.status.holds.length === 0, { timeout: 3_000 });
});

test('what happens on arrival reaches every listener of the loading page, and the first that comes later', async (t) => {
  const page = await open(t, TAG);
  await page.evaluate(() => {
    const envelope = { format: 1, id: 'c1', from: 'z', to: 'a', at: Date.now(), url: location.href, scroll: [0, 0], states: { draft: 'hello' } };
    sessionStorage['changeover:/changeover/release.json:envelope'] = JSON.stringify(envelope);
  });
  // The picture keeps the document loading while the runtime arrives.
  answers.set('/slow.png', (response) => setTimeout(() => response.writeHead(404).end(), 1_500));
  const heard = `<img src="/slow.png"><script>
    heard = [];
    const when = (condition, run) => (condition() ? run() : setTimeout(when, 10, condition, run));
    const listen = (name, type) => changeover.on(type, (event) => heard.push(name + ' ' + event.type));
    when(() => changeover.status.level === 'full', () => {
      changeover.state('draft', { capture() {}, restore: (value) => heard.push(value) });
      setTimeout(() => {
        listen('first', 'changeoverDone');
        listen('second', 'changeoverDone');
        listen('second', 'stateRestored');
      }, 100);
    });
    onload = () => setTimeout(() => {
      listen('late', 'changeoverDone');
      listen('late', 'releaseSeen');
      listen('latest', 'releaseSeen');
    }, 100);
  </script>`;
  answers.set('/', [200, 'text/html', `<!doctype html>${TAG}${heard}`]);
  await page.goto(`${origin}/`);
  await new Promise((done) => setTimeout(done, 400));
  assert.deepEqual(await page.evaluate(() => heard), ['hello', 'first changeoverDone', 'second changeoverDone', 'second stateRestored', 'late releaseSeen']);
});

test('a disposed page says "off", keeps quiet, and every promise is answered', async (t) => {
  const page = await open(t, TAG);
  await aMoment();
  answers.set('/changeover/release.json', () => {}); // no answer at all
  const [level, checked, reloaded] = await page.evaluate(async () => {
    const check = changeover.check();
    changeover.dispose();
    changeover.dispose();
    return [changeover.status.level, (await check).level, await changeover.reload()];
  });
  assert.deepEqual([level, checked], ['off', 'off']);
  assert.equal(reloaded, 'disposed');
  await assertAppWorks(page);
});

test('a core whose memory is destroyed gives way to the loader level, and the app notices nothing', async (t) => {
  // The traps are real: the engine runs over memory full of ones.
  const wound = `<script>
    const instantiate = WebAssembly.instantiate;
    WebAssembly.instantiate = async (...given) => {
      const result = await instantiate.apply(WebAssembly, given);
      const memory = Object.values(result.instance.exports).find((part) => part instanceof WebAssembly.Memory);
      window.destroy = () => new Uint8Array(memory.buffer).fill(255);
      return result;
    };
  </script>`;
  for (const provoke of ['dispatchEvent(new Event("online"))', 'changeover.check()', 'changeover.hold("upload")', 'changeover.status']) {
    const page = await open(t, wound + TAG, { release: { ...RELEASE, build: { id: 'b', manifest: 'builds/b.json' } } });
    const level = await page.evaluate((provoke) => {
      destroy();
      // oxlint-disable-next-line no-eval -- an error of code without a file is what is tested
      (0, eval)(provoke);
      return changeover.status;
    }, provoke);
    assert.equal(level.level, 'loader', provoke);
    assert.match(level.levelReason, /^panic: /);
    // The loader level goes on: it finds the new build by itself.
    await page.waitForFunction(() => changeover.status.skew === true, { timeout: 5_000 });
    await page.evaluate(() => {
      for (const type of ['online', 'focus', 'pagehide', 'pageshow']) dispatchEvent(new Event(type));
      document.dispatchEvent(new Event('visibilitychange'));
    });
    await new Promise((done) => setTimeout(done, 1_200));
    await assertAppWorks(page);
  }
});

test('browser objects that throw inside the core end the core, not the page', async (t) => {
  const page = await open(t, TAG);
  await page.evaluate(() => {
    const now = Date.now;
    Date.now = () => { throw new Error('patched'); };
    dispatchEvent(new Event('online'));
    Date.now = now;
  });
  assert.deepEqual(await status(page).then(({ level, levelReason }) => [level, levelReason]), ['loader', 'panic: Error: patched']);
  await assertAppWorks(page);
});

test('the npm entry starts once, starts anew after dispose(), and is inert on a server', async (t) => {
  const page = await open(t, '<meta name="changeover-build" content="a">', { level: null });
  const answer = await page.evaluate(async () => {
    const { createChangeover } = await import('/index.js');
    const first = createChangeover({ interval: 1000 });
    const known = Object.keys(first.status).sort().join();
    const same = createChangeover() === first;
    while (first.status.level === 'starting') await new Promise((done) => setTimeout(done, 20));
    const { level, build } = first.status;
    const complete = Object.keys(first.status).sort().join();
    first.dispose();
    const next = createChangeover();
    const anew = next !== first;
    while (next.status.level === 'starting') await new Promise((done) => setTimeout(done, 20));
    const off = Object.keys(first.status).sort().join();
    return { same, level, build, anew, again: next.status.level, starting: known === complete, off: off === complete };
  });
  assert.deepEqual(answer, { same: true, level: 'full', build: 'a', anew: true, again: 'full', starting: true, off: true });

  const { createChangeover } = await import(join(PACKAGE, 'index.js'));
  const inert = createChangeover();
  assert.equal((await inert.check()).level, 'off');
  assert.equal(await inert.reload(), 'disposed');
  inert.on('*', () => {})();
  inert.dispose();
  assert.equal(globalThis[Symbol.for('changeover')], undefined);
});

test('options given to an instance that is there already are taken over, or named when they come too late', async (t) => {
  const next = { ...RELEASE, sequence: 8, build: { id: 'b', manifest: 'builds/b.json' } };
  const manifest = (id) => [200, 'application/json', JSON.stringify({ format: 1, app: 'test', id, created: '2026-01-01T00:00:00Z', base: '/', epoch: 1, entries: [], html: `sha384-${'A'.repeat(64)}`, slots: {}, chunks: {}, stores: {} })];
  const early = '<script type="module">import { createChangeover } from "/index.js"; globalThis.same = createChangeover({ prompt: false, trace: true }) === changeover; globalThis.createChangeover = createChangeover</script>';
  const page = await open(t, TAG + early, { release: next, files: { '/changeover/builds/b.json': manifest('b') } });
  await page.waitForFunction(() => changeover.status.prompt && globalThis.same !== undefined, { timeout: 10_000 });
  assert.equal(await page.evaluate(() => same), true);
  assert.equal(await page.evaluate(() => document.querySelector('changeover-prompt')), null, 'its own prompt stays away');
  assert.match(await page.evaluate(() => changeover.trace()), /"config"/, 'the trace is kept');

  await page.evaluate(() => createChangeover());
  assert.equal(await page.evaluate(() => document.querySelector('changeover-prompt')), null, 'no options change nothing');
  const problem = await page.evaluate(() => {
    const heard = [];
    changeover.on('problem', ({ code, message }) => heard.push([code, message]));
    createChangeover({ prompt: true, lang: 'de', interval: 5000, build: undefined });
    return heard;
  });
  assert.deepEqual(problem, [['options_ignored', 'createChangeover() was called when the page was already guarded: interval came too late']]);
  await page.waitForSelector('changeover-prompt');
  assert.equal(await page.evaluate(() => document.querySelector('changeover-prompt').shadowRoot.querySelector('[part~="later"]').textContent), 'Später');
});
