// npm run setup: installs everything the build, the demo and the tests need, once.
//
//   node scripts/setup.mjs                  everything
//   node scripts/setup.mjs --only rust,npm  these steps only
import { pathToFileURL } from 'node:url';
import { entry, inCi, say, Stop } from './lib/run.mjs';
import { checkNode, setUpNpm } from './lib/npm.mjs';
import { setUpRust } from './lib/rust.mjs';
import { browserNames, howToGet, setUpBrowsers } from './lib/browsers.mjs';
import { setUpRunner } from './lib/runner.mjs';
import { howToGetNginx, setUpNginx } from './lib/nginx.mjs';

/** @import { BrowserName, Toolchain } from './lib/types.d.ts' */
/** @typedef {'npm' | 'rust' | 'runner' | 'nginx' | BrowserName} SetUpStep */

/**
 * In the order they run. `need` may name single browsers: chromium, firefox, webkit.
 *
 * @type {SetUpStep[]}
 */
const STEPS = ['npm', 'rust', 'runner', 'nginx', ...browserNames];
const TITLES = { npm: 'npm packages', rust: 'Rust', runner: 'test runner for WebAssembly', nginx: 'nginx', chromium: 'Chromium', firefox: 'Firefox', webkit: 'WebKitGTK' };

/**
 * Makes the named steps true; unknown names are an error. Returns `{ rust, missing }`: the toolchain (when asked for)
 * and what is not there of nginx and the browsers. In CI that is an error.
 *
 * @param {string[]} names
 */
export async function ensure(names = STEPS) {
  checkNode();
  const steps = new Set(names.flatMap((name) => (name === 'browsers' ? browserNames : [name])));
  for (const name of steps) if (!(/** @type {string[]} */ (STEPS).includes(name))) throw new Stop(`there is no set-up step "${name}"; the steps are ${STEPS.join(', ')}, browsers.`);
  if (steps.has('runner')) steps.add('rust');
  const started = Date.now();
  /** @type {{rust: Toolchain | null, missing: ('nginx' | BrowserName)[]}} */
  const result = { rust: null, missing: [] };
  for (const step of STEPS.filter((name) => steps.has(name))) {
    say(`• ${TITLES[step]}`);
    if (step === 'npm') await setUpNpm();
    else if (step === 'rust') result.rust = await setUpRust();
    else if (step === 'runner') await setUpRunner(/** @type {Toolchain} */ (result.rust).env);
    else if (step === 'nginx') result.missing.push(...((await setUpNginx()) ? [] : [step]));
    else result.missing.push(...(await setUpBrowsers([step])));
  }
  if (inCi && result.missing.length) {
    const [first] = result.missing;
    throw new Stop(`${TITLES[first]} is missing and CI runs its tests; get it with \`${(first === 'nginx' ? howToGetNginx() : howToGet(first)) ?? 'a Linux machine'}\`.`);
  }
  say(`set-up: ready after ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
  return result;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await entry(async () => {
    const at = process.argv.indexOf('--only');
    const given = process.argv.find((word) => word.startsWith('--only='))?.slice(7) ?? (at > 0 ? process.argv[at + 1] : null);
    if (at > 0 && !given) throw new Stop('--only takes the names of steps, for example `--only rust,npm`.');
    await ensure(given ? given.split(',') : undefined);
  });
}
