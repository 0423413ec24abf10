// Turns what the loader captured (events as the browser made them) into what the engine judges.
/** @import { LoadEvent, LoadFailure } from './types/page.js' */

/** @typedef {{ tagName: string, src?: unknown, href?: unknown, rel?: string, as?: string }} Loading an element, as far as it loads code; the window has none of it */

/** Much longer than any sentence, and short enough to be looked through. */
const LONG = 2_000;

/**
 * A text without what the URLs in it may keep secret: user and password, query and fragment. The same as `discreet` of the engine.
 *
 * @param {unknown} text
 */
export const discreet = (text) => String(text).slice(0, LONG).replace(/:\/\/[^/\s@]*@/g, '://').replace(/(\/[^\s'"()<>\\?#]*)[?#][^\s'"()<>\\]*/g, '$1');

/**
 * @param {LoadEvent} event an `error` event of a resource or of a script, an `unhandledrejection`, or a `vite:preloadError`
 * @returns {LoadFailure | null} null: no failure
 */
export function describeFailure(event) {
  const { type, target } = /** @type {LoadEvent & { target: Partial<Loading> }} */ (event);
  if (type === 'vite:preloadError') return described('import', event.payload);
  if (type === 'unhandledrejection') return described('error', event.reason);
  if (type !== 'error') return null; // the loader listens to more, for its own level
  if (target?.tagName && !loadsCode(/** @type {Loading} */ (target))) return null;
  const at = target?.src || target?.href;
  const url = typeof at === 'string' ? discreet(at) : at;
  if (typeof url !== 'string') return { ...described('error', event.error ?? event.message), url: event.filename ? discreet(event.filename) : null };
  const style = target.tagName === 'LINK' && (/(^|\s)stylesheet(\s|$)/.test(/** @type {string} */ (target.rel)) || target.as === 'style');
  return { kind: style ? 'style' : 'script', message: `${url} failed to load`, url };
}

/**
 * Whether an element loads code: pictures, fonts, icons and what is fetched for later are not missed by what runs.
 *
 * @param {Loading} element
 */
function loadsCode({ tagName, rel = '', as = '' }) {
  if (tagName !== 'LINK') return tagName === 'SCRIPT';
  return /(^|\s)(stylesheet|modulepreload)(\s|$)/.test(rel) || (/(^|\s)preload(\s|$)/.test(rel) && /^(script|style|worker|sharedworker)$/.test(as));
}

/**
 * @param {'import' | 'error'} kind
 * @param {any} error anything may be thrown
 * @returns {LoadFailure}
 */
function described(kind, error) {
  const message = textOf(error);
  // Browsers and bundlers name the file in the text; webpack also as a property.
  const url = typeof error?.request === 'string' ? discreet(error.request) : message.match(/(https?:\/)?\/[^\s'"()]+/)?.[0];
  return { kind, message, url: url ?? null };
}

/**
 * What an error says, without secrets; anything may be thrown, with anything as its message.
 *
 * @param {any} error
 */
export function textOf(error) {
  try {
    return discreet(error?.name && error.message !== undefined ? `${error.name}: ${error.message}` : error).slice(0, 500);
  } catch {
    return 'something that cannot be shown was thrown';
  }
}
