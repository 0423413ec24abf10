// Connects the slots of the page, where it has any, with the guard: what is mounted goes in, steps of a swap come out.
import { createSwap } from './swap.js';
/** @import { Slots } from './slots.js' */
/** @import { LoaderStatus, SlotMigrations, SlotUse, SwapAnswer, SwapEffect } from './types/page.js' */

/** Where the registry of slots lives, once the app has used one. */
const PLACE = Symbol.for('changeover.slots');
/** How often it is looked for until then. */
const ROUND = 500;
/** How long a chunk that is gone may wait for the release to say where the slot is now. */
const RESCUE = 10_000;

/**
 * @param {{
 *   listed: (slots: SlotUse[]) => void,
 *   answer: (changeover: string, round: number, answer: SwapAnswer) => void,
 *   intact: ReturnType<typeof import('./intact.js').createIntact>,
 *   failed: (error: unknown) => void,
 *   check: () => Promise<LoaderStatus>,
 *   problem: (code: string, message: string) => void,
 *   health: () => boolean | undefined | Promise<boolean | undefined>,
 *   stores: () => Promise<SlotMigrations>,
 * }} guard
 */
export function createSwapping({ listed, answer, intact, failed, check, health, stores }) {
  /** @type {Slots | null} */
  let slots = null;
  /** @type {ReturnType<typeof createSwap> | null} */
  let swap = null;
  /** @type {(() => void) | null} */
  let undo = null;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let timer;
  let pending = false;

  const list = () => {
    if (pending) return;
    pending = true;
    // A route that changes lets one slot go and takes another.
    queueMicrotask(() => {
      pending = false;
      if (swap) listed(/** @type {Slots} */ (slots).uses());
    });
  };
  const connect = () => {
    slots = /** @type {{ [PLACE]: Slots | null }} */ (/** @type {unknown} */ (globalThis))[PLACE];
    if (!slots || swap) return;
    clearInterval(timer);
    removeEventListener('changeover:slots', connect);
    swap = createSwap({ slots, answer, intact, health, stores });
    undo = slots.subscribe(list);
    // A slot whose chunk is gone: the release may know where its code is now.
    slots.rescue = (id, _pointer, error) =>
      /** @type {Promise<void>} */ (new Promise((done) => {
        const stop = /** @type {Slots} */ (slots).subscribe((news) => news.kind === 'moved' && news.id === id && end());
        const late = setTimeout(() => end(), RESCUE);
        const end = () => {
          stop();
          clearTimeout(late);
          done();
        };
        const checked = check();
        failed(error); // what the look finds explains it
        // Where no other build is, there is nothing to wait for.
        checked.then(({ release, skew }) => release && !skew && end(), end);
      }));
    list();
  };

  if (document.getElementById('changeover-slots')) {
    timer = setInterval(connect, ROUND);
    addEventListener('changeover:slots', connect);
    connect();
  }

  return {
    /** @param {SwapEffect} effect */
    take({ type, changeover, round, to, step }) {
      if (type === 'discardSwap') swap?.discard(changeover);
      else swap?.ask(changeover, round, step, to);
    },
    dispose() {
      clearInterval(timer);
      removeEventListener('changeover:slots', connect);
      undo?.();
      swap?.dispose();
      if (slots) slots.rescue = null;
      swap = null;
    },
  };
}
