// changeover/slots: where the slots of this page point to, and who has them mounted; and slots for plain DOM.
//
// In order: the document says in a block of JSON which file each slot has (vite-slots.js writes it); `load` brings that
// file with its styles; whoever mounts a slot holds it; the swap driver opens other files, lets the holders prepare, show and
// drop them, and moves the pointers. There is one registry a page, whatever mix of copies of this module runs in it.
import { handOver, isBlank, ticked } from './slots-view.js';

export { handOver };

const PLACE = Symbol.for('changeover.slots');

/** The address of the document before a router changes it; what a relative base is relative to. */
const start = globalThis.document?.baseURI;

/** @returns {import('./slots.js').Slots} the registry of this page */
export const registry = () => (globalThis[PLACE] ??= createRegistry(globalThis.document));

/** Imports what the slot points to now, with its styles. The Vite plugin writes calls of it in place of `import()`. */
export const load = (id) => registry().load(id);

/** The value of `key`, made once and kept through swaps; made anew from the one before when `schema` is another. */
export function keep(key, schema, make) {
  const { kept } = registry();
  const before = kept.get(key);
  if (before?.schema === schema) return before.value;
  const value = make(before?.value);
  kept.set(key, { schema, value });
  return value;
}

function createRegistry(document) {
  const block = JSON.parse(document?.getElementById('changeover-slots')?.textContent || '{}');
  const base = block.base === undefined ? start : new URL(block.base, start).href;
  const pointers = new Map();
  const holders = new Map(); // id -> a set
  const opened = new Map(); // file -> promise of its module
  const links = new Map(); // style -> { link, done }
  let shown = null; // the module that `through` has for the slot it asks for
  const listeners = new Set();
  for (const [id, { file, css = [], deps }] of Object.entries(block.slots ?? {})) pointers.set(id, { file, css, deps, build: block.build });

  const tell = (kind, id) => {
    for (const listener of [...listeners]) carefully(() => listener({ kind, id }));
  };
  const url = (file) => new URL(file, base).href;
  const worn = () => new Set([...pointers.values()].flatMap(({ css }) => css));

  const linkTo = (href, rel) => {
    const link = Object.assign(document.createElement('link'), { rel, href, crossOrigin: '' });
    const nonce = document.querySelector('meta[property=csp-nonce]');
    if (nonce) link.nonce = nonce.nonce || nonce.getAttribute('nonce');
    return link;
  };

  /** Brings a style in, behind the link `near`; it counts once a pointer lists it. What somebody else has brought in is theirs. */
  const style = (file, near) => {
    const known = links.get(file);
    if (known) return known.done;
    const href = url(file);
    if ([...document.querySelectorAll('link[rel=stylesheet]')].some((link) => link.href === href)) return null;
    const link = linkTo(href, 'stylesheet');
    if (!worn().has(file)) link.media = 'not all';
    const done = new Promise((loaded, failed) => {
      link.onload = loaded;
      link.onerror = () => {
        forget(file);
        failed(new Error(`Unable to preload CSS for ${href}`));
      };
    });
    links.set(file, { link, done });
    if (near) near.after(link);
    else document.head.append(link);
    return done;
  };
  const forget = (file) => {
    links.get(file)?.link.remove();
    links.delete(file);
  };

  const open = ({ file, css = [], deps = [] }) => {
    if (!opened.has(file)) {
      for (const dep of deps) document.head.append(linkTo(url(dep), 'modulepreload'));
      const module = import(/* @vite-ignore */ /* webpackIgnore: true */ url(file));
      module.catch(() => opened.delete(file)); // the next call tries again
      opened.set(file, module);
    }
    return Promise.all([opened.get(file), ...css.map((name) => style(name))]).then(([module]) => module);
  };

  const self = {
    build: block.build ?? null,
    kept: new Map(),
    rescue: null,

    has: (id) => pointers.has(id),
    isLoaded: (id) => opened.has(pointers.get(id)?.file),
    /** How each slot is used whose code is here; `taken`: whoever loaded it has never said where it is shown. */
    uses: () =>
      [...pointers.keys()].filter(self.isLoaded).map((id) => [id, !holders.has(id) ? 'taken' : holders.get(id).size ? 'mounted' : 'idle']),
    url,
    open,
    style,
    /** Gives a style away: its link is whose who asks from now on. */
    release(file) {
      const link = links.get(file)?.link;
      links.delete(file);
      return link;
    },
    async load(id, last = false) {
      if (shown?.id === id) return (shown.asked = true), shown.module;
      const pointer = pointers.get(id);
      if (!pointer) throw new Error(`changeover: this page has no slot "${id}"; it has ${[...pointers.keys()].join(', ') || 'none'}.`);
      try {
        const isNews = !self.isLoaded(id);
        const module = await open(pointer);
        if (isNews) tell('loaded', id);
        return module;
      } catch (error) {
        if (!last) {
          await (async () => self.rescue?.(id, pointer, error))().catch(() => {});
          if (pointers.get(id) !== pointer) return self.load(id, true);
        }
        // What Vite does for its own imports, and what apps and the guard listen to.
        const event = Object.assign(new Event('vite:preloadError', { cancelable: true }), { payload: error });
        if (dispatchEvent(event)) throw error;
      }
    },

    /** What `load` makes of `module` instead of what the slot points to, say its named export as `default`. */
    through(id, module, load) {
      const before = shown;
      shown = { id, module };
      try {
        const result = load();
        return shown.asked ? result : Promise.resolve(module);
      } finally {
        shown = before;
      }
    },

    pointTo(id, { file, css = [], deps, build = null }) {
      pointers.set(id, { file, css, deps, build });
      const list = worn();
      for (const [name, { link }] of links) link.media = list.has(name) ? '' : 'not all';
      if (opened.has(file)) for (const name of css) style(name)?.catch(() => {});
      tell('moved', id);
    },

    /** Removes the styles that no slot points to. */
    tidy() {
      const list = worn();
      for (const name of [...links.keys()]) if (!list.has(name)) forget(name);
    },

    files: () => Object.fromEntries([...pointers].map(([id, { file, css, build }]) => [id, { file, css: [...css], build }])),

    hold(id, holder) {
      if (!holders.has(id)) holders.set(id, new Set());
      const entry = { holder }; // the same holder may hold twice
      holders.get(id).add(entry);
      tell('held', id);
      return () => {
        if (holders.get(id).delete(entry)) tell('released', id);
      };
    },
    holders: (id) => [...(holders.get(id) ?? [])].map(({ holder }) => holder),
    mounted: () => [...holders].filter(([, set]) => set.size).map(([id]) => id),

    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  return self;
}

/**
 * A slot for plain DOM and custom elements.
 *
 * @param {string} id
 * @param {() => Promise<any>} load
 */
export const slot = (id, load) => ({
  id,
  load,
  async mount(host, props = {}) {
    const module = await load();
    let now = generate(host, module, { props });
    await now.made;
    const live = new Set([now]);
    let gone = false;
    const slots = registry();
    const release = slots.hold(id, {
      get schema() { return now.module.schema; },
      get migrations() { return now.module.migrations; },
      get validate() { return now.module.validate; },
      canSwap: () => now.instance.canSwap?.() ?? true,
      snapshot: () => now.instance.snapshot?.(),
      async prepare(fresh, state, broke) {
        const old = now;
        const wasBlank = isBlank(old.place);
        const mine = ticked(old.place);
        const theirs = [];
        const settle = () => {
          theirs.push(...ticked(made.place));
          for (const radio of mine) radio.checked = true;
        };
        const made = generate(host, await slots.through(id, fresh, load), { props, state, broke, beside: old.place });
        if (gone) made.end();
        live.add(made);
        settle();
        const end = (generation) => {
          live.delete(generation);
          generation.end();
        };
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
          ready: made.made.then(({ ready, updateComplete }) => ready ?? updateComplete).then(settle),
          show: () => change(old, made, theirs),
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

/** What an app's callback throws is reported as its own, and ends nothing of ours. */
function carefully(call) {
  try {
    call();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** One generation of a slot: an element of its own in `host`, and what the module makes in it; `made` tells when it has. */
function generate(host, module, { props, state, broke, beside = null }) {
  const place = document.createElement('div');
  const ending = new AbortController();
  const { signal } = ending;
  const show = (visible) => {
    place.style.display = visible ? 'contents' : 'none';
    place.inert = !visible;
  };
  const generation = {
    module,
    place,
    show,
    instance: {},
    end() {
      if (signal.aborted) return;
      carefully(() => generation.instance.unmount?.());
      ending.abort();
      place.remove();
    },
  };
  show(!beside);
  host.insertBefore(place, beside);
  generation.made = (async () => {
    try {
      generation.instance = (await mounter(module)(place, { state, props, keep, broke, signal })) ?? {};
      if (signal.aborted) carefully(() => generation.instance.unmount?.()); // nobody waits for it any more
      return generation.instance;
    } catch (error) {
      generation.end();
      throw error;
    }
  })();
  return generation;
}

/** How a module is mounted: its `mount`, that of its default, its default if that is a function, or an element of its class. */
function mounter({ mount, default: made }) {
  if (mount) return mount;
  if (made?.mount) return (place, context) => made.mount(place, context);
  if (typeof HTMLElement === 'function' && made?.prototype instanceof HTMLElement) {
    return (place, context) => {
      const element = createElement(made);
      Object.assign(element, context.props, { changeover: context });
      place.append(element);
      return element;
    };
  }
  if (typeof made === 'function') return made;
  throw new TypeError('changeover: the module of a slot exports neither mount(host, ctx) nor a default that can be mounted.');
}

/** A class that its module has not defined gets a name of its own, since no name can be defined twice. */
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
