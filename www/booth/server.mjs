// The server behind the booth: the built page, the state of the site as an event stream, and two commands.
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, unwatchFile, watchFile } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { promisify } from 'node:util';

/** @import { ExecFileException } from 'node:child_process' */
/** @import { IncomingMessage, ServerResponse } from 'node:http' */
/** @import { AddressInfo } from 'node:net' */
/** @import { DemoBuild } from '../../scripts/lib/types.d.ts' */
/** @typedef {{sequence: number, issued: string, build: {id: string}}} Release as far as the booth tells of it */
/** @typedef {{build: string, release: Release, published: {by?: string, time: string, host?: string}}} Past a release in the history */

/** @type {Record<string, string>} */
const TYPES = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml', '.woff2': 'font/woff2',
};

/** How often the pointer is looked at, so that a `changeover publish` in a terminal shows up too. */
const LOOK_EVERY = 300;

/**
 * Serves the booth on 127.0.0.1.
 *
 * @param {{folder: string, site: string, app: string, cli: string, builds: DemoBuild[], port: number}} options `folder`: the
 *   built page; `app`: URL of the app; `cli`: path of the command line; `builds`: from `buildAll`; `port`: 0 for any
 * @returns {Promise<{url: string, close(): Promise<void>}>}
 */
export async function openBooth({ folder, site, app, cli, builds, port }) {
  const pointer = join(site, 'changeover/release.json');
  /** @type {Set<ServerResponse>} */
  const streams = new Set();
  const command = (/** @type {string[]} */ ...list) => promisify(execFile)(cli, list);
  const tell = () => {
    const news = `event: site\ndata: ${JSON.stringify(describe(site, app, builds))}\n\n`;
    for (const stream of streams) stream.write(news);
  };
  const known = (/** @type {number} */ number) => {
    const build = builds.find((one) => one.number === number);
    if (!build) throw new Error(`there is no build ${number}; there are ${builds.map((one) => one.number).join(', ')}`);
    return build;
  };
  /** @type {Record<string, (build: DemoBuild) => Promise<unknown>>} */
  const actions = {
    '/api/publish': (build) => command('publish', build.dist, '--to', site, '--message', build.message),
    '/api/rollback': (build) => command('rollback', '--site', site, build.id),
  };

  const server = createServer(async (request, response) => {
    const { pathname } = new URL(/** @type {string} */ (request.url), 'http://booth');
    if (request.method === 'POST') {
      const action = actions[pathname] && (async (/** @type {{number: number}} */ { number }) => {
        await actions[pathname](known(number));
        tell();
      });
      const answer = await act(action, request, /** @type {AddressInfo} */ (server.address()).port);
      return response.writeHead(answer.status, { 'content-type': 'text/plain; charset=utf-8' }).end(answer.text);
    }
    if (pathname === '/api/news') {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
      streams.add(response);
      request.on('close', () => streams.delete(response));
      return response.write(`event: site\ndata: ${JSON.stringify(describe(site, app, builds))}\n\n`);
    }
    const file = join(folder, normalize(pathname === '/' ? '/index.html' : pathname));
    if (!file.startsWith(folder) || !existsSync(file) || !extname(file)) return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream', 'cache-control': 'no-cache' }).end(readFileSync(file));
  });
  await new Promise((/** @type {(value?: undefined) => void} */ listening, failed) => {
    server.once('error', failed);
    server.listen(port, '127.0.0.1', listening);
  });
  watchFile(pointer, { interval: LOOK_EVERY }, tell);
  return {
    url: `http://127.0.0.1:${/** @type {AddressInfo} */ (server.address()).port}/`,
    async close() {
      unwatchFile(pointer);
      const closed = new Promise((done) => server.close(done));
      server.closeAllConnections();
      await closed;
    },
  };
}

/**
 * Runs an action for the booth's own page; a form or a script of another origin cannot send JSON here.
 *
 * @param {false | undefined | ((order: {number: number}) => Promise<void>)} action
 * @param {IncomingMessage} request
 * @param {number} port
 */
async function act(action, request, port) {
  if (!action) return { status: 404, text: 'there is no such action' };
  const own = [`http://127.0.0.1:${port}`, `http://localhost:${port}`].includes(/** @type {string} */ (request.headers.origin));
  if (!own || request.headers['content-type'] !== 'application/json') return { status: 403, text: 'only the booth itself may do this' };
  try {
    let body = '';
    for await (const part of request) body += part;
    await action(JSON.parse(body));
    return { status: 200, text: 'done' };
  } catch (error) {
    return { status: 500, text: String(/** @type {ExecFileException} */ (error).stderr || /** @type {Error} */ (error).message).trim() };
  }
}

/** @type {(site: string, app: string, builds: DemoBuild[]) => object} */
function describe(site, app, builds) {
  /** @type {Release | null} */
  const release = readJson(join(site, 'changeover/release.json'));
  const folder = join(site, 'changeover/releases');
  /** @type {Past[]} */
  const history = (existsSync(folder) ? readdirSync(folder) : [])
    .map((name) => readJson(join(folder, name)))
    .filter(Boolean)
    .sort((a, b) => b.release.sequence - a.release.sequence);
  return {
    app,
    port: Number(new URL(app).port),
    release: release && { sequence: release.sequence, build: release.build.id, issued: release.issued },
    builds: builds.map(({ number, id, title, message }) => ({ number, id, title, message, published: history.find(({ build }) => build === id)?.published ?? null })),
  };
}

/** @param {string} file */
function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}
