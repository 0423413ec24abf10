// Which document may take an envelope, where no engine runs to say so: the same marks in the same place as
// `engine/departure.rs` and `web/state.rs`, which tell why.

/** What may lie between the last mark of a page and the start of the navigation that it has asked for. */
const SLACK = 1_500;
/** So long after the last key the user has paused. */
const PAUSE = 300;
const ACTS = /** @type {const} */ (['input', 'change', 'keydown', 'pointerup']);

/** @typedef {'asked' | 'left' | 'gone'} Mark */

/**
 * @param {string} key where the mark lies in session storage
 */
export function createMarks(key) {
  /** @type {<T>(run: () => T) => T | undefined} */
  const attempt = (run) => {
    try {
      return run();
    } catch {}
  };
  const forget = () => attempt(() => sessionStorage.removeItem(key));
  const now = () => Math.floor(Math.max(Date.now(), performance.timeOrigin + performance.now()));
  const marks = {
    /** @type {(id: string, mark: Mark) => void} */
    write: (id, mark) => attempt(() => sessionStorage.setItem(key, JSON.stringify({ id, mark, at: now() }))),

    /**
     * Whether this document may take the envelope that has come; asked once.
     *
     * @param {{id: string, arrived?: boolean}} envelope
     * @returns {boolean}
     */
    isOurs({ id, arrived }) {
      const { mark, at, id: marked } = attempt(() => JSON.parse(/** @type {string} */ (sessionStorage.getItem(key)))) ?? {};
      forget();
      if (arrived || marked !== id || mark === 'gone') return true;
      const type =
        /** @type {PerformanceNavigationTiming | undefined} */ (performance.getEntriesByType?.('navigation')[0])?.type ?? 'reload';
      return type === 'reload' && (mark !== 'left' || !(performance.timeOrigin > at + SLACK));
    },

    /**
     * Watches a page that has been told to reload.
     *
     * @param {string} id of the envelope
     * @param {() => void} stays called when the page has lived on; what was captured is old then
     * @param {() => void} acted called when the user has done something meanwhile
     * @returns {() => void} ends it
     */
    watch(id, stays, acted) {
      let unloads = 0;
      let objected = false;
      /** @type {ReturnType<typeof setTimeout> | undefined} */
      let paused;
      /** @type {(() => void)[]} */
      const undo = [];
      /**
       * @template {keyof WindowEventMap} Type
       * @param {Type} type
       * @param {(event: WindowEventMap[Type]) => void} listener
       * @param {boolean} [capture]
       */
      const on = (type, listener, capture) => {
        addEventListener(type, listener, capture);
        undo.push(() => removeEventListener(type, listener, capture));
      };
      const end = () => {
        clearTimeout(paused);
        undo.splice(0).forEach((each) => each());
      };
      const live = () => {
        end();
        forget();
        stays();
      };
      on('beforeunload', (event) => {
        unloads += 1;
        if (unloads > 1 && objected) return live();
        objected = event.defaultPrevented || Boolean(event.returnValue?.length);
        marks.write(id, objected ? 'asked' : 'left');
        setTimeout(() => undo.length && marks.write(id, 'left'));
      });
      on('pagehide', () => unloads > 1 || marks.write(id, 'gone'));
      on('pageshow', ({ persisted }) => persisted && live());
      for (const type of ACTS) {
        on(
          type,
          () => {
            clearTimeout(paused);
            paused = setTimeout(acted, PAUSE);
          },
          true,
        );
      }
      return end;
    },
  };
  return marks;
}
