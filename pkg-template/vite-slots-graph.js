// What must hold of the module graph so that slots can be swapped.
import { failure } from './vite-common.js';
import { plainId } from './vite-graph.js';

/**
 * @import { Rolldown } from 'vite'
 * @typedef {(id: string) => Rolldown.ModuleInfo | null} Info
 */

/**
 * @param {object} graph
 * @param {Info} graph.info of a module
 * @param {string[]} graph.ids of all modules
 * @param {Map<string, { module: string }>} graph.slots
 * @param {Map<string, string>} graph.pinned
 * @param {(id: string) => string} graph.nameOf
 * @param {(sentence: string) => void} graph.warn
 * @throws {Error} with the code `slotInShell` or `slotImportsEntry`
 */
export function checkGraph({ info, ids, slots, pinned, nameOf, warn }) {
  const slotOf = new Map([...slots].map(([id, { module }]) => [module, id]));
  const roots = ids.filter((id) => /** @type {Rolldown.ModuleInfo} */ (info(id)).isEntry && !slotOf.has(id) && !pinned.has(plainId(id)));
  /** @type {(from: Map<string, string | null>, id: string) => string} */
  const way = (from, id) => {
    /** @type {string[]} */
    const path = [];
    for (let at = /** @type {string | null | undefined} */ (id); at !== null && at !== undefined; at = from.get(at)) path.unshift(nameOf(at));
    return path.map((name) => `"${name}"`).join(' -> ');
  };

  // The shell is what its entries reach without crossing the edge of a slot.
  /** @type {Map<string, string | null>} */
  const from = new Map(roots.map((id) => [id, null]));
  for (const id of from.keys()) {
    const { importedIds = [], dynamicallyImportedIds = [] } = info(id) ?? {};
    for (const next of importedIds) {
      if (slotOf.has(next)) {
        throw failure('slotInShell', `the slot "${slotOf.get(next)}", "${nameOf(next)}", lives in the shell: "${nameOf(id)}" imports it statically (${way(from, id)}). Import it with import() only, or move what "${nameOf(id)}" needs of it into a module of its own.`);
      }
      if (!from.has(next)) from.set(next, id);
    }
    for (const next of dynamicallyImportedIds) {
      if (slotOf.has(next)) {
        warn(`"${nameOf(id)}" also imports "${nameOf(next)}", the slot "${slotOf.get(next)}", by an import() of its own, so every change of it changes the shell; name it in the option slots: { ${JSON.stringify(slotOf.get(next))}: ${JSON.stringify(nameOf(next))} }.`);
      } else if (!from.has(next)) from.set(next, id);
    }
  }

  const entries = entriesOf(roots, info);
  for (const [id, { module }] of slots) {
    /** @type {Map<string, string | null>} */
    const inside = new Map([[module, null]]);
    for (const at of inside.keys()) {
      const { importedIds = [], dynamicallyImportedIds = [] } = info(at) ?? {};
      for (const next of [...importedIds, ...dynamicallyImportedIds]) {
        if (inside.has(next)) continue;
        inside.set(next, at);
        if (entries.has(next)) {
          throw failure('slotImportsEntry', `the slot "${id}" imports the entry of the app (${way(inside, next)}); a swap would start the app again. Move what "${nameOf(at)}" needs into a module of its own.`);
        }
      }
    }
  }
}

/**
 * The entries, and the scripts of those that are documents.
 *
 * @param {string[]} roots
 * @param {Info} info
 */
function entriesOf(roots, info) {
  const entries = new Set(roots);
  for (const root of roots) {
    if (!/\.html?$/i.test(root)) continue;
    for (const id of /** @type {Rolldown.ModuleInfo} */ (info(root)).importedIds) if (!id.startsWith('\0') && !/\.(css|less|s[ac]ss|styl|pcss)($|\?)/i.test(id)) entries.add(id);
  }
  return entries;
}
