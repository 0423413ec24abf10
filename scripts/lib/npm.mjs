// The npm packages of the lockfile.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { quietly, root, say, which, Stop } from './run.mjs';

/** @type {(file: string) => Record<string, {version?: string, integrity?: string, optional?: boolean}>} */
const packages = (file) => JSON.parse(readFileSync(file, 'utf8')).packages;

/** Whether node_modules holds what package-lock.json says. Packages for other platforms may be absent. */
function present() {
  const installed = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installed)) return false;
  const there = packages(installed);
  return Object.entries(packages(join(root, 'package-lock.json'))).every(([place, wanted]) => {
    if (place === '') return true;
    const found = there[place];
    return found ? found.version === wanted.version && found.integrity === wanted.integrity : wanted.optional === true;
  });
}

/** Makes node_modules what package-lock.json says, unless it already is. */
export async function setUpNpm() {
  if (present()) return say('  npm packages match package-lock.json');
  if (!which('npm')) throw new Stop('npm is missing; get it with Node.js from https://nodejs.org and run this again.');
  say('  installing the npm packages of package-lock.json: bundlers, browsers\' remote control, type checks, demo');
  await quietly('npm ci', 'npm', ['ci', '--no-audit', '--no-fund'], { hint: 'the npm packages could not be installed; check the network and run `npm ci`' });
}

export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const good = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22;
  if (!good) throw new Stop(`Node.js 20.19, 22.12 or newer is missing (this is ${process.versions.node}); get it from https://nodejs.org and run this again.`);
}
