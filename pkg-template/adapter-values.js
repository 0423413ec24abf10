// The values that adapters capture and restore: copies without proxies and functions, and two ways to put them back, as a new
// state beside the old one or in place.
import { failure } from './error.js';
import { put } from './own.js';

/** @typedef {Record<string, unknown>} Plain */
/** @typedef {{ pick?: readonly unknown[], omit?: readonly unknown[] }} Only these keys */
/** @typedef {{ __v_isRef?: boolean, __v_raw?: unknown, value?: unknown }} Reactive what Vue puts on refs and proxies */

/** @type {(key: unknown, only?: Only) => boolean} */
export const allowed = (key, { pick, omit } = {}) => (!pick || pick.includes(key)) && !omit?.includes(key);

/** @type {(from: object, only?: Only) => string[]} */
export const keysOf = (from, only) => Object.keys(from).filter((key) => key !== '__proto__' && allowed(key, only));

/**
 * A copy of what there is to capture.
 *
 * @param {unknown} state
 * @param {Only} [only]
 */
export function chosen(state, only) {
  return plain(state) ? fieldsOf(state, keysOf(state, only), new Map()) : bare(state, new Map(), true);
}

/** @type {(object: Plain, keys: string[], seen: Map<object, unknown>) => Plain} */
export function fieldsOf(object, keys, seen) {
  /** @type {Plain} */
  const copy = {};
  seen.set(object, copy);
  for (const key of keys) {
    const value = object[key];
    if (typeof value !== 'function') put(copy, key, bare(value, seen, true));
  }
  return copy;
}

/**
 * A copy without the proxies and refs of reactive libraries, which cannot be cloned, and without functions. Only in
 * objects below objects: an element of a list is restored as a whole, so a function in it stays and fails the clone.
 *
 * @param {unknown} value
 * @param {Map<object, unknown>} seen the copies that are made already
 * @param {boolean} [dress] leave functions out
 * @returns {unknown}
 */
function bare(value, seen, dress) {
  if (value === null || typeof value !== 'object') return value;
  if (/** @type {Reactive} */ (value).__v_isRef) return bare(/** @type {Reactive} */ (value).value, seen, dress);
  if (seen.has(value)) return seen.get(value);
  if (plain(value)) {
    if (dress) return fieldsOf(value, Object.keys(value), seen);
    /** @type {Plain} */
    const copy = {};
    seen.set(value, copy);
    for (const key of Object.keys(value)) put(copy, key, bare(value[key], seen));
    return copy;
  }
  /** @type {<Copy extends object>(copy: Copy, fill: (copy: Copy) => void) => Copy} */
  const keep = (copy, fill) => (seen.set(value, copy), fill(copy), copy);
  if (Array.isArray(value)) return keep(/** @type {unknown[]} */ ([]), (copy) => value.forEach((item) => copy.push(bare(item, seen))));
  if (value instanceof Map) return keep(new Map(), (copy) => value.forEach((item, key) => copy.set(bare(key, seen), bare(item, seen))));
  if (value instanceof Set) return keep(new Set(), (copy) => value.forEach((item) => copy.add(bare(item, seen))));
  return /** @type {Reactive} */ (value).__v_raw ?? value;
}

/**
 * A new state for a library that compares by identity: `value` over `state`.
 *
 * @param {unknown} state
 * @param {unknown} value an object if `state` is one
 * @param {Only} [only]
 */
export function merged(state, value, only) {
  if (!plain(state)) return value;
  const next = { ...state };
  for (const key of keysOf(/** @type {Plain} */ (value), only))
    if (typeof state[key] !== 'function') next[key] = dressed(state[key], /** @type {Plain} */ (value)[key]);
  return next;
}

/**
 * `value`, with the functions that stand in its place now.
 *
 * @type {(current: unknown, value: unknown) => unknown}
 */
function dressed(current, value) {
  if (!plain(current) || !plain(value) || !holdsFunctions(current)) return value;
  const next = { ...value };
  for (const key of Object.keys(current)) {
    if (typeof current[key] === 'function') next[key] = current[key];
    else if (Object.hasOwn(value, key)) next[key] = dressed(current[key], value[key]);
    else if (holdsFunctions(current[key])) next[key] = current[key];
  }
  return next;
}

/** @type {(value: unknown, above?: Set<object>) => boolean} */
function holdsFunctions(value, above = new Set()) {
  if (typeof value === 'function') return true;
  if (!plain(value) || above.has(value)) return false;
  above.add(value);
  return Object.values(value).some((inside) => holdsFunctions(inside, above));
}

/**
 * Puts `value` into `target` without replacing objects, lists, maps and sets that are there.
 *
 * @param {Plain} target
 * @param {Plain} value
 * @param {Only} [only]
 */
export function refill(target, value, only) {
  for (const key of keysOf(value, only)) {
    const current = target[key];
    if (typeof current === 'function' || derived(target, key)) continue;
    if (isRef(target, key) || !refilled(current, value[key])) target[key] = value[key];
  }
}

/** @type {(current: unknown, value: unknown) => boolean} */
function refilled(current, value) {
  if (current === value) return true;
  if (plain(current) && plain(value)) {
    for (const key of Object.keys(current)) if (!Object.hasOwn(value, key) && !holdsFunctions(current[key])) delete current[key];
    refill(current, value);
  } else if (Array.isArray(current) && Array.isArray(value)) {
    current.length = 0;
    for (const item of value) current.push(item);
  } else if (current instanceof Map && value instanceof Map) {
    current.clear();
    value.forEach((item, key) => current.set(key, item));
  } else if (current instanceof Set && value instanceof Set) {
    current.clear();
    value.forEach((item) => current.add(item));
  } else return false;
  return true;
}

/**
 * Whether the property is computed from others.
 *
 * @param {Plain} target
 * @param {string} key
 */
function derived(target, key) {
  const { get, set } = Object.getOwnPropertyDescriptor(target, key) ?? {};
  return Boolean(get && !set);
}

/**
 * A ref takes its value as a whole; a shallow one notices nothing else.
 *
 * @type {(target: Plain, key: string) => boolean}
 */
const isRef = (target, key) =>
  Boolean(/** @type {Record<string, Reactive | undefined>} */ (target.__v_raw ?? target)[key]?.__v_isRef);

/**
 * @param {unknown} value
 * @returns {value is Plain}
 */
export function plain(value) {
  if (value === null || typeof value !== 'object') return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** @type {<T>(value: T) => T[]} */
export function cloned(value) {
  try {
    return [typeof structuredClone === 'function' ? structuredClone(value) : value];
  } catch {
    return [];
  }
}

/**
 * What migrations made of an object must still be one.
 *
 * @param {unknown} value
 */
export function record(value) {
  if (plain(value)) return value;
  throw failure({ code: 'invalid_value', message: `an object is to be restored, and ${described(value)} came` });
}

export const shaped = (/** @type {unknown} */ state, /** @type {unknown} */ value) => (plain(state) ? record(value) : value);

/** @param {unknown} value */
export function described(value) {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'function') return `the function ${value.name || 'without a name'}`;
  if (typeof value !== 'object') return `the ${typeof value} ${JSON.stringify(String(value))}`;
  const keys = Object.keys(value);
  return `an object with ${keys.slice(0, 5).join(', ') || 'no keys'}${keys.length > 5 ? ', …' : ''}`;
}
