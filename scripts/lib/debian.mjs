// Debian's package manager. Used only where it can work without asking: as root on a machine that has apt.
import { quietly, capture, say, which, Stop } from './run.mjs';

export const hasApt = process.platform === 'linux' && which('apt-get') !== null;
export const mayInstall = hasApt && process.getuid?.() === 0;

let fresh = false;
async function refresh() {
  if (fresh) return;
  await quietly('refresh the list of Debian packages', 'apt-get', ['-o', 'DPkg::Lock::Timeout=300', 'update'], {
    hint: 'the list of Debian packages could not be fetched; check the network and /etc/apt/sources.list',
  });
  fresh = true;
}

/**
 * Newest version apt could install of each package, as a map; packages without one are absent.
 *
 * @param {string[]} names
 * @returns {Promise<Map<string, string>>}
 */
export async function candidates(names) {
  await refresh();
  const text = capture('apt-cache', ['policy', ...names], { env: { ...process.env, LC_ALL: 'C' } }) ?? '';
  const found = new Map();
  for (const block of text.split(/^(?=\S)/m)) {
    const name = block.match(/^(\S+):/)?.[1];
    const version = block.match(/^\s+Candidate: (\S+)/m)?.[1];
    if (name && version && version !== '(none)') found.set(name, version);
  }
  return found;
}

/**
 * The package with the highest number among names like `lld-22`, or null.
 *
 * @param {string} prefix
 */
export async function newestNumbered(prefix) {
  await refresh();
  const listed = capture('apt-cache', ['search', '--names-only', `^${prefix}[0-9]+$`]) ?? '';
  const numbers = [...listed.matchAll(/^\S+?-(\d+) - /gm)].map((hit) => Number(hit[1]));
  return numbers.length ? `${prefix}${Math.max(...numbers)}` : null;
}

/** @type {(name: string) => boolean} */
export const installed = (name) => (capture('dpkg-query', ['-W', '-f=${Status}', name]) ?? '').startsWith('install ok installed');

/**
 * Installs packages, saying which and why. Progress is apt's newest line.
 *
 * @param {string[]} names
 * @param {string} why
 */
export async function install(names, why) {
  const missing = names.filter((name) => !installed(name));
  if (missing.length === 0) return;
  say(`  installing ${missing.join(', ')} with apt: ${why}`);
  await refresh();
  const offered = await candidates(missing);
  const unknown = missing.filter((name) => !offered.has(name));
  if (unknown.length) throw new Stop(`Debian's package list has no ${unknown.join(', ')} (${why}); add the distribution's security and updates sections to /etc/apt/sources.list.`);
  await quietly('apt-get install', 'apt-get', ['-o', 'DPkg::Lock::Timeout=300', 'install', '-y', '--no-install-recommends', ...missing], {
    // In run level 1 a server that is installed is not started.
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
    hint: `${missing.join(', ')} could not be installed`,
  });
}
