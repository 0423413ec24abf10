// What is in the package, and what must not be.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { transform } from 'esbuild';
import { PACKAGE, ROOT, packed } from './support.mjs';

/** @import { SpawnSyncReturns } from 'node:child_process' */

const text = (/** @type {string} */ name) => readFileSync(join(PACKAGE, name), 'utf8');
const KITS = ['adapters', 'adopt', 'react', 'slots', 'testing', 'vue', 'wasm-slot'];
/** What the runtime fetches when a page first needs it. */
const PARTS = ['prompt.js', 'states.js'];
const STORES = ['stores.js', 'stores-slim.js'];
/** The Vite plugin, file by file as in the sources. */
const PLUGIN = [
  'vite.js', 'vite-common.js', 'vite-compare.js', 'vite-dev.js', 'vite-documents.js', 'vite-files.js', 'vite-graph.js', 'vite-manifest.js', 'vite-options.js', 'vite-parts.js',
  'vite-release.js', 'vite-slots.js', 'vite-slots-dev.js', 'vite-slots-edit.js', 'vite-slots-files.js', 'vite-slots-find.js', 'vite-slots-graph.js', 'vite-slots-names.js',
  'vite-stores.js', 'vite-tags.js', 'vite-wasm-slot.js',
];
const SCRIPTS = ['changeover.js', 'index.js', 'index.cjs', 'runtime.js', 'runtime-slim.js', 'runtime-slots-slim.js', ...PARTS, ...STORES, ...KITS.flatMap((name) => [`${name}.js`, `${name}.cjs`])];

test('the tarball holds the documented files and no others', () => {
  const platform = `${process.platform}-${process.arch}`;
  const names = packed().files.map(({ path }) => path).sort();
  const documented = [
    ...SCRIPTS, ...['index', 'enums', ...KITS].flatMap((name) => [`${name}.d.ts`, `${name}.d.cts`]), 'changeover.wasm', 'changeover-slots.wasm', 'stores.wasm', ...PLUGIN, 'vite.d.ts', 'bin/changeover.mjs', 'package.json',
    `native/${platform}/changeover${process.platform === 'win32' ? '.exe' : ''}`, 'README.md',
  ];
  assert.deepEqual(names, documented.sort());
});

test('every path that package.json names is in the tarball', () => {
  const names = new Set(packed().files.map(({ path }) => `./${path}`));
  /** @type {string[]} */
  const named = [];
  const walk = (/** @type {unknown} */ value) => {
    if (typeof value === 'string') named.push(value);
    else if (value && typeof value === 'object') Object.values(value).forEach(walk);
  };
  const { exports, main, module, types, unpkg, jsdelivr, bin, sideEffects } = JSON.parse(text('package.json'));
  walk([exports, main, module, types, unpkg, jsdelivr, bin, sideEffects]);
  assert.ok(named.length > 10, 'package.json names its entry points');
  for (const path of named) assert.ok(names.has(path), `${path} is named by package.json but missing`);
});

test('the package runs nothing when it is installed', () => {
  const { scripts, dependencies } = JSON.parse(text('package.json'));
  assert.equal(scripts, undefined);
  assert.equal(dependencies, undefined);
});

for (const name of SCRIPTS) {
  test(`${name} holds nothing that some bundler, server or policy trips over`, async () => {
    const source = text(name);
    assert.doesNotMatch(source, /import\.meta/, 'import.meta breaks in CommonJS and classic scripts');
    assert.doesNotMatch(source, /(from|import)\s*\(?\s*["'][^"']*\.wasm/, 'an import of a .wasm file breaks most bundlers');
    assert.doesNotMatch(source, /new URL\(\s*["'`][^"'`]*\.wasm/, 'a relative URL of a .wasm file makes bundlers emit it twice or not at all');
    assert.doesNotMatch(source, /\beval\(|new Function\(/, 'needs unsafe-eval');
    assert.doesNotMatch(source, /\bnew WebAssembly\.Module\(/, 'compiling on the main thread is refused above a size');
    assert.doesNotMatch(source, /from\s*["']node:|require\(["']node:/, 'a browser has no node: modules');
    // A module with a top-level await cannot become CommonJS.
    await transform(source, { format: 'cjs', loader: 'js', logLevel: 'silent', supported: { 'top-level-await': false } });
  });
}

test('the runtime carries exactly the wasm file that lies beside it; the slim one carries none', () => {
  const inlined = readFileSync(join(PACKAGE, 'changeover.wasm')).toString('base64');
  assert.ok(text('runtime.js').includes(inlined));
  assert.ok(!text('runtime-slim.js').includes(inlined.slice(0, 200)));
});

test('no entry carries the runtime: it comes when the page is idle', () => {
  for (const name of ['index.js', 'index.cjs', 'changeover.js']) {
    assert.ok(statSync(join(PACKAGE, name)).size < 50_000, `${name} is too large to be without the runtime`);
    assert.match(text(name), /import\(.*runtime/s);
  }
});

test('the wasm imports its glue only and knows nothing of the machine that built it', async () => {
  const bytes = readFileSync(join(PACKAGE, 'changeover.wasm'));
  const imports = WebAssembly.Module.imports(await WebAssembly.compile(bytes));
  assert.equal(new Set(imports.map(({ module }) => module)).size, 1, 'the wasm imports from its glue and from nothing else');
  assert.ok(imports.every(({ name }) => name.length <= 3), 'the names of imports are short');
  for (const secret of [ROOT, homedir(), '/registry/src/', '.cargo']) assert.ok(!bytes.includes(secret), `the wasm contains ${secret}`);
});

test('the CommonJS types are the same contract as the ESM types', () => {
  const asModule = (/** @type {string} */ name) => text(name).replace(/'\.\/([\w-]+)\.cjs'/g, "'./$1.js'");
  for (const name of ['index', 'enums', ...KITS]) assert.equal(asModule(`${name}.d.cts`), text(`${name}.d.ts`), name);
});

test('the kits for stores and tests carry no more than they must', () => {
  for (const name of ['adapters', 'adopt']) assert.ok(statSync(join(PACKAGE, `${name}.js`)).size < 20_000, `${name}.js is small`);
  assert.match(text('testing.js'), /from "\.\/stores\.js"/, 'as an ES module the test kit uses the stores that are there');
});

test('the bin starts the native program and passes its exit code on', () => {
  const bin = join(PACKAGE, 'bin', 'changeover.mjs');
  assert.match(execFileSync(process.execPath, [bin, '--version'], { encoding: 'utf8' }), /^changeover \d+\.\d+\.\d+/);
  assert.throws(() => execFileSync(process.execPath, [bin, 'no-such-command'], { stdio: 'pipe' }), (/** @type {SpawnSyncReturns<Buffer>} */ error) => error.status !== 0);
  assert.throws(
    () => execFileSync(process.execPath, [bin], { stdio: 'pipe', env: { ...process.env, CHANGEOVER_BIN: '/nowhere/changeover' } }),
    (/** @type {SpawnSyncReturns<Buffer>} */ error) => /changeover has no program for .* \(\/nowhere\/changeover\)/.test(error.stderr.toString()),
  );
});
