// The options of the plugin and the version of Vite that it runs in: what cannot be right is refused by name before a build
// begins.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { failure, isId } from './vite-common.js';
import { MESSAGE_LIMIT, URGENCIES } from './vite-release.js';
import { STORES_OPTION, checkStores } from './vite-stores.js';

/**
 * @import { Settings } from './types/plugin.js'
 * @import { ChangeoverPluginOptions } from './vite.js'
 */

/**
 * An error that names the version when Vite is older than 7; such a Vite does not tell plugins its version.
 *
 * @param {string | undefined} told
 * @param {string} root
 */
export function checkVite(told, root) {
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
export function checkOptions(options) {
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
