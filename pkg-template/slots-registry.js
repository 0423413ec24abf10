// The registry of a page's slots: what each points to, who has it mounted, and which files and styles are here.
//
// Slots stand in one another. A generation is what one mount of a slot shows: `{ parent, place, enter, leave }`, with the
// generation around it, its element, and the turns that bring it in and take it out. During a turn new generations see the pointers
// to come, and those that leave see the old ones to the end; so code that was built together runs together.
import { setMedia } from './media.js';
/** @import { Changeover } from './index.js' */
/** @import { SlotGeneration, SlotHolder, SlotNews, SlotPointer, Slots } from './slots.js' */
/** @import { Asker, Registry, Shown, Turn } from './types/slots.js' */

const PLACE = Symbol.for('changeover.slots');
const GUARD = Symbol.for('changeover');

/** The address of the document before a router changes it; what a relative base is relative to. */
const start = globalThis.document?.baseURI;

/** @returns {Registry} the registry of this page */
export const registry = () => /** @type {{ [PLACE]?: Registry }} */ (globalThis)[PLACE] ?? begin();

function begin() {
  const slots = (/** @type {{ [PLACE]?: Registry }} */ (globalThis)[PLACE] = createRegistry(globalThis.document));
  // The guard waits for it.
  globalThis.dispatchEvent?.(new Event('changeover:slots'));
  return slots;
}

/**
 * @param {Document} document missing on a server
 * @returns {Registry}
 */
function createRegistry(document) {
  /** @type {{ base?: string, build?: string, slots?: Record<string, SlotPointer> }} */
  const block = JSON.parse(document?.getElementById('changeover-slots')?.textContent || '{}');
  const base = block.base === undefined ? start : new URL(block.base, start).href;
  /** @type {Map<string, SlotPointer & { css: readonly string[], build: string | null }>} */
  const pointers = new Map();
  /** @type {Map<string, Set<{ holder: SlotHolder }>>} */
  const holders = new Map(); // id -> a set
  /** @type {Map<string, Promise<any>>} */
  const opened = new Map(); // file -> promise of its module
  /** @type {Map<string, any>} */
  const modules = new Map(); // file -> the module itself, once it is there
  /** @type {Set<string | undefined>} */
  const given = new Set(); // files that a caller has got
  /** @type {WeakMap<object, SlotGeneration>} */
  const places = new WeakMap(); // element -> the generation in it
  /** @type {Set<string>} */
  const said = new Set(); // slots that were shown by a holder
  /** @type {Turn | null} */
  let current = null; // the turn under way
  /** @type {Asker} */
  let asker; // the generation that asks for a slot: null for the shell, undefined when nothing says who it is
  /** @type {Map<string, { link: HTMLLinkElement, done: Promise<unknown>, isThere?: boolean }>} */
  const links = new Map(); // style -> { link, done }
  /** @type {Shown | null} */
  let shown = null; // the module that `through` and `here` have for the slot they ask for
  /** @type {Set<(news: SlotNews) => void>} */
  const listeners = new Set();
  for (const [id, { file, css = [], deps }] of Object.entries(block.slots ?? {})) pointers.set(id, { file, css, deps, build: /** @type {string} */ (block.build) });

  /** @type {(kind: SlotNews['kind'], id: string) => void} */
  const tell = (kind, id) => {
    for (const listener of [...listeners]) carefully(() => listener({ kind, id }));
  };
  /** @param {string} file */
  const url = (file) => new URL(file, base).href;
  const worn = () => new Set([...pointers.values()].flatMap(({ css }) => css));

  /** @type {(href: string, rel: string) => HTMLLinkElement} */
  const linkTo = (href, rel) => {
    const link = Object.assign(document.createElement('link'), { rel, href, crossOrigin: '' });
    const nonce = /** @type {HTMLMetaElement | null} */ (document.querySelector('meta[property=csp-nonce]'));
    if (nonce) link.nonce = nonce.nonce || /** @type {string} */ (nonce.getAttribute('nonce'));
    return link;
  };

  /**
   * Brings a style in, behind the link `near`; it counts once a pointer lists it. One that the page has stays alone.
   *
   * @type {(file: string, near?: HTMLLinkElement) => Promise<unknown> | null}
   */
  const style = (file, near) => {
    const known = links.get(file);
    if (known) return known.done;
    const href = url(file);
    if ([.../** @type {NodeListOf<HTMLLinkElement>} */ (document.querySelectorAll('link[rel=stylesheet]'))].some((link) => link.href === href)) return null;
    const link = linkTo(href, 'stylesheet');
    if (!worn().has(file)) link.media = 'not all';
    const done = new Promise((loaded, failed) => {
      link.onload = () => loaded(/** @type {{ isThere?: boolean }} */ (links.get(file) ?? {}).isThere = true);
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
  /** @param {string} file */
  const forget = (file) => {
    links.get(file)?.link.remove();
    links.delete(file);
  };

  /** @type {Slots['open']} */
  const open = ({ file, css = [], deps = [] }) => {
    if (!opened.has(file)) {
      for (const dep of deps) document.head.append(linkTo(url(dep), 'modulepreload'));
      const module = import(/* @vite-ignore */ /* webpackIgnore: true */ url(file));
      module.catch(() => opened.delete(file)); // the next call tries again
      module.then((it) => modules.set(file, it), () => {});
      opened.set(file, module);
    }
    return Promise.all([opened.get(file), ...css.map((name) => style(name))]).then(([module]) => module);
  };

  /**
   * A generation and those around it.
   *
   * @type {Slots['generations']}
   */
  const around = (generation) => {
    /** @type {SlotGeneration[]} */
    const all = [];
    for (let at = generation; at; at = at.parent ?? self.around(at.place?.parentNode)) all.push(at);
    return all;
  };
  /** @param {Asker} generation */
  const isNew = (generation) => current?.state === 'ahead' && around(generation).some(({ enter }) => enter === current);
  /** @type {Slots['isAlive']} */
  const isAlive = ({ generation }) =>
    around(generation).every(({ enter, leave }) => !/ahead|undone/.test(/** @type {string} */ (enter?.state)) && !/^(shown|done)$/.test(/** @type {string} */ (leave?.state)));
  /** @param {string} id */
  const isGiven = (id) => given.has(pointers.get(id)?.file);

  /** @type {Registry} */
  const self = {
    build: block.build ?? null,
    kept: new Map(),
    rescue: null,

    /** Code of the build to come is evaluated before the pointers move, and asks for its slots then. */
    has: (id) => pointers.has(id) || Boolean(current?.next.has(id)),
    isLoaded: (id) => opened.has(/** @type {string} */ (pointers.get(id)?.file)),
    /** How each slot is used whose code is here; `taken`: the caller that loaded it has never said where it is shown. */
    uses: () =>
      [...pointers.keys()].filter(isGiven).flatMap((id) => {
        const isShown = self.holders(id).length > 0;
        if (isShown) said.add(id);
        // What a generation has loaded that is not shown yet may go with it.
        else if (current?.state === 'ahead' && current.loads.has(id)) return [];
        return [[id, isShown ? 'mounted' : said.has(id) ? 'idle' : 'taken']];
      }),
    url,

    /** What the slot points to, for a generation that asks. */
    at(id, generation) {
      for (const { enter, leave } of around(generation)) {
        const known = /ahead|shown/.test(/** @type {string} */ (enter?.state))
          ? /** @type {Turn} */ (enter).next.get(id)
          : leave?.state === 'shown' ? /** @type {Turn} */ (leave).before.get(id) : null;
        if (known) return known;
      }
      return pointers.get(id) ?? current?.next.get(id);
    },
    /** A generation and those around it, the innermost first. */
    generations: around,
    /** The generation in whose element this one is. */
    around(element) {
      for (let at = element; at; at = at.parentNode ?? at.host) if (places.has(at)) return /** @type {SlotGeneration} */ (places.get(at));
      return null;
    },
    placed: (element, generation) => void places.set(element, generation),
    isTurning: () => current,
    isNew,
    /** Whether a holder counts: not before it is shown, and not after it was replaced. */
    isAlive,
    /** Has `call`, which loads a slot, ask for a generation. */
    asking(generation, call) {
      const before = asker;
      asker = generation;
      try {
        return call();
      } finally {
        asker = before;
      }
    },
    /** What `load` gives for a generation if all of it is here already: `{ value }`, else null. */
    here(id, generation, load) {
      const { file, css = [] } = /** @type {SlotPointer} */ (self.at(id, generation) ?? {});
      /** @param {string} name */
      const isThere = (name) =>
        links.get(name)?.isThere ?? [.../** @type {NodeListOf<HTMLLinkElement>} */ (document.querySelectorAll('link[rel=stylesheet]'))].some(({ href }) => href === url(name));
      if (!modules.has(file) || !css.every(isThere)) return null;
      const result = self.showing({ id, module: new Here(modules.get(file)) }, load);
      if (result instanceof Here) return given.add(file), { value: result.value };
      result?.catch?.(() => {});
      return null;
    },
    /** The state that a slot had in the generation around it that is being replaced. */
    claim: (id, generation) => (isNew(generation) ? /** @type {Turn} */ (current).claims.get(id) : undefined),
    /** Begins a turn: `next` are the pointers to come; `claims` holds the states of slots that are mounted again inside others. */
    turn(next, claims = null) {
      current?.end('undone');
      /** @type {() => void} */
      let done;
      const over = /** @type {Promise<void>} */ (new Promise((go) => (done = go)));
      /** @type {Turn} */
      const mine = {
        next: new Map(next.map(({ slot, ...pointer }) => [slot, pointer])),
        before: new Map(),
        claims: claims ?? new Map(),
        loads: new Set(),
        mounts: claims !== null,
        state: 'ahead',
        over,
        end(state) {
          if (state === 'shown') for (const [id, pointer] of pointers) mine.before.set(id, pointer);
          else if (current === mine) current = null;
          mine.state = state;
          done();
          tell('turned', '');
        },
      };
      return (current = mine);
    },
    open,
    style,
    /** Gives a style away: its link is whose who asks from now on. */
    release(file) {
      const link = links.get(file)?.link;
      links.delete(file);
      return link;
    },
    load(id) {
      if (shown?.id === id)
        return (shown.asked = true), shown.module instanceof Here ? /** @type {Promise<any>} */ (/** @type {unknown} */ (shown.module)) : Promise.resolve(shown.module);
      return self.bring(id, asker);
    },
    async bring(id, generation, last = false) {
      const { next, over, state, mounts } = /** @type {Turn} */ (current ?? {});
      // Whether the old code asks or the new, nothing says: what both can have is there after the turn.
      if (
        generation === undefined && state === 'ahead' && mounts && pointers.has(id) && next.has(id) &&
        /** @type {SlotPointer} */ (next.get(id)).file !== /** @type {SlotPointer} */ (pointers.get(id)).file
      ) await over;
      const pointer = self.at(id, generation);
      if (!pointer) throw new Error(`changeover: this page has no slot "${id}"; it has ${[...pointers.keys()].join(', ') || 'none'}.`);
      try {
        const isHidden = isNew(generation);
        if (isHidden && !isGiven(id)) /** @type {Turn} */ (current).loads.add(id);
        const module = await open(pointer);
        // The pointer may have moved meanwhile.
        const now = self.at(id, generation);
        if (now && now.file !== pointer.file && !last) return self.bring(id, generation);
        const isNews = !isHidden && !isGiven(id);
        given.add(pointer.file);
        if (isNews) tell('loaded', id);
        return module;
      } catch (error) {
        if (!last && (await self.isRescued(id, generation, pointer, error))) return self.bring(id, generation, true);
        // What Vite does for its own imports, and what apps and the guard listen to.
        const event = Object.assign(new Event('vite:preloadError', { cancelable: true }), { payload: error });
        if (dispatchEvent(event)) throw error;
      }
    },

    /** Whether the slot points elsewhere now: the guard may know where its code is, and may not have come yet. */
    async isRescued(id, generation, pointer, error) {
      const hasMoved = () => self.at(id, generation) !== pointer;
      for (let rounds = 0; !hasMoved() && !self.rescue && rounds < 200; rounds += 1) {
        if (/** @type {{ [GUARD]?: Changeover }} */ (globalThis)[GUARD]?.status.level !== 'starting') return false;
        await new Promise((go) => setTimeout(go, 50));
      }
      if (!hasMoved()) await (async () => self.rescue?.(id, pointer, error))().catch(() => {});
      return hasMoved();
    },

    /** What `load` makes of `module` instead of what the slot points to, say its named export as `default`. */
    through: (id, module, load) => self.showing({ id, module }, load) ?? Promise.resolve(module),
    showing(it, load) {
      const before = shown;
      shown = it;
      try {
        const result = load();
        return it.asked ? result : null;
      } finally {
        shown = before;
      }
    },

    pointTo(id, { file, css = [], deps, build = null }) {
      pointers.set(id, { file, css, deps, build });
      const list = worn();
      for (const [name, { link }] of links) setMedia(link, list.has(name) ? '' : 'not all');
      if (opened.has(file)) {
        given.add(file);
        for (const name of css) style(name)?.catch(() => {});
      }
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
      /** @type {Set<object>} */ (holders.get(id)).add(entry);
      if (isAlive(holder)) said.add(id);
      tell('held', id);
      return () => {
        if (/** @type {Set<object>} */ (holders.get(id)).delete(entry)) tell('released', id);
      };
    },
    holders: (id) => self.held(id).filter(isAlive),
    /** With those that are not shown yet. */
    held: (id) => [...(holders.get(id) ?? [])].map(({ holder }) => holder),
    mounted: () => [...holders.keys()].filter((id) => self.holders(id).length),

    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  return self;
}

/** Like a promise whose value is here already, so that `load().then(…)` needs no wait. */
class Here {
  /** @param {any} value */
  constructor(value) {
    this.value = value;
  }

  /** @param {(value: any) => any} [go] */
  then(go) {
    const value = go ? go(this.value) : this.value;
    return typeof value?.then === 'function' ? value : new Here(value);
  }

  catch() {
    return this;
  }

  /** @param {() => void} [go] */
  finally(go) {
    go?.();
    return this;
  }
}

/**
 * What an app's callback throws is reported as its own, and ends nothing of ours.
 *
 * @param {() => void} call
 */
export function carefully(call) {
  try {
    call();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
