// Whatever can be cloned is kept as it is, under whatever text, also on its way through a migration.
import assert from 'node:assert/strict';

import { inBrowsers } from '../e2e/browsers.mjs';
import { openBuild, startStoreSite } from './site.mjs';

/** Runs in the page: one value of each kind, and what tells whether it is still the same. */
function prepareValues() {
  const cycle = { name: 'a cycle', list: [] };
  /** @type {unknown[]} */ (cycle.list).push(cycle);
  const shared = { x: 1 };
  // WebKitGTK keeps no blobs while it is automated: its profile is in memory.
  const blob = /AppleWebKit/.test(navigator.userAgent) && !/Chrome/.test(navigator.userAgent) ? null : new Blob(['blob text'], { type: 'text/plain' });
  globalThis.rich = () => ({
    name: 'Ada Byron',
    map: new Map(/** @type {[unknown, unknown][]} */ ([['k', new Date(5)], [{ o: 1 }, [1, 2]]])),
    set: new Set(['a', 2, new Date(7)]),
    date: new Date(123456789),
    blob,
    bytes: new Uint8Array([1, 2, 255]),
    floats: new Float64Array([0.1, NaN, -0, Infinity]),
    view: new DataView(new ArrayBuffer(3)),
    big: 2n ** 80n,
    cycle,
    twice: [shared, shared],
    pattern: /a+b/giu,
    error: new RangeError('out of range'),
    // oxlint-disable-next-line no-sparse-arrays -- the hole is what is tested
    holes: [1, , 3],
    undefined: undefined,
    zero: -0,
    nan: NaN,
    wrapped: new Number(4),
    odd: 'lone \ud800 surrogate, \u0000, 😀',
    ['__proto__x']: 1,
    '': 'an empty name',
  });
  globalThis.examine = async (value) => {
    const [[, date], [objectKey]] = value.map;
    return {
      map: date.getTime() === 5 && objectKey.o === 1,
      set: value.set.has('a') && [...value.set][2].getTime() === 7,
      date: value.date.getTime() === 123456789,
      blob: value.blob === blob || (value.blob instanceof Blob && value.blob.type === 'text/plain' && (await value.blob.text()) === 'blob text'),
      bytes: value.bytes instanceof Uint8Array && [...value.bytes].join() === '1,2,255',
      floats: value.floats instanceof Float64Array && Object.is(value.floats[1], NaN) && Object.is(value.floats[2], -0),
      view: value.view instanceof DataView && value.view.byteLength === 3,
      big: value.big === 2n ** 80n,
      cycle: value.cycle.list[0] === value.cycle,
      twice: value.twice[0] === value.twice[1],
      pattern: String(value.pattern) === '/a+b/giu',
      error: value.error instanceof RangeError && value.error.message === 'out of range',
      holes: value.holes.length === 3 && !(1 in value.holes),
      undefined: 'undefined' in value && value.undefined === undefined,
      zero: Object.is(value.zero, -0) && Object.is(value.nan, NaN),
      wrapped: Object.prototype.toString.call(value.wrapped) === '[object Number]' && value.wrapped.valueOf() === 4,
      odd: value.odd === 'lone \ud800 surrogate, \u0000, 😀',
      empty: value[''] === 'an empty name',
    };
  };
}

const allGood = (/** @type {Record<string, boolean>} */ found) => assert.deepEqual(Object.entries(found).filter(([, good]) => !good), []);

inBrowsers('values of every kind come back as they were, and pass through a migration', {}, async (t, browser) => {
  const site = await startStoreSite(t);
  await browser.open(`${site.url}/blank`);
  const one = await openBuild(browser, site, 1);
  await one.eval(prepareValues);
  assert.deepEqual(await one.eval(() => attempt(() => store.set('rich', rich()))), {});
  allGood(await one.eval(async () => examine(await store.get('rich'))));
  allGood(await one.eval(async () => examine((await store.list())[0][1])));
  assert.equal(await one.eval(() => attempt(() => store.update('rich', (value) => ({ ...value, more: 1 }))).then(({ code }) => code ?? 'written')), 'written');
  const two = await openBuild(browser, site, 2, { dwell: 0, census: 100 });
  await two.eval(prepareValues);
  allGood(await two.eval(async () => examine(await store.get('rich'))));
  assert.equal(await two.eval(() => attempt(() => store.update('rich', (value) => ({ ...value, note: 'by two' }))).then(({ code }) => code ?? 'written')), 'written');
  allGood(await one.eval(async () => examine(await store.get('rich'))));
  await one.close();
  await two.waitFor(async () => (await readHead()).schema === 2, { timeout: 20_000, what: `the migration, with ${await two.eval(() => warnings.join())}` });
  allGood(await two.eval(async () => examine(await store.get('rich'))));
  assert.deepEqual(await two.eval(async () => { const { first, last, note, more } = /** @type {Person} */ (await store.get('rich')); return { first, last, note, more }; }), { first: 'Ada', last: 'Byron', note: 'by two', more: 1 });
});

inBrowsers('a value of five megabytes is kept, also for the next schema', { only: ['chromium', 'webkit'] }, async (t, browser) => {
  const site = await startStoreSite(t);
  await browser.open(`${site.url}/blank`);
  const one = await openBuild(browser, site, 1);
  const sum = await one.eval(async () => {
    const bytes = new Uint8Array(5_000_000).map((_, at) => at * 31);
    await store.set('large', { name: 'Large Value', bytes, text: 'x'.repeat(1_000_000) });
    return bytes.reduce((sum, byte) => sum + byte, 0);
  });
  await one.close();
  const two = await openBuild(browser, site, 2, { dwell: 0, census: 100 });
  await two.waitFor(async () => (await readHead()).schema === 2, { timeout: 20_000 });
  assert.deepEqual(await two.eval(async () => { const { first, bytes, text } = /** @type {Person & {bytes: Uint8Array, text: string}} */ (await store.get('large')); return [first, bytes.reduce((/** @type {number} */ sum, /** @type {number} */ byte) => sum + byte, 0), text.length]; }), ['Large', sum, 1_000_000]);
});

inBrowsers('what cannot be kept is refused with the place in the value, and what is no key with the key', {}, async (t, browser) => {
  const site = await startStoreSite(t);
  const tab = await openBuild(browser, site, 1);
  const found = await tab.eval(async () => {
    const set = async (/** @type {unknown} */ key, /** @type {unknown} */ value) => Object.values(await attempt(() => store.set(/** @type {string} */ (key), /** @type {Person} */ (value))));
    return {
      values: [await set('k', { name: 'x', list: [1, { go() {} }] }), await set('k', { name: 'x', symbol: Symbol('s') }), await set('k', { name: 'x', node: document.body }), await set('k', undefined), await set('k', { name: 5 }), (await attempt(() => store.update('k', () => ({ name: 'x', map: new Map([['f', () => {}]]) })))).path],
      keys: [await set('', { name: 'x' }), await set(5, { name: 'x' }), await set(undefined, { name: 'x' }), await set('\ud800', { name: 'x' }), (await attempt(() => store.get(/** @type {never} */ (/** @type {unknown} */ (null))))).code, (await attempt(() => store.update(/** @type {never} */ (/** @type {unknown} */ ({})), () => /** @type {never} */ (/** @type {unknown} */ (1))))).code, (await attempt(() => store.delete(''))).code],
      thrown: await attempt(() => store.update('k', () => { throw new RangeError('mine'); })).catch((error) => error.message),
      left: await store.list(),
    };
  });
  const [deep, symbol, node, nothing, invalid, mapped] = found.values;
  assert.deepEqual([/** @type {NonNullable<typeof deep>} */ (deep)[0], /** @type {NonNullable<typeof deep>} */ (deep).at(-1)], ['not_cloneable', 'list[1].go']);
  assert.match(/** @type {string[]} */ (deep)[1], /^store "people": "k" cannot be cloned at list\[1\]\.go: /);
  assert.deepEqual([/** @type {NonNullable<typeof symbol>} */ (symbol)[0], /** @type {NonNullable<typeof symbol>} */ (symbol).at(-1), /** @type {NonNullable<typeof node>} */ (node)[0], /** @type {NonNullable<typeof node>} */ (node).at(-1), mapped], ['not_cloneable', 'symbol', 'not_cloneable', 'node', 'map.f']);
  assert.deepEqual(/** @type {NonNullable<typeof nothing>} */ (nothing).slice(0, 2), ['not_cloneable', 'store "people": "k" cannot be set to undefined; delete() removes a record']);
  assert.deepEqual(invalid, ['invalid_value', 'store "people": "k" is no value of schema 1 at name: Error: name is no text', 'people', 'name']);
  assert.deepEqual(found.keys.map((key) => (Array.isArray(key) ? key[0] : key)), Array(7).fill('invalid_key'));
  assert.deepEqual(found.left, []);
});

inBrowsers('any text that is not empty is a key, and lists are in the order of keys', {}, async (t, browser) => {
  const site = await startStoreSite(t);
  const tab = await openBuild(browser, site, 1);
  const found = await tab.eval(async () => {
    const keys = ['a', 'A', 'b', 'aa', 'a\u0000', ' ', '1', '10', '2', ':', ';', '1:', '2:x', '"quoted"', "it's", '\\', '/', '😀', 'é', 'e\u0301', '\uffff', '\uffffz', '\ufffe', '__proto__', 'constructor', 'head', '1;', 'k'.repeat(10_000), 'line\nbreak', '\u2028', '中文', '[1,"x"]'];
    for (const [at, key] of keys.entries()) await store.set(key, { name: `n ${at}` });
    const expected = [...keys].sort((one, other) => (one < other ? -1 : 1));
    const listed = (await store.list()).map(([key]) => key);
    const wrong = [];
    for (const [at, key] of keys.entries()) if ((await store.get(key))?.name !== `n ${at}`) wrong.push(key);
    const pages = [];
    for (let after; ; after = pages.at(-1)) {
      const rows = await store.list({ after, limit: 3 });
      if (!rows.length) break;
      pages.push(...rows.map(([key]) => key));
    }
    /** @type {string[]} */
    const heard = [];
    store.subscribe('😀', ({ key }) => heard.push(/** @type {string} */ (key)));
    await store.set('😀', { name: 'heard' });
    for (const key of keys) await store.delete(key);
    return { order: JSON.stringify(listed) === JSON.stringify(expected), paged: JSON.stringify(pages) === JSON.stringify(expected), wrong, left: (await store.list()).length, listed: listed.map((key) => key.slice(0, 12)), heard };
  });
  assert.ok(found.order, found.listed.join(' | '));
  assert.ok(found.paged);
  assert.deepEqual([found.wrong, found.left], [[], 0]);
  await tab.waitFor(() => changes.some(({ key, value }) => key === '😀' && value === undefined), { what: 'the removal to be told' });
});

inBrowsers('2500 records come in order, in portions, whatever is written meanwhile', {}, async (t, browser) => {
  const site = await startStoreSite(t);
  const tab = await openBuild(browser, site, 1, { people: 2_500 });
  const found = await tab.eval(async () => {
    /** @type {string[]} */
    const keys = [];
    for await (const [key] of store.entries()) {
      keys.push(key);
      if (keys.length === 500) await store.delete('person-002000');
      if (keys.length === 600) await store.set('person-000001', { name: 'written twice', tags: new Set() });
    }
    const first = await store.list();
    const rest = await store.list({ after: 'person-002400', limit: 5000 });
    return { count: keys.length, sorted: keys.every((key, at) => at === 0 || keys[at - 1] < key), first: first.length, rest: rest.length, none: (await store.list({ after: 'z' })).length, one: (await store.list({ limit: 1 }))[0][0] };
  });
  assert.deepEqual(found, { count: 2_499, sorted: true, first: 1_000, rest: 99, none: 0, one: 'person-000000' });
});
