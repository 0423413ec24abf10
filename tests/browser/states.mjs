// What states.js stands on, in memory: an envelope, the database, the marks, and the migrations of `stores.js`.
import { createStateRuns } from '../../pkg-template/state-migrations.js';
import { createStates } from '../../pkg-template/states.js';

/** @import { TestContext } from 'node:test' */
/** @import { StateProvider } from '../../pkg-template/index.js' */
/** @import { Envelope, Job, KeptHead, NamedSchema, Restored, StateRuns, Stores, Taker, Why } from '../../pkg-template/types/state.js' */
/** @typedef {ReturnType<typeof makeDisk>} Disk */
/** @typedef {{disk?: Disk, runs?: (() => Promise<StateRuns>) | null, build?: string}} Surroundings */
/** @typedef {Awaited<ReturnType<ReturnType<typeof createStates>['capture']>>} Captured */
/** @typedef {NonNullable<Parameters<typeof createStates>[0]['kept']>} Kept */
/** @typedef {Record<string, any>} Fields what a state of these tests holds */

const error = (/** @type {string} */ code, /** @type {string} */ message) => Object.assign(new Error(message), { name: 'ChangeoverError', code });

/**
 * One page. `carried` is the envelope it came with, `disk` what all pages of the site share.
 *
 * @param {Partial<Envelope>} carried
 * @param {Surroundings} surroundings
 */
export function setUp(carried = {}, { disk = makeDisk(), runs, build = 'b' } = {}) {
  carried = structuredClone({ id: 'e1', from: 'a', at: Date.now(), ...carried });
  runs = runs === undefined ? async () => createStateRuns(/** @type {Stores} */ (/** @type {unknown} */ (makeStores()))) : runs;
  /** @type {Restored[]} */
  const told = [];
  /** @type {{code: string, message: string}[]} */
  const problems = [];
  const states = createStates({
    scope: '/release.json',
    build,
    carried: () => carried,
    keep() {},
    tell: (names) => told.push(names),
    problem: (code, message) => problems.push({ code, message }),
    runs,
    kept: /** @type {Kept} */ (/** @type {unknown} */ (disk.kept)),
    used: disk.used,
  });
  return { states, told, problems, carried: /** @type {Envelope} */ (carried), disk, runs: /** @type {() => Promise<StateRuns>} */ (runs) };
}

/** The envelope that `states.capture` fills, for the next page. */
export const sealed = (/** @type {Pick<Captured, 'states' | 'about'>} */ { states, about }, id = 'e2') => JSON.parse(JSON.stringify({ id, from: 'a', at: Date.now(), states, about }));

/** The database and the marks of a site. */
export function makeDisk() {
  /** @type {Map<string, {head: KeptHead & Partial<Why>, value: unknown}>} */
  const records = new Map();
  /** @type {Set<string>} */
  const marks = new Set();
  const broken = { why: /** @type {string | null} */ (null) };
  const check = () => {
    if (broken.why) throw error('storage_unavailable', broken.why);
  };
  return {
    records,
    marks,
    broken,
    kept: {
      async put(/** @type {KeptHead} */ head, /** @type {unknown} */ value) {
        check();
        const before = records.get(head.id)?.head;
        records.set(head.id, { head: { ...head, ...(before?.reason && { reason: before.reason, message: before.message }) }, value: structuredClone(value) });
      },
      async value(/** @type {string} */ id) {
        check();
        return records.has(id) ? { value: structuredClone(/** @type {{value: unknown}} */ (records.get(id)).value) } : undefined;
      },
      /** @returns {Promise<undefined>} */
      async note(/** @type {string} */ id, /** @type {Why} */ { reason, message }) {
        check();
        const record = records.get(id);
        if (record && !record.head.reason) Object.assign(record.head, { reason, message });
      },
      async remove(/** @type {string[]} */ ids) {
        check();
        for (const id of ids) records.delete(id);
      },
      /** @returns {Promise<(KeptHead & Why)[]>} */
      async list() {
        check();
        return /** @type {(KeptHead & Why)[]} */ ([...records.values()].map(({ head }) => head).filter(({ reason }) => reason));
      },
    },
    used: {
      has: (/** @type {string} */ token, /** @type {string} */ name) => marks.has(`${token} ${name}`),
      add: (/** @type {string} */ token, /** @type {string} */ name) => marks.add(`${token} ${name}`),
      alone: (/** @type {unknown} */ _, /** @type {() => any} */ work) => work(),
    },
  };
}

/** A step that goes both ways. */
export const split = {
  from: 1,
  to: 2,
  id: 'split the name',
  up: (/** @type {Fields} */ { name, ...rest }) => ({ ...rest, first: name.split(' ')[0], last: name.split(' ')[1] }),
  down: (/** @type {Fields} */ { first, last, nick, ...rest }) => ({ ...rest, name: `${first} ${last}` }),
};
/** The same without a way back. */
export const oneWay = { ...split, down: undefined };
/**
 * A provider that holds one value.
 *
 * @type {(value?: any, more?: object) => StateProvider<any> & {value: any}}
 */
export const holder = (value, more = {}) => ({
  value,
  capture() {
    return this.value;
  },
  restore(taken) {
    this.value = taken;
  },
  ...more,
});
/** The build that knows schema 1, and the one after it. */
/** @type {(value?: any) => ReturnType<typeof holder>} */
export const first = (value) => holder(value, { schema: 1 });
/** @type {(value?: any, migrations?: object[]) => ReturnType<typeof holder>} */
export const second = (value, migrations = [split]) => holder(value, { schema: 2, migrations });
/** Lets problems be told without a line on the console. */
export const quiet = (/** @type {TestContext} */ t) => t.mock.method(console, 'error', () => {});

/**
 * What a page with these states leaves behind for a build that reads `stores`.
 *
 * @param {Record<string, StateProvider<any>>} states
 * @param {Surroundings & {stores?: Record<string, Taker>, carried?: Partial<Envelope>}} surroundings
 */
export async function leave(states, { stores, disk = makeDisk(), carried, runs } = {}) {
  const page = setUp(carried, { disk, runs, build: 'a' });
  for (const [name, state] of Object.entries(states)) page.states.register(name, state);
  await page.states.restored();
  const captured = await page.states.capture(stores);
  return { page, disk, captured, envelope: sealed(captured) };
}

/**
 * The page after it.
 *
 * @param {Record<string, StateProvider<any>>} states
 * @param {{envelope: Envelope, disk: Disk}} left
 * @param {Surroundings} options
 */
export async function arrive(states, left, options = {}) {
  const page = setUp(left.envelope, { disk: left.disk, ...options });
  const report = page.states.restored();
  for (const [name, state] of Object.entries(states)) page.states.register(name, state);
  return { ...page, report: await report };
}

/** `stores.js` as far as states go: steps between neighbouring schemas, by the contract of the real one. */
function makeStores() {
  /** @type {{get(name: string): NamedSchema, has(name: string): boolean, set(name: string, spec: NamedSchema): unknown, delete(name: string): boolean}} */
  const specs = /** @type {any} */ (new Map());
  const path = (/** @type {string} */ name, /** @type {number} */ from, /** @type {number} */ to) => {
    const { migrations = [], schema } = specs.get(name);
    const known = new Set([schema, ...migrations.flatMap(({ from, to }) => [from, to])]);
    if (!known.has(from)) throw error('unknown_schema', `store "${name}" holds schema ${from}, which this build (head ${schema}) does not know`);
    /** @type {((value: unknown) => unknown)[]} */
    const steps = [];
    for (let at = from; at !== to; ) {
      const step = migrations.find((step) => (to > from ? step.from === at : step.to === at && step.down));
      if (!step) throw error('no_path', `store "${name}": no path leads from schema ${from} to ${to}`);
      steps.push(/** @type {(value: unknown) => unknown} */ (to > from ? step.up : step.down));
      at = to > from ? step.to : step.from;
    }
    return steps;
  };
  return {
    register(/** @type {NamedSchema} */ spec) {
      if (specs.has(spec.name)) throw error('duplicate_store', `store "${spec.name}" is registered twice`);
      if (spec.migrations?.some(({ from, to }) => from === to)) throw error('self_step', `store "${spec.name}": a step leads nowhere`);
      specs.set(spec.name, spec);
    },
    unregister: (/** @type {string} */ name) => void specs.delete(name),
    lineage: (/** @type {string} */ name, schema = specs.get(name).schema) => `to ${schema}`,
    way: (/** @type {string} */ name, /** @type {number} */ from, /** @type {number} */ to) => ({ lossy: false, steps: path(name, from, to) }),
    handover(/** @type {string} */ name, /** @type {Taker | undefined} */ taker) {
      const { schema, migrations = [] } = specs.get(name);
      if (!taker) return { to: null, also: migrations.filter(({ down }) => down).map(({ from }) => from).reverse() };
      if (taker.schema >= schema || taker.reads.includes(schema)) return { to: null, also: [] };
      path(name, schema, taker.schema);
      return { to: taker.schema, also: [] };
    },
    async migrate(/** @type {Job[]} */ jobs) {
      const made = [];
      for (const { store, from, value, to = specs.get(store).schema } of jobs) {
        let now = structuredClone(value);
        for (const step of path(store, from, to)) {
          try {
            now = await step(now);
          } catch (problem) {
            throw error('step_failed', `store "${store}": a step failed: ${/** @type {Error} */ (problem).message}`);
          }
        }
        if (to === specs.get(store).schema && /** @type {((value: unknown) => unknown) | undefined} */ (specs.get(store).validate)?.(now) === false) throw error('invalid_value', `store "${store}": its value is not valid`);
        made.push({ store, schema: to, value: now });
      }
      return made;
    },
  };
}
