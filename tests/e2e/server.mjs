// The edge between browsers and a site: a server on 127.0.0.1 that counts, forwards and misbehaves on demand.
//
// In order: `startEdge` listens; each request is counted, then the first rule that wants it answers; without one it is
// forwarded to the upstream (a URL), or a folder is served as a plain static host would. `close` ends every connection.

import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createServer, request as send } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';

/** @import { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http' */
/** @import { AddressInfo, Socket } from 'node:net' */
/** @import { Answer, Edge, EdgeRequest } from './types.d.ts' */

export const RELEASE = '/changeover/release.json';
export const EVENTS = '/changeover/events';

/** @type {Record<string, string>} */
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
};

/**
 * @param {{upstream?: string, root?: string}} options URL of the server behind, or a folder to serve
 * @returns {Promise<Edge>}
 */
export async function startEdge({ upstream, root }) {
  /** @type {EdgeRequest[]} */
  const requests = [];
  /** @type {WeakMap<EdgeRequest, Socket>} */
  const connections = new WeakMap();
  /** @type {{wants: (path: string, request: IncomingMessage) => boolean, answer: Answer, answered: number}[]} */
  const rules = [];
  /** @type {Set<Socket>} */
  const sockets = new Set();
  /** @type {OutgoingHttpHeaders} */
  let headers = {};
  let target = upstream;

  const server = createServer((request, response) => {
    const path = new URL(/** @type {string} */ (request.url), 'http://edge').pathname;
    /** @type {EdgeRequest} */
    const entry = { at: Date.now(), method: /** @type {string} */ (request.method), path, headers: request.headers, status: null, endedAt: null };
    connections.set(entry, request.socket);
    requests.push(entry);
    response.on('close', () => {
      entry.endedAt = Date.now();
    });
    const writeHead = response.writeHead;
    /** @type {{writeHead(status: number, ...rest: unknown[]): ServerResponse}} */ (response).writeHead = (status, ...rest) => {
      entry.status = status;
      return writeHead.call(response, status, .../** @type {[OutgoingHttpHeaders]} */ (rest));
    };
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, /** @type {string} */ (value));
    const pass = (to = target) => (to ? forward(to, request, response) : serveFile(/** @type {string} */ (root), path, request, response));
    const rule = rules.findLast((rule) => rule.wants(path, request));
    Promise.resolve(rule ? rule.answer({ request, response, path, pass, nth: ++rule.answered }) : pass()).catch((error) => {
      if (!response.headersSent) response.writeHead(502, { 'content-type': 'text/plain' });
      response.end(String(error?.message ?? error));
    });
  });
  server.keepAliveTimeout = 30_000;
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  /** @type {(port: number) => Promise<number>} */
  const listen = (port) =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        server.removeListener('error', reject);
        resolve(/** @type {AddressInfo} */ (server.address()).port);
      });
    });
  /** @type {() => Promise<void>} */
  const stop = () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  const port = await listen(0);

  /** @type {Edge} */
  const edge = {
    url: `http://127.0.0.1:${port}`,
    /** Every request so far: `{at, method, path, headers, status, endedAt}`, times in ms since the epoch. */
    requests,
    /** Requests for a path, in all or since a time in ms. */
    count: (path, since = 0) => requests.filter((entry) => entry.path === path && entry.at >= since).length,
    /** Requests for a path that are not over. */
    open: (path) => requests.filter((entry) => entry.path === path && entry.endedAt === null).length,
    /** Points all further requests at another server. */
    sendTo(url) {
      target = url;
    },
    /** Headers added to every answer from now on. */
    addHeaders(more) {
      headers = { ...headers, ...more };
    },
    /**
     * Lets `answer({request, response, path, pass, nth})` reply to a path (or what a predicate wants); the newest rule wins.
     * Returns its undo.
     */
    answer(path, answer) {
      const rule = { wants: typeof path === 'function' ? path : (/** @type {string} */ asked) => asked === path, answer, answered: 0 };
      rules.push(rule);
      return () => void (rules.includes(rule) && rules.splice(rules.indexOf(rule), 1));
    },
    /** Cuts the connections that wait for a path. */
    cut(path) {
      for (const entry of requests) if (entry.path === path && entry.endedAt === null) /** @type {Socket} */ (connections.get(entry)).destroy();
    },
    /** Goes down: the port is closed, open connections are cut. */
    async goDown() {
      await stop();
    },
    /** Comes back on the same port. */
    async comeBack() {
      await listen(port);
    },
    async close() {
      if (server.listening) await stop();
    },
  };
  return edge;
}

/** The odd answers a release endpoint may give; each is an `answer` for `edge.answer`. */
export const odd = {
  /** @type {(status: number, body?: string) => Answer} */
  status: (status, body = 'no\n') => ({ response }) => {
    response.writeHead(status, { 'content-type': 'text/plain' });
    response.end(body);
  },
  /** @type {() => Answer} */
  html: () => ({ response }) => {
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end('<!doctype html><title>Shop</title><div id="root"></div>');
  },
  /**
   * The first half of the true answer, with an honest length.
   *
   * @type {(text: string) => Answer}
   */
  half: (text) => ({ response }) => {
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache' });
    response.end(text.slice(0, text.length / 2));
  },
  /**
   * The first half of a file, as a cache gives it that was cut off: whole by its headers, and for good.
   *
   * @type {() => Answer}
   */
  halfForGood: () => async ({ request, response, pass }) => {
    delete request.headers['accept-encoding']; // half of what is compressed is nothing
    /** @type {Buffer[]} */
    const chunks = [];
    const { writeHead } = response;
    const end = response.end.bind(response);
    /** @type {(length: number) => ServerResponse} */
    let write;
    response.write = (/** @type {Uint8Array} */ chunk) => (chunks.push(Buffer.from(chunk)), true);
    /** @type {{end(chunk?: Uint8Array): ServerResponse}} */ (response).end = (chunk) => {
      if (chunk) chunks.push(Buffer.from(chunk));
      const body = Buffer.concat(chunks);
      const cut = body.subarray(0, body.length >> 1);
      write(cut.length);
      return end(cut);
    };
    response.flushHeaders = () => {};
    /** @type {{writeHead(status: number, headers: OutgoingHttpHeaders): ServerResponse}} */ (response).writeHead = (status, { etag: _etag, 'transfer-encoding': _chunked, ...headers }) => {
      write = (length) => writeHead.call(response, status, { ...headers, 'content-length': length, 'cache-control': 'public, max-age=31536000, immutable' });
      return response;
    };
    await pass();
  },
  /** @type {() => Answer} */
  empty: () => ({ response }) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '0' });
    response.end();
  },
  /**
   * Valid JSON of `bytes`, so that only a cap on its size can refuse it.
   *
   * @type {(text: string, bytes?: number) => Answer}
   */
  huge: (text, bytes = 10_000_000) => ({ response }) => {
    const release = JSON.stringify({ ...JSON.parse(text), filling: 'x'.repeat(bytes) });
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache' });
    response.end(release);
  },
  /**
   * As a captive portal or an expired session does it.
   *
   * @type {(to?: string) => Answer}
   */
  login: (to = '/login.html') => ({ response }) => {
    response.writeHead(302, { location: to });
    response.end();
  },
  /**
   * Nothing for `ms`, then the connection is cut.
   *
   * @type {(ms?: number) => Answer}
   */
  silence: (ms = 30_000) => ({ response }) => {
    const timer = setTimeout(() => response.destroy(), ms);
    response.on('close', () => clearTimeout(timer));
  },
  /** @type {(text: string, headers?: OutgoingHttpHeaders) => Answer} */
  text: (text, headers = {}) => ({ response }) => {
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache', ...headers });
    response.end(text);
  },
  /**
   * The connection ends without an answer.
   *
   * @type {() => Answer}
   */
  refuse: () => ({ response }) => response.destroy(),
  /**
   * The servers behind take turns, as replicas do in the middle of a deploy.
   *
   * @type {(...upstreams: string[]) => Answer}
   */
  turns: (...upstreams) => ({ pass, nth }) => pass(upstreams[(nth - 1) % upstreams.length]),
};

/** @type {(upstream: string, request: IncomingMessage, response: ServerResponse) => Promise<void>} */
function forward(upstream, request, response) {
  return new Promise((resolve, reject) => {
    const url = new URL(/** @type {string} */ (request.url), upstream);
    const onward = send(url, { method: request.method, headers: { ...request.headers, host: url.host } }, (answer) => {
      const headers = { ...answer.headers };
      delete headers.connection;
      response.writeHead(/** @type {number} */ (answer.statusCode), headers);
      response.flushHeaders();
      answer.pipe(response);
      answer.on('error', () => response.destroy());
      answer.on('end', resolve);
      answer.on('close', resolve);
    });
    onward.on('error', reject);
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  });
}

/** @type {(root: string, path: string, request: IncomingMessage, response: ServerResponse) => Promise<void>} */
async function serveFile(root, path, request, response) {
  const file = join(root, normalize(decodeURIComponent(path)));
  if (file !== root && !file.startsWith(root + sep)) throw new Error('outside the folder');
  let name = file;
  try {
    if ((await stat(name)).isDirectory()) name = join(name, 'index.html');
  } catch {
    // A static host with the usual fallback for single-page apps: only for paths that look like a page.
    if (extname(path) === '') name = join(root, 'index.html');
  }
  let body;
  try {
    body = await readFile(name);
  } catch {
    response.writeHead(404, { 'content-type': 'text/plain' });
    response.end('not found\n');
    return;
  }
  const etag = `"${createHash('sha256').update(body).digest('hex').slice(0, 20)}"`;
  const headers = { 'content-type': TYPES[extname(name)] ?? 'application/octet-stream', 'cache-control': 'no-cache', etag };
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304, headers);
    response.end();
    return;
  }
  response.writeHead(200, headers);
  response.end(request.method === 'HEAD' ? undefined : body);
}
