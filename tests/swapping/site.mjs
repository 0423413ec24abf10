// Apps with slots, built by Vite with the plugin, published by the CLI and served by it: one app, many builds.
//
// `startSwapSite(t, {app, vite})` makes a copy of an app and publishes it as it is; `site.publish(edits)` edits the copy,
// builds it and publishes the result; `site.restore()` takes the edits back.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { ROOT } from '../e2e/browsers.mjs';
import { startEdge } from '../e2e/server.mjs';
import { changeover, packageDir, startServe } from '../e2e/site.mjs';

/** @import { ChangeoverPluginOptions } from '../../pkg-template/vite.js' */
/** @import { SwapSite } from '../e2e/types.d.ts' */

const HERE = dirname(fileURLToPath(import.meta.url));
/** @type {Record<'react' | 'plain' | 'vue' | 'nested' | 'nested-plain' | 'nested-vue', string[]>} */
const FRAMEWORKS = { react: ['react', 'react-dom'], plain: [], vue: ['vue'], nested: ['react', 'react-dom'], 'nested-plain': [], 'nested-vue': ['vue'] };

/**
 * @param {import('node:test').TestContext | null} t
 * @param {{app?: keyof typeof FRAMEWORKS, vite?: 'vite' | 'vite7', options?: ChangeoverPluginOptions, output?: object, first?: string}} how
 *   `output`: how files are named; `first`: the folder of a build that is published instead of the app as it is
 * @returns {Promise<SwapSite>}
 */
export async function startSwapSite(t, { app = 'react', vite = 'vite', options = {}, output, first } = {}) {
  const { build } = await import(vite);
  const { default: plugin } = await import(pathToFileURL(join(packageDir(), 'vite.js')).href);
  mkdirSync(join(ROOT, 'target'), { recursive: true });
  const folder = mkdtempSync(join(ROOT, 'target', 'swapping-'));
  /** @type {(() => unknown)[]} */
  const closers = [() => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  t?.after(close);
  const root = join(folder, 'app');
  const site = join(folder, 'site');
  cpSync(join(HERE, app), root, { recursive: true });
  mkdirSync(join(root, 'node_modules'));
  symlinkSync(packageDir(), join(root, 'node_modules/changeover'));
  for (const name of FRAMEWORKS[app]) symlinkSync(join(ROOT, 'node_modules', name), join(root, 'node_modules', name));
  /** @type {Map<string, string | null>} */
  const originals = new Map();
  let builds = 0;

  const self = /** @type {SwapSite} */ ({
    root,
    site,
    folder,
    close,
    /** Replaces texts in files: `{ 'src/App.jsx': [['from', 'to'], …] }`; a text alone is the whole file, null removes it. */
    edit(edits) {
      for (const [path, changes] of Object.entries(edits)) {
        const file = join(root, path);
        /** @type {string | null} */
        let text = null;
        try {
          text = readFileSync(file, 'utf8');
        } catch {}
        if (!originals.has(path)) originals.set(path, text);
        if (changes === null) rmSync(file);
        else if (typeof changes === 'string') writeFileSync(file, changes);
        else {
          for (const [from, to] of changes) {
            if (!(/** @type {string} */ (text).includes(from))) throw new Error(`${path} does not contain ${from}`);
            text = /** @type {string} */ (text).replaceAll(from, to);
          }
          writeFileSync(file, /** @type {string} */ (text));
        }
      }
      return self;
    },
    text: (path) => readFileSync(join(root, path), 'utf8'),
    restore() {
      for (const [path, text] of originals) {
        if (text === null) rmSync(join(root, path), { force: true });
        else writeFileSync(join(root, path), text);
      }
      originals.clear();
      return self;
    },
    /** Builds what the folder holds; returns the folder of the build. */
    async build(more = {}) {
      builds += 1;
      const outDir = join(folder, `dist-${builds}`);
      await build({ root, configFile: false, logLevel: 'error', base: '/', plugins: [plugin({ interval: 1000, ...options, ...more })], build: { outDir, emptyOutDir: true, minify: true, ...(output && { rollupOptions: { output } }) } });
      return outDir;
    },
    /** Publishes a folder that was built before; returns what it is called. */
    async put(dist, more = []) {
      await changeover(['publish', dist, '--to', site, ...more]);
      return self.release().build.id;
    },
    /** Builds and publishes; returns what it is called. */
    async publish(edits = {}, { more = [], plugin: pluginOptions } = {}) {
      self.edit(edits);
      return self.put(await self.build(pluginOptions), more);
    },
    rollback: () => changeover(['rollback', '--site', site]),
    release: () => JSON.parse(readFileSync(join(site, 'changeover/release.json'), 'utf8')),
    manifest: (id = self.release().build.id) => JSON.parse(readFileSync(join(site, `changeover/builds/${id}.json`), 'utf8')),
  });
  try {
    self.first = await (first ? self.put(first) : self.publish());
    const server = await startServe(site);
    closers.push(server.close);
    self.edge = await startEdge({ upstream: server.url });
    closers.push(() => self.edge.close());
    self.url = self.edge.url;
  } catch (error) {
    await close();
    throw error;
  }
  return self;
}
