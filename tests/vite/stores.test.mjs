import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CLI, PACKAGE, ROOT, VITES, build, change, changeover, edit, failureOf, integrityOf, makeApp, makeLogger, readOutput, tagOf, until } from './support.mjs';

/** @import { Vite } from '../vite/support.mjs' */

const FILE = 'changeover.stores.json';
/** What the command line is held to as well. */
const CASES = JSON.parse(readFileSync(join(ROOT, 'crates/cli/tests/stores.json'), 'utf8'));

test('the option is checked in the words of the command line', () => {
  const objects = CASES.filter((/** @type {{text: string}} */ { text }) => {
    try {
      return JSON.parse(text) !== null;
    } catch {
      return false;
    }
  });
  assert.ok(objects.length > 15);
  for (const { text, sentence } of objects) {
    const make = () => changeover({ stores: JSON.parse(text) });
    if (sentence) assert.throws(make, { code: 'badStores', message: `changeover: the option "stores" ${sentence}.` }, text);
    else make();
  }
  assert.throws(() => changeover({ stores: null }), { code: 'badStores' });
  assert.throws(() => changeover({ stores: { cart: { schema: undefined } } }), { message: /gives the store "cart" no schema/ });
  assert.throws(() => changeover({ stores: { cart: { schema: NaN } } }), { message: /gives the store "cart" the schema NaN/ });
  assert.throws(() => changeover({ stores: 3 }), { code: 'badOption', message: 'changeover: the option "stores" is 3; it must be a string or an object.' });
});

test('a file is checked in the words of the command line', async (t) => {
  const [{ vite }] = VITES;
  const root = makeApp(t);
  for (const { text, stores, sentence } of CASES) {
    writeFileSync(join(root, FILE), text);
    const result = resolved(vite, root, {});
    if (!sentence) {
      assert.deepEqual(await result, undefined);
      assert.deepEqual((await build(vite, root)).manifest.stores, stores, text);
      continue;
    }
    const error = await failureOf(result);
    assert.equal(error.code, 'badStores');
    const start = `changeover: "${join(root, FILE)}" ${sentence}`;
    if (sentence.endsWith('…')) assert.ok(error.message.startsWith(start.slice(0, -1)), error.message);
    else assert.equal(error.message, `${start}.`);
  }
});

for (const { name, vite } of VITES) {
  test(`${name}: stores come from the option, from the file it names or from the file in the root`, async (t) => {
    const root = makeApp(t, { [FILE]: '{ "root": { "schema": 1 } }', 'config/s.json': '{ "named": { "schema": 2, "reads": [1] } }' });
    const storesOf = async (/** @type {object} */ options) => (await build(vite, root, { options })).manifest.stores;
    assert.deepEqual(await storesOf({}), { root: { schema: 1, reads: [1] } });
    assert.deepEqual(await storesOf({ stores: 'config/s.json' }), { named: { schema: 2, reads: [1, 2] } });
    assert.deepEqual(await storesOf({ stores: join(root, 'config/s.json') }), { named: { schema: 2, reads: [1, 2] } });
    assert.deepEqual(await storesOf({ stores: { b: { schema: 3, reads: [3, 1] }, a: { schema: 1 } } }), { a: { schema: 1, reads: [1] }, b: { schema: 3, reads: [1, 3] } });
    assert.deepEqual(await storesOf({ stores: {} }), {});
    change(root, { [FILE]: null });
    assert.deepEqual(await storesOf({}), {});
  });

  test(`${name}: a file that cannot be used stops the build before it writes anything`, async (t) => {
    const root = makeApp(t, { [FILE]: '{ "cart": {} }' });
    assert.equal((await failureOf(build(vite, root))).code, 'badStores');
    const missing = await failureOf(build(vite, root, { options: { stores: 'gone.json' } }));
    assert.deepEqual([missing.code, missing.message], ['storesMissing', `changeover: there is no file "${join(root, 'gone.json')}" that would say what the stores are.`]);
    const folder = await failureOf(build(vite, root, { options: { stores: 'src' } }));
    assert.deepEqual([folder.code, folder.message.startsWith(`changeover: "${join(root, 'src')}" cannot be read: `)], ['badStores', true]);
    assert.throws(() => readOutput(join(root, 'dist')), { code: 'ENOENT' });
  });

  test(`${name}: what the stores are is part of what a build is, and the file about them is not`, async (t) => {
    const root = makeApp(t);
    const idOf = async (/** @type {object | undefined} */ stores) => (await build(vite, root, { options: { stores } })).manifest.id;
    const without = await idOf(undefined);
    assert.equal(await idOf({}), without);
    const two = await idOf({ cart: { schema: 2, reads: [1] } });
    assert.notEqual(two, without);
    assert.equal(await idOf({ cart: { reads: [2, 1], schema: 2 } }), two);
    assert.notEqual(await idOf({ cart: { schema: 2 } }), two);

    change(root, { [`public/${FILE}`]: '{ "cart": { "schema": 2, "reads": [1] } }' });
    const { manifest, files } = await build(vite, root);
    assert.ok(files.has(FILE) && !(FILE in manifest.chunks));
    assert.deepEqual([manifest.id, manifest.stores], [without, {}]);
  });

  test(`${name}: a change of the file is a new build in watch mode`, async (t) => {
    const root = makeApp(t, { [FILE]: '{ "cart": { "schema": 1 } }' });
    const out = join(root, 'dist');
    const { logger, messages } = makeLogger(vite);
    const watcher = await vite.build({ root, configFile: false, customLogger: logger, plugins: [changeover()], build: { outDir: out, watch: {} } });
    t.after(() => /** @type {{close(): Promise<void>}} */ (watcher).close());
    const described = (/** @type {number} */ count) => until(() => messages.info.filter((text) => text.startsWith('changeover: build')).length >= count, () => messages);
    await described(1);
    change(root, { [FILE]: '{ "cart": { "schema": 2, "reads": [1] } }' });
    await described(2);
    const { manifest } = readOutput(out);
    assert.deepEqual(manifest.stores, { cart: { schema: 2, reads: [1, 2] } });
    assert.deepEqual(messages.error, []);
  });

  test(`${name}: publish keeps the stores of the plugin and refuses what open tabs could not follow`, async (t) => {
    const root = makeApp(t);
    const site = join(root, 'site');
    const publish = async (/** @type {string} */ text, /** @type {object} */ stores, /** @type {string[]} */ ...more) => {
      edit(root, 'src/routes/about.js', /** @type {RegExpExecArray} */ (/'about[^']*'/.exec(readFileSync(join(root, 'src/routes/about.js'), 'utf8')))[0], `'about ${text}'`);
      const { manifest, out } = await build(vite, root, { options: { stores } });
      const { status, stdout } = spawnSync(CLI, ['publish', out, '--to', site, '--json', ...more], { encoding: 'utf8' });
      return { manifest, status, said: JSON.parse(stdout) };
    };
    const first = await publish('one', { cart: { schema: 1 } });
    const refused = await publish('two', { cart: { schema: 2 } });
    assert.deepEqual([first.status, refused.status, refused.said.error.code], [0, 1, 'store-gap']);
    assert.match(refused.said.error.message, new RegExp(`tabs of build ${first.manifest.id} hold the store "cart" in schema 1, .* keep the step from 1 in \`migrations\` and list 1 in \`reads\``));
    const second = await publish('two', { cart: { schema: 2, reads: [1] } });
    assert.equal(second.status, 0, JSON.stringify(second.said));
    const published = JSON.parse(/** @type {string} */ (/** @type {unknown} */ (readFileSync(join(site, `changeover/builds/${second.manifest.id}.json`)))));
    assert.deepEqual(published.stores, { cart: { schema: 2, reads: [1, 2] } });
    const forced = await publish('three', { cart: { schema: 3, reads: [2] } }, '--allow-store-gap');
    assert.ok(forced.status === 0 && forced.said.notes.some((/** @type {{code: string}} */ { code }) => code === 'store-gap'), JSON.stringify(forced.said));
  });

  test(`${name}: what stores need joins the output, and the tag says where it is`, async (t) => {
    for (const loader of ['file', 'inline']) {
      const { html, files, manifest } = await build(vite, makeApp(t), { base: '/app/', options: { loader } });
      const tag = tagOf(html());
      /** @type {[attribute: string, file: string, address: RegExp, id: string][]} */
      const parts = [['data-stores', 'stores-slim.js', /^\/app\/assets\/changeover-stores-[0-9a-f]{10}\.js$/, 'changeover/stores'], ['data-stores-wasm', 'stores.wasm', /^\/app\/assets\/changeover-stores-[0-9a-f]{10}\.wasm$/, 'changeover/stores-wasm']];
      for (const [attribute, file, address, id] of parts) {
        assert.match(tag[attribute], address);
        const path = tag[attribute].slice('/app/'.length);
        assert.equal(integrityOf(files.get(path)), integrityOf(readFileSync(join(PACKAGE, file))));
        assert.deepEqual([manifest.chunks[path].id, manifest.chunks[path].owner], [id, 'shell']);
        assert.ok(!manifest.entries.includes(path));
      }
    }
  });

  test(`${name}: the package's import of its stores becomes one of the file that the page names`, async (t) => {
    const root = makeApp(t, {
      'copy/package.json': '{ "name": "changeover", "type": "module" }',
      'copy/index.js': "export const open = async (page) => (await import('./stores.js')).createStores(page);\n",
      'copy/stores.js': "export const createStores = () => 'INLINED IN THE PACKAGE';\n",
      'src/stores.js': "export const mine = 'STORES OF THE APP';\n",
      'src/main.js': "import { open } from '../copy/index.js';\nimport { mine } from './stores.js';\nglobalThis.opened = { open, mine };\n",
    });
    const { files, manifest } = await build(vite, root);
    const own = [...files].filter(([path]) => path.endsWith('.js') && !manifest.chunks[path]?.id.startsWith('changeover/')).map(([, bytes]) => bytes.toString());
    assert.ok(!own.some((code) => code.includes('INLINED IN THE PACKAGE')));
    assert.ok(own.some((code) => code.includes('STORES OF THE APP')));

    const [entry] = manifest.entries;
    /** @type {{document: unknown}} */ (globalThis).document = { getElementById: () => ({}), querySelector: () => null, querySelectorAll: () => [], createElement: () => ({ relList: { supports: () => true } }) };
    t.after(() => void (delete /** @type {{document?: unknown}} */ (globalThis).document, delete /** @type {{opened?: unknown}} */ (globalThis).opened));
    writeFileSync(join(root, 'dist/package.json'), '{ "type": "module" }');
    await import(join(root, 'dist', entry));
    const { open, mine } = /** @type {any} */ (globalThis.opened);
    assert.equal(mine, 'STORES OF THE APP');
    await assert.rejects(open({ options: {} }), { message: 'this page has no changeover script tag and no option "stores"' });
    const page = { options: { stores: `data:text/javascript,${encodeURIComponent('export const createStores = (page) => ({ of: page });')}` } };
    assert.equal((await open(page)).of, page);
  });
}

/**
 * Settles when Vite has taken the configuration, or not.
 *
 * @param {Vite} vite
 * @param {string} root
 * @param {object} options
 */
async function resolved(vite, root, options) {
  await vite.resolveConfig({ root, configFile: false, logLevel: 'silent', plugins: [changeover(options)] }, 'build');
}
