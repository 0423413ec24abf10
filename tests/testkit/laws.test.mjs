// The laws as an app's own tests use them: from the built package, with the real engine, validators and generators.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { everySchemaReaches, faultySteps, rehearse, roundTrip } from 'changeover/testing';
import fc from 'fast-check';
import * as v from 'valibot';
import { z } from 'zod';

/** @import { Migration } from '../../pkg-template/index.js' */
/** @import { BrokenLaw, Spec } from '../../pkg-template/testing.js' */

/** @type {(from: string, to: string) => (value: Record<string, any>) => Record<string, any>} */
const rename = (from, to) => ({ [from]: moved, ...rest }) => ({ ...rest, [to]: moved });
/** @type {Spec & {migrations: Migration[]}} */
const cart = {
  name: 'cart',
  schema: 3,
  migrations: [
    { from: 1, to: 2, up: rename('price', 'cents'), down: rename('cents', 'price') },
    { from: 2, to: 3, up: (value) => ({ ...value, tags: [] }), down: ({ tags, ...value }) => value, lossy: 'down' },
  ],
};
const samples = { 1: [{ price: 1, seen: new Map([['a', new Date(5)]]) }], 3: [{ cents: 5, tags: ['x'] }] };

/**
 * The error of a promise that must reject.
 *
 * @type {(promise: Promise<unknown>) => Promise<BrokenLaw & {code: string, store?: string, step: string, path?: string, schemas: number[]}>}
 */
const broken = (promise) => promise.then(() => assert.fail('nothing is broken'), (error) => error);

test('steps that keep the laws pass, and something was checked', async () => {
  await everySchemaReaches(3, cart);
  const { checks } = await roundTrip(cart, { samples });
  assert.ok(checks > 10, `${checks} checks`);
});

test('every schema without a way that loses nothing is named', async () => {
  /** @type {Spec & {migrations: Migration[]}} */
  const spec = { schema: 4, migrations: [{ from: 2, to: 4, up: (value) => value }, { from: 3, to: 4, up: (value) => value, lossy: 'up' }] };
  const { code, message, schemas } = await broken(everySchemaReaches(4, spec));
  assert.equal(code, 'every_schema_reaches');
  assert.deepEqual(schemas, [1, 3]);
  assert.match(message, /^store "store": 2 schemas do not reach schema 4 without a loss:\n  schema 1: .*schema 1.*\n  schema 3: .*lossy.*3 -> 4 \(up\)/);
  await everySchemaReaches(4, { ...spec, reads: [2], migrations: spec.migrations.slice(0, 1) });
});

test('a head that is not the one of the spec is a mistake', async () => {
  const { code, message } = await broken(everySchemaReaches(4, cart));
  assert.deepEqual([code, message], ['every_schema_reaches', 'store "cart": it works with schema 3, not with 4']);
});

/** @type {{law: string, step: Migration, schema?: number, value: unknown, beside?: Record<number, unknown[]>, message: string}[]} */
const BROKEN = [
  {
    law: 'down_up',
    step: { from: 1, to: 2, up: ({ a, ...rest }) => ({ ...rest, b: Math.floor(a / 2) }), down: ({ b, ...rest }) => ({ ...rest, a: b * 2 }) },
    value: { a: 5, more: [1, { deep: true }] },
    message: 'store "sum", step 1 -> 2 (up): `down(up(x)) = x` is broken at a: 5 became 4; x = {"a":5}',
  },
  {
    law: 'up_down_up',
    step: { from: 1, to: 2, up: ({ n }) => ({ n: n + 1 }), down: (value) => value, lossy: 'both' },
    value: { n: 1 },
    message: 'store "sum", step 1 -> 2 (up): `up(down(up(x))) = up(x)` is broken at n: 2 became 3; x = {"n":1}',
  },
  {
    law: 'up_down',
    step: { from: 1, to: 2, up: (value) => ({ ...value, tag: 'none' }), down: ({ tag, ...value }) => value },
    schema: 2,
    value: { n: 1, tag: 'mine' },
    message: 'store "sum", step 2 -> 1 (down): `up(down(x)) = x` is broken at tag: "mine" became "none"; x = {"tag":"mine"}',
  },
  {
    law: 'down_up_down',
    step: { from: 1, to: 2, up: (value) => value, down: ({ n, ...rest }) => ({ ...rest, n: n > 3 ? n - 1 : n }), lossy: 'both' },
    schema: 2,
    beside: { 1: [{ n: 1 }] },
    value: { n: 5 },
    message: 'store "sum", step 2 -> 1 (down): `down(up(down(x))) = down(x)` is broken at n: 4 became 3; x = {"n":5}',
  },
  {
    law: 'unknown_fields',
    step: { from: 1, to: 2, up: ({ name, lines }) => ({ title: name, lines }), down: ({ title, lines }) => ({ name: title, lines }) },
    value: { name: 'x', lines: [{ n: 1 }] },
    message: 'store "sum", step 1 -> 2 (up): `unknown fields are preserved` is broken at unknownToThisStep: the field is gone; x = {"name":"x","lines":[{"n":1}],"unknownToThisStep":"kept by changeover\'s laws"}',
  },
  {
    law: 'unknown_fields',
    step: { from: 1, to: 2, up: (value) => ({ ...value, lines: value.lines.map((/** @type {{n: number}} */ { n }) => ({ n })) }) },
    value: { lines: [{ n: 1 }] },
    message: 'store "sum", step 1 -> 2 (up): `unknown fields are preserved` is broken at lines[0].unknownToThisStep: the field is gone; x = {"lines":[{"n":1,"unknownToThisStep":"kept by changeover\'s laws"}]}',
  },
  {
    law: 'down_up',
    step: { from: 1, to: 2, up: (value) => ({ all: new Map(value.all) }), down: ({ all }) => ({ all: new Map([...all].slice(1)) }) },
    value: { all: new Map([['a', 1], ['b', 2]]) },
    message: 'store "sum", step 1 -> 2 (up): `down(up(x)) = x` is broken at all: {"$changeover":"Map","value":[["a",1],["b",2]]} became {"$changeover":"Map","value":[["b",2]]}; x = {"all":{"$changeover":"Map","value":[["a",1],["b",2]]}}',
  },
  {
    law: 'down_up',
    step: { from: 1, to: 2, up: (value) => value, down: async () => Promise.reject(Object.assign(new Error('no way back'), { path: 'items' })) },
    value: { n: 1 },
    message: 'store "sum", step 1 -> 2 (up): `down(up(x)) = x` is broken at items: Error: no way back; x = {}',
  },
];
for (const { law, step, schema = 1, value, beside, message } of BROKEN) {
  test(`a broken law is named with its counter-example: ${message.slice(13, 90)}…`, async () => {
    const error = await broken(roundTrip({ name: 'sum', schema: 2, migrations: [step] }, { samples: { ...beside, [schema]: [value] } }));
    assert.equal(error.message, message);
    assert.equal(error.code, law);
    assert.equal(error.store, 'sum');
    assert.match(error.step, / -> /);
    assert.equal(error.name, 'ChangeoverError');
    assert.ok(error.sample);
  });
}

test('a step may be declared to drop what it does not know', async () => {
  /** @type {Spec} */
  const strict = { schema: 2, migrations: [{ from: 1, to: 2, up: ({ a }) => ({ b: a }), down: ({ b }) => ({ a: b }) }] };
  await roundTrip(strict, { samples: { 1: [{ a: 1 }] }, unknownFields: false });
});

test('schemas without samples get what the steps make of others; a schema that no step reaches is named', async () => {
  let ran = 0;
  /** @type {Migration[]} */
  const migrations = [{ from: 1, to: 2, up: (value) => value }, { from: 2, to: 3, up: (value) => (ran++, value) }];
  await roundTrip({ schema: 3, migrations }, { samples: { 1: [{}] } });
  assert.ok(ran > 0);
  const { code, message } = await broken(roundTrip({ schema: 3, migrations }, { samples: { 2: [{}] } }));
  assert.deepEqual([code, message], ['no_samples', 'store "store", step 1 -> 2 (up): there is no sample of schema 1']);
});

test('a check of nothing is no check', async () => {
  assert.equal((await broken(roundTrip({ schema: 1 }, {}))).code, 'no_samples');
  assert.equal((await broken(roundTrip({ schema: 1 }, { samples: { 1: [] } }))).code, 'no_samples');
  assert.deepEqual(await roundTrip({ schema: 1 }, { samples: { 1: [{}] } }), { checks: 1 });
});

test("the laws have the codes and the formulas of the crate's", () => {
  const source = (/** @type {string} */ path) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  const kit = source('pkg-template/testing.js') + source('pkg-template/golden.js');
  const crate = [...source('src/engine/migration/laws.rs').matchAll(/Self::\w+ => "([^"]+)"/g)].map(([, text]) => text);
  assert.ok(crate.length >= 12, `${crate.length} texts`);
  const worded = ['every released schema reaches the head', 'a stored value becomes what is expected']; // said in words of their own here
  for (const text of crate.filter((text) => !worded.includes(text))) assert.ok(kit.includes(text), text);
});

test('a step that hangs or throws is a broken law, not a test that never ends', async () => {
  /** @type {Spec} */
  const hanging = { schema: 2, migrations: [{ from: 1, to: 2, up: () => new Promise(() => {}), down: (value) => value }] };
  const { message } = await broken(roundTrip(hanging, { samples: { 1: [{ n: 1 }] }, budget: 50 }));
  assert.match(message, /no answer within 50 ms; x = /);
  /** @type {Spec} */
  const bare = { schema: 2, migrations: [{ from: 1, to: 2, up: ({ items }) => ({ items: items.length }) }] };
  assert.match((await broken(roundTrip(bare, { samples: { 1: [{ n: 1 }] } }))).message, /step 1 -> 2 \(up\): it failed: .*length.*; x = \{"n":1\}/);
});

// validators

const zod = z.object({ cents: z.number().int(), tags: z.array(z.string()) });
const valibot = v.object({ cents: v.pipe(v.number(), v.integer()), tags: v.array(v.string()) });
const byHand = (/** @type {{cents: number}} */ value) => {
  if (!Number.isInteger(value.cents)) throw Object.assign(new Error('no whole number'), { path: 'cents' });
};
for (const [name, validate] of /** @type {[string, Spec['validate']][]} */ (Object.entries({ zod, valibot, 'a function': byHand }))) {
  test(`${name} judges what arrives at the head, and says where it is wrong`, async () => {
    await roundTrip({ ...cart, validate }, { samples });
    const error = await broken(roundTrip({ ...cart, validate }, { samples: { ...samples, 1: [{ price: 1 }, { price: 1.5 }] } }));
    assert.deepEqual([error.code, error.path, error.store], ['invalid_value', 'cents', 'cart']);
    assert.match(error.message, /^store "cart": its value is not valid as schema 3 at cents: .*; x = \{"price":1\.5\}$/);
    assert.deepEqual(error.sample, { price: 1.5 });
  });
}

test('generators of fast-check feed the laws', async () => {
  const arbitrary = { 1: fc.record({ price: fc.integer(), note: fc.option(fc.string()), inner: fc.dictionary(fc.string(), fc.jsonValue()) }) };
  const sample = (/** @type {fc.Arbitrary<unknown>} */ from, /** @type {number} */ runs) => fc.sample(from, { numRuns: runs, seed: 7 });
  const { checks } = await roundTrip(cart, { arbitrary, sample, runs: 50 });
  assert.ok(checks > 300, `${checks} checks`);
  /** @type {Spec} */
  const half = { schema: 2, migrations: [{ from: 1, to: 2, up: ({ price, ...rest }) => ({ ...rest, half: Math.trunc(price / 2) }), down: ({ half, ...rest }) => ({ ...rest, price: half * 2 }) }] };
  const { code, message } = await broken(roundTrip(half, { arbitrary, sample }));
  assert.equal(code, 'down_up');
  assert.match(message, /is broken at price: -?\d*[13579] became -?\d*[02468]; x = \{"price":-?\d*[13579]\}$/, 'nothing but what breaks it is left');
  assert.match((await broken(roundTrip(cart, { arbitrary }))).message, /needs `sample`, such as `fc\.sample` of fast-check/);
  await roundTrip(cart, { arbitrary: { 1: (/** @type {number} */ nth) => ({ price: nth }) }, runs: 5 });
});

test('random chains of lossless steps pass, and one lossy step among them is found', { timeout: 60_000 }, async () => {
  /** @type {(length: number, bad?: number) => Migration[]} */
  const chain = (length, bad) =>
    Array.from({ length }, (_, at) => ({
      from: at + 1,
      to: at + 2,
      up: rename(`f${at}`, `f${at + 1}`),
      down: at === bad ? ({ [`f${at + 1}`]: value, ...rest }) => ({ ...rest, [`f${at}`]: Math.abs(value) }) : rename(`f${at + 1}`, `f${at}`),
    }));
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 20 }), fc.nat(), fc.integer({ max: -1 }), async (length, place, value) => {
      const bad = place % length;
      const given = { samples: { 1: [{ f0: value }] } };
      await everySchemaReaches(length + 1, { schema: length + 1, migrations: chain(length) });
      await roundTrip({ schema: length + 1, migrations: chain(length) }, given);
      const { step, code } = await broken(roundTrip({ schema: length + 1, migrations: chain(length, bad) }, given));
      assert.deepEqual([step, code], [`${bad + 1} -> ${bad + 2} (up)`, 'down_up']);
    }),
    { numRuns: 20, seed: 3 },
  );
});

// rehearsing

test('a rehearsal reports each job, what would happen and what would not', async () => {
  /** @type {Spec} */
  const notes = { name: 'notes', schema: 2, migrations: [{ from: 1, to: 2, up: () => { throw new Error('not today'); } }] };
  const { stores } = await rehearse([cart, notes], [
    { store: 'cart', from: 1, value: { price: 1 } },
    { store: 'cart', from: 2, value: { cents: 2 } },
    { store: 'notes', from: 1, value: {} },
    { store: 'cart', from: 9, value: {} },
    { store: 'cart', from: 3, to: 1, value: { cents: 3, tags: ['x'] } },
    { store: 'cart', from: 3, to: 1, value: { cents: 3, tags: ['x'] } },
  ]);
  assert.deepEqual(stores.map(({ store, from, to, error }) => [store, from, to, error?.code ?? null]), [
    ['cart', 1, 3, null],
    ['cart', 2, 3, null],
    ['notes', 1, 2, 'step_failed'],
    ['cart', 9, 3, 'unknown_schema'],
    ['cart', 3, 1, 'lossy_path'],
    ['cart', 3, 1, 'lossy_path'],
  ]);
  assert.deepEqual(stores[0].steps.map(({ name, lossy }) => [name, lossy]), [['1 -> 2 (up)', false], ['2 -> 3 (up)', false]]);
  assert.match(/** @type {{message: string}} */ (stores[2].error).message, /1 -> 2 \(up\) failed: Error: not today/);
  const { stores: [down] } = await rehearse(cart, [{ from: 3, to: 1, value: { cents: 3, tags: ['x'] } }], { lossy: true });
  assert.deepEqual([down.lossy, down.error], [true, null]);
});

// steps with faults

test('a step with a fault is refused by the engine and found by the laws', async () => {
  const faulty = (/** @type {Parameters<typeof faultySteps>[1]} */ faults) => rehearse({ ...cart, migrations: faultySteps(cart.migrations, faults) }, [{ from: 1, value: { price: 1 } }], { budget: 50, verify: false });
  const code = async (/** @type {Parameters<typeof faultySteps>[1]} */ faults) => (await faulty(faults)).stores[0].error?.code ?? null;
  assert.equal(await code({}), null);
  assert.equal(await code({ throwAt: 2 }), 'step_failed');
  assert.equal(await code({ hangAt: 1 }), 'step_timed_out');
  assert.equal(await code({ throwAt: 3 }), null, 'there is no third call');
  assert.equal(await code({ throwAt: (/** @type {number} */ nth) => nth >= 2 }), 'step_failed');
  assert.equal((await broken(roundTrip({ ...cart, migrations: faultySteps(cart.migrations, { corruptAt: 1 }) }, { samples: { 1: [{ price: 1 }], 2: [{ cents: 1 }], 3: [{ cents: 1, tags: [] }] } }))).code, 'down_up');
});

test('a corrupted result lacks a part, at once or later, and the steps keep all else', async () => {
  /** @type {Migration[]} */
  const steps = [{ from: 1, to: 2, id: 'a', up: (value) => value, down: async (value) => value }, { from: 2, to: 3, up: (value) => value }];
  const [one, two] = faultySteps(steps, { corruptAt: () => true });
  assert.deepEqual([one.up({ a: 1, b: 2 }), await /** @type {(value: unknown) => unknown} */ (one.down)([1, 2]), two.up('text'), two.up({})], [{ b: 2 }, [1], null, null]);
  assert.deepEqual([one.id, one.from, one.to, 'down' in two], ['a', 1, 2, false]);
});

// CommonJS

test('the same from CommonJS', async () => {
  const required = createRequire(import.meta.url)('changeover/testing');
  assert.deepEqual(Object.keys(required).sort(), ['everySchemaReaches', 'faultyIndexedDb', 'faultySteps', 'golden', 'rehearse', 'roundTrip']);
  await required.everySchemaReaches(3, cart);
  await required.roundTrip(cart, { samples });
  const require = createRequire(import.meta.url);
  assert.equal(typeof require('changeover/adapters').zustand, 'function');
  assert.equal(typeof require('changeover/adopt').fromIndexedDb, 'function');
  assert.equal(typeof (await import('changeover/adapters')).zustand, 'function');
  assert.equal(typeof (await import('changeover/adopt')).fromIndexedDb, 'function');
});
