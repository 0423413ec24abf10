// The links in the head of the document that a swap adds, takes out of force and puts back: preloads of the new scripts, and
// styles of the shell.
import { mediaOf, setMedia } from './media.js';
/** @import { Slots } from './slots.js' */
/** @import { FileToFetch } from './types/page.js' */

/** How long a browser may take over a preload that it was told to verify, before the import asks for the file itself. */
const PRELOAD = 4_000;

/**
 * Has the browser verify the scripts once more on their way from the cache into its modules, where it can.
 *
 * @type {(slots: Slots, files: FileToFetch[]) => Promise<void>}
 */
export async function preload(slots, files) {
  const links = files
    .filter(({ kind }) => kind === 'script')
    .map(({ file, integrity }) => {
      const link = Object.assign(document.createElement('link'), { rel: 'modulepreload', href: slots.url(file), integrity });
      if (!link.relList?.supports?.('modulepreload')) return null;
      const nonce = /** @type {HTMLScriptElement | null} */ (document.querySelector('script[nonce]'));
      if (nonce) link.nonce = nonce.nonce;
      const done = new Promise((go) => (link.onload = link.onerror = go));
      document.head.append(link);
      return done.then(() => link.remove());
    });
  await Promise.race([Promise.all(links), pause(PRELOAD)]);
}

/** @param {number} ms */
export const pause = (ms) => new Promise((go) => setTimeout(go, ms));

/**
 * The link whose place a style takes: that of the same name but for the hash.
 *
 * @param {string} url
 */
export const kin = (url) => {
  /** @param {string} href */
  const stem = (href) => href.replace(/[-.][\w-]{6,}(?=\.css)/, '');
  return [.../** @type {NodeListOf<HTMLLinkElement>} */ (document.querySelectorAll('link[rel~=stylesheet]'))].findLast(({ href }) => href !== url && stem(href) === stem(url));
};

/** @param {string} url */
export const linksTo = (url) => [.../** @type {NodeListOf<HTMLLinkElement>} */ (document.querySelectorAll('link[rel~=stylesheet]'))].filter((link) => link.href === url);

/** @param {string} url */
export const disable = (url) =>
  linksTo(url).map((link) => {
    const media = mediaOf(link);
    setMedia(link, 'not all');
    return { link, media };
  });
