// CONTRIBUTING.md, held to its word: each of its lists of files is that of an example patch, which applies and builds.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { targetDir } from '../../scripts/lib/run.mjs';
import { ROOT } from '../e2e/browsers.mjs';

const run = promisify(execFile);
const PATCHES = join(ROOT, 'tests/docs/patches');
/** Always in the same place, so that cargo compiles only what differs from the last time. */
const COPY = join(targetDir, 'contributing', 'tree');
/**
 * The crates of the copy have a version of their own. Cargo knows a crate of a workspace by its name and version, not by its
 * path, and would take what is compiled here for what it has compiled of this tree.
 */
const VERSION = '0.0.0-contributing';
/** What is built or fetched is not copied. */
const NOT_COPIED = new Set(['.git', 'dist', 'node_modules', 'target']);

const patches = readdirSync(PATCHES).sort();
const sections = readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8').split(/^## /m).slice(1).flatMap((section) => {
  const patch = section.match(/\]\(tests\/docs\/patches\/([\w-]+\.patch)\)/)?.[1];
  return patch ? [{ patch, files: [...section.matchAll(/^\* `([^`]+)`/gm)].map(([, file]) => file).sort() }] : [];
});

test('every patch has its section, and the files of each section are those of its patch', async () => {
  assert.deepEqual(sections.map(({ patch }) => patch).sort(), patches);
  for (const { patch, files } of sections) {
    const touched = await touchedBy(patch);
    assert.deepEqual(files, touched.map(({ file }) => file).sort(), patch);
  }
});

test('a decision reason touches at most four files, and an adapter is one file of at most 80 lines', async () => {
  assert.ok((await touchedBy('decision-reason.patch')).length <= 4);
  const scripts = (await touchedBy('framework-adapter.patch')).filter(({ file }) => /^pkg-template\/.*\.js$/.test(file));
  assert.equal(scripts.length, 1);
  assert.ok(scripts[0].added <= 80, `${scripts[0].file} has ${scripts[0].added} lines`);
});

test('each patch applies to this tree, and the tree with all of them builds', async () => {
  copyTree('');
  for (const patch of patches) await git('apply', '--check', join(PATCHES, patch));
  for (const patch of patches) await git('apply', join(PATCHES, patch));

  // Inside `node --test` the inner runner would report to the outer one.
  const { NODE_TEST_CONTEXT, ...withoutRunner } = process.env;
  const env = { ...withoutRunner, CARGO_TARGET_DIR: targetDir };
  const cargo = (/** @type {string[]} */ ...args) => run('cargo', args, { cwd: COPY, env, maxBuffer: 1e8 });
  const { stdout: described } = await cargo('metadata', '--offline', '--no-deps', '--format-version=1');
  for (const { name, version } of JSON.parse(described).packages) assert.equal(version, VERSION, `${name} has a version of its own`);
  await cargo('check', '--offline', '--quiet', '--workspace', '--lib', '--bins', '--test', 'formats');
  await cargo('check', '--offline', '--quiet', '--package', 'changeover', '--features', 'js', '--test', 'browser', '--target', 'wasm32-unknown-unknown');
  // What is written from the enums is part of the patch, and so is the row of the new reason.
  const { stdout } = await cargo('test', '--offline', '--package', 'changeover', '--lib', '--test', 'samples', '--', 'policy', 'enum_types', 'samples_for');
  assert.match(stdout, /the_enum_types_of_the_package_are_those_of_the_engine \.\.\. ok/);
  assert.match(stdout, /every_reason_has_its_row_and_what_weighs_more_wins \.\.\. ok/);

  const modules = join(COPY, 'node_modules');
  if (!existsSync(modules)) symlinkSync(join(ROOT, 'node_modules'), modules, 'junction');
  await run(process.execPath, ['--test', 'tests/adapters/svelte.test.mjs'], { cwd: COPY, env: withoutRunner });
  await run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '--project', 'tsconfig.check.json'], { cwd: COPY }).catch(({ stdout }) => assert.fail(stdout));
});

/**
 * Brings a folder of the copy up to date. A file that is right keeps its time, for cargo goes by it.
 *
 * @param {string} folder
 */
function copyTree(folder) {
  mkdirSync(join(COPY, folder), { recursive: true });
  const entries = readdirSync(join(ROOT, folder), { withFileTypes: true }).filter(({ name }) => !NOT_COPIED.has(name));
  const names = new Set([...entries.map(({ name }) => name), 'node_modules']);
  for (const name of readdirSync(join(COPY, folder))) if (!names.has(name)) rmSync(join(COPY, folder, name), { recursive: true });
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) copyTree(path);
    if (!entry.isFile()) continue;
    const bytes = path === 'Cargo.toml' ? manifest() : readFileSync(join(ROOT, path));
    if (!existsSync(join(COPY, path)) || !bytes.equals(readFileSync(join(COPY, path)))) writeFileSync(join(COPY, path), bytes);
  }
}

function manifest() {
  const text = readFileSync(join(ROOT, 'Cargo.toml'), 'utf8');
  const own = text.replace(/^(\[workspace\.package\]\nversion = )".*"$/m, `$1"${VERSION}"`);
  assert.notEqual(own, text);
  return Buffer.from(own);
}

/**
 * Outside of the repository around it: in a folder of one, git leaves out what the folder does not have.
 *
 * @param {...string} args
 */
const git = (...args) => run('git', args, { cwd: COPY, env: { ...process.env, GIT_CEILING_DIRECTORIES: join(COPY, '..') } });

/** @param {string} patch */
async function touchedBy(patch) {
  const { stdout } = await run('git', ['apply', '--numstat', join(PATCHES, patch)], { cwd: ROOT });
  return stdout.trim().split('\n').map((line) => line.split('\t')).map(([added, , file]) => ({ added: Number(added), file }));
}
