// Brings files into the HTTP cache, whole and as the manifest says, before anything imports them: a failed `fetch` leaves nothing
// behind in the page, while a failed module stays failed for as long as the page lives.
//
// A cache that has taken a wrong copy for good (half a file, a 404, a page of HTML, and `immutable` with it) would give it to
// every page of this browser. So what was wrong is remembered, beyond this page, and fetched past the cache until it is right.
/** @import { FetchFailure, FileToFetch, WrongFile } from './types/page.js' */

/** @typedef {Pick<FileToFetch, 'integrity' | 'kind'> & { at: number }} Wrong what a wrong copy should have been, and since when */

const KEY = 'changeover:wrong';
/** Tries to replace what was wrong, in a page that has nothing else to do with it. */
const AGAIN = [5_000, 60_000, 5 * 60_000, 20 * 60_000];
/** A file that is still wrong by then is not coming back. */
const FORGET = 30 * 24 * 60 * 60_000;
/** Files that are looked at at once: the app has requests of its own. */
const LANES = 4;
/** A look that takes longer says nothing: the line is slow. */
const LOOK = 60_000;
/** More are not remembered: it is a broken deploy, and `publish` names new files next time. */
const MOST = 50;

/** @param {{ delays?: number[] }} [options] */
export function createIntact({ delays = AGAIN } = {}) {
  const over = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | null} */
  let timer = null;

  /** @returns {[url: string, file: Wrong][]} */
  const read = () => {
    try {
      return Object.entries(JSON.parse(/** @type {string} */ (localStorage.getItem(KEY))) ?? {}).filter(([, { at }]) => Math.abs(Date.now() - at) < FORGET);
    } catch {
      return [];
    }
  };
  /** @param {[url: string, file: Wrong][]} entries */
  const write = (entries) => {
    try {
      if (entries.length) localStorage.setItem(KEY, JSON.stringify(Object.fromEntries(entries.slice(-MOST))));
      else localStorage.removeItem(KEY);
    } catch {} // storage is full or blocked: this page still knows
  };
  const wrong = new Map(read());
  /** @type {Set<string>} */
  const right = new Set(); // what a look has found to be right, for the next look of this page
  /** @type {(url: string, file: Omit<Wrong, 'at'> | null) => void} */
  const mark = (url, file) => {
    if (file) wrong.set(url, { ...file, at: wrong.get(url)?.at ?? Date.now() });
    else if (!wrong.delete(url)) return;
    const others = read().filter(([known]) => known !== url);
    write(file ? [...others, [url, /** @type {Wrong} */ (wrong.get(url))]] : others);
    if (file && !timer) heal();
  };

  /**
   * Resolves with what is wrong with the answer, null if it is right; rejects as `fetch` does.
   *
   * @type {(url: string, file: Partial<FileToFetch>, cache: RequestCache, signal: AbortSignal, isChecked?: boolean) => Promise<FetchFailure | null>}
   */
  const ask = async (url, { integrity, kind, size, priority }, cache, signal, isChecked = true) => {
    const response = await fetch(url, { cache, signal, priority, credentials: 'same-origin', ...(isChecked && integrity ? { integrity } : {}) });
    if (!response.ok) return { type: 'status', status: response.status };
    if (kind !== 'asset' && /html/.test(response.headers.get('content-type') ?? '')) return { type: 'html' };
    const bytes = (await response.arrayBuffer()).byteLength;
    return isChecked || size === undefined || bytes === size ? null : { type: 'length', bytes };
  };

  /**
   * One round: the cache, unless its copy is known to be wrong; then the server.
   *
   * @type {(url: string, file: FileToFetch, signal: AbortSignal) => Promise<FetchFailure | null>}
   */
  const attempt = async (url, file, signal) => {
    /** @type {FetchFailure | null | undefined} */
    let failure;
    for (const cache of /** @type {RequestCache[]} */ (wrong.has(url) ? ['reload'] : ['default', 'reload'])) {
      failure = await ask(url, file, cache, signal).catch(() => /** @type {const} */ ({ type: 'network' }));
      if (!failure) return mark(url, null), null;
      if (signal.aborted) return failure;
    }
    if (/** @type {FetchFailure} */ (failure).type === 'network') {
      // A browser does not say whether the line, the content or the status was wrong.
      failure = (await ask(url, file, 'no-store', signal, false).catch(() => failure)) ?? { type: 'integrity' };
    }
    if (/** @type {FetchFailure} */ (failure).type !== 'network') mark(url, { integrity: file.integrity, kind: file.kind });
    return /** @type {FetchFailure} */ (failure);
  };

  const heal = (nth = 0) => {
    timer = setTimeout(async () => {
      for (const [url, file] of [...wrong]) {
        const failure = await ask(url, file, 'reload', over.signal).catch(() => ({}));
        if (over.signal.aborted) return;
        if (!failure) mark(url, null);
      }
      timer = null;
      if (wrong.size) heal(nth + 1);
    }, delays[Math.min(nth, delays.length - 1)]);
  };
  if (wrong.size) heal();

  return {
    /**
     * Throws an error with the `answer` of a step when the file cannot be had.
     *
     * @type {(url: string, file: FileToFetch, signal: AbortSignal) => Promise<void>}
     */
    async bring(url, file, signal) {
      const failure = await attempt(url, file, signal);
      if (failure) throw Object.assign(new Error(`${file.file} cannot be had`), { answer: { type: 'fetchFailed', file: file.file, failure } });
    },
    /**
     * Looks at files that a page to come will load. Resolves with the first that is wrong, and why; null when none is, as far as
     * that can be told: another host need not let a page read its files.
     *
     * @param {FileToFetch[]} files
     * @param {(file: string) => URL} urlOf
     */
    async check(files, urlOf) {
      const late = new AbortController();
      const stop = () => late.abort();
      const timer = setTimeout(stop, LOOK);
      over.signal.addEventListener('abort', stop);
      const waiting = [...files];
      /** @type {WrongFile | null} */
      let found = null;
      const lane = async () => {
        for (let next; !found && (next = waiting.shift()); ) {
          const { href, origin } = urlOf(next.file);
          if (right.has(href + next.integrity)) continue;
          const failure = await attempt(href, { ...next, priority: 'low' }, late.signal);
          if (late.signal.aborted) return;
          if (!failure) right.add(href + next.integrity);
          else if (failure.type !== 'network' || origin === location.origin) found ??= { file: next.file, failure };
        }
      };
      await Promise.all(Array.from({ length: LANES }, lane));
      clearTimeout(timer);
      over.signal.removeEventListener('abort', stop);
      return found;
    },
    dispose() {
      over.abort();
      clearTimeout(/** @type {ReturnType<typeof setTimeout>} */ (timer));
    },
  };
}
