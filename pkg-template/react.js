// Slots for React 18.2 and later: a drop-in for React.lazy whose component can be replaced while it is mounted.
//
// In order: `lazy` suspends until the slot's module is there; the mounted component renders one generation, in an element
// that takes no part in the layout; for a swap it renders the next one beside it, hidden and inert, and tells when
// that has committed; `show` turns both in one synchronous render. The old generation keeps its DOM and state until it is
// dropped; where React has `Activity`, its effects stop meanwhile.
import * as React from 'react';
import { flushSync } from 'react-dom';
import { load as loadSlot, registry } from './slots.js';
import { handOver, isBlank, takeUp } from './slots-view.js';
/** @import { ActivityProps, ComponentType, ReactNode } from 'react' */
/** @import { SlotGeneration, SlotModule, SlotTurn } from './slots.js' */

/** @typedef {SlotGeneration | null | undefined} Asker null for the shell, undefined when React does not know */
/** @typedef {Pick<SlotModule, 'schema' | 'migrations' | 'validate'> & { default: ComponentType<any> }} Module of a slot */
/** @typedef {ReturnType<typeof createKept>} KeptValues */
/**
 * @typedef {object} Generation
 * @property {number} number
 * @property {Module} module
 * @property {KeptValues} kept
 * @property {HTMLElement | null} place
 * @property {boolean} stays
 * @property {Asker} [parent]
 * @property {SlotTurn | null} [enter]
 * @property {SlotTurn | null} [leave]
 * @property {(error: unknown) => void} [broke]
 * @property {ReturnType<typeof takeUp>} [taken] from it, when it has broken
 * @property {Promise<void>} ready
 * @property {() => void} settle
 * @property {(error: unknown) => void} fail
 */

const { Component, Suspense, createContext, createElement, useContext, useEffect, useLayoutEffect, useReducer, useRef, useState, useSyncExternalStore } = React;

/** Keeps its children's state and stops their effects while hidden; not in React before 19.2. */
const Pause = /** @type {ComponentType<Partial<ActivityProps>>} */ (React.Activity ?? (({ children }) => children));

const Kept = createContext(/** @type {KeptValues | null} */ (null));
/** The generation around: null for the shell, undefined when React does not know. */
const Around = createContext(/** @type {Asker} */ (undefined));

/**
 * `React.lazy`, and a slot: `const Cart = lazy(() => import('./Cart.jsx'))`. The Vite plugin cuts the import out of the page's own
 * code and adds the slot's id; without the plugin it is `React.lazy`.
 *
 * @param {() => Promise<{default: ComponentType<any>}>} load
 * @param {string} [id]
 * @returns {ComponentType<any>}
 */
export function lazy(load, id) {
  if (!id || !registry().has(id)) return React.lazy(load);
  /** @type {Map<string | SlotTurn | undefined, ComponentType<any>>} */
  const made = new Map(); // file -> the component for it
  /** @param {Asker} generation */
  const contentFor = (generation) => {
    const slots = registry();
    // Nothing says which code asks: that waits for the end of the turn.
    const waits = generation === undefined && slots.isTurning();
    const file = waits || slots.at(id, generation)?.file;
    if (!made.has(file)) {
      // React shows a fallback for a while, even where the code comes a moment later.
      const here = !waits && slots.here(id, generation, load);
      const content = here
        ? slotOf(id, load, here.value)
        : React.lazy(async () => {
            try {
              return { default: slotOf(id, load, await slots.asking(generation, load)) };
            } catch (error) {
              made.delete(file); // the next mount tries again
              throw error;
            }
          });
      made.set(file, content);
    }
    return /** @type {ComponentType<any>} */ (made.get(file));
  };
  return /** @param {object} props */ function Slotted(props) {
    const known = useContext(Around);
    const [found, setFound] = useState(/** @type {{ around: Asker } | null} */ (null));
    const content = useRef(/** @type {ComponentType<any> | null} */ (null));
    // A root of React in a slot of another kind: only the document says where it is, and during a swap it matters.
    if (known === undefined && !found && !content.current && registry().isTurning()) return createElement(Mark, { found: setFound });
    const around = known === undefined ? found?.around : known;
    content.current ??= contentFor(around);
    return createElement(Around.Provider, { value: around }, createElement(content.current, props));
  };
}

/**
 * Finds out, before anything is painted, in which generation it stands.
 *
 * @param {{ found: (found: { around: Asker }) => void }} props
 */
function Mark({ found }) {
  const mark = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => {
    const around = registry().around(mark.current);
    found({ around: around ?? (/** @type {HTMLElement} */ (mark.current).isConnected ? null : undefined) });
  }, [found]);
  return createElement('span', { ref: mark, hidden: true });
}

/**
 * The slot `id` of the page, by name: for slots that the plugin finds by pattern.
 *
 * @param {{ id: string, fallback?: ReactNode, [prop: string]: unknown }} props
 */
export function Slot({ id, fallback = null, ...props }) {
  const [Content] = useState(() => lazy(() => loadSlot(id), id));
  return createElement(Suspense, { fallback }, createElement(Content, props));
}

/**
 * `useState` whose value goes along when the slot is swapped; `key` names it within the slot.
 *
 * @template T
 * @param {string} key
 * @param {T | (() => T)} initial
 * @returns {[T, (next: T | ((before: T) => T)) => void]}
 */
export function useSlotState(key, initial) {
  const kept = useContext(Kept);
  const own = useRef(/** @type {KeptValues | null} */ (null));
  const place = kept ?? (own.current ??= createKept());
  if (!place.has(key)) place.put(key, typeof initial === 'function' ? /** @type {() => T} */ (initial)() : initial);
  const value = useSyncExternalStore(place.subscribe, () => place.read(key), () => place.read(key));
  const set = useRef(/** @type {((next: T | ((before: T) => T)) => void) | null} */ (null));
  set.current ??= (next) => place.write(key, typeof next === 'function' ? /** @type {(before: T) => T} */ (next)(place.read(key)) : next);
  return [value, set.current];
}

/**
 * The values that `useSlotState` keeps for one generation.
 *
 * @param {Record<string, any>} values
 */
function createKept(values = {}) {
  const all = new Map(Object.entries(values));
  /** @type {Set<() => void>} */
  const listeners = new Set();
  return {
    /** @param {string} key */
    has: (key) => all.has(key),
    /** @param {string} key */
    read: (key) => all.get(key),
    /** @type {(key: string, value: unknown) => void} */
    put: (key, value) => void all.set(key, value),
    /** @type {(key: string, value: unknown) => void} */
    write(key, value) {
      if (Object.is(all.get(key), value)) return;
      all.set(key, value);
      for (const listener of [...listeners]) listener();
    },
    /** @param {() => void} listener */
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    values: () => (all.size ? Object.fromEntries(all) : undefined),
  };
}

/**
 * The component of a slot: whatever generation of it is shown. `module` is the first.
 *
 * @param {string} id
 * @param {() => Promise<Module>} load
 * @param {Module} module
 */
function slotOf(id, load, module) {
  return /** @param {object} props */ function SlotContent(props) {
    const [, render] = useReducer((count) => count + 1, 0);
    const parent = useContext(Around);
    const state = useRef(/** @type {{ shown: Generation, next: Generation | null, last: Generation | null } | null} */ (null));
    state.current ??= { shown: first(id, module, parent), next: null, last: null };
    const all = state.current;
    useEffect(() => {
      const release = registry().hold(id, {
        get generation() {
          return all.shown;
        },
        get schema() {
          return all.shown.module.schema;
        },
        get migrations() {
          return all.shown.module.migrations;
        },
        get validate() {
          return all.shown.module.validate;
        },
        snapshot: () => all.shown.kept.values(),
        async prepare(fresh, value, broke, enter) {
          const old = all.shown;
          const wasBlank = isBlank(old.place);
          const made = generate(await registry().through(id, fresh, load), value);
          Object.assign(made, { broke, enter, parent });
          all.next = made;
          render();
          const forget = () => {
            if (all.next === made) all.next = null;
          };
          /** @type {(from: Generation, to: Generation, change: () => void, how?: Parameters<typeof handOver>[3]) => void} */
          const turn = (from, to, change, how) => {
            handOver(/** @type {HTMLElement} */ (from.place), /** @type {HTMLElement} */ (to.place), () => flushSync(() => {
              change();
              render();
            }), how);
          };
          return {
            ready: made.ready,
            show: () =>
              turn(old, made, () => {
                old.leave = enter;
                all.last = old;
                all.shown = made;
                forget();
              }),
            back: () =>
              turn(made, old, () => {
                all.shown = old;
                all.last = null;
              }, { toOlder: true, taken: made.taken }),
            drop() {
              made.stays = true;
              all.last = null;
              render();
            },
            discard() {
              forget();
              render();
            },
            isEmpty: () => !wasBlank && isBlank(made.place),
          };
        },
      });
      return release;
    }, [all]);
    const { shown, next, last } = all;
    // In the order of their age, so that none of them moves in the document.
    const living = /** @type {Generation[]} */ ([last, shown, next].filter(Boolean)).sort((one, other) => one.number - other.number);
    return living.map((generation) => createElement(Frame, { key: generation.number, generation, hidden: generation !== shown, paused: generation === last, props }));
  };
}

let numbers = 0;

/**
 * What a slot shows first: the state that it had inside a generation which is being replaced goes along.
 *
 * @type {(id: string, module: Module, parent: Asker) => Generation}
 */
function first(id, module, parent) {
  const generation = { parent, enter: null };
  return Object.assign(generate(module, registry().claim(id, generation)), generation, { stays: true });
}

/** @type {(module: Module, value: any) => Generation} */
function generate(module, value) {
  const generation = /** @type {Generation} */ ({ number: (numbers += 1), module, kept: createKept(value), place: null, stays: false });
  generation.ready = new Promise((settle, fail) => {
    generation.settle = settle;
    generation.fail = fail;
  });
  generation.ready.catch(() => {});
  return generation;
}

/** @param {{ generation: Generation, hidden: boolean, paused: boolean, props: object }} props */
function Frame({ generation, hidden, paused, props }) {
  const { module, kept } = generation;
  const place = useRef(/** @type {HTMLDivElement | null} */ (null));
  useLayoutEffect(() => {
    generation.place = place.current;
    registry().placed(place.current, generation);
    /** @type {HTMLElement} */ (place.current).inert = hidden;
  }, [generation, hidden]);
  const content = createElement(
    Suspense,
    { fallback: null },
    createElement(Around.Provider, { value: generation }, createElement(Kept.Provider, { value: kept }, createElement(module.default, props))),
    createElement(Arrived, { generation }),
  );
  return createElement(
    'div',
    { ref: place, style: { display: hidden ? 'none' : 'contents' } },
    createElement(Boundary, { generation }, /** @type {unknown} */ (React.Activity) ? createElement(Pause, { mode: paused ? 'hidden' : 'visible' }, content) : content),
  );
}

/**
 * Commits together with what stands before it.
 *
 * @param {{ generation: Generation }} props
 */
function Arrived({ generation }) {
  useEffect(() => generation.settle(), [generation]);
  return null;
}

/**
 * A generation that breaks before it stays is the swap's to deal with: it is given up or taken back. After that an error is the
 * page's, as it would be without a slot.
 *
 * @extends {Component<{ generation: Generation, children?: ReactNode }, { error: { is: unknown } | null }>}
 */
class Boundary extends Component {
  /** @type {{ error: { is: unknown } | null }} */
  state = { error: null };

  /** @param {unknown} error */
  static getDerivedStateFromError(error) {
    return { error: { is: error } };
  }

  /** Right before what broke is removed. */
  getSnapshotBeforeUpdate() {
    const { generation } = this.props;
    if (this.state.error && generation.place) generation.taken ??= takeUp(generation.place);
    return null;
  }

  componentDidUpdate() {}

  /** @param {unknown} error */
  componentDidCatch(error) {
    const { generation } = this.props;
    generation.fail(error);
    // While React commits, nothing can be shown in its place.
    queueMicrotask(() => generation.broke?.(error));
  }

  render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    if (this.props.generation.stays) throw error.is;
    return null;
  }
}
