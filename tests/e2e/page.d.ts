// Globals of the pages that tests, benchmarks and the demo's check drive. Functions that run in such a page use them.
import type { Changeover, Decision, Events } from '../../pkg-template/index.js';

declare global {
  /** The page's guard. */
  var changeover: Changeover;
  /** The same, where a module that drives the page has something else of that name. */
  var guard: Changeover;

  /** The page of tests/e2e/site.mjs: whether its rows are there, and every event so far. */
  var ready: boolean | undefined;
  var news: unknown[] | undefined;

  /** What scripts/bench-manifest.mjs and scripts/bench-swap.mjs note in the page; each uses some. */
  var bench: {
    /** The longest time without a tick, the durations of long tasks, and the last tick, in ms. */
    longest: number;
    tasks: number[];
    last: number;
    at: [type: string, reason: string | undefined, at: number][];
    /** When the new text was shown; the rest is noted for a swap alone. */
    done: number | null;
    seen?: number;
    start?: number;
    gap?: number;
  };

  /** What www/check.mjs notes in the demo's pages. */
  var shown: (selector: string) => Element[];
  var firstLoad: boolean | undefined;
  var asked: number | undefined;
  var witness: boolean | undefined;
  var ended: Events['swapEnded'] | undefined;

  /** Of tests/e2e/instrument.mjs. */
  var whatIsOpen: () => Promise<string[]>;
}
