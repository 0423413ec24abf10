// Makes the fixture of the two-version tests: builds with the package of an earlier commit, published by its own CLI.
//
//   git worktree add --detach ../earlier COMMIT
//   (cd ../earlier && npm run build)
//   node scripts/compat-fixture.mjs ../earlier
//
// The folder under tests/compat/fixtures gets the name of the commit. See the README there.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { entry, root, say, Stop } from './lib/run.mjs';
import { writeBuild } from '../tests/compat/app.mjs';

await entry(async () => {
  const [given] = process.argv.slice(2);
  if (!given) throw new Stop('say where a checkout of the earlier commit is, built by `npm run build`.');
  const earlier = resolve(given);
  const from = join(earlier, 'dist', 'npm');
  const cli = join(from, 'native', `${process.platform}-${process.arch}`, process.platform === 'win32' ? 'changeover.exe' : 'changeover');
  if (!existsSync(cli)) throw new Stop(`there is no ${cli}; run \`npm run build\` in ${given}.`);
  const commit = execFileSync('git', ['rev-parse', '--short=7', 'HEAD'], { cwd: earlier, encoding: 'utf8' }).trim();
  const fixture = join(root, 'tests', 'compat', 'fixtures', commit);
  rmSync(fixture, { recursive: true, force: true });
  const work = mkdtempSync(join(tmpdir(), 'changeover-fixture-'));
  try {
    publishTwice(work, { from, cli, fixture });
    await buildSlots(work, { earlier, from, fixture });
    keepOnce(fixture);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  say(`fixture: ${relative(root, fixture)}`);
  return 0;
});

/**
 * `site` is the folder of a site after its first release, `next` what a second one, which changes a file that no page has
 * loaded, leaves different in it.
 *
 * @param {string} work
 * @param {{from: string, cli: string, fixture: string}} how
 */
function publishTwice(work, { from, cli, fixture }) {
  const served = join(work, 'served');
  const publish = (/** @type {string} */ report) => {
    const dist = mkdtempSync(join(work, 'dist-'));
    writeBuild(dist, { name: 'old', schema: 1, from, report });
    execFileSync(cli, ['publish', dist, '--to', served, '--by', 'fixture', '--app', 'orders']);
  };
  publish('first');
  copyChanged(served, null, join(fixture, 'site'));
  publish('second');
  copyChanged(served, join(fixture, 'site'), join(fixture, 'next'));
}

/**
 * Two builds of the app of plain slots by the earlier plugin, as the bundler leaves them; the second differs in a slot.
 *
 * @param {string} work
 * @param {{earlier: string, from: string, fixture: string}} how
 */
async function buildSlots(work, { earlier, from, fixture }) {
  const { build } = await import('vite');
  const { default: plugin } = await import(pathToFileURL(join(from, 'vite.js')).href);
  const app = join(work, 'app');
  cpSync(join(earlier, 'tests', 'swapping', 'plain'), app, { recursive: true });
  mkdirSync(join(app, 'node_modules'));
  symlinkSync(from, join(app, 'node_modules', 'changeover'));
  const make = async (/** @type {string} */ name) => {
    const outDir = join(work, name);
    await build({ root: app, configFile: false, logLevel: 'error', base: '/', plugins: [plugin({ interval: 1000 })], build: { outDir, emptyOutDir: true, minify: true } });
    return outDir;
  };
  const one = await make('one');
  cpSync(one, join(fixture, 'slots'), { recursive: true });
  const counter = join(app, 'src', 'routes', 'Counter.js');
  writeFileSync(counter, readFileSync(counter, 'utf8').replace('counter one', 'counter two'));
  copyChanged(await make('two'), one, join(fixture, 'slots-next'));
}

/**
 * Copies what differs from `base`, or all.
 *
 * @param {string} folder
 * @param {string | null} base
 * @param {string} to
 */
function copyChanged(folder, base, to) {
  for (const name of filesIn(folder)) {
    const [file, target] = [join(folder, name), join(to, name)];
    const other = base && join(base, name);
    if (other && existsSync(other) && readFileSync(other).equals(readFileSync(file))) continue;
    mkdirSync(dirname(target), { recursive: true });
    cpSync(file, target);
  }
}

/**
 * Keeps one of files that are equal; `copies.json` says where the others belong.
 *
 * @param {string} fixture
 */
function keepOnce(fixture) {
  /** @type {Map<string, string>} */
  const kept = new Map();
  /** @type {Record<string, string>} */
  const copies = {};
  // Those of a deploy's own folder are copies of what the site serves.
  const names = filesIn(fixture).sort((a, b) => Number(/\/files\//.test(a)) - Number(/\/files\//.test(b)) || (a < b ? 1 : -1));
  for (const name of names) {
    const text = readFileSync(join(fixture, name), 'latin1');
    const first = kept.get(text);
    if (first === undefined) kept.set(text, name);
    else {
      copies[name] = first;
      rmSync(join(fixture, name));
    }
  }
  writeFileSync(join(fixture, 'copies.json'), `${JSON.stringify(copies, null, 2)}\n`);
}

/** @param {string} folder */
function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== '.lock')
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}
