// The builds of the demo app. Each folder of aster/builds holds the files that its build changed; build n is the base
// with the changes of 2…n over it, so consecutive builds differ in source, as they would after a merge.
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

/** @import { DemoBuild } from '../scripts/lib/types.d.ts' */

const WWW = dirname(fileURLToPath(import.meta.url));
const ASTER = join(WWW, 'aster');

/**
 * What there is to build, in order: `{number, folder, title, message}`.
 *
 * @type {{number: number, folder: string, title: string, message: string}[]}
 */
export const plans = readdirSync(join(ASTER, 'builds'))
  .map((folder) => ({ number: parseInt(folder, 10), folder, ...JSON.parse(/** @type {string} */ (/** @type {unknown} */ (readFileSync(join(ASTER, 'builds', folder, 'build.json'))))) }))
  .sort((a, b) => a.number - b.number);

/**
 * Builds all plans below the folder `into`, which must lie inside the repository (packages are found upwards from it).
 * `onBuilt` hears of each.
 *
 * @param {string} into
 * @param {{onBuilt?: (build: DemoBuild) => void}} options
 * @returns {Promise<DemoBuild[]>}
 */
export async function buildAll(into, { onBuilt = () => {} } = {}) {
  /** @type {DemoBuild[]} */
  const builds = [];
  for (const plan of plans) {
    const tree = join(into, `aster-${plan.number}`);
    rmSync(tree, { recursive: true, force: true });
    mkdirSync(tree, { recursive: true });
    cpSync(ASTER, tree, { recursive: true, filter: (path) => path !== join(ASTER, 'builds') && path !== join(ASTER, 'dist') });
    for (const { number, folder } of plans) {
      if (number <= plan.number) cpSync(join(ASTER, 'builds', folder), tree, { recursive: true, filter: (path) => !path.endsWith('build.json') });
    }
    await build({ root: tree, configFile: join(tree, 'vite.config.js'), logLevel: 'warn' });
    const [manifest] = readdirSync(join(tree, 'dist/changeover/builds'));
    builds.push({ number: plan.number, title: plan.title, message: plan.message, id: manifest.replace('.json', ''), dist: join(tree, 'dist') });
    onBuilt(/** @type {DemoBuild} */ (builds.at(-1)));
  }
  return builds;
}

/**
 * Builds the control room and returns its folder.
 *
 * @param {string} into
 */
export async function buildBooth(into) {
  const outDir = join(into, 'booth');
  await build({ root: join(WWW, 'booth'), configFile: join(WWW, 'booth/vite.config.js'), logLevel: 'warn', build: { outDir, emptyOutDir: true } });
  return outDir;
}
