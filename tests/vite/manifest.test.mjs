import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { VITES, build, edit, fileOf, integrityOf, makeApp, manifestsIn, tagOf } from './support.mjs';

/** @import { ResolvedConfig } from 'vite' */
/** @typedef {Awaited<ReturnType<typeof build>>} Built */

for (const { name, vite } of VITES) {
  test(`${name}: the manifest names every file with the integrity and size of the bytes on disk`, async (t) => {
    const root = makeApp(t, { 'public/docs/terms.html': '<!doctype html><title>Terms é</title>', 'public/.htaccess': 'x' });
    const { files, manifest } = await build(vite, root, { plugins: [minifyAtTheEnd(), copyAtTheEnd()] });
    const described = { ...manifest.chunks, ...manifest.documents };
    const expected = [...files.keys()].filter((path) => !path.startsWith('changeover/') && !path.startsWith('.'));
    assert.deepEqual(Object.keys(described).sort(), expected);
    assert.ok(expected.includes('copied-late.txt') && expected.includes('robots.txt'));
    for (const [path, { integrity, size }] of Object.entries(described)) {
      assert.deepEqual([path, integrity, size], [path, integrityOf(files.get(path)), files.get(path).length]);
    }
    assert.match(files.get(fileOf(manifest, 'src/routes/help.js')).toString(), /^\/\* shrunk \*\//);
    assert.deepEqual(Object.keys(manifest.documents), ['docs/terms.html', 'index.html']);
    assert.ok(!files.get('docs/terms.html').includes('data-build'), 'a document without the tag stays as it is');
  });

  test(`${name}: the manifest has the whole graph, by names that do not change with the content`, async (t) => {
    const root = makeApp(t);
    const { manifest } = await build(vite, root);
    const { chunks, entries } = manifest;
    const [entry, cart, help, sums] = ['index.html', 'src/routes/cart.js', 'src/routes/help.js', 'chunk:sums'].map((id) => fileOf(manifest, id));
    const [style, cartStyle, dot] = ['index.html#style', 'src/routes/cart.js#style', 'src/dot.svg'].map((id) => fileOf(manifest, id));
    assert.deepEqual(entries, [entry]);
    assert.deepEqual(chunks[entry].dynamicImports.filter((file) => [cart, help].includes(file)).sort(), [cart, help].sort());
    assert.deepEqual(chunks[entry].css, [style]);
    assert.deepEqual(chunks[cart].css, [cartStyle]);
    assert.ok(chunks[cart].imports.includes(sums) && chunks[help].imports.includes(sums));
    assert.ok([...chunks[entry].assets ?? [], ...chunks[style].assets ?? []].includes(dot));
    const owners = Object.fromEntries([entry, style, dot, cart, cartStyle, help, sums, 'robots.txt'].map((file) => [chunks[file].id, chunks[file].owner]));
    assert.deepEqual(owners, {
      'index.html': 'shell', 'index.html#style': 'shell', 'src/dot.svg': 'shell', 'src/routes/cart.js': 'shell',
      'src/routes/cart.js#style': 'shell', 'src/routes/help.js': 'shell', 'chunk:sums': 'shell', 'robots.txt': 'shared',
    });
    const kinds = new Set(Object.entries(chunks).map(([file, { kind }]) => `${file.slice(file.lastIndexOf('.'))} ${kind}`));
    assert.deepEqual([...kinds].sort(), ['.css style', '.js script', '.svg asset', '.txt asset', '.wasm wasm']);
    assert.equal(new Set(Object.values(chunks).map(({ id }) => id)).size, Object.keys(chunks).length);
  });

  test(`${name}: the same sources give the same id and the same bytes, from any folder and at any time, but for the number of the release`, async (t) => {
    const first = await build(vite, makeApp(t));
    const second = await build(vite, makeApp(t));
    assert.match(first.manifest.id, /^[0-9a-f]{10}$/);
    const bare = (/** @type {string} */ path, /** @type {Buffer} */ bytes) => (path.endsWith('.html') ? bytes.toString().replace(/ data-sequence="\d+"/, '') : bytes);
    const compare = (/** @type {Built} */ { files, manifest }) => [
      [...files].filter(([path]) => !path.startsWith('changeover/')).map(([path, bytes]) => [path, integrityOf(/** @type {Buffer} */ (bare(path, bytes)))]),
      { ...manifest, created: null, documents: Object.keys(manifest.documents) },
    ];
    assert.deepEqual(compare(second), compare(first));
  });

  test(`${name}: SOURCE_DATE_EPOCH makes the manifest itself reproducible`, async (t) => {
    process.env.SOURCE_DATE_EPOCH = '1785499200';
    t.after(() => delete process.env.SOURCE_DATE_EPOCH);
    const outputs = [await build(vite, makeApp(t)), await build(vite, makeApp(t))];
    assert.equal(outputs[0].manifest.created, '2026-07-31T12:00:00Z');
    const [first, second] = outputs.map(({ files }) => files.get(manifestsIn(files)[0]).toString());
    assert.equal(first, second);
  });

  test(`${name}: with a route edited, the same files change as without the plugin, and no other byte does`, async (t) => {
    const plain = makeApp(t);
    const watched = makeApp(t);
    const outputs = [];
    const named = { build: { rollupOptions: { output: { minifyInternalExports: false } } } };
    for (const text of ['cart', 'basket']) {
      for (const root of [plain, watched]) edit(root, 'src/routes/cart.js', '`cart', `\`${text}`);
      outputs.push([await build(vite, plain, { without: true, ...named }), await build(vite, watched)]);
      for (const root of [plain, watched]) edit(root, 'src/routes/cart.js', `\`${text}`, '`cart');
    }
    for (const [without, withPlugin] of outputs) {
      const own = Object.keys(withPlugin.manifest.chunks).filter((file) => withPlugin.manifest.chunks[file].id.startsWith('changeover/'));
      assert.equal(own.length, 7);
      const app = new Map([...withPlugin.files].filter(([path]) => !own.includes(path) && path !== 'index.html' && !path.startsWith('changeover/')));
      without.files.delete('index.html');
      assert.deepEqual([...app].map(digest), [...without.files].map(digest));
    }
    const [[, first], [, second]] = outputs;
    assert.notEqual(first.manifest.id, second.manifest.id);
    const unchanged = Object.keys(first.manifest.chunks).filter((file) => file in second.manifest.chunks);
    for (const file of unchanged) assert.deepEqual(second.manifest.chunks[file], first.manifest.chunks[file]);
    assert.ok(unchanged.includes(fileOf(first.manifest, 'src/routes/about.js')));
    assert.notEqual(fileOf(first.manifest, 'src/routes/cart.js'), fileOf(second.manifest, 'src/routes/cart.js'));
  });

  test(`${name}: a file that changed only because files it names were renamed keeps its code`, async (t) => {
    const root = makeApp(t);
    const { manifest: first } = await build(vite, root, { build: { sourcemap: true } });
    edit(root, 'src/sums.js', 'next > most', 'next >= most');
    const { manifest: second } = await build(vite, root, { build: { sourcemap: true } });
    const compare = (/** @type {string} */ id) => {
      const [before, after] = [fileOf(first, id), fileOf(second, id)];
      return [before === after ? 'same name' : 'renamed', first.chunks[before].code === second.chunks[after].code ? 'same code' : 'new code'];
    };
    assert.deepEqual(compare('chunk:sums'), ['renamed', 'new code']);
    assert.deepEqual(compare('src/routes/help.js'), ['renamed', 'same code']);
    assert.deepEqual(compare('src/routes/cart.js'), ['renamed', 'same code']);
    assert.deepEqual(compare('index.html'), ['renamed', 'same code']);
    assert.deepEqual(compare('src/routes/cart.js.map'), ['renamed', 'same code']);
    assert.deepEqual(compare('src/routes/about.js'), ['same name', 'same code']);
    assert.equal(first.html, second.html, 'the document names other files and says nothing else');
  });

  test(`${name}: two chunks that would have the same name keep names of their own from build to build`, async (t) => {
    const part = (/** @type {string} */ letter) => `export const big${letter} = ${JSON.stringify(letter.repeat(400))};\n`;
    const route = (/** @type {string[]} */ list) => `${list.map((letter) => `import { big${letter} } from '../${letter}/shared.js';\n`).join('')}export const show = (place) => void (place.textContent = [${list.map((letter) => `big${letter}`)}].join());\n`;
    const changes = { 'src/x/shared.js': part('x'), 'src/y/shared.js': part('y'), 'src/routes/cart.js': route(['x']), 'src/routes/help.js': route(['x', 'y']), 'src/routes/about.js': route(['y']) };
    const root = makeApp(t, changes);
    const ids = (/** @type {Built} */ { manifest }) => Object.values(manifest.chunks).map(({ id }) => id).filter((id) => id.includes('shared'));
    const first = await build(vite, root);
    assert.deepEqual(ids(first).sort(), ['chunk:shared:src/x/shared.js', 'chunk:shared:src/y/shared.js']);
    for (const letter of ['x', 'y']) {
      edit(root, `src/${letter}/shared.js`, letter.repeat(400), letter.repeat(500));
      const next = await build(vite, root);
      assert.deepEqual(ids(next).sort(), ids(first).sort());
      assert.equal(next.manifest.chunks[fileOf(next.manifest, `chunk:shared:src/${letter}/shared.js`)].code === first.manifest.chunks[fileOf(first.manifest, `chunk:shared:src/${letter}/shared.js`)].code, false);
    }
  });

  test(`${name}: html leaves out the stamp and the names of files, and nothing else`, async (t) => {
    const root = makeApp(t);
    const first = await build(vite, root);
    writeFileSync(join(root, 'public/robots.txt'), 'User-agent: none');
    const second = await build(vite, root);
    assert.notEqual(first.manifest.id, second.manifest.id);
    assert.equal(first.manifest.html, second.manifest.html);
    assert.notEqual(first.manifest.documents['index.html'].integrity, second.manifest.documents['index.html'].integrity);
    edit(root, 'index.html', 'Fixture', 'Changed');
    assert.notEqual((await build(vite, root)).manifest.html, first.manifest.html);
  });

  test(`${name}: compressed twins of a document carry the stamp too`, async (t) => {
    const { files, manifest } = await build(vite, makeApp(t), { plugins: [compressAtTheEnd()] });
    assert.equal(gunzipSync(files.get('index.html.gz')).toString(), files.get('index.html').toString());
    assert.equal(manifest.chunks['index.html.gz'].integrity, integrityOf(files.get('index.html.gz')));
    assert.equal(tagOf(files.get('index.html').toString())['data-build'], manifest.id);
    assert.ok(!files.has('index.html.zst'));
  });

  test(`${name}: facts about the commit, the version and the app come from where the app keeps them`, async (t) => {
    const root = makeApp(t);
    const without = await build(vite, root);
    assert.deepEqual([without.manifest.app, without.manifest.version, without.manifest.commit], ['shop-fixture', '2.4.0', undefined]);
    assert.equal(tagOf(without.html())['data-app'], undefined);
    const git = (/** @type {string[]} */ ...list) => execFileSync('git', ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', ...list], { cwd: root });
    git('init', '-q');
    git('add', 'index.html');
    git('commit', '-q', '-m', 'Show the cart');
    const { manifest, html } = await build(vite, root, { options: { app: 'shop', epoch: 3 } });
    assert.deepEqual([manifest.app, manifest.epoch, manifest.id], ['shop', 3, manifest.id]);
    assert.equal(tagOf(html())['data-app'], 'shop');
    assert.match(manifest.commit.sha, /^[0-9a-f]{40}$/);
    assert.match(manifest.commit.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/);
    assert.deepEqual([manifest.commit.author, manifest.commit.message], ['Ada', 'Show the cart']);
  });
}

const digest = (/** @type {[string, Buffer]} */ [path, bytes]) => `${path} ${integrityOf(bytes)}`;

/** What a minifier does that runs after all others: new text under the old name. */
function minifyAtTheEnd() {
  return {
    name: 'late-minifier',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(/** @type {unknown} */ _options, /** @type {Record<string, any>} */ bundle) {
        for (const item of Object.values(bundle)) if (item.type === 'chunk') item.code = `/* shrunk */${item.code}`;
      },
    },
  };
}

/** What static-copy plugins do. */
function copyAtTheEnd() {
  /** @type {import('vite').ResolvedConfig} */
  let config;
  return {
    name: 'late-copy',
    configResolved: (/** @type {ResolvedConfig} */ resolved) => void (config = resolved),
    closeBundle() {
      copyFileSync(join(config.root, 'package.json'), join(config.build.outDir, 'copied-late.txt'));
    },
  };
}

/** What compression plugins do; the second file stands for a format that is not rewritten. */
function compressAtTheEnd() {
  /** @type {import('vite').ResolvedConfig} */
  let config;
  return {
    name: 'late-compression',
    configResolved: (/** @type {ResolvedConfig} */ resolved) => void (config = resolved),
    closeBundle() {
      const file = join(config.build.outDir, 'index.html');
      writeFileSync(`${file}.gz`, gzipSync(readFileSync(file)));
      writeFileSync(`${file}.zst`, 'zst');
    },
  };
}
