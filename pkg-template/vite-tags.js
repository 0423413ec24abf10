// What a document of a build gets: the script tag of the loader with the addresses of our files, and the list of slots.
import { OWN_FOLDER, SLOTS_BLOCK, failure } from './vite-common.js';

/**
 * @import { IndexHtmlTransformContext, ResolvedConfig } from 'vite'
 * @import { Bundle, Context, Settings } from './types/plugin.js'
 * @import { Part, PartFiles, Parts } from './vite-parts.js'
 * @import { createSlots } from './vite-slots.js'
 *
 * @typedef {{ tag: 'script', attrs: Record<string, string>, children?: string, injectTo: 'head-prepend' }} Tag
 * @typedef {{ release: string } & Record<keyof PartFiles, string>} Addresses
 */

/** @type {(base: string) => boolean} */
export const isRelative = (base) => base === '' || base.startsWith('./');

/**
 * The URLs in the script tag of one page.
 *
 * @param {Settings} settings
 * @param {ResolvedConfig} config
 * @param {Parts} parts
 * @param {string} page
 * @returns {Addresses}
 */
export function addressOf(settings, config, parts, page) {
  const { base } = config;
  const up = '../'.repeat(page.split('/').length - 1);
  const release = settings.release ?? (isRelative(base) ? `${up || './'}${OWN_FOLDER}/release.json` : `${base}${OWN_FOLDER}/release.json`);
  if (!settings.release && /^([a-z][a-z0-9+.-]*:)?\/\//i.test(base)) {
    throw failure('foreignBase', `the base "${base}" is on another origin, where a page would not look for its release; set the option "release" to a path on the page's own origin, such as "/${OWN_FOLDER}/release.json".`);
  }
  const urlOf = (/** @type {Part} */ { fileName }) => {
    const built = config.experimental?.renderBuiltUrl?.(fileName, { type: 'asset', hostId: page, hostType: 'html', ssr: false });
    if (typeof built === 'string') return built;
    if (built?.runtime) {
      throw failure('runtimeUrl', `experimental.renderBuiltUrl gives "${fileName}" a URL that only exists at run time, but an HTML file needs a fixed one; return a string or { relative: true } for the hostType "html".`);
    }
    return built?.relative || isRelative(base) ? `${up || './'}${fileName}` : `${base}${fileName}`;
  };
  return /** @type {Addresses} */ ({ release, ...Object.fromEntries(Object.entries(parts.files).map(([name, file]) => [name, urlOf(file)])) });
}

/**
 * @param {Settings} settings
 * @param {Addresses} urls
 * @param {Parts} parts
 * @returns {Tag}
 */
export function scriptTag(settings, urls, parts) {
  /** @type {Record<string, string>} */
  const attrs = {
    'data-release': urls.release, 'data-build': '', 'data-runtime': urls.runtime, 'data-wasm': urls.wasm,
    'data-prompt-file': urls.prompt, 'data-states-file': urls.states, 'data-stores': urls.stores, 'data-stores-wasm': urls.storesWasm,
  };
  for (const name of /** @type {const} */ (['app', 'channel', 'interval', 'stream', 'lang'])) {
    if (settings[name] !== undefined) attrs[`data-${name}`] = String(settings[name]);
  }
  if (settings.prompt === false) attrs['data-prompt'] = 'off';
  if (settings.fields) attrs['data-fields'] = 'on';
  if (settings.trace) attrs['data-trace'] = 'on';
  /** @type {Tag} */
  const tag = { tag: 'script', attrs, injectTo: 'head-prepend' };
  if (settings.loader === 'file') return { ...tag, attrs: { src: urls.loader, ...attrs } };
  return { ...tag, children: inlined(parts.files.loader.source.toString().trim()) };
}

/**
 * What would end the script element early, or hide its end, escaped as strings and regular expressions allow.
 *
 * @type {(code: string) => string}
 */
const inlined = (code) => code.replace(/<\/(?=script)/gi, '<\\/').replaceAll('<!--', '<\\!--');

/** @param {Tag} tag */
export function tagText({ attrs, children = '' }) {
  const escape = (/** @type {string} */ text) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
  const list = Object.entries(attrs).map(([name, value]) => ` ${name}="${escape(value)}"`);
  return `<script${list.join('')}>${children}</script>`;
}

/**
 * The list of slots for one page, as a list of one tag or none.
 *
 * @param {ReturnType<typeof createSlots>} slots
 * @param {ResolvedConfig} config
 * @param {Context} plugin
 * @param {IndexHtmlTransformContext} context
 * @param {string} page
 * @returns {Tag[]}
 */
export function slotsTag(slots, config, plugin, { bundle, chunk: entry }, page) {
  const up = '../'.repeat(page.split('/').length - 1);
  const { modulePreload } = config.build;
  const children = slots.block({
    context: plugin,
    bundle: /** @type {Bundle} */ (bundle),
    entry,
    base: (files) => baseOf(config, page, files) ?? (isRelative(config.base) ? up || './' : config.base),
    depend(file, scripts) {
      if (!modulePreload) return [];
      return modulePreload.resolveDependencies?.(file, scripts, { hostId: page, hostType: 'html' }) ?? scripts;
    },
  });
  return children === null ? [] : [{ tag: 'script', attrs: { type: 'application/json', id: SLOTS_BLOCK }, children, injectTo: 'head-prepend' }];
}

/**
 * The one address that renderBuiltUrl puts before the files of slots, or undefined without such a function.
 *
 * @param {ResolvedConfig} config
 * @param {string} page
 * @param {string[]} files
 */
function baseOf({ experimental }, page, files) {
  const bases = new Set(files.map((file) => {
    const built = experimental?.renderBuiltUrl?.(file, { type: 'asset', hostId: page, hostType: 'html', ssr: false });
    if (typeof built !== 'string') return undefined;
    return built.endsWith(file) ? built.slice(0, -file.length) : built;
  }));
  if (bases.size > 1) {
    throw failure('slotUrl', `experimental.renderBuiltUrl gives the files of slots different addresses, such as ${[...bases].slice(0, 2).map((base) => `"${base}"`).join(' and ')}; slots need one address that all their files are under.`);
  }
  return [...bases][0];
}
