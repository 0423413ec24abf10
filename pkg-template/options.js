// One shape for the options, whether they come from createChangeover() or from the attributes of the script tag.

import { bare } from './loader.js';
/** @import { CompleteOptions, GivenOptions } from './types/page.js' */

/** Where the public object of a page takes later options: an object until the runtime has come, then a function. */
export const LATE = Symbol.for('changeover.options');

/** What the loader has acted on before the app could say otherwise. */
const SETTLED = ['release', 'build', 'runtime'];
/** What can be changed at any time. */
const ALWAYS = ['prompt', 'lang', 'labels', 'health'];

/** Milliseconds between two looks at the release. */
const INTERVAL = 60_000;
const LEAST_INTERVAL = 1_000;

/**
 * Fills in every option: URLs absolute (against the base the document had when the guard was started), numbers and booleans parsed, `null` for what is not given. What is already
 * complete stays as it is.
 *
 * @param {GivenOptions | DOMStringMap} given options of `createChangeover`, or a dataset
 * @returns {CompleteOptions}
 */
export function completeOptions(given) {
  /** @param {keyof CompleteOptions} name */
  const text = (name) => (given[name] ? String(given[name]) : null);
  const base = /** @type {string} */ (given.base ?? document.baseURI);
  /** @type {(url: string | null) => string | null} */
  const absolute = (url) => url && bare(new URL(url, base));
  const stream = text('stream') ?? 'auto';
  const interval = Number(given.interval ?? INTERVAL);
  return {
    base,
    release: /** @type {string} */ (absolute(text('release') ?? '/changeover/release.json')),
    build: text('build') ?? stampedBuild(),
    sequence: sequenceOf(given.sequence ?? stamped().sequence),
    app: text('app'),
    channel: text('channel'),
    interval: Number.isFinite(interval) && interval > 0 ? Math.max(LEAST_INTERVAL, interval) : INTERVAL,
    stream: stream === 'auto' || stream === 'off' ? stream : /** @type {string} */ (absolute(stream)),
    prompt: given.prompt !== false && given.prompt !== 'off' && given.prompt !== 'false',
    lang: text('lang'),
    labels: given.labels && typeof given.labels === 'object' ? { ...given.labels } : null,
    health: typeof given.health === 'function' ? /** @type {CompleteOptions['health']} */ (given.health) : null,
    runtime: absolute(text('runtime')),
    wasm: absolute(text('wasm')),
    promptFile: absolute(text('promptFile')),
    statesFile: absolute(text('statesFile')),
    stores: absolute(text('stores')),
    storesWasm: absolute(text('storesWasm')),
    fields: given.fields === true || given.fields === 'on' || given.fields === 'true',
    trace: given.trace === true || given.trace === 'on' || given.trace === 'true',
  };
}

/**
 * `given`, amended by what `late` says about what the loader has not acted on.
 *
 * @param {GivenOptions} given
 * @param {GivenOptions} late
 */
export function amendEarly(given, late = {}) {
  const said = Object.entries(late).filter(([name, value]) => value !== undefined && !SETTLED.includes(name));
  return completeOptions({ ...given, ...Object.fromEntries(said) });
}

/**
 * Amends complete options in place by what can change at any time; `ignored` names those that come too late.
 *
 * @param {CompleteOptions} options
 * @param {GivenOptions} late
 */
export function amendLate(options, late) {
  const said = /** @type {(keyof CompleteOptions)[]} */ (Object.keys(late)).filter((name) => late[name] !== undefined && name in options);
  const wanted = completeOptions({ ...options, ...Object.fromEntries(said.map((name) => [name, late[name]])) });
  const changed = said.filter((name) => ALWAYS.includes(name));
  for (const name of changed) /** @type {Record<string, unknown>} */ (options)[name] = wanted[name];
  const ignored = said.filter((name) => !ALWAYS.includes(name) && wanted[name] !== options[name]);
  return { changed: changed.length > 0, ignored };
}

/** The dataset of what carries the stamp of the document. */
const stamped = () => /** @type {HTMLElement | null} */ (document.querySelector('script[data-release][data-sequence], meta[name="changeover-build"]'))?.dataset ?? {};

/**
 * The release that the document was made for, or null.
 *
 * @param {unknown} text
 */
const sequenceOf = (text) => (Number.isSafeInteger(Number(text ?? NaN)) && Number(text) > 0 ? Number(text) : null);

/** What the document says of itself: the stamp on the script tag, or a meta tag. */
function stampedBuild() {
  const stamp =
    /** @type {HTMLElement | null} */ (document.querySelector('script[data-release][data-build]'))?.dataset.build ??
    /** @type {HTMLMetaElement | null} */ (document.querySelector('meta[name="changeover-build"]'))?.content;
  return stamp || null;
}
