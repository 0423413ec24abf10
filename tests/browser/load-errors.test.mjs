// Failed chunks in all their shapes, as the engine gets to see them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeFailure, textOf } from '../../pkg-template/load-errors.js';

const URL = 'https://shop.example/assets/Cart-8c1f.js';
const rejection = (/** @type {unknown} */ reason) => ({ type: 'unhandledrejection', reason });
const uncaught = (/** @type {unknown} */ error, filename = '') => ({ type: 'error', error, message: `Uncaught ${error}`, filename, target: {} });
const element = (/** @type {string} */ tagName, /** @type {object} */ more) => ({ type: 'error', target: { tagName, ...more } });

for (const [what, event, expected] of [
  ['a script tag', element('SCRIPT', { src: URL }), { kind: 'script', message: `${URL} failed to load`, url: URL }],
  ['a stylesheet', element('LINK', { href: URL, rel: 'stylesheet' }), { kind: 'style', message: `${URL} failed to load`, url: URL }],
  ['a module preload', element('LINK', { href: URL, rel: 'modulepreload' }), { kind: 'script', message: `${URL} failed to load`, url: URL }],
  ['import() in Chromium', rejection(new TypeError(`Failed to fetch dynamically imported module: ${URL}`)),
    { kind: 'error', message: `TypeError: Failed to fetch dynamically imported module: ${URL}`, url: URL }],
  ['import() in Firefox', rejection(new TypeError(`error loading dynamically imported module: ${URL}`)),
    { kind: 'error', message: `TypeError: error loading dynamically imported module: ${URL}`, url: URL }],
  ['import() in Safari', rejection(new TypeError('Importing a module script failed.')),
    { kind: 'error', message: 'TypeError: Importing a module script failed.', url: null }],
  ['webpack', rejection(Object.assign(new Error(`Loading chunk 5 failed.\n(error: ${URL})`), { name: 'ChunkLoadError', request: URL })),
    { kind: 'error', message: `ChunkLoadError: Loading chunk 5 failed.\n(error: ${URL})`, url: URL }],
  ['Vite, a style of a chunk', { type: 'vite:preloadError', payload: new Error('Unable to preload CSS for /assets/Cart-1.css') },
    { kind: 'import', message: 'Error: Unable to preload CSS for /assets/Cart-1.css', url: '/assets/Cart-1.css' }],
  ['HTML in place of a script', uncaught(new SyntaxError("Unexpected token '<'"), URL),
    { kind: 'error', message: "SyntaxError: Unexpected token '<'", url: URL }],
  ['an error that knows nothing', { type: 'error', message: 'Script error.', filename: '', target: {} }, { kind: 'error', message: 'Script error.', url: null }],
  ['a rejection with a string', rejection('no'), { kind: 'error', message: 'no', url: null }],
  ['a rejection with nothing', rejection(undefined), { kind: 'error', message: 'undefined', url: null }],
]) {
  test(`${what} is described`, () => assert.deepEqual(describeFailure(/** @type {Parameters<typeof describeFailure>[0]} */ (event)), expected));
}

test('elements that load no code of the app are no failure', () => {
  for (const more of [
    { rel: 'preload', as: 'image' },
    { rel: 'preload', as: 'font' },
    { rel: 'preload', as: 'fetch' },
    { rel: 'prefetch', as: 'script' },
    { rel: 'icon', as: '' },
    { rel: 'manifest', as: '' },
  ]) {
    assert.equal(describeFailure(element('LINK', { href: URL, ...more })), null, `${more.rel} ${more.as}`);
  }
  assert.equal(describeFailure(element('IMG', { src: URL })), null);
  assert.equal(describeFailure(element('STYLE', { sheet: null })), null, 'a style of CSS-in-JS that a policy blocked');
  for (const as of ['script', 'style', 'worker']) {
    assert.equal(/** @type {{kind: string}} */ (describeFailure(element('LINK', { href: URL, rel: 'preload', as }))).kind, as === 'style' ? 'style' : 'script');
  }
});

test('what is no failure is none', () => {
  for (const type of ['online', 'visibilitychange']) assert.equal(describeFailure({ type, target: {} }), null);
});

test('whatever is thrown has a text, and not a long one', () => {
  const odd = { get name() { throw new Error('trap'); } };
  assert.equal(textOf(odd), 'something that cannot be shown was thrown');
  assert.equal(textOf(Object.create(null)), 'something that cannot be shown was thrown');
  assert.equal(textOf(Symbol('x')), 'Symbol(x)');
  assert.equal(textOf('x'.repeat(9_999)).length, 500);
});

test('what URLs may keep secret is not told', () => {
  const secret = 'https://ada:pw@shop.example/assets/Cart-8c1f.js?token=secret#secret';
  for (const event of [
    element('SCRIPT', { src: secret }),
    element('LINK', { href: secret, rel: 'stylesheet' }),
    rejection(new TypeError(`Failed to fetch dynamically imported module: ${secret}`)),
    rejection(Object.assign(new Error(`Loading chunk 5 failed.\n(error: ${secret})`), { name: 'ChunkLoadError', request: secret })),
    uncaught(new SyntaxError("Unexpected token '<'"), secret),
  ]) {
    const told = describeFailure(/** @type {Parameters<typeof describeFailure>[0]} */ (event));
    assert.equal(/** @type {{url: string | null, message: string}} */ (told).url, URL);
    assert.doesNotMatch(/** @type {{url: string | null, message: string}} */ (told).message, /secret|pw/);
  }
  assert.deepEqual(describeFailure({ type: 'vite:preloadError', payload: new Error('Unable to preload CSS for /assets/Cart-1.css?token=secret') }), {
    kind: 'import', message: 'Error: Unable to preload CSS for /assets/Cart-1.css', url: '/assets/Cart-1.css',
  });
  assert.equal(textOf('Why? Import #3 of 1/2'), 'Why? Import #3 of 1/2');
});
