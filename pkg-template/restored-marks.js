// Which states have been put in place, by the token they were captured under: browsers copy session storage into a
// duplicated tab, and nothing may be restored twice.
import { ON_THE_WAY } from './snapshot-db.js';

/** Waiting longer for a tab that is frozen in the middle of its restore would keep this one waiting for ever. */
const PATIENCE = 5_000;

/** @typedef {[at: number, ...names: string[]]} Mark when the last of these states was put in place */

/** @param {string} scope the path of the site's `release.json` */
export function createUsed(scope) {
  const key = `changeover:${scope}:used`;
  /** @returns {Map<string, Mark>} by their tokens */
  const read = () => {
    try {
      /** @type {[string, Mark][]} */
      const marks = Object.entries(JSON.parse(/** @type {string} */ (localStorage.getItem(key))) ?? {});
      // An envelope that is carried on lives for another day, but not much longer.
      return new Map(marks.filter(([, [at]]) => Date.now() - at < 7 * ON_THE_WAY));
    } catch {
      return new Map();
    }
  };
  return {
    /** @type {(token: string, name: string) => boolean} */
    has: (token, name) => read().get(token)?.includes(name, 1) ?? false,
    /** @type {(token: string, name: string) => void} */
    add(token, name) {
      const marks = read();
      const [, ...names] = marks.get(token) ?? [];
      marks.set(token, [Date.now(), ...names, name]);
      try {
        localStorage.setItem(key, JSON.stringify(Object.fromEntries(marks)));
      } catch {}
    },
    /**
     * Runs `work` while no other tab does, if the browser can see to that.
     *
     * @template T
     * @param {string} token
     * @param {() => Promise<T>} work
     * @returns {Promise<T>}
     */
    async alone(token, work) {
      const { locks } = navigator;
      if (!locks) return work();
      const patience = new AbortController();
      const timer = setTimeout(() => patience.abort(), PATIENCE);
      /** @type {Promise<T> | null} */
      let begun = null;
      const begin = () => {
        clearTimeout(timer);
        return (begun ??= work());
      };
      try {
        return await locks.request(`changeover:${scope}:restore:${token}`, { signal: patience.signal }, begin);
      } catch {
        return begin();
      }
    },
  };
}
