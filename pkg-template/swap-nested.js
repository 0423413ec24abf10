// Slots in one another: which of them a swap prepares, and whether those inside have come along.
/** @import { SlotGeneration, SlotHolder, Slots, SlotTurn } from './slots.js' */

/** @typedef {{ slot: string, holder: SlotHolder }} Held */

/** How long a slot that has nothing to lose may take to be shown again inside new code. */
const SOON = 600;
/** The same for one whose state would be lost. */
const LATE = 3_000;
const LOOK = 30;

/**
 * @param {Slots} slots
 * @param {Held[]} moving what gets new code
 * @returns `outer`: stands in no other one of them; `inner`: all slots inside those, whether they get new code or not, as
 *   they stand in the document; `unknown`: a slot of which nothing says where it is, while that matters
 */
export function sortHolders(slots, moving) {
  /** @type {(one: Held, other: Held) => boolean} */
  const isIn = (one, other) =>
    one !== other && slots.generations(one.holder.generation?.parent ?? parentOf(slots, one)).includes(/** @type {SlotGeneration} */ (other.holder.generation));
  const outer = moving.filter((one) => !moving.some((other) => isIn(one, other)));
  const shown = slots.mounted().flatMap((slot) => slots.holders(slot).map((holder) => ({ slot, holder })));
  const inner = shown.filter((one) => !outer.some(({ holder }) => holder === one.holder) && outer.some((other) => isIn(one, other)));
  inner.sort((one, other) =>
    (/** @type {SlotGeneration} */ (one.holder.generation).place?.compareDocumentPosition(/** @type {SlotGeneration} */ (other.holder.generation).place) & 2 ? 1 : -1),
  );
  const unknown = moving.length > 1 && moving.find(({ holder }) => !holder.generation)?.slot;
  return { outer, inner, all: [...outer, ...inner], unknown };
}

/** @type {(slots: Slots, held: Held) => SlotGeneration | null} */
const parentOf = (slots, { holder }) => slots.around(holder.generation?.place?.parentNode);

/**
 * Waits until what was inside is there again, inside the new code, with its state.
 *
 * @param {Slots} slots
 * @param {SlotTurn} turning
 * @param {Held[]} inner
 * @param {Map<SlotHolder, unknown>} values
 * @param {() => boolean} goesOn
 * @returns the slot that is not, and whose state would be lost
 */
export async function takenUp(slots, turning, inner, values, goesOn) {
  /** @type {Map<string, Held[]>} */
  const awaited = new Map();
  for (const one of inner) awaited.set(one.slot, [...(awaited.get(one.slot) ?? []), one]);
  const begun = Date.now();
  for (const [slot, before] of awaited) {
    const hasValue = before.some(({ holder }) => values.get(holder) !== undefined);
    const hasState = hasValue || before.some(({ holder }) => isTyped(/** @type {SlotGeneration} */ (holder.generation).place));
    // One state can be taken up by the slot of that name; of several, nothing says which is whose.
    if (hasValue && before.length > 1) return slot;
    const there = () => slots.held(slot).filter(({ generation }) => slots.isNew(/** @type {SlotGeneration} */ (generation)));
    while (goesOn() && there().length < before.length) {
      if (Date.now() - begun > (hasState ? LATE : SOON)) {
        if (hasState) return slot;
        break;
      }
      await new Promise((go) => setTimeout(go, LOOK));
    }
    await Promise.all(there().map(({ generation }) => /** @type {SlotGeneration} */ (generation).ready));
  }
  return null;
}

/**
 * Whether something is written in a field.
 *
 * @param {Element | undefined} place
 */
const isTyped = (place) =>
  [.../** @type {Iterable<HTMLInputElement>} */ (place?.querySelectorAll('input, textarea') ?? [])].some((field) => (/^(checkbox|radio)$/.test(field.type) ? field.checked !== field.defaultChecked : !/^(button|submit|reset|image|hidden)$/.test(field.type) && field.value !== field.defaultValue));
