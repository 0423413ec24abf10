import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CLI, VITES, build, edit, fileOf, listFiles, makeApp } from './support.mjs';

for (const { name, vite } of VITES) {
  test(`${name}: the command line publishes two builds with the plugin's own manifests and finds every file intact`, async (t) => {
    assert.ok(existsSync(CLI), `no command line at ${CLI}; run: npm run build`);
    const root = makeApp(t);
    const site = join(root, 'site');
    const builds = [];
    for (const text of ['cart', 'basket']) {
      edit(root, 'src/routes/cart.js', text === 'cart' ? '`cart' : '`cart', `\`${text}`);
      const { manifest, out } = await build(vite, root);
      run('publish', out, '--to', site);
      builds.push(manifest);
    }
    run('verify', site);
    const [first, second] = builds;
    const release = JSON.parse(/** @type {string} */ (/** @type {unknown} */ (readFileSync(join(site, 'changeover/release.json')))));
    assert.equal(release.build.id, second.id);
    for (const manifest of builds) {
      const published = JSON.parse(/** @type {string} */ (/** @type {unknown} */ (readFileSync(join(site, `changeover/builds/${manifest.id}.json`)))));
      // Its documents have the number of their release, and nothing else is touched.
      assert.deepEqual({ ...published, documents: 0 }, { ...manifest, documents: 0 });
      assert.deepEqual(Object.keys(published.documents), Object.keys(manifest.documents));
    }
    assert.match(readFileSync(join(site, 'index.html'), 'utf8'), new RegExp(` data-sequence="${release.sequence}" data-build="${second.id}"`));
    assert.ok(listFiles(site).includes(fileOf(first, 'src/routes/cart.js')), 'files of the build before stay');

    writeFileSync(join(site, `changeover/files/${second.id}`, fileOf(second, 'src/routes/about.js')), 'tampered');
    assert.throws(() => run('verify', site), (error) => /about/.test(/** @type {{stdout: string, stderr: string}} */ (error).stdout + /** @type {{stdout: string, stderr: string}} */ (error).stderr));
    rmSync(join(site, `changeover/files/${second.id}`, fileOf(second, 'src/routes/about.js')));
    assert.throws(() => run('verify', site), (error) => /about/.test(/** @type {{stdout: string, stderr: string}} */ (error).stdout + /** @type {{stdout: string, stderr: string}} */ (error).stderr));
  });
}

/** @param {string[]} list */
function run(...list) {
  return execFileSync(CLI, list, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
