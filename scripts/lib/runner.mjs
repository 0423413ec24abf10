// The program that runs `cargo test --target wasm32-unknown-unknown`: built from the library that Cargo.lock names, so
// that it is always of the same version as the wasm-bindgen in the tests.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { quietly, root, say, targetDir, Stop } from './run.mjs';

const ending = process.platform === 'win32' ? '.exe' : '';
const folder = join(targetDir, 'tools');
/** Path of the installed test runner. */
export const runnerPath = join(folder, `wasm-test-runner${ending}`);
const stampFile = join(folder, 'wasm-test-runner.version');

function wantedVersion() {
  const lock = readFileSync(join(root, 'Cargo.lock'), 'utf8');
  const version = lock.match(/name = "wasm-bindgen"\nversion = "([^"]+)"/)?.[1];
  const runner = lock.match(/name = "wasm-bindgen-cli"\nversion = "([^"]+)"/)?.[1];
  if (!version || version !== runner) throw new Stop(`Cargo.lock names wasm-bindgen ${version} but wasm-bindgen-cli ${runner}; run \`cargo update -p wasm-bindgen-cli --precise ${version}\`.`);
  const source = readFileSync(join(root, 'crates', 'xtask', 'src', 'bin', 'wasm-test-runner.rs'));
  return `${version} ${createHash('sha256').update(source).digest('hex')}`;
}

/**
 * Compiles the runner unless the right one is there.
 *
 * @param {import('./types.d.ts').Env} env
 */
export async function setUpRunner(env) {
  const wanted = wantedVersion();
  if (existsSync(runnerPath) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === wanted) {
    return say(`  wasm-bindgen test runner ${wanted.split(' ')[0]}`);
  }
  say('  compiling the wasm-bindgen test runner: it runs the WebAssembly tests in Node.js and in Chromium');
  await quietly('cargo build of the test runner', 'cargo', ['build', '-p', 'xtask', '--features', 'test-runner', '--bin', 'wasm-test-runner'], {
    env, hint: 'the test runner could not be compiled',
  });
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(targetDir, 'debug', `wasm-test-runner${ending}`), runnerPath);
  writeFileSync(stampFile, wanted);
}
