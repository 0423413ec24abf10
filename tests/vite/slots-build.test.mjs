// What changes from build to build when an app has slots.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VITES, edit, fileOf } from './support.mjs';
import { codeOf, listIn, twice } from './slots-support.mjs';

/** @import { ManifestFile } from '../e2e/types.d.ts' */

for (const { name, vite } of VITES) {
  test(`${name}: a change of one slot changes its own file and nothing else`, async (t) => {
    const { before, after, changed } = await twice(t, vite, 'plain', (root) => edit(root, 'src/Cart.js', "textContent: 'cart'", "textContent: 'basket'"));
    assert.deepEqual(changed, ['src/Cart.js']);
    const file = after.manifest.slots.cart.file;
    assert.ok(after.manifest.chunks[file].size < 1500);
    assert.equal(before.manifest.html, after.manifest.html);
    assert.deepEqual(after.manifest.slots, { ...before.manifest.slots, cart: { file, kind: 'module', schema: 2 } });
    assert.notEqual(before.manifest.id, after.manifest.id);
    assert.equal(listIn(after.html()).build, after.manifest.id);
  });

  test(`${name}: a change of what slots share changes it and them, and not the shell`, async (t) => {
    const { before, after, changed } = await twice(t, vite, 'plain', (root) => edit(root, 'src/widget.js', '[${text}]', '(${text})'));
    assert.deepEqual(changed, ['chunk:widget', 'src/Cart.js', 'src/Help.js']);
    const code = (/** @type {{manifest: ManifestFile}} */ { manifest }, /** @type {string} */ id) => manifest.chunks[fileOf(manifest, id)].code;
    assert.equal(code(before, 'src/Cart.js'), code(after, 'src/Cart.js'));
    assert.notEqual(code(before, 'chunk:widget'), code(after, 'chunk:widget'));
    assert.equal(before.manifest.html, after.manifest.html);
  });

  test(`${name}: a change of the shell changes no slot`, async (t) => {
    const { changed } = await twice(t, vite, 'plain', (root) => edit(root, 'src/main.js', "'Shop'", "'Store'"));
    assert.deepEqual(changed, ['index.html']);
  });

  test(`${name}: a change of the shell's style alone renames its script, whose bytes stay`, async (t) => {
    const { before, after, changed } = await twice(t, vite, 'plain', (root) => edit(root, 'src/main.css', '1, 2', '2, 1'));
    assert.deepEqual(changed, ['index.html', 'index.html#style']);
    const [was, is] = [before, after].map(({ manifest }) => manifest.chunks[manifest.entries[0]]);
    assert.deepEqual([is.integrity, is.code], [was.integrity, was.code]);
    assert.equal(after.manifest.html, before.manifest.html);
  });

  test(`${name}: a change inside a slot of a slot changes that one alone`, async (t) => {
    const { changed } = await twice(t, vite, 'plain', (root) => edit(root, 'src/Tip.js', "'tip'", "'hint'"));
    assert.deepEqual(changed, ['src/Tip.js']);
  });

  test(`${name}: a new style of a slot changes the slot and not the document`, async (t) => {
    const { before, after, changed } = await twice(t, vite, 'plain', (root) => {
      edit(root, 'src/Tip.js', 'export', "import './Cart.css';\nexport");
    });
    assert.ok(!changed.includes('index.html'), changed.join());
    assert.equal(before.manifest.html, after.manifest.html);
    assert.equal(listIn(before.html()).slots.tip.css, undefined);
    assert.equal(listIn(after.html()).slots.tip.css.length, 1);
  });

  test(`${name}: a slot that begins to use another export of a pinned module changes alone; of one that is not pinned, the shell changes too`, async (t) => {
    const use = (/** @type {string} */ root) => {
      edit(root, 'src/Cart.js', 'import { count }', 'import { count, first }');
      edit(root, 'src/Cart.js', "textContent: 'cart'", 'textContent: `cart of ${first()}`');
    };
    const loose = await twice(t, vite, 'plain', use);
    assert.ok(loose.changed.includes('index.html') || loose.changed.includes('chunk:store'), loose.changed.join());
    const { after, changed } = await twice(t, vite, 'plain', use, { options: { pinned: ['./src/store.js'] } });
    assert.deepEqual(changed, ['src/Cart.js']);
    const store = after.manifest.chunks[fileOf(after.manifest, 'src/store.js')];
    assert.deepEqual([store.owner, store.exports], ['pinned', ['count', 'first', 'store']]);
  });

  test(`${name}: owners, exports and schemas say what holds what`, async (t) => {
    const { before: { manifest }, before } = await twice(t, vite, 'plain', () => {}, { options: { pinned: ['./src/store.js'] } });
    const owners = Object.fromEntries(Object.values(manifest.chunks).filter(({ id }) => !/^changeover\/|#facade/.test(id)).map(({ id, owner }) => [id, owner]));
    assert.deepEqual(owners, {
      'index.html': 'shell', 'index.html#style': 'shell', 'src/store.js': 'pinned', 'chunk:widget': 'slot', 'src/Cart.js': 'slot',
      'src/Cart.js#style': 'slot', 'src/Help.js': 'slot', 'src/Tip.js': 'slot', 'src/dot.svg': 'slot', 'src/mark.svg': 'slot',
    });
    assert.equal(manifest.chunks[fileOf(manifest, 'changeover/slots')].owner, 'pinned');
    assert.deepEqual(manifest.entries, [fileOf(manifest, 'index.html')]);
    assert.deepEqual(manifest.chunks[manifest.slots.cart.file].exports, ['mount', 'schema']);
    assert.deepEqual(Object.entries(manifest.slots).map(([id, { kind, schema }]) => [id, kind, schema]), [['cart', 'module', 2], ['help', 'module', undefined], ['tip', 'module', undefined]]);
    assert.deepEqual([...manifest.chunks[manifest.slots.cart.file].assets].sort(), ['src/dot.svg', 'src/mark.svg'].map((id) => fileOf(manifest, id)));
    for (const id of ['index.html', 'changeover/slots']) for (const { file } of Object.values(manifest.slots)) assert.ok(!codeOf(before, id).includes(/** @type {string} */ (file.split('/').at(-1))), `${id} names ${file}`);
  });

  test(`${name}: a slot that another slot also imports is one module for both, and its change reaches both`, async (t) => {
    const { after, changed } = await twice(t, vite, 'plain', (root) => edit(root, 'src/Tip.js', "'tip'", "'hint'"), {
      before: (root) => edit(root, 'src/Cart.js', 'import mark', "import tip from './Tip.js';\nwindow.tip = tip;\nimport mark"),
    });
    assert.ok(changed.includes('src/Cart.js') && changed.includes('src/Tip.js') && !changed.includes('index.html') && !changed.includes('src/Help.js'), changed.join());
    const texts = [...after.files].filter(([path]) => path.endsWith('.js')).map(([, bytes]) => bytes.toString());
    assert.equal(texts.filter((text) => /['"`]hint['"`]/.test(text)).length, 1);
    const { chunks, slots: { tip } } = after.manifest;
    assert.equal(chunks[tip.file].owner, 'slot');
    assert.deepEqual(chunks[tip.file].exports, ['default']);
  });

  for (const [app, framework, routes] of /** @type {[string, RegExp, string][]} */ ([['react', /node_modules\/react\/|^chunk:react$/, 'jsx'], ['vue', /vue/, 'js']])) {
    test(`${name}: in an app with ${app} a change of a route changes one file, and of what routes share those of routes`, async (t) => {
      const home = `src/routes/Home.${routes}`;
      const one = await twice(t, vite, app, (root) => edit(root, home, 'home', 'start'));
      assert.deepEqual(one.changed, [home]);
      assert.deepEqual(Object.keys(one.after.manifest.slots), [`src/routes/About.${routes}`, home]);
      const shared = await twice(t, vite, app, (root) => edit(root, .../** @type {[string, string, string]} */ (app === 'react' ? ['src/card.jsx', 'card"', 'panel"'] : ['src/frame.js', "'frame'", "'panel'"])));
      assert.equal(shared.changed.length, 3, shared.changed.join());
      assert.ok(!shared.changed.includes('index.html') && !shared.changed.some((id) => framework.test(id)), shared.changed.join());
    });
  }

  test(`${name}: React pinned is one file that routes and shell share, and a route may use another hook`, async (t) => {
    const options = { slots: 'auto', pinned: ['react', 'react/jsx-runtime', './src/store.js'] };
    const { after, changed } = await twice(t, vite, 'react', (root) => {
      edit(root, 'src/routes/Home.jsx', 'React.useState(0)', 'React.useReducer((_, next) => next, 0)');
      edit(root, 'src/routes/Home.jsx', 'import { useUser }', 'import { useCity as useUser }');
    }, { options });
    assert.deepEqual(changed, ['src/routes/Home.jsx']);
    const pinned = Object.values(after.manifest.chunks).filter(({ owner }) => owner === 'pinned').map(({ id }) => id).filter((id) => !id.endsWith('#facade'));
    assert.ok(pinned.some((id) => id.includes('react/index.js')) && pinned.includes('src/store.js') && pinned.includes('changeover/slots'), pinned.join());
  });
}
