// The glue of wasm-bindgen becomes a function, or the build fails: never a page.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { PACKAGE } from '../vite/support.mjs';
import { compile, glueOf, wasmOf } from './support.mjs';

/** @import { TestContext } from 'node:test' */

const { wasmSlotParts } = await import(join(PACKAGE, 'vite-wasm-slot.js'));

before(compile);

const partsOf = (/** @type {string} */ name, change = (/** @type {string} */ text) => text) => wasmSlotParts(Buffer.from(change(glueOf(name).toString())), wasmOf(name), 'counter_bg.wasm');

/**
 * An instance with its glue; what is exported needs no document until it is mounted.
 *
 * @param {TestContext} t
 * @param {string} name
 */
async function start(t, name) {
  const parts = partsOf(name);
  const folder = mkdtempSync(join(tmpdir(), 'changeover-glue-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'glue.mjs');
  writeFileSync(path, `${parts.code}\nexport { changeover_glue };\n`);
  const { changeover_glue } = await import(pathToFileURL(path).href);
  const glue = changeover_glue();
  const module = await WebAssembly.compile(parts.wasm);
  glue.start(await WebAssembly.instantiate(module, glue.imports), module);
  return glue;
}

test('the schemas of the state come from the Rust code', () => {
  assert.deepEqual(['first', 'second'].map((name) => [partsOf(name).schema, partsOf(name).reads]), [[1, []], [2, [1]]]);
});

test('glue and WebAssembly are one pair: another of either has another name', () => {
  const [first, second] = ['first', 'second'].map((name) => partsOf(name).id);
  const mixed = wasmSlotParts(glueOf('first'), wasmOf('second'), 'x').id;
  assert.equal(new Set([first, second, mixed]).size, 3);
  assert.equal(partsOf('first').id, first);
});

test('each call makes glue for an instance of its own, and glue without its instance does nothing', async (t) => {
  const [one, other] = await Promise.all([start(t, 'second'), start(t, 'second')]);
  const state = JSON.stringify({ count: 5, text: 'ten', ticks: 0 });
  const migrated = '{"counts":[5],"text":"ten","ticks":0}';
  assert.equal(one.exports.changeover_slot_migrate(1, state), migrated);
  const nothing = new Proxy(function () {}, { get: (_, key) => (key === 'buffer' ? new ArrayBuffer(0) : nothing), set: () => true, apply: () => 0 });
  one.drop(nothing);
  one.exports.changeover_slot_unmount();
  assert.equal(one.exports.changeover_slot_migrate(1, state), '');
  assert.equal(other.exports.changeover_slot_migrate(1, state), migrated, 'the other goes on');
});

test('a step that fails, and a schema that the build does not know, are errors with their sentence', async (t) => {
  const { exports } = await start(t, 'second');
  assert.throws(() => exports.changeover_slot_migrate(1, '{"count":-1,"text":"","ticks":0}'), { message: /^store "slot": the step 1 -> 2 \(up\) failed at count: invalid value: integer `-1`, expected u32$/ });
  assert.throws(() => exports.changeover_slot_migrate(7, '{}'), { message: /^store "slot" holds schema 7, which this build \(head 2, knows 1, 2\) does not know$/ });
  assert.throws(() => exports.changeover_slot_migrate(1, 'no json'), { message: /expected/ });
});

test('imports of snippets stay at the top of the module, and all kinds of exports are kept', () => {
  const { code } = partsOf('first', (text) => `import { now } from './snippets/clock.js';\n${text}`.replace('function __wbg_get_imports() {', 'export class Clock {\n}\nexport async function later() {\n}\nexport const Kind = {};\n$&'));
  assert.match(code, /^import \{ now \} from '\.\/snippets\/clock\.js';\nfunction changeover_glue\(\) \{\n/);
  assert.match(code, /return \{ exports: \{ changeover_slot_migrate, \w+, \w+, \w+, Clock, later, Kind \}/);
  assert.doesNotMatch(code.replace(/^import .*$/m, ''), /^(import|export)\b/m);
});

test('the table of objects that older targets use is emptied', () => {
  assert.match(partsOf('first', (text) => text.replace('let WASM_VECTOR_LEN', 'const heap = new Array(1024).fill(undefined);\n$&')).code, /heap\.length = 0;/);
});

test('glue of another shape fails the build and says what is odd', () => {
  const cases = [
    ['let wasmModule, wasmInstance, wasm;', 'let wasm;', 'has no line "let wasmModule, wasmInstance, wasm;"'],
    ['function __wbg_get_imports() {', 'function __wbg_get_imports(memory) {', 'has no line "function __wbg_get_imports() {"'],
    ['async function __wbg_load(module, imports) {', 'async function load(module) {', 'has no line "async function __wbg_load(module, imports) {"'],
    ['export { initSync, __wbg_init as default };', 'export default __wbg_init;', 'has no line "export { initSync, __wbg_init as default };"'],
    ['export { initSync, __wbg_init as default };', '$&\n__wbg_init();', 'does not end with "export { initSync, __wbg_init as default };"'],
    ['let WASM_VECTOR_LEN = 0;', 'let WASM_VECTOR_LEN = 0;\nexport { now };', 'exports something in a way of its own ("export { now };")'],
    ['let WASM_VECTOR_LEN = 0;', 'let WASM_VECTOR_LEN = import.meta.url;', 'uses import.meta where it is not expected'],
    ['let WASM_VECTOR_LEN = 0;', 'let cachedFloat64ArrayMemory0 = null;\n$&', 'keeps views of the memory that starting it does not set back'],
  ];
  for (const [from, to, what] of cases) {
    assert.throws(() => partsOf('first', (text) => {
      assert.ok(text.includes(from), from);
      return text.replace(from, to);
    }), { code: 'wasmSlotGlue', message: `changeover: the glue of "counter_bg.wasm" ${what}; it must be what wasm-bindgen 0.2.130 writes with --target web.` });
  }
});

test('WebAssembly that is no slot, or cannot be one, fails the build', () => {
  const header = [0, 97, 115, 109, 1, 0, 0, 0];
  const shares = [...header, 2, 15, 1, 3, ...Buffer.from('wbg'), 6, ...Buffer.from('memory'), 2, 0, 1];
  const cases = [
    [Buffer.from('<!doctype html>'), /is no WebAssembly\.$/],
    [Buffer.from(header), /is no slot; its crate must call changeover::slot!\(App\), and nothing may strip its custom sections\.$/],
    [Buffer.from(shares), /imports its memory "memory": WebAssembly with threads shares it, and cannot be swapped\.$/],
    [partsOf('first').wasm, /has been put together with its glue before\.$/],
  ];
  for (const [wasm, message] of cases) assert.throws(() => wasmSlotParts(glueOf('first'), wasm, 'app_bg.wasm'), { code: 'wasmSlotWasm', message });
});
