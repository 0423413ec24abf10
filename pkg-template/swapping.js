// Connects the slots of the page, where it has any, with the guard: what is mounted goes in, steps of a swap come out.
import { createSwap } from './swap.js';

/** Where the registry of slots lives, once the app has used one. */
const PLACE = Symbol.for('changeover.slots');
/** How often it is looked for until then. */
const ROUND = 500;
/** How long a chunk that is gone may wait for the release to say where the slot is now. */
const RESCUE = 10_000;

/**
 * @param {{
 *   listed: (slots: [string, string][]) => void,
 *   answer: (changeover: string, round: number, answer: object) => void,
 *   check: () => void,
 *   health: () => boolean | undefined | Promise<boolean | undefined>,
 *   stores: () => Promise<object>,
 * }} guard
 */
export function createSwapping({ listed, answer, check, health, stores }) {
  let slots = null;
  let swap = null;
  let undo = null;
  let timer;
  let pending = false;

  const list = () => {
    if (pending) return;
    pending = true;
    // A route that changes lets one slot go and takes another.
    queueMicrotask(() => {
      pending = false;
      if (swap) listed(slots.uses());
    });
  };
  const connect = () => {
    slots = globalThis[PLACE];
    if (!slots) return;
    clearInterval(timer);
    swap = createSwap({ slots, answer, health, stores });
    undo = slots.subscribe(list);
    // A slot whose chunk is gone: the release may know where its code is now.
    slots.rescue = (id) =>
      new Promise((done) => {
        const stop = slots.subscribe((news) => news.kind === 'moved' && news.id === id && end());
        const late = setTimeout(() => end(), RESCUE);
        const end = () => {
          stop();
          clearTimeout(late);
          done();
        };
        check();
      });
    list();
  };

  if (document.getElementById('changeover-slots')) {
    timer = setInterval(connect, ROUND);
    connect();
  }

  return {
    take({ type, changeover, round, to, step }) {
      if (type === 'discardSwap') swap?.discard(changeover);
      else swap?.ask(changeover, round, step, to);
    },
    dispose() {
      clearInterval(timer);
      undo?.();
      swap?.dispose();
      if (slots) slots.rescue = null;
      swap = null;
    },
  };
}
