// The loader level with comfort: for pages where this JavaScript runs and only WebAssembly does not (a strict policy,
// iOS Lockdown Mode), or where the core has died.
//
// The loader goes on detecting and deciding. What it has no bytes for comes from here: the full prompt instead of the
// plain banner, holds, registered states carried through the reload, and the reason when a reload did not happen.
import { createPrompt } from './prompt.js';
import { carryFields } from './fields.js';
import { ON_THE_WAY } from './kept.js';
import { FIELDS, createStates } from './states.js';

/** A forgotten hold must not keep a page on an old build for ever. */
const HOLD = 5 * 60_000;
/** A page that still runs this long after reload() stays: somebody declined to leave it. */
const PATIENCE = 10_000;
const ROUND = 200;

/**
 * Gives the page of the loader what it lacks; call it before the loader level takes over.
 *
 * @param {object} page what `openPage` made
 * @param {object} options complete options
 */
export function equip(page, options) {
  const { status } = page;
  const scope = new URL(options.release).pathname;
  const envelope = envelopeAt(`changeover:${scope}:envelope`);
  const states = createStates({
    scope,
    build: options.build,
    carried: () => envelope.came,
    keep: envelope.keep,
    tell() {},
    problem(code, message) {
      console.error(`changeover: ${message} (${code})`);
    },
    runs: null,
  });
  let release = null; // the one the user is asked about
  let asked = null; // its sequence
  let busy = null;
  let trouble = null;
  let leaving = false;
  let running = null;
  let watchdog;

  const view = () => ({
    reason: page.failures.length ? 'chunkFailed' : 'newBuild',
    sequence: release.sequence,
    build: release.build,
    message: release.message ?? null,
    canSnooze: true,
    countdownUntil: null,
    busy,
    trouble,
  });
  const prompt = createPrompt({
    lang: options.lang,
    labels: options.labels,
    onReload: (seen) => page.reload(seen.trouble === 'stateNotSaved' ? 'anyway' : 'user'),
    onLater: () => page.snooze(),
  });
  const refresh = () => release && options.prompt && prompt.show(view());
  const refuse = (reason) => {
    trouble = reason;
    throw new Error(reason);
  };

  fillIn(status);
  // The loader stores the bare release here and hands it to the listeners.
  Object.defineProperty(status, 'prompt', {
    get: () => release && view(),
    set(next) {
      // The loader takes the prompt back for a moment when it asks again; only another release is a new start.
      if (next && next.sequence !== asked) trouble = null;
      asked = next?.sequence ?? asked;
      release = next ?? null;
      status.decision = release ? { kind: 'prompt', reason: view().reason } : { kind: 'ignore', reason: 'sameBuild' };
    },
    enumerable: true,
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
  if (options.fields) carryFields(page, (fields) => states.register(FIELDS, fields));
  page.backups = states.backups;
  page.api.backups = () => page.backups();

  /** Everything that has to be true before the loader may reload; throws when it is not. */
  page.save = async (by) => {
    trouble = 'unreachable'; // what a failure after this means
    if (!navigator.onLine) refuse('offline');
    for (;;) {
      const reasons = status.holds.filter(({ deadline }) => deadline > Date.now()).map(({ reason }) => reason);
      if (!reasons.length) break;
      if (String(busy?.reasons) !== String(reasons)) {
        busy = { type: 'holds', reasons };
        refresh();
      }
      await new Promise((go) => setTimeout(go, ROUND));
      if (status.level !== 'loader' || !release) refuse('superseded');
    }
    busy = { type: 'reloading' };
    refresh();
    const { failed, ...parts } = await states.capture();
    const saved = isEmpty(parts) || envelope.write({ from: options.build, to: status.release.build, ...parts });
    if ((failed || !saved) && by !== 'anyway') refuse('stateNotSaved');
  };

  const bareReload = page.reload;
  page.reload = (by) => (running ??= reload(by).finally(() => (running = null)));

  async function reload(by) {
    if (!status.skew) return 'noSkew';
    trouble = 'reloadDidNotTake';
    const refused = await bareReload(by);
    const stay = (reason) => {
      busy = null;
      trouble = reason;
      envelope.keep(); // what was captured now must not come back later over newer work
      if (reason !== 'reloadIgnored') states.stays();
      refresh();
      return reason;
    };
    if (refused) return stay(trouble);
    watchdog = setTimeout(stay, PATIENCE, 'reloadIgnored');
  }

  const bareDispose = page.dispose;
  page.dispose = () => {
    clearTimeout(watchdog);
    release = null;
    status.holds = [];
    states.dispose();
    bareDispose();
  };
}

/** The rest of `Status`: the loader sets only what it uses. */
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
  for (const [name, value] of Object.entries(empty)) status[name] ??= value;
  status.decision = { kind: 'ignore', reason: 'noReleaseYet' };
}

/** The envelope of the full level, without its checksum: session storage either keeps a text or does not. */
function envelopeAt(key) {
  const attempt = (run) => {
    try {
      return run();
    } catch {
      return null;
    }
  };
  const put = (value) => {
    if (value) sessionStorage.setItem(key, JSON.stringify(value));
    else sessionStorage.removeItem(key);
    return true;
  };
  const read = () =>
    attempt(() => {
      const { sum, ...found } = JSON.parse(sessionStorage.getItem(key));
      const alive = found.format === 1 && Date.now() - found.at < ON_THE_WAY && found.states && typeof found.states === 'object';
      return alive ? found : null;
    });
  const came = read() ?? {};
  return {
    came,
    keep: () => attempt(() => put(isEmpty(came) ? null : came)),
    write: ({ from, to, states, about }) =>
      attempt(() =>
        put({
          format: 1,
          id: crypto.randomUUID?.() ?? String(Date.now()),
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

const isEmpty = ({ states = {}, about = {} }) => !Object.keys(states).length && !Object.keys(about).length;
