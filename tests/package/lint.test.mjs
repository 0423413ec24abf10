// Other people's checks of a package: publint for its shape, attw for its types under every module resolution.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT, packed } from './support.mjs';

/**
 * @param {string} path
 * @param {string[]} args
 */
function tool(path, args) {
  const done = spawnSync(process.execPath, [join(ROOT, 'node_modules', path), ...args], { encoding: 'utf8', cwd: ROOT });
  return { code: done.status, output: `${done.stdout}${done.stderr}` };
}

test('publint has nothing to say', () => {
  const { code, output } = tool('publint/src/cli.js', ['run', packed().tarball, '--strict']);
  assert.equal(code, 0, output);
  assert.match(output, /All good!/, output);
});

test('the types resolve in every module resolution', () => {
  // These entries are files for a server or a bundler to copy; they have no types.
  const files = ['changeover.js', 'runtime.js', 'runtime-slim.js', 'prompt.js', 'states.js', 'stores.js', 'stores-slim.js', 'changeover.wasm', 'stores.wasm'];
  // The Vite plugin is ESM only, as Vite's configs are.
  const { code, output } = tool('@arethetypeswrong/cli/dist/index.js', [packed().tarball, '--exclude-entrypoints', ...files, '--ignore-rules', 'cjs-resolves-to-esm']);
  assert.equal(code, 0, output);
});
