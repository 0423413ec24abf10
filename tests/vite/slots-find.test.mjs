// What is found in a module, whatever way it is written.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { parseAst as parseRolldown } from 'rolldown/parseAst';
import { parseAst as parseRollup } from 'rollup/parseAst';
import { SourceMap } from 'node:module';
import { PACKAGE } from './support.mjs';

/** @typedef {(code: string) => object} Parse */

const load = (/** @type {string} */ name) => import(pathToFileURL(join(PACKAGE, name)).href);
const { findEdges, schemaOf, textOf } = await load('vite-slots-find.js');
const { applyEdits } = await load('vite-slots-edit.js');
const { readSlots, slotOf } = await load('vite-slots-names.js');

/**
 * Slots, lazies and wrapped imports of `code`, as texts.
 *
 * @param {Parse} parse
 * @param {string} code
 */
function found(parse, code, auto = true) {
  const { imports, calls, wrapped } = findEdges(parse(code), auto);
  const asked = (/** @type {{source: unknown}[]} */ list) => list.map(({ source }) => textOf(source)).join('+');
  return {
    imports: imports.length,
    calls: calls.map((/** @type {{kind: string, id: unknown, imports: {source: unknown}[]}} */ { kind, id, imports }) => [kind, ...(kind === 'slot' ? [textOf(id)] : []), asked(imports)].join(' ')),
    wrapped: asked([...wrapped]),
  };
}

const OWN = "import { slot, lazy } from 'changeover/slots';\n";

for (const [parser, parse] of /** @type {[string, Parse][]} */ ([['Rollup', parseRollup], ['Rolldown', parseRolldown]])) {
  const calls = (/** @type {string} */ code) => found(parse, code).calls;

  test(`${parser}: a slot is found under every name that it was imported by`, () => {
    assert.deepEqual(calls(`${OWN}slot('cart', () => import('./Cart.js'))`), ['slot cart ./Cart.js']);
    assert.deepEqual(calls("import { slot as place } from 'changeover/slots'; place(`cart`, () => import(`./Cart.js`))"), ['slot cart ./Cart.js']);
    assert.deepEqual(calls("import * as all from 'changeover/slots'; all.slot('a', () => import('./a')); all['slot']('b', () => import('./b'))"), ['slot a ./a', 'slot b ./b']);
    assert.deepEqual(calls("import * as R from 'changeover/react'; import { lazy as later } from 'changeover/vue'; R.lazy(() => import('./a')); later(() => import('./b'))"), ['lazy ./a', 'lazy ./b']);
    assert.deepEqual(calls("import { 'slot' as s } from 'changeover/slots'; s('a', () => import('./a'))"), ['slot a ./a']);
  });

  test(`${parser}: names that are not ours are left alone`, () => {
    assert.deepEqual(calls("import { slot } from './slots'; slot('cart', () => import('./Cart.js'))"), []);
    assert.deepEqual(calls("import all from 'changeover'; all.slot('cart', () => import('./Cart.js'))"), []);
    for (const shadow of [
      "function f(slot) { slot('cart', () => import('./Cart.js')) }",
      "const f = ({ a: [slot] = [], ...rest }) => slot('cart', () => import('./Cart.js'));",
      "{ const slot = f; slot('cart', () => import('./Cart.js')) }",
      "try {} catch (slot) { slot('cart', () => import('./Cart.js')) }",
      "for (const slot of f) slot('cart', () => import('./Cart.js'))",
      "function f() { if (a) { var slot = 1 } return () => slot('cart', () => import('./Cart.js')) }",
      "(function slot() { slot('cart', () => import('./Cart.js')) })()",
      "const o = { slot() {}, f() { this.slot('cart', () => import('./Cart.js')); other.slot('cart', () => import('./Cart.js')) } }",
    ]) assert.deepEqual(calls(`${OWN}${shadow}`), [], shadow);
    assert.deepEqual(calls(`${OWN}function f(other) { const g = (slot) => slot; return slot('cart', () => import('./Cart.js')) }`), ['slot cart ./Cart.js']);
    assert.deepEqual(calls(`${OWN}// slot('x', () => import('./x'))\nconst text = "slot('y', () => import('./y'))"; const r = /slot\\('z', import\\('z'\\)/`), []);
  });

  test(`${parser}: the function that loads may be written in many ways, or be a constant of the module`, () => {
    for (const loader of [
      "() => import('./a')", "async () => await import('./a')", "() => { return import('./a') }", "function () { return import('./a') }",
      "() => import('./a').then((m) => ({ default: m.A }))", "(() => import('./a'))", "() => (0, import('./a'))", "() => import(/* @vite-ignore */ './a')",
      "() => retry(() => import('./a'))", 'load', 'later',
    ]) assert.deepEqual(calls(`${OWN}const load = () => import('./a'); function later() { return import('./a') }\nslot('a', ${loader});`), ['slot a ./a'], loader);
    assert.deepEqual(calls(`${OWN}slot('a', unknown); slot('b', () => fetch('x')); slot('c'); slot(name, () => import('./c'))`), ['slot a ', 'slot b ', 'slot c ', 'slot  ./c']);
    assert.deepEqual(calls(`${OWN}let load = () => import('./a'); slot('a', load)`), ['slot a '], 'it may be another when it is called');
    assert.deepEqual(calls(`${OWN}slot('a', () => (x ? import('./a') : import('./b')))`), ['slot a ./a+./b']);
  });

  test(`${parser}: auto finds what frameworks wait for, and only that`, () => {
    /** @type {(code: string, auto?: boolean) => string} */
    const wrapped = (code, auto) => found(parse, code, auto).wrapped;
    assert.equal(wrapped("import React, { lazy } from 'react'; lazy(() => import('./a')); React.lazy(() => import('./b'))"), './a+./b');
    assert.equal(wrapped("import * as R from 'react'; R.lazy(() => import('./a'))"), './a');
    assert.equal(wrapped("import { lazy as l } from 'solid-js'; import { lazy as p } from 'preact/compat'; l(() => import('./a')); p(() => import('./b'))"), './a+./b');
    assert.equal(wrapped("import { defineAsyncComponent as d } from 'vue'; d(() => import('./a')); d({ delay: 1, loader: () => import('./b'), loadingComponent: () => import('./no') })"), './a+./b');
    assert.equal(wrapped("const load = () => import('./c'); export const routes = [{ path: '/', component: () => import('./a') }, { component: load }, { lazy: async () => ({ Component: (await import('./b')).default }) }]"), './a+./c+./b');
    assert.equal(wrapped("import { lazy } from 'lodash'; lazy(() => import('./a')); const o = { other: () => import('./b') }; import('./c')"), '');
    assert.equal(wrapped("import { lazy } from 'react'; lazy(() => import('./a'))", false), '');
    assert.equal(wrapped("import { lazy } from 'react'; const f = (lazy) => lazy(() => import('./a'))"), '');
  });

  test(`${parser}: imports whose target is known only at run time, or is no script, are none`, () => {
    assert.equal(found(parse, "import(name); import(`./${a}.js`); import('./a' + b); import('./x.json', { with: { type: 'json' } })").imports, 0);
    assert.equal(found(parse, "import('./a'); import(`./b`); (async () => { for await (const x of y) await import('./c') })()").imports, 3);
  });

  test(`${parser}: a schema is read when it is a plain number`, () => {
    const schema = (/** @type {string} */ code) => schemaOf(parse(code));
    assert.equal(schema('export const schema = 3;'), 3);
    assert.equal(schema('const a = 1, s = 4; export { a, s as schema };'), 4);
    assert.equal(schema('export let schema = 3;'), null);
    assert.equal(schema('export const schema = 1 + 1;'), null);
    assert.equal(schema("export { schema } from './schema.js';"), undefined);
    assert.equal(schema('const schema = 3; export const other = schema;'), undefined);
    assert.equal(schema('const schema = 3; export default { schema };'), undefined);
  });

  test(`${parser}: an edit between characters of every kind hits its place`, () => {
    const code = "const a = '🎉ü—'; /* 漢字 */ const b = () => import('./a'); // é\nconst c = b;";
    const [node] = findEdges(parse(code), false).imports;
    assert.equal(applyEdits(code, [{ ...node, text: 'load("x")' }]).code, code.replace("import('./a')", 'load("x")'));
  });
}

test('a source map leads from each word of the result to its place in the source', () => {
  const code = "import x from 'x';\nconst one = () => import('./one.js'), two = 2;\n\nfunction three() {\n  return one(two);\n}\n";
  const start = code.indexOf("import('./one.js')");
  const { code: result, map } = applyEdits(code, [{ start, end: start + "import('./one.js')".length, text: '__load("one")' }], { tail: '\nimport "y";\n', source: '/src/a.js' });
  assert.equal(result, `${code.replace("import('./one.js')", '__load("one")')}\nimport "y";\n`);
  assert.deepEqual([map.version, map.sources, map.sourcesContent], [3, ['/src/a.js'], [code]]);
  const reader = new SourceMap(map);
  const placeOf = (/** @type {string} */ text, /** @type {string} */ word, from = 0) => {
    const lines = text.slice(0, text.indexOf(word, from)).split('\n');
    return [lines.length - 1, /** @type {string} */ (lines.at(-1)).length];
  };
  for (const word of ['one', 'two', 'three', 'return', 'x', '2']) {
    const { originalLine, originalColumn } = /** @type {import('node:module').SourceMapping} */ (reader.findEntry(.../** @type {[number, number]} */ (placeOf(result, word))));
    assert.deepEqual([originalLine, originalColumn], placeOf(code, word), word);
  }
  const { originalLine, originalColumn } = /** @type {import('node:module').SourceMapping} */ (reader.findEntry(.../** @type {[number, number]} */ (placeOf(result, '__load'))));
  assert.deepEqual([originalLine, originalColumn], placeOf(code, "import('./one.js')"));
});

test('patterns say which module is which slot', () => {
  const { patterns } = readSlots(['auto', { 'route:*': 'src/routes/*.jsx', 'page:*': ['./src/pages/**/*.{js,vue}', 'lib/p-*.js'], cart: { module: 'src/Cart.js', schema: 3 } }]);
  const id = (/** @type {string} */ path) => slotOf(path, patterns)?.id;
  assert.equal(id('src/routes/Home.jsx'), 'route:Home');
  assert.equal(id('src/routes/admin/Home.jsx'), undefined);
  assert.equal(id('src/pages/Home.vue'), 'page:Home');
  assert.equal(id('src/pages/admin/users/List.js'), 'page:admin/users/List');
  assert.equal(id('src/pages/Home.jsx'), undefined);
  assert.equal(id('lib/p-one.js'), 'page:one');
  assert.equal(id('lib/p-$1.js'), 'page:$1');
  assert.deepEqual(slotOf('src/Cart.js', patterns), { id: 'cart', schema: 3 });
  assert.equal(id('src/Cartxjs'), undefined);
});

test('an option that cannot be right is refused in a sentence', () => {
  for (const [option, sentence] of [
    ['all', 'changeover: the option "slots" is "all"; it must be "auto", false, or an object such as { "route:*": "src/routes/*.jsx" }.'],
    [{ cart: 'src/*.js' }, 'changeover: the option "slots" gives "cart" the module "src/*.js"; both or neither must have a "*", or several modules would be one slot.'],
    [{ 'cart:*': 'src/Cart.js' }, 'changeover: the option "slots" gives "cart:*" the module "src/Cart.js"; both or neither must have a "*", or several modules would be one slot.'],
    [{ '*:*': 'src/*.js' }, 'changeover: the option "slots" names a slot "*:*"; an id takes one "*" at most.'],
    [{ cart: 3 }, 'changeover: the option "slots" gives "cart" the module 3; it must be a path from the root such as "src/routes/*.jsx".'],
    [{ cart: { module: 'a.js', schema: 0 } }, 'changeover: the option "slots" gives "cart" the schema 0; it must be a whole number from 1.'],
    [{ cart: { modul: 'a.js' } }, 'changeover: the option "slots" gives "cart" the field "modul"; there are only module and schema.'],
    [{ 'a\nb': 'a.js' }, 'changeover: the option "slots" names a slot "a\\nb"; an id is 1 to 200 characters of plain text.'],
  ]) assert.throws(() => readSlots(option), { message: sentence, code: 'badOption' });
});
