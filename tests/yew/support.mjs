// The builds of the app in tests/yew/app, made once, and pages that have it in a slot.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PACKAGE, ROOT } from '../vite/support.mjs';
import { alone, stage } from '../../scripts/lib/stages.mjs';

/** @import { TestContext } from 'node:test' */

const HERE = join(ROOT, 'tests/yew');
const WORK = join(ROOT, 'dist/work/yew');
/** Apart from that of the workspace, which others may be building in. */
const TARGET = join(ROOT, 'target/yew');

/** As it was; as it is, with another text and another schema; and one that panics while it renders. */
const FEATURES = { first: [], second: ['second'], broken: ['second', 'broken'] };

/** @type {(args: string[], env?: Record<string, string>) => unknown} */
const cargo = (args, env) => execFileSync('cargo', args, { cwd: ROOT, env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'inherit'] });

/** Compiles the app in all its builds, if anything has changed. */
export async function compile() {
  const glue = (/** @type {string} */ name) => join(WORK, name, 'counter.js');
  await alone(join(WORK, 'lock'), () =>
    stage('app', {
      folder: WORK,
      inputs: ['src', 'Cargo.toml', 'Cargo.lock', 'crates/xtask/src/bindgen.rs', 'tests/yew/app', 'tests/yew/support.mjs'],
      outputs: Object.keys(FEATURES).map(glue),
    }, () => {
      for (const [name, features] of Object.entries(FEATURES)) {
        cargo(['build', '--quiet', '--manifest-path', 'tests/yew/app/Cargo.toml', '--target', 'wasm32-unknown-unknown', '--features', features.join()], { CARGO_TARGET_DIR: TARGET });
        cargo(['xtask', 'bindgen', join(TARGET, 'wasm32-unknown-unknown/debug/counter.wasm'), join(WORK, name)]);
      }
    }));
}

export const glueOf = (/** @type {string} */ name) => readFileSync(join(WORK, name, 'counter.js'));
export const wasmOf = (/** @type {string} */ name) => readFileSync(join(WORK, name, 'counter_bg.wasm'));

/**
 * A page that has one build of the app in a slot, gone when the test `t` ends.
 *
 * @param {TestContext} t
 * @param {string} name
 */
export function makePage(t, name) {
  const root = mkdtempSync(join(tmpdir(), 'changeover-yew-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  cpSync(join(HERE, 'page'), root, { recursive: true });
  mkdirSync(join(root, 'node_modules'));
  symlinkSync(PACKAGE, join(root, 'node_modules/changeover'));
  take(root, name);
  return root;
}

/** Puts another build of the app into a page. */
export const take = (/** @type {string} */ root, /** @type {string} */ name) => cpSync(join(WORK, name), join(root, 'pkg'), { recursive: true });
