// Performs the steps of a swap, which the engine asks for one by one: fetch, import, wait for quiet, snapshot, migrate, mount,
// switch, watch, and then commit or go back. It decides nothing; each step is answered with what came of it.
//
// Until the switch everything new is hidden, inert and apart, and goes with `discard`; at the switch all slots turn in one
// task; until the commit the old code stays, so that it can be shown again.
//
// Slots stand in one another. Only the outermost are prepared; what is mounted inside them comes with them, and takes up its state.
import { textOf } from './load-errors.js';
import { setMedia } from './media.js';
import { createQuiet } from './user-idle.js';
import { disable, kin, linksTo, pause, preload } from './swap-links.js';
import { migrate } from './swap-migration.js';
import { sortHolders, takenUp } from './swap-nested.js';
import { cloned } from './clone.js';
/** @import { PreparedSlot, SlotHolder, SlotModule, SlotPointer, Slots, SlotTurn } from './slots.js' */
/** @import { FileToFetch, SlotMigrations, SwapAnswer, SwapStep } from './types/page.js' */

/** @typedef {SwapAnswer | null} Answer null: there is nothing to be said */
/** @typedef {ReturnType<typeof setInterval>} Timer */
/**
 * @typedef {object} Attempt
 * @property {string} changeover
 * @property {number} [round]
 * @property {string} [build]
 * @property {Map<string, SlotModule>} modules
 * @property {SlotTurn | null} turning
 * @property {Map<SlotHolder, unknown>} values
 * @property {{ slot: string, part: PreparedSlot }[]} prepared
 * @property {HTMLLinkElement[]} links
 * @property {string[]} styles
 * @property {(SlotPointer & { slot: string })[]} before
 * @property {{ link: HTMLLinkElement, media: string }[]} removed
 * @property {string[]} urls
 * @property {number} turn
 * @property {(() => void) | null} watching
 * @property {AbortController} over
 * @property {FileToFetch[]} [fetched]
 * @property {number} [since] a mark of what the user has done
 * @property {Timer} [timer]
 */
/** @typedef {{ [Type in SwapStep['type']]: (mine: Attempt, step: Extract<SwapStep, { type: Type }>) => Answer | Promise<Answer> }} Steps */

/** Files that are fetched at once. */
const LANES = 6;
/** How often the new generation is looked at for showing nothing. */
const LOOK = 500;
/** How long it may show nothing before it is shown, say because its data is on the way. */
const BLANK = 3_000;
/** How browsers say that a module, or one that it imports, could not be fetched. */
const UNFETCHED = /dynamically imported module|importing a module script failed/i;

/**
 * @param {{
 *   slots: Slots,
 *   answer: (changeover: string, round: number, answer: SwapAnswer) => void,
 *   intact: ReturnType<typeof import('./intact.js').createIntact>,
 *   health?: () => boolean | void | Promise<boolean | void>,
 *   stores: () => Promise<SlotMigrations>,
 * }} port `slots`: the registry of the page; `health`: `false` or an error takes new code back; `stores`: loads what migrates
 */
export function createSwap({ slots, answer, intact, health = () => {}, stores }) {
  /** @type {Attempt | null} */
  let attempt = null;
  const quiet = createQuiet();

  /**
   * What one attempt has made so far; each attempt has its own, so that a late one touches nothing of the next.
   *
   * @type {(changeover: string) => Attempt}
   */
  const begin = (changeover) => ({
    changeover,
    modules: new Map(), // slot -> its new module
    turning: null, // the turn that the registry is in
    values: new Map(), // holder -> the copy of its state
    prepared: [], // {slot, part}
    links: [], // of styles of the shell, which are not the registry's
    styles: [],
    before: [], // pointers as they were
    removed: [], // links that are out of force
    urls: [], // of new files: what breaks there is the swap's to deal with
    turn: 0, // grows when what was prepared is dropped
    watching: null,
    over: new AbortController(),
  });
  /** @param {string} changeover */
  const of = (changeover) => {
    if (attempt?.changeover !== changeover) {
      if (attempt) end(attempt);
      attempt = begin(changeover);
    }
    return attempt;
  };
  /** @param {string[]} names */
  const holdersOf = (names) => names.flatMap((slot) => slots.holders(slot).map((holder) => ({ slot, holder })));

  /** @type {Steps} */
  const steps = {
    async fetch(mine, { files }) {
      const waiting = [...files];
      const lane = async () => {
        for (let next; (next = waiting.shift()); ) await intact.bring(slots.url(next.file), next, mine.over.signal);
      };
      await Promise.all(Array.from({ length: LANES }, lane));
      mine.fetched = files;
      return { type: 'fetched' };
    },

    async import(mine, { modules, pointers }) {
      await preload(slots, mine.fetched ?? []);
      mine.turning = slots.turn(pointers);
      for (const { slot, file } of modules) {
        try {
          mine.modules.set(slot, await slots.open({ file, css: [] }));
        } catch (/** @type {any} */ error) {
          // What was fetched and verified has left the cache again, or something the file imports cannot be had.
          if (UNFETCHED.test(error?.message)) return { type: 'fetchFailed', file, failure: { type: 'network' } };
          return { type: 'importFailed', slot, message: textOf(error) };
        }
      }
      return { type: 'imported' };
    },

    async awaitQuiet(mine, { slots: names }) {
      const { unknown } = sortHolders(slots, holdersOf(names));
      if (unknown) return { type: 'placeUnknown', slot: unknown };
      const able = async () => {
        for (const { holder } of sortHolders(slots, holdersOf(names)).all) if ((await holder.canSwap?.()) === false) return false;
        return true;
      };
      await quiet.come(able, mine.over.signal);
      return { type: 'quiet' };
    },

    async snapshot(mine, { slots: names }) {
      mine.since = quiet.mark();
      for (const { slot, holder } of sortHolders(slots, holdersOf(names)).all) {
        try {
          mine.values.set(holder, cloned(await holder.snapshot(), `the state of slot "${slot}"`));
        } catch (error) {
          return { type: 'snapshotFailed', slot, message: textOf(error) };
        }
      }
      return { type: 'snapshotted' };
    },

    migrate: (mine, { states }) => migrate(slots, stores, mine, states),

    async mount(mine, { slots: names, pointers, styles }) {
      const { turn } = mine;
      mine.styles = styles;
      /** @type {(file: string) => Promise<string | null>} */
      const missing = async (file) => Promise.resolve(slots.style(file, kin(slots.url(file)))).then(() => null, () => file);
      const [file] = (await Promise.all(styles.map(missing))).filter(Boolean);
      if (file) return { type: 'fetchFailed', file, failure: { type: 'network' } };
      listen(mine);
      const { outer, inner } = sortHolders(slots, holdersOf(names));
      const states = new Map(inner.map(({ slot, holder }) => [slot, mine.values.get(holder)]));
      mine.turning = slots.turn(pointers, states);
      for (const { slot, holder } of outer) {
        /** @param {unknown} error */
        const broke = (error) => mine.turn === turn && report(mine, { type: 'threw', slot, message: textOf(error) });
        try {
          if (mine.turn !== turn) return null;
          const part = await holder.prepare(mine.modules.get(slot), mine.values.get(holder), broke, mine.turning);
          if (mine.turn !== turn) return carefully(part.discard), null;
          mine.prepared.push({ slot, part });
          Promise.resolve(part.ready).catch(() => {}); // the swap may end before this is awaited
        } catch (error) {
          return { type: 'mountFailed', slot, message: textOf(error) };
        }
      }
      for (const { slot, part } of [...mine.prepared]) {
        try {
          await part.ready;
        } catch (error) {
          return { type: 'mountFailed', slot, message: textOf(error) };
        }
        for (let looks = 0; mine.turn === turn && part.isEmpty?.(); await pause(LOOK / 10)) {
          // Not by the clock: a busy page looks less often, and a hidden one renders nothing.
          if (!document.hidden && (looks += 1) > BLANK / (LOOK / 10)) return { type: 'empty', slot };
        }
      }
      const lost = await takenUp(slots, mine.turning, inner, mine.values, () => mine.turn === turn);
      return lost ? { type: 'notShown', slot: lost } : { type: 'mounted' };
    },

    switch(mine, { pointers, styles, stylesOut = [] }) {
      if (quiet.isDisturbed(mine.since)) return { type: 'disturbed' };
      const now = slots.files();
      mine.before = pointers.map(({ slot }) => ({ slot, ...now[slot] }));
      mine.turning?.end('shown');
      try {
        for (const { part } of mine.prepared) part.show();
      } catch (error) {
        return { type: 'switchFailed', message: textOf(error) };
      }
      for (const { slot, file, css } of pointers) slots.pointTo(slot, { file, css, build: mine.build });
      const ofSlots = new Set(Object.values(slots.files()).flatMap(({ css }) => css));
      for (const file of styles.filter((name) => !ofSlots.has(name))) {
        const link = slots.release(file);
        if (!link) continue;
        setMedia(link, '');
        mine.links.push(link);
      }
      for (const file of stylesOut) mine.removed.push(...disable(slots.url(file)));
      mine.since = quiet.mark();
      return { type: 'switched' };
    },

    watch(mine, { slots: names, files }) {
      mine.urls.push(...files.map((file) => slots.url(file)));
      listen(mine);
      const watched = new Set(names);
      let asking = false;
      const askHealth = async () => {
        if (asking) return;
        asking = true;
        try {
          if ((await health()) === false) report(mine, { type: 'unhealthy', message: 'the app says that it is not well' });
        } catch (error) {
          report(mine, { type: 'unhealthy', message: textOf(error) });
        } finally {
          asking = false;
        }
      };
      mine.timer = setInterval(() => {
        askHealth();
        // The user may well have emptied it.
        if (quiet.isDisturbed(mine.since)) return;
        for (const { slot, part } of mine.prepared) if (watched.has(slot) && part.isEmpty?.()) report(mine, { type: 'empty', slot });
      }, LOOK);
      return null; // only what goes wrong is told
    },

    commit(mine, { styles }) {
      mine.turning?.end('done');
      for (const { part } of mine.prepared) carefully(part.drop);
      for (const file of styles) for (const link of linksTo(slots.url(file))) link.remove();
      for (const { link } of mine.removed) link.remove();
      slots.tidy();
      end(mine);
      return { type: 'committed' };
    },

    rollBack(mine) {
      // One that fails does not keep the others from going back.
      const failures = mine.prepared.map(({ part }) => carefully(part.back)).filter(Boolean);
      for (const { link, media } of mine.removed) setMedia(link, media);
      for (const { slot, ...pointer } of mine.before) slots.pointTo(slot, pointer);
      mine.turning?.end('undone');
      for (const link of mine.links) link.remove();
      slots.tidy();
      end(mine);
      return failures.length ? { type: 'rollBackFailed', message: textOf(/** @type {{ error: unknown }} */ (failures[0]).error) } : { type: 'rolledBack' };
    },
  };

  /**
   * From when the new code runs, hidden, to the end.
   *
   * @param {Attempt} mine
   */
  const listen = (mine) => {
    if (mine.watching) return;
    for (const { file } of mine.fetched ?? []) mine.urls.push(slots.url(file));
    /** @param {unknown} text */
    const blame = (text) => mine.urls.some((url) => String(text).includes(url));
    /** @param {{ error?: any, reason?: any, filename?: string, message?: string }} event */
    const heard = (event) => {
      const error = event.error ?? event.reason;
      if (!blame(event.filename) && !blame(error?.stack)) return;
      report(mine, { type: 'threw', slot: null, message: textOf(error ?? event.message) });
    };
    addEventListener('error', heard);
    addEventListener('unhandledrejection', heard);
    mine.watching = () => {
      removeEventListener('error', heard);
      removeEventListener('unhandledrejection', heard);
      clearInterval(mine.timer);
      mine.watching = null;
    };
  };
  /** @param {Attempt} mine */
  const end = (mine) => {
    mine.watching?.();
    mine.over.abort();
    // What is shown at the end stays.
    if (mine.turning?.state === 'ahead') mine.turning.end('undone');
    else if (mine.turning?.state === 'shown') mine.turning.end('done');
    mine.prepared = [];
    if (attempt === mine) attempt = null;
  };
  /** @type {(mine: Attempt, what: SwapAnswer) => void} */
  const report = (mine, what) => {
    if (attempt === mine) answer(mine.changeover, /** @type {number} */ (mine.round), what);
  };

  return {
    /**
     * Takes one step; every answer goes to `answer`.
     *
     * @type {(changeover: string, round: number, step: SwapStep, build?: string) => void}
     */
    ask(changeover, round, step, build) {
      const mine = of(changeover);
      mine.round = round;
      if (build) mine.build = build;
      /** @param {Answer} result */
      const said = (result) => {
        if (result) answer(changeover, round, result);
      };
      /** @param {any} error some bring their answer */
      const failed = (error) => {
        if (mine.over.signal.aborted && attempt !== mine) return;
        said(error?.answer ?? broken(step, error));
      };
      try {
        const result = /** @type {(mine: Attempt, step: SwapStep) => Answer | Promise<Answer>} */ (steps[step.type])(mine, step);
        if (typeof (/** @type {Promise<Answer> | null} */ (result)?.then) === 'function') /** @type {Promise<Answer>} */ (result).then(said, failed);
        else said(/** @type {Answer} */ (result));
      } catch (error) {
        failed(error);
      }
    },

    /**
     * Drops what was mounted hidden: nothing of it was seen.
     *
     * @param {string} changeover
     */
    discard(changeover) {
      if (attempt?.changeover !== changeover) return;
      const mine = attempt;
      mine.turn += 1;
      mine.turning?.end('undone');
      for (const { part } of mine.prepared) carefully(part.discard);
      mine.prepared = [];
      mine.values.clear();
      slots.tidy();
      mine.watching?.();
    },

    dispose() {
      if (attempt) end(attempt);
      quiet.dispose();
    },
  };
}

/**
 * The answer to a step that failed in a way of its own.
 *
 * @param {{ type: SwapStep['type'], slots?: string[], modules?: { slot: string }[], states?: { slot: string }[] }} step
 * @param {unknown} error
 */
function broken({ type, slots = [], modules = [], states = [] }, error) {
  const message = textOf(error);
  const slot = slots[0] ?? modules[0]?.slot ?? states[0]?.slot ?? '';
  /** @type {Partial<Record<SwapStep['type'], SwapAnswer>>} */
  const answers = {
    fetch: { type: 'fetchFailed', file: '', failure: { type: 'network' } },
    import: { type: 'importFailed', slot, message },
    awaitQuiet: { type: 'vetoed', slot },
    snapshot: { type: 'snapshotFailed', slot, message },
    migrate: { type: 'migrationFailed', slot, message },
    mount: { type: 'mountFailed', slot, message },
    switch: { type: 'switchFailed', message },
    rollBack: { type: 'rollBackFailed', message },
    commit: { type: 'committed' },
  };
  return answers[type] ?? null;
}

/**
 * Calls one part; what it throws is told and returned.
 *
 * @param {() => void} call
 */
function carefully(call) {
  try {
    call();
  } catch (error) {
    console.error('changeover: a part of a swap failed', error);
    return { error };
  }
}
