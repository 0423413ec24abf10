// Values that no JSON can hold, or that are too large for session storage: kept in the database beside the envelope.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { arrive, first, holder, leave, makeDisk, quiet, second } from './states.mjs';

const cycle = { name: 'cycle' };
/** @type {{self?: unknown}} */ (cycle).self = cycle;
for (const [what, value] of [
  ['a Map', new Map([['a', { b: [1] }]])],
  ['a Date in an object', { at: new Date(5) }],
  ['a typed array', new Float32Array([1, 2.5])],
  ['a BigInt', [10n ** 30n]],
  // oxlint-disable-next-line no-sparse-arrays -- the hole is what is tested
  ['NaN and a hole', [NaN, , -Infinity]],
  ['a cycle', cycle],
  ['half a million characters', 'x'.repeat(500_000)],
]) {
  test(`${what} is kept apart, arrives, and leaves nothing behind`, async () => {
    const left = await leave({ it: holder(value), with: holder(value, { schema: 1 }) });
    assert.deepEqual([left.captured.failed, left.captured.states, left.disk.records.size], [null, {}, 2]);
    const [plain, schemed] = [holder(), holder(undefined, { schema: 1 })];
    const page = await arrive({ it: plain, with: schemed }, left);
    assert.deepEqual([plain.value, schemed.value], [value, value]);
    assert.deepEqual([page.carried.about, left.disk.records.size], [{}, 0]);
  });
}

test('where nothing can be kept apart, large JSON still tries session storage, and the rest is refused by name', async () => {
  const disk = makeDisk();
  disk.broken.why = 'the database is blocked';
  const left = await leave({ big: holder('x'.repeat(500_000)), tags: holder(new Set(['a'])) }, { disk });
  assert.equal(/** @type {string} */ (left.captured.states.big).length, 500_000);
  assert.equal(left.captured.failed, 'state "tags" could not be saved: the database is blocked');
});

test('what was kept apart and is gone is told once and does not stop the others', async (t) => {
  quiet(t);
  const left = await leave({ tags: holder(new Set(['a']), { schema: 1 }), who: first({ name: 'Ada Lovelace' }) });
  left.disk.records.clear();
  const who = second();
  const page = await arrive({ tags: first('mine'), who }, left);
  assert.deepEqual([page.report, who.value.first], [{ restored: ['who'], failed: ['tags'] }, 'Ada']);
  assert.deepEqual([page.problems[0].code, page.carried.about], ['value_gone', {}]);
});

test('a database that cannot be read now leaves the state for later', async (t) => {
  quiet(t);
  const left = await leave({ tags: holder(new Set(['a'])) });
  left.disk.broken.why = 'the database is blocked';
  const page = await arrive({ tags: holder('mine') }, left);
  assert.deepEqual([page.report.failed, Object.keys(/** @type {object} */ (page.carried.about))], [['tags'], ['tags']]);
  left.disk.broken.why = null;
  const tags = holder();
  await arrive({ tags }, left);
  assert.deepEqual(tags.value, new Set(['a']));
});
