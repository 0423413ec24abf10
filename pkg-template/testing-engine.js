// The engine for the test kit: the real one, with nothing registered but what a test names.
import { createStores } from './stores.js';

/**
 * @import { Job, Rehearsal, Spec } from './testing.js'
 * @typedef {Spec & { name: string }} NamedSpec
 * @typedef {Job & { store: string, lineage: string }} FullJob
 * @typedef {{ verify?: boolean, lossy?: boolean, budget?: number }} How
 */

/**
 * What the kit uses of the engine.
 *
 * @typedef {object} Engine
 * @property {(spec: NamedSpec) => void} register
 * @property {(name: string, schema: number) => string} lineage
 * @property {(name: string, from: number, to: number) => { lossy: boolean, steps: string[] }} way throws without a path
 * @property {{
 *   (jobs: FullJob[], how: How & { dry: true }): Promise<{ stores: Rehearsal[] }>,
 *   (jobs: FullJob[], how: How): Promise<{ store: string, schema: number, value: unknown }[]>,
 * }} migrate
 */

/**
 * The engine with these stores registered, as a page would have them.
 *
 * @param {NamedSpec[]} specs
 * @param {Partial<Spec>} [more] for each of them
 */
export async function engineWith(specs, more = {}) {
  const stores = /** @type {Engine} */ (/** @type {unknown} */ (await createStores({ options: {} })));
  for (const spec of specs) stores.register({ ...spec, ...more });
  return stores;
}

/**
 * A spec may come without its name, as it is handed to `state()` and `store()`.
 *
 * @type {(spec: Spec) => NamedSpec}
 */
export const named = (spec) => ({ ...spec, name: spec.name ?? 'store' });

/**
 * Every schema that the steps name, and every one of `reads`.
 *
 * @param {Spec} spec
 */
export function schemasOf({ schema, reads = [], migrations = [] }) {
  return [...new Set([schema, ...reads, ...migrations.flatMap(({ from, to }) => [from, to])])].sort((one, other) => one - other);
}

/**
 * Whether any way leads there, with or without a loss.
 *
 * @param {Engine} stores
 * @param {string} name
 * @param {number} from
 * @param {number} to
 */
export function reaches(stores, name, from, to) {
  try {
    stores.way(name, from, to);
    return true;
  } catch {
    return false;
  }
}
