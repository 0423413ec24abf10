// `import('./pkg/app.js?wasm-slot')`: what `wasm-bindgen --target web` has written becomes the module of a slot.
//
// In order: the glue is cut along lines that wasm-bindgen always writes, and becomes a function, so that each mount has its own;
// the schemas of the state are read from the WebAssembly; both get the name of the pair; the module calls `changeover/wasm-slot`.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { failure } from './vite-common.js';

/**
 * @import { Plugin } from 'vite'
 *
 * Glue and WebAssembly that belong together. `code` has the function `changeover_glue`.
 *
 * @typedef {{ name: string, code: string, wasm: Buffer, id: string, integrity: string, schema: number, reads: number[] }} Parts
 */

const LIBRARY = join(dirname(fileURLToPath(import.meta.url)), 'wasm-slot.js');
const QUERY = '?wasm-slot';

/** Lines of the glue, without what stands before and after them. */
const STATE = 'let wasmModule, wasmInstance, wasm;';
const IMPORTS = 'function __wbg_get_imports() {';
const START = 'function __wbg_finalize_init(instance, module) {';
const LOADING = 'async function __wbg_load(module, imports) {';
const EXPORTED = 'export { initSync, __wbg_init as default };';

/**
 * The plugin; in a dev server a new build is taken with its state.
 *
 * @returns {Plugin}
 */
export function wasmSlots() {
  let development = false;
  /** @type {Map<string, string>} */
  const emitted = new Map(); // module -> its asset
  return {
    name: 'changeover:wasm-slot',
    enforce: 'pre',
    configResolved({ command }) {
      development = command === 'serve';
    },
    load: {
      filter: { id: /\?wasm-slot$/ },
      handler(id) {
        const glue = id.slice(0, -QUERY.length);
        const wasm = glue.replace(/\.js$/, '_bg.wasm');
        const parts = wasmSlotParts(read(glue), read(wasm), basename(wasm));
        this.addWatchFile(glue);
        this.addWatchFile(wasm);
        if (development) return moduleOf({ ...parts, id: undefined, integrity: undefined }, 'changeover_wasm', `import changeover_wasm from ${JSON.stringify(`${wasm}?url`)};\n`);
        const file = this.emitFile({ type: 'asset', name: parts.name, source: parts.wasm });
        emitted.set(id, file);
        return moduleOf(parts, `import.meta.ROLLUP_FILE_URL_${file}`);
      },
    },
    // Whose the WebAssembly is.
    renderChunk(_code, { moduleIds, viteMetadata }) {
      for (const id of moduleIds) if (emitted.has(id)) viteMetadata?.importedAssets.add(this.getFileName(/** @type {string} */ (emitted.get(id))));
      return null;
    },
  };
}

/** @param {string} path */
function read(path) {
  try {
    return readFileSync(path);
  } catch {
    throw failure('wasmSlotMissing', `"${path}" cannot be read; "?wasm-slot" wants the glue that wasm-bindgen --target web has written, with the WebAssembly beside it.`);
  }
}

/**
 * Puts glue and WebAssembly together.
 *
 * @param {Uint8Array} glue
 * @param {Uint8Array} wasm
 * @param {string} name
 * @returns {Parts}
 * @throws {Error} with the code `wasmSlotGlue` or `wasmSlotWasm`
 */
export function wasmSlotParts(glue, wasm, name) {
  const [schema, ...known] = schemasIn(wasm, name);
  const reads = [...new Set(known)].filter((known) => known !== schema);
  const text = Buffer.from(glue).toString();
  const id = createHash('sha256').update(text).update('\0').update(wasm).digest('hex').slice(0, 16);
  const paired = Buffer.concat([wasm, section('changeover.pair', Buffer.from(id))]);
  const integrity = `sha384-${createHash('sha384').update(paired).digest('base64')}`;
  return { name, code: factory(text, name), wasm: paired, id, integrity, schema, reads };
}

/**
 * The module of the slot. Its schema is a plain number, so that a build can read it.
 *
 * @param {Omit<Parts, 'id' | 'integrity' | 'wasm'> & { id?: string, integrity?: string }} parts without an `id` nothing is compared
 * @param {string} address an expression with the address of the WebAssembly
 * @param {string} [head]
 * @param {string} [library] what to import `wasmSlot` from
 */
export function moduleOf({ name, code, id, integrity, schema, reads }, address, head = '', library = LIBRARY) {
  return `${head}import { wasmSlot as changeover_slot } from ${JSON.stringify(library)};
${code}
const changeover_schema = ${schema};
const changeover_app = changeover_slot({ ...${JSON.stringify({ name, id, integrity, schema, reads })}, create: changeover_glue, glue: import.meta.url, wasm: new URL(${address}, import.meta.url).href });
await changeover_app.ahead();
const { mount: changeover_mount, migrations: changeover_migrations } = changeover_app;
export { changeover_mount as mount, changeover_migrations as migrations, changeover_schema as schema };
`;
}

/**
 * Turns a module of glue into a function that makes it: `changeover_glue()` gives `{ exports, imports, start, drop }`.
 *
 * @param {string} text
 * @param {string} name
 */
function factory(text, name) {
  const wrong = (/** @type {string} */ what) => failure('wasmSlotGlue', `the glue of "${name}" ${what}; it must be what wasm-bindgen 0.2.130 writes with --target web.`);
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  const only = (/** @type {string} */ wanted) => {
    const at = lines.indexOf(wanted);
    if (at < 0) throw wrong(`has no line "${wanted}"`);
    if (lines.indexOf(wanted, at + 1) >= 0) throw wrong(`has the line "${wanted}" twice`);
    return at;
  };
  const [state, imports, start, loading, exported] = [STATE, IMPORTS, START, LOADING, EXPORTED].map(only);
  if (!(imports < state && state < start && start < loading && loading < exported)) throw wrong('has its parts in another order');
  if (lines.slice(exported + 1).some((line) => line.trim() && !line.startsWith('//'))) throw wrong(`does not end with "${EXPORTED}"`);

  /** @type {string[]} */
  const head = [];
  /** @type {string[]} */
  const names = [];
  const body = lines.slice(0, loading).filter((line) => !(/^import .*;$/.test(line) && head.push(line)));
  for (const [at, line] of body.entries()) {
    const found = /^export (?:async )?(?:function\*?|class|const|let) ([\w$]+)/.exec(line);
    if (found) {
      names.push(found[1]);
      body[at] = line.slice('export '.length);
    } else if (/^export\b/.test(line)) throw wrong(`exports something in a way of its own ("${line}")`);
  }
  for (const word of ['import.meta', '__wbg_load', '__wbg_init', 'initSync']) {
    if (body.some((line) => line.includes(word))) throw wrong(`uses ${word} where it is not expected`);
  }
  // The views of the memory are what starting sets back.
  const ending = lines.indexOf('}', start);
  const caches = lines.slice(start, ending).map((line) => /^\s+(cached\w+) = null;$/.exec(line)?.[1]).filter(Boolean);
  const views = body.map((line) => /^let (cached\w+Memory\d*) = null;$/.exec(line)?.[1]).filter(Boolean);
  if (caches.sort().join() !== views.sort().join()) throw wrong('keeps views of the memory that starting it does not set back');
  const heap = body.some((line) => /^(const|let) heap = /.test(line)) ? 'heap.length = 0;\n' : '';
  return `${head.map((line) => `${line}\n`).join('')}function changeover_glue() {
${body.join('\n')}
function changeover_drop(nothing) {
wasm = nothing;
wasmInstance = wasmModule = undefined;
${caches.map((cache) => `${cache} = null;\n`).join('')}${heap}}
return { exports: { ${names.join(', ')} }, imports: __wbg_get_imports(), start: __wbg_finalize_init, drop: changeover_drop };
}`;
}

/**
 * What `changeover::slot!` has written into the WebAssembly: the schema of the state, then those it reads.
 *
 * @param {Uint8Array} wasm
 * @param {string} name
 */
function schemasIn(wasm, name) {
  const wrong = (/** @type {string} */ what) => failure('wasmSlotWasm', `"${name}" ${what}.`);
  if (Buffer.compare(Buffer.from(wasm.subarray(0, 4)), Buffer.from('\0asm'))) throw wrong('is no WebAssembly');
  const module = new WebAssembly.Module(/** @type {Uint8Array<ArrayBuffer>} */ (wasm));
  for (const { kind, name: item } of WebAssembly.Module.imports(module)) if (kind === 'memory') throw wrong(`imports its memory "${item}": WebAssembly with threads shares it, and cannot be swapped`);
  const [found] = WebAssembly.Module.customSections(module, 'changeover.slot');
  if (!found) throw wrong('is no slot; its crate must call changeover::slot!(App), and nothing may strip its custom sections');
  if (WebAssembly.Module.customSections(module, 'changeover.pair').length) throw wrong('has been put together with its glue before');
  const view = new DataView(found);
  return Array.from({ length: found.byteLength / 4 }, (_, at) => view.getUint32(4 * at, true));
}

/**
 * A custom section, to be put at the end.
 *
 * @param {string} name
 * @param {Buffer} bytes
 */
function section(name, bytes) {
  const title = Buffer.from(name);
  const content = Buffer.concat([number(title.length), title, bytes]);
  return Buffer.concat([Buffer.of(0), number(content.length), content]);
}

/**
 * As WebAssembly writes it.
 *
 * @param {number} value
 */
function number(value) {
  /** @type {number[]} */
  const bytes = [];
  do bytes.push((value & 127) | (value > 127 ? 128 : 0));
  while ((value >>>= 7));
  return Buffer.from(bytes);
}
