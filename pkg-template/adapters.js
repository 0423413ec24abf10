// `changeover/adapters`: what state libraries hold, as the `{capture, restore}` of a state. Each adapter knows its library
// by the shape of what it gets and needs none of them installed.
//
//   changeover.state('cart', zustand(useCart, { schema: 2, migrations }))
//
// What was captured replaces what is there; what was not captured stays. Functions, such as the actions of a store, are
// neither captured nor replaced, and neither is anything that `pick` leaves out or `omit` names.
import { failure } from './error.js';
import { put } from './own.js';
/**
 * @import {
 *   Fields, More, Pinia, PiniaStore, QueryCache, QueryClient, QueryMore, ReduxStore, ZustandStore,
 * } from './adapters.js'
 */
/** @import { Schema, StateProvider } from './index.js' */

/** @typedef {Record<string, unknown>} Plain */
/** @typedef {{ pick?: readonly unknown[], omit?: readonly unknown[] }} Only these keys */
/** @typedef {{ capture: (only?: Only) => unknown, restore: (value: unknown, only?: Only) => void }} Adapter */
/** @typedef {{ __v_isRef?: boolean, __v_raw?: unknown, value?: unknown }} Reactive what Vue puts on refs and proxies */
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

/** @type {(key: unknown, only?: Only) => boolean} */
const allowed = (key, { pick, omit } = {}) => (!pick || pick.includes(key)) && !omit?.includes(key);

/** @type {(from: object, only?: Only) => string[]} */
const keysOf = (from, only) => Object.keys(from).filter((key) => key !== '__proto__' && allowed(key, only));

/**
 * A copy of what there is to capture.
 *
 * @param {unknown} state
 * @param {Only} [only]
 */
function chosen(state, only) {
  return plain(state) ? fieldsOf(state, keysOf(state, only), new Map()) : bare(state, new Map(), true);
}

/** @type {(object: Plain, keys: string[], seen: Map<object, unknown>) => Plain} */
function fieldsOf(object, keys, seen) {
  /** @type {Plain} */
  const copy = {};
  seen.set(object, copy);
  for (const key of keys) {
    const value = object[key];
    if (typeof value !== 'function') put(copy, key, bare(value, seen, true));
  }
  return copy;
}

/**
 * A copy without the proxies and refs of reactive libraries, which cannot be cloned, and without functions. Only in
 * objects below objects: an element of a list is restored as a whole, so a function in it stays and fails the clone.
 *
 * @param {unknown} value
 * @param {Map<object, unknown>} seen the copies that are made already
 * @param {boolean} [dress] leave functions out
 * @returns {unknown}
 */
function bare(value, seen, dress) {
  if (value === null || typeof value !== 'object') return value;
  if (/** @type {Reactive} */ (value).__v_isRef) return bare(/** @type {Reactive} */ (value).value, seen, dress);
  if (seen.has(value)) return seen.get(value);
  if (plain(value)) {
    if (dress) return fieldsOf(value, Object.keys(value), seen);
    /** @type {Plain} */
    const copy = {};
    seen.set(value, copy);
    for (const key of Object.keys(value)) put(copy, key, bare(value[key], seen));
    return copy;
  }
  /** @type {<Copy extends object>(copy: Copy, fill: (copy: Copy) => void) => Copy} */
  const keep = (copy, fill) => (seen.set(value, copy), fill(copy), copy);
  if (Array.isArray(value)) return keep(/** @type {unknown[]} */ ([]), (copy) => value.forEach((item) => copy.push(bare(item, seen))));
  if (value instanceof Map) return keep(new Map(), (copy) => value.forEach((item, key) => copy.set(bare(key, seen), bare(item, seen))));
  if (value instanceof Set) return keep(new Set(), (copy) => value.forEach((item) => copy.add(bare(item, seen))));
  return /** @type {Reactive} */ (value).__v_raw ?? value;
}

/**
 * A new state for a library that compares by identity: `value` over `state`.
 *
 * @param {unknown} state
 * @param {unknown} value an object if `state` is one
 * @param {Only} [only]
 */
function merged(state, value, only) {
  if (!plain(state)) return value;
  const next = { ...state };
  for (const key of keysOf(/** @type {Plain} */ (value), only))
    if (typeof state[key] !== 'function') next[key] = dressed(state[key], /** @type {Plain} */ (value)[key]);
  return next;
}

/**
 * `value`, with the functions that stand in its place now.
 *
 * @type {(current: unknown, value: unknown) => unknown}
 */
function dressed(current, value) {
  if (!plain(current) || !plain(value) || !holdsFunctions(current)) return value;
  const next = { ...value };
  for (const key of Object.keys(current)) {
    if (typeof current[key] === 'function') next[key] = current[key];
    else if (Object.hasOwn(value, key)) next[key] = dressed(current[key], value[key]);
    else if (holdsFunctions(current[key])) next[key] = current[key];
  }
  return next;
}

/** @type {(value: unknown, above?: Set<object>) => boolean} */
function holdsFunctions(value, above = new Set()) {
  if (typeof value === 'function') return true;
  if (!plain(value) || above.has(value)) return false;
  above.add(value);
  return Object.values(value).some((inside) => holdsFunctions(inside, above));
}

/**
 * Puts `value` into `target` without replacing objects, lists, maps and sets that are there.
 *
 * @param {Plain} target
 * @param {Plain} value
 * @param {Only} [only]
 */
function refill(target, value, only) {
  for (const key of keysOf(value, only)) {
    const current = target[key];
    if (typeof current === 'function' || derived(target, key)) continue;
    if (isRef(target, key) || !refilled(current, value[key])) target[key] = value[key];
  }
}

/** @type {(current: unknown, value: unknown) => boolean} */
function refilled(current, value) {
  if (current === value) return true;
  if (plain(current) && plain(value)) {
    for (const key of Object.keys(current)) if (!Object.hasOwn(value, key) && !holdsFunctions(current[key])) delete current[key];
    refill(current, value);
  } else if (Array.isArray(current) && Array.isArray(value)) {
    current.length = 0;
    for (const item of value) current.push(item);
  } else if (current instanceof Map && value instanceof Map) {
    current.clear();
    value.forEach((item, key) => current.set(key, item));
  } else if (current instanceof Set && value instanceof Set) {
    current.clear();
    value.forEach((item) => current.add(item));
  } else return false;
  return true;
}

/**
 * Whether the property is computed from others.
 *
 * @param {Plain} target
 * @param {string} key
 */
function derived(target, key) {
  const { get, set } = Object.getOwnPropertyDescriptor(target, key) ?? {};
  return Boolean(get && !set);
}

/**
 * A ref takes its value as a whole; a shallow one notices nothing else.
 *
 * @type {(target: Plain, key: string) => boolean}
 */
const isRef = (target, key) =>
  Boolean(/** @type {Record<string, Reactive | undefined>} */ (target.__v_raw ?? target)[key]?.__v_isRef);

/**
 * @param {unknown} value
 * @returns {value is Plain}
 */
function plain(value) {
  if (value === null || typeof value !== 'object') return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** @type {<T>(value: T) => T[]} */
function cloned(value) {
  try {
    return [typeof structuredClone === 'function' ? structuredClone(value) : value];
  } catch {
    return [];
  }
}

/** @type {(who: string, what: string, came: unknown, ...parts: unknown[]) => void} */
function demand(who, what, came, ...parts) {
  if (parts.every(Boolean)) return;
  throw failure({ code: 'not_a_store', message: `${who} needs ${what} and got ${described(came)}` });
}

/**
 * What migrations made of an object must still be one.
 *
 * @param {unknown} value
 */
function record(value) {
  if (plain(value)) return value;
  throw failure({ code: 'invalid_value', message: `an object is to be restored, and ${described(value)} came` });
}

const shaped = (/** @type {unknown} */ state, /** @type {unknown} */ value) => (plain(state) ? record(value) : value);

/** @param {unknown} value */
function described(value) {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'function') return `the function ${value.name || 'without a name'}`;
  if (typeof value !== 'object') return `the ${typeof value} ${JSON.stringify(String(value))}`;
  const keys = Object.keys(value);
  return `an object with ${keys.slice(0, 5).join(', ') || 'no keys'}${keys.length > 5 ? ', …' : ''}`;
}
