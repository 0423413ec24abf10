// Golden fixtures in a folder of their own: made, kept, and what each kind of change does to them.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { golden } from 'changeover/testing';
import fc from 'fast-check';
import { decode, encode } from '../../pkg-template/golden-codec.js';

/** @import { TestContext } from 'node:test' */
/** @import { Migration } from '../../pkg-template/index.js' */
/** @import { BrokenLaw, Spec } from '../../pkg-template/testing.js' */

/** @type {(from: number, more?: Partial<Migration>) => Migration} */
const up = (from, more) => ({ from, to: from + 1, up: (value) => ({ ...value, [`in${from + 1}`]: true }), ...more });
/** @type {(schema: number, more?: Partial<Spec>) => Spec} */
const spec = (schema, more) => ({ name: 'cart', schema, migrations: Array.from({ length: schema - 1 }, (_, at) => up(at + 1)), ...more });

/** @param {TestContext} t */
function folder(t) {
  const made = mkdtempSync(join(tmpdir(), 'changeover-golden-'));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return {
    path: made,
    file: (/** @type {number} */ schema, store = 'cart') => join(made, store, `${schema}.json`),
    read: (/** @type {number} */ schema) => JSON.parse(readFileSync(join(made, 'cart', `${schema}.json`), 'utf8')),
    edit: (/** @type {number} */ schema, /** @type {object} */ change) => writeFileSync(join(made, 'cart', `${schema}.json`), JSON.stringify({ ...JSON.parse(readFileSync(join(made, 'cart', `${schema}.json`), 'utf8')), ...change })),
  };
}

/** @type {(promise: Promise<unknown>) => Promise<BrokenLaw & {code: string, problems: string[]}>} */
const broken = (promise) => promise.then(() => assert.fail('nothing is broken'), (error) => error);

test('each release adds its fixture, and all of them arrive at every later head', async (t) => {
  const { path, read } = folder(t);
  assert.deepEqual(await golden(spec(1), path, { update: true, values: { 1: { n: 1, at: new Date(5) } } }), { checked: [1], written: [1] });
  assert.deepEqual(await golden(spec(1), path), { checked: [1], written: [] });
  const { code, problems } = await broken(golden(spec(2), path));
  assert.equal(code, 'golden');
  assert.equal(problems.length, 1);
  assert.match(problems[0], /^schema 2 \(.*2\.json\): it was released and has no fixture; `update: true` makes one of `values`$/);
  assert.deepEqual(await golden(spec(2), path, { update: true }), { checked: [1, 2], written: [2, 1] });
  assert.deepEqual(await golden(spec(3), path, { update: true, values: { 3: { other: true } } }), { checked: [1, 2, 3], written: [3, 1, 2] });
  assert.deepEqual(await golden(spec(3), path), { checked: [1, 2, 3], written: [] });
  assert.deepEqual(read(1).value, { n: 1, at: { $changeover: 'Date', value: '1970-01-01T00:00:00.005Z' } });
  assert.deepEqual(read(1).head, { schema: 3, value: { ...read(1).value, in2: true, in3: true } });
  assert.deepEqual([read(2).schema, typeof read(2).lineage, read(3).value], [2, 'string', { other: true }]);
});

test('a step that has changed since is found, and `update` does not paper over it', async (t) => {
  const { path, read } = folder(t);
  await golden(spec(2), path, { update: true, values: { 1: { n: 1 } } });
  const changed = spec(2, { migrations: [up(1, { up: (value) => ({ ...value, in2: 'changed' }) })] });
  const before = read(1);
  for (const update of [false, true]) {
    const { message } = await broken(golden(changed, path, { update }));
    assert.match(message, /^store "cart": a golden fixture is broken:\n  schema 1 \(.*1\.json\): as schema 2 it was recorded to become true at in2 and now becomes "changed"$/);
    assert.deepEqual(read(1), before);
  }
  // Also when the head has moved on since the last check.
  const { message } = await broken(golden({ ...changed, schema: 3, migrations: [.../** @type {Migration[]} */ (changed.migrations), up(2)] }, path, { update: true, values: { 3: {} } }));
  assert.match(message, /as schema 2 it was recorded to become true at in2/);
});

test('a fixture that no longer migrates, cannot be read or is invalid at the head is named with the reason', async (t) => {
  const { path, file, edit } = folder(t);
  await golden(spec(3), path, { update: true, values: { 1: { n: 1 }, 2: { n: 2 } } });
  const fails = async (/** @type {Spec} */ which, /** @type {RegExp} */ why) => assert.match((await broken(golden(which, path))).message, why);
  await fails(spec(3, { validate: (/** @type {any} */ { n }) => n !== 1 }), /schema 1 .*: it does not arrive at schema 3: .*not valid as schema 3/);
  await fails(spec(3, { migrations: [up(1), up(2, { up: () => { throw new Error('boom'); } })] }), /schema 2 .*the step 2 -> 3 \(up\) failed: Error: boom/);
  await fails(spec(3, { migrations: [up(2)], reads: [2] }), /schema 1 .*does not know/);
  edit(1, { schema: 7 });
  await fails(spec(3), /schema 1 .*the file says schema 7/);
  writeFileSync(file(1), '{');
  await fails(spec(3), /a golden fixture is broken:\n  schema 1 .*JSON/);
});

test('two branches that both built schema 2 are told apart by the lineage in the fixture', async (t) => {
  const { path } = folder(t);
  const branch = (/** @type {string} */ id) => spec(2, { migrations: [up(1, { id })] });
  await golden(branch('ours'), path, { update: true, values: { 1: {}, 2: {} } });
  assert.match((await broken(golden(branch('theirs'), path))).message, /schema 2 .*another lineage.*two branches call different things schema 2/);
});

test('which schemas were released can be said', async (t) => {
  const { path } = folder(t);
  await golden(spec(3), path, { update: true, values: { 3: {} }, released: [3] });
  assert.deepEqual(await golden(spec(3, { reads: [] }), path), { checked: [3], written: [] });
  assert.equal((await broken(golden(spec(3), path))).problems.length, 2);
  const nothing = await broken(golden({ schema: 1 }, path, { update: true }));
  assert.match(nothing.message, /store "store": a golden fixture is broken:\n  schema 1 .*has no fixture/);
});

test('the name of a store never leads out of the folder', async (t) => {
  const { path } = folder(t);
  for (const name of ['../outside', '..', 'a/b']) {
    await golden({ ...spec(1), name }, path, { update: true, values: { 1: {} } });
    assert.deepEqual((await golden({ ...spec(1), name }, path)).checked, [1]);
  }
  assert.ok(!existsSync(join(path, '..', 'outside')) && !existsSync(join(path, '..', '1.json')) && existsSync(join(path, 'a%2Fb', '1.json')));
});

test('what can be cloned can be kept, and what has no form in a file is refused by name', () => {
  const value = fc.letrec((tie) => ({
    any: fc.oneof({ maxDepth: 4 }, fc.jsonValue(), fc.bigInt(), fc.double(), fc.constant(undefined), fc.date(), fc.uint8Array(), fc.float64Array(), tie('map'), tie('set'), tie('list'), tie('object')),
    map: fc.array(fc.tuple(tie('any'), tie('any')), { maxLength: 3 }).map((entries) => new Map(entries)),
    set: fc.array(tie('any'), { maxLength: 3 }).map((items) => new Set(items)),
    list: fc.array(tie('any'), { maxLength: 3 }),
    object: fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('$changeover', '__proto__', 'value')), tie('any'), { maxKeys: 3 }),
  })).any;
  fc.assert(
    fc.property(value, (made) => {
      const plain = structuredClone(made); // without prototypes
      assert.deepEqual(decode(JSON.parse(JSON.stringify(encode(plain)))), plain);
    }),
    { numRuns: 500, seed: 11 },
  );
  const cycle = { a: [] };
  /** @type {unknown[]} */ (cycle.a).push(cycle);
  assert.throws(() => encode(cycle), /at a\[0\]/);
  assert.throws(() => encode({ a: { f() {} } }), /a function at a\.f has no form in JSON/);
  assert.throws(() => encode([new Blob(['x'])]), /Blob at \[0\] has no form in JSON/);
  assert.throws(() => decode({ $changeover: 'Blob' }), /"Blob" is no kind of value/);
});
