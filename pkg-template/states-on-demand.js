// The states of a page, whose file comes before there is something to save or to put in place.
//
// It is fetched, whichever is first,
//   - beside the WebAssembly, when the page before this one left state or the app asks for form fields: it is there first,
//   - when the app registers a state, which is when the page is idle after its start: then its build is surely still served, and
//     no later deploy can take the file away from a page with something to lose,
//   - when another build is in sight, for the state that the app may register by then. If a deploy has removed the file already,
//     such a page has nothing to lose so far.
// A page without states that sees no other build never fetches it.
//
// Where it cannot be had nothing is lost: what came stays in the envelope and is carried on, and with a state registered the
// capture fails, so that the page stays unless its user insists. Each later occasion tries again.
import { loadPart } from './load-module.js';
import { within } from './within.js';
/** @import { StateProvider, Undo } from './index.js' */
/** @import { createStates } from './states.js' */
/** @import { Restored, Taker } from './types/state.js' */
/** @import { CompleteOptions } from './types/page.js' */

/** @typedef {ReturnType<typeof createStates>} States */
/** @typedef {{ name: string, provider: StateProvider, since: number, undo?: Undo }} Registered */

/** What came is put in place no later than this after its provider: by then the user has begun something else. */
const LATE = 15_000;
/** How long a reload waits for the file, for the user has pressed a button, and an arrival, before the page scrolls to where it was. */
const PATIENCE = 5_000;
/** A network that fails for a moment is asked again at these intervals. */
const RETRIES = [1_000, 4_000];

/** @param {CompleteOptions} options */
export const loadStates = (options) => loadPart('states', options, () => import('./states.js'));

/**
 * @param {CompleteOptions} options
 * @param {Parameters<typeof createStates>[0]} port
 */
export function createStatesOnDemand(options, port) {
  /** @type {Set<Registered>} */
  const waiting = new Set(); // for the file
  /** @type {States | null} */
  let states = null;
  /** @type {{ dispose(): void } | null} */
  let fields = null;
  /** @type {((names: Restored | Promise<Restored>) => void) | null} */
  let report = null; // of what the providers that are there from the start have restored
  /** @type {Promise<States> | null} */
  let coming = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let retry;
  let retries = 0;
  let told = false;
  let over = false;

  const isNeeded = () => options.fields || waiting.size > 0;
  /** @returns {Restored} */
  const nothing = () => ({ restored: [], failed: [] });

  /** @param {Awaited<ReturnType<typeof loadStates>>} module */
  const begin = ({ createStates, createFields, FIELDS }) => {
    const made = (states = createStates(port));
    if (over) return made;
    report?.(made.restored());
    if (options.fields) {
      const carried = (fields = createFields());
      made.register(FIELDS, carried);
    }
    for (const entry of waiting) entry.undo = made.register(entry.name, entry.provider, Date.now() - entry.since > LATE);
    waiting.clear();
    return made;
  };
  /** @param {any} error */
  const failed = (error) => {
    coming = null;
    report?.(nothing()); // what comes later is told by itself
    if (!over && isNeeded()) {
      if (!told) port.problem('state_unavailable', `no state of this page can be saved or put in place: ${error.message}`);
      told = true;
      if (retries < RETRIES.length) retry = setTimeout(prepare, RETRIES[retries++]);
    }
    throw error;
  };
  const load = () => (coming ??= loadStates(options).then(begin, failed));
  const prepare = () => void load().catch(() => {});

  return {
    prepare,

    /** @type {(name: string, provider: StateProvider) => Undo} */
    register(name, provider) {
      if (states) return states.register(name, provider);
      /** @type {Registered} */
      const entry = { name, provider, since: Date.now() };
      waiting.add(entry);
      prepare();
      return () => {
        waiting.delete(entry);
        entry.undo?.();
      };
    },

    /** @param {Record<string, Taker> | null} [stores] */
    async capture(stores) {
      /** @type {any} */
      let trouble = null;
      if (!states && isNeeded()) await within(load(), PATIENCE).catch((error) => (trouble = error));
      if (states) return states.capture(stores);
      const { states: came, about } = port.carried();
      return { states: { ...came }, about: { ...about }, failed: trouble && `no state could be captured: ${trouble.message ?? trouble}` };
    },

    stays: () => states?.stays(),

    /** @returns {Promise<Restored>} */
    restored() {
      if (states) return states.restored();
      return new Promise((resolve) => {
        const late = setTimeout(() => report?.(nothing()), PATIENCE);
        report = (names) => {
          report = null;
          clearTimeout(late);
          resolve(names);
        };
        // Those that are there from the start register in this task.
        setTimeout(() => isNeeded() || report?.(nothing()));
      });
    },

    backups: async () => (await load()).backups(),

    dispose() {
      over = true;
      clearTimeout(retry);
      waiting.clear();
      report?.(nothing());
      fields?.dispose();
      states?.dispose();
    },
  };
}
