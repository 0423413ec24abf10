// The migration of a swap: the states of slots whose schema changes, all on copies, which take the place of the snapshots at
// the end.
import { textOf } from './load-errors.js';
/** @import { SlotHolder, SlotModule, Slots } from './slots.js' */
/** @import { SlotMigrations, SwapAnswer, SwapStep } from './types/page.js' */

/** Longest time for one step of a migration. */
const BUDGET = 3_000;

/**
 * @param {Slots} slots
 * @param {() => Promise<SlotMigrations>} stores loads what migrates
 * @param {{ modules: Map<string, SlotModule>, values: Map<SlotHolder, unknown> }} attempt the new modules by slot, and the snapshots
 * @param {Extract<SwapStep, { type: 'migrate' }>['states']} states
 * @returns {Promise<SwapAnswer>}
 */
export async function migrate(slots, stores, { modules, values }, states) {
  /** @type {Map<SlotHolder, unknown>} */
  const made = new Map();
  for (const { slot, from, to } of states) {
    const [running] = slots.holders(slot);
    if (!running) continue;
    // Only the newer code knows the way down.
    const { migrations, validate } = to < from ? running : /** @type {SlotModule} */ (modules.get(slot));
    const name = `slot:${slot}`;
    let able;
    try {
      able = await stores();
      able.register({ name, schema: Math.max(from, to), migrations, validate });
    } catch (/** @type {any} */ error) {
      return { type: error.code === 'no_path' ? 'noMigrationPath' : 'migrationFailed', slot, message: textOf(error) };
    }
    try {
      for (const holder of slots.holders(slot)) {
        const value = values.get(holder);
        if (value === undefined) continue;
        const [done] = await able.migrate([{ store: name, from, lineage: '', value, to }], { budget: BUDGET });
        made.set(holder, done.value);
      }
    } catch (/** @type {any} */ error) {
      const none = ['no_path', 'lossy_path', 'unknown_schema'].includes(error.code);
      return { type: none ? 'noMigrationPath' : 'migrationFailed', slot, message: error.message };
    } finally {
      able.unregister(name);
    }
  }
  for (const [holder, value] of made) values.set(holder, value);
  return { type: 'migrated' };
}
