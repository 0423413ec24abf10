// Importing the package does nothing: not in a browser, not on a server, not in a sandbox that has no browser at all.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import { PACKAGE } from './support.mjs';

/**
 * Runs a module of the package where only the language itself exists; returns its exports and the new globals.
 *
 * @param {string} name
 */
async function importBare(name) {
  const { outputFiles } = await build({
    entryPoints: [join(PACKAGE, name)], bundle: true, write: false, format: 'iife', globalName: 'entry', platform: 'neutral', external: ['./runtime.js'], logLevel: 'silent',
  });
  const sandbox = createContext(Object.create(null));
  const globals = () => [...runInContext('Reflect.ownKeys(globalThis)', sandbox)];
  const before = new Set([...globals(), 'entry']);
  runInContext(outputFiles[0].text, sandbox);
  return { entry: runInContext('entry', sandbox), added: globals().filter((key) => !before.has(key)) };
}

for (const name of ['index.js', 'index.cjs', 'runtime.js', 'runtime-slim.js', 'prompt.js', 'states.js', 'stores.js', 'adapters.js', 'adapters.cjs', 'adopt.js', 'adopt.cjs', 'testing.js', 'testing.cjs']) {
  test(`${name} touches nothing when it is imported`, async () => {
    const { added } = await importBare(name);
    assert.deepEqual(added, []);
  });
}

test('without a document createChangeover() gives an instance that does nothing', async () => {
  for (const name of ['index.js', 'index.cjs']) {
    const { entry, added } = await importBare(name);
    const { createChangeover } = entry.createChangeover ? entry : entry.default;
    const changeover = createChangeover({ release: '/changeover/release.json' });
    assert.equal(changeover.status.level, 'off');
    assert.equal((await changeover.check()).level, 'off');
    for (const undo of [changeover.on('*', () => {}), changeover.hold('upload'), changeover.state('draft', { capture() {}, restore() {} })]) undo();
    changeover.snooze();
    assert.equal(changeover.trace(), '');
    changeover.dispose();
    assert.deepEqual(added, []);
  }
});

test('Node.js imports and requires the package by its name', async () => {
  const imported = await import('changeover');
  const required = createRequire(import.meta.url)('changeover');
  assert.equal(typeof imported.createChangeover, 'function');
  assert.equal(imported.createChangeover().status.level, 'off');
  assert.equal(required.createChangeover().status.level, 'off');
  assert.equal(typeof (await import('changeover/vite')).default, 'function');
});
