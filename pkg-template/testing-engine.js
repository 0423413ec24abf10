// The engine for the test kit: the real one, with nothing registered but what a test names.
import { createStores } from './stores.js';

/** The engine with these stores registered, as a page would have them. */
export async function engineWith(specs, more = {}) {
  const stores = await createStores({ options: {} });
  for (const spec of specs) stores.register({ ...spec, ...more });
  return stores;
}

/** A spec may come without its name, as it is handed to `state()` and `store()`. */
export const named = (spec) => ({ ...spec, name: spec.name ?? 'store' });

/** Every schema that the steps name, and every one of `reads`. */
export function schemasOf({ schema, reads = [], migrations = [] }) {
  return [...new Set([schema, ...reads, ...migrations.flatMap(({ from, to }) => [from, to])])].sort((one, other) => one - other);
}

/** Whether any way leads there, with or without a loss. */
export function reaches(stores, name, from, to) {
  try {
    stores.way(name, from, to);
    return true;
  } catch {
    return false;
  }
}
