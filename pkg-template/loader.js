// The loader: the only part of changeover on the critical path, and what is left when the runtime cannot run.
//
// In order: capture load failures from the first byte on, keep what the app asks for, fetch the runtime once the page
// has loaded, connect it. When the runtime is missing or dies, the loader level goes on: it polls the release by
// itself, asks with a plain banner and reloads, with the storage keys and the loop guard of the full level.
//
// Alone it does without event stream, other tabs, manifests, rollouts, app and channel; `loader-fallback.js`, when the runtime's
// JavaScript is there and only WebAssembly is not, adds the full prompt, holds and states.
//
// With global.js it has 1500 bytes after gzip, hence the terse style; the app never sees an error from here.

/** @import { Api, Implementation, LoaderOptions, LoaderRelease, LoaderStatus, Page, Runtime } from './types/page.js' */
/** @import { Undo } from './index.js' */

/** @typedef {'check' | 'reload' | 'snooze' | 'trace' | 'dispose' | 'on' | 'hold' | 'state'} Method of the public object */
/** @typedef {[method: Method, given: unknown[], undo?: Undo]} Call */
/** @typedef {Record<string, (...given: unknown[]) => unknown>} Methods */

/**
 * An address, or a text with one, without user and password.
 *
 * @param {unknown} text
 */
export const bare = (text) => ('' + /** @type {string} */ (text)).replace(/:\/\/[^/]*@/, '://');

/** Where the one instance of a page lives, on globalThis. */
export const KEY = Symbol.for('changeover');

/**
 * Starts changeover in this document.
 *
 * The page it returns is what loader and runtime share. The runtime calls `connect(impl)`, sets `onFailure`, and calls
 * `degrade(reason)` when it dies; `loader-fallback.js` replaces `show` and adds `save`, `hold` and `state`.
 *
 * @param {Omit<LoaderOptions, 'base'> | DOMStringMap} given options of `createChangeover`, or the dataset of the script tag; `prompt: 'off'` for none
 * @param {(options: LoaderOptions) => Promise<Runtime>} load fetches the runtime
 */
export function openPage(given, load) {
  // A router changes what addresses are relative to, and fetch() takes none with a password: made absolute now.
  const base = document.baseURI;
  const options = /** @type {LoaderOptions} */ ({ base, ...given });
  /** @param {string | Location} url */
  const get = (url) => fetch(bare(new URL(/** @type {string} */ (url), base)), { cache: 'no-cache' });
  /** @type {Set<Call>} */
  const calls = new Set(); // on, hold and state, as long as they are not undone: [method, args, undo]
  /** @type {LoaderStatus} */
  const status = { level: 'starting', build: options.build, decision: /** @type {LoaderStatus['decision']} */ ({}), failures: 0, holds: [] };
  // The document is for this release. What is answered later is believed for no longer than the page lives.
  let highest = /** @type {number} */ (options.sequence);
  let /** @type {ReturnType<typeof setTimeout>} */ timer,
    /** @type {ReturnType<Page['show']> | undefined} */ shown,
    /** @type {number | undefined} */ asked;

  /** @type {<Result>(run: () => Result) => Result | undefined} */
  const safe = (run) => {
    try {
      return run();
    } catch {}
  };

  // Reads from storage, after writing when there is a value; undefined when storage does not work.
  /** @type {(name: string, value?: unknown) => string | undefined} */
  const keep = (name, value) =>
    safe(() => {
      name = `changeover:${new URL(options.release, base).pathname}:${name}`;
      if (value) sessionStorage[name] = value;
      return sessionStorage[name];
    });

  const look = async () => {
    try {
      const response = await get(options.release);
      const release = response.ok && (await response.json());
      const { sequence, build: { id } } = release;
      // 4e15: beyond any count, and any time in microseconds.
      if (release.format > 1 || sequence > 4e15 || sequence % 1 || !sequence.toFixed || !id.trim) throw 0;
      status.failures = 0;
      if (!(sequence < highest)) {
        highest = sequence;
        status.release = { ...release, build: id };
        // A page that does not say what it runs is taken to run what is released first.
        status.skew = (status.build ||= id) != id;
      }
    } catch {
      status.failures++;
    }
    if (status.level == 'loader') {
      clearTimeout(timer);
      timer = setTimeout(wake, (/** @type {number} */ (options.interval) > 999 ? /** @type {number} */ (options.interval) : 6e4) * (status.failures + Math.random() + 0.5));
      // Once a release, so that "Later" holds and nothing is announced twice.
      if (asked != (asked = status.release?.sequence)) {
        hide();
        if (status.skew) {
          status.prompt = status.release;
          calls.forEach(([, [type, listener]]) => safe(() => type == 'promptShown' && /** @type {(event: object) => void} */ (listener)({ ...status, type })));
          if (options.prompt != 'off') shown = page.show();
        }
      }
    }
    return status;
  };
  const wake = () => document.hidden || look();
  const hide = () => (status.prompt = /** @type {undefined} */ (shown?.remove()));

  /** @type {Page} */
  const page = {
    options,
    api: /** @type {Api} */ ({
      options, // for what comes later, with the base of the tag
      get status() {
        return /** @type {Api['status']} */ (impl.status);
      },
    }),
    failures: [],
    onFailure: (event) => page.failures[9] || page.failures.push(event),
    connect(next) {
      clearTimeout(timer);
      impl = next;
      calls.forEach(apply);
    },
    degrade(reason) {
      if (status.level == 'off') return;
      page.connect(page);
      status.level = 'loader';
      [status.levelReason] = bare(reason).split('?'); // what follows may be secret
      page.onFailure = wake;
      look();
    },

    // What the public object does at the loader level. `click` is the event when the user asks: the user may insist.
    status,
    check: look,
    save: async () => (await get(location)).status < 500, // a host may serve the app with 404
    async reload(click) {
      try {
        const mark = 'reload:' + /** @type {LoaderRelease} */ (status.release).build;
        if (status.skew && (click || !keep(mark)) && (await page.save(click)) && (keep(mark, 1) || click)) return location.reload();
      } catch {}
      return 'reloadDidNotTake';
    },
    show() {
      /** @type {(name: string, textContent?: string, onclick?: (click: Event) => unknown) => HTMLElement} */
      const make = (name, textContent, onclick) => Object.assign(document.createElement(name), { textContent, onclick });
      const banner = make('output');
      banner.style = 'position:fixed;bottom:0;z-index:9;background:Canvas;color:CanvasText';
      document.documentElement.append(banner);
      // A live region speaks of what changes in it after it is there.
      setTimeout(() => banner.append(/** @type {LoaderRelease} */ (status.release).message || 'New ', make('button', 'Reload', page.reload), make('button', 'Later', hide)));
      return banner;
    },
    snooze: hide,
    trace: String,
    dispose() {
      status.level = 'off';
      listen('removeEventListener');
      clearTimeout(timer);
      hide();
    },
  };
  /** @type {Implementation} */
  let impl = page;

  /** @param {Call} call */
  const apply = (call) => safe(() => (call[2] = /** @type {Undo} */ (/** @type {Methods} */ (/** @type {unknown} */ (impl))[call[0]](...call[1]))));
  /** @type {Method[]} */ ('check reload snooze trace dispose on hold state'.split(' ')).map(
    (method) =>
      (/** @type {Methods} */ (/** @type {unknown} */ (page.api))[method] = (...args) => {
        if (page[method]) return /** @type {Methods} */ (/** @type {unknown} */ (impl))[method](...args);
        /** @type {Call} */
        const call = [method, args];
        calls.add(call);
        apply(call);
        return () => {
          calls.delete(call);
          call[2]?.();
        };
      }),
  );

  // Only looks, never prevents: failed scripts and styles, and what import() in three engines, Vite, webpack, HTML in
  // place of a script, wasm and its glue say. Whether it is a chunk of ours is judged later.
  /** @param {Event & { target: { tagName?: string }, reason?: string, message?: string }} event */
  const capture = (event) =>
    safe(
      () =>
        /^([ovL]|SC)|module|chunk|CSS|MIME|magic|'<'/.test(
          event.target.tagName || event.reason || event.message || event.type,
        ) && page.onFailure(event),
    );
  /** @param {'addEventListener' | 'removeEventListener'} change */
  const listen = (change) =>
    'error unhandledrejection vite:preloadError visibilitychange online'.split(' ').map((type) => self[change](type, /** @type {EventListener} */ (capture), true));
  listen('addEventListener');

  // The runtime: at once when a page before this one left state behind, else when this page has loaded.
  const start = () => {
    // Longer than 110 kB take on a slow line; what comes later is taken all the same.
    timer = setTimeout(page.degrade, 2e4, 'no runtime');
    load(options)
      .then((runtime) => runtime.attach(page))
      .catch(page.degrade);
  };
  const idle = () => (timer = setTimeout(document.readyState < 'd' ? start : idle, 300));
  (keep('envelope') ? start : idle)();
  return page;
}
