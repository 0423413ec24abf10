// The apps with slots, each with its framework, and what changes from build to build.
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PACKAGE, ROOT, build, change } from './support.mjs';

/** @import { Changes, Vite } from '../vite/support.mjs' */
/** @import { TestContext } from 'node:test' */
/** @import { Config, Output } from './support.mjs' */

const APPS = join(dirname(fileURLToPath(import.meta.url)), 'slots');
/** @type {Record<string, string[]>} */
const FRAMEWORKS = { plain: [], react: ['react', 'react-dom'], vue: ['vue'] };

/**
 * What each app is built with.
 *
 * @type {(name: string, vite: Vite) => Config}
 */
export const optionsOf = (name, vite) => ({
  options: name === 'plain' ? {} : { slots: 'auto' },
  ...(name === 'react' && vite.version.startsWith('7.') ? { esbuild: { jsx: 'automatic' } } : {}),
});

/**
 * A copy of an app in a new folder, gone when the test `t` ends.
 *
 * @param {TestContext} t
 * @param {string} name
 * @param {Changes} changes
 */
export function makeSlots(t, name = 'plain', changes = {}) {
  const root = mkdtempSync(join(tmpdir(), 'changeover-slots-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  cpSync(join(APPS, name), root, { recursive: true });
  mkdirSync(join(root, 'node_modules'));
  symlinkSync(PACKAGE, join(root, 'node_modules/changeover'));
  for (const framework of FRAMEWORKS[name]) symlinkSync(join(ROOT, 'node_modules', framework), join(root, 'node_modules', framework));
  change(root, changes);
  return root;
}

/**
 * The logical ids of the files that one build has and another has not: what a page would have to fetch.
 *
 * @param {Pick<Output, 'manifest'>} old
 * @param {Pick<Output, 'manifest'>} next
 */
export function changed({ manifest: before }, { manifest: after }) {
  return Object.entries(after.chunks).filter(([file]) => !(file in before.chunks)).map(([, { id }]) => id).sort();
}

/**
 * Builds an app, once made ready by `before`, as it is and with `edits` of its files.
 *
 * @param {TestContext} t
 * @param {Vite} vite
 * @param {string} name
 * @param {(root: string) => void} edits
 * @param {Config & {before?: (root: string) => void}} how
 */
export async function twice(t, vite, name, edits, { before: prepare = () => {}, ...given } = {}) {
  const more = { ...optionsOf(name, vite), ...given };
  const root = makeSlots(t, name);
  prepare(root);
  const before = await build(vite, root, { ...more, out: join(root, 'out-1') });
  edits(root);
  const after = await build(vite, root, { ...more, out: join(root, 'out-2') });
  return { root, before, after, changed: changed(before, after) };
}

/**
 * The text of the file with a logical id.
 *
 * @param {Pick<Output, 'manifest' | 'files'>} built
 * @param {string} id
 */
export function codeOf({ manifest, files }, id) {
  const [file] = Object.entries(manifest.chunks).find(([, chunk]) => chunk.id === id) ?? [];
  if (!file) throw new Error(`no file has the id ${id}; there are ${Object.values(manifest.chunks).map((chunk) => chunk.id).join(', ')}`);
  return files.get(/** @type {string} */ (file)).toString();
}

/** The list of slots in a document. */
export const listIn = (/** @type {string} */ html) => JSON.parse(/<script type="application\/json" id="changeover-slots">([^<]*)<\/script>/.exec(html)?.[1] ?? 'null');
