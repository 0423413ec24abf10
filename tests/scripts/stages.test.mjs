// A stage that is wrongly thought up to date makes every later test lie.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { root } from '../../scripts/lib/run.mjs';
import { alone, digest, stage } from '../../scripts/lib/stages.mjs';

/** @import { TestContext } from 'node:test' */

/** @param {TestContext} t */
function workspace(t) {
  mkdirSync(join(root, 'target'), { recursive: true });
  const folder = mkdtempSync(join(root, 'target', 'stages-'));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'in'));
  const input = join(folder, 'in', 'a.txt');
  const output = join(folder, 'out.txt');
  writeFileSync(input, 'one');
  const about = { folder, inputs: [relative(root, join(folder, 'in'))], outputs: [output], extra: '1.95' };
  return { folder, input, output, about };
}

test('a stage runs once, and again when an input, the toolchain or an output changes', async (t) => {
  const { folder, input, output, about } = workspace(t);
  let runs = 0;
  const work = () => {
    runs += 1;
    writeFileSync(output, 'made');
  };
  const after = async (changed = {}) => {
    await stage('sample', { ...about, ...changed }, work);
    return runs;
  };
  assert.equal(await after(), 1);
  assert.equal(await after(), 1);
  writeFileSync(input, 'two');
  assert.equal(await after(), 2);
  writeFileSync(join(folder, 'in', 'b.txt'), '');
  assert.equal(await after(), 3);
  rmSync(join(folder, 'in', 'b.txt'));
  assert.equal(await after(), 4);
  assert.equal(await after({ extra: '1.96' }), 5);
  rmSync(output);
  assert.equal(await after({ extra: '1.96' }), 6);
});

test('a stage that failed runs again', async (t) => {
  const { output, about } = workspace(t);
  writeFileSync(output, 'left over');
  await assert.rejects(stage('sample', about, () => Promise.reject(new Error('no'))));
  let ran = false;
  await stage('sample', about, () => {
    ran = true;
  });
  assert.ok(ran);
});

test('a file that moved is a change', (t) => {
  const { folder, input } = workspace(t);
  const place = relative(root, join(folder, 'in'));
  const before = digest([place]);
  rmSync(input);
  writeFileSync(join(folder, 'in', 'renamed.txt'), 'one');
  assert.notEqual(digest([place]), before);
});

test('two builds wait for each other, and the lock of a dead one is not waited for', async (t) => {
  const { folder } = workspace(t);
  const lock = join(folder, 'lock');
  /** @type {string[]} */
  const order = [];
  const slowly = (/** @type {string} */ name) => alone(lock, async () => {
    order.push(`${name} starts`);
    await new Promise((wake) => setTimeout(wake, 50));
    order.push(`${name} ends`);
  });
  await Promise.all([slowly('a'), slowly('b')]);
  assert.deepEqual(order, ['a starts', 'a ends', 'b starts', 'b ends']);
  writeFileSync(lock, '999999999');
  await slowly('c');
  assert.equal(order.at(-1), 'c ends');
});
