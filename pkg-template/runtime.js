// The full level: the engine in WebAssembly behind the public object.
//
// In order: instantiate, make the core, start it, connect the public object, hand over the failures the loader has
// captured. From then on the core calls back with events. If the core dies, the loader level takes its place.
//
// Files of their own, fetched when they are first needed: prompt.js (prompt-on-demand.js), states.js with the form fields
// (states-on-demand.js), stores.js (load-stores.js).
import { createBindings } from './bindings.js';
import { describeFailure, textOf } from './load-errors.js';
import { instantiate } from './instantiate.js';
import { LATE, amendEarly, amendLate } from './options.js';
import { equip } from './loader-fallback.js';
import { createIntact } from './intact.js';
import { lazyStore, loadStores, storesLoaded } from './load-stores.js';
import { createPromptOnDemand } from './prompt-on-demand.js';
import { createStatesOnDemand, loadStates } from './states-on-demand.js';
import { createSwapping } from './swap-bridge.js';
import { createWorker } from './worker.js';
/** @import { AbortReason, Backup, ChangeoverEvent, Decision, Prompt, Status, Store } from './index.js' */
/**
 * @import {
 *   CheckFiles, CompleteOptions, GivenOptions, GuardBindings, GuardCore, GuardHost, Implementation, LoaderStatus, Page, StoreReads, WrongFile,
 * } from './types/page.js'
 * @import { PromptOptions } from './prompt.js'
 */
/** @import { Shield } from './trap-shield.js' */

/** @typedef {[type: string, listener: (event: ChangeoverEvent) => void]} Entry */
/**
 * Calls a method of the core; undefined when that has died.
 *
 * @typedef {<Name extends keyof GuardCore>(method: Name, ...given: Parameters<GuardCore[Name]>) => ReturnType<GuardCore[Name]> | undefined} Tell
 */

/** How long a reload waits for a durable store to come back to an older schema; the engine gives all of it 15 s. */
const HAND_OVER = 8_000;

/** What may yet end without a question: the manifest of the other build is not there, or its code is being swapped in. */
const QUIET = ['manifestPending', 'slotsChanged'];

/** More happens early only in a document that never finishes loading. */
const EARLY_EVENTS = 100;

/**
 * Takes a page over from its loader; rejects when that is impossible, and leaves everything as it was.
 *
 * @param {Page} page
 */
export async function attach(page) {
  const options = amendEarly(page.options, /** @type {GivenOptions | undefined} */ (page.api[LATE]));
  page.api.store ??= (name, spec) => /** @type {Store<any>} */ (lazyStore(page, name, spec));
  // Whenever the loader level takes over, because WebAssembly does not run, does not come in time or has died.
  const { connect: connectBare } = page;
  page.connect = (next) => {
    if (next === page) equip(page, options);
    connectBare(next);
  };
  if (options.fields || hasArrived(options)) loadStates(options).catch(() => {}); // beside the wasm; what asks for it next tries again
  const { exports, shield } = await instantiate(createBindings(), options.wasm);
  if (page.status.level !== 'off') connect(page, options, /** @type {GuardBindings} */ (exports).Core, shield); // else disposed meanwhile
}

/**
 * Whether the page before this one has left something.
 *
 * @param {CompleteOptions} options
 */
function hasArrived({ release }) {
  try {
    return Boolean(sessionStorage.getItem(`changeover:${new URL(release).pathname}:envelope`));
  } catch {
    return false;
  }
}

/** @param {Decision} decision */
const mayAsk = ({ kind, reason }) => kind !== 'ignore' && !QUIET.includes(reason);

/** @type {(page: Page, options: CompleteOptions, Core: GuardBindings['Core'], shield: Shield) => void} */
function connect(page, options, Core, shield) {
  /** @type {Set<Entry>} */
  const listeners = new Set();
  /** @type {((status: Status) => void)[]} */
  let checks = [];
  /** @type {((reason: AbortReason) => void)[]} */
  let reloads = [];
  /** @type {GuardCore | null} */
  let core = null;
  let dead = false;
  let last = page.status; // what a disposed page says

  /** @type {<Answer>(waiting: ((answer: Answer) => void)[], answer: Answer) => void} */
  const settle = (waiting, answer) => waiting.forEach((resolve) => resolve(answer));
  const settleChecks = () => {
    if (!checks.length) return;
    const waiting = checks;
    checks = [];
    settle(waiting, page.api.status);
  };
  /** @param {AbortReason} reason */
  const settleReloads = (reason) => {
    const waiting = reloads;
    reloads = [];
    settle(waiting, reason);
  };

  // A trap leaves the core in an unknown state: it is never called again, except to close what it opened.
  let place = '';
  /** @param {unknown} error */
  const die = (error) => {
    if (dead) return;
    dead = true;
    prompt.hide();
    swapping?.dispose();
    intact.dispose();
    worker?.dispose();
    states.dispose();
    shield.close(() => core?.abandon());
    page.degrade(`panic: ${place || textOf(error)}`);
    settleChecks();
    settleReloads('disposed');
  };
  shield.onTrap = die;
  const tell = /** @type {Tell} */ (
    (/** @type {keyof GuardCore} */ method, /** @type {unknown[]} */ ...given) => {
      if (dead) return;
      try {
        const answer = /** @type {(...given: unknown[]) => unknown} */ (/** @type {GuardCore} */ (core)[method])(...given);
        if (!dead) return answer; // it may have died of this very call
      } catch (error) {
        die(error);
      }
    }
  );

  /** @type {(entry: Entry, event: ChangeoverEvent) => boolean} */
  const hears = ([type], event) => type === event.type || type === '*';
  /** @type {(entry: Entry, event: ChangeoverEvent) => void} */
  const deliver = (entry, event) => {
    if (!listeners.has(entry)) return;
    try {
      entry[1](event);
    } catch (error) {
      console.error(`changeover: a listener to "${event.type}" threw`, error);
    }
  };
  // The runtime may be quicker than the app's own script, and what happens on arrival happens once: what is emitted
  // before the document has loaded is kept for the listeners that come until then, and later for the first that comes.
  /** @type {{ event: ChangeoverEvent, heard: boolean }[]} */
  const early = [];
  let connected = false;
  const isEarly = () => !connected || document.readyState !== 'complete';
  /** @param {ChangeoverEvent} event */
  const emit = (event) => {
    const entries = [...listeners].filter((entry) => hears(entry, event));
    if (isEarly() && early.length < EARLY_EVENTS) early.push({ event, heard: entries.length > 0 });
    for (const entry of entries) deliver(entry, event);
  };
  /** @param {Entry} entry */
  const catchUp = (entry) => {
    const missed = early.filter(({ event, heard }) => hears(entry, event) && (isEarly() || !heard));
    if (!missed.length) return;
    for (const record of missed) record.heard = true;
    queueMicrotask(() => missed.forEach(({ event }) => deliver(entry, event)));
  };
  const intact = createIntact();
  /**
   * The first of a build's files that is wrong, or null; also when nothing says on which host they are.
   *
   * @param {CheckFiles} effect
   */
  const look = async ({ base, files }) => {
    const isKnown = /^[a-z]+:/i.test(base) || new URL(options.release).origin === location.origin;
    return isKnown ? intact.check(files, (file) => new URL(base + file, options.release)) : null;
  };
  /** @type {(code: string, message: string) => void} */
  const problem = (code, message) => emit({ type: 'problem', code, message });
  const states = createStatesOnDemand(options, {
    scope: new URL(options.release).pathname,
    build: options.build,
    carried: () => tell('carried') ?? {},
    keep: () => tell('keep'),
    tell: (names) => tell('restored', names),
    problem,
    runs: async () => (await loadStores(page)).states,
  });
  /** @type {PromptOptions} */
  const asking = {
    get lang() {
      return options.lang;
    },
    get labels() {
      return options.labels;
    },
    onReload: ({ trouble }) => tell('reload', trouble === 'stateNotSaved' ? 'anyway' : 'user'),
    onLater: () => tell('snooze'),
  };
  const prompt = createPromptOnDemand(options, asking, problem);
  /** @param {Prompt} view */
  const show = (view) => options.prompt && prompt.show(view);

  /**
   * Durable stores that the next build knows in an older schema only come back first; else why they do not.
   *
   * @param {StoreReads | null} stores
   */
  const handOver = async (stores) => {
    if (!stores || !storesLoaded()) return null;
    try {
      return (await (await loadStores(page)).handOver(stores, HAND_OVER)).join('; ') || null;
    } catch (error) {
      return textOf(error);
    }
  };

  /** @type {GuardHost} */
  const host = {
    panicked: (at) => {
      place = at;
    },
    event(event) {
      if (event.type === 'decisionMade' && mayAsk(event.decision)) {
        if (options.prompt) prompt.prepare();
        states.prepare();
      }
      if (event.type === 'promptShown') show(event.prompt);
      if (event.type === 'promptHidden') prompt.hide();
      if (event.type === 'changeoverAborted') {
        settleReloads(event.reason);
        if (event.reason !== 'reloadIgnored') states.stays();
      }
      emit(event);
    },
    settled: settleChecks,
    stayed: () => states.stays(),
    renew: (changeover) => /** @type {ReturnType<typeof createWorker>} */ (worker).renew(changeover),
    capture: async (stores) => {
      const [late, captured] = await Promise.all([handOver(stores), states.capture(stores)]);
      return late ? { ...captured, failed: [late, captured.failed].filter(Boolean).join('; ') } : captured;
    },
    restore: () => states.restored(),
    check: (effect) => {
      /** @param {WrongFile | null} wrong */
      const answer = (wrong) => tell('filesChecked', effect.build, wrong);
      look(effect).then(answer, () => answer(null));
    },
    swap: (effect) => swapping?.take(effect),
  };
  /** @type {ReturnType<typeof createSwapping> | null} */
  let swapping = null;
  /** @type {ReturnType<typeof createWorker> | null} */
  let worker = null;

  /** @type {Implementation} */
  const impl = {
    get status() {
      return tell('status') ?? last;
    },
    check: () =>
      new Promise((resolve) => {
        checks.push(resolve);
        tell('check');
        if (dead || tell('isSettled')) settleChecks();
      }),
    /** @type {(...entry: Entry) => () => void} */
    on(type, listener) {
      /** @type {Entry} */
      const entry = [type, listener];
      listeners.add(entry);
      catchUp(entry);
      return () => listeners.delete(entry);
    },
    hold(reason, { deadline } = {}) {
      /** @type {number | null | undefined} */
      let hold = tell('hold', String(reason), deadline);
      return () => {
        if (hold) tell('release', hold);
        hold = null;
      };
    },
    state: (name, provider) => states.register(String(name), provider),
    reload: () =>
      new Promise((resolve) => {
        reloads.push(resolve);
        if (dead) settleReloads('disposed');
        tell('reload', 'app');
      }),
    snooze: () => tell('snooze'),
    trace: () => tell('trace') ?? '',
    dispose() {
      tell('dispose');
      last = { ...(tell('status') ?? last), level: 'off' };
      dead = true;
      prompt.hide();
      swapping?.dispose();
      intact.dispose();
      worker?.dispose();
      states.dispose();
      listeners.clear();
      page.dispose();
      settleChecks();
      settleReloads('disposed');
    },
  };

  // It may come late: then what the loader level has begun ends here.
  page.snooze();
  page.unequip?.();
  page.status.level = 'full';
  core = new Core(options, host);
  core.start();
  if (dead) return;
  page.api[LATE] = (late) => {
    const { changed, ignored } = amendLate(options, late);
    const { prompt: view } = page.api.status;
    if (changed && view) {
      prompt.hide();
      show(view);
    }
    if (!ignored.length) return;
    const message = `createChangeover() was called when the page was already guarded: ${ignored.join(', ')} came too late`;
    problem('options_ignored', message);
  };
  if (options.fields) states.prepare();
  page.backups = async () => [...(await states.backups()), ...(storesLoaded() ? await (await loadStores(page)).backups() : [])];
  page.api.backups = () => /** @type {() => Promise<Backup[]>} */ (page.backups)();
  worker = createWorker({
    seen: (controls) => tell('workerSeen', controls),
    renewed: (changeover, outcome) => tell('workerRenewed', changeover, outcome),
  });
  swapping = createSwapping({
    problem,
    listed: (slots) => tell('slotsListed', slots),
    answer: (...answer) => tell('swapAnswered', ...answer),
    intact,
    failed: (error) => page.onFailure({ type: 'vite:preloadError', payload: error }),
    check: () => impl.check(),
    health: () => options.health?.(),
    stores: () => loadStores(page),
  });
  page.connect(impl);
  connected = true;
  page.onFailure = (event) => {
    const failure = describeFailure(event);
    if (failure) tell('loadFailed', failure);
  };
  page.failures.splice(0).forEach(page.onFailure);
}
