// What one build is: its files as they lie on disk when every plugin is done, and the manifest that says so.
//
// In order: while the bundler writes, its facts are copied (`factsOf`); at the end the folder is walked and hashed, the
// build id follows from the hashes, the documents get it as their stamp, and the manifest is written (`describe`).
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, extname, isAbsolute, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';

/**
 * @import { Logger, ResolvedConfig, Rolldown } from 'vite'
 * @import { AssetFacts, BuildState, ChunkFacts, Described, Digest, Graph, Manifest, ManifestChunk, NumberOf, Owner, Seal, Settings, SlotsFacts, StoresFacts } from './types/plugin.js'
 *
 * @typedef {Map<string, string>} Names by file: a name that stays when the content of the file changes
 */

const HERE = dirname(fileURLToPath(import.meta.url));

/** Where the site keeps its pointer and manifests; the app may not write there. */
export const OWN_FOLDER = 'changeover';

/** The id of the script element that lists the slots of a document. */
export const SLOTS_BLOCK = 'changeover-slots';

/** Says what the stores are; read from the root of an app or of its output, and no part of a build. */
export const STORES_FILE = 'changeover.stores.json';

/**
 * An error with a stable code.
 *
 * @param {string} code
 * @param {string} sentence
 */
export function failure(code, sentence) {
  return Object.assign(new Error(`changeover: ${sentence}`), { name: 'ChangeoverError', code });
}

/** @type {(text: string) => boolean} */
export const isId = (text) => /^(?!\.+$)[A-Za-z0-9._-]{1,64}$/.test(text);
/** @type {(file: string) => boolean} */
export const isDocument = (file) => /\.html?$/i.test(file);

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
function logicalIds(graph, ownIds, outputs) {
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
function ownersOf(graph, own, slots) {
  const shell = reachOf(graph, [...own.keys(), ...[...graph].filter(([, { entry }]) => entry).map(([file]) => file)]);
  const slot = reachOf(graph, Object.values(slots).map(({ file }) => file));
  return (file) => (graph.get(file)?.pinned ? 'pinned' : slot.has(file) && !shell.has(file) ? 'slot' : shell.has(file) && !slot.has(file) ? 'shell' : 'shared');
}

/**
 * Hashes the final files, stamps the documents, writes the manifest, and gives it, its text and the time it was made.
 * `numberOf` makes the number for the documents of the build's id and that time.
 *
 * @param {Omit<BuildState, 'folder'> & { folder: string, settings: Settings, config: ResolvedConfig, ids: Names, numberOf: NumberOf }} given
 * @returns {Described}
 */
export function describe({ settings, config, ids: own, folder, since, pages, listed, graph, outputs, stores, slots, numberOf }) {
  const { logger } = config;
  const date = now();
  const manifests = join(folder, OWN_FOLDER, 'builds');
  const leftovers = leftoversOf(folder, manifests, config.publicDir, graph, pages, since);
  const paths = servable(walk(folder).filter((path) => !leftovers.has(path)), logger);
  const ids = logicalIds(graph, own, outputs);
  const logicalNames = new Map([...ids].map(([file, id]) => [Buffer.from(basename(file)).toString('latin1'), id]));

  const { files, documents, twins } = readFiles(folder, paths, logicalNames);
  const id = buildId(files, documents, stores);
  const number = numberOf(id, date);
  /** @type {Map<string, string>} */
  const revisions = new Map();
  for (const [path, text] of documents) {
    if (listed.has(path) && !BLOCK.test(blankComments(text))) {
      throw failure('slotsLost', `"${path}" has lost the list of its slots, <script id="${SLOTS_BLOCK}">, to another plugin; its pages could not load them.`);
    }
    if (pages.has(path) && !findTag(text)) logger.warn(`changeover: "${path}" has lost the changeover script tag to another plugin; its pages will not see new builds.`);
    const final = Buffer.from(stamp(text, id, number), 'latin1');
    const before = readFileSync(join(folder, path));
    if (final.equals(before)) continue;
    replaceFile(join(folder, path), final);
    revisions.set(md5(before), md5(final));
  }
  for (const path of revise(folder, files, revisions)) {
    files.set(path, digestOf(path, readFileSync(join(folder, path)), logicalNames));
    for (const twin of ['.gz', '.br', '.zst'].map((ending) => path + ending).filter((twin) => files.delete(twin))) {
      const bytes = recompress(join(folder, twin), readFileSync(join(folder, path)), logger);
      if (bytes) files.set(twin, digestOf(twin, bytes, logicalNames));
    }
  }
  for (const path of twins) {
    const bytes = recompress(join(folder, path), readFileSync(join(folder, /** @type {string} */ (documentOf(path)))), logger);
    if (bytes) files.set(path, digestOf(path, bytes, logicalNames));
  }

  const { name, version } = packageOf(config.root);
  // Another plugin may have taken it away.
  const page = documents.get('index.html') ?? documents.get([...pages].sort()[0]);
  /** @type {Manifest} */
  const manifest = {
    format: 1,
    app: settings.app ?? appNameOf(name),
    id,
    version,
    created: date.toISOString().replace(/\.\d+Z$/, 'Z'),
    base: config.base,
    commit: commitOf(config.root),
    epoch: settings.epoch,
    entries: [...graph].filter(([file, { entry }]) => entry && files.has(file)).map(([file]) => file).sort(),
    html: page === undefined ? undefined : integrityOf(withLogicalNames(withoutSlots(page), logicalNames)),
    documents: Object.fromEntries([...documents].map(([path, text]) => [path, sealOf(Buffer.from(stamp(text, id, number), 'latin1'))])),
    slots,
    chunks: chunksOf(files, graph, ids, ownersOf(graph, own, slots)),
    stores,
  };
  rmSync(manifests, { recursive: true, force: true });
  mkdirSync(manifests, { recursive: true });
  const text = `${JSON.stringify(manifest)}\n`;
  replaceFile(join(manifests, `${id}.json`), text);
  logger.info(`changeover: build ${id}, ${files.size + documents.size} files, ${OWN_FOLDER}/builds/${id}.json`);
  return { manifest, text, date };
}

/**
 * The files as they are, the documents without their stamps, and the paths of compressed twins of documents.
 *
 * @param {string} folder
 * @param {string[]} paths
 * @param {Names} logicalNames
 * @returns {{ files: Map<string, Digest>, documents: Map<string, string>, twins: string[] }}
 */
function readFiles(folder, paths, logicalNames) {
  const [files, documents, twins] = [new Map(), new Map(), /** @type {string[]} */ ([])];
  /** @type {ReadonlySet<string | null>} */
  const known = new Set(paths);
  for (const path of paths) {
    const bytes = readFileSync(join(folder, path));
    // One character a byte: whatever the encoding of the document, nothing but the stamp changes.
    if (isDocument(path)) documents.set(path, stamp(bytes.toString('latin1'), null));
    else if (known.has(documentOf(path))) twins.push(path);
    else files.set(path, digestOf(path, bytes, logicalNames));
  }
  return { files, documents, twins };
}

/**
 * `index.html` for `index.html.gz`, else null.
 *
 * @type {(path: string) => string | null}
 */
const documentOf = (path) => /^(.*\.html?)\.(gz|br|zst)$/i.exec(path)?.[1] ?? null;

/** @type {(bytes: Buffer) => Seal} */
const sealOf = (bytes) => ({ integrity: integrityOf(bytes), size: bytes.length });
/** @type {(path: string, bytes: Buffer, logicalNames: Names) => Digest} */
const digestOf = (path, bytes, logicalNames) => ({ ...sealOf(bytes), code: codeOf(path, bytes, logicalNames) });

/**
 * @param {Map<string, Digest>} files
 * @param {Graph} graph
 * @param {Names} ids
 * @param {(file: string) => Owner} ownerOf
 * @returns {Record<string, ManifestChunk>}
 */
function chunksOf(files, graph, ids, ownerOf) {
  // Most lists of most chunks are empty, and every page reads the manifest: only what there is.
  const present = (/** @type {string[] | undefined} */ list) => {
    const there = list?.filter((file) => files.has(file)) ?? [];
    return there.length ? there : undefined;
  };
  return Object.fromEntries([...files].sort(byPath).map(([path, { integrity, size, code }]) => {
    const { imports, dynamicImports, css, assets, exports } = graph.get(path) ?? {};
    const lists = { imports: present(imports), dynamicImports: present(dynamicImports), css: present(css), assets: present(assets), exports: exports?.length ? [...exports].sort() : undefined };
    return [path, { id: ids.get(path) ?? path, code, integrity, size, kind: kindOf(path), ...lists, owner: ownerOf(path) }];
  }));
}

/** @type {(a: [string, unknown], b: [string, unknown]) => number} */
const byPath = ([a], [b]) => (a < b ? -1 : a > b ? 1 : 0);
/** @type {(bytes: Buffer | string) => string} */
export const integrityOf = (bytes) => `sha384-${createHash('sha384').update(bytes).digest('base64')}`;

/**
 * The files of the folder, without dot files and what is for changeover alone.
 *
 * @param {string} folder
 */
function walk(folder) {
  /** @type {string[]} */
  const found = [];
  const enter = (/** @type {string} */ prefix) => {
    for (const name of readdirSync(join(folder, prefix))) {
      const path = prefix ? `${prefix}/${name}` : name;
      if (name.startsWith('.') || path === OWN_FOLDER || path === STORES_FILE) continue;
      if (statSync(join(folder, path)).isDirectory()) enter(path);
      else found.push(path);
    }
  };
  enter('');
  return found.sort();
}

/**
 * The paths that a manifest can name; the others are said.
 *
 * @param {string[]} paths
 * @param {Logger} logger
 */
function servable(paths, logger) {
  // oxlint-disable-next-line no-control-regex -- a file name may hold them
  const odd = /[\u0000-\u001f\u007f-\u009f\\?#]|^[^/]*:|(^|\/)(\.|%2e){1,2}(\/|$)/i;
  const unfit = paths.filter((path) => odd.test(path));
  if (unfit.length) logger.warn(`changeover: ${unfit.map((path) => `"${path}"`).join(', ')} cannot be served under that name and is left out of the manifest; names may not have control characters, "\\", "?", "#" or a colon at the top.`);
  return paths.filter((path) => !odd.test(path));
}

/**
 * The same content has the same id, wherever and whenever it is built: a hash of the files without their stamps, and of
 * what the stores are, since a published build never changes what it says about them.
 *
 * @param {Map<string, Digest>} files
 * @param {Map<string, string>} documents
 * @param {StoresFacts} stores
 */
function buildId(files, documents, stores) {
  const digests = [...files].map(/** @returns {[string, string]} */ ([path, { integrity }]) => [path, integrity]);
  for (const [path, text] of documents) digests.push([path, integrityOf(Buffer.from(text, 'latin1'))]);
  const list = Object.entries(stores).sort(byPath).map(([name, { schema, reads }]) => [name, schema, reads]);
  if (list.length) digests.push([STORES_FILE, integrityOf(JSON.stringify(list))]);
  const hash = createHash('sha256');
  for (const [path, integrity] of digests.sort(byPath)) hash.update(`${path}\0${integrity}\n`);
  return hash.digest('hex').slice(0, 10);
}

/**
 * Files of an earlier build that an unemptied folder still has: listed in its manifest, untouched, and not ours.
 *
 * @param {string} folder
 * @param {string} manifests
 * @param {string} publicDir
 * @param {Graph} graph
 * @param {Set<string>} pages
 * @param {number} since
 */
function leftoversOf(folder, manifests, publicDir, graph, pages, since) {
  /** @type {Set<string>} */
  const leftovers = new Set();
  for (const name of existsSync(manifests) ? readdirSync(manifests) : []) {
    let earlier;
    try {
      earlier = JSON.parse(readFileSync(join(manifests, name), 'utf8'));
    } catch {
      continue;
    }
    for (const path of [...Object.keys(earlier.chunks ?? {}), ...Object.keys(earlier.documents ?? {})]) {
      if (graph.has(path) || pages.has(path) || !existsSync(join(folder, path))) continue;
      if (publicDir && existsSync(join(publicDir, path))) continue;
      if (statSync(join(folder, path)).mtimeMs < since) leftovers.add(path);
    }
  }
  return leftovers;
}

/**
 * @param {string} path
 * @returns {ManifestChunk['kind']}
 */
function kindOf(path) {
  const extension = extname(path).toLowerCase();
  if (['.js', '.mjs', '.cjs'].includes(extension)) return 'script';
  return /** @type {Record<string, 'style' | 'wasm'>} */ ({ '.css': 'style', '.wasm': 'wasm' })[extension] ?? 'asset';
}

/**
 * Hash of the content with every hashed file name in it replaced by the logical id: equal when a file changed only
 * because a file it names was renamed.
 *
 * @param {string} path
 * @param {Buffer} bytes
 * @param {Names} logicalNames
 */
function codeOf(path, bytes, logicalNames) {
  const hash = createHash('sha256');
  if (/\.(m?js|cjs|css|map|json)$/i.test(path)) hash.update(withLogicalNames(bytes.toString('latin1'), logicalNames, path.endsWith('.css')));
  else hash.update(bytes);
  return hash.digest('hex').slice(0, 32);
}

/**
 * Characters that bundlers never leave in a file name, so that a name is a whole token; CSS also has url(name). A name
 * with a space is not found, and its users then count as changed, which is safe.
 */
const BORDER = /([\s"'`#$%&*+,:;<=>?[\]^{|}\\/]+)/;
const CSS_BORDER = /([\s"'`#$%&*+,:;<=>?[\]^{|}\\/()]+)/;

/**
 * @param {string} text
 * @param {Names} logicalNames
 * @param {boolean} [css]
 */
function withLogicalNames(text, logicalNames, css = false) {
  return text.split(css ? CSS_BORDER : BORDER).map((token) => logicalNames.get(token) ?? token).join('');
}

/** @type {(html: string) => string} */
export const blankComments = (html) => html.replace(/<!--[^]*?-->/g, (comment) => ' '.repeat(comment.length));

/**
 * The opening tag with `data-release`: where it is and its text.
 *
 * @param {string} html
 */
export function findTag(html) {
  return /<script(?=[\s/])(?=(?:"[^"]*"|'[^']*'|[^'">])*\sdata-release\s*=)(?:"[^"]*"|'[^']*'|[^'">])*>/i.exec(blankComments(html));
}

/** The list of slots of a document, up to its build. */
const BLOCK = new RegExp(`(<script(?=[\\s/])[^>]*\\sid\\s*=\\s*["']?${SLOTS_BLOCK}["']?(?=[\\s/>])[^>]*>\\s*\\{\\s*"build"\\s*:\\s*")[^"]*("[^]*?</script)`, 'i');

/**
 * The list says which files slots have now, which is no matter of the document.
 *
 * @type {(html: string) => string}
 */
const withoutSlots = (html) => html.replace(BLOCK, '');

/** The address of a release that comes with the build. One elsewhere has numbers of its own. */
const OURS = new RegExp(`\\sdata-release\\s*=\\s*["']?[^\\s"'>]*${OWN_FOLDER}/release\\.json`, 'i');

/**
 * The document with `id` in its tag and its list of slots, and with the number of its release, so that a release from
 * before it is known as such; without a stamp when `id` is null. A document without a tag stays.
 *
 * @param {string} given
 * @param {string | null} id
 * @param {number} [number]
 */
function stamp(given, id, number) {
  const html = given.replace(BLOCK, (_all, before, after) => before + (id ?? '') + after);
  const found = findTag(html);
  if (!found) return html;
  const bare = found[0].replace(/\s+data-(?:build|sequence)(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'>]*))?(?=[\s/>])/gi, '');
  const stamps = `${OURS.test(bare) ? ` data-sequence="${number}"` : ''} data-build="${id}"`;
  const tag = id === null ? bare : bare.replace(/(\sdata-release\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'>]+))/i, `$1${stamps}`);
  return html.slice(0, found.index) + tag + html.slice(found.index + found[0].length);
}

/**
 * Compressed twins of a document must follow the stamp; one in a format Node cannot write goes.
 *
 * @param {string} file
 * @param {Buffer} source
 * @param {Logger} logger
 */
function recompress(file, source, logger) {
  const compress = /** @type {Record<string, (bytes: Buffer) => Buffer>} */ ({ '.gz': (bytes) => gzipSync(bytes, { level: 9 }), '.br': brotliCompressSync })[extname(file)];
  if (!compress) {
    rmSync(file);
    logger.warn(`changeover: removed "${basename(file)}", which holds what "${basename(file, extname(file))}" was before the build got its id.`);
    return null;
  }
  const bytes = compress(source);
  replaceFile(file, bytes);
  return bytes;
}

/** @type {(bytes: Buffer) => string} */
const md5 = (bytes) => createHash('md5').update(bytes).digest('hex');

/**
 * Lists of files that service workers keep name documents by the MD5 of what they were without their stamps, as Workbox
 * does: a worker would keep the old document. Returns the paths of the scripts that were corrected.
 *
 * @param {string} folder
 * @param {Map<string, Digest>} files
 * @param {Map<string, string>} revisions
 */
function revise(folder, files, revisions) {
  return [...files.keys()].filter((path) => {
    if (!revisions.size || kindOf(path) !== 'script') return false;
    const text = readFileSync(join(folder, path), 'latin1');
    const revised = [...revisions].reduce((so, [from, to]) => so.replaceAll(from, to), text);
    if (revised !== text) replaceFile(join(folder, path), Buffer.from(revised, 'latin1'));
    return revised !== text;
  });
}

/**
 * @param {string} file
 * @param {string | Buffer} content
 */
export function replaceFile(file, content) {
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, content);
  renameSync(temporary, file);
}

/** Now, or the moment a reproducible build was told to use. */
function now() {
  const epoch = process.env.SOURCE_DATE_EPOCH;
  return epoch && /^\d+$/.test(epoch) ? new Date(/** @type {number} */ (/** @type {unknown} */ (epoch)) * 1000) : new Date();
}

/**
 * @param {string} folder
 * @returns {{ name?: string, version?: string }}
 */
function packageOf(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  } catch {
    return dirname(folder) === folder ? {} : packageOf(dirname(folder));
  }
}

/** @param {string | undefined} name */
function appNameOf(name) {
  const plain = (name ?? '').replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[-.]+/, '').slice(0, 64);
  return plain || 'app';
}

/**
 * The commit at HEAD, when there is git and a repository.
 *
 * @param {string} folder
 */
function commitOf(folder) {
  const run = spawnSync('git', ['log', '-1', '--no-show-signature', '--format=%H%x00%an%x00%s%x00%cI'], { cwd: folder, encoding: 'utf8', timeout: 10_000 });
  if (run.status !== 0 || !run.stdout) return undefined;
  const [sha, author, message, time] = run.stdout.trim().split('\0');
  return { sha, author, message, time };
}
