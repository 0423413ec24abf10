// A static host that has the files of several builds, as a server has that keeps the old ones, and pages without a build.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';

/** @import { TestContext } from 'node:test' */
/** @import { PreparedSlot, SlotPointer } from '../../pkg-template/slots.js' */

/** @type {Record<string, string>} */
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.wasm': 'application/wasm', '.json': 'application/json' };

/**
 * @param {TestContext} t
 * @param {{ folders?: string[], files?: Record<string, string | Buffer> }} what the document is that of the first folder
 * @returns {Promise<{ url: string, asked: string[], gone: Set<string>, files: Record<string, string | Buffer> }>} `gone`: answered with 404
 * @param {TestContext} t
 */
export async function startSite(t, { folders = [], files = {} } = {}) {
  const site = { asked: /** @type {string[]} */ ([]), gone: /** @type {Set<string>} */ (new Set()), files };
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(/** @type {string} */ (request.url), 'http://x').pathname).slice(1);
    site.asked.push(path);
    const name = path === '' || path.endsWith('/') ? `${path}index.html` : path;
    const missing = () => response.writeHead(404, { 'content-type': 'text/plain' }).end('gone');
    if (site.gone.has(name)) return missing();
    response.setHeader('content-type', TYPES[extname(name)] ?? 'text/plain');
    response.setHeader('cache-control', 'no-cache');
    if (name in files) return response.end(files[name]);
    const folder = folders.find((folder) => existsSync(join(folder, name)) && statSync(join(folder, name)).isFile());
    return folder ? response.end(readFileSync(join(folder, name))) : missing();
  });
  await new Promise((/** @type {(value?: unknown) => void} */ listening) => server.listen(0, '127.0.0.1', listening));
  t.after(() => new Promise((closed) => {
    server.close(closed);
    server.closeAllConnections();
  }));
  return Object.assign(site, { url: `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}` });
}

/** Runs in the page: what a swap does with a slot, step by step. */
export function installSteps() {
  window.slots = /** @type {Record<symbol, typeof slots>} */ (/** @type {unknown} */ (globalThis))[Symbol.for('changeover.slots')];
  window.prepare = async (/** @type {string} */ id, /** @type {SlotPointer} */ pointer) => {
    const module = await slots.open(pointer);
    /** @type {PreparedSlot[]} */
    const parts = [];
    for (const holder of slots.holders(id)) parts.push(await holder.prepare(module, structuredClone(await holder.snapshot())));
    await Promise.all(parts.map(({ ready }) => ready));
    window.before = slots.files()[id];
    return {
      show: () => {
        for (const part of parts) part.show();
        slots.pointTo(id, pointer);
      },
      drop: () => {
        for (const part of parts) part.drop();
        slots.tidy();
      },
      back: () => {
        for (const part of parts) part.back();
        slots.pointTo(id, before);
        slots.tidy();
      },
      discard: () => {
        for (const part of parts) part.discard();
        slots.tidy();
      },
      isEmpty: () => parts.some((part) => /** @type {() => boolean} */ (part.isEmpty)()),
    };
  };
  window.styles = () => [.../** @type {NodeListOf<HTMLLinkElement & {sheet: CSSStyleSheet}>} */ (document.querySelectorAll('link[rel=stylesheet]'))].map(({ href, sheet }) => `${/** @type {string} */ (href.split('/').pop()).replace(/-.*/, '')}${sheet.media.mediaText && ' off'}`);
}
