// Migrations and durable stores: the engine's second WebAssembly module with the functions of the app around it.
//
// In order: instantiate, register what the app names, migrate states on copies, open stores. The engine decides every
// step; here the app's own functions run, on values that the engine never sees. A trap ends all of it: what was asked
// is refused with code `panic`, nothing is written any more, and the page goes on.
import { createBindings } from './bindings.js';
import { codeOf, failure } from './error.js';
import { textOf } from './load-errors.js';
import { instantiate } from './instantiate.js';
import { own } from './own.js';
import { check, isThenable, readSpec, then } from './spec.js';
import { createTranslate } from './store-steps.js';
import { openStore } from './store.js';
import { createStateRuns } from './state-migrations.js';
import { cloned, difference } from './clone.js';
/** @import { Registered } from './store-steps.js' */
/** @import { Adopted, Adoption, ChangeoverError } from './index.js' */
/**
 * @import {
 *   Engine, EngineStore, Job, MigrateOptions, Migrated, NamedStoreSpec, OpenedStore, RunInput, RunTask, StoreHost, StoreRecord,
 *   StoreReport, Stores, StoresBindings, Taker,
 * } from './types/state.js'
 */

/** @typedef {<T>(run: () => T) => T} Call into the engine */
/** @typedef {{ value: unknown, now?: unknown, before?: unknown }} Work on a value: as it was, is, and was before the last step */

/** Milliseconds that one step, snapshot or validation may take. */
const BUDGET = 3_000;

/**
 * @param {{options: {release?: string, build?: string | null, storesWasm?: string | null}}} page complete options: `release` for
 *   the scope of the databases, `build`, `storesWasm`
 * @returns {Promise<Stores>} what the rest of the package calls `stores`; see `register`, `migrate` and `open` below
 */
export async function createStores({ options }) {
  const { exports, shield } = await instantiate(createBindings(), /** @type {string | null} */ (options.storesWasm), 'stores.wasm', 'storesWasm');

  /** @type {Map<string, Registered>} */
  const specs = new Map(); // name -> {spec, functions}
  /** @type {Map<string, OpenedStore>} */
  const opened = new Map(); // name -> the open store
  const scope = options.release ? new URL(options.release, globalThis.document?.baseURI).pathname : '/';
  /** @type {ChangeoverError | null} */
  let dead = null;
  let place = '';

  /** @type {(why: ChangeoverError) => void} */
  let bury;
  /** @type {Promise<never>} */
  const death = new Promise((_, fail) => (bury = fail));
  death.catch(() => {});
  const die = (/** @type {unknown} */ error) => {
    if (dead) return;
    dead = failure({ code: 'panic', message: `stores have stopped: ${place || textOf(error)}` });
    bury(dead);
    for (const store of opened.values()) store.die(dead);
  };
  shield.onTrap = die;
  /**
   * Calls into the engine, which throws plain `{code, message, …}`; anything else is a trap.
   *
   * @type {Call}
   */
  const call = (run) => {
    if (dead) throw dead;
    /** @type {any} */
    let answer;
    try {
      answer = run();
    } catch (/** @type {any} */ error) {
      if (typeof error?.code === 'string' && !(error instanceof Error)) throw failure(error);
      die(error);
    }
    if (dead) throw dead; // it may have died of this very call
    return answer;
  };
  const core = new /** @type {StoresBindings} */ (exports).Stores({
    panicked: (at) => {
      place = at;
    },
  });

  /** @type {Stores['register']} */
  const register = (spec) => {
    const { registration, functions } = readSpec(spec);
    call(() => core.register(registration));
    specs.set(spec.name, { spec, functions });
  };
  /** @type {Stores['unregister']} */
  const unregister = (name) => {
    if (specs.delete(name) && !dead) call(() => core.unregister(name));
  };
  const stepsOf = (/** @type {string} */ name) => specs.get(name)?.functions ?? [];
  const translate = createTranslate(specs);

  const stores = /** @type {Omit<Stores, 'states'>} */ ({
    register,
    unregister,
    lineage: (name, schema) => call(() => core.lineage(name, schema)),
    way: (name, from, to) => call(() => core.way(name, from, to)),
    reach: (name) => call(() => core.reach(name)),
    handover: (name, taker) => call(() => core.handover(name, taker)),

    /**
     * Takes values from the schemas they were stored in to those of this build (or to `to`), all or nothing, on copies.
     *
     * @param {Job[]} jobs
     * @param {MigrateOptions} [how] `dry`: ends in a report; `verify`: also goes back after each step and compares
     * @returns {Promise<Migrated[] | {stores: StoreReport[]}>}
     */
    async migrate(jobs, { dry = false, verify = false, lossy = false, budget = BUDGET, onProgress } = {}) {
      const bare = jobs.map(({ value, ...job }) => job);
      const run = call(() => core.migrate(bare, { dry, verify, lossy, budget }));
      const work = new Map(jobs.map(({ store, value }) => [store, /** @type {Work} */ ({ value })]));
      /** @type {unknown} */
      let pending;
      /** @type {(type: RunInput['type'], store: string, more?: Omit<RunInput, 'type' | 'store'>) => void} */
      const feed = (type, store, more) => call(() => run.feed({ type, store, ...more }));
      /**
       * Begins what the engine asks for; the answer may come at once or later.
       *
       * @param {RunTask} task
       */
      const begin = ({ type, store, index, step, schema }) => {
        const mine = /** @type {Work} */ (work.get(store));
        /** @type {(next: () => unknown, wrong: RunInput['type']) => unknown} */
        const answer = (next, wrong) => {
          const failed = (/** @type {any} */ error) => feed(wrong, store, { index, message: textOf(error), path: error?.path });
          try {
            const made = next();
            return isThenable(made) ? made.catch(failed) : made;
          } catch (error) {
            return failed(error);
          }
        };
        if (type === 'snapshot') {
          return answer(() => {
            mine.now = cloned(mine.value, `state "${store}"`);
            feed('snapshotTaken', store);
          }, 'snapshotFailed');
        }
        if (type === 'runStep') {
          return answer(() => {
            mine.before = verify ? structuredClone(mine.now) : undefined;
            return then(stepsOf(store)[step].run(mine.now), (made) => {
              mine.now = made;
              feed('stepDone', store, { index });
            });
          }, 'stepFailed');
        }
        if (type === 'goBack') {
          return answer(
            () =>
              then(stepsOf(store)[step].run(structuredClone(mine.now)), (back) => {
                const path = difference(mine.before, back);
                feed(path === null ? 'restored' : 'notRestored', store, { index, path });
              }),
            'stepFailed',
          );
        }
        const { spec } = /** @type {Registered} */ (specs.get(store));
        return answer(
          () =>
            then(check(schema === spec.schema ? spec.validate : undefined, mine.now), (wrong) =>
              feed(wrong ? 'invalid' : 'validated', store, { message: wrong?.message, path: wrong?.path }),
            ),
          'invalid',
        );
      };
      /** @type {ReturnType<typeof setTimeout> | undefined} */
      let timer;
      try {
        for (;;) {
          const output = call(() => run.next());
          if (output.type === 'failed') throw failure(output.error);
          if (output.type === 'reported') return { stores: output.stores };
          if (output.type === 'ready')
            return output.stores.map(([store, schema]) => ({ store, schema, value: /** @type {Work} */ (work.get(store)).now }));
          if (output.type === 'progress') onProgress?.(output.done, output.total);
          else if (output.type !== 'wake') pending = begin(output);
          else {
            const late = new Promise((wake) => {
              timer = setTimeout(wake, Math.max(0, /** @type {number} */ (output.at) - Date.now()));
            });
            await Promise.race([late, pending]);
            clearTimeout(timer);
            feed('woke', '');
          }
        }
      } finally {
        clearTimeout(timer);
        run.free();
      }
    },

    /** Opens a durable store; the same one when it is open already. */
    async open(spec) {
      const { name, budget = BUDGET } = spec;
      register(spec);
      const forget = () => {
        opened.delete(name);
        unregister(name);
      };
      try {
        const initial = await Promise.race([firstRecords(stores, core, scope, spec, call), death]);
        /** @type {(host: Omit<StoreHost, 'translate'>) => EngineStore} */
        const begin = (host) =>
          call(() =>
            core.open(
              name,
              { ...spanOptions(spec), scope, build: options.build ?? '', accepts: spec.accepts ?? [], initial },
              { ...host, translate: (recipes, schema, forGood) => translate(name, recipes, schema, forGood, budget) },
            ),
          );
        const store = openStore({ spec, stores, begin, call, forget });
        opened.set(name, store);
        return store.api;
      } catch (error) {
        forget();
        throw error;
      }
    },

    /** Schemas of open stores that have been left, as `backups()` lists them. */
    async backups() {
      return [...opened.values()].flatMap((store) => store.backups());
    },

    /**
     * The release goes to a build that knows these schemas: brings back those that are older than this build's.
     *
     * @param {Record<string, {schema: number, reads?: number[]}>} target
     * @param {number} patience milliseconds to wait for it
     * @returns {Promise<string[]>} a sentence for each store that has not come back
     */
    async handOver(target, patience) {
      const older = [...opened].flatMap(([name, store]) => {
        const { schema, reads } = /** @type {Partial<Taker>} */ (own(target, name) ?? {});
        return /** @type {[OpenedStore, number][]} */ (
          /** @type {number} */ (schema) < store.spec.schema && !reads?.includes(store.spec.schema) ? [[store, schema]] : []
        );
      });
      const ends = await Promise.all(older.map(([store, schema]) => store.revive(schema, patience)));
      return /** @type {string[]} */ (ends.filter(Boolean));
    },

    close() {
      for (const store of [...opened.values()]) store.api.close();
    },
  });
  return Object.assign(stores, { states: createStateRuns(stores) });
}

/** @param {NamedStoreSpec} spec */
const spanOptions = ({ dwell, retention, census, batch }) => {
  const given = /** @type {[string, number][]} */ (Object.entries({ dwell, retention, census, batch })).filter(
    ([, value]) => Number.isFinite(value) && value >= 0,
  );
  return Object.fromEntries(given.map(([name, value]) => [name, Math.floor(value)]));
};

/**
 * What a store begins with, if it has to be made: what was there before it, else what the app begins with.
 *
 * @param {Pick<Stores, 'migrate'>} stores
 * @param {Engine} core
 * @param {string} scope
 * @param {NamedStoreSpec} spec
 * @param {Call} call
 * @returns {Promise<StoreRecord[]>}
 */
async function firstRecords(stores, core, scope, spec, call) {
  const { name, schema } = spec;
  const exists = await call(() => core.exists(scope, name));
  if (typeof exists === 'string') throw failure({ code: 'unavailable', message: `store "${name}": ${exists}`, store: name });
  if (exists) return [];
  /** @type {Map<string, unknown>} */
  const records = new Map();
  const first = typeof spec.initial === 'function' ? await spec.initial() : spec.initial;
  for (const [key, value] of Object.entries(first ?? {})) records.set(key, cloned(value, `store "${name}": "${key}"`));
  for (const adopt of [spec.adopt ?? []].flat()) {
    const found = await adopted(name, adopt);
    for (const [key, value] of found?.records ?? []) {
      if (/** @type {Adopted} */ (found).schema === schema && !spec.validate) records.set(key, cloned(value, `store "${name}": "${key}"`));
      else {
        // Their lineage is not known; their schema number is what the app says it is.
        const [made] = await stores.migrate([{ store: name, from: /** @type {Adopted} */ (found).schema, lineage: '', value }]);
        records.set(key, made.value);
      }
    }
  }
  return [...records];
}

/** @type {(name: string, adopt: Adoption) => ReturnType<Adoption>} */
async function adopted(name, adopt) {
  try {
    return await adopt();
  } catch (/** @type {any} */ error) {
    throw failure({ code: codeOf(error, 'adoption_failed'), message: `store "${name}" could not take over what was there before it: ${textOf(error)}`, store: name, path: error?.path });
  }
}
