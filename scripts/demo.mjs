// npm run demo: builds everything, serves the demo app and its control room, and prints where they are.
//
//   npm run demo                open until Ctrl+C
//   npm run demo -- --check     drive it once in headless Chromium and end with 0 or 1
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build, packageFolder } from './build.mjs';
import { findBrowser, howToGet } from './lib/browsers.mjs';
import { Stop, entry, root, say } from './lib/run.mjs';
import { ensure } from './setup.mjs';

const PORTS = { app: 5180, booth: 5181 };
const CLI = join(packageFolder, 'native', `${process.platform}-${process.arch}`, process.platform === 'win32' ? 'changeover.exe' : 'changeover');

await entry(async () => {
  const words = process.argv.slice(2);
  const unknown = words.find((word) => word !== '--check');
  if (unknown) throw new Stop(`the demo does not know "${unknown}"; it takes --check or nothing.`);
  const check = words.includes('--check');

  await ensure(check ? ['npm', 'rust', 'chromium'] : ['npm', 'rust']);
  const chromium = check ? findBrowser('chromium') : null;
  if (check && !chromium) throw new Stop(`the check drives Chromium, which is missing; get it with \`${howToGet('chromium')}\`.`);
  await build();

  // A folder of its own for each process, so that a check does not pull the site from under an open demo. It must lie
  // in the repository, where the app finds its packages.
  sweep();
  const into = join(root, 'target', `demo-${process.pid}`);
  mkdirSync(into, { recursive: true });
  try {
    return await open(into, chromium);
  } finally {
    rmSync(into, { recursive: true, force: true });
  }
});

/** @type {(into: string, chromium: string | null) => Promise<number>} */
async function open(into, chromium) {
  const { buildAll, buildBooth } = await import('../www/builds.mjs');
  const { openDemo } = await import('../www/open.mjs');
  say('• demo');
  const builds = await buildAll(into, { onBuilt: ({ number, id, title }) => say(`  build ${number}  ${id}  ${title}`) });
  const booth = await buildBooth(into);
  const demo = await openDemo({ into, cli: CLI, builds, booth, ports: chromium ? { app: 0, booth: 0 } : PORTS });
  try {
    if (chromium) {
      const { drive } = await import('../www/check.mjs');
      const done = drive({ chromium, demo, builds, say });
      return (await Promise.race([done, interrupted()])) ? 0 : 1;
    }
    say(`\n  the app           ${demo.app}`);
    say(`  the control room  ${demo.booth}`);
    say('\n  Open the control room, publish the next build and watch the tabs move. Ctrl+C ends it.\n');
    // Ctrl+C reaches the server too, and it may be the first to go.
    const gone = demo.ended.then((code) => new Promise((settle) => setTimeout(settle, 500, code)));
    const code = await Promise.race([interrupted(), gone]);
    if (code !== null) throw new Stop(`the server of the app ended with code ${code}; start the demo again.`);
    return 0;
  } finally {
    await demo.close();
  }
}

/** Removes what a demo that was killed has left behind. */
function sweep() {
  const target = join(root, 'target');
  mkdirSync(target, { recursive: true });
  for (const name of readdirSync(target)) {
    const [, pid] = /^demo-(\d+)$/.exec(name) ?? [];
    if (pid && !lives(Number(pid))) rmSync(join(target, name), { recursive: true, force: true });
  }
}

/** @param {number} pid */
function lives(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

/**
 * Settles with null on Ctrl+C or a polite end.
 *
 * @returns {Promise<null>}
 */
function interrupted() {
  return new Promise((settle) => ['SIGINT', 'SIGTERM', 'SIGHUP'].forEach((signal) => process.once(signal, () => settle(null))));
}
