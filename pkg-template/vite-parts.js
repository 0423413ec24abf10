// What joins the output of a build: the loader, the runtime with its parts, the stores and their wasm, each as a file with a
// name from its content; and what stands in for the modules of the package that have wasm inlined.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { failure } from './vite-common.js';

/**
 * @import { Settings } from './types/plugin.js'
 *
 * @typedef {{ fileName: string, source: Buffer, id: string }} Part a file of ours; `id`: its logical one
 * @typedef {Record<'loader' | 'runtime' | 'wasm' | 'prompt' | 'states' | 'stores' | 'storesWasm', Part>} PartFiles
 * @typedef {{ files: PartFiles, emitted: Part[], ids: Map<string, string> }} Parts `emitted`: those that lie in the output
 */

/** The folder of the package. */
export const PACKAGE = dirname(fileURLToPath(import.meta.url));

/** What stands in for a module of the package with inlined wasm, by what the module does for a page. */
export const STAND_INS = new Map(Object.entries({ runtime: 'attach', stores: 'createStores' }).map(([name, call]) => [`\0changeover:${name}`, standIn(name, call)]));

/**
 * Our own files with names from their content, and the logical id of each.
 *
 * @param {string} assetsDir
 * @param {Settings['loader']} loader
 * @param {'' | '-slots'} [kind]
 * @returns {Parts}
 */
export function readParts(assetsDir, loader, kind = '') {
  const read = (/** @type {string} */ name) => {
    try {
      return readFileSync(join(PACKAGE, name));
    } catch {
      throw failure('packageIncomplete', `"${name}" is missing beside the plugin in ${PACKAGE}; install the package again.`);
    }
  };
  /** @type {(file: string, name: string, extension: string, id: string) => Part} */
  const named = (file, name, extension, id) => {
    const source = read(file);
    const hash = createHash('sha256').update(source).digest('hex').slice(0, 10);
    return { fileName: join(assetsDir, `${name}-${hash}${extension}`).replaceAll(sep, '/'), source, id };
  };
  const files = {
    loader: named('changeover.js', 'changeover', '.js', 'changeover/loader'),
    runtime: named(`runtime${kind}-slim.js`, 'changeover-runtime', '.js', 'changeover/runtime'),
    wasm: named(`changeover${kind}.wasm`, 'changeover', '.wasm', 'changeover/wasm'),
    prompt: named('prompt.js', 'changeover-prompt', '.js', 'changeover/prompt'),
    states: named('states.js', 'changeover-states', '.js', 'changeover/states'),
    stores: named('stores-slim.js', 'changeover-stores', '.js', 'changeover/stores'),
    storesWasm: named('stores.wasm', 'changeover-stores', '.wasm', 'changeover/stores-wasm'),
  };
  const emitted = Object.values(files).filter((file) => loader === 'file' || file !== files.loader);
  return { files, emitted, ids: new Map(emitted.map(({ fileName, id }) => [fileName, id])) };
}

/**
 * Whether `importer` is a module of an installed `changeover`, this copy or another.
 *
 * @param {string} importer
 */
export function isOwnModule(importer) {
  const folder = dirname(importer.split('?')[0]);
  if (folder === PACKAGE) return true;
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).name === 'changeover';
  } catch {
    return false;
  }
}

/**
 * Pages of such a build have the tag, which says where the file is that does the same.
 *
 * @param {string} name
 * @param {string} call
 */
function standIn(name, call) {
  return `
export async function ${call}(page) {
  if (!page.options.${name}) throw new Error('this page has no changeover script tag and no option "${name}"');
  const ${name} = await import(/* @vite-ignore */ page.options.${name});
  return ${name}.${call}(page);
}
`;
}
