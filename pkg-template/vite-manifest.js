// What one build is: the manifest of its files as they lie on disk when every plugin is done.
//
// In order: the folder is walked and hashed (vite-files.js), the build id follows from the hashes, the documents get it as
// their stamp (vite-documents.js), and the manifest is written with what the bundler has told of its chunks (vite-graph.js).
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { OWN_FOLDER, SLOTS_BLOCK, STORES_FILE, failure } from './vite-common.js';
import { BLOCK, blankComments, documentOf, findTag, stamp, withoutSlots } from './vite-documents.js';
import { digestOf, integrityOf, kindOf, leftoversOf, md5, readFiles, recompress, replaceFile, revise, sealOf, servable, walk, withLogicalNames } from './vite-files.js';
import { logicalIds, ownersOf } from './vite-graph.js';

/**
 * @import { ResolvedConfig } from 'vite'
 * @import { BuildState, Described, Digest, Graph, Manifest, ManifestChunk, NumberOf, Owner, Settings, StoresFacts } from './types/plugin.js'
 * @import { Names } from './vite-graph.js'
 */

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
