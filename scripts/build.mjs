// npm run build: makes dist/npm, the package `changeover`, and links it into node_modules so that the demos and the
// tests import it by its name.
//
//   1. wasm     crates/xtask compiles the runtime and writes its glue; wasm-opt shrinks it, names included
//   2. native   the CLI for this platform
//   3. package  esbuild bundles pkg-template/; types, plugin and bin are copied
import { createHash } from 'node:crypto';
import { cpSync, existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { capture, entry as run, quietly, root, say, targetDir, Stop } from './lib/run.mjs';
import { shorten } from './lib/shorten.mjs';
import { alone, stage } from './lib/stages.mjs';
import { ensure } from './setup.mjs';
import { shortNames } from './lib/names.mjs';

/** @import { BuildOptions, Plugin } from 'esbuild' */
/** @import { Env, Toolchain } from './lib/types.d.ts' */
/** @typedef {(typeof modules)[number]} Module */

const work = join(root, 'dist', 'work');
/** The folder of the built package. */
export const packageFolder = join(root, 'dist', 'npm');
const template = join(root, 'pkg-template');
const platform = `${process.platform}-${process.arch}`;
const ending = process.platform === 'win32' ? '.exe' : '';
/** The WebAssembly modules as crates/xtask makes them; `optimized` is what is shipped, `out` the JavaScript around it. */
const modules = [
  { name: 'changeover', entry: 'runtime', glue: 'bindings' },
  { name: 'changeover-slots', entry: 'runtime', out: 'runtime-slots', glue: 'slots-bindings', slots: true },
  { name: 'stores', entry: 'stores', glue: 'stores-bindings' },
].map(({ name, entry, glue, out = entry, slots = false }) => ({
  name,
  entry,
  out,
  slots,
  raw: { wasm: join(work, `${name}.wasm`), glue: join(work, `${glue}.js`) },
  optimized: { wasm: join(work, `${name}.opt.wasm`), glue: join(work, `${glue}.opt.js`) },
}));
const storesModule = /** @type {Module} */ (modules.find(({ name }) => name === 'stores'));
/** What the runtime fetches when a page first needs it. */
const parts = ['prompt', 'states'];
const { exports, peerDependencies } = JSON.parse(readFileSync(join(template, 'package.json'), 'utf8'));
/** Entry points beside the guard, as ES modules and as CommonJS, each with its types. */
const entries = Object.keys(exports).filter((path) => path !== '.' && exports[path].require).map((path) => path.slice('./'.length));
/** What the app brings. */
const libraries = Object.keys(peerDependencies).filter((name) => name !== 'vite');
/** Slots in the tree of a framework. */
const frameworks = entries.filter((name) => libraries.includes(name));
const kits = entries.filter((name) => !libraries.includes(name));
const native = join(work, 'native', platform, `changeover${ending}`);

/** Features that rustc's wasm32-unknown-unknown turns on by default and every supported browser has. */
const WASM_FEATURES = ['bulk-memory', 'reference-types', 'multivalue', 'mutable-globals', 'sign-ext', 'nontrapping-float-to-int'];

/** Brings dist/npm up to date. */
export async function build() {
  const { rust } = /** @type {{rust: Toolchain}} */ (await ensure(['npm', 'rust']));
  say('• package changeover');
  await alone(join(work, 'lock'), async () => {
    const cargo = ['Cargo.toml', 'Cargo.lock', '.cargo'];
    await stage('wasm', {
      folder: work,
      inputs: ['src', ...cargo, 'crates/xtask/src/wasm.rs', 'scripts/build.mjs', 'scripts/lib/shorten.mjs'],
      extra: rust.version,
      outputs: modules.flatMap(({ optimized }) => Object.values(optimized)),
    }, () => buildWasm(rust.env));
    await stage('native', {
      folder: work,
      inputs: ['src', ...cargo, 'crates/cli'],
      extra: rust.version,
      outputs: [native],
    }, () => buildNative(rust.env));
    await stage('package', {
      folder: work,
      inputs: ['pkg-template', ...modules.flatMap(({ optimized }) => Object.values(optimized).map((path) => relative(root, path))), relative(root, native), 'README.md', 'package-lock.json', 'scripts/build.mjs', 'scripts/lib/marks.mjs'],
      outputs: [join(packageFolder, 'package.json')],
    }, assemble);
    link();
  });
  return { rust };
}

/** @param {Env} env */
async function buildWasm(env) {
  await quietly('compile the runtime to WebAssembly', 'cargo', ['xtask', 'wasm', work], { env, hint: 'the runtime does not compile for WebAssembly' });
  const flags = ['-Oz', ...WASM_FEATURES.map((name) => `--enable-${name}`), '--strip-target-features', '--strip-debug', '--strip-producers', '--minify-imports-and-exports-and-modules'];
  for (const { raw, optimized } of modules) {
    const table = capture(process.execPath, [join(root, 'node_modules', 'binaryen', 'bin', 'wasm-opt'), raw.wasm, ...flags, '-o', optimized.wasm], { timeout: 300_000 });
    if (!table) throw new Stop('wasm-opt failed; run `npm ci` and try again.');
    const imports = WebAssembly.Module.imports(await WebAssembly.compile(readFileSync(optimized.wasm)));
    const from = [...new Set(imports.map(({ module }) => module))];
    writeFileSync(optimized.glue, shorten(readFileSync(raw.glue, 'utf8'), JSON.parse(table), from));
  }
}

/** @param {Env} env */
async function buildNative(env) {
  await quietly('compile the CLI', 'cargo', ['build', '--release', '--package', 'changeover-cli', '--bin', 'changeover'], { env, hint: 'the CLI does not compile' });
  mkdirSync(join(native, '..'), { recursive: true });
  cpSync(join(targetDir, 'release', `changeover${ending}`), `${native}.new`);
  renameSync(`${native}.new`, native); // a running program cannot be overwritten, but replaced
}

/** Writes a whole new folder and puts it in the old one's place, so that no reader finds half a package. */
async function assemble() {
  const fresh = `${packageFolder}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  await bundle(fresh);
  for (const name of readdirSync(template)) {
    if (name === 'bin' || /^vite.*\.js$/.test(name) || name.endsWith('.d.ts')) cpSync(join(template, name), join(fresh, name), { recursive: true });
  }
  for (const name of ['index', 'enums', ...entries]) {
    // From CommonJS, types of an ES module may not be imported; these name the contract of their own kind.
    writeFileSync(join(fresh, `${name}.d.cts`), readFileSync(join(template, `${name}.d.ts`), 'utf8').replace(/'\.\/([\w-]+)\.js'/g, "'./$1.cjs'"));
  }
  for (const { name, optimized } of modules) cpSync(optimized.wasm, join(fresh, `${name}.wasm`));
  cpSync(join(work, 'native'), join(fresh, 'native'), { recursive: true });
  for (const name of readdirSync(root)) if (/^(README|LICEN[CS]E)/.test(name)) cpSync(join(root, name), join(fresh, name));
  const description = JSON.parse(readFileSync(join(template, 'package.json'), 'utf8'));
  description.files = readdirSync(fresh).sort();
  writeFileSync(join(fresh, 'package.json'), `${JSON.stringify(description, null, 2)}\n`);

  const old = `${packageFolder}.old`;
  rmSync(old, { recursive: true, force: true });
  if (existsSync(packageFolder)) renameSync(packageFolder, old);
  renameSync(fresh, packageFolder);
  rmSync(old, { recursive: true, force: true });
}

/** @param {string} out */
async function bundle(out) {
  const [{ build: esbuild }, { mark }] = await Promise.all([import('esbuild'), import('./lib/marks.mjs')]); // there after the first step
  /** @type {BuildOptions} */
  const common = { ...shortNames, bundle: true, target: 'es2020', platform: 'neutral', charset: 'utf8', logLevel: 'warning', legalComments: 'none' };
  const source = (/** @type {string} */ name) => join(template, name);
  const apart = { external: ['./runtime.js', './stores.js', ...parts.map((name) => `./${name}.js`)] }; // files of their own: never part of an entry
  await Promise.all([
    esbuild({ ...common, ...apart, entryPoints: [source('script-tag.js')], outfile: join(out, 'changeover.js'), format: 'iife', minify: true }),
    esbuild({ ...common, ...apart, entryPoints: [source('index.js')], outfile: join(out, 'index.js'), format: 'esm' }),
    esbuild({ ...common, ...apart, entryPoints: [source('index.js')], outfile: join(out, 'index.cjs'), format: 'cjs', supported: { 'dynamic-import': true } }),
    ...frameworks.flatMap((name) => [
      esbuild({ ...common, external: [...libraries, './slots.js'], entryPoints: [source(`${name}.js`)], outfile: join(out, `${name}.js`), format: 'esm' }),
      esbuild({ ...common, external: libraries, entryPoints: [source(`${name}.js`)], outfile: join(out, `${name}.cjs`), format: 'cjs' }),
    ]),
    ...kits.flatMap((name) => [
      esbuild({ ...common, ...apart, entryPoints: [source(`${name}.js`)], outfile: join(out, `${name}.js`), format: 'esm' }),
      // A CommonJS module cannot require stores.js, so the one kit that needs it carries it.
      esbuild({ ...common, entryPoints: [source(`${name}.js`)], outfile: join(out, `${name}.cjs`), format: 'cjs', supported: { 'dynamic-import': true }, plugins: [generated(storesModule, runtimes(storesModule)[0][1])] }),
    ]),
    ...modules.flatMap((module) => runtimes(module).map(async ([name, inlined]) => {
      const { outputFiles } = await esbuild({ ...common, ...apart, entryPoints: [source(`${module.entry}.js`)], write: false, format: 'esm', minify: true, plugins: [generated(module, inlined), stamped] });
      writeFileSync(join(out, name), mark(outputFiles[0].text));
    })),
    ...parts.map((name) => esbuild({ ...common, ...apart, entryPoints: [source(`${name}.js`)], outfile: join(out, `${name}.js`), format: 'esm', minify: true, plugins: [stamped] })),
  ]);
}

/**
 * The files of a module: one that needs nothing else, and one that fetches its wasm.
 *
 * @type {(module: Module) => [name: string, inlined: string | null][]}
 */
const runtimes = ({ out, optimized, slots }) => [
  // Only the bundler plugin makes slots, and it has files of their own for the wasm.
  .../** @type {[string, string][]} */ (slots ? [] : [[`${out}.js`, readFileSync(optimized.wasm).toString('base64')]]),
  [`${out}-slim.js`, null],
];

/**
 * The two modules that exist only after a build: `./bindings.js` and `./wasm.js` (`inlined`: base64 or null).
 *
 * @param {Module} module
 * @param {string | null} inlined
 * @returns {Plugin}
 */
function generated({ optimized, slots }, inlined) {
  return {
    name: 'generated',
    setup(bundler) {
      bundler.onResolve({ filter: /^\.\/bindings\.js$/ }, () => ({ path: optimized.glue }));
      // Pages without slots carry nothing of them.
      if (!slots) bundler.onResolve({ filter: /^\.\/swap-bridge\.js$/ }, () => ({ path: join(template, 'no-swapping.js') }));
      bundler.onResolve({ filter: /^\.\/wasm\.js$/ }, () => ({ path: 'wasm', namespace: 'generated' }));
      bundler.onLoad({ filter: /.*/, namespace: 'generated' }, () => ({ contents: `export const inlined = ${JSON.stringify(inlined)};` }));
    },
  };
}

/**
 * `./stamp.js` with the hash of all that goes into the page.
 *
 * @type {Plugin}
 */
const stamped = {
  name: 'stamped',
  setup(bundler) {
    const hash = createHash('sha256');
    for (const name of readdirSync(template).sort()) if (/^(?!vite).*\.js$/.test(name)) hash.update(readFileSync(join(template, name)));
    const stamp = hash.digest('hex').slice(0, 10);
    bundler.onLoad({ filter: /[\\/]stamp\.js$/ }, () => ({ contents: `export const stamp = ${JSON.stringify(stamp)};` }));
  },
};

function link() {
  const place = join(root, 'node_modules', 'changeover');
  const there = lstatSync(place, { throwIfNoEntry: false });
  if (there?.isSymbolicLink() && statSync(place, { throwIfNoEntry: false })) return;
  if (there) rmSync(place, { recursive: true });
  symlinkSync(process.platform === 'win32' ? packageFolder : relative(join(root, 'node_modules'), packageFolder), place, 'junction');
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await run(async () => {
    await build();
    say(`package: ${relative(root, packageFolder)}`);
  });
}
