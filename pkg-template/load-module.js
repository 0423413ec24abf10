// Fetches the modules of this package that a page loads after its start: the file that an option names, as the Vite plugin and
// slim pages have it, else the one beside the module that asks, which bundlers follow and a script tag finds.
import { failure } from './error.js';
import { textOf } from './load-errors.js';
import { stamp } from './stamp.js';
import { quietly } from './suppress-preload-error.js';

/** @import { CompleteOptions } from './types/page.js' */

/**
 * @template {object} Module
 * @param {string} name of the module, as it stands in its file name
 * @param {string | null | undefined} url
 * @param {() => Promise<Module>} beside an `import()` of a plain text
 * @returns {Promise<Module>}
 */
export const loadModule = (name, url, beside) => (url ? import(/* @vite-ignore */ /* webpackIgnore: true */ url) : quietly(name, beside));

/** @typedef {{ loading: Promise<any> | null, attempts: number }} Part */

/** @type {Map<string, Part>} */
const parts = new Map();

/**
 * A part of the runtime that is a file of its own: fetched once, and again after a failure. A file of another version of this
 * package does not count: a host that replaces files without new names has that one after an update.
 *
 * @template {{ stamp: string }} Module
 * @param {'prompt' | 'states'} name
 * @param {Pick<CompleteOptions, 'runtime' | 'promptFile' | 'statesFile'>} options
 * @param {() => Promise<Module>} beside
 * @returns {Promise<Module>} rejects with a sentence that names the file
 */
export function loadPart(name, options, beside) {
  const url = options[`${name}File`];
  const key = `${name} ${url}`;
  const part = parts.get(key) ?? { loading: null, attempts: 0 };
  parts.set(key, part);
  const load = async () => {
    const attempt = part.attempts++;
    const module = await loadModule(name, attempt % 2 ? anew(url ?? besideRuntime(name, options.runtime), attempt) : url, beside);
    if (module.stamp !== stamp) throw failure({ code: 'unavailable', message: 'it is of another version of changeover' });
    return module;
  };
  part.loading ??= load().catch((error) => {
    part.loading = null;
    throw failure({ code: 'unavailable', message: `${name}.js did not load: ${error?.code ? error.message : textOf(error)}` });
  });
  return part.loading;
}

/**
 * Most browsers remember for the life of the page that an address gave no module; from another one they take it. A host may
 * refuse addresses it does not know, so that every second attempt is at the first one.
 *
 * @param {string | null} url null: a bundler knows it, which has its own way to try again
 * @param {number} attempt
 */
function anew(url, attempt) {
  if (!url) return null;
  const address = new URL(url);
  address.searchParams.set('attempt', String(attempt));
  return address.href;
}

/**
 * Where a page with a script tag and without a bundler has it.
 *
 * @param {string} name
 * @param {string | null} runtime
 */
function besideRuntime(name, runtime) {
  const base = runtime ?? /** @type {HTMLScriptElement | null} */ (document.querySelector('script[data-release]'))?.src;
  return base ? new URL(`${name}.js`, base).href : null;
}
