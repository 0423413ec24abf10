// Ways of copying a build to a host, in orders that no careful tool would choose.
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** @typedef {'pointer' | 'manifest' | 'documents' | 'assets'} Group files that are copied together */
/** @typedef {(dist: string, root: string) => unknown} Deploy */

/** @type {Record<Group, (path: string) => boolean>} */
const GROUPS = {
  pointer: (/** @type {string} */ path) => path === 'changeover/release.json',
  manifest: (/** @type {string} */ path) => path.startsWith('changeover/builds/'),
  documents: (/** @type {string} */ path) => path.endsWith('.html'),
  assets: (/** @type {string} */ path) => !path.startsWith('changeover/') && !path.endsWith('.html'),
};

/**
 * Copies the files of `dist` into `root` group by group; open pages look in between.
 *
 * @param {string} dist
 * @param {string} root
 * @param {Group[]} order
 */
export async function copyInOrder(dist, root, order, pause = 1500) {
  const files = listFiles(dist);
  for (const [nth, group] of order.entries()) {
    if (nth) await sleep(pause);
    for (const path of files.filter(GROUPS[group])) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      copyFileSync(join(dist, path), join(root, path));
    }
  }
}

/**
 * What a host does that makes its folder anew: nothing is there for a while.
 *
 * @param {string} dist
 * @param {string} root
 * @param {Group[]} order
 */
export async function deleteAndCopy(dist, root, order) {
  for (const name of readdirSync(root)) rmSync(join(root, name), { recursive: true });
  await sleep(1500);
  await copyInOrder(dist, root, order);
}

/**
 * What `rsync --delete-after` does.
 *
 * @param {string} dist
 * @param {string} root
 * @param {Group[]} order
 */
export async function copyAndDelete(dist, root, order) {
  await copyInOrder(dist, root, order);
  for (const path of listFiles(root)) if (!existsSync(join(dist, path))) rmSync(join(root, path));
}

/**
 * Points `root`, a symbolic link, to another folder in one step.
 *
 * @param {string} dist
 * @param {string} root
 */
export function switchTo(dist, root) {
  const fresh = join(dirname(root), `${basename(root)}.new`);
  symlinkSync(dist, fresh);
  renameSync(fresh, root);
}

/** @type {(folder: string, prefix?: string) => string[]} */
const listFiles = (/** @type {string} */ folder, prefix = '') =>
  readdirSync(join(folder, prefix), { withFileTypes: true }).flatMap((entry) => {
    const path = prefix ? `${prefix}/${entry.name}` : entry.name;
    return entry.isDirectory() ? listFiles(folder, path) : [path];
  });
