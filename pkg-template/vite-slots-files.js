// The file that a slot has in an output, and what comes with it: the scripts it imports at once and their styles.
import { basename } from 'node:path';
import { failure } from './vite-common.js';
import { plainId } from './vite-graph.js';

/**
 * @import { Rolldown } from 'vite'
 * @import { Bundle } from './types/plugin.js'
 */

/**
 * @param {Bundle} bundle
 * @param {string} module
 * @param {string} id
 */
export function fileOf(bundle, module, id) {
  const chunk = chunkOf(bundle, module);
  if (!chunk) throw failure('slotLost', `the slot "${id}" has no file of its own; another plugin has merged "${basename(module)}" with other code.`);
  return chunk.fileName;
}

/**
 * @param {Bundle} bundle
 * @param {string} module
 * @returns {Rolldown.OutputChunk | undefined}
 */
function chunkOf(bundle, module) {
  const chunks = /** @type {Rolldown.OutputChunk[]} */ (Object.values(bundle)).filter(({ type, facadeModuleId }) => type === 'chunk' && plainId(facadeModuleId) === plainId(module));
  return chunks.find(({ isEntry }) => isEntry) ?? chunks[0];
}

/**
 * What the chunks import at once, themselves included: scripts and styles, those that must come first before the others.
 *
 * @param {Bundle} bundle
 * @param {string[]} files
 * @returns {Record<'scripts' | 'css', Set<string>>}
 */
export function closureOf(bundle, files) {
  /** @type {Set<string>[]} */
  const [scripts, css] = [new Set(), new Set()];
  const visit = (/** @type {string} */ file) => {
    const chunk = bundle[file];
    if (scripts.has(file) || chunk?.type !== 'chunk') return;
    scripts.add(file);
    chunk.imports.forEach(visit);
    for (const style of chunk.viteMetadata?.importedCss ?? []) css.add(style);
  };
  files.forEach(visit);
  return { scripts, css };
}
