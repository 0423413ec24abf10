// The loader level with comfort: for pages where this JavaScript runs and only WebAssembly does not (a strict policy,
// iOS Lockdown Mode), or where the core has died.
//
// The loader goes on detecting and deciding. What it has no bytes for comes from here: the full prompt instead of the
// plain banner, holds, registered states carried through the reload, and the reason when a reload did not happen.
import { createMarks } from './departure.js';
import { createPromptOnDemand } from './prompt-on-demand.js';
import { describeFailure } from './load-errors.js';
import { bare } from './loader.js';
import { ON_THE_WAY } from './snapshot-db.js';
import { createStatesOnDemand } from './states-on-demand.js';
/** @import { AbortReason, Prompt } from './index.js' */
/** @import { CompleteOptions, Envelope, LoaderRelease, LoaderStatus, Page } from './types/page.js' */

/** @typedef {Pick<Envelope, 'states' | 'about'>} Parts of an envelope */

/** A forgotten hold must not keep a page on an old build for ever. */
const HOLD = 5 * 60_000;
/** A page that still runs this long after reload() stays: its user declined to leave it. */
const PATIENCE = 10_000;
const ROUND = 200;
/** How long the document may take to answer. */
const ANSWER = 15_000;
/** What tells a document of the app from a host's own error page, and how much of it is read for that. */
const OURS = /data-release|changeover/;
const MOST = 64 * 1024;

/**
 * Gives the page of the loader what it lacks; call it before the loader level takes over. `page.unequip()` takes it back.
 *
 * @param {Page} page what `openPage` made
 * @param {CompleteOptions} options complete options
 */
export function equip(page, options) {
  if (page.unequip) return;
  const { status } = page;
  const before = { ...page };
  const scope = new URL(options.release).pathname;
  const marks = createMarks(`changeover:${scope}:leaving`);
  const envelope = envelopeAt(`changeover:${scope}:envelope`, marks);
  /** @type {(code: string, message: string) => void} */
  const problem = (code, message) => console.error(`changeover: ${message} (${code})`);
  const states = createStatesOnDemand(options, {
    scope,
    build: options.build,
    carried: () => envelope.came,
    keep: envelope.keep,
    tell() {},
    problem,
    runs: null,
  });
  /** @type {LoaderRelease | null} */
  let release = null; // the one the user is asked about
  /** @type {number | null} */
  let asked = null; // its sequence
  /** @type {Prompt['busy']} */
  let busy = null;
  /** @type {AbortReason | null} */
  let trouble = null;
  let leaving = false;
  /** @type {ReturnType<Page['reload']> | null} */
  let running = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let watchdog;
  let unwatch = () => {};

  /** @returns {Prompt} */
  const view = () => ({
    reason: page.failures.some(describeFailure) ? 'chunkFailed' : 'newBuild',
    sequence: /** @type {LoaderRelease} */ (release).sequence,
    build: /** @type {LoaderRelease} */ (release).build,
    message: /** @type {LoaderRelease} */ (release).message ?? null,
    canSnooze: true,
    countdownUntil: null,
    busy,
    trouble,
  });
  const asking = {
    lang: options.lang,
    labels: options.labels,
    onReload: (/** @type {Prompt} */ seen) => page.reload(seen.trouble === 'stateNotSaved' ? 'anyway' : 'user'),
    onLater: () => page.snooze(),
  };
  const prompt = createPromptOnDemand(options, asking, problem);
  const refresh = () => release && options.prompt && prompt.show(view());
  /** @type {(reason: AbortReason) => never} */
  const refuse = (reason) => {
    trouble = reason;
    throw new Error(reason);
  };

  fillIn(status);
  // The loader stores the bare release here and hands it to the listeners.
  Object.defineProperty(status, 'prompt', {
    get: () => release && view(),
    /** @param {LoaderRelease | null | undefined} next */
    set(next) {
      // The loader takes the prompt back for a moment when it asks again; only another release is a new start.
      if (next && next.sequence !== asked) trouble = null;
      asked = next?.sequence ?? asked;
      release = next ?? null;
      status.decision = release ? { kind: 'prompt', reason: view().reason } : { kind: 'ignore', reason: 'sameBuild' };
    },
    enumerable: true,
    configurable: true,
  });

  page.show = () => {
    leaving = false;
    refresh();
    return {
      // The loader removes and shows again in one go: the user must not lose the focus for that.
      remove() {
        leaving = true;
        queueMicrotask(() => leaving && prompt.hide());
      },
    };
  };

  page.hold = (reason, { deadline = HOLD } = {}) => {
    const hold = { reason: String(reason), deadline: Date.now() + deadline };
    status.holds = [...status.holds, hold];
    return () => {
      status.holds = status.holds.filter((other) => other !== hold);
    };
  };

  page.state = (name, provider) => states.register(String(name), provider);
  if (options.fields) states.prepare();
  page.backups = states.backups;
  page.api.backups = () => /** @type {NonNullable<Page['backups']>} */ (page.backups)();

  /** Everything that has to be true before the loader may reload; throws when it is not. */
  page.save = async (by) => {
    trouble = 'unreachable'; // what a failure after this means
    for (;;) {
      const reasons = status.holds.filter(({ deadline }) => /** @type {number} */ (deadline) > Date.now()).map(({ reason }) => reason);
      if (!reasons.length) break;
      if (String(/** @type {{ reasons?: string[] } | null} */ (busy)?.reasons) !== String(reasons)) {
        busy = { type: 'holds', reasons };
        refresh();
      }
      await new Promise((go) => setTimeout(go, ROUND));
      if (status.level !== 'loader' || !release) refuse('superseded');
    }
    busy = { type: 'reloading' };
    refresh();
    // What the browser thinks of the network is wrong behind some VPNs.
    if (!(await isReachable())) refuse(navigator.onLine ? 'unreachable' : 'offline');
    trouble = 'stateNotSaved';
    const id = crypto.randomUUID?.() ?? String(Date.now());
    /** @param {Parts} parts */
    const write = (parts) =>
      isEmpty(parts) ? envelope.clear() : envelope.write({ id, from: options.build, to: /** @type {LoaderRelease} */ (status.release).build, ...parts });
    const { failed, ...parts } = await states.capture();
    const saved = write(parts);
    if ((failed || !saved) && by !== 'anyway') refuse('stateNotSaved');
    trouble = 'reloadDidNotTake';
    marks.write(id, 'left');
    let lives = false;
    unwatch();
    const end = marks.watch(
      id,
      () => {
        lives = true;
        envelope.keep();
        states.stays();
      },
      async () => {
        const { failed, ...parts } = await states.capture();
        if (!failed && !lives) write(parts);
      },
    );
    unwatch = () => {
      lives = true;
      end();
    };
    return true;
  };

  const bareReload = page.reload;
  page.reload = (by) => (running ??= reload(by).finally(() => (running = null)));

  /** @type {Page['reload']} */
  async function reload(by) {
    if (!status.skew) return 'noSkew';
    trouble = 'reloadDidNotTake';
    const refused = await bareReload(by);
    /** @param {AbortReason} reason */
    const stay = (reason) => {
      busy = null;
      trouble = reason;
      // A reload that only looks ignored may still be under way to a slow server.
      if (reason !== 'reloadIgnored') {
        unwatch();
        envelope.keep(); // what was captured now must not come back later over newer work
        states.stays();
      }
      refresh();
      return reason;
    };
    if (refused) return stay(trouble);
    watchdog = setTimeout(stay, PATIENCE, 'reloadIgnored');
  }

  const bareDispose = page.dispose;
  page.dispose = () => {
    clearTimeout(watchdog);
    unwatch();
    release = null;
    status.holds = [];
    states.dispose();
    bareDispose();
  };

  page.unequip = () => {
    clearTimeout(watchdog);
    unwatch();
    prompt.hide();
    states.dispose();
    for (const name of /** @type {const} */ (['unequip', 'hold', 'state', 'backups'])) delete page[name];
    for (const name of /** @type {const} */ (['show', 'save', 'reload', 'dispose']))
      /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (page))[name] = before[name];
  };
}

/** As the engine judges it: a host that serves the app with 404 is reachable, one that is broken is not. */
async function isReachable() {
  const here = bare(location.href.split('#')[0]);
  /** @param {RequestRedirect} redirect */
  const ask = (redirect) => fetch(here, { cache: 'reload', redirect, signal: AbortSignal.timeout?.(ANSWER) });
  try {
    const answer = await ask('follow');
    if (answer.ok || answer.status > 499) return answer.ok;
    const own = /** @type {PerformanceNavigationTiming | undefined} */ (performance.getEntriesByType?.('navigation')[0])?.responseStatus;
    return answer.status === own || OURS.test((await answer.text()).slice(0, MOST));
  } catch {
    // Another host may ask to sign in first. Only where nothing in between can answer for this one.
    return ask('manual').then(({ type }) => isSecureContext && type === 'opaqueredirect', () => false);
  }
}

/**
 * The rest of `Status`: the loader sets only what it uses.
 *
 * @param {LoaderStatus} status
 */
function fillIn(status) {
  const empty = {
    build: null,
    release: null,
    skew: false,
    leader: false,
    stream: 'off',
    lastCheck: null,
    failures: 0,
    lastFailure: null,
    holds: [],
    changeover: null,
  };
  for (const [name, value] of Object.entries(empty)) /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (status))[name] ??= value;
  status.decision = { kind: 'ignore', reason: 'noReleaseYet' };
}

/**
 * The envelope of the full level, without its checksum: session storage either keeps a text or does not.
 *
 * @param {string} key
 * @param {ReturnType<typeof createMarks>} marks
 */
function envelopeAt(key, marks) {
  /** @type {<Result>(run: () => Result) => Result | null} */
  const attempt = (run) => {
    try {
      return run();
    } catch {
      return null;
    }
  };
  /** @param {object | null} value */
  const put = (value) => {
    if (value) sessionStorage.setItem(key, JSON.stringify(value));
    else sessionStorage.removeItem(key);
    return true;
  };
  /** @returns {Envelope | null} */
  const read = () =>
    attempt(() => {
      const { sum, ...found } = JSON.parse(/** @type {string} */ (sessionStorage.getItem(key)));
      const alive = found.format === 1 && Date.now() - found.at < ON_THE_WAY && found.states && typeof found.states === 'object';
      return alive && marks.isOurs(found) ? found : null;
    });
  const came = read() ?? {};
  const keep = () => attempt(() => put(isEmpty(came) ? null : came));
  keep(); // what is not ours goes
  return {
    came,
    keep,
    /** Nothing is there to be saved, which succeeds without storage too. */
    clear() {
      attempt(() => put(null));
      return true;
    },
    /** @param {Parts & { id: string, from: string | null, to: string }} parts */
    write: ({ id, from, to, states, about }) =>
      attempt(() =>
        put({
          format: 1,
          id,
          from,
          to,
          at: Date.now(),
          url: location.href,
          scroll: [scrollX, scrollY],
          states,
          about,
        }),
      ) === true,
  };
}

/** @param {Parts} parts */
const isEmpty = ({ states = {}, about = {} }) => !Object.keys(states).length && !Object.keys(about).length;
