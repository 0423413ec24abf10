// Slots for Vue 3: a component that is loaded late, and can be replaced while it is mounted.
//
// In order: `lazy` makes an async component; the mounted one renders one generation, in an element that takes no part in
// the layout; for a swap it renders the next one beside it, hidden and inert, and tells when that is mounted; `show` turns both and
// flushes; the old generation keeps its DOM and state until it is dropped.
import { defineAsyncComponent, defineComponent, h, inject, nextTick, onBeforeUnmount, onErrorCaptured, onMounted, provide, ref, shallowReactive, shallowRef } from 'vue';
import { registry } from './slots.js';
import { handOver, isBlank, takeUp } from './slots-view.js';
/** @import { Component, InjectionKey, Ref, Slots } from 'vue' */
/** @import { SlotGeneration, SlotHolder, SlotModule, SlotTurn } from './slots.js' */

/** @typedef {SlotGeneration | null | undefined} Asker null for the shell, undefined when Vue does not know */
/** @typedef {Component & { default?: Component } & Pick<SlotModule, 'schema' | 'migrations' | 'validate'>} Module of a slot, or its component alone */
/** @typedef {{ values: Record<string, any>, refs: Map<string, Ref<any>> }} Kept the values that `useSlotState` keeps for one generation */
/**
 * @typedef {object} Generation
 * @property {number} number
 * @property {Module} module
 * @property {HTMLElement | null} place
 * @property {boolean} stays
 * @property {Asker} [parent]
 * @property {SlotTurn | null} [enter]
 * @property {SlotTurn | null} [leave]
 * @property {(error: unknown) => void} [broke]
 * @property {ReturnType<typeof takeUp>} [taken] from it, when it has broken
 * @property {Kept} kept
 * @property {() => Record<string, unknown> | undefined} snapshot
 * @property {Promise<void>} ready
 * @property {() => void} settle
 * @property {(error: unknown) => void} fail
 */

/** @type {InjectionKey<Kept>} */
const KEPT = Symbol('changeover.kept');
/**
 * The generation around.
 *
 * @type {InjectionKey<{ value: Asker }>}
 */
const AROUND = Symbol('changeover.around');

/**
 * `defineAsyncComponent`, and a slot: `const Cart = lazy(() => import('./Cart.vue'))`. Without the plugin it is Vue's own.
 *
 * @param {() => Promise<any>} load
 * @param {string} [id]
 * @returns {Component}
 */
export function lazy(load, id) {
  if (!id || !registry().has(id)) return defineAsyncComponent(load);
  /** @type {Map<string | SlotTurn | undefined, Component>} */
  const made = new Map(); // file -> the component for it
  /** @param {Asker} generation */
  const contentFor = (generation) => {
    const slots = registry();
    // Nothing says which code asks: that waits for the end of the turn.
    const waits = generation === undefined && slots.isTurning();
    const file = waits || slots.at(id, generation)?.file;
    if (!made.has(file)) {
      const here = !waits && slots.here(id, generation, load);
      made.set(file, here ? slotOf(id, load, here.value) : defineAsyncComponent(async () => slotOf(id, load, await slots.asking(generation, load))));
    }
    return /** @type {Component} */ (made.get(file));
  };
  return defineComponent({
    name: 'ChangeoverLazy',
    inheritAttrs: false,
    setup(_, { attrs, slots }) {
      const known = inject(AROUND, undefined)?.value;
      const box = { value: known };
      provide(AROUND, box);
      const mark = ref(/** @type {HTMLElement | null} */ (null));
      const content = shallowRef(/** @type {Component | null} */ (null));
      /** @param {Asker} around */
      const begin = (around) => {
        box.value = around;
        content.value = contentFor(around);
      };
      // An app of Vue in a slot of another kind: only the document says where it is, and during a swap it matters.
      if (known !== undefined || !registry().isTurning()) begin(known);
      else onMounted(() => begin(registry().around(mark.value) ?? (/** @type {HTMLElement} */ (mark.value).isConnected ? null : undefined)));
      return () => (content.value ? h(content.value, attrs, slots) : h('span', { ref: mark, hidden: true }));
    },
  });
}

/**
 * A `ref` whose value goes along when the slot is swapped; `key` names it within the slot.
 *
 * @template T
 * @param {string} key
 * @param {T | (() => T)} initial
 * @returns {Ref<T>}
 */
export function useSlotState(key, initial) {
  const kept = inject(KEPT, null);
  const make = () => /** @type {Ref<T>} */ (ref(typeof initial === 'function' ? /** @type {() => T} */ (initial)() : initial));
  if (!kept) return make();
  if (!kept.refs.has(key)) kept.refs.set(key, Object.hasOwn(kept.values, key) ? ref(kept.values[key]) : make());
  return /** @type {Ref<T>} */ (kept.refs.get(key));
}

/**
 * The component of a slot: whatever generation of it is shown. `module` is the first.
 *
 * @param {string} id
 * @param {() => Promise<any>} load
 * @param {Module} module
 */
function slotOf(id, load, module) {
  return defineComponent({
    name: 'ChangeoverSlot',
    inheritAttrs: false,
    setup(_, { attrs, slots }) {
      const living = shallowReactive(/** @type {Generation[]} */ ([]));
      const shown = shallowRef(/** @type {Generation} */ (/** @type {unknown} */ (null)));
      const parent = inject(AROUND, undefined)?.value;
      /** @type {(from: Module, values: any, broke?: (error: unknown) => void, enter?: SlotTurn | null) => Generation} */
      const begin = (from, values, broke, enter = null) => {
        const made = Object.assign(generate(from, values, broke), { parent, enter });
        living.push(made);
        return made;
      };
      /** @param {Generation} generation */
      const end = (generation) => {
        const at = living.indexOf(generation);
        if (at >= 0) living.splice(at, 1);
      };
      // The state that it had inside a generation which is being replaced goes along.
      shown.value = Object.assign(begin(module, registry().claim(id, { parent })), { stays: true });
      let release = () => {};
      /** @type {SlotHolder} */
      const holder = {
        get generation() {
          return shown.value;
        },
        get schema() {
          return shown.value.module.schema;
        },
        get migrations() {
          return shown.value.module.migrations;
        },
        get validate() {
          return shown.value.module.validate;
        },
        snapshot: () => shown.value.snapshot(),
        async prepare(fresh, values, broke, enter) {
          const old = shown.value;
          const wasBlank = isBlank(old.place);
          const made = begin(await registry().through(id, fresh, load), values, broke, enter);
          /** @type {(from: Generation, to: Generation, how?: Parameters<typeof handOver>[3]) => void} */
          const turn = (from, to, how) => {
            handOver(/** @type {HTMLElement} */ (from.place), /** @type {HTMLElement} */ (to.place), () => {
              // Vue renders in a microtask; the switch is one task for all slots.
              look(from, false);
              look(to, true);
              shown.value = to;
            }, how);
          };
          await nextTick();
          return {
            ready: made.ready,
            show() {
              old.leave = enter;
              turn(old, made);
            },
            back() {
              turn(made, old, { toOlder: true, taken: made.taken });
              end(made);
            },
            drop() {
              made.stays = true;
              end(old);
            },
            discard: () => end(made),
            isEmpty: () => !wasBlank && isBlank(made.place),
          };
        },
      };
      // Where it stands can be seen once it is there.
      onMounted(() => (release = registry().hold(id, holder)));
      onBeforeUnmount(() => release());
      return { living, shown, attrs, slots };
    },
    render() {
      return this.living.map((generation) => h(Frame, { key: generation.number, generation, hidden: generation !== this.shown, attrs: { ...this.attrs }, slots: this.slots }));
    },
  });
}

let numbers = 0;

/** @type {(module: Module, values?: Record<string, any>, broke?: (error: unknown) => void) => Generation} */
function generate(module, values = {}, broke) {
  const generation = /** @type {Generation} */ ({ number: (numbers += 1), module, place: null, stays: false, broke, kept: { values, refs: new Map() } });
  generation.snapshot = () => {
    const { values, refs } = generation.kept;
    // What came along and was not asked for yet, as behind a `v-if`, goes on to the next generation.
    const all = new Map([...Object.entries(values), .../** @type {[string, unknown][]} */ ([...refs].map(([key, ref]) => [key, plain(ref.value)]))]);
    return all.size ? Object.fromEntries(all) : undefined;
  };
  generation.ready = new Promise((settle, fail) => {
    generation.settle = settle;
    generation.fail = fail;
  });
  generation.ready.catch(() => {});
  return generation;
}

/**
 * What a ref holds without Vue's proxies around it, which cannot be cloned.
 *
 * @type {(value: any) => unknown}
 */
function plain(value) {
  const raw = value?.__v_raw ?? value;
  if (Array.isArray(raw)) return raw.map(plain);
  if (raw && typeof raw === 'object' && Object.getPrototypeOf(raw) === Object.prototype) return Object.fromEntries(Object.entries(raw).map(([name, part]) => [name, plain(part)]));
  return raw;
}

/** @type {(generation: Generation, visible: boolean) => void} */
function look({ place }, visible) {
  /** @type {HTMLElement} */ (place).style.display = visible ? 'contents' : 'none';
  /** @type {HTMLElement} */ (place).inert = !visible;
}

const Frame = defineComponent({
  name: 'ChangeoverGeneration',
  props: ['generation', 'hidden', 'attrs', 'slots'],
  /** @param {{ generation: Generation, hidden: boolean, attrs: Record<string, unknown>, slots: Slots }} props */
  setup({ generation }) {
    provide(KEPT, generation.kept);
    provide(AROUND, { value: generation });
    const broken = ref(false);
    onErrorCaptured((error) => {
      if (generation.stays) return true; // the page's own, as without a slot
      if (generation.place) generation.taken ??= takeUp(generation.place);
      broken.value = true;
      generation.fail(error);
      generation.broke?.(error);
      return false;
    });
    onMounted(() => nextTick(generation.settle));
    return { broken };
  },
  mounted() {
    this.generation.place = this.$el;
    registry().placed(this.$el, this.generation);
    look(this.generation, !this.hidden);
  },
  render() {
    const { generation, hidden, attrs, slots, broken } = this;
    const component = generation.module.default ?? generation.module;
    return h('div', { style: { display: hidden ? 'none' : 'contents' }, inert: hidden || undefined }, broken ? [] : [h(component, attrs, slots)]);
  },
});
