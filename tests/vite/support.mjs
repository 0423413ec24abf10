// Builds copies of the fixture app with both supported versions of Vite, in folders of their own.
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** @import { TestContext } from 'node:test' */
/** @import { InlineConfig, LogLevel, PluginOption } from 'vite' */
/** @import { ChangeoverPluginOptions } from '../../pkg-template/vite.js' */
/** @import { ManifestFile } from '../e2e/types.d.ts' */
/** @typedef {typeof import('vite')} Vite any of the supported versions */
/** @typedef {Record<string, string | null>} Changes of files, by path: the whole new text, or null for a file to remove */
/** @typedef {Omit<Map<string, Buffer>, 'get'> & { get(path: string): Buffer }} Files of a build, by path; a test asks for those that are there */
/** @typedef {{ out: string, files: Files, manifest: ManifestFile, html: (page?: string) => string }} Output */
/** @typedef {{ options?: object, plugins?: object[], without?: boolean, out?: string, build?: object, [ofVite: string]: unknown }} Config of a build: what the plugin is given, whether it is left out, and what Vite is given */
/** @typedef {{ warn: string[], info: string[], error: string[] }} Messages */

const HERE = dirname(fileURLToPath(import.meta.url));
export const ROOT = join(HERE, '../..');
export const PACKAGE = process.env.CHANGEOVER_PACKAGE ?? join(ROOT, 'dist/npm');
export const CLI = process.env.CHANGEOVER_BIN ?? join(ROOT, `dist/npm/native/${process.platform}-${process.arch}/changeover`);

if (!existsSync(join(PACKAGE, 'vite.js'))) throw new Error(`${PACKAGE} is not built; run: npm run build`);

export const { default: changeover } = await import(pathToFileURL(join(PACKAGE, 'vite.js')).href);

/** The supported versions, by the name they are installed under. */
export const VITES = await Promise.all(['vite', 'vite7'].map(async (name) => {
  const vite = /** @type {Vite} */ (await import(name));
  return { name: `Vite ${vite.version.split('.')[0]}`, vite };
}));

/**
 * A copy of the fixture app in a new folder, gone when the test `t` ends. Values of `changes` are texts or null.
 *
 * @param {TestContext} t
 * @param {Changes} changes
 */
export function makeApp(t, changes = {}) {
  const root = mkdtempSync(join(tmpdir(), 'changeover-vite-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  cpSync(join(HERE, 'app'), root, { recursive: true });
  mkdirSync(join(root, 'node_modules'));
  symlinkSync(PACKAGE, join(root, 'node_modules/changeover'));
  change(root, changes);
  return root;
}

/**
 * @param {string} root
 * @param {Changes} changes
 */
export function change(root, changes) {
  for (const [path, text] of Object.entries(changes)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    if (text === null) rmSync(join(root, path));
    else writeFileSync(join(root, path), text);
  }
}

/**
 * @param {string} root
 * @param {string} path
 * @param {string} from
 * @param {string} to
 */
export function edit(root, path, from, to) {
  const before = readFileSync(join(root, path), 'utf8');
  if (!before.includes(from)) throw new Error(`${path} does not contain ${from}`);
  writeFileSync(join(root, path), before.replace(from, to));
}

/**
 * The messages a build logged, and the log that keeps them.
 *
 * @param {Vite} vite
 */
export function makeLogger(vite) {
  /** @type {Messages} */
  const messages = { warn: [], info: [], error: [] };
  const logger = vite.createLogger('silent');
  for (const level of /** @type {(keyof Messages)[]} */ (Object.keys(messages))) logger[level] = (/** @type {string} */ text) => void messages[level].push(text);
  logger.warnOnce = logger.warn;
  return { logger, messages };
}

/**
 * Builds `root` and reads what came out.
 *
 * @param {Vite} vite
 * @param {string} root
 * @param {Config} how
 * @returns {Promise<Output & {messages: Messages}>}
 */
export async function build(vite, root, { options, plugins = [], without = false, build: buildOptions = {}, out = join(root, 'dist'), ...config } = {}) {
  const { logger, messages } = makeLogger(vite);
  // What Vite itself would print can end up in the middle of what the test runner reads.
  const inline = { root, configFile: false, customLogger: logger, logLevel: 'warn', build: { outDir: out, assetsInlineLimit: 0, ...buildOptions } };
  await vite.build(/** @type {InlineConfig} */ ({ ...inline, ...config, plugins: [...(without ? [] : [changeover(options)]), ...plugins] }));
  return { messages, ...readOutput(out) };
}

/**
 * @param {string} out
 * @returns {Output}
 */
export function readOutput(out) {
  const files = /** @type {Files} */ (new Map(listFiles(out).map((path) => [path, readFileSync(join(out, path))])));
  const manifests = manifestsIn(files);
  return {
    out,
    files,
    manifest: manifests.length === 1 ? JSON.parse(/** @type {string} */ (/** @type {unknown} */ (files.get(manifests[0])))) : null,
    html: (page = 'index.html') => files.get(page).toString(),
  };
}

export const manifestsIn = (/** @type {Pick<Files, 'keys'>} */ files) => [...files.keys()].filter((path) => /^changeover\/builds\/[^/]+\.json$/.test(path));

/**
 * @param {string} folder
 * @returns {string[]}
 */
export function listFiles(folder, prefix = '') {
  return readdirSync(join(folder, prefix), { withFileTypes: true }).flatMap((entry) => {
    const path = prefix ? `${prefix}/${entry.name}` : entry.name;
    return entry.isDirectory() ? listFiles(folder, path) : [path];
  }).sort();
}

export const integrityOf = (/** @type {Buffer} */ bytes) => `sha384-${createHash('sha384').update(bytes).digest('base64')}`;

/**
 * The attributes of the changeover script tag in `html`, or null.
 *
 * @param {string} html
 * @returns {Record<string, string>}
 */
export function tagOf(html) {
  const tag = /<script[^>]*\sdata-release[^>]*>/.exec(html)?.[0];
  if (!tag) return /** @type {{}} */ (/** @type {unknown} */ (null));
  return Object.fromEntries([...tag.matchAll(/\s([\w-]+)(?:="([^"]*)")?/g)].map(([, name, value]) => [name, value ?? '']));
}

/**
 * The file of a built app whose manifest entry has this logical id.
 *
 * @param {ManifestFile} manifest
 * @param {string} id
 */
export function fileOf(manifest, id) {
  const found = Object.keys(manifest.chunks).filter((file) => manifest.chunks[file].id === id);
  if (found.length !== 1) throw new Error(`${found.length} files have the id ${id}; there are ${Object.values(manifest.chunks).map((chunk) => chunk.id).join(', ')}`);
  return found[0];
}

/**
 * Builds that must fail: the error they fail with.
 *
 * @param {Promise<unknown>} promise
 * @returns {Promise<Error & {code: string}>}
 */
export async function failureOf(promise) {
  try {
    await promise;
  } catch (error) {
    return /** @type {Error & {code: string}} */ (error);
  }
  throw new Error('the build should have failed');
}

/**
 * Waits until `holds()`; says what `describe()` gives when it never does.
 *
 * @param {() => unknown} holds
 * @param {() => unknown} describe
 */
export async function until(holds, describe) {
  const end = Date.now() + 15_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`it did not come: ${JSON.stringify(describe())}`);
    await new Promise((done) => setTimeout(done, 25));
  }
}
