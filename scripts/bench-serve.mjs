// npm run bench:serve: how fast `changeover serve` answers, beside nginx on the same machine, the same files and in the same
// minutes: wrk asks the two in turns.
//
//   rps     requests per second, the median over rounds (budget: at least 0.5 of nginx, for 304 and release.json 0.8)
//   p99_ms  99 % of the answers came within this time, the median over rounds
//   bytes   what a client that takes brotli gets of a script that was compressed ahead of time (budget: 1.02 of nginx)
//
// Both use all processors, and wrk shares them. nginx is Debian's with `sendfile` and without an access log, which
// `serve` has none of either. Answers are looked at before they are counted.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';

import { changeover, changeoverBinary } from '../tests/e2e/site.mjs';
import { build } from './build.mjs';
import * as debian from './lib/debian.mjs';
import { capture, entry, terminal, which, Stop } from './lib/run.mjs';

/** @import { ChildProcess } from 'node:child_process' */
/** @import { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http' */
/** @import { AddressInfo } from 'node:net' */
/** @typedef {{port: number, close(): Promise<unknown>}} Server */
/** @typedef {Record<'serve' | 'nginx', Server>} Servers */
/** @typedef {{rps: number, p99_ms: number}} Load */

const json = process.argv.includes('--json');
const PACKAGES = ['nginx', 'libnginx-mod-http-brotli-static', 'wrk'];
const ROUNDS = 5;
const LOAD = ['--threads', '2', '--connections', '32', '--duration', '2s', '--latency'];
/** @type {Record<string, number>} */
const SIZES = { '1 kB': 1_000, '100 kB': 100_000, '1 MB': 1_000_000 };

async function install() {
  if (which('nginx') && which('wrk') && debian.installed('libnginx-mod-http-brotli-static')) return;
  if (!debian.mayInstall) throw new Stop(`bench:serve compares with nginx by wrk; get them with \`sudo apt-get install ${PACKAGES.join(' ')}\`.`);
  await debian.install(PACKAGES, 'nginx and wrk measure `changeover serve`');
}

/**
 * Text like that of a script, always the same.
 *
 * @param {number} size
 */
function script(size) {
  let text = '';
  for (let nth = 0; text.length < size; nth += 1) {
    const word = createHash('sha256').update(`${nth}`).digest('hex').slice(0, 8);
    text += `export function f${word}(a, b) { return a.${word} + b * ${nth}; }\n`;
  }
  return text.slice(0, size);
}

/**
 * Publishes the files; gives back the folder of the site and the path of each file.
 *
 * @param {string} folder
 */
async function publish(folder) {
  const dist = join(folder, 'dist');
  mkdirSync(join(dist, 'assets'), { recursive: true });
  /** @type {Record<string, string>} */
  const paths = {};
  for (const [name, size] of Object.entries(SIZES)) {
    const text = script(size);
    const path = `assets/app-${createHash('sha256').update(text).digest('hex').slice(0, 8)}.js`;
    writeFileSync(join(dist, path), text);
    writeFileSync(join(dist, `${path}.br`), brotliCompressSync(text));
    paths[name] = `/${path}`;
  }
  const tags = Object.values(paths).map((path) => `<script type="module" src="${path}"></script>`);
  writeFileSync(join(dist, 'index.html'), `<!doctype html><script src="/changeover.js" data-release="/changeover/release.json"></script>${tags.join('')}`);
  const site = join(folder, 'site');
  await changeover(['publish', dist, '--to', site, '--app', 'bench']);
  return { site, paths: /** @type {typeof paths} */ ({ ...paths, 'release.json': '/changeover/release.json' }) };
}

/** @type {(site: string) => Promise<Server>} */
async function startServe(site) {
  const child = spawn(changeoverBinary(), ['serve', site, '--port', '0', '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const line = await new Promise((/** @type {(line: string) => void} */ settle, fail) => {
    child.stdout.once('data', (text) => settle(String(text)));
    child.once('exit', (code) => fail(new Stop(`changeover serve ended with code ${code}`)));
  });
  return { port: JSON.parse(line).port, close: () => ended(child) };
}

/** @type {(folder: string, site: string) => Promise<Server>} */
async function startNginx(folder, site) {
  const port = await freePort();
  const home = join(folder, 'nginx');
  mkdirSync(home);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${home}/${name};`);
  writeFileSync(join(home, 'nginx.conf'), `
    load_module /usr/lib/nginx/modules/ngx_http_brotli_static_module.so;
    daemon off; worker_processes auto; pid ${home}/pid; error_log ${home}/error.log; ${process.getuid?.() === 0 ? 'user root;' : ''}
    events { worker_connections 1024; }
    http {
      include /etc/nginx/mime.types;
      ${temporary.join(' ')}
      access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; brotli_static on;
      server { listen 127.0.0.1:${port}; root ${site}; }
    }`);
  const child = spawn(/** @type {string} */ (which('nginx')), ['-p', home, '-c', join(home, 'nginx.conf'), '-e', join(home, 'error.log')], { stdio: ['ignore', 'ignore', 'inherit'] });
  for (let tries = 0; ; tries += 1) {
    if (await answer(port, '/index.html').then(({ status }) => status === 200, () => false)) break;
    if (child.exitCode !== null || tries > 200) throw new Stop(`nginx does not answer: ${readFileSync(join(home, 'error.log'), 'utf8')}`);
    await new Promise((settle) => setTimeout(settle, 50));
  }
  return { port, close: () => ended(child) };
}

/** @type {(child: ChildProcess) => Promise<unknown>} */
const ended = (child) => new Promise((/** @type {(code?: unknown) => void} */ settle) => {
  if (child.exitCode !== null) return settle();
  child.once('exit', settle);
  child.kill('SIGTERM');
});

/** @type {() => Promise<number>} */
const freePort = () => new Promise((settle) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = /** @type {AddressInfo} */ (server.address());
    server.close(() => settle(port));
  });
});

/** @type {(port: number, path: string, headers?: OutgoingHttpHeaders) => Promise<{status: number | undefined, headers: IncomingHttpHeaders, size: number}>} */
const answer = (port, path, headers = {}) => new Promise((settle, fail) => {
  get({ port, path, headers, host: '127.0.0.1', agent: false }, (response) => {
    let size = 0;
    response.on('data', (piece) => (size += piece.length));
    response.on('end', () => settle({ status: response.statusCode, headers: response.headers, size }));
    response.on('error', fail);
  }).on('error', fail);
});

/**
 * One run of wrk.
 *
 * @type {(port: number, path: string, etag: string | null | undefined) => Load}
 */
function load(port, path, etag) {
  const headers = etag ? ['--header', `If-None-Match: ${etag}`] : [];
  const said = capture('wrk', [...LOAD, ...headers, `http://127.0.0.1:${port}${path}`], { timeout: 60_000 }) ?? '';
  const rps = Number(said.match(/Requests\/sec:\s+([\d.]+)/)?.[1]);
  const [, time, unit] = said.match(/\b99%\s+([\d.]+)(us|ms|s)\b/) ?? [];
  if (!rps || !time || /Non-2xx|Socket errors/.test(said)) throw new Stop(`wrk did not get its answers from ${path}: ${said}`);
  return { rps, p99_ms: /** @type {number} */ (/** @type {unknown} */ (time)) * { us: 0.001, ms: 1, s: 1000 }[/** @type {'us' | 'ms' | 's'} */ (unit)] };
}

const median = (/** @type {number[]} */ numbers) => numbers.toSorted((one, other) => one - other)[numbers.length >> 1];
const rounded = (/** @type {number} */ number, places = 2) => Number(number.toFixed(places));

/**
 * The two servers in turns, so that what else the machine does meets both.
 *
 * @param {Servers} servers
 * @param {string} path
 * @param {boolean} conditional
 */
async function compare(servers, path, conditional) {
  /** @type {Record<string, string | null | undefined>} */
  const tags = {};
  for (const [name, { port }] of Object.entries(servers)) {
    const { status, headers } = await answer(port, path);
    if (status !== 200) throw new Stop(`${name} answers ${path} with ${status}`);
    tags[name] = conditional ? headers.etag : null;
    if (conditional && (await answer(port, path, { 'if-none-match': headers.etag })).status !== 304) throw new Stop(`${name} does not answer with 304`);
  }
  /** @type {Record<string, Load[]>} */
  const runs = { serve: [], nginx: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, { port }] of Object.entries(servers)) runs[name].push(load(port, path, tags[name]));
  }
  const of = (/** @type {string} */ name) => ({ rps: Math.round(median(runs[name].map(({ rps }) => rps))), p99_ms: rounded(median(runs[name].map(({ p99_ms: ms }) => ms))) });
  const [serve, nginx] = [of('serve'), of('nginx')];
  return { serve, nginx, ratio: rounded(serve.rps / nginx.rps) };
}

/** @type {(servers: Servers, path: string) => Promise<{serve: number, nginx: number, ratio: number}>} */
async function bytes(servers, path) {
  const sizes = /** @type {{serve: number, nginx: number}} */ ({});
  for (const [name, { port }] of Object.entries(servers)) {
    const { headers, size } = await answer(port, path, { 'accept-encoding': 'br' });
    if (headers['content-encoding'] !== 'br') throw new Stop(`${name} does not answer ${path} in brotli`);
    sizes[/** @type {keyof Servers} */ (name)] = size;
  }
  return { ...sizes, ratio: rounded(sizes.serve / sizes.nginx, 3) };
}

await entry(async () => {
  if (json) terminal.stream = process.stderr; // the answer alone goes to the standard output
  await install();
  await build();
  const folder = mkdtempSync(join(tmpdir(), 'changeover-bench-'));
  const servers = /** @type {Servers} */ ({});
  try {
    const { site, paths } = await publish(folder);
    servers.serve = await startServe(site);
    servers.nginx = await startNginx(folder, site);
    /** @type {Record<string, {serve: Load | number, nginx: Load | number, ratio: number}>} */
    const result = {};
    for (const [name, path] of Object.entries(paths)) result[name] = await compare(servers, path, false);
    result['304'] = await compare(servers, paths['100 kB'], true);
    result.bytes = await bytes(servers, paths['1 MB']);
    if (json) return console.log(JSON.stringify(result));
    console.log(`${''.padEnd(14)}${'serve'.padStart(10)} p99 ms${'nginx'.padStart(12)} p99 ms   ratio`);
    for (const [name, { serve, nginx, ratio }] of Object.entries(result)) {
      const cell = (/** @type {Load | number} */ value, /** @type {number} */ width) => (/** @type {Partial<Load>} */ (value).rps === undefined ? `${`${value}`.padStart(width)}${''.padStart(7)}` : `${`${/** @type {Load} */ (value).rps}`.padStart(width)}${`${/** @type {Load} */ (value).p99_ms}`.padStart(7)}`);
      console.log(`${name.padEnd(14)}${cell(serve, 10)}${cell(nginx, 12)}${`${ratio}`.padStart(8)}`);
    }
  } finally {
    await Promise.all(Object.values(servers).map(({ close }) => close()));
    rmSync(folder, { recursive: true, force: true });
  }
});
