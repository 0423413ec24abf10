// The graph of a build's output: the facts of each chunk and asset, a lasting name for each file, and which part of the app
// holds it.
//
// In order: while the bundler writes, its facts are copied (`factsOf`); when the output is whole, every file gets its
// logical id (`logicalIds`) and its owner (`ownersOf`).
import { basename, dirname, extname, isAbsolute, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @import { Rolldown } from 'vite'
 * @import { AssetFacts, ChunkFacts, Graph, Owner, SlotsFacts } from './types/plugin.js'
 *
 * @typedef {Map<string, string>} Names by file: a name that stays when the content of the file changes
 */

const HERE = dirname(fileURLToPath(import.meta.url));

/**
 * A plain copy of the facts about one output file, since bundlers free theirs.
 * `emitted`: modules with a chunk of their own that are no entries; `pinned`: those among them that bundlers may put into
 * a chunk beside that one.
 *
 * @param {Rolldown.OutputChunk | Rolldown.OutputAsset} item
 * @param {string} root
 * @param {{ emitted?: ReadonlySet<unknown>, pinned?: ReadonlySet<unknown> }} [apart]
 * @returns {ChunkFacts | AssetFacts}
 */
export function factsOf(item, root, { emitted = new Set(), pinned = new Set() } = {}) {
  const names = (/** @type {Iterable<string> | null | undefined} */ list) => [...(list ?? [])];
  if (item.type === 'asset') return { id: item.originalFileNames?.[0] ?? item.names?.[0] ?? null, asset: true };
  const facade = plainId(item.facadeModuleId);
  const held = pinned.size && names(item.moduleIds).map(plainId).find((id) => pinned.has(id));
  const of = facade ?? held;
  // The conversion of CommonJS makes two modules of one, which may lie in two chunks.
  const part = !pinned.has(of) ? '' : !held ? '#facade' : item.moduleIds.includes(held) ? '' : '#import';
  const id = of ? moduleId(of, root) + part : null;
  return {
    id,
    pinned: Boolean(held) || pinned.has(facade),
    name: item.name,
    stem: stemOf(item),
    last: item.moduleIds?.length ? moduleId(/** @type {string} */ (item.moduleIds.at(-1)), root) : null,
    entry: item.isEntry && !emitted.has(facade),
    exports: names(item.exports),
    imports: names(item.imports),
    dynamicImports: names(item.dynamicImports),
    css: names(item.viteMetadata?.importedCss),
    assets: names(item.viteMetadata?.importedAssets),
  };
}

/**
 * A module's id without what the conversion of CommonJS puts around it.
 *
 * @template {string | null | undefined} Id
 * @param {Id} id
 * @returns {Id extends string ? string : undefined}
 */
export const plainId = (id) => /** @type {Id extends string ? string : undefined} */ (id?.replace(/^\0(.*)\?commonjs-.*$/, '$1'));

/**
 * What the pattern of its output made of the name of a chunk; without a hash to come, the file itself has a lasting name.
 *
 * @param {{ name: string, preliminaryFileName?: string }} chunk
 */
function stemOf({ name, preliminaryFileName = '' }) {
  const [before, hash] = basename(preliminaryFileName).split(/[._-]?!~\{[^}]*\}~/);
  return hash === undefined ? name : before + hash.replace(/\.[^.]*$/, '');
}

/**
 * A module's name that is the same on every machine.
 *
 * @param {string} given
 * @param {string} root
 */
export function moduleId(given, root) {
  const id = plainId(given);
  if (dirname(id) === HERE) return `changeover/${basename(id, '.js')}`;
  if (id.startsWith('\0')) return `virtual:${id.slice(1)}`;
  return isAbsolute(id) ? relative(root, id).replaceAll(sep, '/') : id;
}

/**
 * Gives every file of the bundle a name that stays when its content changes. A build with several outputs, such as one
 * for legacy browsers, has each chunk more than once; those with a pattern of their own have it in their name.
 *
 * @param {Graph} graph
 * @param {Names} ownIds
 * @param {number} outputs
 */
export function logicalIds(graph, ownIds, outputs) {
  const chunks = /** @type {[string, ChunkFacts][]} */ ([...graph].filter(([, { asset }]) => !asset));
  const assets = /** @type {[string, AssetFacts][]} */ ([...graph].filter(([, { asset }]) => asset));
  const ids = allot(new Map(chunks.map(([file, { id, name, last, stem }]) => {
    const variant = outputs > 1 && stem !== name ? `#${stem}` : '';
    return [file, (id ? [id, `${id}#${name}`] : [`chunk:${name}`, `chunk:${name}:${last}`]).map((wish) => wish + variant)];
  })));

  /** @type {Map<string, string[]>} */
  const holders = new Map(); // style -> the chunks that load it
  for (const [file, { css }] of chunks) for (const style of css) holders.set(style, [...(holders.get(style) ?? []), file]);
  /** @type {(asset: [string, AssetFacts]) => string[]} */
  const wishes = ([file, { id }]) => {
    if (ownIds.has(file)) return [/** @type {string} */ (ownIds.get(file))];
    if (file.endsWith('.map') && ids.has(file.slice(0, -4))) return [`${ids.get(file.slice(0, -4))}.map`];
    if (holders.get(file)?.length === 1) return [`${ids.get(/** @type {string[]} */ (holders.get(file))[0])}#style`];
    return id ? [id, `${id}#${extname(file).slice(1)}`] : [];
  };
  return allot(new Map(assets.map((asset) => [asset[0], wishes(asset)])), ids);
}

/**
 * Gives each file the first of its wishes that no other file has, else its own path. Files that wish for the same name
 * both go without it: which of them came first would depend on their hashes.
 *
 * @param {Map<string, string[]>} wishes by file
 * @param {Names} [ids]
 */
function allot(wishes, ids = new Map()) {
  const used = new Set(ids.values());
  for (let turn = 0; wishes.size; turn++) {
    /** @type {Map<string, string[]>} */
    const wanted = new Map();
    for (const [file, list] of wishes) {
      const wish = list[turn] ?? file;
      wanted.set(wish, [...(wanted.get(wish) ?? []), file]);
    }
    for (const [wish, files] of wanted) {
      if (files.length > 1 || used.has(wish)) continue;
      used.add(wish);
      ids.set(files[0], wish);
      wishes.delete(files[0]);
    }
  }
  return ids;
}

/**
 * Every file that `start` comes to need: what it imports, now and later, and what that shows.
 *
 * @param {Graph} graph
 * @param {string[]} start
 */
function reachOf(graph, start) {
  /** @type {Set<string>} */
  const reached = new Set();
  const visit = (/** @type {string} */ file) => {
    if (reached.has(file)) return;
    reached.add(file);
    const { imports = [], dynamicImports = [], css = [], assets = [] } = graph.get(file) ?? {};
    [...imports, ...dynamicImports, ...css, ...assets].forEach(visit);
  };
  start.forEach(visit);
  return reached;
}

/**
 * Which part of the app holds each file. What nothing reaches is shared.
 *
 * @param {Graph} graph
 * @param {Names} own
 * @param {SlotsFacts} slots
 * @returns {(file: string) => Owner}
 */
export function ownersOf(graph, own, slots) {
  const shell = reachOf(graph, [...own.keys(), ...[...graph].filter(([, { entry }]) => entry).map(([file]) => file)]);
  const slot = reachOf(graph, Object.values(slots).map(({ file }) => file));
  return (file) => (graph.get(file)?.pinned ? 'pinned' : slot.has(file) && !shell.has(file) ? 'slot' : shell.has(file) && !slot.has(file) ? 'shell' : 'shared');
}
