// A real nginx, with the configuration that docs/hosts.md shows.
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { findNginx } from '../../scripts/lib/nginx.mjs';
import { example } from '../docs/examples.mjs';
import { until } from '../e2e/browsers.mjs';

/** Why the tests are skipped, or false. */
export const skip = findNginx() || process.env.CI ? false : 'nginx is not installed; `npm run setup` says how to get it';

/**
 * Serves `root` on a free port of this machine until the test ends; returns the URL.
 *
 * @param {import('node:test').TestContext} t
 * @param {string} work a folder for what nginx writes
 * @param {string} root
 */
export async function startNginx(t, root, work) {
  const port = await freePort();
  const server = example('nginx').replace('listen 80;', `listen 127.0.0.1:${port};`).replace('root /srv/shop;', `root ${root};`);
  mkdirSync(work, { recursive: true });
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${join(work, name)};`).join('\n');
  writeFileSync(join(work, 'nginx.conf'), `
daemon off;
worker_processes 1;
pid ${join(work, 'pid')};
error_log stderr;
${process.getuid?.() === 0 ? 'user root;' : ''}
events {}
http {
  types { text/html html; text/css css; text/javascript js; application/json json; application/wasm wasm; image/svg+xml svg; }
  access_log off;
  ${temporary}
  ${server}
}`);
  const child = spawn(findNginx() ?? 'nginx', ['-p', work, '-c', join(work, 'nginx.conf'), '-e', 'stderr'], { stdio: ['ignore', 'ignore', 'pipe'] });
  let words = '';
  child.stderr.on('data', (chunk) => (words += chunk));
  child.on('error', (error) => (words += error.message));
  const over = new Promise((done) => child.once('close', done));
  const endNow = () => child.kill('SIGKILL');
  process.once('exit', endNow);
  t.after(async () => {
    child.kill('SIGTERM');
    await over;
    process.removeListener('exit', endNow);
  });
  const url = `http://127.0.0.1:${port}/`;
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`nginx ended with ${child.exitCode}: ${words}`);
    return fetch(url).then(() => true, () => false);
  }, { what: `nginx: ${words}` });
  return url;
}

const freePort = () => new Promise((done) => {
  const server = createServer();
  server.listen(0, '127.0.0.1', () => {
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
    server.close(() => done(port));
  });
});
