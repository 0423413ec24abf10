// A script for the page that keeps account of what is opened and not closed again: listeners, timers, streams,
// channels, requests. It must run before what it watches. `open()` in the page lists what is left.

export const INSTRUMENT = `<script>(${instrument})()</script>`;

/**
 * @typedef {{type: string, listener: EventListenerOrEventListenerObject, capture: boolean, from: string}} Listener
 * @typedef {AddEventListenerOptions | undefined} ListenerOptions where a boolean has no such property
 * @typedef {(run: TimerHandler, ...rest: unknown[]) => number} Begin one of the functions that begin what `End` ends
 * @typedef {(id: number | undefined) => void} End
 * @typedef {{url?: string, name?: string, observe(...args: unknown[]): unknown, close(): unknown, disconnect(): unknown}} Opened each has some of them
 * @typedef {Record<string, {new (...args: unknown[]): Opened, prototype: Partial<Opened>}>} Classes
 */

/* Runs in the page. */
function instrument() {
  /** @type {<Method extends (...args: never[]) => unknown>(owner: object, name: string, make: (original: Method) => Method) => void} */
  const wrap = (owner, name, make) => {
    const original = /** @type {Record<string, never>} */ (owner)[name];
    if (typeof original === 'function') /** @type {Record<string, unknown>} */ (owner)[name] = make(original);
  };
  const place = () => (new Error().stack ?? '').split('\n').slice(2).find((line) => /(changeover|runtime)[^/]*\.js/.test(line))?.trim() ?? 'the page';

  // Listeners: a target that cannot fire any more (closed, out of the document) counts for nothing.
  /** @type {Map<EventTarget, Listener[]>} */
  const listeners = new Map();
  /** @type {WeakSet<object>} */
  const closed = new WeakSet();
  /** @type {(options: EventListenerOptions | boolean | undefined) => boolean} */
  const captures = (options) => (typeof options === 'boolean' ? options : Boolean(options?.capture));
  wrap(EventTarget.prototype, 'addEventListener', (/** @type {EventTarget['addEventListener']} */ original) => /** @this {EventTarget | undefined} */ function (type, listener, options) {
    const target = this ?? globalThis;
    if (listener && !(/** @type {ListenerOptions} */ (options)?.signal?.aborted)) {
      const list = listeners.get(target) ?? [];
      const capture = captures(options);
      if (!list.some((entry) => entry.type === type && entry.listener === listener && entry.capture === capture)) {
        const entry = { type, listener, capture, from: place() };
        list.push(entry);
        listeners.set(target, list);
        const drop = () => {
          const at = list.indexOf(entry);
          if (at >= 0) list.splice(at, 1);
        };
        if (/** @type {ListenerOptions} */ (options)?.once) original.call(target, type, drop, { once: true, capture });
        if (/** @type {ListenerOptions} */ (options)?.signal) original.call(/** @type {{signal: AbortSignal}} */ (options).signal, 'abort', drop, { once: true });
      }
    }
    return original.call(target, type, listener, options);
  });
  wrap(EventTarget.prototype, 'removeEventListener', (/** @type {EventTarget['removeEventListener']} */ original) => /** @this {EventTarget | undefined} */ function (type, listener, options) {
    const target = this ?? globalThis;
    const list = listeners.get(target);
    const at = list?.findIndex((entry) => entry.type === type && entry.listener === listener && entry.capture === captures(options)) ?? -1;
    if (at >= 0) /** @type {Listener[]} */ (list).splice(at, 1);
    return original.call(target, type, listener, options);
  });
  // The same by property: onmessage and its like.
  /** @type {Map<EventTarget, Set<string>>} */
  const handlers = new Map();
  for (const owner of [globalThis.EventSource, globalThis.BroadcastChannel, globalThis.Window, globalThis.Document]) {
    for (const target of [owner?.prototype, owner === globalThis.Window ? globalThis : null]) {
      for (const name of Object.keys(target ?? {}).filter((name) => name.startsWith('on'))) {
        const property = Object.getOwnPropertyDescriptor(target, name);
        if (!property?.set || !property.configurable) continue;
        Object.defineProperty(target, name, {
          ...property,
          /** @this {EventTarget} */
          set(/** @type {unknown} */ value) {
            const mine = handlers.get(this) ?? new Set();
            if (typeof value === 'function') mine.add(name);
            else mine.delete(name);
            handlers.set(this, mine);
            /** @type {(value: unknown) => void} */ (property.set).call(this, value);
          },
        });
      }
    }
  }

  /** @type {Record<string, Map<unknown, string>>} */
  const pending = { setTimeout: new Map(), setInterval: new Map(), requestAnimationFrame: new Map(), requestIdleCallback: new Map() };
  for (const [begin, end] of [
    ['setTimeout', 'clearTimeout'],
    ['setInterval', 'clearInterval'],
    ['requestAnimationFrame', 'cancelAnimationFrame'],
    ['requestIdleCallback', 'cancelIdleCallback'],
  ]) {
    wrap(globalThis, begin, (/** @type {Begin} */ original) => function (run, ...rest) {
      /** @type {number} */
      let id;
      const from = `${begin === 'setTimeout' ? `after ${Number(rest[0] ?? 0)} ms ` : ''}from ${place()}`;
      const wrapped =
        typeof run !== 'function'
          ? run
          : (/** @type {unknown[]} */ ...args) => {
              if (begin !== 'setInterval') pending[begin].delete(id);
              return run(...args);
            };
      id = original.call(globalThis, wrapped, ...rest);
      pending[begin].set(id, from);
      return id;
    });
    wrap(globalThis, end, (/** @type {End} */ original) => function (id) {
      for (const map of Object.values(pending)) if (map !== pending.requestAnimationFrame || end === 'cancelAnimationFrame') map.delete(id);
      return original.call(globalThis, id);
    });
  }

  /** @type {Record<string, Set<Opened>>} */
  const open = { EventSource: new Set(), BroadcastChannel: new Set(), MutationObserver: new Set(), PerformanceObserver: new Set() };
  for (const [name, end] of [['EventSource', 'close'], ['BroadcastChannel', 'close'], ['MutationObserver', 'disconnect'], ['PerformanceObserver', 'disconnect']]) {
    const Original = /** @type {Classes} */ (/** @type {unknown} */ (globalThis))[name];
    if (!Original) continue;
    /** @type {Classes} */ (/** @type {unknown} */ (globalThis))[name] = class extends Original {
      constructor(/** @type {unknown[]} */ ...args) {
        super(...args);
        if (end === 'close') open[name].add(this);
      }
      observe(/** @type {unknown[]} */ ...args) {
        open[name].add(this);
        return super.observe(...args);
      }
      [end]() {
        open[name].delete(this);
        closed.add(this);
        return super[/** @type {'close' | 'disconnect'} */ (end)]();
      }
    };
    if (end === 'close') delete /** @type {Classes} */ (/** @type {unknown} */ (globalThis))[name].prototype.observe;
    else delete /** @type {Classes} */ (/** @type {unknown} */ (globalThis))[name].prototype.close;
  }

  // Requests that are on their way: dispose() has to abort them.
  const requests = new Set();
  wrap(globalThis, 'fetch', (/** @type {typeof fetch} */ original) => function (input, init) {
    const entry = String(/** @type {Request} */ (input)?.url ?? input);
    requests.add(entry);
    const answer = original.call(globalThis, input, init);
    const over = () => requests.delete(entry);
    answer.then(over, over);
    return answer;
  });

  const alive = (/** @type {EventTarget} */ target) => {
    if (closed.has(target)) return false;
    if (target instanceof AbortSignal) return false;
    return !(target instanceof Node) || target === document || target.isConnected;
  };
  const nameOf = (/** @type {EventTarget} */ target) => (target === globalThis ? 'window' : (target.constructor?.name ?? 'target'));

  /** What is open now, each as a line of text; locks and requests for locks included. */
  globalThis.whatIsOpen = async () => {
    const lines = [];
    for (const [target, list] of listeners) {
      if (alive(target)) for (const { type, from } of list) lines.push(`listener ${type} on ${nameOf(target)} from ${from}`);
    }
    for (const [target, names] of handlers) if (alive(target)) for (const name of names) lines.push(`handler ${name} on ${nameOf(target)}`);
    for (const [kind, map] of Object.entries(pending)) for (const from of map.values()) lines.push(`${kind} ${from}`);
    for (const [kind, set] of Object.entries(open)) for (const one of set) lines.push(`${kind} ${one.url ?? one.name ?? ''}`.trim());
    for (const url of requests) lines.push(`request ${url}`);
    const locks = await navigator.locks?.query();
    for (const { name } of [...(locks?.held ?? []), ...(locks?.pending ?? [])]) lines.push(`lock ${name}`);
    for (const element of document.querySelectorAll('*')) if (element.localName.startsWith('changeover')) lines.push(`element ${element.localName}`);
    return lines.sort();
  };
}
