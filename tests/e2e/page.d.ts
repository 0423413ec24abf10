// Globals of the pages that tests, benchmarks and the demo's check drive. Functions that run in such a page use them.

/** The page's guard. */
declare var changeover: import('../../pkg-template/index.js').Changeover;
/** The same, where a module that drives the page has something else of that name. */
declare var guard: import('../../pkg-template/index.js').Changeover;

/** The page of tests/e2e/site.mjs: whether its rows are there, and every event so far. */
declare var ready: boolean | undefined;
declare var news: unknown[] | undefined;

/** What scripts/bench-manifest.mjs and scripts/bench-swap.mjs note in the page; each uses some. */
declare var bench: {
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
declare var shown: (selector: string) => Element[];
declare var firstLoad: boolean | undefined;
declare var asked: number | undefined;
declare var witness: boolean | string | undefined;
declare var ended: import('../../pkg-template/index.js').Events['swapEnded'] | undefined;

/** The examples of the README, in the apps of tests/docs/readme.test.mjs. */
declare var upload: (file: { name: string }) => unknown;
declare var uploaded: (answer: Response) => void;
declare var draft: () => { kept?: number; paragraphs: string[] };
declare var notes: {
  notes: import('../../pkg-template/index.js').Store<{ by: string; text?: string; paragraphs?: string[] }>;
  append: (key: string, line: string) => unknown;
};
declare var said: string[];

/** Of tests/e2e/wound.mjs. */
declare var destroy: () => void;

/** Of tests/e2e/instrument.mjs. */
declare var whatIsOpen: () => Promise<string[]>;

/** The package, at its address in the pages of tests/stores/site.mjs. */
declare module '*/package/index.js' {
  export const createChangeover: typeof import('../../pkg-template/index.js').createChangeover;
}
