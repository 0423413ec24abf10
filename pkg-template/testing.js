// `changeover/testing`: what every migration should hold to, as checks for an app's own tests; and faults as browsers have
// them. Runs in Node.js with any test runner, without a document. The laws are those of the crate's `laws` module.
//
//   await everySchemaReaches(3, cart);
//   await roundTrip(cart, { samples: { 1: [{ items: [] }] } });
//   await golden(cart, 'tests/golden');
//
// Everything rejects with an error that names the store, the step, the law, the place and the counter-example.
import { failure } from './error.js';
import { textOf } from './load-errors.js';
import { excerpt, shown } from './golden-codec.js';
import { engineWith, named, reaches, schemasOf } from './testing-engine.js';
import { difference } from './clone.js';

/**
 * @import { ChangeoverError, Migration } from './index.js'
 * @import { Job, Rehearsal, RoundTripOptions, Spec } from './testing.js'
 *
 * @typedef {Migration['up']} Way
 * @typedef {{ name: string, from: number, to: number, run: Way, inverse?: Way, up: boolean, lossy: boolean }} Step
 * @typedef {(way: Way, value: unknown) => Promise<unknown>} Run
 * @typedef {keyof typeof FORMULAS} Law
 * @typedef {{ path: string, why: string, sample: unknown }} Violation `path`: where it shows
 * @typedef {Map<number, unknown[]>} Values by schema
 * @typedef {(string | number)[]} Place the keys that lead to a part of a value
 */

export { faultyIndexedDb, faultySteps } from './fault-injection.js';
export { golden } from './golden.js';

/** Longest time for one step. */
const BUDGET = 3_000;
/** Each round of making a counter-example smaller removes one part; a huge one is shown as it is. */
const ROUNDS = 200;
const UNKNOWN = 'unknownToThisStep';
const MARKER = "kept by changeover's laws";

const FORMULAS = {
  down_up: 'down(up(x)) = x',
  up_down: 'up(down(x)) = x',
  up_down_up: 'up(down(up(x))) = up(x)',
  down_up_down: 'down(up(down(x))) = down(x)',
  unknown_fields: 'unknown fields are preserved',
};

/**
 * Every schema has a path to `head` without a loss: those of `reads` and of the steps, and without `reads` every number
 * from 1.
 *
 * @param {number} head
 * @param {Spec} spec
 */
export async function everySchemaReaches(head, spec) {
  const { name, schema, reads } = named(spec);
  /** @type {(message: string, schemas: number[]) => ChangeoverError} */
  const broken = (message, schemas) => Object.assign(failure({ code: 'every_schema_reaches', message: `store ${JSON.stringify(name)}: ${message}`, store: name }), { schemas });
  if (schema !== head) throw broken(`it works with schema ${schema}, not with ${head}`, [schema]);
  const stores = await engineWith([named(spec)], { reads: [], allowLossy: true });
  const all = new Set([...schemasOf(spec), ...(reads ? [] : Array.from({ length: head }, (_, at) => at + 1))]);
  const problems = [...all].sort((one, other) => one - other).flatMap(/** @returns {[from: number, why: string][]} */ (from) => {
    try {
      const { lossy, steps } = stores.way(name, from, head);
      return lossy ? [[from, `the way is lossy: ${steps.join(', ')}`]] : [];
    } catch (error) {
      return [[from, /** @type {ChangeoverError} */ (error).message]];
    }
  });
  if (problems.length === 0) return;
  const list = problems.map(([from, why]) => `\n  schema ${from}: ${why}`).join('');
  throw broken(`${problems.length === 1 ? 'a schema does' : `${problems.length} schemas do`} not reach schema ${head} without a loss:${list}`, problems.map(([from]) => from));
}

/**
 * Going there and back changes nothing, for every step that has a way back; a field that a step does not know survives it;
 * and every sample arrives at the head as a valid value.
 *
 * @param {Spec} spec
 * @param {RoundTripOptions} given
 *   `samples` and `arbitrary` are by schema; a schema without any gets what the steps make of the others
 * @returns {Promise<{checks: number}>}
 */
export async function roundTrip(spec, { samples = {}, arbitrary = {}, sample = handy, runs = 100, unknownFields = true, budget = BUDGET } = {}) {
  const { name, migrations = [] } = named(spec);
  // Whether a loss is allowed on the way is not a question of laws.
  const stores = await engineWith([named(spec)], { reads: [], allowLossy: true });
  const steps = migrations.flatMap(singleSteps);
  /** @type {Run} */
  const run = (step, value) => within(step, structuredClone(value), budget);
  const values = await complete(name, steps, run, collected(samples, arbitrary, sample, runs));
  let checks = 0;

  for (const step of steps) {
    for (const value of /** @type {unknown[]} */ (values.get(step.from))) {
      for (const law of lawsOf(step)) {
        checks += 1;
        const violated = (/** @type {unknown} */ sample) => violation(law, step, run, sample);
        const first = await violated(value);
        if (first) throw brokenLaw(name, law, step, await smallest(first, violated));
      }
      for (const place of unknownFields ? objectsIn(value, []) : []) {
        checks += 1;
        const lost = await forgotten(step, run, value, place);
        if (lost) throw brokenLaw(name, 'unknown_fields', step, lost);
      }
    }
  }

  const head = spec.schema;
  for (const [from, all] of values) {
    if (!reaches(stores, name, from, head)) continue; // everySchemaReaches() speaks of that
    for (const value of all) {
      checks += 1;
      try {
        await stores.migrate([{ store: name, from, lineage: stores.lineage(name, from), value }], { lossy: true, budget });
      } catch (error) {
        const { code, store, step, path } = /** @type {ChangeoverError} */ (error);
        throw Object.assign(failure({ code, message: `${/** @type {ChangeoverError} */ (error).message}; x = ${shown(value)}`, store, step, path }), { sample: value });
      }
    }
  }
  if (checks === 0) throw failure({ code: 'no_samples', message: `store ${JSON.stringify(name)}: there is no sample, so nothing was checked`, store: name });
  return { checks };
}

/**
 * What a migration would do, without touching anything.
 *
 * @param {Spec | readonly Spec[]} spec one or several
 * @param {readonly Job[]} jobs
 * @param {{ verify?: boolean, lossy?: boolean, budget?: number }} [how]
 * @returns {Promise<{ stores: Rehearsal[] }>} one report for each job, in their order
 */
export async function rehearse(spec, jobs, { budget = BUDGET, verify = true, lossy = false } = {}) {
  const specs = [spec].flat().map(named);
  const stores = await engineWith(specs);
  /** @type {Rehearsal[]} */
  const reports = [];
  for (const { store = specs[0].name, from, lineage, ...job } of jobs) {
    try {
      const complete = { ...job, store, from, lineage: lineage ?? stores.lineage(store, from) };
      reports.push(...(await stores.migrate([complete], { dry: true, verify, lossy, budget })).stores);
    } catch (error) {
      // No way to go: a real migration would be refused before its first step.
      const { code, message, step = null, path = null } = /** @type {ChangeoverError} */ (error);
      const to = /** @type {number} */ (job.to ?? specs.find(({ name }) => name === store)?.schema);
      reports.push({ store, from, to, lossy: false, steps: [], error: { code, message, store, step, path } });
    }
  }
  return { stores: reports };
}

/**
 * Each step and each way back.
 *
 * @param {Migration} step
 * @returns {Step[]}
 */
function singleSteps({ from, to, up, down, lossy }) {
  const is = (/** @type {'up' | 'down'} */ way) => lossy === way || lossy === 'both';
  const there = { name: `${from} -> ${to} (up)`, from, to, run: up, inverse: down, up: true, lossy: is('up') };
  return down ? [there, { name: `${to} -> ${from} (down)`, from: to, to: from, run: down, inverse: up, up: false, lossy: is('down') }] : [there];
}

/**
 * @param {Step} step
 * @returns {Law[]}
 */
function lawsOf({ up, lossy, inverse }) {
  if (!inverse) return [];
  const [once, twice] = /** @type {Law[]} */ (up ? ['down_up', 'up_down_up'] : ['up_down', 'down_up_down']);
  return lossy ? [twice] : [once, twice];
}

/**
 * @param {NonNullable<RoundTripOptions['samples']>} samples
 * @param {NonNullable<RoundTripOptions['arbitrary']>} arbitrary
 * @param {NonNullable<RoundTripOptions['sample']>} sample
 * @param {number} runs
 */
function collected(samples, arbitrary, sample, runs) {
  /** @type {Values} */
  const values = new Map(Object.entries(samples).map(([schema, list]) => [Number(schema), [...list]]));
  for (const [schema, generator] of Object.entries(arbitrary)) {
    values.set(Number(schema), [...(values.get(Number(schema)) ?? []), ...sample(generator, runs)]);
  }
  return values;
}

/**
 * For generators that are functions; those of fast-check need its `sample`.
 *
 * @type {(generator: ((nth: number) => unknown) | object, runs: number) => unknown[]}
 */
function handy(generator, runs) {
  if (typeof generator === 'function') return Array.from({ length: runs }, (_, at) => generator(at));
  throw failure({ code: 'no_samples', message: 'an arbitrary that is no function needs `sample`, such as `fc.sample` of fast-check' });
}

/**
 * Schemas without a sample get what the steps make of others; a law that was tried on nothing would say nothing.
 *
 * @param {string} name
 * @param {Step[]} steps
 * @param {Run} run
 * @param {Values} values
 */
async function complete(name, steps, run, values) {
  for (let grown = true; grown; ) {
    grown = false;
    for (const step of steps) {
      if (values.get(step.to)?.length || !values.get(step.from)?.length) continue;
      /** @type {unknown[]} */
      const made = [];
      for (const value of /** @type {unknown[]} */ (values.get(step.from))) {
        try {
          made.push(await run(step.run, value));
        } catch (error) {
          throw brokenLaw(name, lawsOf(step)[0], step, { path: /** @type {ChangeoverError | null} */ (error)?.path, why: textOf(error), sample: value });
        }
      }
      values.set(step.to, made);
      grown = true;
    }
  }
  const without = steps.find(({ from }) => !values.get(from)?.length);
  if (without) throw failure({ code: 'no_samples', message: `store ${JSON.stringify(name)}, step ${without.name}: there is no sample of schema ${without.from}`, store: name, step: without.name });
  return values;
}

/**
 * @param {Law} law
 * @param {Step} step
 * @param {Run} run
 * @param {unknown} sample
 * @returns {Promise<Violation | null>}
 */
async function violation(law, { run: there, inverse: back }, run, sample) {
  /** @type {(path: string, why: string) => Violation} */
  const fail = (path, why) => ({ path, why, sample });
  try {
    const arrived = await run(there, sample);
    const returned = await run(/** @type {Way} */ (back), arrived);
    const twice = law === 'up_down_up' || law === 'down_up_down';
    const [expected, found] = twice ? [arrived, await run(there, returned)] : [sample, returned];
    const path = difference(expected, found);
    return path === null ? null : fail(path, `${excerpt(expected, path)} became ${excerpt(found, path)}`);
  } catch (error) {
    return fail(/** @type {ChangeoverError | null} */ (error)?.path ?? '', textOf(error));
  }
}

/**
 * Takes parts out of the counter-example while it still shows the same.
 *
 * @param {Violation} broken
 * @param {(sample: unknown) => Promise<Violation | null>} violated
 */
async function smallest(broken, violated) {
  const simpler = async () => {
    for (const fewer of withoutOnePart(broken.sample)) {
      const other = await violated(fewer);
      if (other?.path === broken.path && other.why === broken.why) return other;
    }
  };
  for (let round = 0; round < ROUNDS; round += 1) {
    const smaller = await simpler();
    if (!smaller) break;
    broken = smaller;
  }
  return broken;
}

/**
 * The value without one of its fields or elements, for each of them.
 *
 * @param {unknown} value
 * @returns {Generator<unknown>}
 */
function* withoutOnePart(value) {
  if (Array.isArray(value)) {
    for (const at of value.keys()) {
      yield value.filter((_, other) => other !== at);
      for (const smaller of withoutOnePart(value[at])) yield value.map((item, other) => (other === at ? smaller : item));
    }
  } else if (isPlain(value)) {
    for (const key of Object.keys(value)) {
      const { [key]: inside, ...fewer } = value;
      yield fewer;
      for (const smaller of withoutOnePart(inside)) yield { ...value, [key]: smaller };
    }
  }
}

/**
 * A field that a step does not know is still there after it, wherever it has moved to.
 *
 * @param {Step} step
 * @param {Run} run
 * @param {unknown} value
 * @param {Place} place
 * @returns {Promise<Violation | null>}
 */
async function forgotten({ run: there }, run, value, place) {
  const sample = structuredClone(value);
  const object = /** @type {Record<string, unknown>} */ (place.reduce((inside, key) => /** @type {Record<string | number, unknown>} */ (inside)[key], sample));
  object[UNKNOWN] = MARKER;
  const path = [...place, UNKNOWN].reduce((/** @type {string} */ text, key) => (typeof key === 'number' ? `${text}[${key}]` : text ? `${text}.${key}` : key), '');
  try {
    return holds(await run(there, sample), new Set()) ? null : { path, why: 'the field is gone', sample };
  } catch (error) {
    // Below the top, an object may be a dictionary whose every value has a meaning.
    return place.length ? null : { path, why: textOf(error), sample };
  }
}

/**
 * @param {unknown} value
 * @param {Place} place
 * @returns {Place[]}
 */
function objectsIn(value, place) {
  if (Array.isArray(value)) return value.flatMap((item, at) => objectsIn(item, [...place, at]));
  if (!isPlain(value)) return [];
  return [place, ...Object.entries(value).flatMap(([key, item]) => objectsIn(item, [...place, key]))];
}

/**
 * @param {unknown} value
 * @param {Set<object>} seen
 * @returns {boolean}
 */
function holds(value, seen) {
  if (value === null || typeof value !== 'object' || seen.has(value)) return false;
  seen.add(value);
  if (/** @type {Record<string, unknown>} */ (value)[UNKNOWN] === MARKER) return true;
  const inside = value instanceof Map ? [...value].flat() : value instanceof Set ? [...value] : Object.values(value);
  return inside.some((item) => holds(item, seen));
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
const isPlain = (value) => Object.prototype.toString.call(value) === '[object Object]';

/**
 * @param {string} name
 * @param {Law | undefined} law undefined: the step itself has failed
 * @param {Step} step
 * @param {Partial<Violation>} violation
 */
function brokenLaw(name, law, step, { path, why, sample }) {
  const formula = law ? `\`${FORMULAS[law]}\` is broken` : 'it failed';
  const message = `store ${JSON.stringify(name)}, step ${step.name}: ${formula}${path ? ` at ${path}` : ''}: ${why}; x = ${shown(sample)}`;
  return Object.assign(failure({ code: law ?? 'step_failed', message, store: name, step: step.name, path }), { sample });
}

/**
 * @param {Way} run
 * @param {unknown} value
 * @param {number} budget
 */
async function within(run, value, budget) {
  let timer;
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error(`no answer within ${budget} ms`)), budget);
  });
  try {
    return await Promise.race([run(value), late]);
  } finally {
    clearTimeout(timer);
  }
}
