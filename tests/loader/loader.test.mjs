// The loader before and beside the runtime: early capture, calls that wait, when the runtime is fetched, dispose.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { send, until, withBrowser } from '../prompt/harness.mjs';
import { BANNER, loaderScript, shortLoaderScript, RUNTIME, startSite, WATCHING } from './site.mjs';

/** @import { Page } from 'puppeteer-core' */
/** @import { Status } from '../../pkg-template/index.js' */

const RELEASE = '/changeover/release.json';
const connected = (/** @type {Page} */ page) => until(page, () => globalThis.changeover?.status.level === 'full');
const levelIs = (/** @type {Page} */ page, /** @type {Status['level']} */ level) => until(page, (/** @type {Status['level']} */ level) => globalThis.changeover?.status.level === level, level);

test('importing the loader needs no browser', async () => {
  assert.equal(typeof document, 'undefined');
  const { openPage, KEY } = await import('../../pkg-template/loader.js');
  assert.equal(typeof openPage, 'function');
  assert.equal(KEY, Symbol.for('changeover'));
});

test('the loader fits into 1500 bytes', async () => {
  const size = gzipSync(await shortLoaderScript(), { level: 9 }).length;
  assert.ok(size <= 1500, `${size} bytes`);
});

// Each shape: what breaks, run in the page; and what of it the loader must have kept.
const SHAPES = {
  'a script that is gone': { run: () => add('script', { src: '/gone.js' }), kept: ['error', 'SCRIPT', /gone\.js$/] },
  'a module that is gone': { run: () => add('script', { src: '/gone.mjs', type: 'module' }), kept: ['error', 'SCRIPT', /gone\.mjs$/] },
  'a stylesheet that is gone': { run: () => add('link', { href: '/gone.css', rel: 'stylesheet' }), kept: ['error', 'LINK', /gone\.css$/] },
  'a module preload that is gone': { run: () => add('link', { href: '/gone2.js', rel: 'modulepreload' }), kept: ['error', 'LINK', /gone2\.js$/] },
  'import() of a file that is gone': { run: () => void import(/** @type {string} */ ('/gone4.js')), kept: ['unhandledrejection', '', /dynamically imported module/] },
  'import() that is answered with HTML': { run: () => void import(/** @type {string} */ ('/page.js')), kept: ['unhandledrejection', '', /dynamically imported module|MIME type/] },
  'a classic script that is answered with HTML': { run: () => add('script', { src: '/lax.js' }), kept: ['error', '', /'<'/] },
  "Vite's event": {
    run: () => {
      const event = new Event('vite:preloadError', { cancelable: true });
      /** @type {Event & {payload?: Error}} */ (event).payload = new Error('Unable to preload CSS for /assets/Cart-1.css');
      globalThis.free = dispatchEvent(event);
    },
    kept: ['vite:preloadError', '', /Unable to preload CSS/],
  },
  "webpack's ChunkLoadError": {
    run: () => void Promise.reject(Object.assign(new Error('Loading chunk 5 failed.\n(error: http://x/5.js)'), { name: 'ChunkLoadError' })),
    kept: ['unhandledrejection', '', /Loading chunk 5 failed/],
  },
  "webpack's CSS chunk": {
    run: () => void Promise.reject(Object.assign(new Error('Loading CSS chunk 7 failed.\n(/7.css)'), { code: 'CSS_CHUNK_LOAD_FAILED' })),
    kept: ['unhandledrejection', '', /Loading CSS chunk/],
  },
  "Safari's words": { run: () => void Promise.reject(new TypeError('Importing a module script failed.')), kept: ['unhandledrejection', '', /module script/] },
  'HTML in place of wasm': { run: () => void WebAssembly.compile(new TextEncoder().encode('<!doctype html>')), kept: ['unhandledrejection', '', /magic/] },
  'wasm that does not fit its glue': {
    // (import "a" "b" (func)) with nothing to import
    run: () => void WebAssembly.instantiate(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 2, 7, 1, 1, 97, 1, 98, 0, 0]), { a: { b: 1 } }),
    kept: ['unhandledrejection', '', /import/i],
  },
};
const INNOCENT = {
  'an image that is gone': () => add('img', { src: '/gone.png' }),
  // A policy that blocks a style of CSS-in-JS looks the same.
  'a style whose import is gone': () => (add('style', {}).textContent = '@import "/gone3.css";'),
  'an ordinary error': () => add('script', { src: '/wrong.js' }),
  'an error of another origin': () => setTimeout(() => dispatchEvent(new ErrorEvent('error', { message: 'Script error.' }))),
  'an ordinary rejection': () => void Promise.reject(new Error('the form is not valid')),
  'a rejection with nothing': () => void Promise.reject(undefined),
  'a rejection that cannot be a text': () => void Promise.reject(Object.create(null)),
  'a rejection with a symbol': () => void Promise.reject(Symbol('x')),
};
const ADD = `<script src="/add.js"></script>`;
/** The page breaks things by itself: errors of injected scripts are muted. */
const ADD_SOURCE = `
globalThis.add = (name, properties) => document.head.appendChild(Object.assign(document.createElement(name), properties));
globalThis.breaks = {${[...Object.entries(SHAPES).map(([name, { run }]) => [name, run]), ...Object.entries(INNOCENT)].map(([name, run]) => `${JSON.stringify(name)}: ${run}`).join(',\n')}};`;
const breakIt = (/** @type {Page} */ page, /** @type {string} */ name) => page.evaluate((name) => void breaks[name](), name);

withBrowser('broken chunks are captured in all their shapes, before and after the runtime is there, and nothing else is', { engines: ['chromium', 'firefox'] }, async (t, browser, engine) => {
  const site = await startSite({ head: ADD, runtime: RUNTIME });
  t.after(site.close);
  site.answers['/add.js'] = ADD_SOURCE;
  site.answers['/wrong.js'] = 'undefined.nothing';
  site.answers['/page.js'] = (request, response) => send(response, 200, '<!doctype html>', '.html');
  site.answers['/lax.js'] = (request, response) => send(response, 200, '<!doctype html>', '', { 'content-type': 'text/javascript' });
  let go;
  const held = new Promise((resolve) => (go = resolve));
  site.answers['/runtime.js'] = async (request, response) => {
    await held;
    send(response, 200, RUNTIME, '.js');
  };
  const page = await browser.newPage();
  await page.goto(site.origin);

  const describe = `globalThis.describe = (event) => [event.type, event.target.tagName ?? '', String(event.target.tagName ? event.target.src ?? event.target.href ?? '' : event.reason ?? event.payload ?? event.message)];`;
  await page.evaluate(describe);
  for (const name of Object.keys(INNOCENT)) await breakIt(page, name);
  await breakIt(page, 'a stylesheet that is gone');
  await breakIt(page, "webpack's ChunkLoadError");
  await new Promise((done) => setTimeout(done, 500));
  /** @type {() => void} */ (/** @type {unknown} */ (go))();
  await connected(page);
  const early = await page.evaluate(() => globalThis.page.failures.map(/** @type {(event: unknown) => string[]} */ (/** @type {unknown} */ (describe))));
  assert.deepEqual(early.map(([type, tag]) => `${type} ${tag}`).sort(), ['error LINK', 'unhandledrejection '], JSON.stringify(early));

  await page.evaluate(() => {
    globalThis.caught = [];
    globalThis.page.onFailure = (event) => caught.push([.../** @type {(event: unknown) => unknown[]} */ (/** @type {unknown} */ (describe))(event), /** @type {Event} */ (event).defaultPrevented]);
  });
  for (const [name, { kept: [type, tag, text] }] of Object.entries(SHAPES)) {
    if (engine === 'firefox' && name === 'a style whose import is gone') continue; // Firefox says nothing there
    await page.evaluate(() => (caught.length = 0));
    await breakIt(page, name);
    await until(page, () => caught.length).catch(() => assert.fail(`${name} was not captured`));
    const [got] = await page.evaluate(() => caught);
    assert.deepEqual(got.slice(0, 2), [type, tag], name);
    assert.match(/** @type {string} */ (got[2]), /** @type {RegExp} */ (text), name);
    assert.equal(got[3], false, `${name} was prevented`);
  }
  assert.equal(await page.evaluate(() => free), true, "the app's own handler of vite:preloadError decides");
  await page.evaluate(() => (caught.length = 0));
  for (const name of Object.keys(INNOCENT)) await breakIt(page, name);
  await new Promise((done) => setTimeout(done, 300));
  assert.deepEqual(await page.evaluate(() => caught), []);
});

withBrowser('a broken chunk at the loader level makes it look at once', {}, async (t, browser) => {
  const site = await startSite({ head: ADD, attributes: { 'data-interval': '600000' } });
  t.after(site.close);
  site.answers['/add.js'] = ADD_SOURCE;
  const page = await browser.newPage();
  await page.goto(site.origin);
  await levelIs(page, 'loader');
  await until(page, () => changeover.status.release);
  site.publish(101, 'two');
  await breakIt(page, 'a script that is gone');
  await until(page, (/** @type {string} */ selector) => document.querySelector(selector), BANNER);
});

withBrowser('at most ten failures wait for the runtime', {}, async (t, browser) => {
  const site = await startSite({ head: `${ADD}`, runtime: RUNTIME, body: '<script src="/many.js"></script>' });
  t.after(site.close);
  site.answers['/add.js'] = ADD_SOURCE;
  site.answers['/many.js'] = `for (let i = 0; i < 50; i++) Promise.reject(new Error('Loading chunk ' + i + ' failed'));`;
  const page = await browser.newPage();
  await page.goto(site.origin);
  await connected(page);
  assert.equal(await page.evaluate(() => globalThis.page.failures.length), 10);
});

withBrowser('what the app asks for early reaches the runtime in order, without what it has undone', { engines: ['chromium', 'firefox'] }, async (t, browser) => {
  const site = await startSite({ runtime: RUNTIME, body: '<script src="/app.js"></script>' });
  t.after(site.close);
  site.answers['/app.js'] = `
    globalThis.early = changeover.status.level;
    changeover.on('promptShown', () => {});
    globalThis.release = changeover.hold('upload', { deadline: 5 });
    changeover.state('draft', { a: 1 });
    changeover.state('gone', { b: 2 })();
    globalThis.answer = changeover.reload();`;
  const page = await browser.newPage();
  await page.goto(site.origin);
  assert.equal(await page.evaluate(() => early), 'starting');
  await connected(page);
  assert.deepEqual(await page.evaluate(() => asked), [
    ['on', 'promptShown', 'function'],
    ['hold', 'upload', { deadline: 5 }],
    ['state', 'draft', { a: 1 }],
  ]);
  const later = await page.evaluate(() => {
    /** @type {unknown[]} */ (/** @type {unknown} */ (asked)).length = 0;
    release();
    changeover.on('skewFound', () => {})();
    return [asked, changeover.trace()];
  });
  assert.deepEqual(later, [[['undo hold', 'upload'], ['on', 'skewFound', 'function'], ['undo on', 'skewFound']], 'trace']);
});

withBrowser('the instance that is there first stays; an inline loader works too', {}, async (t, browser) => {
  const site = await startSite({ runtime: RUNTIME });
  t.after(site.close);
  const script = await loaderScript();
  site.answers['/inline'] = `<!doctype html><script data-release="${RELEASE}" data-build="one" data-runtime="/runtime.js">${script}</script>`;
  const page = await browser.newPage();
  await page.goto(site.origin);
  await connected(page);
  const same = await page.evaluate(async () => {
    const first = changeover;
    const again = document.createElement('script');
    again.src = '/changeover.js';
    again.dataset.release = '/other.json';
    await new Promise((done) => document.head.append(Object.assign(again, { onload: done })));
    return [changeover === first, /** @type {Record<symbol, unknown>} */ (globalThis)[Symbol.for('changeover')] === first];
  });
  assert.deepEqual(same, [true, true]);
  await page.goto(`${site.origin}/inline`);
  await connected(page);
  assert.equal(await page.evaluate(() => globalThis.page.options.build), 'one');
});

withBrowser('a script tag without a usable URL does no harm', {}, async (t, browser) => {
  const site = await startSite({ head: WATCHING, attributes: { 'data-release': 'http://[', 'data-runtime': 'http://[' } });
  t.after(site.close);
  const page = await browser.newPage();
  await page.goto(site.origin);
  await levelIs(page, 'loader');
  assert.deepEqual(await page.evaluate(() => seen), []);
});

withBrowser('the runtime is fetched after the page has loaded, but at once when state is waiting', {}, async (t, browser) => {
  const site = await startSite({ runtime: RUNTIME, body: '<img src="/slow.png">' });
  t.after(site.close);
  let finish;
  site.answers['/slow.png'] = (request, response) => (finish = () => response.end());
  const page = await browser.newPage();
  await page.goto(site.origin, { waitUntil: 'domcontentloaded' });
  await new Promise((done) => setTimeout(done, 1000));
  assert.equal(site.count('/runtime.js'), 0);
  /** @type {() => void} */ (/** @type {unknown} */ (finish))();
  await connected(page);

  await page.evaluate((path) => sessionStorage.setItem(`changeover:${path}:envelope`, '{"format":1,"states":{}}'), RELEASE);
  await page.reload({ waitUntil: 'domcontentloaded' });
  await connected(page);
  assert.notEqual(await page.evaluate(() => document.readyState), 'complete');
  /** @type {() => void} */ (/** @type {unknown} */ (finish))();
});

/** @typedef {[type: string, run: unknown, options: any, target: EventTarget]} Listening */

/** Counts what is open: listeners on window and document, and timers. */
const COUNTING = () => {
  const timers = new Set();
  const { addEventListener, removeEventListener } = EventTarget.prototype;
  /** @type {Listening[]} */
    const listeners = [];
  const same = (/** @type {Listening} */ a, /** @type {Listening} */ [type, run, options, target]) => a[0] === type && a[1] === run && Boolean(a[2]?.capture ?? a[2]) === Boolean(options?.capture ?? options) && a[3] === target;
  EventTarget.prototype.addEventListener = function (type, run, options) {
    const target = this ?? globalThis;
    if (target === globalThis || target === document) listeners.push([type, run, options, target]);
    return addEventListener.call(target, type, run, options);
  };
  EventTarget.prototype.removeEventListener = function (type, run, options) {
    const target = this ?? globalThis;
    const index = listeners.findIndex((entry) => same(entry, [type, run, options, target]));
    if (index >= 0) listeners.splice(index, 1);
    return removeEventListener.call(target, type, run, options);
  };
  for (const [start, stop] of [['setTimeout', 'clearTimeout'], ['setInterval', 'clearInterval']]) {
    const begin = /** @type {Record<string, Function>} */ (/** @type {unknown} */ (globalThis))[start];
    const end = /** @type {Record<string, Function>} */ (/** @type {unknown} */ (globalThis))[stop];
    /** @type {Record<string, Function>} */ (/** @type {unknown} */ (globalThis))[start] = (/** @type {Function} */ run, /** @type {unknown[]} */ ...more) => {
      const id = begin((/** @type {unknown[]} */ ...args) => {
        if (start === 'setTimeout') timers.delete(id);
        run(...args);
      }, ...more);
      timers.add(id);
      return id;
    };
    /** @type {Record<string, Function>} */ (/** @type {unknown} */ (globalThis))[stop] = (/** @type {string} */ id) => (timers.delete(id), end(id));
  }
  /** @type {{count: unknown}} */ (globalThis).count = () => ({ listeners: listeners.length, timers: timers.size });
};

withBrowser('dispose() leaves no listener, timer or banner, at every level', {}, async (t, browser) => {
  for (const level of /** @type {const} */ (['starting', 'full', 'loader'])) {
    const site = await startSite({ runtime: level === 'full' ? RUNTIME : null });
    t.after(site.close);
    let finish = () => {};
    if (level === 'starting') site.answers['/runtime.js'] = (request, response) => (finish = () => send(response, 200, RUNTIME, '.js'));
    const page = await browser.newPage();
    await page.evaluateOnNewDocument(COUNTING);
    await page.goto(site.origin);
    await levelIs(page, level);
    if (level === 'loader') {
      site.publish(101, 'two');
      await until(page, (/** @type {string} */ selector) => document.querySelector(selector), BANNER);
    }
    const before = await page.evaluate(() => count());
    assert.ok(before.listeners >= 5, `${level}: ${JSON.stringify(before)}`);
    if (level === 'starting') while (!site.count('/runtime.js')) await new Promise((go) => setTimeout(go, 20));
    await page.evaluate(() => changeover.dispose());
    finish();
    await new Promise((go) => setTimeout(go, 200));
    assert.deepEqual(await page.evaluate(() => count()), { listeners: 0, timers: 0 }, level);
    assert.equal(await page.$(BANNER), null);
    if (level !== 'full') assert.equal(await page.evaluate(() => changeover.status.level), 'off');
    const asked = site.count(RELEASE);
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange', { bubbles: true })));
    await new Promise((go) => setTimeout(go, 200));
    assert.equal(site.count(RELEASE), asked);
  }
});

withBrowser('a runtime that dies leaves the loader level with the listeners of the app', {}, async (t, browser) => {
  const site = await startSite({ runtime: RUNTIME, attributes: { 'data-prompt': 'off' } });
  t.after(site.close);
  const page = await browser.newPage();
  await page.goto(site.origin);
  await connected(page);
  await page.evaluate(() => {
    globalThis.told = [];
    changeover.on('promptShown', ({ prompt }) => told.push(prompt.build));
    /** @type {typeof globalThis.page} */ (/** @type {unknown} */ (page)).degrade('panic: somewhere');
  });
  await levelIs(page, 'loader');
  site.publish(101, 'two');
  await until(page, () => told.length);
  assert.deepEqual(await page.evaluate(() => [told, changeover.status.levelReason]), [['two'], 'panic: somewhere']);
});
