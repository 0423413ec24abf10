import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { PACKAGE, ROOT } from './support.mjs';

const CONFIG = `import { defineConfig, type PluginOption } from 'vite';
import changeover, { type ChangeoverPluginOptions } from 'changeover/vite';

const options: ChangeoverPluginOptions = { app: 'shop', channel: 'stable', interval: 30_000, loader: 'inline', prompt: false, fields: true, stores: { cart: { schema: 3, reads: [1, 3] }, draft: { schema: 1 } } };
const plugin: PluginOption = changeover(options);
export default defineConfig({ plugins: [plugin, changeover(), changeover({ stores: 'stores.json' })] });
changeover({ slots: 'auto', pinned: ['react', './src/store.js'], compareWith: '../site' });
changeover({ slots: { 'route:*': 'src/routes/*.jsx', cart: { module: 'src/Cart.js', schema: 2 }, 'page:*': ['a/*.js', 'b/*.js'] } });
changeover({ slots: ['auto', { cart: 'src/Cart.js' }] });
changeover({ slots: false });

// @ts-expect-error: no other word
changeover({ slots: 'all' });
// @ts-expect-error: a schema is a number
changeover({ slots: { cart: { module: 'src/Cart.js', schema: '2' } } });

// @ts-expect-error: not an option
changeover({ aap: 'shop' });
// @ts-expect-error: not a loader
changeover({ loader: 'module' });
// @ts-expect-error: a store without a schema
changeover({ stores: { cart: { reads: [1] } } });
// @ts-expect-error: milliseconds, not a text
changeover({ interval: '30s' });
`;

for (const version of ['vite', 'vite7']) {
  test(`the types of the plugin fit a config of ${version === 'vite' ? 'Vite 8' : 'Vite 7'} and refuse wrong options`, (t) => {
    const root = mkdtempSync(join(tmpdir(), 'changeover-types-'));
    t.after(() => rmSync(root, { recursive: true, force: true }));
    for (const [name, target] of [['changeover', PACKAGE], ['vite', join(ROOT, 'node_modules', version)], ['@types/node', join(ROOT, 'node_modules/@types/node')]]) {
      mkdirSync(dirname(join(root, 'node_modules', name)), { recursive: true });
      symlinkSync(target, join(root, 'node_modules', name));
    }
    writeFileSync(join(root, 'vite.config.ts'), CONFIG);
    writeFileSync(join(root, 'package.json'), '{"type":"module"}');
    const compilerOptions = {
      strict: true, noEmit: true, skipLibCheck: true, module: 'nodenext', moduleResolution: 'nodenext', target: 'es2022', types: ['node'],
      // The linked package must see the same Vite as the config.
      preserveSymlinks: true,
    };
    writeFileSync(join(root, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['vite.config.ts'] }));
    const tsc = spawnSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', root], { encoding: 'utf8' });
    assert.equal(tsc.status, 0, tsc.stdout + tsc.stderr);
  });
}
