// Faults as browsers have them, at a chosen moment: for a page's own IndexedDB, for fake-indexeddb, and for steps.

/**
 * @import { Migration } from './index.js'
 * @import { Faults, IndexedDbFaults, Nth } from './testing.js'
 *
 * @typedef {(...given: any[]) => any} Call a method of an IndexedDB object, or what stands in for it
 * @typedef {new (type: string, init?: object) => Event} EventClass
 * @typedef {{ nth: number, waiting: number, held: boolean }} Writing `waiting`: requests without an answer
 */

const KINDS = /^IDB(Database|Transaction|ObjectStore|Index|Cursor|CursorWithValue|Request|OpenDBRequest)$/;
/** @type {(value: unknown) => string} */
const kindOf = (value) => Object.prototype.toString.call(value).slice(8, -1);
/** @type {(which: Nth | boolean | undefined, nth: number) => boolean} */
const hits = (which, nth) => (typeof which === 'function' ? Boolean(which(nth)) : which === nth);

/**
 * `indexedDB` with faults. Writes (`put`, `add`, `delete`, `clear`, also those of cursors), transactions that write, and
 * opens are counted from 1; an option names one by its number, or is a function of that number.
 *
 * | option | what happens |
 * |---|---|
 * | `failAt` | the write fails with an `UnknownError`; its transaction aborts unless the error is handled |
 * | `quotaAt` | the write fails with a `QuotaExceededError`, and so does its transaction |
 * | `abortAt` | every request of the transaction succeeds, and then it aborts instead of completing |
 * | `blockOpen` | the open never answers; `true` is every open. If it names a version, `blocked` is fired |
 * | `failOpen` | the open fails with an `UnknownError`, as when the profile is damaged |
 * | `delay` | a writing transaction stays open for so many milliseconds after its last request |
 *
 * `faults` of the result holds the options, which may be changed at any time, the counts so far, and `close()` and
 * `versionChange()`, which tell all open connections what clearing site data and another tab's upgrade tell them.
 *
 * @template {object} F
 * @param {F} indexedDB
 * @param {IndexedDbFaults} [options]
 * @returns {F & { readonly faults: Faults }}
 */
export function faultyIndexedDb(indexedDB, options = {}) {
  /** @type {IndexedDbFaults & { writes: number, transactions: number, opens: number }} */
  const faults = { ...options, writes: 0, transactions: 0, opens: 0 };
  /** @type {Map<IDBDatabase, EventClass>} */
  const connections = new Map(); // database -> the class of its events
  /** @type {WeakMap<IDBTransaction, Writing>} */
  const writing = new WeakMap(); // transaction -> {nth, waiting, held}
  const { wrap, unwrap, mask } = membrane(intervene);

  /**
   * @param {IDBTransaction} transaction
   * @param {DOMException} reason
   */
  function abort(transaction, reason) {
    mask(transaction, 'error', reason);
    try {
      transaction.abort();
    } catch {
      // The app was quicker.
    }
  }

  /**
   * A request of ours that is answered when its turn comes; the app must not see it succeed.
   *
   * @param {IDBObjectStore} store
   * @param {(Event: EventClass) => void} answered
   * @returns {IDBRequest}
   */
  function inTurn(store, answered) {
    const request = store.count();
    request.addEventListener('success', (event) => {
      event.stopImmediatePropagation();
      answered(/** @type {EventClass} */ (event.constructor));
    });
    return request;
  }

  /**
   * @param {IDBObjectStore} store
   * @param {string} name
   * @param {string} message
   * @param {boolean} always whether the transaction aborts even when the app handles the error
   */
  function failing(store, name, message, always) {
    const reason = new DOMException(message, name);
    const { transaction } = store;
    const request = inTurn(store, (Event) => {
      mask(request, 'error', reason);
      mask(request, 'result', undefined);
      if (!handled(request, transaction, Event) || always) abort(transaction, reason);
    });
    return request;
  }

  /**
   * Tells the app of an error, first at the request, then at its transaction and database; true when it was handled.
   *
   * @param {IDBRequest} request
   * @param {IDBTransaction} transaction
   * @param {EventClass} Event
   */
  function handled(request, transaction, Event) {
    const path = [transaction, transaction.db];
    const make = () => new Event('error', { bubbles: true, cancelable: true });
    let bubbled = false;
    const note = () => (bubbled = true);
    transaction.addEventListener('error', note, true);
    const event = make();
    /** @type {Event & { eventPath?: EventTarget[] }} */ (event).eventPath = [...path].reverse(); // fake-indexeddb bubbles along this list
    let unhandled = request.dispatchEvent(event);
    transaction.removeEventListener('error', note, true);
    // In WebKit only its own events bubble.
    for (const target of bubbled ? [] : path) {
      const again = Object.defineProperty(make(), 'target', { value: request, configurable: true });
      unhandled = target.dispatchEvent(again) && unhandled;
    }
    return !unhandled;
  }

  /**
   * Keeps a transaction open until its last request is answered and its time is over; then it may abort.
   *
   * @param {IDBObjectStore} store
   * @param {Writing} state
   */
  function hold(store, state) {
    if (state.held || (faults.abortAt === undefined && !faults.delay)) return;
    state.held = true;
    let quiet = 0;
    /** @type {number | undefined} */
    let since;
    const turn = () => {
      quiet = state.waiting ? 0 : quiet + 1;
      since = state.waiting ? undefined : (since ?? Date.now());
      // Two turns without a request: the app has had its chance to go on.
      if (quiet >= 2 && Date.now() - /** @type {number} */ (since) >= (faults.delay ?? 0)) return finish(store.transaction, state);
      try {
        inTurn(store, turn);
      } catch {
        // The transaction has ended.
      }
    };
    inTurn(store, turn);
  }

  /**
   * @param {IDBTransaction} transaction
   * @param {Writing} state
   */
  function finish(transaction, { nth }) {
    if (hits(faults.abortAt, nth)) abort(transaction, new DOMException('the transaction could not be completed', 'UnknownError'));
    return hits(faults.abortAt, nth);
  }

  /**
   * @param {IDBRequest} request
   * @param {Writing | undefined} state
   */
  function counted(request, state) {
    if (!state) return request;
    state.waiting += 1;
    for (const type of ['success', 'error']) request.addEventListener(type, () => (state.waiting -= 1));
    return request;
  }

  /**
   * What happens instead of `call`, a method of an IndexedDB object.
   *
   * @param {any} target
   * @param {string} name
   * @param {Call} call
   * @returns {Call}
   */
  function intervene(target, name, call) {
    const kind = kindOf(target);
    if (kind === 'IDBDatabase' && name === 'transaction') {
      return (...given) => {
        const transaction = call(...given);
        if (transaction.mode === 'readwrite') writing.set(transaction, { nth: (faults.transactions += 1), waiting: 0, held: false });
        return transaction;
      };
    }
    if (kind === 'IDBDatabase' && name === 'close') {
      connections.delete(target);
      return call;
    }
    if (kind === 'IDBTransaction' && name === 'commit' && writing.has(target)) return () => finish(target, /** @type {Writing} */ (writing.get(target))) || call();
    const source = target.source ?? target; // of a cursor
    const store = source.objectStore ?? source; // of an index
    if (kindOf(store) !== 'IDBObjectStore' || typeof target.transaction === 'function') return call;
    const state = writing.get(store.transaction);
    if (/^(continue|advance)/.test(name) && state) {
      return (...given) => {
        call(...given);
        state.waiting += 1;
      };
    }
    if (/^(get|count|openC|openK)/.test(name)) return (...given) => counted(call(...given), state);
    if (!/^(put|add|delete|clear|update)$/.test(name) || store.transaction.mode === 'readonly') return call;
    return (...given) => {
      const nth = (faults.writes += 1);
      if (state) hold(store, state);
      if (hits(faults.quotaAt, nth)) return failing(store, 'QuotaExceededError', 'the quota has been exceeded', true);
      if (hits(faults.failAt, nth)) return failing(store, 'UnknownError', 'the write failed', false);
      return counted(call(...given), state);
    };
  }

  /**
   * @param {string} name
   * @param {[version?: number]} version
   */
  function open(name, ...version) {
    const nth = (faults.opens += 1);
    if (faults.blockOpen === true || hits(faults.blockOpen, nth)) return opening(version.length ? 'blocked' : null);
    if (faults.failOpen === true || hits(faults.failOpen, nth)) return opening('error', new DOMException('the database could not be opened', 'UnknownError'));
    const request = /** @type {IDBFactory} */ (indexedDB).open(name, ...version);
    request.addEventListener('success', (event) => connections.set(request.result, /** @type {EventClass} */ (event.constructor)));
    return wrap(request);
  }

  /**
   * @param {string} type
   * @param {(database: IDBDatabase) => object} more what the event says beside its type
   */
  function tellAll(type, more) {
    for (const [database, Event] of connections) database.dispatchEvent(Object.assign(new Event(type), more(database)));
  }

  Object.assign(faults, {
    close() {
      for (const database of connections.keys()) database.close();
      tellAll('close', () => ({}));
      connections.clear();
    },
    /** @param {number | null} [newVersion] */
    versionChange(newVersion = null) {
      tellAll('versionchange', ({ version }) => ({ oldVersion: version, newVersion }));
    },
  });

  return /** @type {F & { faults: Faults }} */ (new Proxy(indexedDB, {
    get(target, name) {
      if (name === 'faults') return faults;
      if (name === 'open') return open;
      const value = Reflect.get(target, name, target);
      return typeof value === 'function' ? (/** @type {unknown[]} */ ...given) => wrap(value.apply(target, given.map(unwrap))) : value;
    },
  }));
}

/**
 * Steps with faults. Their calls, up and down, are counted from 1; an option names one by its number, or is a function of
 * that number. `throwAt`: it throws. `hangAt`: it never answers. `corruptAt`: its result lacks a part.
 *
 * @template {Migration} M
 * @param {readonly M[]} migrations
 * @param {{ throwAt?: Nth, hangAt?: Nth, corruptAt?: Nth }} [options]
 * @returns {M[]}
 */
export function faultySteps(migrations, { throwAt, hangAt, corruptAt } = {}) {
  let calls = 0;
  /** @type {(run: Migration['up']) => Migration['up']} */
  const faulty = (run) => (value) => {
    const nth = (calls += 1);
    if (hits(throwAt, nth)) throw new Error(`call ${nth} of a step failed by a fault`);
    if (hits(hangAt, nth)) return new Promise(() => {});
    const made = run(value);
    if (!hits(corruptAt, nth)) return made;
    return typeof made?.then === 'function' ? made.then(corrupted) : corrupted(made);
  };
  return migrations.map((step) => ({ ...step, up: faulty(step.up), ...(step.down && { down: faulty(step.down) }) }));
}

/**
 * @param {unknown} value
 * @returns {unknown}
 */
function corrupted(value) {
  if (Array.isArray(value)) return value.slice(0, -1);
  if (kindOf(value) !== 'Object') return null;
  const [first, ...rest] = Object.entries(/** @type {object} */ (value));
  return first ? Object.fromEntries(rest) : null;
}

/**
 * An open that is told of `type` and nothing else: it waits for ever, or has failed with `error`.
 *
 * @param {'blocked' | 'error' | null} type
 * @param {DOMException} [error]
 */
function opening(type, error) {
  const request = Object.assign(new EventTarget(), { onsuccess: null, onerror: null, onblocked: null, onupgradeneeded: null, source: null, transaction: null, readyState: 'pending' });
  const unfinished = () => {
    throw new DOMException('The request has not finished.', 'InvalidStateError');
  };
  const settled = (/** @type {unknown} */ value) => () => (request.readyState === 'done' ? value : unfinished());
  Object.defineProperties(request, { result: { get: settled(undefined) }, error: { get: settled(error) } });
  for (const heard of ['blocked', 'error']) request.addEventListener(heard, (event) => /** @type {Record<string, EventListener | null>} */ (/** @type {unknown} */ (request))[`on${heard}`]?.(event));
  if (type) {
    setTimeout(() => {
      if (error) request.readyState = 'done';
      request.dispatchEvent(new Event(type, { cancelable: true }));
    });
  }
  return request;
}

/**
 * Stands before IndexedDB's objects: what the app gets is wrapped, what it hands in is unwrapped, also in events.
 *
 * @param {(target: object, name: string, call: Call) => Call} intervene
 */
function membrane(intervene) {
  /** @type {WeakMap<object, object>} */
  const proxies = new WeakMap();
  /** @type {WeakMap<object, object>} */
  const originals = new WeakMap();
  /** @type {WeakMap<object, Map<PropertyKey, unknown>>} */
  const masks = new WeakMap();
  /** @type {WeakMap<object, Map<PropertyKey, unknown>>} */
  const handlers = new WeakMap();
  /** @type {WeakMap<object, (this: unknown, event: Event) => unknown>} */
  const heard = new WeakMap(); // listener of the app -> ours

  /**
   * @template V
   * @param {WeakMap<object, V>} map
   * @param {object} key
   * @param {() => V} make
   */
  const remembered = (map, key, make) => {
    if (!map.has(key)) map.set(key, make());
    return /** @type {V} */ (map.get(key));
  };
  /** @type {(value: any) => unknown} */
  const unwrap = (value) => originals.get(value) ?? value;
  /** @type {(target: object, name: string, value: unknown) => void} */
  const mask = (target, name, value) => remembered(masks, target, () => new Map()).set(name, value);

  const wrapEvent = (/** @type {Event} */ event) =>
    new Proxy(event, {
      get(target, name) {
        const value = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : wrap(value);
      },
    });
  /** @type {(listener: EventListenerOrEventListenerObject | null) => EventListener | null} */
  const listening = (listener) => {
    if (!listener) return listener;
    return remembered(heard, listener, () => function (event) {
      return typeof listener === 'function' ? listener.call(wrap(this), wrapEvent(event)) : listener.handleEvent(wrapEvent(event));
    });
  };

  const traps = {
    /** @type {(target: object, name: string | symbol) => unknown} */
    get(target, name) {
      const masked = masks.get(target);
      if (masked?.has(name)) return masked.get(name);
      if (handlers.get(target)?.has(name)) return /** @type {Map<PropertyKey, unknown>} */ (handlers.get(target)).get(name);
      const value = Reflect.get(target, name, target);
      if (typeof value !== 'function' || name === 'constructor') return wrap(value);
      if (/^(add|remove)EventListener$/.test(/** @type {string} */ (name))) return (/** @type {string} */ type, /** @type {EventListener} */ listener, /** @type {unknown[]} */ ...more) => value.call(target, type, listening(listener), ...more);
      const run = intervene(target, /** @type {string} */ (name), (...given) => value.apply(target, given));
      return (/** @type {unknown[]} */ ...given) => wrap(run(...given.map(unwrap)));
    },
    /** @type {(target: Record<PropertyKey, unknown>, name: string | symbol, value: unknown) => boolean} */
    set(target, name, value) {
      if (typeof name === 'string' && name.startsWith('on')) {
        remembered(handlers, target, () => new Map()).set(name, value);
        target[name] = typeof value === 'function' ? listening(/** @type {EventListener} */ (value)) : value;
      } else target[name] = unwrap(value);
      return true;
    },
  };

  /**
   * @template V
   * @param {V} value
   * @returns {V}
   */
  function wrap(value) {
    if (value === null || typeof value !== 'object' || !KINDS.test(kindOf(value)) || originals.has(value)) return value;
    return /** @type {V} */ (remembered(proxies, value, () => {
      const proxy = new Proxy(value, traps);
      originals.set(proxy, value);
      return proxy;
    }));
  }

  return { wrap, unwrap, mask };
}
