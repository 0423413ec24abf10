// Processes and words on the terminal, shared by all scripts. No npm dependencies: the set-up runs before `npm ci`.
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** @import { Env, RunOptions } from './types.d.ts' */

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const inCi = /^(1|true)$/i.test(process.env.CI ?? '');
/** Where cargo puts what it builds; honours the developer's own choice. */
export const targetDir = resolve(root, process.env.CARGO_TARGET_DIR ?? 'target');

/** An expected failure: its message is the one sentence the user needs; no stack is shown. */
export class Stop extends Error {}

/**
 * Runs `main` and turns a Stop into its sentence and exit code 1.
 *
 * @param {() => number | void | Promise<number | void>} main a number is the exit code
 */
export async function entry(main) {
  try {
    process.exitCode = (await main()) ?? process.exitCode ?? 0;
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    console.error(`\nerror: ${error.message}`);
    process.exitCode = 1;
  }
}

/**
 * Where progress goes; a script whose standard output is its answer sends it to the error stream.
 *
 * @type {{stream: NodeJS.WriteStream}}
 */
export const terminal = { stream: process.stdout };
/** @type {(line: string) => boolean} */
export const say = (line) => terminal.stream.write(`${line}\n`);

/**
 * Output of a command, or null when it is missing, fails, or takes more than `timeout` ms.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{env?: Env, timeout?: number, cwd?: string}} options
 */
export function capture(command, args, { env, timeout = 30_000, cwd = root } = {}) {
  const done = spawnSync(command, args, { cwd, env, timeout, encoding: 'utf8', maxBuffer: 1 << 28 });
  return done.status === 0 ? done.stdout : null;
}

/**
 * Runs a command with its output on the terminal; a failure becomes a Stop with `hint`.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {RunOptions} options
 */
export async function run(command, args, { env, cwd = root, hint } = {}) {
  const code = await new Promise((/** @type {(code: number) => void} */ settle) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', terminal.stream, 'inherit'] });
    child.on('error', () => settle(127));
    child.on('close', (status, signal) => settle(status ?? (signal ? 128 : 1)));
  });
  if (code !== 0) throw new Stop(`${hint ?? 'a command failed'}: \`${[command, ...args].join(' ')}\` ended with code ${code}.`);
}

/**
 * Runs a long command behind one progress line: the newest line it printed and the seconds so far.
 * Its whole output is shown only when it fails.
 *
 * @param {string} title
 * @param {string} command
 * @param {string[]} args
 * @param {RunOptions & {mayFail?: boolean, timeout?: number}} options `timeout` in ms
 * @returns {Promise<boolean>} whether it succeeded; false only when it `mayFail`
 */
export async function quietly(title, command, args, { env, cwd = root, hint, mayFail = false, timeout } = {}) {
  const started = Date.now();
  /** @type {string[]} */
  const kept = [];
  let last = '';
  const screen = terminal.stream;
  const live = screen.isTTY;
  const seconds = () => Math.round((Date.now() - started) / 1000);
  const draw = () => {
    if (live) screen.write(`\r\x1b[2K  ${title} … ${seconds()} s  ${last.slice(0, Math.max(0, (screen.columns ?? 80) - title.length - 16))}`);
    else say(`  ${title} … ${seconds()} s  ${last}`);
  };
  const timer = setInterval(draw, live ? 500 : 15_000);
  const code = await new Promise((settle) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], timeout });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (/** @type {string} */ text) => {
        kept.push(text);
        last = text.split(/[\r\n]+/).map((line) => line.trim()).filter(Boolean).pop() ?? last;
      });
    }
    child.on('error', (error) => {
      kept.push(String(error));
      settle(127);
    });
    child.on('close', (status) => settle(status ?? 1));
  });
  clearInterval(timer);
  if (live) screen.write('\r\x1b[2K');
  if (code === 0) {
    say(`  ${title}: done in ${seconds()} s`);
    return true;
  }
  if (mayFail) return false;
  process.stderr.write(`${kept.join('')}\n`);
  throw new Stop(`${hint ?? `${title} failed`}: \`${[command, ...args].join(' ')}\` ended with code ${code}.`);
}

/**
 * Full path of an executable file on the PATH of `env`, or null.
 *
 * @param {string} name
 */
export function which(name, env = process.env) {
  const endings = process.platform === 'win32' ? ['.exe', '.cmd', ''] : [''];
  for (const folder of (env.PATH ?? env.Path ?? '').split(delimiter).filter(Boolean)) {
    for (const ending of endings) if (isProgram(join(folder, name + ending))) return join(folder, name + ending);
  }
  return null;
}

/** @param {string} path */
export function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
