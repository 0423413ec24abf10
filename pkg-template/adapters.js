// `changeover/adapters`: what state libraries hold, as the `{capture, restore}` of a state. Each adapter knows its library
// by the shape of what it gets and needs none of them installed.
//
//   changeover.state('cart', zustand(useCart, { schema: 2, migrations }))
//
// What was captured replaces what is there; what was not captured stays. Functions, such as the actions of a store, are
// neither captured nor replaced, and neither is anything that `pick` leaves out or `omit` names.
import { allowed, chosen, cloned, described, fieldsOf, keysOf, merged, plain, record, refill, shaped } from './adapter-values.js';
import { failure } from './error.js';
/**
 * @import {
 *   Fields, More, Pinia, PiniaStore, QueryCache, QueryClient, QueryMore, ReduxStore, ZustandStore,
 * } from './adapters.js'
 */
/** @import { Only, Plain } from './adapter-values.js' */
/** @import { Schema, StateProvider } from './index.js' */

/** @typedef {{ capture: (only?: Only) => unknown, restore: (value: unknown, only?: Only) => void }} Adapter */
/** @typedef {PiniaStore<unknown> & { $id: string }} NamedStore */
/** @typedef {Pinia & { _s: Map<string, NamedStore>, _a?: unknown, _p?: unknown[] }} PiniaInside its stores, app and plugins */

// What is used of TanStack Query.
/** @typedef {{ status: string, dataUpdatedAt: number, fetchStatus?: string }} QueryState */
/**
 * @typedef {{
 *   queryKey?: readonly unknown[],
 *   queryHash: string,
 *   queryType?: string,
 *   state: QueryState,
 *   meta?: object,
 * }} Query
 */
/** @typedef {{ options: { mutationKey?: unknown, scope?: object }, state: { isPaused: boolean }, meta?: object }} Mutation */
/**
 * @template Kept
 * @typedef {{ getAll: () => Kept[], build: (client: Client, options: object, state: object) => unknown }} Cache
 */
/**
 * @typedef {{
 *   getQueryCache: () => Cache<Query> & { get: (hash: string) => Query & { setState: (state: QueryState) => void } | undefined },
 *   getMutationCache: () => Cache<Mutation>,
 * }} Client
 */

/**
 * A zustand store, or the hook made from one.
 *
 * @template S
 * @param {ZustandStore<S>} store
 * @param {More<keyof S>} [more]
 * @returns {StateProvider<Partial<Fields<S>>>}
 */
export function zustand(store, more) {
  demand('zustand()', 'a store with getState() and setState()', store, store?.getState, store?.setState);
  return provider(more, {
    capture: (only) => chosen(store.getState(), only),
    restore(value, only) {
      const state = store.getState();
      // Replaced as a whole, for zustand merges objects only.
      store.setState(merged(state, shaped(state, value), only), true);
    },
  });
}

/**
 * A Redux store and its root reducer.
 *
 * The value is put in place by a reducer that stands in for the app's during one `replaceReducer()`. An action would have
 * to be known to the app's reducer and would pass through every middleware; this one passes through none, every
 * subscriber is told, and the app's reducer is handed the result and may refuse it.
 *
 * @template S
 * @param {ReduxStore<S> & { liftedStore?: { dispatch: (action: object) => void } }} store
 * @param {(state: any, action: any) => any} reducer
 * @param {More<keyof S>} [more]
 * @returns {StateProvider<Partial<S>>}
 */
export function redux(store, reducer, more) {
  demand('redux()', 'a store with getState(), dispatch() and replaceReducer()', store, store?.getState, store?.dispatch, store?.replaceReducer);
  demand('redux()', 'the root reducer, which combineReducers() makes of several,', reducer, typeof reducer === 'function');
  // The developer tools compute the state anew from a history whenever the reducer changes, so that history has to end.
  const settle = () => store.liftedStore?.dispatch({ type: 'COMMIT', timestamp: Date.now() });
  return provider(more, {
    capture(only) {
      const state = chosen(store.getState(), only);
      if (plain(state)) delete state._persist; // redux-persist's mark that this page has read its storage
      return state;
    },
    restore(value, only) {
      const state = store.getState();
      const next = merged(state, shaped(state, value), only);
      if (plain(state) && state._persist) /** @type {Plain} */ (next)._persist = state._persist;
      let placed = false;
      /** @type {typeof reducer} */
      const standIn = (current, action) => {
        const result = reducer(placed ? current : next, action);
        placed = true;
        return result;
      };
      settle();
      try {
        store.replaceReducer(standIn);
        settle();
      } finally {
        store.replaceReducer(reducer);
      }
    },
  });
}

/**
 * One Pinia store, or all stores of a Pinia by their ids.
 *
 * @template S
 * @overload
 * @param {PiniaStore<S>} given
 * @param {More<keyof S>} [more]
 * @returns {StateProvider<Partial<S>>}
 *
 * @overload
 * @param {Pinia} given
 * @param {More} [more]
 * @returns {StateProvider<Record<string, unknown>>}
 *
 * @param {Partial<PiniaStore<unknown> & PiniaInside>} given
 * @param {More<any>} [more]
 * @returns {StateProvider<any>}
 */
export function pinia(given, more) {
  if (given?.$state && given.$patch) return provider(more, piniaStore(/** @type {PiniaStore<unknown>} */ (given)));
  demand('pinia()', 'a store with $state and $patch(), or a pinia,', given, given?.use, given?._s?.get, given?.state && 'value' in given.state);
  /** @type {Map<string, unknown>} */
  const waiting = new Map();
  const take = (/** @type {NamedStore} */ store) => {
    const { $id } = store;
    if (!waiting.has($id)) return;
    piniaStore(store).restore(waiting.get($id));
    waiting.delete($id);
  };
  let plugged = false;
  return provider(more, {
    // What waits for a store that this page has not used yet travels on.
    capture: (only) => ({
      ...Object.fromEntries(waiting),
      .../** @type {Plain} */ (chosen(/** @type {Pinia} */ (given).state.value, only)),
    }),
    restore(value, only) {
      const states = record(value);
      for (const id of keysOf(states, only)) {
        waiting.set(id, states[id]);
        const store = /** @type {PiniaInside} */ (given)._s.get(id);
        if (store) take(store);
      }
      if (plugged || waiting.size === 0) return;
      plugged = true;
      const plugin = (/** @type {{ store: NamedStore }} */ { store }) => take(store);
      // Before the pinia is installed, use() keeps plugins back from the stores that are made already.
      if (given._a || !given._p) /** @type {Pinia} */ (given).use(plugin);
      else given._p.push(plugin);
    },
  });
}

/** @type {(store: PiniaStore<unknown>) => Adapter} */
const piniaStore = (store) => ({
  capture: (only) => chosen(store.$state, only),
  restore: (value, only) => store.$patch((state) => refill(state, record(value), only)),
});

/**
 * The cache of a TanStack QueryClient: what was fetched, and the mutations that wait for a connection. Queries that are
 * pending or failed are left out, and so is what cannot be cloned: a cache is never a reason not to move on.
 * `pick` and `omit` name first elements of query keys.
 *
 * @param {QueryClient} client
 * @param {QueryMore} [more]
 * @returns {StateProvider<QueryCache>}
 */
export function query(client, { dehydrate = plainly.dehydrate, hydrate = plainly.hydrate, ...more } = {}) {
  demand('query()', 'a QueryClient with getQueryCache() and getMutationCache()', client, client?.getQueryCache, client?.getMutationCache);
  return provider(more, {
    capture(only) {
      const wanted = (/** @type {Query} */ { queryKey, state }) => state.status === 'success' && allowed(queryKey?.[0], only);
      const { queries, mutations } = dehydrate(client, { shouldDehydrateQuery: wanted });
      // `promise` and what went wrong in the background mean nothing to another page.
      const kept = queries.map(({ promise, ...query }) => ({ ...query, state: { ...query.state, error: null, fetchFailureReason: null, fetchFailureCount: 0, fetchMeta: null } }));
      return { queries: kept.flatMap(cloned), mutations: mutations.flatMap(cloned) };
    },
    restore(value, only) {
      const { queries = [], mutations = [] } = /** @type {Partial<QueryCache>} */ (record(value));
      hydrate(client, { queries: queries.filter(({ queryKey }) => allowed(queryKey?.[0], only)), mutations });
    },
  });
}

/**
 * An object that the app keeps; it is filled in place, so that all code that holds it, or an object in it, sees the change.
 *
 * @template {object} S
 * @param {S} target
 * @param {More<keyof S>} [more]
 * @returns {StateProvider<Partial<Fields<S>>>}
 */
export function object(target, more) {
  demand('object()', 'an object', target, target !== null && typeof target === 'object' && !Array.isArray(target));
  return provider(more, {
    capture: (only) => fieldsOf(/** @type {Plain} */ (target), keysOf(target, only), new Map()),
    restore: (value, only) => refill(/** @type {Plain} */ (target), record(value), only),
  });
}

/** What dehydrate() and hydrate() of @tanstack/query-core do, for apps that do not pass them. */
const plainly = {
  /** @type {(client: Client, how: { shouldDehydrateQuery: (query: Query) => boolean }) => QueryCache} */
  dehydrate(client, { shouldDehydrateQuery }) {
    const queries = client.getQueryCache().getAll().filter(shouldDehydrateQuery);
    const mutations = client.getMutationCache().getAll().filter(({ state }) => state.isPaused);
    return {
      queries: queries.map(({ queryKey, queryHash, queryType, state, meta }) => ({ queryKey, queryHash, state, ...(queryType && { queryType }), ...(meta && { meta }) })),
      mutations: mutations.map(({ options, state, meta }) => ({ mutationKey: options.mutationKey, state, ...(options.scope && { scope: options.scope }), ...(meta && { meta }) })),
    };
  },
  /** @type {(client: Client, cache: QueryCache) => void} */
  hydrate(client, { queries, mutations }) {
    for (const { state, ...options } of mutations) client.getMutationCache().build(client, options, state);
    for (const { state, dehydratedAt, ...options } of queries) {
      const there = client.getQueryCache().get(options.queryHash);
      const { fetchStatus } = there?.state ?? { fetchStatus: 'idle' };
      if (!there) client.getQueryCache().build(client, options, { ...state, fetchStatus });
      else if (there.state.dataUpdatedAt < state.dataUpdatedAt) there.setState({ ...state, fetchStatus });
    }
  },
};

/**
 * Adds `pick` and `omit` to an adapter, and the schema, migrations and validator to the provider.
 *
 * @param {Only & Partial<Schema> | undefined} more
 * @param {Adapter} adapter
 * @returns {StateProvider<any>}
 */
function provider({ pick, omit, ...schema } = {}, { capture, restore }) {
  const only = { pick, omit };
  return { ...schema, capture: () => capture(only), restore: (value) => restore(value, only) };
}

/** @type {(who: string, what: string, came: unknown, ...parts: unknown[]) => void} */
function demand(who, what, came, ...parts) {
  if (parts.every(Boolean)) return;
  throw failure({ code: 'not_a_store', message: `${who} needs ${what} and got ${described(came)}` });
}
