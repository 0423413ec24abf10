// What a build writes into its documents: the build id and the number of its release, in the script tag and in the list of
// slots. Both are found by their text, since other plugins may have moved them.
import { OWN_FOLDER, SLOTS_BLOCK } from './vite-common.js';

/** @type {(html: string) => string} */
export const blankComments = (html) => html.replace(/<!--[^]*?-->/g, (comment) => ' '.repeat(comment.length));

/**
 * The opening tag with `data-release`: where it is and its text.
 *
 * @param {string} html
 */
export function findTag(html) {
  return /<script(?=[\s/])(?=(?:"[^"]*"|'[^']*'|[^'">])*\sdata-release\s*=)(?:"[^"]*"|'[^']*'|[^'">])*>/i.exec(blankComments(html));
}

/** The list of slots of a document, up to its build. */
export const BLOCK = new RegExp(`(<script(?=[\\s/])[^>]*\\sid\\s*=\\s*["']?${SLOTS_BLOCK}["']?(?=[\\s/>])[^>]*>\\s*\\{\\s*"build"\\s*:\\s*")[^"]*("[^]*?</script)`, 'i');

/**
 * The list says which files slots have now, which is no matter of the document.
 *
 * @type {(html: string) => string}
 */
export const withoutSlots = (html) => html.replace(BLOCK, '');

/** The address of a release that comes with the build. One elsewhere has numbers of its own. */
const OURS = new RegExp(`\\sdata-release\\s*=\\s*["']?[^\\s"'>]*${OWN_FOLDER}/release\\.json`, 'i');

/**
 * The document with `id` in its tag and its list of slots, and with the number of its release, so that a release from
 * before it is known as such; without a stamp when `id` is null. A document without a tag stays.
 *
 * @param {string} given
 * @param {string | null} id
 * @param {number} [number]
 */
export function stamp(given, id, number) {
  const html = given.replace(BLOCK, (_all, before, after) => before + (id ?? '') + after);
  const found = findTag(html);
  if (!found) return html;
  const bare = found[0].replace(/\s+data-(?:build|sequence)(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'>]*))?(?=[\s/>])/gi, '');
  const stamps = `${OURS.test(bare) ? ` data-sequence="${number}"` : ''} data-build="${id}"`;
  const tag = id === null ? bare : bare.replace(/(\sdata-release\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'>]+))/i, `$1${stamps}`);
  return html.slice(0, found.index) + tag + html.slice(found.index + found[0].length);
}

/**
 * `index.html` for `index.html.gz`, else null.
 *
 * @type {(path: string) => string | null}
 */
export const documentOf = (path) => /^(.*\.html?)\.(gz|br|zst)$/i.exec(path)?.[1] ?? null;
