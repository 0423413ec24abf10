// Globals of the pages that tests, benchmarks and the demo's check drive. Functions that run in such a page use them.

/** The page's guard. */
declare var changeover: import('../../pkg-template/index.js').Changeover;
/** The same, where a module that drives the page has something else of that name. */
declare var guard: import('../../pkg-template/index.js').Changeover;

// Pages of different tests have different things under one name: such a name has the types of all of them.

/** One event in which every field of any event may be looked for: those of other types are undefined. */
type OneOf<Event, All> = Event extends unknown ? Event & { [Field in Exclude<All extends unknown ? keyof All : never, keyof Event>]?: undefined } : never;
type GuardEvent = OneOf<import('../../pkg-template/index.js').ChangeoverEvent, import('../../pkg-template/index.js').ChangeoverEvent>;

/** Every event of the guard so far, in the pages of tests; those of tests/e2e/site.mjs note when it came. */
declare var news: (GuardEvent & { at: number })[];
/** The page of tests/e2e/site.mjs: whether its rows are there. */
declare var ready: boolean | undefined;
/** Of the same page, where it is a function, and of tests/compat/app.mjs, where it is a list: what went wrong in it and in those before it, and how often it was loaded. */
declare var errors: (() => string[]) & string[];
declare var violations: (() => string[]) & string[];
declare var loads: number;
/** What its state was given, or in tests/e2e/state-site.mjs each state by its name. */
declare var restored: { text: string; count: number; length: number } & { [name in 'tags' | 'lazy' | 'count']?: unknown } & {
  large: string;
  draft: { text?: string; lines: string[]; mark?: string };
  odd: Odd;
  odd1: Odd;
};
interface Odd {
  map: Map<string, Set<unknown>>;
  date: Date;
  bytes: Uint8Array;
  big: bigint;
  blob: Blob;
  set: Set<File>;
  hole: unknown[];
  self: unknown;
}
/** What the apps of tests/e2e offer to the tests that wrote them. */
declare var setMark: (value: string) => void;
declare var setCount: (value: number) => void;
declare var heal: () => void;
declare var fill: () => void;
declare var openLazy: () => void;
declare var save: () => void;
declare var load: () => unknown;
declare var began: boolean | undefined;
declare var got: Record<string, unknown>;
declare var life: string[];
declare var panel: string | undefined;
declare var guarded: boolean | undefined;
declare var done: () => void;
declare var broken: boolean | string[] | undefined;
declare var basket: string[] | undefined;
declare var words: [kind: string, text: string][];
declare var sameInstance: boolean;
/** Of Swagger UI and Swagger Editor. */
declare var versions: { swaggerUI?: { version: string }; swaggerEditor?: string } | undefined;
declare var editor: { specSelectors: { specStr: () => string }; specActions: { updateSpec: (text: string) => void } };

/** The app of tests/compat/app.mjs: what its states came with, and its store. */
declare var came: { draft?: unknown; album?: unknown };
declare var album: { tags: Map<string, number>; taken: Date; picture: Blob } | undefined;
declare var openNotes: () => Promise<void>;
declare var textOf: (note: import('../compat/site.mjs').Note | undefined) => string;
declare var noteOf: (text: string, rest?: object) => import('../compat/site.mjs').Note;
declare var allNotes: () => Promise<Record<string, import('../compat/site.mjs').Note>>;
declare var steps: string[];
declare var changes: { key: string | null; value?: import('../compat/site.mjs').Note & Person }[];
declare var refused: string | null | undefined;
/** A page without a guard, on the channel of those that have one. */
declare var channel: BroadcastChannel;
declare var heard: HeardOnChannel[] & ((changeover: string, round: number, what: { type: string }) => void);
interface HeardOnChannel {
  type: string;
  tab?: unknown;
  sequence?: unknown;
}

/** What the apps of tests/swapping count, and what is painted that should not be. */
declare var copies: Set<unknown>;
declare var boots: number;
declare var stores: number;
declare var timers: number;
declare var glimpses: string[] | Set<string>;
interface Witness {
  copies: number;
  boots: number;
  stores: number;
  ticks: number;
}

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
declare var witness: boolean | string | Witness | undefined;
declare var ended: import('../../pkg-template/index.js').Events['swapEnded'] | undefined;

/** The examples of the README, in the apps of tests/docs/readme.test.mjs. */
declare var upload: (file: { name: string }) => unknown;
declare var uploaded: (answer: Response) => void;
declare var draft: () => { kept?: number; paragraphs: string[] };
declare var notes: NotesOfReadme & import('../../pkg-template/index.js').Store<import('../compat/site.mjs').Note>;
interface NotesOfReadme {
  notes: import('../../pkg-template/index.js').Store<{ by: string; text?: string; paragraphs?: string[] }>;
  append: (key: string, line: string) => unknown;
}
declare var said: string[] | number;

/** Of tests/e2e/wound.mjs. */
declare var destroy: () => void;

/** Of tests/e2e/instrument.mjs. */
declare var whatIsOpen: () => Promise<string[]>;

/** The package, at its address in the pages of tests/stores/site.mjs. */
declare module '*/package/index.js' {
  export const createChangeover: typeof import('../../pkg-template/index.js').createChangeover;
}

/** Of tests/e2e/flood.test.mjs. */
declare var gaps: { longest: number; over50: number };
declare var say: (sequence: number) => void;
declare var over: boolean | undefined;

/** Of tests/swapping: what a page was painted in, and what the tests leave in one. */
declare var show: (name: string) => Promise<string>;
declare var release: () => void;
declare var driver: ReturnType<typeof import('../../pkg-template/swap.js').createSwap>;
declare var colors: Set<string>;
declare var countless: boolean | undefined;

/** The package's slots as one script, in the pages of tests/swapping/long.test.mjs. */
declare var kit: typeof import('../../pkg-template/slots.js') & typeof import('../../pkg-template/swap.js') & typeof import('../../pkg-template/intact.js');

/** The prompt as it is drawn: a part that a test asks for is there. */
type PromptElement = Omit<HTMLElement, 'shadowRoot'> & { shadowRoot: Omit<ShadowRoot, 'querySelector'> & { querySelector(selector: string): HTMLElement } };

/** Of the pages of tests/prompt: what the prompt called, what the app noticed, what was said, and the clock. */
declare var calls: [what: string, view: import('../../pkg-template/index.js').Prompt][];
/** Dialogs and a host of a shadow tree, by their ids. */
declare var one: HTMLDialogElement;
declare var two: HTMLDialogElement;
declare var island: HTMLElement;
declare var keys: string[];
declare var clicks: string[];
declare var speech: string[];
declare var clock: number;
declare var make: (options: object) => void;
declare var showIt: (view: object) => void;
declare var pressed: string[];
declare var listening: number;
declare var bar: { update: (view: object) => void; close: () => void };
declare var axe: { run: (of: Element | null, options: object) => Promise<{ violations: { id: string; nodes: { failureSummary: string }[] }[] }> };

/** Of the pages of tests/loader and tests/prompt: what the app saw go wrong; of tests/loader: what the loader told, and what was captured. */
declare var seen: string[];
declare var told: { type: string; prompt: import('../../pkg-template/index.js').Prompt }[] & string[];
declare var caught: unknown[][];
declare var describe: (event: unknown) => unknown[];
declare var add: (name: string, properties: object) => HTMLElement;
declare var breaks: Record<string, () => unknown>;
declare var free: boolean;
declare var early: string;
declare var delays: number[];
declare var banners: number;
declare var hide: (value: boolean) => void;
declare var count: () => { listeners: number; timers: number } & number[];
declare var page: import('../../pkg-template/types/page.js').Page;

/** Of the pages of tests/fields: the fields that are carried, and what the app holds of them. */
declare var fields: ReturnType<typeof import('../../pkg-template/form-fields.js').createFields>;
declare var keep: () => string;
declare var start: () => void;
declare var state: Record<string, unknown>;
declare var hacked: boolean | undefined;
declare var begin: () => Promise<unknown>;
declare var clean: HTMLElement;

/** Of the pages of tests/slots and tests/yew. */
declare var slots: import('../../pkg-template/types/slots.js').Registry;
declare var view: import('../../pkg-template/slots.js').SlotView & ((more: object) => void);
declare var intervals: Set<unknown>;
declare var pings: Set<unknown>;
/** What `prompt` is in the pages of tests/prompt, in place of the browser's function of that name. */
interface DrawnPrompt {
  show: (view: object) => void;
  hide: () => void;
}
/** One slot's way through a swap, by tests/slots/site.mjs and tests/yew/slot.test.mjs. */
interface SlotSteps {
  show: () => void;
  drop: () => void;
  back: () => void;
  discard: () => void;
  isEmpty: () => boolean;
}
type Pointer = import('../../pkg-template/slots.js').SlotPointer;
declare var prepare: (id: string, pointer: Pointer) => Promise<SlotSteps>;
declare var attempt: SlotSteps & ((run: () => unknown) => Promise<{ value?: unknown; code?: string; message?: string; store?: string; step?: string; path?: string }>);
declare var before: Pointer;
declare var styles: () => string[];
declare var host: HTMLElement;
declare var views: Record<string, { update: (props: object) => void; unmount: () => void }>;
declare var same: boolean;
declare var mount: (props: object) => Promise<import('../../pkg-template/slots.js').SlotView>;
declare var log: string[];
declare var contexts: { state: unknown; props: unknown; signal: AbortSignal }[];
declare var signal_: AbortSignal;
declare var fail_: ((why: string) => void) | undefined;
declare var reacts: Set<unknown> | undefined;
declare var vues: Set<unknown>;
declare var slot: typeof import('../../pkg-template/slots.js').slot;
declare var swap: (pointer?: Pointer) => Promise<import('../../pkg-template/slots.js').PreparedSlot & SlotSteps>;
declare var part: SlotSteps;
declare var message: (promise: Promise<unknown>) => Promise<string>;
declare var generation: number;
declare var memories: WeakRef<object>[];
declare var modules: WeakRef<object>[];
declare var failed: { code: string; message: string } | null | undefined;

/** Of tests/stores/site.mjs: its store of people, in any schema, and what it tells. */
interface Person {
  name?: string;
  first?: string;
  last?: string;
  note?: string;
  tags?: unknown;
  [more: string]: unknown;
}
declare var store: import('../../pkg-template/index.js').Store<Person>;
declare var openStore: (name?: string, more?: object) => import('../../pkg-template/index.js').Store<Person>;
declare var unsubscribe: () => void;
declare var modes: import('../../pkg-template/index.js').StoreMode[];
declare var progress: import('../../pkg-template/index.js').StoreProgress[];
declare var warnings: string[];
declare var uncaught: string[];
declare var readHead: (name?: string) => Promise<Record<string, any>>;
declare var everything: () => Promise<Record<string, Person>>;
declare var inspect: (people: number) => Promise<{ count: number; wrong: [string, unknown][]; whole: boolean }>;
/** Whatever came out of a store. */
declare var examine: (value: any) => Promise<Record<string, boolean>>;
declare var chain: import('../../pkg-template/index.js').Store<Person>;
declare var box: import('../../pkg-template/index.js').Store;
declare var upgrade: IDBOpenDBRequest;
declare var held: IDBDatabase;
declare var mark: boolean | undefined;
declare var jump: (by: number) => void;
declare var rich: () => Record<string, unknown>;
declare var opened: Promise<unknown>;
