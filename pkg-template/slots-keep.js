// Values that live as long as the page, whatever is swapped in it.
import { registry } from './slots-registry.js';

/**
 * The value of `key`, made once and kept through swaps; made anew from the one before when `schema` is another.
 *
 * @template T
 * @param {string} key
 * @param {number} schema
 * @param {(previous: any) => T} make
 * @returns {T}
 */
export function keep(key, schema, make) {
  const { kept } = registry();
  const before = kept.get(key);
  if (before?.schema === schema) return before.value;
  const value = make(before?.value);
  kept.set(key, { schema, value });
  return value;
}
