// Finds nginx, which the tests of plain copies and the benchmarks of `changeover serve` start by themselves, or installs it on Debian.
import { isProgram, say, which, Stop } from './run.mjs';
import * as debian from './debian.mjs';

/** @type {Partial<Record<NodeJS.Platform, string>>} */
const HOW = { linux: 'sudo apt-get install nginx', darwin: 'brew install nginx' };

/** Path of nginx, or null; NGINX names one outright. Debian has it where only root's PATH leads. */
export function findNginx() {
  const named = process.env.NGINX;
  if (named && !isProgram(named)) throw new Stop(`NGINX names ${named}, which is not a program; correct or unset it.`);
  return named ?? which('nginx') ?? ['/usr/sbin/nginx', '/usr/local/sbin/nginx'].find(isProgram) ?? null;
}

/** The command that installs nginx on this kind of machine, or null. */
export const howToGetNginx = () => HOW[process.platform] ?? null;

/** Installs nginx where that needs no question; elsewhere says what to run. Whether it is there. */
export async function setUpNginx() {
  if (!findNginx() && debian.mayInstall) await debian.install(['nginx'], 'plain copies of builds are tested on it, and `changeover serve` is measured beside it');
  const path = findNginx();
  say(path ? `  nginx: ${path}` : `  nginx: not installed; ${howToGetNginx() ? `get it with \`${howToGetNginx()}\`` : `it is not set up for ${process.platform}`} (its tests are skipped until then)`);
  return path !== null;
}
