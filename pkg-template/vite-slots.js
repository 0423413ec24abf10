// Slots: the places where the module graph is cut, so that a page can run one file of another build.
//
// In order: each module is looked through when it is plain JavaScript, before Vite adds its preload code; an `import()` that is a
// slot becomes a call with the slot's id, and its target a chunk of its own, as do the modules that are pinned; when the
// graph is whole it is checked; every document gets the list of slots and files that `changeover/slots` reads.
import { join } from 'node:path';
import { failure, isDocument } from './vite-common.js';
import { moduleId, plainId } from './vite-graph.js';
import { applyEdits } from './vite-slots-edit.js';
import { closureOf, fileOf } from './vite-slots-files.js';
import { findEdges, schemaOf, specifierOf, textOf } from './vite-slots-find.js';
import { checkGraph } from './vite-slots-graph.js';
import { checkId, readSlots, slotOf } from './vite-slots-names.js';

/**
 * @import { ESTree, Plugin, ResolvedConfig, Rolldown } from 'vite'
 * @import { Bundle, Context, Settings, SlotsFacts } from './types/plugin.js'
 * @import { Edges } from './vite-slots-find.js'
 *
 * @typedef {(id: string) => string} NameOf
 * @typedef {{ id: string, module: string }} Edge an `import()` that is a slot
 * @typedef {{ module: string, importer: string, id?: string, schema?: number }} Slot `importer`: the first that loads it
 */

/**
 * What the builds of an environment have found: by importing module its slots, what it has chunks of, and its frameworks;
 * the slots by id; what is pinned, by module; the module of `changeover/slots`; whether there is an HTML file.
 *
 * @typedef {object} Work
 * @property {Map<string, Edge[]>} edges
 * @property {Map<string, Set<string>>} own
 * @property {Map<string, string[]>} frameworks
 * @property {Map<string, Slot>} slots
 * @property {Map<string, string>} pinned
 * @property {string | null} library
 * @property {boolean} html
 */

/** What the rewritten modules import; the same as `changeover/slots`. */
export const SLOTS_MODULE = 'virtual:changeover-slots';

/**
 * What is pinned in an app with slots that imports one of these. Nothing of it can be left out of a build anyway, unlike
 * what Vue consists of.
 */
const REACT = ['react', 'react/jsx-runtime', 'react-dom', 'react-dom/client'];
/** @type {Record<string, string[]>} */
const FRAMEWORKS = { __proto__: /** @type {never} */ (null), 'changeover/react': REACT, 'react-dom/client': REACT };

/**
 * @param {{ settings: Settings, folder: string, concerns: (context: Context) => boolean }} plugin `folder`: of the package
 */
export function createSlots({ settings, folder, concerns }) {
  const { off, auto, patterns } = readSlots(settings.slots);
  const pins = settings.pinned ?? [];
  /** @type {WeakMap<object, Work>} */
  const works = new WeakMap(); // environment -> what its builds have found; a watched build looks only at what has changed
  /** @type {Set<string>} */
  const said = new Set();
  /** @type {ResolvedConfig} */
  let config;
  /** @type {string | null} */
  let unfit = null;

  const workOf = (/** @type {Context} */ context) => {
    const key = context.environment ?? config;
    if (!works.has(key)) works.set(key, { edges: new Map(), own: new Map(), frameworks: new Map(), slots: new Map(), pinned: new Map(), library: null, html: true });
    return /** @type {Work} */ (works.get(key));
  };
  const active = (/** @type {Context} */ context) => !off && concerns(context);
  const nameOf = (/** @type {string} */ id) => moduleId(id, config.root);
  const warn = (/** @type {string} */ sentence) => {
    if (!said.has(sentence)) config.logger.warn(`changeover: ${sentence}`);
    said.add(sentence);
  };
  /** @type {(context: Rolldown.PluginContext, work: Work) => Promise<string>} */
  const library = async (context, work) => (work.library ??= (await context.resolve('changeover/slots', join(config.root, 'index.html')))?.id ?? join(folder, 'slots.js'));

  /**
   * Which imports of a module are slots: id and target of each, and the arguments that our adapters get.
   *
   * @param {Rolldown.PluginContext} context
   * @param {Edges} found
   * @param {string} importer
   */
  async function edgesOf(context, { imports, calls, wrapped }, importer) {
    const place = nameOf(importer);
    /** @type {Map<ESTree.ImportExpression, string>} */
    const targets = new Map();
    for (const node of imports) {
      const resolved = await context.resolve(/** @type {string} */ (specifierOf(node)), importer);
      if (resolved && !resolved.external) targets.set(node, resolved.id);
    }
    /** @type {Map<ESTree.ImportExpression, string>} */
    const ids = new Map(); // import -> slot
    /** @type {[call: ESTree.CallExpression, id: string][]} */
    const given = [];
    /** @type {(node: ESTree.ImportExpression, id: string) => void} */
    const add = (node, id) => {
      if ((ids.get(node) ?? id) !== id) throw failure('slotTwice', `"${place}" gives the slots "${ids.get(node)}" and "${id}" the same function; give each a () => import('…') of its own.`);
      ids.set(node, id);
    };
    for (const { kind, call, id: name, imports: loaded } of calls) {
      const id = kind === 'slot' ? textOf(name) : null;
      if (kind === 'slot') {
        if (id === null) throw failure('slotId', `"${place}" calls slot() with an id that is only known at run time; the id must be a plain text, as in slot('cart', () => import('./Cart.js')).`);
        checkId(id, (what) => failure('slotId', `"${place}" ${what}.`));
      }
      const modules = new Set(loaded.map((node) => targets.get(node)));
      const called = kind === 'slot' ? `the slot "${id}"` : 'a lazy() of changeover';
      if (!modules.size || modules.has(undefined)) {
        warn(`"${place}" loads ${called} by something other than () => import('./Module.js'), so it will not be swapped.`);
      } else if (modules.size > 1) {
        throw failure('slotTwice', `"${place}" loads ${called} from ${/** @type {string[]} */ ([...modules]).map((module) => `"${nameOf(module)}"`).join(' or ')}; a slot is one module.`);
      } else {
        const [path] = /** @type {string[]} */ ([...modules]).map(nameOf);
        const chosen = id ?? ids.get(loaded[0]) ?? slotOf(path, patterns)?.id ?? path;
        for (const node of loaded) add(node, chosen);
        if (kind === 'lazy') given.push([call, chosen]);
      }
    }
    for (const [node, target] of targets) {
      if (ids.has(node) || target.includes('?') || target.startsWith('\0')) continue;
      const id = slotOf(nameOf(target), patterns)?.id ?? (wrapped.has(node) ? nameOf(target) : null);
      if (id !== null) add(node, id);
    }
    return { given, edges: [...ids].map(([node, id]) => ({ node, id, module: /** @type {string} */ (targets.get(node)) })) };
  }

  /**
   * Gives modules that `importer` names, and those of `ids`, chunks with all they export.
   *
   * @param {Rolldown.PluginContext} context
   * @param {Work} work
   * @param {string} importer
   * @param {string[]} names
   * @param {string[]} [ids]
   */
  async function share(context, work, importer, names, ids = []) {
    const found = new Set(ids);
    for (const name of names) {
      const resolved = await context.resolve(name, importer);
      if (resolved && !resolved.external) found.add(resolved.id);
    }
    // Modules are looked at side by side: meanwhile another one may have added to what this importer has.
    const own = new Set([...work.own.get(importer) ?? [], ...found]);
    for (const id of own) context.emitFile({ type: 'chunk', id, preserveSignature: 'strict' });
    if (own.size) work.own.set(importer, own);
  }

  /** @type {Plugin} */
  const plugin = {
    name: 'changeover:slots',
    enforce: 'post',
    apply: 'build',

    configResolved(resolved) {
      config = resolved;
      unfit = unfitness(config);
    },

    // A new chunk would link to other bindings of a running one than its own, and nothing would say so.
    outputOptions(options) {
      return active(this) ? { ...options, minifyInternalExports: false } : null;
    },

    async buildStart(options) {
      if (!active(this)) return;
      const work = workOf(this);
      work.html = Object.values(options.input ?? {}).some(isDocument);
      work.pinned = new Map();
      if (unfit || !work.html) return;
      for (const pin of pins) {
        const resolved = await this.resolve(pin, join(config.root, 'index.html'));
        if (!resolved || resolved.external) throw failure('pinnedMissing', `the option "pinned" names "${pin}", which ${resolved ? 'is not bundled' : 'does not exist'}; name packages, and modules of the app as "./src/store.js" from the root.`);
        this.emitFile({ type: 'chunk', id: resolved.id, preserveSignature: 'strict' });
        work.pinned.set(plainId(resolved.id), pin);
      }
    },

    resolveId: {
      order: 'pre',
      filter: { id: /^virtual:changeover-slots$/ },
      handler(source) {
        if (source === SLOTS_MODULE && active(this)) return library(this, workOf(this));
      },
    },

    transform: {
      filter: { code: /\bimport\s*[(/]|changeover\/react|react-dom\/client/ },
      async handler(code, importer) {
        if (!active(this)) return;
        const work = workOf(this);
        for (const known of [work.edges, work.own, work.frameworks]) known.delete(importer);
        let program;
        try {
          program = this.parse(code);
        } catch {
          return; // no JavaScript; the bundler says so if it should be
        }
        const found = findEdges(program, auto && !/[\\/]node_modules[\\/]/.test(importer));
        const frameworks = [...new Set(found.sources.flatMap((source) => FRAMEWORKS[source] ?? []))];
        if (frameworks.length) work.frameworks.set(importer, frameworks);
        const { edges, given } = await edgesOf(this, found, importer);
        if (!edges.length) {
          if (work.edges.size) await share(this, work, importer, frameworks);
          return;
        }
        if (unfit) return warn(`slots are left as they are, since ${unfit}.`);
        if (!work.html) return warn('slots are left as they are, since this build has no HTML file that would say where they are.');

        work.edges.set(importer, edges.map(({ id, module }) => ({ id, module })));
        for (const { module } of edges) this.emitFile({ type: 'chunk', id: module, preserveSignature: 'exports-only' });
        // What slots use of the package and the framework, today or tomorrow, the shell has.
        await share(this, work, importer, [...found.adapters], [await library(this, work)]);
        // Of those that came before the first slot nothing is pinned yet.
        for (const [place, names] of work.frameworks) await share(this, work, place, names);

        let load = '__changeover_load';
        while (code.includes(load)) load += '_';
        const edits = edges.map(({ node, id }) => ({ start: node.start, end: node.end, text: `${load}(${JSON.stringify(id)})` }));
        for (const [call, id] of given) edits.push({ start: call.end - 1, end: call.end - 1, text: `${endsWithComma(code, call) ? '' : ', '}${JSON.stringify(id)}` });
        // At the end, where it moves nothing: imports run first wherever they stand.
        return applyEdits(code, edits, { tail: `\nimport { load as ${load} } from "${SLOTS_MODULE}";\n`, source: config.build.sourcemap ? importer : undefined });
      },
    },

    buildEnd(error) {
      if (error || !active(this)) return;
      const work = workOf(this);
      work.slots = new Map();
      for (const [importer, edges] of work.edges) {
        if (!this.getModuleInfo(importer)) {
          for (const known of [work.edges, work.own, work.frameworks]) known.delete(importer);
        } else for (const { id, module } of edges) addSlot(work.slots, id, module, importer, nameOf);
      }
      if (!unfit && work.html) {
        const modules = new Set([...work.edges.values()].flat().map(({ module }) => nameOf(module)));
        for (const { id, text, pattern } of patterns) if (![...modules].some((name) => pattern.test(name))) warn(`no import() leads to "${text}", so there is no slot "${id}".`);
      }
      if (!work.slots.size) return;
      for (const id of [...work.own.values()].flatMap((own) => [...own])) work.pinned.set(plainId(id), 'changeover');
      checkGraph({ info: (id) => this.getModuleInfo(id), ids: [...this.getModuleIds()], slots: work.slots, pinned: work.pinned, nameOf, warn });
      for (const [id, slot] of work.slots) {
        const own = readSchema(this, slot.module);
        if (own === null) warn(`the schema that "${nameOf(slot.module)}" exports is not a plain number, as in "export const schema = 2", so no build can know it.`);
        slot.schema = own ?? slotOf(nameOf(slot.module), patterns)?.schema;
        slot.id = id;
      }
    },
  };

  return {
    plugin,

    /**
     * The modules that have chunks of their own without being entries, and those of them that are pinned.
     *
     * @param {Context} context
     */
    apart(context) {
      const { slots, pinned } = workOf(context);
      const modules = [...[...slots.values()].map(({ module }) => module), ...pinned.keys()];
      return { emitted: new Set(modules), pinned: new Set(pinned.keys()) };
    },

    /**
     * The slots as the manifest has them.
     *
     * @param {Context} context
     * @param {Bundle} bundle
     * @returns {SlotsFacts}
     */
    facts(context, bundle) {
      const { slots } = workOf(context);
      return Object.fromEntries([...slots].sort(byId).map(([id, { module, schema }]) => [id, { file: fileOf(bundle, module, id), kind: 'module', schema }]));
    },

    /**
     * The list for one document, without a build; null when there are no slots.
     *
     * @param {object} document
     * @param {Context} document.context
     * @param {Bundle} document.bundle
     * @param {Rolldown.OutputChunk} [document.entry]
     * @param {(files: string[]) => string} document.base what is before the names of files
     * @param {(file: string, scripts: string[]) => string[]} document.depend the scripts to be fetched with a file
     */
    block({ context, bundle, entry, base, depend }) {
      const { slots } = workOf(context);
      if (!slots.size) return null;
      const shell = closureOf(bundle, entry ? [entry.fileName] : []);
      const list = [...slots].sort(byId).map(/** @returns {[string, { file: string, css?: string[], deps?: string[] }]} */ ([id, { module }]) => {
        const file = fileOf(bundle, module, id);
        const closure = closureOf(bundle, [file]);
        const fresh = (/** @type {'scripts' | 'css'} */ kind) => [...closure[kind]].filter((name) => !shell[kind].has(name) && name !== file);
        const [css, deps] = [fresh('css'), depend(file, fresh('scripts'))];
        return [id, { file, css: css.length ? css : undefined, deps: deps.length ? deps : undefined }];
      });
      const files = list.flatMap(([, { file, css = [], deps = [] }]) => [file, ...css, ...deps]);
      return JSON.stringify({ build: '', base: base(files), slots: Object.fromEntries(list) }).replaceAll('<', '\\u003c');
    },
  };
}

/** @type {(a: [string, unknown], b: [string, unknown]) => number} */
const byId = ([a], [b]) => (a < b ? -1 : 1);

/**
 * Why the output of this build cannot have slots, or null.
 *
 * @param {ResolvedConfig} config
 */
function unfitness({ plugins, build }) {
  if (plugins.some(({ name }) => name.startsWith('vite:legacy'))) return 'the files for legacy browsers would have to have them too';
  if (build.chunkImportMap) return 'build.chunkImportMap gives new files to code that runs already';
  const { output } = build.rolldownOptions ?? build.rollupOptions;
  for (const { format, inlineDynamicImports, codeSplitting, chunkFileNames } of /** @type {Rolldown.OutputOptions[]} */ ([output].flat().filter(Boolean))) {
    if (format && !/^(es|esm|module)$/.test(format)) return `the output format is "${format}"; only ES modules can be swapped`;
    if (typeof chunkFileNames === 'string' && !chunkFileNames.includes('[hash')) return `new files would have the names of old ones with the chunkFileNames "${chunkFileNames}", which has no [hash]`;
    if (inlineDynamicImports || codeSplitting === false) return 'all code goes into one file';
  }
  return null;
}

/**
 * @param {Map<string, Slot>} slots
 * @param {string} id
 * @param {string} module
 * @param {string} importer
 * @param {NameOf} nameOf
 */
function addSlot(slots, id, module, importer, nameOf) {
  const known = slots.get(id);
  if (known && known.module !== module) {
    throw failure('slotTwice', `the slot "${id}" is "${nameOf(known.module)}" in "${nameOf(known.importer)}" and "${nameOf(module)}" in "${nameOf(importer)}"; a slot is one module.`);
  }
  if (!known) slots.set(id, { module, importer });
}

/**
 * @param {Rolldown.PluginContext} context
 * @param {string} module
 */
function readSchema(context, module) {
  const { code } = context.getModuleInfo(module) ?? {};
  try {
    return code && /\bschema\b/.test(code) ? schemaOf(context.parse(code)) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Whether the last argument of a call has a comma after it.
 *
 * @param {string} code
 * @param {ESTree.CallExpression} call
 */
function endsWithComma(code, { arguments: given, end }) {
  const after = code.slice(/** @type {ESTree.Argument} */ (given.at(-1)).end, end - 1);
  return after.replace(/\/\*[^]*?\*\/|\/\/[^\n]*/g, '').includes(',');
}
