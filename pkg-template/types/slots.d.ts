// What the registry of slots holds beyond what adapters see of it. Not shipped.
import type { SlotGeneration, SlotInstance, SlotModule, SlotPointer, Slots, SlotTurn } from '../slots.js';

/** Null for the shell, undefined when nothing says who it is. */
export type Asker = SlotGeneration | null | undefined;

/** What `load` gives instead of what the slot points to, and whether it was asked for. */
export type Shown = { id: string; module: any; asked?: boolean };

export type Turn = Omit<SlotTurn, 'state'> & {
  state: SlotTurn['state'];
  next: Map<string, SlotPointer>;
  before: Map<string, SlotPointer>;
  claims: Map<string, unknown>;
  /** Slots that only hidden code has loaded. */
  loads: Set<string>;
  /** The new code is being mounted. */
  mounts: boolean;
  over: Promise<void>;
};

export type Registry = Slots & {
  kept: Map<string, { schema: number; value: any }>;
  bring(id: string, generation: Asker, last?: boolean): Promise<any>;
  showing(it: Shown, load: () => any): any;
};

/** One generation of a slot in plain DOM. */
export type Mounted = {
  module: SlotModule;
  place: HTMLElement;
  parent: Asker;
  enter?: SlotTurn | null;
  leave?: SlotTurn | null;
  show: (visible: boolean) => void;
  instance: SlotInstance;
  end: () => void;
  made: Promise<SlotInstance & { updateComplete?: PromiseLike<unknown> }>;
  ready: Promise<unknown>;
};
