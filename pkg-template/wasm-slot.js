// changeover/wasm-slot: WebAssembly made by wasm-bindgen as the module of a slot.
//
// In order: the bundler plugin turns `import('./pkg/app.js?wasm-slot')` into a module that calls `wasmSlot`, with the glue as a
// function; the WebAssembly is fetched and compiled when that module is imported; each mount is an instance of its own with
// glue of its own, so two generations share nothing; when one has ended, its glue is cut off from the instance, whose memory
// is then free, whatever closures the page still holds.
import { failure } from './error.js';
import { discreet } from './load-errors.js';

/** @import { WasmParts, WasmSlot } from './wasm-slot.js' */

/** The custom section with the name of the pair of glue and WebAssembly. */
const PAIR = 'changeover.pair';

/**
 * @param {WasmParts} parts
 * @returns {WasmSlot}
 */
export function wasmSlot(parts) {
  const { name, create, glue: here, wasm, schema, reads = [] } = parts;
  /** @type {Promise<WebAssembly.Module> | null} */
  let compiled = null; // while an instance needs it
  let users = 0;

  const compile = () => {
    if (!compiled) {
      compiled = bring(parts);
      compiled.catch(() => (compiled = null)); // the next mount tries again
    }
    return compiled;
  };

  /** An instance with glue of its own. */
  async function begin() {
    users += 1;
    const glue = create();
    let over = false;
    const end = async () => {
      if (over) return;
      over = true;
      await macrotask(); // what was asked of it last, it does a moment later
      glue.drop(nothing);
      users -= 1;
      if (!users) compiled = null;
    };
    try {
      const module = await compile();
      glue.start(await WebAssembly.instantiate(module, glue.imports), module);
      return { call: glue.exports, end };
    } catch (error) {
      end();
      throw error;
    }
  }

  /**
   * Mounts the app. `broke` hears of a panic at once, with its message; the error that a browser makes of it comes later.
   *
   * @param {any} place the element
   * @param {{ state?: unknown, props?: unknown, signal?: AbortSignal, broke?: (error: unknown) => void }} [context]
   */
  async function mount(place, { state, props, signal, broke } = {}) {
    /** @type {unknown} */
    let panic = null;
    const failed = (/** @type {unknown} */ error) => {
      panic ??= error;
      broke?.(error);
    };
    const panicked = (/** @type {string} */ text) => {
      console.error(`${name}: ${text}`);
      failed(failure({ code: 'slot_panicked', message: `${name} ${text}` }));
    };
    // Not every browser names the WebAssembly; what it was called by is in every stack.
    const heard = (/** @type {ErrorEvent} */ { filename, error, message }) => {
      const said = `${filename} ${error?.stack}`;
      if (!panic && (said.includes(wasm) || (here && said.includes(here)))) failed(error ?? new Error(message));
    };

    const { call, end } = await begin();
    addEventListener('error', heard);
    let gone = false;
    const instance = {
      ready: /** @type {Promise<void>} */ (/** @type {unknown} */ (null)),
      snapshot() {
        const text = call.changeover_slot_snapshot();
        return text === undefined ? undefined : JSON.parse(text);
      },
      unmount() {
        if (gone) return;
        gone = true;
        removeEventListener('error', heard);
        end();
        call.changeover_slot_unmount();
      },
    };
    try {
      call.changeover_slot_mount(place, state === undefined ? undefined : JSON.stringify(state), props, signal, panicked);
    } catch (error) {
      gone = true;
      removeEventListener('error', heard);
      end();
      throw panic ?? error;
    }
    // It renders in a microtask, and no caller gets what goes wrong there.
    instance.ready = macrotask().then(() => {
      if (panic) throw panic;
    });
    instance.ready.catch(() => {});
    return instance;
  }

  const migrations = reads.map((from) => ({
    from,
    to: schema,
    async up(/** @type {unknown} */ value) {
      const { call, end } = await begin();
      try {
        return JSON.parse(call.changeover_slot_migrate(from, JSON.stringify(value)));
      } finally {
        end();
      }
    },
  }));

  return {
    mount,
    migrations,
    schema,
    /** Brings and compiles the WebAssembly. A failure waits for the mount: a module that fails would stay failed. */
    async ahead() {
      if (typeof document !== 'undefined') await compile().catch(() => {});
    },
  };
}

/** @param {WasmParts} parts */
async function bring({ name, wasm, id, integrity }) {
  const ask = async (/** @type {RequestInit} */ options) => {
    const response = await fetch(wasm, { credentials: 'same-origin', ...options });
    if (!response.ok) throw failure({ code: 'wasm_missing', message: `${discreet(wasm)} answered ${response.status}.` });
    const type = response.headers.get('content-type') ?? '';
    if (type.includes('html')) throw failure({ code: 'wasm_missing', message: `${discreet(wasm)} is an HTML page, not WebAssembly: the file is missing and the server answers with its start page.` });
    // Streaming insists on the type, and gives errors the address.
    return type.startsWith('application/wasm') && WebAssembly.compileStreaming ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
  };
  const checked = (/** @type {WebAssembly.Module} */ module) => {
    if (id === undefined) return module;
    const pair = WebAssembly.Module.customSections(module, PAIR).map((section) => new TextDecoder().decode(section))[0];
    if (pair === id) return module;
    throw failure({ code: 'wasm_mismatch', message: `${discreet(wasm)} is of ${pair ? `the pair ${pair}` : 'no pair'}, the glue of ${name} of the pair ${id}; they are built together and only work together.` });
  };
  try {
    return checked(await ask({ integrity }));
  } catch (error) {
    if (/** @type {{ code?: unknown }} */ (error).code || !integrity) throw error;
    // A browser does not say whether the line or the content was wrong, and a cached copy may be the wrong one.
    try {
      return checked(await ask({ integrity, cache: 'reload' }));
    } catch (again) {
      if (/** @type {{ code?: unknown }} */ (again).code) throw again;
    }
    checked(await ask({ cache: 'no-store' }));
    throw failure({ code: 'wasm_corrupt', message: `${discreet(wasm)} is not what was built: its integrity is not ${integrity}.` });
  }
}

/**
 * Waits for everything that is due now. Unlike a timer it is not slowed down while the page is hidden.
 *
 * @returns {Promise<void>}
 */
const macrotask = () =>
  new Promise((go) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      go();
    };
    port2.postMessage(null);
  });

/** What a glue without an instance calls: whatever is asked of it, it does nothing. */
const nothing = new Proxy(function () {}, {
  get: (_, key) => (key === 'buffer' ? (empty ??= new ArrayBuffer(0)) : key === Symbol.toPrimitive ? () => 0 : nothing),
  set: () => true,
  apply: () => 0,
});
/** @type {ArrayBuffer | undefined} */
let empty;
