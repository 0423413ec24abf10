// What an app says about its stores. `changeover publish` checks the same in the same words.
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { STORES_FILE, failure } from './vite-common.js';

/** @import { StoresFacts } from './types/plugin.js' */

/** How errors call the option of the plugin. */
export const STORES_OPTION = 'the option "stores"';

const MOST = 2 ** 32 - 1;
const NUMBER = `it must be a whole number from 1 to ${MOST}`;

/**
 * The stores of a build: those of the option, of the file that it names, or of the file that lies in the root.
 *
 * @param {object | string | undefined} option
 * @param {string} root of the app
 * @returns {{ stores: StoresFacts, file: string | null }}
 * @throws {Error} with the code `storesMissing` or `badStores`
 */
export function readStores(option, root) {
  if (typeof option === 'object') return { stores: checkStores(option, STORES_OPTION), file: null };
  const file = resolve(root, option ?? STORES_FILE);
  if (option === undefined && !existsSync(file)) return { stores: {}, file: null };
  return { stores: checkStores(parse(file), `"${file}"`), file };
}

/** @param {string} file */
function parse(file) {
  let text;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') throw failure('storesMissing', `there is no file "${file}" that would say what the stores are.`);
    throw failure('badStores', `"${file}" cannot be read: ${/** @type {Error} */ (error).message}`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw failure('badStores', `"${file}" is not JSON: ${/** @type {Error} */ (error).message}`);
  }
}

/**
 * `value` with every `reads` filled in and in order; `place` begins the sentence of an error.
 *
 * @param {unknown} value
 * @param {string} place
 * @returns {StoresFacts}
 */
export function checkStores(value, place) {
  const wrong = (/** @type {string} */ what) => failure('badStores', `${place} ${what}.`);
  if (!isObject(value)) throw wrong(`holds ${said(value)}; it must hold an object such as { "cart": { "schema": 3, "reads": [1, 3] } }`);
  const stores = Object.entries(value).map(/** @returns {[string, StoresFacts[string]]} */ ([name, store]) => {
    if (!name) throw wrong('names a store ""; a name has at least one character');
    const the = `gives the store ${said(name)}`;
    if (!isObject(store)) throw wrong(`${the} as ${said(store)}; it must be an object such as { "schema": 3, "reads": [1, 3] }`);
    const { schema, reads = [], ...rest } = store;
    const [field] = Object.keys(rest);
    if (field !== undefined) throw wrong(`${the} the field ${said(field)}; there are only schema and reads`);
    if (schema === undefined) throw wrong(`${the} no schema; ${NUMBER}`);
    if (!isSchema(schema)) throw wrong(`${the} the schema ${said(schema)}; ${NUMBER}`);
    if (!Array.isArray(reads)) throw wrong(`${the} the reads ${said(reads)}; it must be a list of schemas such as [1, 3]`);
    for (const read of reads) if (!isSchema(read)) throw wrong(`${the} the schema ${said(read)} in reads; ${NUMBER}`);
    return [name, { schema, reads: [...new Set([...reads, schema])].sort((a, b) => a - b) }];
  });
  return Object.fromEntries(stores.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
/**
 * @param {any} value
 * @returns {value is number}
 */
const isSchema = (value) => Number.isInteger(value) && value >= 1 && value <= MOST;
/** @type {(value: unknown) => string} */
const said = (value) => (typeof value === 'object' || typeof value === 'string' ? JSON.stringify(value) : String(value));
