// What every part of the plugin needs: the names that a site has of ours, and the error with a code.

/** Where the site keeps its pointer and manifests; the app may not write there. */
export const OWN_FOLDER = 'changeover';

/** The id of the script element that lists the slots of a document. */
export const SLOTS_BLOCK = 'changeover-slots';

/** Says what the stores are; read from the root of an app or of its output, and no part of a build. */
export const STORES_FILE = 'changeover.stores.json';

/**
 * An error with a stable code.
 *
 * @param {string} code
 * @param {string} sentence
 */
export function failure(code, sentence) {
  return Object.assign(new Error(`changeover: ${sentence}`), { name: 'ChangeoverError', code });
}

/** @type {(text: string) => boolean} */
export const isId = (text) => /^(?!\.+$)[A-Za-z0-9._-]{1,64}$/.test(text);

/** @type {(file: string) => boolean} */
export const isDocument = (file) => /\.html?$/i.test(file);
