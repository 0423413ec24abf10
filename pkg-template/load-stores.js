// Stores and migrations are a module of their own that a page loads when its app first asks for one.
import { codeOf, failure } from './error.js';
import { textOf } from './load-errors.js';
import { completeOptions } from './options.js';
import { loadModule } from './load-module.js';
/** @import { Store, StoreMode, StoreSpec, Undo } from './index.js' */
/** @import { Stores } from './types/state.js' */

/** @typedef {{ readonly options: Parameters<typeof completeOptions>[0] }} Page with the options it was started with */
/** @typedef {'ready' | 'get' | 'set' | 'update' | 'delete' | 'list'} Asking the methods that wait for the store */
/** @typedef {'subscribe' | 'onMode' | 'onProgress'} Following the methods that listen to it */
/** @typedef {(...given: unknown[]) => any} Call any of them */

/** Where the page keeps its one copy, on globalThis: `{loading, stores}`. */
const PLACE = Symbol.for('changeover.stores');

/** @typedef {{ loading: Promise<Stores> | null, open: Map<string, Store> }} Place what is there */

/**
 * The stores of this page; rejects with code `unavailable` where they cannot run, and tries again when asked again.
 *
 * @param {Page} page
 * @returns {Promise<Stores>}
 */
export function loadStores(page) {
  const kept = place();
  kept.loading ??= load(page).catch((error) => {
    kept.loading = null;
    const why = typeof error?.message === 'string' ? error.message : textOf(error);
    throw failure({ code: 'unavailable', message: `stores and migrations cannot run here: ${why}` });
  });
  return kept.loading;
}

/** Whether the module is there already. */
export const storesLoaded = () => Boolean(place().loading);

/** @type {(page: Page) => Promise<Stores>} */
async function load({ options }) {
  const complete = completeOptions(options);
  const { createStores } = await loadModule('stores', complete.stores, () => import('./stores.js'));
  return createStores({ options: complete });
}

/**
 * The store `name`, at once; its methods wait until it is there.
 *
 * @template T
 * @param {Page} page
 * @param {string} name
 * @param {StoreSpec<T>} spec
 * @returns {Store<T>}
 */
export function lazyStore(page, name, spec) {
  const { open } = place();
  const there = open.get(name);
  if (there) {
    if (there.schema === spec?.schema) return /** @type {Store<T>} */ (there);
    throw failure({ code: 'duplicate_store', message: `store "${name}" is open with schema ${there.schema} and asked for with schema ${spec?.schema}`, store: name });
  }
  /** @type {StoreMode} */
  let mode = { kind: 'opening', reason: null, message: null };
  let undone = false;
  /** @type {Set<(mode: StoreMode) => void>} */
  const listeners = new Set(); // of the mode, before the store is there
  /** @type {Set<(store: Store) => void>} */
  const followers = new Set(); // what to do with the store once it is there
  const forget = () => open.get(name) === lazy && open.delete(name);
  /** @type {Store | null} */
  let real = null;
  /** @type {Promise<Store> | null} */
  let opening = null;
  const begin = () => {
    opening = loadStores(page).then((stores) => {
      if (undone) throw failure({ code: 'closed', message: `store "${name}" is closed`, store: name });
      return stores.open({ ...spec, name });
    });
    opening.then(
      (store) => {
        real = store;
        if (undone) store.close();
        for (const follower of followers) follower(store);
      },
      (error) => {
        // What is not there now may be there when the app asks again; what is wrong with the spec stays wrong.
        if (codeOf(error, null) === 'unavailable') opening = null;
        else forget();
        mode = { kind: 'refused', reason: codeOf(error, null), message: codeOf(error, null) ? error.message : textOf(error) };
        for (const listener of [...listeners]) listener(mode);
      },
    );
    return opening;
  };
  begin();
  /** @type {<M extends Asking>(method: M) => Store[M]} */
  const ask = (method) => async (/** @type {unknown[]} */ ...given) =>
    /** @type {Call} */ ((await (opening ?? begin()))[method])(...given);
  /** @type {<M extends Following>(method: M) => Store[M]} */
  const follow = (method) => (/** @type {unknown[]} */ ...given) => {
    if (real) return /** @type {Call} */ (real[method])(...given);
    /** @type {Undo | null} */
    let undo = null;
    const follower = (/** @type {Store} */ store) => {
      undo = /** @type {Call} */ (store[method])(...given);
    };
    followers.add(follower);
    return () => {
      followers.delete(follower);
      undo?.();
    };
  };
  const onMode = follow('onMode');
  /** @type {Store} */
  const lazy = {
    name,
    schema: spec?.schema,
    get mode() {
      return real?.mode ?? mode;
    },
    ready: ask('ready'),
    get: ask('get'),
    set: ask('set'),
    update: ask('update'),
    delete: ask('delete'),
    list: ask('list'),
    async *entries() {
      yield* (await (opening ?? begin())).entries();
    },
    subscribe: follow('subscribe'),
    onMode(listener) {
      /** @type {typeof listener} */
      const entry = (news) => listener(news);
      listeners.add(entry);
      const undo = onMode(listener);
      return () => {
        listeners.delete(entry);
        undo();
      };
    },
    onProgress: follow('onProgress'),
    close() {
      undone = true;
      forget();
      real?.close();
    },
  };
  open.set(name, lazy);
  return /** @type {Store<T>} */ (lazy);
}

/**
 * A store where there is no document: nothing is there, and nothing can be written.
 *
 * @template T
 * @param {string} name
 * @param {StoreSpec<T>} spec
 * @returns {Store<T>}
 */
export function inertStore(name, spec) {
  const undo = () => {};
  const refuse = async () => {
    throw failure({ code: 'unavailable', message: `store "${name}": there is no document here`, store: name });
  };
  return {
    name,
    schema: spec?.schema,
    mode: { kind: 'refused', reason: 'unavailable', message: 'there is no document here' },
    ready: refuse,
    get: async () => undefined,
    set: refuse,
    update: refuse,
    delete: refuse,
    list: async () => [],
    async *entries() {},
    subscribe: () => undo,
    onMode: () => undo,
    onProgress: () => undo,
    close() {},
  };
}

/** Closes every store of the page. */
export function closeStores() {
  for (const store of [...place().open.values()]) store.close();
}

/** @returns {Place} */
function place() {
  return (/** @type {{ [PLACE]?: Place }} */ (globalThis)[PLACE] ??= { loading: null, open: new Map() });
}
