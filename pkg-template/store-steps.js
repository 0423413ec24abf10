// The migration steps of the app, run as the engine's recipes say: record by record, on copies, forwards and back.
import { textOf } from './load-errors.js';
import { check, isThenable, then } from './spec.js';
import { merge, missing } from './clone.js';
/** @import { Hop, NamedSchema, Ours, Recipe, Step } from './types/state.js' */

/** @typedef {{ spec: NamedSchema, functions: Step[] }} Registered */

/**
 * What translates records of the stores in `specs`. Answers come at once where every step and validator answers at once,
 * else by a promise.
 *
 * @param {Map<string, Registered>} specs
 */
export function createTranslate(specs) {
  const stepsOf = (/** @type {string} */ name) => specs.get(name)?.functions ?? [];

  /**
   * Runs one step; a promise if it answers with one. What it throws names it.
   *
   * @type {(step: Step, value: unknown, budget: number) => unknown}
   */
  const take = (step, value, budget) => {
    /** @type {(error: any) => never} */
    const failed = (error) => {
      throw inStep(step, textOf(error), typeof error?.path === 'string' ? error.path : undefined);
    };
    const some = (/** @type {unknown} */ made) => (made === undefined ? failed('it gave undefined') : made);
    let made;
    try {
      made = step.run(value);
    } catch (error) {
      failed(error);
    }
    return isThenable(made) ? within(made, budget).catch(failed).then(some) : some(made);
  };

  /**
   * Runs steps one after the other. With `whole`, each also goes back, and a field that does not come back is an error.
   *
   * @type {(name: string, value: unknown, steps: number[], budget: number, whole?: boolean) => unknown}
   */
  const walk = (name, value, steps, budget, whole) => {
    for (let at = 0; at < steps.length; at += 1) {
      const step = stepsOf(name)[steps[at]];
      const goBack = whole && !step.lossy && step.back !== null;
      const before = goBack ? structuredClone(value) : undefined;
      const made = then(take(step, value, budget), (now) => {
        if (!goBack) return now;
        return then(take(stepsOf(name)[step.back], structuredClone(now), budget), (back) => {
          const path = missing(before, back);
          if (path === null) return now;
          throw inStep(step, `going back does not bring back ${path || 'the value'}, and the step is not marked lossy`, path);
        });
      });
      if (isThenable(made)) return made.then((now) => walk(name, now, steps.slice(at + 1), budget, whole));
      value = made;
    }
    return value;
  };

  /**
   * Makes one record as the engine's recipe says. `ours` is what the schema below has of an older copy.
   *
   * @type {(name: string, value: unknown, hops: Hop[], budget: number, whole: boolean) => unknown}
   */
  const cook = (name, value, hops, budget, whole) => {
    for (let at = 0; at < hops.length; at += 1) {
      const [steps, ours] = hops[at];
      const theirs = walk(name, value, steps, budget, whole);
      const made = ours ? blend(name, theirs, steps, ours, budget) : theirs;
      if (isThenable(made)) return made.then((now) => cook(name, now, hops.slice(at + 1), budget, whole));
      value = made;
    }
    return value;
  };
  /** @type {(name: string, theirs: unknown, steps: number[], ours: Ours, budget: number) => unknown} */
  const blend = (name, theirs, steps, [own, there], budget) =>
    then(theirs, (news) => {
      const below = walk(name, structuredClone(own), there, budget);
      return then(then(below, (known) => walk(name, known, steps, budget)), (base) => merge(base, own, news));
    });

  /**
   * @param {string} name
   * @param {Recipe[]} recipes
   * @param {number | undefined} schema validate what is made, if it is of the schema this build works with
   * @param {boolean} forGood they are to take the place of what they are made from, so also what is there already is
   *   validated, and no field may get lost
   * @param {number} budget
   */
  return (name, recipes, schema, forGood, budget) => {
    const { spec } = /** @type {{ spec: Partial<NamedSchema> }} */ (specs.get(name) ?? { spec: {} });
    const validate = schema === spec.schema ? spec.validate : undefined;
    const one = (/** @type {Recipe} */ [value, hops]) => {
      const made = cook(name, structuredClone(value), hops, budget, forGood);
      if (!validate || !(forGood || hops.length)) return made;
      return then(made, (done) => then(check(validate, done), (wrong) => (wrong ? invalid(schema, wrong) : done)));
    };
    /** @type {unknown[]} */
    const values = [];
    /** @type {(error: any, place: number) => object} */
    const failed = (error, place) => ({ place, message: error?.message ?? textOf(error), step: error?.step, path: error?.path });
    /** @type {(from: number) => unknown[] | Promise<unknown[]>} */
    const go = (from) => {
      for (let at = from; at < recipes.length; at += 1) {
        let made;
        try {
          made = one(recipes[at]);
        } catch (error) {
          throw failed(error, at);
        }
        if (isThenable(made)) {
          return made.then(
            (value) => {
              values.push(value);
              return go(at + 1);
            },
            (error) => Promise.reject(failed(error, at)),
          );
        }
        values.push(made);
      }
      return values;
    };
    return go(0);
  };
}

/** @type {(schema: number | undefined, wrong: { message: string, path?: string }) => never} */
const invalid = (schema, { message, path }) => {
  throw Object.assign(new Error(`its value is not valid as schema ${schema}${path ? ` at ${path}` : ''}: ${message}`), { path });
};

/** @type {(step: Step, message: string, path?: string) => Error} */
const inStep = ({ name: step }, message, path) =>
  Object.assign(new Error(`the step ${step} failed${path ? ` at ${path}` : ''}: ${message}`), { step, path });

/**
 * @template T
 * @param {T} answer
 * @param {number} budget
 */
async function within(answer, budget) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {Promise<never>} */
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error(`a step gave no answer within ${budget} ms`)), budget);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
