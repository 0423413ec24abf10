// Slots for plain DOM and custom elements: each generation has an element of its own in the host, and at a switch the new one
// is shown and the old one hidden until the swap is over.
import { keep } from './slots-keep.js';
import { carefully, registry } from './slots-registry.js';
import { handOver, isBlank, ticked } from './slots-view.js';
/** @import { Mount, SlotHandle, SlotInstance, SlotModule, SlotTurn } from './slots.js' */
/** @import { Asker, Mounted } from './types/slots.js' */

/**
 * A slot for plain DOM and custom elements.
 *
 * @param {string} id
 * @param {() => Promise<any>} load
 * @returns {SlotHandle}
 */
export const slot = (id, load) => ({
  id,
  load,
  /**
   * @param {HTMLElement} host
   * @param {any} props
   */
  async mount(host, props = {}) {
    const slots = registry();
    const parent = slots.around(host) ?? (host.isConnected === false ? undefined : null);
    const begin = async () => {
      const made = generate(host, await slots.asking(parent, load), { id, props, parent });
      await made.made;
      return made;
    };
    const pointer = slots.at(id, parent);
    let now = await begin().catch(async (error) => {
      // Its WebAssembly comes with the mount.
      if (!String(error?.code).startsWith('wasm_') || !pointer || !(await slots.isRescued(id, parent, pointer, error))) throw error;
      return begin();
    });
    const live = new Set([now]);
    let gone = false;
    const release = slots.hold(id, {
      get generation() { return now; },
      get schema() { return now.module.schema; },
      get migrations() { return now.module.migrations; },
      get validate() { return now.module.validate; },
      canSwap: () => now.instance.canSwap?.() ?? true,
      snapshot: () => now.instance.snapshot?.(),
      async prepare(fresh, state, broke, enter) {
        const old = now;
        const wasBlank = isBlank(old.place);
        const mine = ticked(old.place);
        /** @type {HTMLInputElement[]} */
        const theirs = [];
        const settle = () => {
          theirs.push(...ticked(made.place));
          for (const radio of mine) radio.checked = true;
        };
        const made = generate(host, await slots.through(id, fresh, load), { props, state, broke, parent, enter, beside: old.place });
        if (gone) made.end();
        live.add(made);
        settle();
        /** @param {Mounted} generation */
        const end = (generation) => {
          live.delete(generation);
          generation.end();
        };
        /** @type {(from: Mounted, to: Mounted, radios: HTMLInputElement[], how?: { toOlder: boolean }) => void} */
        const change = (from, to, radios, how) => {
          if (gone) return;
          handOver(from.place, to.place, () => {
            from.show(false);
            to.show(true);
            for (const radio of radios) radio.checked = true;
          }, how);
          now = to;
          carefully(() => from.instance.pause?.());
        };
        return {
          ready: made.ready.then(settle),
          show() {
            old.leave = enter;
            change(old, made, theirs);
          },
          back() {
            change(made, old, mine, { toOlder: true });
            carefully(() => old.instance.resume?.());
            end(made);
          },
          drop: () => end(old),
          discard: () => end(made),
          isEmpty: () => !wasBlank && isBlank(made.place),
        };
      },
    });
    return {
      get instance() { return now.instance; },
      unmount() {
        gone = true;
        release();
        for (const generation of live) generation.end();
      },
    };
  },
});

/**
 * One generation of a slot: an element of its own in `host`, and what the module makes in it; `made` tells when it has.
 *
 * @param {HTMLElement} host
 * @param {SlotModule} module
 * @param {{
 *   id?: string, props: any, state?: unknown, broke?: (error: unknown) => void, parent: Asker, enter?: SlotTurn | null, beside?: HTMLElement | null,
 * }} options
 */
function generate(host, module, { id, props, state, broke, parent, enter, beside = null }) {
  /** @type {HTMLElement} */
  const place = document.createElement('div');
  const ending = new AbortController();
  const { signal } = ending;
  /** @param {boolean} visible */
  const show = (visible) => {
    place.style.display = visible ? 'contents' : 'none';
    place.inert = !visible;
  };
  const generation = /** @type {Mounted} */ ({
    module,
    place,
    parent,
    enter,
    show,
    instance: {},
    end() {
      if (signal.aborted) return;
      carefully(() => generation.instance.unmount?.());
      ending.abort();
      place.remove();
    },
  });
  show(!beside);
  registry().placed(place, generation);
  host.insertBefore(place, beside);
  if (id) state = registry().claim(id, generation);
  generation.made = (async () => {
    try {
      generation.instance = (await mounter(module)(place, { state, props, keep, broke, signal })) ?? {};
      if (signal.aborted) carefully(() => generation.instance.unmount?.()); // it was ended before it was made
      return generation.instance;
    } catch (error) {
      generation.end();
      throw error;
    }
  })();
  generation.ready = generation.made.then(({ ready, updateComplete }) => ready ?? updateComplete);
  generation.ready.catch(() => {});
  return generation;
}

/**
 * How a module is mounted: its `mount`, that of its default, its default if that is a function, or an element of its class.
 *
 * @param {SlotModule} module
 * @returns {Mount}
 */
function mounter({ mount, default: made }) {
  if (mount) return mount;
  if (/** @type {{ mount?: Mount } | undefined} */ (made)?.mount) return (place, context) => /** @type {{ mount: Mount }} */ (made).mount(place, context);
  if (typeof HTMLElement === 'function' && /** @type {{ prototype?: any } | undefined} */ (made)?.prototype instanceof HTMLElement) {
    return (place, context) => {
      const element = /** @type {HTMLElement & SlotInstance} */ (createElement(/** @type {CustomElementConstructor} */ (made)));
      Object.assign(element, context.props, { changeover: context });
      place.append(element);
      return element;
    };
  }
  if (typeof made === 'function') return /** @type {Mount} */ (made);
  throw new TypeError('changeover: the module of a slot exports neither mount(host, ctx) nor a default that can be mounted.');
}

/**
 * A class that its module has not defined gets a name of its own, since no name can be defined twice.
 *
 * @param {CustomElementConstructor} Element
 */
function createElement(Element) {
  try {
    return new Element();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    let nth = 1;
    while (customElements.get(`changeover-slot-${nth}`)) nth += 1;
    customElements.define(`changeover-slot-${nth}`, Element);
    return new Element();
  }
}
