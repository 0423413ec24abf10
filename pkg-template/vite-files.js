// The files of a build as they lie on disk: which of them a manifest can name, their hashes, and how they are written anew
// when something that they hold has changed.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { OWN_FOLDER, STORES_FILE, isDocument } from './vite-common.js';
import { documentOf, stamp } from './vite-documents.js';

/**
 * @import { Logger } from 'vite'
 * @import { Digest, Graph, ManifestChunk, Seal } from './types/plugin.js'
 * @import { Names } from './vite-graph.js'
 */

/**
 * The files of the folder, without dot files and what is for changeover alone.
 *
 * @param {string} folder
 */
export function walk(folder) {
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
export function servable(paths, logger) {
  // oxlint-disable-next-line no-control-regex -- a file name may hold them
  const odd = /[\u0000-\u001f\u007f-\u009f\\?#]|^[^/]*:|(^|\/)(\.|%2e){1,2}(\/|$)/i;
  const unfit = paths.filter((path) => odd.test(path));
  if (unfit.length) logger.warn(`changeover: ${unfit.map((path) => `"${path}"`).join(', ')} cannot be served under that name and is left out of the manifest; names may not have control characters, "\\", "?", "#" or a colon at the top.`);
  return paths.filter((path) => !odd.test(path));
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
export function leftoversOf(folder, manifests, publicDir, graph, pages, since) {
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
 * The files as they are, the documents without their stamps, and the paths of compressed twins of documents.
 *
 * @param {string} folder
 * @param {string[]} paths
 * @param {Names} logicalNames
 * @returns {{ files: Map<string, Digest>, documents: Map<string, string>, twins: string[] }}
 */
export function readFiles(folder, paths, logicalNames) {
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

/** @type {(bytes: Buffer) => Seal} */
export const sealOf = (bytes) => ({ integrity: integrityOf(bytes), size: bytes.length });
/** @type {(path: string, bytes: Buffer, logicalNames: Names) => Digest} */
export const digestOf = (path, bytes, logicalNames) => ({ ...sealOf(bytes), code: codeOf(path, bytes, logicalNames) });

/** @type {(bytes: Buffer | string) => string} */
export const integrityOf = (bytes) => `sha384-${createHash('sha384').update(bytes).digest('base64')}`;

/**
 * @param {string} path
 * @returns {ManifestChunk['kind']}
 */
export function kindOf(path) {
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
export function withLogicalNames(text, logicalNames, css = false) {
  return text.split(css ? CSS_BORDER : BORDER).map((token) => logicalNames.get(token) ?? token).join('');
}

/**
 * Compressed twins of a document must follow the stamp; one in a format Node cannot write goes.
 *
 * @param {string} file
 * @param {Buffer} source
 * @param {Logger} logger
 */
export function recompress(file, source, logger) {
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
export const md5 = (bytes) => createHash('md5').update(bytes).digest('hex');

/**
 * Lists of files that service workers keep name documents by the MD5 of what they were without their stamps, as Workbox
 * does: a worker would keep the old document. Returns the paths of the scripts that were corrected.
 *
 * @param {string} folder
 * @param {Map<string, Digest>} files
 * @param {Map<string, string>} revisions
 */
export function revise(folder, files, revisions) {
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
