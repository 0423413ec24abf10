import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { VITES, build, change, changeover, edit, failureOf, fileOf, makeApp, makeLogger, manifestsIn, readOutput, tagOf, until } from './support.mjs';

const NESTED = '<!doctype html><html><head><title>Nested</title></head><body><div id="app"></div><script type="module" src="/src/main.js"></script></body></html>';

for (const { name, vite } of VITES) {
  const major = Number(name.split(' ')[1]);

  test(`${name}: the tag is the first child of head and names files that exist`, async (t) => {
    const { html, files, manifest } = await build(vite, makeApp(t));
    assert.match(html(), /<head>\s*<script src="\/assets\/changeover-[0-9a-f]{10}\.js" data-release="\/changeover\/release\.json" data-sequence="\d+" data-build="[0-9a-f]{10}" data-runtime="\/assets\/changeover-runtime-[0-9a-f]{10}\.js" data-wasm="\/assets\/changeover-[0-9a-f]{10}\.wasm" data-prompt-file="\/assets\/changeover-prompt-[0-9a-f]{10}\.js" data-states-file="\/assets\/changeover-states-[0-9a-f]{10}\.js" data-stores="\/assets\/changeover-stores-[0-9a-f]{10}\.js" data-stores-wasm="\/assets\/changeover-stores-[0-9a-f]{10}\.wasm"><\/script>/);
    const tag = tagOf(html());
    assert.equal(tag['data-build'], manifest.id);
    for (const url of [tag.src, tag['data-runtime'], tag['data-wasm'], tag['data-prompt-file'], tag['data-states-file'], tag['data-stores'], tag['data-stores-wasm']]) assert.ok(files.has(url.slice(1)), url);
    assert.equal(html().split('data-release').length, 2);
    for (const [path, bytes] of files) {
      if (path !== 'index.html' && !path.startsWith('changeover/')) assert.ok(!bytes.includes(manifest.id), `${path} contains the build id`);
    }
  });

  test(`${name}: every option of the page becomes an attribute of the tag`, async (t) => {
    const options = { release: '/r.json', app: 'shop', channel: 'beta', interval: 5000, stream: 'off', prompt: false, lang: 'de', fields: true, trace: true };
    const { html } = await build(vite, makeApp(t), { options });
    const { src, 'data-build': id, 'data-runtime': runtime, 'data-wasm': wasm, 'data-prompt-file': prompt, 'data-states-file': states, 'data-stores': stores, 'data-stores-wasm': storesWasm, ...rest } = tagOf(html());
    assert.ok(src && id && runtime && wasm && prompt && states && stores && storesWasm);
    assert.deepEqual(rest, {
      'data-release': '/r.json', 'data-app': 'shop', 'data-channel': 'beta', 'data-interval': '5000', 'data-stream': 'off',
      'data-lang': 'de', 'data-prompt': 'off', 'data-fields': 'on', 'data-trace': 'on',
    });
  });

  test(`${name}: the loader can be inline, and is then no file`, async (t) => {
    const { html, files } = await build(vite, makeApp(t), { options: { loader: 'inline' } });
    assert.equal(tagOf(html()).src, undefined);
    assert.ok(tagOf(html())['data-runtime']);
    const [, code] = /** @type {RegExpExecArray} */ (/<head>\s*<script data-release=[^>]*>([^]*?)<\/script>/.exec(html()));
    assert.doesNotThrow(() => new Function(code));
    assert.ok(code.includes('changeover'));
    assert.deepEqual([...files.keys()].filter((path) => /\/changeover-[0-9a-f]{10}\.js$/.test(path)), []);
  });

  test(`${name}: pages in folders and a base path get addresses that fit`, async (t) => {
    const root = makeApp(t, { 'shop/eu/index.html': NESTED });
    const input = { main: join(root, 'index.html'), nested: join(root, 'shop/eu/index.html') };
    const absolute = await build(vite, root, { base: '/app/', build: { rollupOptions: { input }, assetsDir: 'static/files' } });
    for (const page of ['index.html', 'shop/eu/index.html']) {
      const tag = tagOf(absolute.html(page));
      assert.equal(tag['data-release'], '/app/changeover/release.json');
      assert.match(tag.src, /^\/app\/static\/files\/changeover-/);
      assert.equal(tag['data-build'], absolute.manifest.id);
    }
    assert.equal(absolute.manifest.base, '/app/');
    assert.deepEqual(Object.keys(absolute.manifest.documents), ['index.html', 'shop/eu/index.html']);
    assert.ok(Object.keys(absolute.manifest.chunks).every((file) => !file.startsWith('app/')));

    const relative = await build(vite, root, { base: './', build: { rollupOptions: { input } } });
    const [main, nested] = ['index.html', 'shop/eu/index.html'].map((page) => tagOf(relative.html(page)));
    assert.equal(main['data-release'], './changeover/release.json');
    assert.equal(nested['data-release'], '../../changeover/release.json');
    for (const [tag, page] of /** @type {[Record<string, string>, string][]} */ ([[main, 'index.html'], [nested, 'shop/eu/index.html']])) {
      for (const url of [tag.src, tag['data-runtime'], tag['data-wasm'], tag['data-prompt-file'], tag['data-states-file'], tag['data-stores'], tag['data-stores-wasm']]) {
        assert.ok(relative.files.has(new URL(url, `http://x/${page}`).pathname.slice(1)), url);
      }
    }
  });

  test(`${name}: relative addresses come after a <base>`, async (t) => {
    const root = makeApp(t);
    edit(root, 'index.html', '<title>', '<base href="/deep/" />\n    <title>');
    const { html } = await build(vite, root, { base: './' });
    assert.ok(html().indexOf('data-release') > html().indexOf('<base'));
    assert.equal(html().split('data-release').length, 2);
  });

  test(`${name}: a nonce of Vite's reaches the tag`, async (t) => {
    const { html } = await build(vite, makeApp(t), { html: { cspNonce: 'N0NCE' }, options: { loader: 'inline' } });
    assert.equal(tagOf(html()).nonce, 'N0NCE');
  });

  test(`${name}: a tag that the page already has is stamped and not doubled`, async (t) => {
    const root = makeApp(t);
    edit(root, 'index.html', '<title>', '<!-- <script data-release="/not-me"></script> -->\n<script src="https://cdn.example/changeover.js" data-release="/r.json"></script>\n    <title>');
    const { html, manifest } = await build(vite, root);
    assert.match(html(), /<!-- <script data-release="\/not-me"><\/script> -->/);
    assert.ok(html().includes(`data-release="/r.json" data-build="${manifest.id}"></script>`));
    assert.equal(html().split('data-release').length, 3);
  });

  test(`${name}: a document rewritten by a minifier keeps a stamp, one without its tag is named in a warning`, async (t) => {
    /** @type {(rewrite: (html: string) => string) => object} */
    const late = (rewrite) => ({ name: 'html', enforce: 'post', generateBundle: { order: 'post', handler: (/** @type {unknown} */ _options, /** @type {Record<string, {source: string}>} */ bundle) => void (bundle['index.html'].source = rewrite(String(bundle['index.html'].source))) } });
    const minified = await build(vite, makeApp(t), { plugins: [late((/** @type {string} */ html) => html.replace(/\s+/g, ' ').replaceAll('data-build=""', 'data-build').replace(/="([^"\s]+)"/g, '=$1'))] });
    assert.match(minified.html(), new RegExp(`<script src=\\S+ data-release=\\S+ data-sequence="\\d+" data-build="${minified.manifest.id}" data-runtime`));
    const lost = await build(vite, makeApp(t), { plugins: [late((/** @type {string} */ html) => html.replace(/<script src[^]*?<\/script>/, ''))] });
    assert.ok(lost.messages.warn.some((text) => text.includes('"index.html" has lost the changeover script tag')), lost.messages.warn.join());
  });

  test(`${name}: renderBuiltUrl decides where the loader lives`, async (t) => {
    const cdn = (/** @type {string} */ file, /** @type {{hostType: string}} */ { hostType }) => (hostType === 'html' ? `https://cdn.example/${file}` : { relative: true });
    const { html } = await build(vite, makeApp(t), { experimental: { renderBuiltUrl: cdn } });
    assert.match(tagOf(html()).src, /^https:\/\/cdn\.example\/assets\/changeover-/);
    assert.equal(tagOf(html())['data-release'], '/changeover/release.json');
    const error = await failureOf(build(vite, makeApp(t), { experimental: { renderBuiltUrl: (/** @type {string} */ file) => ({ runtime: `at(${JSON.stringify(file)})` }) } }));
    assert.equal(error.code, 'runtimeUrl');
  });

  test(`${name}: a base on another origin needs to be told where the release is`, async (t) => {
    const error = await failureOf(build(vite, makeApp(t), { base: 'https://cdn.example/x/' }));
    assert.equal(error.code, 'foreignBase');
    assert.equal(error.message, 'changeover: the base "https://cdn.example/x/" is on another origin, where a page would not look for its release; set the option "release" to a path on the page\'s own origin, such as "/changeover/release.json".');
    const { html } = await build(vite, makeApp(t), { base: 'https://cdn.example/x/', options: { release: '/changeover/release.json' } });
    assert.equal(tagOf(html())['data-release'], '/changeover/release.json');
    assert.match(tagOf(html()).src, /^https:\/\/cdn\.example\/x\/assets\/changeover-/);
  });

  test(`${name}: the folder changeover belongs to changeover`, async (t) => {
    const error = await failureOf(build(vite, makeApp(t), { build: { assetsDir: 'changeover' } }));
    assert.match(error.message, /lies in the folder "changeover", which belongs to changeover/);
  });

  test(`${name}: build.manifest and the plugin do not disturb each other`, async (t) => {
    const { files, manifest } = await build(vite, makeApp(t), { build: { manifest: true } });
    const theirs = JSON.parse(/** @type {string} */ (/** @type {unknown} */ (files.get('.vite/manifest.json'))));
    assert.equal(theirs['index.html'].file, manifest.entries[0]);
    assert.ok(Object.keys(manifest.chunks).every((file) => !file.startsWith('.vite')));
  });

  test(`${name}: several outputs in one folder are one build, in two folders they are refused`, async (t) => {
    const root = makeApp(t);
    const output = (/** @type {string} */ folder, /** @type {string} */ suffix) => ({ dir: join(root, folder), format: 'es', entryFileNames: `assets/[name]${suffix}-[hash].js`, chunkFileNames: `assets/[name]${suffix}-[hash].js` });
    const options = (/** @type {object[]} */ list) => ({ build: { [major >= 8 ? 'rolldownOptions' : 'rollupOptions']: { output: list } } });
    const { manifest, files } = await build(vite, root, options([output('dist', '-one'), output('dist', '-two')]));
    assert.equal(manifest.entries.length, 2);
    assert.equal(manifestsIn(files).length, 1);
    const error = await failureOf(build(vite, root, options([output('dist', ''), output('other', '')])));
    assert.match(error.message, /this build writes to ".*dist" and to ".*other"; a build is one folder, so run a build for each/);
  });

  test(`${name}: server builds, library builds and builds that write nothing stay as they are`, async (t) => {
    const root = makeApp(t, { 'src/server.js': "import { createChangeover } from 'changeover';\nexport const render = () => createChangeover;\n" });
    for (const buildOptions of [
      { ssr: 'src/server.js' },
      { lib: { entry: join(root, 'src/store.js'), formats: ['es'], fileName: 'store' } },
    ]) {
      const plain = await build(vite, root, { build: buildOptions, without: true });
      const { files, messages } = await build(vite, root, { build: buildOptions });
      assert.deepEqual([...files], [...plain.files]);
      assert.deepEqual(messages.warn, plain.messages.warn);
    }
    const out = join(root, 'nothing');
    mkdirSync(out);
    const { messages } = await build(vite, root, { build: { write: false }, out });
    assert.ok(messages.warn.some((text) => text.includes('build.write is false')));
  });

  test(`${name}: a build without a document is left alone and says so`, async (t) => {
    const root = makeApp(t);
    const { files, messages } = await build(vite, root, { build: { rollupOptions: { input: join(root, 'src/main.js') } } });
    assert.ok(messages.warn.some((text) => text.includes('this build has no HTML file')));
    assert.ok(![...files.keys()].some((path) => path.includes('changeover')));
  });

  test(`${name}: a folder that is not emptied ends with one manifest, without files of the build before`, async (t) => {
    const root = makeApp(t);
    const options = { build: { emptyOutDir: false } };
    const first = await build(vite, root, options);
    await new Promise((done) => setTimeout(done, 20)); // file times count milliseconds
    edit(root, 'src/routes/about.js', "'about'", "'about us'");
    const second = await build(vite, root, options);
    assert.equal(manifestsIn(second.files).length, 1);
    assert.notEqual(second.manifest.id, first.manifest.id);
    const old = fileOf(first.manifest, 'src/routes/about.js');
    assert.ok(second.files.has(old));
    assert.ok(!(old in second.manifest.chunks));
    assert.ok('robots.txt' in second.manifest.chunks);
    const clean = await build(vite, root);
    assert.equal(clean.manifest.id, second.manifest.id);
  });

  test(`${name}: a published site is not built into, and loses nothing by the attempt`, async (t) => {
    const root = makeApp(t);
    const kept = join(root, 'dist/changeover/files/3f2a/index.html');
    mkdirSync(dirname(kept), { recursive: true });
    writeFileSync(kept, 'kept');
    for (const emptyOutDir of [false, true]) {
      const error = await failureOf(build(vite, root, { build: { emptyOutDir } }));
      assert.match(error.message, /dist" is a published site, it has changeover\/files with the builds before; build into another folder/);
      assert.equal(readFileSync(kept, 'utf8'), 'kept');
    }
  });

  test(`${name}: each rebuild of a watched build replaces the manifest`, async (t) => {
    const root = makeApp(t);
    const out = join(root, 'dist');
    const { logger, messages } = makeLogger(vite);
    const watcher = await vite.build({ root, configFile: false, customLogger: logger, logLevel: 'warn', plugins: [changeover()], build: { outDir: out, watch: {}, assetsInlineLimit: 0 } });
    t.after(() => /** @type {{close(): Promise<void>}} */ (watcher).close());
    const described = (/** @type {number} */ count) => until(() => messages.info.filter((text) => text.startsWith('changeover: build')).length >= count, () => messages);
    await described(1);
    const first = readOutput(out);
    change(root, { 'src/routes/about.js': "export const show = (place) => void (place.textContent = 'changed');\n" });
    await described(2);
    const second = readOutput(out);
    assert.equal(manifestsIn(second.files).length, 1);
    assert.notEqual(second.manifest.id, first.manifest.id);
    assert.equal(tagOf(second.html())['data-build'], second.manifest.id);
    assert.deepEqual(messages.error, []);
  });
}

test('a wrong option is refused in a sentence that names it and its value', () => {
  for (const [options, sentence] of [
    [{ releases: '/r.json' }, 'changeover: "releases" is not an option; there are release, app, channel, sequence, urgency, message, stream, lang, interval, epoch, prompt, fields, trace, loader, stores, slots, pinned, compareWith.'],
    [{ interval: '60s' }, 'changeover: the option "interval" is "60s"; it must be a number.'],
    [{ interval: 60 }, 'changeover: the option "interval" is 60; it counts milliseconds and must be at least 1000.'],
    [{ app: 'my shop' }, 'changeover: the option "app" is "my shop"; it must be 1 to 64 letters, digits, ".", "_" or "-".'],
    [{ sequence: -1 }, 'changeover: the option "sequence" is -1; it must be a whole number from 0 to 9007199254740991.'],
    [{ sequence: NaN }, 'changeover: the option "sequence" is NaN; it must be a whole number from 0 to 9007199254740991.'],
    [{ urgency: 'asap' }, 'changeover: the option "urgency" is "asap"; it must be "routine", "soon" or "now".'],
    [{ message: 'x'.repeat(501) }, 'changeover: the option "message" has 501 characters; it may have 500.'],
    [{ epoch: 1.5 }, 'changeover: the option "epoch" is 1.5; it must be a whole number from 1.'],
    [{ loader: 'none' }, 'changeover: the option "loader" is "none"; it must be "file" or "inline".'],
  ]) {
    assert.throws(() => changeover(options), { message: sentence, code: 'badOption' });
  }
});
