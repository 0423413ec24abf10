// The plugin for Vite 7 and 8.
//
// In order: the app's own `import 'changeover'` loses what is inlined in it, the loader, the runtime with its parts, the stores
// and their wasm join the output as files of their own, every HTML file gets the script tag; and when all plugins are done and the files lie on
// disk, they are hashed, the build id is stamped into the HTML, the manifest and the release are written. No chunk is touched but where a
// slot is loaded (vite-slots.js).
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OWN_FOLDER, SLOTS_BLOCK, blankComments, describe, factsOf, failure, findTag, isDocument, isId } from './vite-manifest.js';
import { compare, readEarlier } from './vite-compare.js';
import { MESSAGE_LIMIT, URGENCIES, numberOf, readPrevious, writeRelease } from './vite-release.js';
import { createSlots } from './vite-slots.js';
import { slotsInDevelopment } from './vite-slots-dev.js';
import { wasmSlots } from './vite-wasm-slot.js';
import { STORES_OPTION, checkStores, readStores } from './vite-stores.js';

/**
 * @import { IndexHtmlTransformContext, Plugin, ResolvedConfig, Rolldown } from 'vite'
 * @import { BuildState, Bundle, ChunkFacts, Context, Graph, Settings } from './types/plugin.js'
 * @import { ChangeoverPluginOptions } from './vite.js'
 *
 * @typedef {{ tag: 'script', attrs: Record<string, string>, children?: string, injectTo: 'head-prepend' }} Tag
 * @typedef {{ fileName: string, source: Buffer, id: string }} Part a file of ours; `id`: its logical one
 * @typedef {Record<'loader' | 'runtime' | 'wasm' | 'prompt' | 'states' | 'stores' | 'storesWasm', Part>} PartFiles
 * @typedef {{ files: PartFiles, emitted: Part[], ids: Map<string, string> }} Parts `emitted`: those that lie in the output
 * @typedef {{ release: string } & Record<keyof PartFiles, string>} Addresses
 */

const PACKAGE = dirname(fileURLToPath(import.meta.url));

/** What stands in for a module of the package with inlined wasm, by what the module does for a page. */
const STAND_INS = new Map(Object.entries({ runtime: 'attach', stores: 'createStores' }).map(([name, call]) => [`\0changeover:${name}`, standIn(name, call)]));

/**
 * Writes the manifest of each build and puts the changeover script tag into its HTML.
 *
 * @param {ChangeoverPluginOptions} [options]
 * @returns {Plugin[]}
 * @throws {Error} with a `code`, when an option cannot be right
 */
export default function changeover(options = {}) {
  const settings = checkOptions(options);
  /** @type {WeakMap<object, BuildState>} */
  const started = new WeakMap(); // environment -> what its running build has told us
  /** @type {ResolvedConfig} */
  let config;
  /** @type {Parts} */
  let parts;
  /** @type {Parts} */
  let partsWithSlots;
  let enabled = false;
  /** @type {string | null} */
  let earlier = null;

  const stateOf = (/** @type {Context} */ context) => {
    const key = context.environment ?? config;
    if (!started.has(key)) started.set(key, { since: Date.now(), folder: null, previous: null, pages: new Set(), graph: new Map(), outputs: 0, stores: {}, slots: {}, starts: new Map(), listed: new Set() });
    return /** @type {BuildState} */ (started.get(key));
  };
  const forget = (/** @type {Context} */ context) => void started.delete(context.environment ?? config);
  /**
   * A page with slots has a runtime that can swap them.
   *
   * @type {(context: Context) => Parts}
   */
  const partsOf = (context) => (slots.apart(context).emitted.size > 0 ? partsWithSlots : parts);
  const concerns = (/** @type {Context} */ context) => enabled && (context.environment?.config.consumer ?? 'client') === 'client';

  const slots = createSlots({ settings, folder: PACKAGE, concerns });

  /** @type {Plugin} */
  const supported = {
    name: 'changeover:supported',
    enforce: 'pre',
    config(user) {
      checkVite(this?.meta?.viteVersion, resolve(user.root ?? process.cwd()));
    },
  };

  /** @type {Plugin} */
  const parted = {
    name: 'changeover:parts',
    enforce: 'pre',
    apply: 'build',
    resolveId: {
      filter: { id: /(^|\/)(runtime|stores)\.js$/ },
      handler(source, importer) {
        if (concerns(this) && importer && source.startsWith('.') && isOwnModule(importer)) return `\0changeover:${basename(source, '.js')}`;
      },
    },
    load: {
      filter: { id: /^\0changeover:(runtime|stores)$/ },
      handler: (id) => STAND_INS.get(id),
    },
    // Vite deletes the entries of documents that only import.
    generateBundle: {
      order: 'pre',
      handler(_output, bundle) {
        if (!concerns(this)) return;
        const { starts } = stateOf(this);
        for (const item of /** @type {Rolldown.OutputChunk[]} */ (Object.values(bundle))) if (item.isEntry && isDocument(item.facadeModuleId ?? '')) starts.set(item.fileName, /** @type {ChunkFacts} */ (factsOf(item, config.root)));
      },
    },
  };

  /** @type {Plugin} */
  const build = {
    name: 'changeover:build',
    enforce: 'post',
    apply: 'build',

    configResolved(resolved) {
      config = resolved;
      const { ssr, lib, write } = config.build;
      enabled = !ssr && !lib;
      if (enabled && write === false) {
        enabled = false;
        config.logger.warn('changeover: build.write is false, so there are no files to describe; no manifest, no script tag.');
      }
      if (!enabled) return;
      parts = readParts(config.build.assetsDir, settings.loader);
      partsWithSlots = readParts(config.build.assetsDir, settings.loader, '-slots');
      // What is wrong with the base is only known when the parts have their addresses.
      addressOf(settings, config, parts, 'index.html');
      readStores(settings.stores, config.root);
      earlier = readEarlier(settings.compareWith, config);
    },

    // Rolldown starts anew for each output of a build, so the facts stay until the build is closed or has failed.
    buildStart() {
      const state = stateOf(this);
      if (!concerns(this)) return;
      state.previous ??= readPrevious(outputOf(this.environment?.config ?? config));
      const { stores, file } = readStores(settings.stores, config.root);
      state.stores = stores;
      if (file) this.addWatchFile(file);
    },
    buildEnd(error) {
      if (error) forget(this);
    },
    renderError() {
      forget(this);
    },

    transformIndexHtml: {
      order: 'post',
      handler(html, context) {
        if (!enabled || context.server) return;
        const page = context.path.replace(/^\//, '');
        const list = slotsTag(slots, config, this, context, page);
        if (list.length) stateOf(this).listed.add(page);
        if (findTag(html)) return list;
        const mine = partsOf(this);
        const tag = scriptTag(settings, addressOf(settings, config, mine, page), mine);
        // Addresses relative to the document must follow a <base> that changes what they are relative to.
        const base = isRelative(config.base) && /<base\s[^>]*href[^>]*>/i.exec(blankComments(html));
        if (base) {
          const end = base.index + base[0].length;
          return { html: html.slice(0, end) + tagText(tag) + html.slice(end), tags: list };
        }
        return [tag, ...list];
      },
    },

    generateBundle: {
      order: 'post',
      handler(output, bundle) {
        if (!concerns(this)) return;
        const state = stateOf(this);
        state.folder = oneFolder(state.folder, resolve(config.root, output.dir ?? config.build.outDir));
        const files = Object.keys(bundle);
        const taken = files.find((file) => file.startsWith(`${OWN_FOLDER}/`));
        if (taken) {
          throw failure('folderTaken', `"${taken}" lies in the folder "${OWN_FOLDER}", which belongs to changeover; choose another build.assetsDir or file name pattern.`);
        }
        // A build without a document (a framework that renders its HTML elsewhere) has no tag that would load the parts.
        if (!files.some(isDocument)) return;
        for (const { fileName, source } of partsOf(this).emitted) this.emitFile({ type: 'asset', fileName, source });
      },
    },

    writeBundle: {
      order: 'post',
      sequential: true,
      handler(_output, bundle) {
        if (!concerns(this)) return;
        const state = stateOf(this);
        const apart = slots.apart(this);
        state.outputs++;
        for (const item of Object.values(bundle)) {
          if (isDocument(item.fileName)) state.pages.add(item.fileName);
          else state.graph.set(item.fileName, factsOf(item, config.root, apart));
        }
        Object.assign(state.slots, slots.facts(this, bundle));
      },
    },

    closeBundle: {
      order: 'post',
      sequential: true,
      handler() {
        if (!concerns(this)) return;
        const state = stateOf(this);
        forget(this);
        if (!state.folder || !state.graph.size) return; // the build failed before it wrote anything
        if (!state.pages.size) {
          config.logger.warn('changeover: this build has no HTML file, so it has no script tag and no manifest.');
          return;
        }
        for (const [file, facts] of state.starts) if (!state.graph.has(file)) passOn(facts, state.graph);
        const described = describe({ numberOf: numberOf(settings, state.previous), settings, config, ids: new Map([...parts.ids, ...partsWithSlots.ids]), .../** @type {BuildState & { folder: string }} */ (state) });
        writeRelease({ settings, folder: state.folder, previous: state.previous, logger: config.logger, ...described });
        if (earlier) compare(earlier, described.text, { folder: PACKAGE, logger: config.logger });
      },
    },
  };

  /** @type {Plugin} */
  const development = {
    name: 'changeover:development',
    apply: (_config, { command, isPreview }) => command === 'serve' && !isPreview,

    config(user) {
      const root = resolve(user.root ?? process.cwd());
      // Found late, the package would make the dev server reload the page.
      return canResolve(root) ? { optimizeDeps: { include: ['changeover', 'changeover/slots'] } } : undefined;
    },

    transformIndexHtml(_html, context) {
      if (!context.server) return;
      return [{ tag: 'script', children: `(${installInert})()`, injectTo: 'head-prepend' }];
    },
  };

  return [supported, parted, wasmSlots(), slots.plugin, build, development, ...(settings.slots === false ? [] : [slotsInDevelopment()])];
}

/**
 * An error that names the version when Vite is older than 7; such a Vite does not tell plugins its version.
 *
 * @param {string | undefined} told
 * @param {string} root
 */
function checkVite(told, root) {
  if (parseInt(/** @type {string} */ (told)) >= 7) return;
  let version = told;
  try {
    version ??= createRequire(join(root, 'package.json'))('vite/package.json').version;
  } catch {
    // Then the sentence does without.
  }
  const running = parseInt(/** @type {string} */ (version)) < 7 ? `Vite ${version}` : 'a Vite older than 7';
  throw failure('unsupportedVite', `this is ${running}, and the plugin works with Vite 7 and 8; update Vite, or build without the plugin and let \`changeover publish\` or \`changeover stamp\` describe the output folder.`);
}

/**
 * The options, or an error that names the wrong one.
 *
 * @param {ChangeoverPluginOptions} options
 * @returns {Settings}
 */
function checkOptions(options) {
  /** @type {Record<string, string | null>} */
  const kinds = {
    release: 'string', app: 'string', channel: 'string', sequence: 'number', urgency: 'string', message: 'string', stream: 'string', lang: 'string',
    interval: 'number', epoch: 'number', prompt: 'boolean', fields: 'boolean', trace: 'boolean', loader: 'string',
    stores: 'string or an object', slots: null, pinned: 'list', compareWith: 'string',
  };
  for (const [name, value] of Object.entries(options)) {
    if (!(name in kinds)) throw failure('badOption', `"${name}" is not an option; there are ${Object.keys(kinds).join(', ')}.`);
    if (value !== undefined && kinds[name] && !kinds[name].split(' or an ').includes(kinds[name] === 'list' && Array.isArray(value) ? 'list' : typeof value)) {
      throw failure('badOption', `the option "${name}" is ${JSON.stringify(value)}; it must be a ${kinds[name]}.`);
    }
  }
  const { app, channel, sequence, urgency, message, interval, stores, epoch = 1, loader = 'file' } = options;
  for (const [name, value] of Object.entries({ app, channel })) {
    if (value !== undefined && !isId(value)) {
      throw failure('badOption', `the option "${name}" is "${value}"; it must be 1 to 64 letters, digits, ".", "_" or "-".`);
    }
  }
  if (sequence !== undefined && !(Number.isSafeInteger(sequence) && sequence >= 0)) {
    throw failure('badOption', `the option "sequence" is ${sequence}; it must be a whole number from 0 to ${Number.MAX_SAFE_INTEGER}.`);
  }
  if (urgency !== undefined && !URGENCIES.includes(urgency)) throw failure('badOption', `the option "urgency" is "${urgency}"; it must be "routine", "soon" or "now".`);
  if ([...message ?? ''].length > MESSAGE_LIMIT) throw failure('badOption', `the option "message" has ${[.../** @type {string} */ (message)].length} characters; it may have ${MESSAGE_LIMIT}.`);
  if (interval !== undefined && !(interval >= 1000 && Number.isFinite(interval))) {
    throw failure('badOption', `the option "interval" is ${interval}; it counts milliseconds and must be at least 1000.`);
  }
  if (!Number.isInteger(epoch) || epoch < 1) throw failure('badOption', `the option "epoch" is ${epoch}; it must be a whole number from 1.`);
  if (loader !== 'file' && loader !== 'inline') throw failure('badOption', `the option "loader" is "${loader}"; it must be "file" or "inline".`);
  for (const pin of options.pinned ?? []) if (typeof pin !== 'string' || !pin) throw failure('badOption', `the option "pinned" names ${JSON.stringify(pin)}; it must be a package such as "react" or a module such as "./src/store.js".`);
  if (typeof stores === 'object') checkStores(stores, STORES_OPTION);
  return { ...options, epoch, loader };
}

/** @type {(base: string) => boolean} */
const isRelative = (base) => base === '' || base.startsWith('./');

// ---------------------------------------------------------------------------------------------- what joins the output

/**
 * Our own files with names from their content, and the logical id of each.
 *
 * @param {string} assetsDir
 * @param {Settings['loader']} loader
 * @param {'' | '-slots'} [kind]
 * @returns {Parts}
 */
function readParts(assetsDir, loader, kind = '') {
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
 * The list of slots for one page, as a list of one tag or none.
 *
 * @param {ReturnType<typeof createSlots>} slots
 * @param {ResolvedConfig} config
 * @param {Context} plugin
 * @param {IndexHtmlTransformContext} context
 * @param {string} page
 * @returns {Tag[]}
 */
function slotsTag(slots, config, plugin, { bundle, chunk: entry }, page) {
  const up = '../'.repeat(page.split('/').length - 1);
  const { modulePreload } = config.build;
  const children = slots.block({
    context: plugin,
    bundle: /** @type {Bundle} */ (bundle),
    entry,
    base: (files) => baseOf(config, page, files) ?? (isRelative(config.base) ? up || './' : config.base),
    depend(file, scripts) {
      if (!modulePreload) return [];
      return modulePreload.resolveDependencies?.(file, scripts, { hostId: page, hostType: 'html' }) ?? scripts;
    },
  });
  return children === null ? [] : [{ tag: 'script', attrs: { type: 'application/json', id: SLOTS_BLOCK }, children, injectTo: 'head-prepend' }];
}

/**
 * The one address that renderBuiltUrl puts before the files of slots, or undefined without such a function.
 *
 * @param {ResolvedConfig} config
 * @param {string} page
 * @param {string[]} files
 */
function baseOf({ experimental }, page, files) {
  const bases = new Set(files.map((file) => {
    const built = experimental?.renderBuiltUrl?.(file, { type: 'asset', hostId: page, hostType: 'html', ssr: false });
    if (typeof built !== 'string') return undefined;
    return built.endsWith(file) ? built.slice(0, -file.length) : built;
  }));
  if (bases.size > 1) {
    throw failure('slotUrl', `experimental.renderBuiltUrl gives the files of slots different addresses, such as ${[...bases].slice(0, 2).map((base) => `"${base}"`).join(' and ')}; slots need one address that all their files are under.`);
  }
  return [...bases][0];
}

/**
 * The URLs in the script tag of one page.
 *
 * @param {Settings} settings
 * @param {ResolvedConfig} config
 * @param {Parts} parts
 * @param {string} page
 * @returns {Addresses}
 */
function addressOf(settings, config, parts, page) {
  const { base } = config;
  const up = '../'.repeat(page.split('/').length - 1);
  const release = settings.release ?? (isRelative(base) ? `${up || './'}${OWN_FOLDER}/release.json` : `${base}${OWN_FOLDER}/release.json`);
  if (!settings.release && /^([a-z][a-z0-9+.-]*:)?\/\//i.test(base)) {
    throw failure('foreignBase', `the base "${base}" is on another origin, where a page would not look for its release; set the option "release" to a path on the page's own origin, such as "/${OWN_FOLDER}/release.json".`);
  }
  const urlOf = (/** @type {Part} */ { fileName }) => {
    const built = config.experimental?.renderBuiltUrl?.(fileName, { type: 'asset', hostId: page, hostType: 'html', ssr: false });
    if (typeof built === 'string') return built;
    if (built?.runtime) {
      throw failure('runtimeUrl', `experimental.renderBuiltUrl gives "${fileName}" a URL that only exists at run time, but an HTML file needs a fixed one; return a string or { relative: true } for the hostType "html".`);
    }
    return built?.relative || isRelative(base) ? `${up || './'}${fileName}` : `${base}${fileName}`;
  };
  return /** @type {Addresses} */ ({ release, ...Object.fromEntries(Object.entries(parts.files).map(([name, file]) => [name, urlOf(file)])) });
}

/**
 * @param {Settings} settings
 * @param {Addresses} urls
 * @param {Parts} parts
 * @returns {Tag}
 */
function scriptTag(settings, urls, parts) {
  /** @type {Record<string, string>} */
  const attrs = {
    'data-release': urls.release, 'data-build': '', 'data-runtime': urls.runtime, 'data-wasm': urls.wasm,
    'data-prompt-file': urls.prompt, 'data-states-file': urls.states, 'data-stores': urls.stores, 'data-stores-wasm': urls.storesWasm,
  };
  for (const name of /** @type {const} */ (['app', 'channel', 'interval', 'stream', 'lang'])) {
    if (settings[name] !== undefined) attrs[`data-${name}`] = String(settings[name]);
  }
  if (settings.prompt === false) attrs['data-prompt'] = 'off';
  if (settings.fields) attrs['data-fields'] = 'on';
  if (settings.trace) attrs['data-trace'] = 'on';
  /** @type {Tag} */
  const tag = { tag: 'script', attrs, injectTo: 'head-prepend' };
  if (settings.loader === 'file') return { ...tag, attrs: { src: urls.loader, ...attrs } };
  return { ...tag, children: inlined(parts.files.loader.source.toString().trim()) };
}

/**
 * What would end the script element early, or hide its end, escaped as strings and regular expressions allow.
 *
 * @type {(code: string) => string}
 */
const inlined = (code) => code.replace(/<\/(?=script)/gi, '<\\/').replaceAll('<!--', '<\\!--');

/** @param {Tag} tag */
function tagText({ attrs, children = '' }) {
  const escape = (/** @type {string} */ text) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
  const list = Object.entries(attrs).map(([name, value]) => ` ${name}="${escape(value)}"`);
  return `<script${list.join('')}>${children}</script>`;
}

/**
 * Whether `importer` is a module of an installed `changeover`, this copy or another.
 *
 * @param {string} importer
 */
function isOwnModule(importer) {
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

/** @param {string} root */
function canResolve(root) {
  try {
    createRequire(join(root, 'package.json')).resolve('changeover');
    return true;
  } catch {
    return false;
  }
}

/**
 * Runs in the page of a dev server: an instance that is there and does nothing, so that the page asks for no release. It
 * has no `store`: stores work without a guard, and the package adds them.
 */
function installInert() {
  const nothing = () => {};
  const undo = () => nothing;
  const status = {
    level: 'off', levelReason: 'devServer', build: null, release: null, skew: false,
    decision: { kind: 'ignore', reason: 'noReleaseYet' }, leader: false, stream: 'off',
    lastCheck: null, failures: 0, lastFailure: null, holds: [], prompt: null, changeover: null,
  };
  /** @type {Record<symbol, unknown>} */ (/** @type {unknown} */ (globalThis))[Symbol.for('changeover')] ??= {
    status, on: undo, hold: undo, state: undo, snooze: nothing, dispose: nothing,
    check: async () => status, reload: async () => 'noSkew', backups: async () => [], trace: () => '',
  };
}

/**
 * What a deleted entry imported is what its document starts with, and shows what the entry would have shown.
 *
 * @param {ChunkFacts} entry
 * @param {Graph} graph
 */
function passOn({ imports, css, assets }, graph) {
  for (const file of imports) {
    const facts = /** @type {ChunkFacts | undefined} */ (graph.get(file));
    if (facts) Object.assign(facts, { entry: true, css: [...new Set([...css, ...facts.css])], assets: [...new Set([...assets, ...facts.assets])] });
  }
}

/**
 * The folder that a build is about to write to.
 *
 * @param {Pick<ResolvedConfig, 'root'> & { build: Pick<ResolvedConfig['build'], 'rolldownOptions' | 'rollupOptions' | 'outDir'> }} config
 */
function outputOf({ root, build }) {
  const [{ dir } = {}] = [(build.rolldownOptions ?? build.rollupOptions)?.output ?? []].flat();
  return resolve(root, dir ?? build.outDir);
}

/**
 * The folder of the build's output, or an error when it has a second one.
 *
 * @param {string | null} known
 * @param {string} folder
 */
function oneFolder(known, folder) {
  if (known && known !== folder) {
    throw failure('severalFolders', `this build writes to "${known}" and to "${folder}"; a build is one folder, so run a build for each.`);
  }
  return folder;
}
