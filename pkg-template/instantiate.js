// Brings the WebAssembly into the page: from the bytes inlined in this module, or, in the slim runtime, from a URL.
/// <reference path="./types/built.d.ts" />
import { discreet } from './load-errors.js';
import { createShield } from './trap-shield.js';
import { inlined } from './wasm.js';
/** @import { Shield } from './trap-shield.js' */

/** A server that accepts and never answers must not leave the page without its loader level. */
const TIMEOUT = 30_000;

/**
 * Starts the glue with an instance behind a shield, which stands around everything that enters the WebAssembly.
 *
 * @param {ReturnType<typeof import('./bindings.js').createBindings>} bindings the glue
 * @param {string | null} url of the `.wasm` file; only the slim modules need it
 * @param {string} [file] what the file is called, for the error
 * @param {string} [option] the option that names it
 * @returns {Promise<{ exports: unknown, shield: Shield }>} the classes of the engine
 */
export async function instantiate({ exports, imports, start }, url, file = 'changeover.wasm', option = 'wasm') {
  const shield = createShield();
  const { instance, module } = await load(url, shield.imports(imports), file, option);
  start(shield.instance(instance), module);
  return { exports, shield };
}

/** @type {(url: string | null, imports: WebAssembly.Imports, file: string, option: string) => Promise<WebAssembly.WebAssemblyInstantiatedSource>} */
async function load(url, imports, file, option) {
  if (typeof WebAssembly === 'undefined') throw new Error('this browser has no WebAssembly');
  if (inlined) return WebAssembly.instantiate(decode(inlined), imports);
  if (!url) throw new Error(`the slim runtime needs the URL of ${file} (the option "${option}" or its data attribute)`);
  const response = await fetch(url, { credentials: 'same-origin', signal: AbortSignal.timeout?.(TIMEOUT) });
  if (!response.ok) throw new Error(`${discreet(url)} answered ${response.status}`);
  const type = response.headers.get('content-type') ?? '';
  if (type.includes('html')) throw new Error(`${discreet(url)} is an HTML page, not WebAssembly: the file is missing and the server answers with its start page`);
  // Streaming insists on the type; a server that does not know the suffix still serves the right bytes.
  if (type.startsWith('application/wasm') && WebAssembly.instantiateStreaming) return WebAssembly.instantiateStreaming(response, imports);
  return WebAssembly.instantiate(await response.arrayBuffer(), imports);
}

/** @param {string} base64 */
function decode(base64) {
  return /** @type {{ fromBase64?: (text: string) => Uint8Array<ArrayBuffer> }} */ (Uint8Array).fromBase64?.(base64) ?? Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
