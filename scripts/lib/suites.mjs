// The registry of all test suites: what each needs and what it runs.
//
//   needs   set-up steps (scripts/setup.mjs)
//   builds  true: dist/npm is brought up to date first
//   long    true: it begins before the others; see scripts/test.mjs
//   steps   commands, given the words that follow the suite's name on the command line
//
// A step is `{ command, args, env?, counts }`; `counts` says how its own output is counted: 'cargo', 'node', 'plain'
// for our own scripts, or 'exit' for a check that is one test by itself.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, Stop } from './run.mjs';
import { browserNames } from './browsers.mjs';
import { runnerPath } from './runner.mjs';

/** @import { BrowserName, Env, Step, Suite } from './types.d.ts' */

const WASM = ['--target', 'wasm32-unknown-unknown'];
const runner = { CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER: runnerPath };

/** @type {(...args: string[]) => Step} */
const cargo = (...args) => ({ command: 'cargo', args, counts: 'cargo' });
/** @type {(command: string, ...args: string[]) => Step} */
const check = (command, ...args) => ({ command, args, counts: 'exit' });
/** @type {(name: string, ...args: string[]) => Step} */
const tool = (name, ...args) => check(process.execPath, join(root, 'node_modules', ...name.split('/')), ...args);

/**
 * `node --test` over every `*.test.mjs` of a folder; further words are patterns for the names of tests.
 *
 * @param {string} folder
 * @param {string[]} words
 * @param {Env} [env]
 * @returns {Step}
 */
function node(folder, words, env) {
  const full = join(root, folder);
  const files = existsSync(full) ? readdirSync(full).filter((name) => name.endsWith('.test.mjs')).sort().map((name) => join(full, name)) : [];
  if (files.length === 0) throw new Stop(`the suite has no test: ${folder} holds no *.test.mjs.`);
  const patterns = words.flatMap((word) => ['--test-name-pattern', word]);
  return { title: `node --test ${folder}`, command: process.execPath, args: ['--test', '--test-reporter=spec', '--test-concurrency=1', ...patterns, ...files], env, counts: 'node' };
}

/**
 * Splits the words after `e2e` into browsers and test names.
 *
 * @param {string[]} words
 */
export function browsersIn(words) {
  const wanted = /** @type {BrowserName[]} */ (words.filter((word) => /** @type {string[]} */ (browserNames).includes(word)));
  return { wanted: wanted.length ? wanted : browserNames, rest: words.filter((word) => !(/** @type {string[]} */ (browserNames).includes(word))) };
}

/**
 * A suite with tests that need no browser and others that run in each; its words may name browsers.
 *
 * @type {(folder: string, needs: string[]) => Required<Pick<Suite, 'needs' | 'needsFor' | 'steps'>>}
 */
const inSomeBrowsers = (folder, needs) => ({
  needs: [...needs, 'browsers'],
  needsFor: (words) => [...needs, ...browsersIn(words).wanted],
  steps: (words, missing) => {
    const { wanted, rest } = browsersIn(words);
    const present = wanted.filter((name) => !missing.includes(name));
    return present.length ? [node(folder, rest, { BROWSERS: present.join(',') })] : [];
  },
});

/** @type {(steps: Step[]) => Step[]} */
const threeAtATime = (steps) => steps.map((step) => ({ ...step, args: step.args.map((word) => (word === '--test-concurrency=1' ? '--test-concurrency=3' : word)) }));

/** @type {Record<string, Suite>} */
export const SUITES = {
  scripts: {
    about: 'what counts tests, and what decides to build again',
    needs: [],
    steps: (words) => [node('tests/scripts', words)],
  },
  fmt: {
    about: 'Rust formatting',
    needs: ['rust'],
    steps: () => [check('cargo', 'fmt', '--all', '--', '--check'), check('cargo', 'fmt', '--manifest-path', 'fuzz/Cargo.toml', '--', '--check')],
  },
  clippy: {
    about: 'Rust lints, natively and for the browser',
    needs: ['rust'],
    steps: () => [
      check('cargo', 'clippy', '--workspace', '--all-targets', '--', '-D', 'warnings'),
      check('cargo', 'clippy', '--package', 'changeover', '--features', 'js,stores', '--all-targets', ...WASM, '--', '-D', 'warnings'),
      // As it is shipped to pages without slots.
      check('cargo', 'clippy', '--package', 'changeover', '--no-default-features', '--features', 'js', ...WASM, '--', '-D', 'warnings'),
    ],
  },
  layers: {
    about: 'who may use whom, and the check of that check',
    needs: ['rust'],
    steps: (words) => [cargo('test', '--package', 'xtask', ...words), check('cargo', 'xtask', 'layers')],
  },
  licences: {
    about: 'licences of everything the runtime links',
    needs: ['rust'],
    steps: () => [check('cargo', 'xtask', 'licences')],
  },
  lint: {
    about: 'lints of all JavaScript',
    needs: ['npm'],
    steps: () => [tool('oxlint/bin/oxlint', '--quiet', 'pkg-template', 'scripts', 'www', 'tests')],
  },
  tsc: {
    about: 'the types of all JavaScript, and the use of the hand-written ones',
    needs: ['npm'],
    builds: true,
    // Bundlers take a tsconfig.json for a wish about what they write, so that ours has another name.
    steps: () => ['tsconfig.check.json', 'tests/types', 'tests/adapters'].map((folder) => tool('typescript/bin/tsc', '--project', folder)),
  },
  engine: {
    about: 'the engine, natively: units, scenarios, properties, replay',
    needs: ['rust'],
    steps: (words) => [cargo('test', '--package', 'changeover', '--package', 'changeover-sim', ...words)],
  },
  model: {
    about: 'the protocol of shared stores, in every order of events, and mutants of it that must be found out',
    needs: ['rust'],
    steps: (words) => [check('cargo', 'run', '--release', '--quiet', '--package', 'changeover-model', '--', ...words)],
  },
  fuzz: {
    about: 'a short coverage-guided fuzz run of every parser; `npm run fuzz` is the long one',
    needs: ['rust'],
    steps: (words) => [{ ...check(process.execPath, 'scripts/fuzz.mjs', '--seconds', '5', ...words), counts: 'plain' }],
  },
  'engine-wasm': {
    about: 'the same engine tests as WebAssembly, in Node.js',
    needs: ['rust', 'runner'],
    steps: (words) => [{ ...cargo('test', '--package', 'changeover', '--test', 'scenarios', '--test', 'properties', ...WASM, ...words), env: runner }],
  },
  web: {
    about: 'the browser drivers in headless Chromium, and the JavaScript around them',
    needs: ['npm', 'rust', 'runner', 'chromium'],
    builds: true,
    steps: (words) => [
      { ...cargo('test', '--package', 'changeover', '--features', 'js', '--test', 'browser', ...WASM, ...words), env: { ...runner, WASM_BINDGEN_TEST_TIMEOUT: '300' } },
      node('tests/browser', words),
    ],
  },
  cli: {
    about: 'publish, rollback, serve, verify',
    needs: ['rust'],
    steps: (words) => [cargo('test', '--package', 'changeover-cli', ...words)],
  },
  package: {
    about: 'the npm package: contents, types, purity, in apps of webpack and Rspack',
    needs: ['npm', 'rust', 'chromium'],
    builds: true,
    steps: (words) => [node('tests/package', words)],
  },
  loader: {
    about: 'the loader and the loader level',
    needs: ['npm', 'rust', 'chromium'],
    builds: true,
    steps: (words) => [node('tests/loader', words)],
  },
  prompt: {
    about: 'the prompt: accessibility, keyboard, looks',
    needs: ['npm', 'rust', 'chromium'],
    builds: true,
    steps: (words) => [node('tests/prompt', words)],
  },
  adapters: {
    about: 'state libraries, and data from before a store, as the libraries themselves write it',
    ...inSomeBrowsers('tests/adapters', ['npm', 'rust']),
    builds: true,
  },
  fields: {
    about: 'form fields, focus and scroll positions through a reload',
    ...inSomeBrowsers('tests/fields', ['npm']),
  },
  testkit: {
    about: 'the test kit: laws, golden fixtures, faults',
    ...inSomeBrowsers('tests/testkit', ['npm', 'rust']),
    builds: true,
  },
  vite: {
    about: 'the Vite plugin, Vite 7 and 8',
    needs: ['npm', 'rust', 'chromium'],
    builds: true,
    steps: (words) => [node('tests/vite', words)],
  },
  slots: {
    about: 'slots of plain DOM and built apps with slots, per browser',
    ...inSomeBrowsers('tests/slots', ['npm', 'rust']),
    builds: true,
  },
  e2e: {
    about: 'from publish to a moved page, per browser',
    long: true,
    ...inSomeBrowsers('tests/e2e', ['npm', 'rust']),
    builds: true,
  },
  stores: {
    about: 'durable stores that several builds share, killed and crowded, per browser',
    long: true,
    ...inSomeBrowsers('tests/stores', ['npm', 'rust']),
    builds: true,
  },
  swapping: {
    about: 'new code in open pages: React, Vue and plain apps, faults, races, a hundred swaps, per browser',
    long: true,
    ...inSomeBrowsers('tests/swapping', ['npm', 'rust']),
    builds: true,
    // Most of the time is the probation of new code.
    steps: (words, missing) => threeAtATime(inSomeBrowsers('tests/swapping', []).steps(words, missing)),
  },
  compat: {
    about: 'pages, stores and a site of an earlier version, upgraded to this one and rolled back, per browser',
    long: true,
    ...inSomeBrowsers('tests/compat', ['npm', 'rust']),
    builds: true,
    // Pages wait for each other, and for checks that come once in a second.
    steps: (words, missing) => threeAtATime(inSomeBrowsers('tests/compat', []).steps(words, missing)),
  },
  copies: {
    about: 'builds copied to nginx and to hosts that replace everything, per browser',
    long: true,
    ...inSomeBrowsers('tests/copies', ['npm', 'rust', 'nginx']),
    builds: true,
  },
  yew: {
    about: 'a Yew app as a slot: swapped, broken, freed, per browser',
    long: true,
    ...inSomeBrowsers('tests/yew', ['npm', 'rust']),
    builds: true,
    steps: (words, missing) => [
      check('cargo', 'clippy', '--package', 'changeover', '--features', 'yew', ...WASM, '--', '-D', 'warnings'),
      cargo('test', '--package', 'changeover', '--features', 'yew', '--lib', 'yew'),
      cargo('test', '--package', 'changeover', '--features', 'yew', '--doc', 'yew'),
      ...inSomeBrowsers('tests/yew', []).steps(words, missing),
    ],
  },
  docs: {
    about: 'the examples of the README and of CONTRIBUTING',
    needs: ['npm', 'rust'],
    builds: true,
    steps: (words) => [node('tests/docs', words)],
  },
  demo: {
    about: 'the demo, driven once',
    needs: ['npm', 'rust', 'chromium'],
    builds: true,
    steps: () => [check(process.execPath, 'scripts/demo.mjs', '--check')],
  },
};
