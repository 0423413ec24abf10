// changeover/slots: named, replaceable places of a page. Needs no DOM lib: elements are `Host`.
import type { Migration, Validator } from './index.js';

/** An element: `HTMLElement` fits. */
export interface Host {
  insertBefore(node: any, before: any): unknown;
}
/** `AbortSignal` fits. */
export interface Signal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: (event: any) => void, options?: any): void;
}

/** What a module of a slot gets when it is mounted. */
export interface SlotContext<State = any, Props = any> {
  /** What the generation before gave as its snapshot, migrated to the schema of this module; `undefined` at the first mount. */
  readonly state: State | undefined;
  readonly props: Props;
  /** Aborted when this generation ends: hand it to listeners, requests and timers. */
  readonly signal: Signal;
  readonly keep: typeof keep;
  /** Set for a generation that takes another's place. Tell it the errors that reach no other handler: until the generation stays, they take it back. */
  readonly broke?: (error: unknown) => void;
}

/** What mounting gives. */
export interface SlotInstance<State = any> {
  /** A plain value with what the user would miss. Called before a swap; must change nothing. */
  snapshot?(): State;
  unmount?(): void;
  /** A swap waits for it before it shows this generation. */
  ready?: PromiseLike<unknown>;
  /** `false`: not now. */
  canSwap?(): boolean | PromiseLike<boolean>;
  /** Another generation is shown, and this one waits hidden whether it must come back. */
  pause?(): void;
  /** This generation is shown again. */
  resume?(): void;
}

export type Mount<State = any, Props = any> = (host: any, context: SlotContext<State, Props>) => SlotInstance<State> | void | PromiseLike<SlotInstance<State> | void>;

/** A module that a slot can mount. `schema` and its like say how state of other builds is read, as for `guard.state`. */
export interface SlotModule<State = any, Props = any> {
  mount?: Mount<State, Props>;
  /**
   * Used when there is no `mount`: an object with one, a function that is one, or a class of an element. Its elements get the
   * props as properties and the context as `changeover`, and may have the methods of an instance; a class without a tag gets
   * one of its own.
   */
  default?: Mount<State, Props> | { mount: Mount<State, Props> } | (new () => any);
  readonly schema?: number;
  readonly migrations?: readonly Migration[];
  readonly validate?: Validator<State>;
}

/** A slot in the page. */
export interface SlotView {
  /** What the generation that is shown has given. */
  readonly instance: SlotInstance;
  unmount(): void;
}

export interface SlotHandle<Props = any> {
  readonly id: string;
  load(): Promise<any>;
  /** Mounts the slot in an element of its own inside `host`, which keeps its other children. */
  mount(host: Host, props?: Props): Promise<SlotView>;
}

/**
 * Names a replaceable place. `load` is `() => import('./Module.js')`, which the bundler plugin finds here; without the
 * plugin, and in a dev server, it simply imports.
 */
export function slot<Props = any>(id: string, load: () => Promise<SlotModule<any, any>>): SlotHandle<Props>;

/**
 * The value of `key`: made once in this page and kept through swaps; made anew, from the one before, when `schema` is
 * another. For connections, caches and other things at module level.
 */
export function keep<T>(key: string, schema: number, make: (previous: any) => T): T;

// ---------------------------------------------------------------------------------------- for adapters and the guard

/** Imports what a slot points to now, with its styles. Written by the bundler plugin in place of `import()`. */
export function load(id: string): Promise<any>;

export interface SlotPointer {
  /** Relative to the base, as in the manifest. */
  file: string;
  /** Styles of the file and of what it imports, those of the shell not among them. */
  css?: readonly string[];
  /** Scripts that `file` imports and the shell does not have, fetched at the same time. */
  deps?: readonly string[];
  /** The build that the file is of. */
  build?: string | null;
}

/** What one mount of a slot shows, from its first render to its end. */
export interface SlotGeneration {
  /** The generation around it; null in the shell, undefined where only `place` says it. */
  readonly parent?: SlotGeneration | null;
  /** The element that it is in. */
  readonly place?: any;
  /** The turns that bring it in and take it out. */
  readonly enter?: SlotTurn | null;
  readonly leave?: SlotTurn | null;
  readonly ready?: PromiseLike<unknown>;
}

/** What a page goes through for one swap: `ahead` while the new code is mounted and not shown, `shown` on trial. */
export interface SlotTurn {
  readonly state: 'ahead' | 'shown' | 'done' | 'undone';
  end(state: 'shown' | 'done' | 'undone'): void;
}

/** The component, or the plain code, that has a slot mounted. */
export interface SlotHolder {
  /** What it shows. A holder without one is not swapped together with others, since nothing says whether it stands in one of them. */
  readonly generation?: SlotGeneration;
  /** Of the module that is mounted. */
  readonly schema?: number;
  readonly migrations?: readonly Migration[];
  readonly validate?: Validator<any>;
  canSwap?(): boolean | PromiseLike<boolean>;
  snapshot(): unknown;
  /**
   * Mounts `module` hidden and inert beside what is shown. If it throws or rejects, nothing has changed. `broke` hears of errors
   * that the new generation has before it is dropped or stays. `turn` is what it enters with, and the old leaves with.
   */
  prepare(module: any, value: unknown, broke?: (error: unknown) => void, turn?: SlotTurn): PreparedSlot | PromiseLike<PreparedSlot>;
}

export interface PreparedSlot {
  readonly ready: PromiseLike<unknown>;
  /** Hides the old and shows the new, at once. */
  show(): void;
  /** After `show`: removes the new and shows the old again. */
  back(value?: unknown): void;
  /** After `show`: removes the old for good. */
  drop(): void;
  /** Instead of `show`: removes the new. */
  discard(): void;
  isEmpty?(): boolean;
}

export interface SlotNews {
  kind: 'loaded' | 'moved' | 'held' | 'released' | 'turned';
  /** Empty for `turned`. */
  id: string;
}

/** The slots of a page, on `globalThis[Symbol.for('changeover.slots')]` once any of them is used. */
export interface Slots {
  /** The build that the document is of; null without the bundler plugin. */
  readonly build: string | null;
  has(id: string): boolean;
  /** Whether what the slot points to was asked for. */
  isLoaded(id: string): boolean;
  /** How each slot is used whose code is here; `taken`: the caller that loaded it has never said where it is shown. */
  uses(): [id: string, use: 'mounted' | 'idle' | 'taken'][];
  /** Brings a style in, behind the link `near`, which counts from the moment that a slot points to it; null when the page has it already. */
  style(file: string, near?: any): Promise<unknown> | null;
  /** Gives a style away: its link belongs to the caller. */
  release(file: string): any;
  /** The full address of a file. */
  url(file: string): string;
  /** Imports a file and brings its styles in, which count from the moment that a slot points to them. Once per file; again if it failed. */
  open(pointer: SlotPointer): Promise<any>;
  /** Opens what the slot points to. */
  load(id: string): Promise<any>;
  /**
   * Asked once when a load failed, before the caller hears of it: may move the pointer, and the load then goes on with it.
   * Set by the guard.
   */
  rescue: ((id: string, pointer: SlotPointer, error: unknown) => unknown) | null;
  /** Whether the slot points elsewhere after a failure, having asked `rescue` if it does not. */
  isRescued(id: string, generation: SlotGeneration | null | undefined, pointer: SlotPointer, error: unknown): Promise<boolean>;
  /** What `load` resolves to if the slot it asks for is `module`, so that `() => import('./X').then(…)` sees a module before it is pointed to. */
  through(id: string, module: any, load: () => Promise<any>): Promise<any>;
  /** Moves a pointer. Styles that no pointer lists stop to count, and stay for the way back until `tidy`. */
  pointTo(id: string, pointer: SlotPointer): void;
  /** Removes the styles that no slot points to. */
  tidy(): void;
  /** What each slot points to. */
  files(): Record<string, { file: string; css: string[]; build: string | null }>;
  /** Registers who has the slot mounted. Returns the undo. */
  hold(id: string, holder: SlotHolder): () => void;
  /** Those that are shown. */
  holders(id: string): SlotHolder[];
  /** Those too that are not shown yet, or not any more. */
  held(id: string): SlotHolder[];
  /** Begins a turn to the pointers `next`, which generations that enter with it see from now on. */
  turn(next: readonly (SlotPointer & { slot: string })[], claims?: Map<string, unknown> | null): SlotTurn;
  isTurning(): SlotTurn | null;
  isNew(generation: SlotGeneration): boolean;
  isAlive(holder: SlotHolder): boolean;
  /** What the slot points to, for a generation that asks. */
  at(id: string, generation: SlotGeneration | null | undefined): SlotPointer | undefined;
  /** A generation and those around it, the innermost first. */
  generations(generation: SlotGeneration | null | undefined): SlotGeneration[];
  /** The generation in whose element this one is. */
  around(element: any): SlotGeneration | null;
  placed(element: any, generation: SlotGeneration): void;
  /** Calls `load` as code of this generation. */
  asking<T>(generation: SlotGeneration | null | undefined, load: () => T): T;
  /** What `load` gives, if all of it is here already. */
  here(id: string, generation: SlotGeneration | null | undefined, load: () => any): { value: any } | null;
  /** The state that a slot had inside a generation which this one replaces. */
  claim(id: string, generation: SlotGeneration): unknown;
  /** The ids of slots that have a holder. */
  mounted(): string[];
  subscribe(listener: (news: SlotNews) => void): () => void;
}

export function registry(): Slots;

/** Calls `change`, which hides `from` and shows `to`; focus, selection and scroll positions go with it. */
export function handOver(from: Host, to: Host, change: () => void): void;
