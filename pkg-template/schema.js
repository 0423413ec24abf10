// What apps register about the shape of a state or a store: its steps and its validator.
import { failure } from './failure.js';
import { textOf } from './failures.js';

export const isThenable = (value) => typeof value?.then === 'function';

/** `next(value)`, at once or when the promise is there: a batch of records must not wait a turn for each. */
export const then = (value, next) => (isThenable(value) ? value.then(next) : next(value));

/**
 * Splits a spec into what the engine checks and the functions it names by number.
 *
 * @param {import('./index.js').Schema & {name: string}} spec
 * @returns {{registration: object, functions: {run: Function, name: string, back: number | null, lossy: boolean}[]}}
 *   `back`: which one undoes it, `lossy`: whether it may lose what that cannot bring back
 * @throws a failure with code `invalid_spec`
 */
export function readSpec(spec) {
  const { name, schema, reads, migrations = [], validate, allowLossy = false, accepts = [] } = spec;
  const refuse = (what) => {
    throw failure({ code: 'invalid_spec', message: `store ${JSON.stringify(name)}: ${what}`, store: name });
  };
  const whole = (number, what) => {
    if (Number.isInteger(number) && number > 0 && number < 2 ** 32) return number;
    refuse(`${what} is ${typeof number === 'string' ? JSON.stringify(number) : textOf(number)}; it must be a whole number from 1`);
  };
  if (typeof name !== 'string' || !name) refuse('its name is no text');
  if (!Array.isArray(migrations)) refuse('"migrations" is no list');
  const check = validate?.['~standard']?.validate ?? validate;
  if (validate !== undefined && typeof check !== 'function') refuse('"validate" is neither a function nor a Standard Schema');
  const functions = [];
  const keep = (run, what, step) => {
    if (typeof run !== 'function') refuse(`${what} is no function`);
    return functions.push({ run, back: null, ...step }) - 1;
  };
  const steps = migrations.map(({ from, to, up, down, lossy, id, cost = 1 } = {}, at) => {
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
      from,
      to,
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
 */
export function check(validate, value) {
  if (!validate) return null;
  const standard = validate['~standard'];
  const judged = (result) => {
    if (!standard) return result === false ? { message: 'the validator returned false' } : null;
    const [issue] = result.issues ?? [];
    return issue ? { message: String(issue.message), path: pathOf(issue.path) } : null;
  };
  const thrown = (error) => ({ message: textOf(error), path: typeof error?.path === 'string' ? error.path : undefined });
  try {
    const result = standard ? standard.validate(structuredClone(value)) : validate(structuredClone(value));
    return isThenable(result) ? result.then(judged).catch(thrown) : judged(result);
  } catch (error) {
    return thrown(error);
  }
}

/** `['items', 0, {key: 'price'}]` is `items[0].price`. */
function pathOf(parts = []) {
  const names = parts.map((part) => (typeof part === 'object' && part ? part.key : part));
  return names.reduce((path, name) => (typeof name === 'number' ? `${path}[${name}]` : path ? `${path}.${String(name)}` : String(name)), '') || undefined;
}
