// Opens the demo: a fresh site with the first build, served by the command line, and the booth beside it.
import { execFile, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openBooth } from './booth/server.mjs';

/** @import { DemoBuild } from '../scripts/lib/types.d.ts' */

/** `changeover serve` has this long to say where it listens, in milliseconds. */
const PATIENCE = 10_000;

/**
 * Opens the demo in the folder `into`, where `builds` (of `buildAll`) and the booth's page `booth` lie.
 *
 * @param {{into: string, cli: string, builds: DemoBuild[], booth: string, ports: {app: number, booth: number}}} options
 *   a port that is taken is replaced by any free one
 * @returns {Promise<{app: string, booth: string, ended: Promise<number>, close(): Promise<void>}>} URLs; `ended` settles
 *   with the exit code when the server of the app ends by itself
 */
export async function openDemo({ into, cli, builds, booth, ports }) {
  const site = join(into, 'site');
  rmSync(site, { recursive: true, force: true });
  await promisify(execFile)(cli, ['publish', builds[0].dist, '--to', site, '--message', builds[0].message]);
  const server = await retry(ports.app, (port) => serve(cli, site, port));
  try {
    const room = await retry(ports.booth, (port) => openBooth({ folder: booth, site, app: server.url, cli, builds, port }));
    const close = async () => {
      await room.close();
      await server.close();
    };
    return { app: server.url, booth: room.url, ended: server.ended, close };
  } catch (error) {
    await server.close();
    throw error;
  }
}

/**
 * Tries the port, then any.
 *
 * @template T
 * @param {number} port
 * @param {(port: number) => Promise<T>} open
 */
async function retry(port, open) {
  try {
    return await open(port);
  } catch (error) {
    if (port === 0) throw error;
    return open(0);
  }
}

/** @type {(cli: string, site: string, port: number) => Promise<{url: string, ended: Promise<number>, close(): Promise<void>}>} */
async function serve(cli, site, port) {
  const child = spawn(cli, ['serve', site, '--port', String(port)], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  /** @type {Promise<number>} */
  const ended = new Promise((settle) => {
    child.once('error', () => settle(127));
    child.once('close', (code) => settle(code ?? 1));
  });
  /** @type {Promise<string>} */
  const url = new Promise((found, failed) => {
    const read = (/** @type {Buffer} */ part) => {
      said += part;
      const match = /http:\/\/127\.0\.0\.1:\d+\/?/.exec(said);
      if (match) found(match[0].replace(/\/?$/, '/'));
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    ended.then((code) => failed(new Error(`\`${cli} serve\` ended with code ${code}: ${said.trim()}`)));
    setTimeout(() => failed(new Error(`\`${cli} serve\` did not say where it listens within ${PATIENCE / 1000} s: ${said.trim()}`)), PATIENCE).unref();
  });
  const close = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  try {
    return { url: await url, ended, close };
  } catch (error) {
    await close();
    throw error;
  }
}
