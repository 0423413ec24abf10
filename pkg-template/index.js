// The entry of the npm package: the loader, and the runtime as a module of its own that it fetches when the page is idle.
import { KEY, openPage } from './loader.js';
import { closeStores, inertStore, lazyStore } from './load-stores.js';
import { LATE, completeOptions } from './options.js';
import { loadModule } from './load-module.js';
/** @import { Changeover, Options, Status, Store } from './index.js' */
/** @import { Api, ApiPlace, GivenOptions, Runtime } from './types/page.js' */

/** @type {Api | undefined} */
let mine;

/**
 * Starts the guard, or returns the one this page already has, which takes over the options it still can: `prompt`,
 * `lang`, `labels` and `health` always, the others before its runtime has come. Inert where there is no document. After
 * `dispose()` it starts anew.
 *
 * @param {Options} options
 * @returns {Changeover}
 */
export function createChangeover(options = {}) {
  const there = /** @type {ApiPlace} */ (globalThis)[KEY];
  if (there && (there !== mine || there.status.level !== 'off')) return withStores(amend(there, options), there.options ?? tagOptions() ?? options);
  if (typeof document === 'undefined') return inert();
  const complete = completeOptions(options);
  // Relative to the document, as in a script tag.
  const { runtime } = complete;
  /** @type {() => Promise<Runtime>} */
  const load = () => loadModule('runtime', runtime, () => import('./runtime.js'));
  const page = openPage({ ...complete, prompt: complete.prompt ? 'on' : 'off' }, load);
  // The loader has no bytes for what it does not know yet.
  Object.assign(page.status, { ...unknown(), ...page.status, decision: unknown().decision });
  return (/** @type {ApiPlace} */ (globalThis)[KEY] = mine = withStores(page.api, page.options));
}

/** @type {(instance: Api, options: GivenOptions) => Api} */
function amend(instance, options) {
  if (typeof instance[LATE] === 'function') instance[LATE](options);
  else instance[LATE] = { ...instance[LATE], ...options };
  return instance;
}

/** How often is looked whether the runtime has come, by those who wait for it. */
const ROUND = 100;

/**
 * The loader has no bytes for `store` and `backups`; on the instance of a script tag they come with this entry or the
 * runtime, which puts its own `backups` in place of this one.
 *
 * @param {Api} instance
 * @param {GivenOptions | DOMStringMap} options
 * @returns {Api & Changeover}
 */
function withStores(instance, options) {
  if (instance.store) return /** @type {Api & Changeover} */ (instance);
  const { dispose } = instance;
  /** @type {Changeover['backups']} */
  const backups = async () => {
    while (instance.backups === backups && instance.status.level === 'starting') await new Promise((go) => setTimeout(go, ROUND));
    return instance.backups === backups ? [] : /** @type {Changeover} */ (instance).backups();
  };
  return Object.assign(instance, {
    backups,
    /** @type {Changeover['store']} */
    store: (name, spec) => /** @type {Store<any>} */ (lazyStore({ options }, name, spec)),
    dispose() {
      closeStores();
      dispose();
    },
  });
}

/** What the script tag says, when it is of a version that does not say it itself. */
const tagOptions = () => (typeof document === 'undefined' ? null : /** @type {HTMLElement | null} */ (document.querySelector('script[data-release]'))?.dataset);

/**
 * The status of a page that knows nothing yet.
 *
 * @returns {Status}
 */
function unknown() {
  return {
    level: 'starting',
    levelReason: null,
    build: null,
    release: null,
    skew: false,
    decision: { kind: 'ignore', reason: 'noReleaseYet' },
    leader: false,
    stream: 'off',
    lastCheck: null,
    failures: 0,
    lastFailure: null,
    holds: [],
    prompt: null,
    changeover: null,
  };
}

/** @returns {Changeover} */
function inert() {
  const undo = () => {};
  /** @type {Status} */
  const status = { ...unknown(), level: 'off', levelReason: 'there is no document here' };
  return {
    status,
    check: async () => status,
    on: () => undo,
    hold: () => undo,
    state: () => undo,
    store: /** @type {Changeover['store']} */ (inertStore),
    backups: async () => [],
    reload: async () => 'disposed',
    snooze() {},
    trace: () => '',
    dispose() {},
  };
}
