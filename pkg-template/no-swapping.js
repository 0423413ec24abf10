// Stands in for swapping.js where the build has no slots.
import { discreet } from './load-errors.js';

/**
 * @param {{ problem: (code: string, message: string) => void }} guard
 */
export function createSwapping({ problem }) {
  // A runtime of this kind in a page with slots is that of another copy, whose tag comes first.
  if (document.getElementById('changeover-slots')) {
    const first = discreet(/** @type {HTMLScriptElement | null} */ (document.querySelector('script[data-release]'))?.src || 'a script');
    problem('slots_off', `the slots of this page take no new code: it is guarded by a copy of changeover without them, which ${first} started before the build's own tag`);
  }
  return { take() {}, dispose() {} };
}
