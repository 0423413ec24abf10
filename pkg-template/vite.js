// The plugin for Vite 7 and 8.
//
// In order: the app's own `import 'changeover'` loses what is inlined in it, the loader, the runtime with its parts, the stores
// and their wasm join the output as files of their own, every HTML file gets the script tag; and when all plugins are done and the files lie on
// disk, they are hashed, the build id is stamped into the HTML, the manifest and the release are written. No chunk is touched but where a
// slot is loaded (vite-slots.js).
import { basename, resolve } from 'node:path';
import { OWN_FOLDER, failure, isDocument } from './vite-common.js';
import { compare, readEarlier } from './vite-compare.js';
import { guardInDevelopment } from './vite-dev.js';
import { blankComments, findTag } from './vite-documents.js';
import { factsOf } from './vite-graph.js';
import { describe } from './vite-manifest.js';
import { checkOptions, checkVite } from './vite-options.js';
import { PACKAGE, STAND_INS, isOwnModule, readParts } from './vite-parts.js';
import { numberOf, readPrevious, writeRelease } from './vite-release.js';
import { createSlots } from './vite-slots.js';
import { slotsInDevelopment } from './vite-slots-dev.js';
import { readStores } from './vite-stores.js';
import { addressOf, isRelative, scriptTag, slotsTag, tagText } from './vite-tags.js';
import { wasmSlots } from './vite-wasm-slot.js';

/**
 * @import { Plugin, ResolvedConfig, Rolldown } from 'vite'
 * @import { BuildState, ChunkFacts, Context, Graph } from './types/plugin.js'
 * @import { ChangeoverPluginOptions } from './vite.js'
 * @import { Parts } from './vite-parts.js'
 */

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

  return [supported, parted, wasmSlots(), slots.plugin, build, guardInDevelopment(), ...(settings.slots === false ? [] : [slotsInDevelopment()])];
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
