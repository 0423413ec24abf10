// @vitejs/plugin-legacy: each chunk once more, for old browsers. Its version for Vite 7 cannot be installed beside that for Vite 8.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import legacy from '@vitejs/plugin-legacy';
import * as vite from 'vite';
import { CLI, build, edit, fileOf, makeApp } from './support.mjs';

/** @typedef {Awaited<ReturnType<typeof build>>} Built */

const KINDS = { 'beside the modern ones': {}, alone: { renderModernChunks: false }, 'with polyfills for modern browsers': { modernPolyfills: ['es.array.at'] } };

for (const [kind, options] of Object.entries(KINDS)) {
  test(`legacy chunks ${kind}: a deploy that changes a lazy chunk changes nothing else, the document included`, async (t) => {
    const root = makeApp(t);
    const next = () => build(vite, root, { plugins: [legacy({ targets: ['defaults', 'not IE 11'], ...options })], build: { sourcemap: true } });
    const first = await next();
    edit(root, 'src/routes/about.js', "'about'", "'about us'");
    const second = await next();
    assert.equal(second.manifest.html, first.manifest.html);
    const expected = /** @type {{renderModernChunks?: boolean}} */ (options).renderModernChunks === false ? ['src/routes/about.js'] : ['src/routes/about.js', 'src/routes/about.js#about-legacy'];
    assert.deepEqual(changedIn(first, second), expected);
    assert.deepEqual([...first.messages.warn, ...second.messages.warn].filter((text) => text.startsWith('changeover')), []);

    for (const [file, { manifest }] of Object.entries({ 'first.json': first, 'second.json': second })) writeFileSync(join(root, file), JSON.stringify(manifest));
    const said = execFileSync(CLI, ['diff', join(root, 'first.json'), join(root, 'second.json')], { encoding: 'utf8' });
    for (const line of said.trim().split('\n')) assert.match(line, /src\/routes\/about\.js(#about-legacy)? changed/);
  });
}

test('legacy chunks: other polyfills are another document, since it loads them by name, and no other file', async (t) => {
  const root = makeApp(t);
  const next = (/** @type {string[]} */ additionalLegacyPolyfills) => build(vite, root, { plugins: [legacy({ targets: ['defaults', 'not IE 11'], additionalLegacyPolyfills })] });
  const first = await next([]);
  const second = await next(['core-js/es/array/at.js']);
  assert.deepEqual(changedIn(first, second), ['virtual:vite/legacy-polyfills']);
  assert.equal(fileOf(first.manifest, 'index.html') === fileOf(second.manifest, 'index.html'), true);
});

const changedIn = (/** @type {Built} */ { manifest: before }, /** @type {Built} */ { manifest: after }) =>
  Object.values(after.chunks)
    .filter(({ id, code }) => !id.endsWith('.map') && Object.values(before.chunks).find((chunk) => chunk.id === id)?.code !== code)
    .map(({ id }) => id)
    .sort();
