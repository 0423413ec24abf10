// What a build refuses, leaves alone or says about slots, and what the document then lists.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { CLI, VITES, build, edit, failureOf, fileOf, makeLogger, readOutput } from './support.mjs';
import { changed, codeOf, listIn, makeSlots } from './slots-support.mjs';

/** @import { TestContext } from 'node:test' */
/** @import { Changes, Config, Messages } from './support.mjs' */

const MAIN = (/** @type {string} */ calls) => `import { slot } from 'changeover/slots';\nimport { lazy } from 'react';\n${calls}\n`;
const HELLO = { 'src/A.js': "export const a = 'A';\n", 'src/B.js': "export const b = 'B';\n", 'src/lib/C.js': "export const c = 'C';\n" };

for (const { name, vite } of VITES) {
  /** The build of an app whose entry has these calls. */
  const of = (/** @type {TestContext} */ t, /** @type {string} */ calls, /** @type {Config & {changes?: Changes}} */ { options, changes = {}, ...more } = {}) => build(vite, makeSlots(t, 'plain', { ...HELLO, 'src/main.js': MAIN(calls).replace(/import { lazy.*\n/, (line) => (/\blazy\(/.test(calls) ? line : '')), ...changes }), { options, ...more });
  /** @type {(t: TestContext, calls: string, more?: Config & {changes?: Changes}) => Promise<{code: string | undefined, message: string}>} */
  const refused = async (t, calls, more) => {
    const error = await failureOf(of(t, calls, more));
    // Each bundler has its own way to wrap what a plugin throws.
    const errors = [error, ...(/** @type {{errors?: Error[]}} */ (error).errors ?? [])];
    return { code: errors.map((/** @type {Error & {code?: string, pluginCode?: string}} */ one) => one.pluginCode ?? one.code).find((code) => /^[a-z]/.test(code ?? '')), message: errors.map(({ message }) => message).join('\n') };
  };
  const said = (/** @type {{messages: Messages}} */ { messages }) => messages.warn.filter((/** @type {string} */ text) => text.startsWith('changeover:'));

  test(`${name}: a slot that the shell imports statically is refused with the way to it`, async (t) => {
    const { code, message } = await refused(t, "slot('a', () => import('./A.js')); import('./lazy.js');", { changes: { 'src/lazy.js': "import './deep.js';\n", 'src/deep.js': "import { a } from './A.js';\nconsole.log(a);\n" } });
    assert.equal(code, 'slotInShell');
    assert.ok(message.includes('the slot "a", "src/A.js", lives in the shell: "src/deep.js" imports it statically ("index.html" -> "src/main.js" -> "src/lazy.js" -> "src/deep.js").'), message);
  });

  test(`${name}: a slot that imports the entry is refused with the way to it`, async (t) => {
    const { code, message } = await refused(t, "export const user = 'ada'; slot('a', () => import('./A.js'));", { changes: { 'src/A.js': "import './deep.js';\n", 'src/deep.js': "import { user } from './main.js';\nconsole.log(user);\n" } });
    assert.equal(code, 'slotImportsEntry');
    assert.ok(message.includes('the slot "a" imports the entry of the app ("src/A.js" -> "src/deep.js" -> "src/main.js"); a swap would start the app again.'), message);
  });

  test(`${name}: an id is one module; a module may have several ids, and be loaded from several places`, async (t) => {
    const two = await refused(t, "slot('a', () => import('./A.js')); slot('a', () => import('./B.js'));");
    assert.equal(two.code, 'slotTwice');
    assert.match(two.message, /the slot "a" is "src\/A\.js" in "src\/main\.js" and "src\/B\.js" in "src\/main\.js"; a slot is one module\./);
    const choice = await refused(t, "slot('a', () => (window.x ? import('./A.js') : import('./B.js')));");
    assert.match(choice.message, /"src\/main\.js" loads the slot "a" from "src\/A\.js" or "src\/B\.js"; a slot is one module\./);
    const shared = await refused(t, "const load = () => import('./A.js'); slot('a', load); slot('b', load);");
    assert.match(shared.message, /"src\/main\.js" gives the slots "a" and "b" the same function/);
    const { manifest } = await of(t, "slot('a', () => import('./A.js')); slot('a', () => import('./A.js')); slot('b', () => import('./A.js')); import('./C.js');", { changes: { 'src/C.js': "import { slot } from 'changeover/slots';\nslot('a', () => import('./A.js'));\n" } });
    assert.deepEqual(Object.keys(manifest.slots), ['a', 'b']);
    assert.equal(manifest.slots.a.file, manifest.slots.b.file);
  });

  test(`${name}: an id that is no plain text is refused`, async (t) => {
    const { code, message } = await refused(t, "slot(window.name, () => import('./A.js'));");
    assert.equal(code, 'slotId');
    assert.match(message, /"src\/main\.js" calls slot\(\) with an id that is only known at run time; the id must be a plain text/);
    assert.match((await refused(t, "slot('', () => import('./A.js'));")).message, /"src\/main\.js" names a slot ""; an id is 1 to 200 characters of plain text\./);
  });

  test(`${name}: odd ids and names arrive as they are`, async (t) => {
    const id = 'a"</script><!-- \\ 漢字 $& \' *';
    const built = await of(t, `slot(${JSON.stringify(id)}, () => import('./ü – x.js'));`, { changes: { 'src/ü – x.js': 'export default 1;\n' } });
    assert.deepEqual(Object.keys(built.manifest.slots), [id]);
    assert.deepEqual(Object.keys(listIn(built.html()).slots), [id]);
    assert.equal(listIn(built.html()).build, built.manifest.id);
  });

  test(`${name}: what cannot be seen through stays an import, and a note says so`, async (t) => {
    const built = await of(t, "const load = window.load ?? (() => import('./A.js')); slot('a', load); const at = (path) => import(/* @vite-ignore */ path); at('x');");
    assert.deepEqual(built.manifest.slots, {});
    assert.equal(listIn(built.html()), null);
    assert.deepEqual(said(built), ['changeover: "src/main.js" loads the slot "a" by something other than () => import(\'./Module.js\'), so it will not be swapped.']);
  });

  test(`${name}: another import() of a slot is said to tie it to the shell, and a pattern takes it in`, async (t) => {
    const calls = "slot('a', () => import('./A.js')); window.prefetch = () => import('./A.js');";
    const built = await of(t, calls);
    assert.deepEqual(said(built), ['changeover: "src/main.js" also imports "src/A.js", the slot "a", by an import() of its own, so every change of it changes the shell; name it in the option slots: { "a": "src/A.js" }.']);
    const fixed = await of(t, calls, { options: { slots: { a: 'src/A.js' } } });
    assert.deepEqual(said(fixed), []);
    assert.ok(!codeOf(fixed, 'index.html').includes('import('));
  });

  test(`${name}: patterns also take in the imports of globs and of paths with variables`, async (t) => {
    const { manifest, ...built } = await of(t, "window.all = import.meta.glob('./lib/*.js'); window.one = (name) => import(`./lib/${name}.js`);", { options: { slots: { 'lib:*': 'src/lib/*.js' } } });
    assert.deepEqual(Object.keys(manifest.slots), ['lib:C']);
    // A hash may have these two characters, too.
    assert.doesNotMatch(codeOf({ manifest, ...built }, 'index.html'), /\bC-[\w-]{8}\.js/, 'the entry names no file of a slot');
  });

  test(`${name}: lazy() of an adapter gets the id after its own arguments, with or without a comma there`, async (t) => {
    const adapter = { 'node_modules/kit/package.json': '{ "name": "kit", "type": "module", "exports": "./index.js" }', 'node_modules/kit/index.js': 'export const lazy = (...given) => (window.given ??= []).push(given);\n' };
    const built = await build(vite, makeSlots(t, 'plain', {
      ...HELLO, ...adapter,
      'src/main.js': "import { lazy } from 'changeover/react';\nlazy(() => import('./A.js'));\nlazy((() => import('./B.js')), /* , */);\nlazy(() => import('./lib/C.js'), { delay: 1 } // ,\n);\n",
    }), { options: { slots: { 'lib:*': 'src/lib/*.js' } }, resolve: { alias: { 'changeover/react': 'kit' } }, build: { minify: false } });
    const code = codeOf(built, 'index.html');
    const calls = code.replace(/\/\*.*?\*\/|\s+/g, '');
    for (const call of ['lazy(()=>load("src/A.js"),"src/A.js")', 'lazy((()=>load("src/B.js")),"src/B.js")', 'lazy(()=>load("lib:C"),{delay:1},"lib:C")']) assert.ok(calls.includes(call), calls);
  });

  test(`${name}: a slot may begin to use more of an adapter that the shell uses`, async (t) => {
    const root = makeSlots(t, 'react', {
      'src/main.jsx': "import { createRoot } from 'react-dom/client';\nimport { lazy } from 'changeover/react';\nconst Home = lazy(() => import('./routes/Home.jsx'));\ncreateRoot(document.getElementById('app')).render(<Home />);\n",
      'src/routes/Home.jsx': "import { useState } from 'react';\nexport default () => useState('home')[0];\n",
    });
    const config = { ...(name === 'Vite 7' ? { esbuild: { jsx: 'automatic' } } : {}), resolve: { dedupe: ['react', 'react-dom'] } };
    const before = await build(vite, root, { ...config, out: join(root, 'out-1') });
    edit(root, 'src/routes/Home.jsx', "import", "import { useSlotState } from 'changeover/react';\nimport");
    edit(root, 'src/routes/Home.jsx', "useState('home')", "useSlotState('text', useState('home')[0])");
    const after = await build(vite, root, { ...config, out: join(root, 'out-2') });
    assert.deepEqual(Object.keys(before.manifest.slots), ['src/routes/Home.jsx']);
    assert.deepEqual(changed(before, after), ['src/routes/Home.jsx']);
    assert.equal(after.manifest.chunks[fileOf(after.manifest, 'changeover/react')].owner, 'pinned');
  });

  test(`${name}: a slot that holds the root of a React app brings its own code alone, and no renderer`, async (t) => {
    const root = makeSlots(t, 'react', {
      'src/main.jsx': "import { slot } from 'changeover/slots';\nslot('app', () => import('./root.jsx')).mount(document.getElementById('app'));\n",
      'src/root.jsx': "import { createRoot } from 'react-dom/client';\nimport { useSlotState } from 'changeover/react';\nconst App = () => useSlotState('text', 'home')[0];\nexport const mount = (place) => createRoot(place).render(<App />);\n",
    });
    const config = { ...(name === 'Vite 7' ? { esbuild: { jsx: 'automatic' } } : {}), resolve: { dedupe: ['react', 'react-dom'] } };
    const before = await build(vite, root, { ...config, out: join(root, 'out-1') });
    edit(root, 'src/root.jsx', "'home'", "'start'");
    const after = await build(vite, root, { ...config, out: join(root, 'out-2') });
    assert.deepEqual(changed(before, after), ['src/root.jsx']);
    assert.ok(after.manifest.chunks[after.manifest.slots.app.file].size < 2_000, `${after.manifest.chunks[after.manifest.slots.app.file].size} bytes`);
  });

  test(`${name}: a module that has the name of the call already keeps it`, async (t) => {
    const built = await of(t, "const __changeover_load = 'mine'; window.mine = __changeover_load; window.a = slot('a', () => import('./A.js'));", { build: { minify: false } });
    assert.match(codeOf(built, 'index.html'), /window\.mine = (__changeover_load|"mine");/);
    assert.match(codeOf(built, 'index.html'), /slot\("a", \(\) => (?!__changeover_load\()\w+\("a"\)\)/);
    assert.deepEqual(Object.keys(built.manifest.slots), ['a']);
  });

  test(`${name}: workers, server builds, library builds and scripts with other queries are left alone`, async (t) => {
    const changes = { 'src/work.js': "import('./A.js').then(({ a }) => postMessage(a));\n", 'src/server.js': "import { slot } from 'changeover/slots';\nexport const a = slot('a', () => import('./A.js'));\n" };
    const calls = "new Worker(new URL('./work.js', import.meta.url), { type: 'module' }); import('./A.js?raw'); import('./B.js?url');";
    const built = await of(t, calls, { changes, options: { slots: { '*': 'src/*.js' } }, worker: { format: 'es' } });
    assert.deepEqual(built.manifest.slots, {});
    for (const buildOptions of [{ ssr: 'src/server.js' }, { lib: { entry: 'src/server.js', formats: ['es'], fileName: 'lib' } }]) {
      const root = makeSlots(t, 'plain', { ...HELLO, ...changes });
      const plain = await build(vite, root, { without: true, build: buildOptions, ssr: { noExternal: true } });
      const { files } = await build(vite, root, { options: { slots: 'auto' }, build: buildOptions, ssr: { noExternal: true } });
      assert.deepEqual([...files], [...plain.files]);
    }
  });

  test(`${name}: output that cannot have slots keeps its imports and says why`, async (t) => {
    const calls = "window.a = slot('a', () => import('./A.js'));";
    const one = await of(t, calls, { build: { rollupOptions: { output: { format: 'iife', inlineDynamicImports: true } } } });
    assert.deepEqual(said(one), ['changeover: slots are left as they are, since the output format is "iife"; only ES modules can be swapped.']);
    const off = await of(t, calls, { options: { slots: false } });
    assert.deepEqual([said(off), off.manifest.slots], [[], {}]);
    assert.ok(codeOf(off, 'index.html').includes('import('));
    const root = makeSlots(t, 'plain', { ...HELLO, 'src/main.js': MAIN(calls).replace(/.*react.*\n/, '') });
    const bare = await build(vite, root, { build: { rollupOptions: { input: join(root, 'src/main.js') } } });
    assert.ok(said(bare).some((/** @type {string} */ text) => text.includes('slots are left as they are, since this build has no HTML file')), said(bare).join());
    if (name === 'Vite 8') {
      const mapped = await of(t, calls, { build: { chunkImportMap: true } });
      assert.match(said(mapped)[0], /since build\.chunkImportMap gives new files to code that runs already/);
    }
  });

  test(`${name}: a pattern that no import leads to is said to make no slot`, async (t) => {
    const built = await of(t, "slot('a', () => import('./A.js'));", { options: { slots: [{ 'route:*': 'src/routs/*.js' }, { a: 'src/A.js' }] } });
    assert.deepEqual(said(built), ['changeover: no import() leads to "src/routs/*.js", so there is no slot "route:*".']);
  });

  test(`${name}: an app with a server part has slots in its client alone`, async (t) => {
    const root = makeSlots(t, 'plain', { 'vite.config.js': "import changeover from 'changeover/vite';\nexport default { plugins: [changeover()] };\n", 'src/server.js': "import { slot } from 'changeover/slots';\nexport const tip = slot('tip', () => import('./Tip.js'));\n" });
    const { logger } = makeLogger(vite);
    const builder = await vite.createBuilder({
      root, customLogger: logger, logLevel: 'warn',
      environments: { client: { build: { outDir: 'dist/client', assetsInlineLimit: 0 } }, ssr: { build: { ssr: 'src/server.js', outDir: 'dist/server' } } },
    });
    for (const part of Object.values(builder.environments)) await builder.build(part);
    const { manifest, files } = readOutput(join(root, 'dist/client'));
    assert.ok(manifest, [...files.keys()].join());
    assert.deepEqual(Object.keys(manifest.slots), ['cart', 'help', 'tip']);
    const server = readOutput(join(root, 'dist/server'));
    const [entry] = /** @type {[string, Buffer]} */ ([...server.files].find(([path]) => path.startsWith('server')));
    assert.match(server.files.get(entry).toString(), /import\("\.\/assets\/Tip-[\w-]+\.js"\)/);
    assert.equal(server.manifest, null);
  });

  test(`${name}: a build says what its deploy would mean, in the words of the program`, async (t) => {
    const root = makeSlots(t);
    const logs = [];
    const options = { compareWith: 'dist' };
    logs.push((await build(vite, root, { options })).messages);
    const before = (await build(vite, root)).manifest;
    edit(root, 'src/Tip.js', "'tip'", "'hint'");
    const { messages, manifest } = await build(vite, root, { options });
    const files = [before, manifest].map((build) => {
      writeFileSync(join(root, `${build.id}.json`), JSON.stringify(build));
      return join(root, `${build.id}.json`);
    });
    const { stdout } = spawnSync(CLI, ['diff', ...files], { encoding: 'utf8' });
    assert.ok(logs[0].info.some((text) => /^changeover: there is no earlier build in ".*dist" to compare with\.$/.test(text)), logs[0].info.join());
    assert.deepEqual(messages.info.slice(messages.info.findIndex((text) => text.startsWith('changeover: build')) + 1), stdout.trim() ? [stdout.trim()] : []);
  });

  test(`${name}: a module to pin that is not there is named`, async (t) => {
    const { code, message } = await refused(t, "slot('a', () => import('./A.js'));", { options: { pinned: ['./src/gone.js'] } });
    assert.equal(code, 'pinnedMissing');
    assert.ok(message.includes('the option "pinned" names "./src/gone.js", which does not exist'), message);
  });

  test(`${name}: a schema is taken from the module, from the option, and not from what is no number`, async (t) => {
    const built = await of(t, "slot('a', () => import('./A.js')); slot('b', () => import('./B.js')); slot('c', () => import('./lib/C.js'));", {
      options: { slots: { a: { module: 'src/A.js', schema: 9 }, b: { module: 'src/B.js', schema: 5 } } },
      changes: { 'src/A.js': 'const schema = 4;\nexport { schema };\n', 'src/lib/C.js': 'export const schema = Number("3");\n' },
    });
    assert.deepEqual(Object.values(built.manifest.slots).map(({ schema }) => schema), [4, 5, undefined]);
    assert.deepEqual(said(built), ['changeover: the schema that "src/lib/C.js" exports is not a plain number, as in "export const schema = 2", so no build can know it.']);
  });

  test(`${name}: the list says where the files are, whatever the base, and which scripts come with them`, async (t) => {
    const list = async (/** @type {{build?: object, more?: object}} */ config) => {
      const root = makeSlots(t, 'plain', { 'shop/eu/index.html': '<!doctype html><head></head><script type="module" src="/src/main.js"></script>' });
      const built = await build(vite, root, { build: { rollupOptions: { input: { main: join(root, 'index.html'), eu: join(root, 'shop/eu/index.html') } }, ...config.build }, ...config.more });
      return ['index.html', 'shop/eu/index.html'].map((page) => ({ ...listIn(built.html(page)), built }));
    };
    const [main, eu] = await list({});
    assert.deepEqual([main.base, eu.base], ['/', '/']);
    const { built, slots: { cart } } = main;
    const widget = fileOf(built.manifest, 'chunk:widget');
    assert.deepEqual(Object.keys(cart), ['file', 'css', 'deps']);
    assert.ok(cart.deps.includes(widget) && cart.css.length === 1);
    for (const file of [cart.file, ...cart.css, ...cart.deps]) assert.ok(existsSync(join(built.out, file)), file);
    const shell = built.manifest.chunks[built.manifest.entries[0]].imports;
    assert.ok(cart.deps.every((/** @type {string} */ file) => !shell.includes(file)), 'what the shell has is not asked for again');

    const relative = await list({ more: { base: './' } });
    assert.deepEqual(relative.map(({ base }) => base), ['./', '../../']);
    const [cdn] = await list({ more: { experimental: { renderBuiltUrl: (/** @type {string} */ file) => `https://cdn.example/x/${file}` } } });
    assert.equal(cdn.base, 'https://cdn.example/x/');
    const [none] = await list({ build: { modulePreload: false } });
    assert.equal(none.slots.cart.deps, undefined);
    const [some] = await list({ build: { modulePreload: { resolveDependencies: (/** @type {string} */ _file, /** @type {string[]} */ deps) => deps.filter((dep) => !dep.includes('widget')) } } });
    assert.ok(!(some.slots.cart.deps ?? []).some((/** @type {string} */ file) => file.includes('widget')));
    const error = await failureOf(list({ more: { experimental: { renderBuiltUrl: (/** @type {string} */ file) => (file.includes('Cart') ? `https://a.example/${file}` : `https://b.example/${file}`) } } }));
    assert.match([error, ...(/** @type {{errors?: Error[]}} */ (error).errors ?? [])].map(({ message }) => message).join(), /gives the files of slots different addresses, such as "https:\/\/a\.example\/" and "https:\/\/b\.example\/"/);
  });

  test(`${name}: with all styles in one file the slots have none of their own`, async (t) => {
    const built = await build(vite, makeSlots(t), { build: { cssCodeSplit: false } });
    assert.ok(Object.values(listIn(built.html()).slots).every(({ css }) => css === undefined));
    assert.match(/** @type {[string, Buffer]} */ ([...built.files].find(([path]) => path.endsWith('.css')))[1].toString(), /\.cart/);
  });

  test(`${name}: the files of slots are named like chunks, whatever entries are named; without a hash in their names there are none`, async (t) => {
    const output = { entryFileNames: 'js/[name].js', chunkFileNames: 'js/[name]-[hash].js' };
    const built = await build(vite, makeSlots(t), { build: { rollupOptions: { output } } });
    assert.deepEqual(built.manifest.entries, ['js/index.js']);
    assert.match(built.manifest.slots.cart.file, /^js\/Cart-[\w-]{6,}\.js$/);
    const bare = await build(vite, makeSlots(t), { build: { rollupOptions: { output: { chunkFileNames: 'js/[name].js' } } } });
    assert.deepEqual([said(bare), bare.manifest.slots], [['changeover: slots are left as they are, since new files would have the names of old ones with the chunkFileNames "js/[name].js", which has no [hash].'], {}]);
  });

  test(`${name}: a document that loses its list fails the build`, async (t) => {
    const late = { name: 'html', enforce: 'post', generateBundle: { order: 'post', handler: (/** @type {unknown} */ _options, /** @type {Record<string, {source: unknown}>} */ bundle) => void (bundle['index.html'].source = String(bundle['index.html'].source).replace(/<script type="application\/json"[^]*?<\/script>/, '')) } };
    const error = await failureOf(build(vite, makeSlots(t), { plugins: [late] }));
    const report = { name: 'report', generateBundle() { /** @type {{emitFile(file: object): void}} */ (/** @type {unknown} */ (this)).emitFile({ type: 'asset', fileName: 'stats.html', source: '<p>stats' }); } };
    assert.ok((await build(vite, makeSlots(t), { plugins: [report] })).manifest.documents['stats.html'], 'a document of another plugin has no list to lose');
    assert.match(error.message, /"index\.html" has lost the list of its slots, <script id="changeover-slots">, to another plugin/);
  });

  test(`${name}: maps lead from the files of slots, and from the line that loads them, to the source`, async (t) => {
    const root = makeSlots(t);
    const built = await build(vite, root, { build: { sourcemap: true } });
    const originOf = (/** @type {string} */ file, /** @type {string} */ word) => {
      const code = built.files.get(file).toString();
      const map = new SourceMap(JSON.parse(/** @type {string} */ (/** @type {unknown} */ (built.files.get(`${file}.map`)))));
      const lines = code.slice(0, code.indexOf(word)).split('\n');
      const { originalSource, originalLine } = /** @type {import('node:module').SourceMapping} */ (map.findEntry(lines.length - 1, /** @type {string} */ (lines.at(-1)).length));
      return [originalSource.replace(/^.*\/src\//, 'src/'), originalLine + 1];
    };
    assert.deepEqual(originOf(built.manifest.entries[0], '"help"'.replaceAll('"', codeOf(built, 'index.html').includes('"help"') ? '"' : '`')), ['src/main.js', 5]);
    assert.deepEqual(originOf(built.manifest.entries[0], 'boots'), ['src/main.js', 10]);
    assert.deepEqual(originOf(built.manifest.slots.cart.file, 'addEventListener'), ['src/Cart.js', 17]);
    assert.deepEqual(originOf(built.manifest.slots.help.file, 'createElement'), ['src/Help.js', 8]);
  });

  test(`${name}: a watched build knows its slots again after a change of one of them`, async (t) => {
    const root = makeSlots(t);
    const { watchBuilds } = await import('./slots-watch.mjs');
    const rebuilt = await watchBuilds(t, vite, root);
    const first = await rebuilt(1);
    edit(root, 'src/Tip.js', "'tip'", "'hint'");
    const second = await rebuilt(2);
    assert.deepEqual(Object.keys(second.manifest.slots), Object.keys(first.manifest.slots));
    assert.notEqual(second.manifest.slots.tip.file, first.manifest.slots.tip.file);
    assert.equal(second.manifest.slots.cart.file, first.manifest.slots.cart.file);
  });
}
