// A copy of the output folder is a deploy: the release that lies in it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CLI, ROOT, VITES, build, changeover, edit, failureOf, integrityOf, makeApp, tagOf } from './support.mjs';

/** @typedef {Awaited<ReturnType<typeof build>>} Built */

const releaseOf = (/** @type {Built} */ { files }) => JSON.parse(/** @type {string} */ (/** @type {unknown} */ (files.get('changeover/release.json'))));
const soon = () => Math.floor(Date.now() / 1000);

for (const { name, vite } of VITES) {
  test(`${name}: a build brings the release that points to it, and the folder is a whole site`, async (t) => {
    const before = soon();
    const built = await build(vite, makeApp(t));
    const release = releaseOf(built);
    const { sequence, issued, ...rest } = release;
    assert.deepEqual(rest, {
      format: 1,
      app: 'shop-fixture',
      channel: 'stable',
      build: { id: built.manifest.id, manifest: `builds/${built.manifest.id}.json`, integrity: integrityOf(built.files.get(`changeover/builds/${built.manifest.id}.json`)) },
      urgency: 'routine',
    });
    assert.ok(sequence >= before && sequence <= soon(), `${sequence} is the time in seconds`);
    assert.equal(issued, built.manifest.created);
    execFileSync(CLI, ['verify', built.out], { stdio: 'pipe' });
  });

  test(`${name}: the documents have the number of the release, and keep it as long as nothing in the build changes`, async (t) => {
    const root = makeApp(t);
    const numberOf = (/** @type {Built} */ built) => Number(tagOf(built.html())['data-sequence']);
    const first = await build(vite, root);
    assert.equal(numberOf(first), releaseOf(first).sequence);
    const again = await build(vite, root, { options: { message: 'The same build' } });
    assert.ok(releaseOf(again).sequence > releaseOf(first).sequence, 'the release is a new one');
    assert.equal(again.html(), first.html());
    edit(root, 'src/routes/about.js', "'about'", "'about us'");
    const second = await build(vite, root);
    assert.equal(numberOf(second), releaseOf(second).sequence);
    assert.equal(numberOf(await build(vite, root, { options: { sequence: 7 } })), 7);
    const elsewhere = await build(vite, root, { options: { release: '/api/release' } });
    assert.equal(tagOf(elsewhere.html())['data-sequence'], undefined, 'a release elsewhere has numbers of its own');
  });

  test(`${name}: the options of the release`, async (t) => {
    const release = releaseOf(await build(vite, makeApp(t), { options: { app: 'shop', channel: 'beta', sequence: 42, urgency: 'soon', message: 'New basket' } }));
    assert.deepEqual([release.app, release.channel, release.sequence, release.urgency, release.message], ['shop', 'beta', 42, 'soon', 'New basket']);
  });

  test(`${name}: each build has a higher number than the one before in its folder, whatever the clock says`, async (t) => {
    for (const emptyOutDir of [true, false]) {
      const root = makeApp(t);
      const options = { build: { emptyOutDir } };
      const first = releaseOf(await build(vite, root, options));
      edit(root, 'src/routes/about.js', "'about'", "'about us'");
      const second = releaseOf(await build(vite, root, options));
      assert.ok(second.sequence > first.sequence, 'within a second or two');
      const pointer = join(root, 'dist/changeover/release.json');
      const ahead = soon() + 86_400;
      writeFileSync(pointer, JSON.stringify({ ...second, sequence: ahead }));
      edit(root, 'src/routes/about.js', "'about us'", "'about them'");
      assert.equal(releaseOf(await build(vite, root, options)).sequence, ahead + 1, 'the clock was set back');
      writeFileSync(pointer, '{"sequence": 9007199254740991, "build": {"id": "x"}}');
      assert.ok(releaseOf(await build(vite, root, options)).sequence <= soon(), 'there is nothing above the highest number');
      writeFileSync(pointer, 'half a fi');
      assert.ok(releaseOf(await build(vite, root, options)).sequence <= soon());
    }
  });

  test(`${name}: with SOURCE_DATE_EPOCH the same sources give the same release to the byte, built once more or elsewhere`, async (t) => {
    process.env.SOURCE_DATE_EPOCH = '1785499200';
    t.after(() => delete process.env.SOURCE_DATE_EPOCH);
    const root = makeApp(t);
    const texts = [];
    for (const folder of [root, root, makeApp(t)]) texts.push((await build(vite, folder)).files.get('changeover/release.json').toString());
    assert.deepEqual(texts.slice(1), [texts[0], texts[0]]);
    assert.equal(JSON.parse(texts[0]).sequence, 1_785_499_200);
  });

  test(`${name}: a number below that of the build before is said`, async (t) => {
    const root = makeApp(t);
    await build(vite, root, { options: { sequence: 7 } });
    edit(root, 'src/routes/about.js', "'about'", "'about us'");
    const { messages } = await build(vite, root, { options: { sequence: 7 } });
    assert.ok(messages.warn.includes('changeover: the option "sequence" is 7, and the release of the build before has 7; pages that have seen that one will not take this build.'), messages.warn.join());
    edit(root, 'src/routes/about.js', "'about us'", "'about them'");
    assert.deepEqual((await build(vite, root, { options: { sequence: 8 } })).messages.warn, []);
  });
}

for (const name of ['vite5', 'vite6']) {
  test(`${name} is refused in a sentence that names its version and those that work`, async (t) => {
    const vite = await import(name);
    const root = makeApp(t);
    symlinkSync(join(ROOT, 'node_modules', name), join(root, 'node_modules/vite'));
    const { version } = JSON.parse(readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8'));
    const sentence = `changeover: this is Vite ${version}, and the plugin works with Vite 7 and 8; update Vite, or build without the plugin and let \`changeover publish\` or \`changeover stamp\` describe the output folder.`;
    const error = await failureOf(build(vite, root));
    assert.deepEqual([error.code, error.message], ['unsupportedVite', sentence]);
    assert.ok(!existsSync(join(root, 'dist')), 'nothing was written');
    const serving = await failureOf(vite.createServer({ root, configFile: false, logLevel: 'silent', plugins: [changeover()] }));
    assert.equal(serving.code, 'unsupportedVite');
  });
}

test('a Vite that is nowhere to be found is still refused by name', async (t) => {
  const root = makeApp(t);
  mkdirSync(join(root, 'away'));
  const error = await failureOf(build(/** @type {typeof VITES[0]['vite']} */ (/** @type {unknown} */ (await import('vite5'))), join(root, 'away')));
  assert.match(error.message, /^changeover: this is a Vite older than 7, and the plugin works with Vite 7 and 8;/);
});
