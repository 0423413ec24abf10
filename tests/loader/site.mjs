// A site of two builds for the tests of the loader: index.html with the script tag, release.json, a stand-in runtime.
import { build } from 'esbuild';
import { join } from 'node:path';
import { shortNames } from '../../scripts/lib/names.mjs';
import { ROOT, send, serve } from '../prompt/harness.mjs';

/** @import { OutgoingHttpHeaders } from 'node:http' */
/** @import { BuildOptions, OutputFile } from 'esbuild' */
/** @import { Answer } from '../prompt/harness.mjs' */

/** @type {Promise<string> | undefined} */
let bundle;
/** @type {Promise<string> | undefined} */
let short;

/** @type {(more?: BuildOptions) => Promise<string>} */
const bundled = async (more) => {
  const { outputFiles } = await build({ ...OPTIONS, ...more });
  return /** @type {OutputFile[]} */ (outputFiles)[0].text;
};

/** @type {BuildOptions} */
const OPTIONS = {
  entryPoints: [join(ROOT, 'pkg-template', 'script-tag.js')],
  bundle: true,
  minify: true,
  write: false,
  format: 'iife',
  target: 'es2020',
  platform: 'neutral',
  legalComments: 'none',
  external: ['./runtime.js'],
};

/** global.js as the package ships it, but for the names that it shares with the runtime. */
export const loaderScript = () => (bundle ??= bundled());
/** global.js as the package ships it. */
export const shortLoaderScript = () => (short ??= bundled(shortNames));

/** A runtime that connects and writes down what it is asked, in `globalThis.asked`. */
export const RUNTIME = `
export async function attach(page) {
  if (page.api.status.level === 'off') return;
  globalThis.page = page;
  globalThis.asked = [];
  const note = (method) => (...args) => {
    asked.push([method, ...args.map((arg) => (typeof arg === 'function' ? 'function' : arg))]);
    return () => asked.push(['undo ' + method, args[0]]);
  };
  page.connect({
    status: { level: 'full' },
    on: note('on'), hold: note('hold'), state: note('state'),
    check: async () => ({ level: 'full' }), reload: async () => 'noSkew', snooze: note('snooze'), trace: () => 'trace',
    dispose() { page.dispose(); },
  });
}`;

/** A runtime whose WebAssembly is blocked: it runs, equips the loader level, and rejects. */
export const BLOCKED_RUNTIME = `
import { equip } from '/pkg/loader-fallback.js';
import { completeOptions } from '/pkg/options.js';
export async function attach(page) {
  const error = new Error('WebAssembly is blocked');
  equip(page, completeOptions(page.options));
  throw error;
}`;

/**
 * Starts the site. `site.publish(sequence, build)` moves the pointer and the document; `site.answers` can be replaced
 * path by path.
 *
 * @param {{attributes?: Record<string, string>, head?: string, body?: string, headers?: OutgoingHttpHeaders, runtime?: Answer | null}} options
 *   `head` comes before the script tag; `runtime: null` is a 404
 */
export async function startSite({ attributes = {}, head = '', body = '<h1>app</h1>', headers = {}, runtime = null } = {}) {
  const script = await loaderScript();
  const state = { sequence: 100, build: 'one', document: 'one', more: {} };
  const document = () => {
    const given = { 'data-release': '/changeover/release.json', 'data-build': state.document, 'data-interval': '1000', ...attributes };
    const text = Object.entries(given).map(([name, value]) => `${name}="${value}"`).join(' ');
    return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>app</title>${head}<script src="/changeover.js" ${text}></script></head><body>${body}</body></html>`;
  };
  const release = () => ({
    format: 1,
    app: 'app',
    sequence: state.sequence,
    build: { id: state.build, manifest: `builds/${state.build}.json` },
    urgency: 'routine',
    ...state.more,
  });
  const site = await serve({
    '/': (request, response) => send(response, 200, document(), '.html', headers),
    '/watch.js': WATCH,
    '/changeover.js': script,
    '/changeover/release.json': (request, response) => send(response, 200, JSON.stringify(release()), '.json'),
    ...(runtime === null ? {} : { '/runtime.js': runtime }),
  });
  return Object.assign(site, {
    release,
    document,
    publish(/** @type {number} */ sequence, /** @type {string} */ build, /** @type {object} */ more = {}) {
      Object.assign(state, { sequence, build, more });
    },
    deploy(/** @type {string} */ build) {
      state.document = build;
    },
  });
}

/** Runs before the loader: notes every error the app would see, and every policy violation. */
const WATCH = `
globalThis.seen = [];
globalThis.violations = [];
addEventListener('error', (event) => { if (event.message) seen.push(event.message); });
addEventListener('unhandledrejection', (event) => seen.push(String(event.reason)));
addEventListener('securitypolicyviolation', (event) => violations.push(event.effectiveDirective + ' ' + event.blockedURI));
sessionStorage.setItem('visits', 1 + Number(sessionStorage.getItem('visits')));
`;

export const WATCHING = '<script src="/watch.js"></script>';
export const BANNER = 'html > output';
