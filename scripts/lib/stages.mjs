// Stages that run again only when what they read has changed.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root, say } from './run.mjs';

/**
 * A digest of the contents of files and folders (paths from the root; absent ones count as absent).
 *
 * @param {string[]} paths
 */
export function digest(paths, extra = '') {
  const hash = createHash('sha256').update(extra);
  const add = (/** @type {string} */ path) => {
    const full = join(root, path);
    if (!existsSync(full)) return hash.update(`${path}\0absent\0`);
    if (statSync(full).isDirectory()) return readdirSync(full).sort().forEach((name) => add(`${path}/${name}`));
    return hash.update(`${path}\0`).update(readFileSync(full)).update('\0');
  };
  paths.forEach(add);
  return hash.digest('hex');
}

/**
 * Runs `work` unless the stage's last run had the same inputs and its outputs are still there.
 *
 * @param {string} name
 * @param {{folder: string, inputs: string[], outputs: string[], extra?: string}} files `inputs` from the root, `outputs` in full
 * @param {() => unknown} work
 */
export async function stage(name, { folder, inputs, outputs, extra }, work) {
  const stamp = join(folder, `${name}.stamp`);
  const wanted = digest(inputs, extra);
  const same = existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted && outputs.every((path) => existsSync(path));
  if (same) return say(`  ${name}: unchanged`);
  rmSync(stamp, { force: true });
  const started = Date.now();
  await work();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
  say(`  ${name}: built in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

/**
 * Holds a lock file while `work` runs; waits for another living process that holds it.
 *
 * @template T
 * @param {string} file
 * @param {() => T | Promise<T>} work
 */
export async function alone(file, work) {
  mkdirSync(dirname(file), { recursive: true });
  for (let waited = 0; ; waited += 1) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
      const holder = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
      // One that ended before it could write its number leaves the file empty.
      if (holder ? !alive(holder) : waited > 10) rmSync(file, { force: true });
      else {
        if (waited === 0) say(`  waiting for another build (process ${holder})`);
        await new Promise((wake) => setTimeout(wake, 500));
      }
    }
  }
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

/** @param {number} pid */
function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}
