// What a deploy of this build would mean for the tabs that run another one, in the words of `changeover diff`.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { OWN_FOLDER } from './vite-common.js';

/** @import { Logger } from 'vite' */

/**
 * The text of the manifest that the option `compareWith` names; read before the build, which may empty its folder.
 *
 * @param {string | undefined} option a manifest, the folder of a site, or that of a build
 * @param {{ root: string, logger: Logger }} config
 * @returns {string | null} null when there is none, as before the first deploy
 */
export function readEarlier(option, { root, logger }) {
  if (option === undefined) return null;
  const path = resolve(root, option);
  try {
    const file = existsSync(path) && (statSync(path).isDirectory() ? manifestIn(join(path, OWN_FOLDER)) : path);
    if (file) return readFileSync(file, 'utf8');
    logger.info(`changeover: there is no earlier build in "${path}" to compare with.`);
  } catch (error) {
    logger.warn(`changeover: "${path}" cannot be compared with: ${/** @type {Error} */ (error).message}`);
  }
  return null;
}

/**
 * The manifest that a site points to, or the only one there is.
 *
 * @param {string} folder
 */
function manifestIn(folder) {
  const pointer = join(folder, 'release.json');
  if (existsSync(pointer)) return join(folder, JSON.parse(readFileSync(pointer, 'utf8')).build.manifest);
  const builds = join(folder, 'builds');
  const [first, ...more] = existsSync(builds) ? readdirSync(builds).filter((name) => name.endsWith('.json')) : [];
  return first && !more.length ? join(builds, first) : null;
}

/**
 * Logs what the program of the package says; nothing when there is no such program for this machine.
 *
 * @param {string} earlier the text of a manifest
 * @param {string} manifest that of this build
 * @param {{ folder: string, logger: Logger }} place `folder`: of the package
 */
export function compare(earlier, manifest, { folder, logger }) {
  const ending = process.platform === 'win32' ? '.exe' : '';
  const program = process.env.CHANGEOVER_BIN ?? join(folder, 'native', `${process.platform}-${process.arch}`, `changeover${ending}`);
  const work = mkdtempSync(join(tmpdir(), 'changeover-compare-'));
  try {
    const files = [earlier, manifest].map((text, nth) => join(work, `${['before', 'after'][nth]}.json`));
    [earlier, manifest].forEach((text, nth) => writeFileSync(files[nth], text));
    const { stdout } = spawnSync(program, ['diff', ...files], { encoding: 'utf8', timeout: 30_000 });
    if (stdout?.trim()) logger.info(stdout.trim());
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
