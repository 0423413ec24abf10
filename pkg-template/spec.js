// What apps register about the shape of a state or a store: its steps and its validator.
import { failure } from './error.js';
import { textOf } from './load-errors.js';

/** @import { Migration, Schema, StandardResult, StandardSchema, Validator } from './index.js' */

/**
 * One way of a step. `back`: which one undoes it; `lossy`: whether it may lose what that cannot bring back.
 *
 * @typedef {{ run: (value: any) => unknown, name: string, back: number | null, lossy: boolean }} StepFunction
 * @typedef {{ from: number, to: number, up: number, down: number | null, lossyUp: boolean, lossyDown: boolean, cost: number, id: string | null }} Step
 *   `up` and `down` are numbers of functions
 * @typedef {{ name: string, schema: number, steps: Step[], reads: number[] | null, allowLossy: boolean, accepts: number[] }} Registration
 * @typedef {{ message: string, path?: string }} Wrong
 */

/**
 * @template T
 * @param {T | Promise<T>} value
 * @returns {value is Promise<T>}
 */
export const isThenable = (value) => typeof (/** @type {Promise<T> | undefined} */ (value)?.then) === 'function';

/**
 * `next(value)`, at once or when the promise is there: a batch of records must not wait a turn for each.
 *
 * @template T, R
 * @param {T | Promise<T>} value
 * @param {(value: T) => R | Promise<R>} next
 * @returns {R | Promise<R>}
 */
export const then = (value, next) => (isThenable(value) ? value.then(next) : next(value));

/**
 * Splits a spec into what the engine checks and the functions it names by number.
 *
 * @param {Schema & { name: string }} spec
 * @returns {{ registration: Registration, functions: StepFunction[] }}
 * @throws a failure with code `invalid_spec`
 */
export function readSpec(spec) {
  const { name, schema, reads, migrations = [], validate, allowLossy = false, accepts = [] } = spec;
  /** @type {(what: string) => never} */
  const refuse = (what) => {
    throw failure({ code: 'invalid_spec', message: `store ${JSON.stringify(name)}: ${what}`, store: name });
  };
  /** @type {(number: any, what: string) => number} what apps without types hand in */
  const whole = (number, what) => {
    if (Number.isInteger(number) && number > 0 && number < 2 ** 32) return number;
    refuse(`${what} is ${typeof number === 'string' ? JSON.stringify(number) : textOf(number)}; it must be a whole number from 1`);
  };
  if (typeof name !== 'string' || !name) refuse('its name is no text');
  if (!Array.isArray(migrations)) refuse('"migrations" is no list');
  const check = /** @type {Partial<StandardSchema> | undefined} */ (validate)?.['~standard']?.validate ?? validate;
  if (validate !== undefined && typeof check !== 'function') refuse('"validate" is neither a function nor a Standard Schema');
  /** @type {StepFunction[]} */
  const functions = [];
  /** @type {(run: Migration['up'] | undefined, what: string, step: { name: string, lossy: boolean, back?: number }) => number} */
  const keep = (run, what, step) => {
    if (typeof run !== 'function') refuse(`${what} is no function`);
    return functions.push({ run, back: null, ...step }) - 1;
  };
  const steps = migrations.map((/** @type {Partial<Migration> | null | undefined} */ given, at) => {
    const { from, to, up, down, lossy, id, cost = 1 } = given ?? {};
    const named = `the step ${from} -> ${to}`;
    whole(from, `"from" of migration ${at}`);
    whole(to, `"to" of migration ${at}`);
    if (lossy !== undefined && !['up', 'down', 'both'].includes(lossy)) refuse(`${named} has lossy ${JSON.stringify(lossy)}, which must be "up", "down" or "both"`);
    if (id !== undefined && typeof id !== 'string') refuse(`the id of ${named} is no text`);
    const [lossyUp, lossyDown] = ['up', 'down'].map((way) => lossy === way || lossy === 'both');
    const there = keep(up, `"up" of ${named}`, { name: `${from} -> ${to} (up)`, lossy: lossyUp });
    const back = down === undefined ? null : keep(down, `"down" of ${named}`, { name: `${to} -> ${from} (down)`, back: there, lossy: lossyDown });
    functions[there].back = back;
    return {
      from: /** @type {number} */ (from),
      to: /** @type {number} */ (to),
      up: there,
      down: back,
      lossyUp,
      lossyDown,
      cost: whole(cost, `the cost of ${named}`),
      id: id || null,
    };
  });
  whole(schema, '"schema"');
  for (const read of reads ?? []) whole(read, 'an entry of "reads"');
  return { registration: { name, schema, steps, reads: reads ?? null, allowLossy, accepts }, functions };
}

/**
 * Whether a value is one of the schema: `null`, or what is wrong and where. A promise if the validator answers with one.
 * What a validator makes of the value is ignored: many drop the fields they do not know, and those are not ours to drop.
 *
 * @param {Validator | undefined} validate
 * @param {unknown} value
 * @returns {Wrong | null | Promise<Wrong | null>}
 */
export function check(validate, value) {
  if (!validate) return null;
  const standard = /** @type {Partial<StandardSchema>} */ (validate)['~standard'];
  /** @type {(result: unknown) => Wrong | null} */
  const judged = (result) => {
    if (!standard) return result === false ? { message: 'the validator returned false' } : null;
    const [issue] = /** @type {StandardResult<unknown>} */ (result).issues ?? [];
    return issue ? { message: String(issue.message), path: pathOf(issue.path) } : null;
  };
  /** @type {(error: { path?: unknown } | null | undefined) => Wrong} */
  const thrown = (error) => ({ message: textOf(error), path: typeof error?.path === 'string' ? error.path : undefined });
  try {
    const result = standard ? standard.validate(structuredClone(value)) : /** @type {(value: unknown) => unknown} */ (validate)(structuredClone(value));
    return isThenable(result) ? Promise.resolve(result).then(judged).catch(thrown) : judged(result);
  } catch (error) {
    return thrown(/** @type {{ path?: unknown }} */ (error));
  }
}

/**
 * `['items', 0, {key: 'price'}]` is `items[0].price`.
 *
 * @param {readonly (PropertyKey | { readonly key: PropertyKey })[]} [parts]
 */
function pathOf(parts = []) {
  const names = parts.map((part) => (typeof part === 'object' && part ? part.key : part));
  return names.reduce((/** @type {string} */ path, name) => (typeof name === 'number' ? `${path}[${name}]` : path ? `${path}.${String(name)}` : String(name)), '') || undefined;
}
