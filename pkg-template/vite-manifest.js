// What one build is: its files as they lie on disk when every plugin is done, and the manifest that says so.
//
// In order: while the bundler writes, its facts are copied (`factsOf`); at the end the folder is walked and hashed, the
// build id follows from the hashes, the documents get it as their stamp, and the manifest is written (`describe`).
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, extname, isAbsolute, join, relative, sep } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';

/** Where the site keeps its pointer and manifests; the app may not write there. */
export const OWN_FOLDER = 'changeover';

/** An error with a stable code. */
export function failure(code, sentence) {
  return Object.assign(new Error(`changeover: ${sentence}`), { name: 'ChangeoverError', code });
}

export const isId = (text) => /^(?!\.+$)[A-Za-z0-9._-]{1,64}$/.test(text);
export const isDocument = (file) => /\.html?$/i.test(file);

/** A plain copy of the facts about one output file, since bundlers free theirs. */
export function factsOf(item, root) {
  const names = (list) => [...(list ?? [])];
  if (item.type === 'asset') return { id: item.originalFileNames?.[0] ?? item.names?.[0] ?? null, asset: true };
  return {
    id: item.facadeModuleId ? moduleId(item.facadeModuleId, root) : null,
    name: item.name,
    last: item.moduleIds?.length ? moduleId(item.moduleIds.at(-1), root) : null,
    entry: item.isEntry,
    imports: names(item.imports),
    dynamicImports: names(item.dynamicImports),
    css: names(item.viteMetadata?.importedCss),
    assets: names(item.viteMetadata?.importedAssets),
  };
}

/** A module's name that is the same on every machine. */
function moduleId(id, root) {
  if (id.startsWith('\0')) return `virtual:${id.slice(1)}`;
  return isAbsolute(id) ? relative(root, id).replaceAll(sep, '/') : id;
}

/** Gives every file of the bundle a name that stays when its content changes. */
function logicalIds(graph, ownIds) {
  const ids = new Map();
  const used = new Set();
  const claim = (file, ...wishes) => {
    const free = wishes.filter(Boolean).find((wish) => !used.has(wish));
    let id = free ?? wishes.at(-1);
    for (let turn = 2; used.has(id); turn++) id = `${wishes.at(-1)}~${turn}`;
    used.add(id);
    ids.set(file, id);
  };
  const files = [...graph.keys()].sort();
  for (const file of files.filter((file) => !graph.get(file).asset)) {
    const { id, name, last } = graph.get(file);
    if (id) claim(file, id, `${id}#${name}`);
    else claim(file, `chunk:${name}`, `chunk:${name}:${last}`);
  }
  const holders = new Map();
  for (const [file, { css }] of graph) for (const style of css ?? []) holders.set(style, [...(holders.get(style) ?? []), file]);
  for (const file of files.filter((file) => graph.get(file).asset)) {
    const own = ownIds.get(file);
    const map = file.endsWith('.map') && ids.get(file.slice(0, -4));
    const holder = holders.get(file)?.length === 1 && ids.get(holders.get(file)[0]);
    if (own) claim(file, own);
    else if (map) claim(file, `${map}.map`);
    else if (holder) claim(file, `${holder}#style`);
    else claim(file, graph.get(file).id ?? file, `${graph.get(file).id ?? ''}#${extname(file).slice(1)}`);
  }
  return ids;
}

/** Every file that runs before anything lazy does: what entries import, and what those show. */
function shellOf(graph) {
  const shell = new Set();
  const visit = (file) => {
    if (shell.has(file)) return;
    shell.add(file);
    const { imports = [], css = [], assets = [] } = graph.get(file) ?? {};
    [...imports, ...css, ...assets].forEach(visit);
  };
  for (const [file, { entry }] of graph) if (entry) visit(file);
  return shell;
}

/** Hashes the final files, stamps the documents, writes the manifest. */
export function describe({ settings, config, ids: own, folder, since, pages, graph }) {
  if (existsSync(join(folder, OWN_FOLDER, 'release.json'))) {
    throw failure('folderIsSite', `"${folder}" is a published site, it has ${OWN_FOLDER}/release.json; build into another folder and publish that one.`);
  }
  const manifests = join(folder, OWN_FOLDER, 'builds');
  const leftovers = leftoversOf(folder, manifests, config.publicDir, graph, pages, since);
  const paths = walk(folder).filter((path) => !leftovers.has(path));
  const unfit = paths.filter((path) => !fitsManifest(path));
  if (unfit.length) config.logger.warn(`changeover: ${unfit.map((path) => `"${path}"`).join(', ')}: names with a control character, "\\", "?", "#" or a leading scheme cannot be served safely and are left out of the manifest.`);

  const documents = new Map(); // path -> text without the stamp
  const sidecars = [];
  const files = new Map(); // path -> bytes' facts
  const digests = [];
  const ids = logicalIds(graph, own);
  const logicalNames = new Map([...ids].map(([file, id]) => [Buffer.from(basename(file)).toString('latin1'), id]));
  for (const path of paths.filter(fitsManifest)) {
    const bytes = readFileSync(join(folder, path));
    if (isDocument(path)) {
      // One character a byte: whatever the encoding of the document, nothing but the stamp changes.
      documents.set(path, stamp(bytes.toString('latin1'), null));
      digests.push([path, integrityOf(Buffer.from(documents.get(path), 'latin1'))]);
    } else if (isDocument(path.replace(/\.(gz|br|zst)$/, '')) && paths.includes(path.replace(/\.(gz|br|zst)$/, ''))) {
      sidecars.push(path);
    } else {
      files.set(path, { integrity: integrityOf(bytes), size: bytes.length, code: codeOf(path, bytes, logicalNames) });
      digests.push([path, files.get(path).integrity]);
    }
  }

  const id = buildId(digests);
  const stamped = {};
  for (const [path, text] of documents) {
    const final = stamp(text, id);
    if (pages.has(path) && final === text) config.logger.warn(`changeover: "${path}" has lost the changeover script tag to another plugin; its pages will not see new builds.`);
    const bytes = Buffer.from(final, 'latin1');
    if (final !== text) replaceFile(join(folder, path), bytes);
    stamped[path] = { integrity: integrityOf(bytes), size: bytes.length };
  }
  for (const path of sidecars) {
    const bytes = recompress(join(folder, path), readFileSync(join(folder, path.replace(/\.\w+$/, ''))), config.logger);
    if (bytes) files.set(path, { integrity: integrityOf(bytes), size: bytes.length, code: codeOf(path, bytes, logicalNames) });
  }

  const shell = shellOf(graph);
  for (const file of own.keys()) shell.add(file);
  const chunks = {};
  for (const [path, { integrity, size, code }] of [...files].sort(byPath)) {
    const facts = graph.get(path) ?? {};
    // Most lists of most chunks are empty, and every page reads this file.
    const present = (list = []) => {
      const there = list.filter((file) => files.has(file));
      return there.length ? there : undefined;
    };
    chunks[path] = {
      id: ids.get(path) ?? path,
      code,
      integrity,
      size,
      kind: kindOf(path),
      imports: present(facts.imports),
      dynamicImports: present(facts.dynamicImports),
      css: present(facts.css),
      assets: present(facts.assets),
      owner: shell.has(path) ? 'shell' : 'shared',
    };
  }
  const { name, version } = packageOf(config.root);
  const manifest = {
    format: 1,
    app: settings.app ?? appNameOf(name),
    id,
    version,
    created: now(),
    base: config.base,
    commit: commitOf(config.root),
    epoch: settings.epoch,
    entries: [...graph].filter(([file, { entry }]) => entry && files.has(file)).map(([file]) => file).sort(),
    html: integrityOf(withLogicalNames(documents.get('index.html') ?? documents.get([...pages].sort()[0]), logicalNames)),
    documents: stamped,
    slots: {},
    chunks,
    stores: {},
  };
  rmSync(manifests, { recursive: true, force: true });
  mkdirSync(manifests, { recursive: true });
  replaceFile(join(manifests, `${id}.json`), `${JSON.stringify(manifest)}\n`);
  config.logger.info(`changeover: build ${id}, ${paths.length} files, ${OWN_FOLDER}/builds/${id}.json`);
}

const byPath = ([a], [b]) => (a < b ? -1 : a > b ? 1 : 0);
const integrityOf = (bytes) => `sha384-${createHash('sha384').update(bytes).digest('base64')}`;

/** The files of the folder, without dot files and our own. */
function walk(folder) {
  const found = [];
  const enter = (prefix) => {
    for (const name of readdirSync(join(folder, prefix))) {
      const path = prefix ? `${prefix}/${name}` : name;
      if (name.startsWith('.') || path === OWN_FOLDER) continue;
      if (statSync(join(folder, path)).isDirectory()) enter(path);
      else found.push(path);
    }
  };
  enter('');
  return found.sort();
}

const fitsManifest = (path) => !/[\u0000-\u001f\u007f-\u009f\\?#]|^[^/]*:|(^|\/)(\.|%2e){1,2}(\/|$)/i.test(path);

/** The same content has the same id, wherever and whenever it is built. */
function buildId(digests) {
  const hash = createHash('sha256');
  for (const [path, integrity] of digests.sort(byPath)) hash.update(`${path}\0${integrity}\n`);
  return hash.digest('hex').slice(0, 10);
}

/** Files of an earlier build that an unemptied folder still has: listed in its manifest, untouched, and not ours. */
function leftoversOf(folder, manifests, publicDir, graph, pages, since) {
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

function kindOf(path) {
  const extension = extname(path).toLowerCase();
  if (['.js', '.mjs', '.cjs'].includes(extension)) return 'script';
  return { '.css': 'style', '.wasm': 'wasm' }[extension] ?? 'asset';
}

/**
 * Hash of the content with every hashed file name in it replaced by the logical id: equal when a file changed only
 * because a file it names was renamed.
 */
function codeOf(path, bytes, logicalNames) {
  const hash = createHash('sha256');
  if (/\.(m?js|cjs|css|map|json)$/i.test(path)) hash.update(withLogicalNames(bytes.toString('latin1'), logicalNames, path.endsWith('.css')));
  else hash.update(bytes);
  return hash.digest('hex').slice(0, 32);
}

/** Bundlers never leave these characters in a file name, so a name is always a whole token; CSS also has url(name). */
const BORDER = /([\s"'`#$%&*+,:;<=>?[\]^{|}\\/]+)/;
const CSS_BORDER = /([\s"'`#$%&*+,:;<=>?[\]^{|}\\/()]+)/;

function withLogicalNames(text, logicalNames, css = false) {
  return text.split(css ? CSS_BORDER : BORDER).map((token) => logicalNames.get(token) ?? token).join('');
}

export const blankComments = (html) => html.replace(/<!--[^]*?-->/g, (comment) => ' '.repeat(comment.length));

/** The opening tag with `data-release`: where it is and its text. */
export function findTag(html) {
  return /<script(?=[\s/])(?=(?:"[^"]*"|'[^']*'|[^'">])*\sdata-release\s*=)(?:"[^"]*"|'[^']*'|[^'">])*>/i.exec(blankComments(html));
}

/** The document with `id` in its tag, or without a stamp when `id` is null. A document without a tag stays. */
function stamp(html, id) {
  const found = findTag(html);
  if (!found) return html;
  const bare = found[0].replace(/\s+data-build(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'>]*))?(?=[\s/>])/i, '');
  const tag = id === null ? bare : bare.replace(/(\sdata-release\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'>]+))/i, `$1 data-build="${id}"`);
  return html.slice(0, found.index) + tag + html.slice(found.index + found[0].length);
}

/** Compressed twins of a document must follow the stamp; one in a format Node cannot write goes. */
function recompress(file, source, logger) {
  const compress = { '.gz': (bytes) => gzipSync(bytes, { level: 9 }), '.br': brotliCompressSync }[extname(file)];
  if (!compress) {
    rmSync(file);
    logger.warn(`changeover: removed "${basename(file)}", which holds the document without its build id.`);
    return null;
  }
  const bytes = compress(source);
  replaceFile(file, bytes);
  return bytes;
}

function replaceFile(file, content) {
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, content);
  renameSync(temporary, file);
}

/** Now, or the moment a reproducible build was told to use. */
function now() {
  const epoch = process.env.SOURCE_DATE_EPOCH;
  const date = epoch && /^\d+$/.test(epoch) ? new Date(epoch * 1000) : new Date();
  return date.toISOString().replace(/\.\d+Z$/, 'Z');
}

function packageOf(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  } catch {
    return dirname(folder) === folder ? {} : packageOf(dirname(folder));
  }
}

function appNameOf(name) {
  const plain = (name ?? '').replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[-.]+/, '').slice(0, 64);
  return plain || 'app';
}

/** The commit at HEAD, when there is git and a repository. */
function commitOf(folder) {
  const run = spawnSync('git', ['log', '-1', '--format=%H%x00%an%x00%s%x00%cI'], { cwd: folder, encoding: 'utf8', timeout: 10_000 });
  if (run.status !== 0 || !run.stdout) return undefined;
  const [sha, author, message, time] = run.stdout.trim().split('\0');
  return { sha, author, message, time };
}
