// A small app that keeps people in a durable store, in builds whose schemas differ; a plain static server serves all.
//
// `/app?build=2` is the page of build 2. Its spec comes from `BUILDS`, its options from further parameters; what happens is
// kept on `globalThis`: `store`, `changes`, `modes`, `progress`, `failed`.
import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';

import { INSTRUMENT } from '../e2e/instrument.mjs';
import { packageDir } from '../e2e/site.mjs';
import { WOUND } from '../e2e/wound.mjs';

/** @import { ServerResponse } from 'node:http' */
/** @import { AddressInfo } from 'node:net' */
/** @import { TestContext } from 'node:test' */
/** @import { StoreProgress } from '../../pkg-template/index.js' */
/** @import { Browser } from '../e2e/types.d.ts' */
/** @typedef {Awaited<ReturnType<typeof startStoreSite>>} StoreSite */

/** @type {Record<string, string>} */
const TYPES = { '.js': 'text/javascript', '.wasm': 'application/wasm', '.html': 'text/html', '.json': 'application/json' };

/** The page's script. It runs in the browser. */
const app = String.raw`
import { createChangeover } from '/package/index.js';

const given = new URLSearchParams(location.search);
const number = (name, otherwise) => (given.has(name) ? Number(given.get(name)) : otherwise);

/* 1: {name, extra…}. 2: {first, last, note}. 3: {first, last, tags}; its way down loses the tags. */
const oneToTwo = {
  from: 1, to: 2, id: 'split the name', lossy: 'down',
  up: ({ name, ...rest }) => {
    if (globalThis.brake) for (const end = performance.now() + globalThis.brake; performance.now() < end; );
    const [first, ...last] = name.split(' ');
    return { first, last: last.join(' '), note: '', ...rest };
  },
  down: ({ first, last, note, ...rest }) => ({ name: (first + ' ' + last).trim(), ...rest }),
};
const twoToThree = {
  from: 2, to: 3, id: 'tags', lossy: 'down',
  up: ({ note, ...rest }) => ({ ...rest, tags: note ? [note] : [] }),
  down: ({ tags, ...rest }) => ({ ...rest, note: tags[0] ?? '' }),
};
const isText = (value, path) => {
  if (typeof value !== 'string') throw Object.assign(new Error(path + ' is no text'), { path });
};
const BUILDS = {
  1: { schema: 1, validate: (value) => isText(value.name, 'name') },
  2: { schema: 2, migrations: [oneToTwo], validate: (value) => isText(value.first, 'first') },
  3: { schema: 3, migrations: [oneToTwo, twoToThree], validate: (value) => void value.tags.length },
  async: { schema: 2, migrations: [{ ...oneToTwo, up: async (value) => oneToTwo.up(value), down: async (value) => oneToTwo.down(value) }] },
  throws: { schema: 2, migrations: [{ ...oneToTwo, up() { throw Object.assign(new Error('a bad day'), { path: 'name' }); } }] },
  hangs: { schema: 2, budget: 300, migrations: [{ ...oneToTwo, up: () => new Promise(() => {}) }] },
  invalid: { schema: 2, migrations: [{ ...oneToTwo, up: (value) => ({ ...oneToTwo.up(value), first: 5 }) }], validate: (value) => isText(value.first, 'first') },
  nothing: { schema: 2, migrations: [{ ...oneToTwo, up() {} }] },
  loses: { schema: 2, migrations: [{ ...oneToTwo, up: (value) => { const { born, ...rest } = oneToTwo.up(value); return rest; } }] },
  oneWay: { schema: 2, migrations: [{ ...oneToTwo, down: undefined, lossy: undefined }] },
  branch: { schema: 2, migrations: [{ ...oneToTwo, id: 'another branch' }] },
  gap: { schema: 3, migrations: [oneToTwo], reads: [1, 2, 3] },
};
const spec = {
  ...BUILDS[given.get('build')],
  census: number('census', 200), dwell: number('dwell', 1000), retention: number('retention', 60_000), batch: number('batch', 500),
};
if (given.has('initial')) spec.initial = JSON.parse(given.get('initial'));
const person = (at) => ({ name: 'Ada' + at + ' Byron' + at, street: '12 St James Square', born: new Date(at * 86_400_000), tags: new Set(['a', at]) });
const keyOf = (at) => 'person-' + String(at).padStart(6, '0');
if (given.has('people')) spec.initial = () => Object.fromEntries(Array.from({ length: number('people', 0) }, (_, at) => [keyOf(at), person(at)]));
globalThis.warnings = [];
const { warn } = console;
console.warn = (...words) => {
  warnings.push(words.join(' '));
  warn(...words);
};
globalThis.changes = [];
globalThis.modes = [];
globalThis.progress = [];
globalThis.failed = null;
globalThis.changeover = createChangeover({ release: '/none/release.json', build: given.get('build'), prompt: false });
globalThis.oneToTwo = oneToTwo;
globalThis.openStore = (name = given.get('store') ?? 'people', more = {}) => changeover.store(name, { ...spec, ...more });
try {
  globalThis.store = openStore();
  globalThis.unsubscribe = store.subscribe((change) => changes.push(change));
  store.onMode((mode) => modes.push(mode));
  store.onProgress((step) => {
    progress.push(step);
    globalThis.onStep?.(step);
    if (progress.length === number('stop', Infinity)) {
      const word = new XMLHttpRequest();
      word.open('POST', '/stopped', false);
      word.send(JSON.stringify(step));
      // Nothing after this step happens until the page is killed.
      for (;;);
    }
  });
  await store.ready();
} catch (error) {
  globalThis.failed = { code: error.code, message: error.message };
}
/** Runs something of the store and answers with its value or with its error. */
globalThis.attempt = async (run) => {
  try {
    const value = await run();
    return value === undefined ? {} : { value };
  } catch (error) {
    const { code, message, store, step, path } = error;
    return JSON.parse(JSON.stringify({ code, message, store, step, path }));
  }
};
/** Compares every record with what the people were made with: how many there are, and the first that are not as they should be. */
globalThis.inspect = async (people) => {
  let count = 0;
  const wrong = [];
  for await (const [key, value] of store.entries()) {
    const old = person(count);
    const right = spec.schema === 1 ? old : oneToTwo.up(old);
    const same = key === keyOf(count) && JSON.stringify(value) === JSON.stringify(reordered(right, value)) && value.tags.has(count) && +value.born === +old.born;
    if (!same && wrong.length < 3) wrong.push([key, value]);
    count += 1;
  }
  return { count, wrong, whole: count === people && wrong.length === 0 };
};
const reordered = (value, like) => ({ ...Object.fromEntries(Object.keys(like).map((name) => [name, value[name]])), ...value });
/** The head of the store as it stands in the database. */
globalThis.readHead = (name = given.get('store') ?? 'people') =>
  new Promise((done, fail) => {
    const request = indexedDB.open('changeover:/none/release.json:store:' + name);
    request.onerror = () => fail(request.error);
    request.onsuccess = () => {
      const read = request.result.transaction('entries').objectStore('entries').get('head');
      read.onsuccess = () => {
        request.result.close();
        done(read.result ? JSON.parse(read.result) : null);
      };
    };
  });
globalThis.everything = async () => {
  const all = {};
  for await (const [key, value] of store.entries()) all[key] = value;
  return all;
};
document.title = 'ready';
`;

/** Runs in the page before all else: takes away what `lacks` names. */
function remove() {
  const lacks = new URLSearchParams(location.search).get('lacks');
  if (lacks === 'locks') Object.defineProperty(Navigator.prototype, 'locks', { value: undefined, configurable: true });
  else if (lacks === 'locking') LockManager.prototype.request = () => Promise.reject(new DOMException('this page may not lock', 'SecurityError'));
  else if (lacks) Object.defineProperty(globalThis, lacks, { value: undefined, configurable: true });
}

/**
 * Starts the server; it ends with the test.
 *
 * @param {TestContext} [t]
 */
export async function startStoreSite(t) {
  /** @type {((step: StoreProgress) => void)[]} */
  const waiting = [];
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(/** @type {string} */ (request.url), 'http://here');
    if (pathname === '/stopped') {
      let word = '';
      request.on('data', (part) => (word += part));
      request.on('end', () => {
        answer(response, '.json', '{}');
        waiting.shift()?.(JSON.parse(word));
      });
      return;
    }
    if (pathname === '/app') return answer(response, '.html', `<!doctype html><meta charset="utf-8"><title>…</title><link rel="icon" href="data:,">${INSTRUMENT}${searchParams.has('wound') ? WOUND : ''}<script>(${remove})()</script><script type="module" src="/app.js"></script>`);
    if (pathname === '/blank') return answer(response, '.html', '<!doctype html><title>blank</title><link rel="icon" href="data:,">');
    if (pathname === '/app.js') return answer(response, '.js', app);
    const file = join(packageDir(), pathname.replace(/^\/package\//, ''));
    if (!pathname.startsWith('/package/') || !existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream', 'cache-control': 'no-cache' });
    createReadStream(file).pipe(response);
  });
  await new Promise((/** @type {(value?: undefined) => void} */ done) => server.listen(0, '127.0.0.1', done));
  const close = () => {
    server.closeAllConnections();
    return new Promise((done) => server.close(done));
  };
  t?.after(close);
  return {
    url: `http://127.0.0.1:${/** @type {AddressInfo} */ (server.address()).port}`,
    close,
    /**
     * The next step at which a page stops.
     *
     * @type {() => Promise<StoreProgress>}
     */
    stopped: () => new Promise((done) => waiting.push(done)),
  };
}

/** @type {(response: ServerResponse, type: string, body: string) => void} */
function answer(response, type, body) {
  response.writeHead(200, { 'content-type': TYPES[type], 'cache-control': 'no-cache' });
  response.end(body);
}

/**
 * Opens the page of a build and waits until its store can be used, or is known to be refused.
 *
 * @param {Browser} browser
 * @param {{url: string}} site
 * @param {string | number} build
 * @param {Record<string, string | number>} options further parameters of the page
 */
export async function openBuild(browser, site, build, options = {}) {
  const query = new URLSearchParams(/** @type {Record<string, string>} */ ({ build, ...options }));
  const tab = await browser.open(`${site.url}/app?${query}`);
  await tab.waitFor(() => document.title === 'ready', { timeout: 20_000, what: `the app of build ${build}` });
  return tab;
}
