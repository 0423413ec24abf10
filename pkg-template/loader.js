// The loader: the only part of changeover on the critical path, and what is left when the runtime cannot run.
//
// In order: capture load failures from the first byte on, keep what the app asks for, fetch the runtime once the page
// has loaded, connect it. When the runtime is missing or dies, the loader level goes on: it polls the release by
// itself, asks with a plain banner and reloads, with the storage keys and the loop guard of the full level.
//
// Alone it does without event stream, other tabs, manifests, rollouts, app and channel; `equip.js`, when the runtime's
// JavaScript is there and only WebAssembly is not, adds the full prompt, holds and states.
//
// With global.js it has 1500 bytes after gzip, hence the terse style; the app never sees an error from here.

/** Where the one instance of a page lives, on globalThis. */
export const KEY = Symbol.for('changeover');

/**
 * Starts changeover in this document.
 *
 * The page it returns is what loader and runtime share. The runtime calls `connect(impl)`, sets `onFailure`, and calls
 * `degrade(reason)` when it dies; `equip.js` replaces `show` and adds `save`, `hold` and `state`.
 *
 * @param {object} options of `createChangeover`, or the dataset of the script tag; `prompt: 'off'` for none
 * @param {() => Promise<{attach(page: object): Promise<void>}>} load fetches the runtime
 */
export function openPage(options, load) {
  const calls = new Set(); // on, hold and state, as long as they are not undone: [method, args, undo]
  const status = { level: 'starting', build: options.build, decision: {}, failures: 0, holds: [] };
  let timer, shown, asked;

  const safe = (run) => {
    try {
      return run();
    } catch {}
  };

  // Reads from storage, after writing when there is a value; undefined when storage does not work.
  const keep = (name, value, area) =>
    safe(() => {
      area = name == 'sequence' ? localStorage : sessionStorage;
      name = `changeover:${new URL(options.release, document.baseURI).pathname}:${name}`;
      if (value) area[name] = JSON.stringify(value);
      return JSON.parse(area[name]);
    });

  const look = async () => {
    try {
      const response = await fetch(options.release, { cache: 'no-cache' });
      const release = response.ok && (await response.json());
      const { sequence, build: { id } } = release;
      if (release.format !== 1 || !Number.isInteger(sequence) || !id.trim) throw 0;
      status.failures = 0;
      if (!(sequence < keep('sequence'))) {
        keep('sequence', sequence);
        status.release = { ...release, build: id };
        status.skew = options.build && options.build != id;
      }
    } catch {
      status.failures++;
    }
    if (status.level == 'loader') {
      clearTimeout(timer);
      timer = setTimeout(wake, (options.interval > 999 ? options.interval : 6e4) * (status.failures + Math.random() + 0.5));
      // Once a release, so that "Later" holds and nothing is announced twice.
      if (asked != (asked = status.release?.sequence)) {
        hide();
        if (status.skew) {
          status.prompt = status.release;
          calls.forEach(([, [type, listener]]) => safe(() => type == 'promptShown' && listener({ type, prompt: status.prompt })));
          if (options.prompt != 'off') shown = page.show();
        }
      }
    }
    return status;
  };
  const wake = () => document.hidden || look();
  const hide = () => (status.prompt = shown?.remove());

  const page = {
    options,
    api: {
      get status() {
        return impl.status;
      },
    },
    failures: [],
    onFailure: (event) => page.failures[9] || page.failures.push(event),
    connect(next) {
      impl = next;
      calls.forEach(apply);
    },
    degrade(reason) {
      if (status.level == 'off') return;
      status.level = 'loader';
      status.levelReason = '' + reason;
      page.onFailure = wake;
      page.connect(page);
      look();
    },

    // What the public object does at the loader level. `click` is the event when the user asks: the user may insist.
    status,
    check: look,
    async reload(click) {
      try {
        const { build } = status.release;
        const reloads = { ...keep('reloads') };
        if (status.skew && (click || !reloads[build])) {
          await page.save?.(click);
          await fetch(location, { cache: 'no-cache' });
          reloads[build] = 1;
          if (keep('reloads', reloads) || click) return location.reload();
        }
      } catch {}
      asked = look();
      return 'reloadDidNotTake';
    },
    show() {
      const make = (name, textContent, onclick) => Object.assign(document.createElement(name), { textContent, onclick });
      const banner = make('output');
      banner.style.cssText = 'position:fixed;right:1em;bottom:1em;padding:1em;z-index:9999;background:CanvasText;color:Canvas';
      document.documentElement.append(banner);
      // A live region speaks of what changes in it after it is there.
      setTimeout(() => banner.append(status.release.message || 'Update: ', make('button', 'Reload', page.reload), make('button', 'Later', hide)));
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
  let impl = page;

  const apply = (call) => safe(() => (call[2] = impl[call[0]](...call[1])));
  ['check', 'reload', 'snooze', 'trace', 'dispose', 'on', 'hold', 'state'].map(
    (method) =>
      (page.api[method] = (...args) => {
        if (page[method]) return impl[method](...args);
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
  const capture = (event) =>
    safe(
      () =>
        /^([ovL]|S[CT])|module|chunk|CSS|MIME|magic|'<'/.test(
          event.target.tagName || event.reason || event.payload || event.message || event.type,
        ) && page.onFailure(event),
    );
  const listen = (change) =>
    ['error', 'unhandledrejection', 'vite:preloadError', 'visibilitychange', 'online'].map((type) => self[change](type, capture, true));
  listen('addEventListener');

  // The runtime: at once when a page before this one left state behind, else when this page has loaded.
  const start = () =>
    load()
      .then((runtime) => runtime.attach(page))
      .catch(page.degrade);
  const idle = () => (timer = setTimeout(document.readyState < 'd' ? start : idle, 300));
  (keep('envelope') ? start : idle)();
  return page;
}
