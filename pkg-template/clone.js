// What can be done with any value that can be cloned, whatever it holds: copied, compared, merged.
import { failure } from './error.js';
import { textOf } from './load-errors.js';
import { put } from './own.js';

/** @typedef {Record<string, unknown>} Fields */
/** @typedef {unknown[]} List */
/** @typedef {ArrayBufferLike | ArrayBufferView} Bytes */

/**
 * A deep copy, as storage would make it.
 *
 * @template T
 * @param {T} value
 * @param {string} what names the value in the error, as in `store "cart": "k"`
 * @throws a failure with code `not_cloneable`
 */
export function cloned(value, what) {
  try {
    return structuredClone(value);
  } catch (error) {
    const path = uncloneable(value, '', new Set());
    throw failure({ code: 'not_cloneable', message: `${what} cannot be cloned${path ? ` at ${path}` : ''}: ${textOf(error)}`, path });
  }
}

/**
 * The first place in a value that cannot be cloned; `undefined` when none stands out.
 *
 * @param {unknown} value
 * @param {string} path
 * @param {Set<object>} above
 * @returns {string | undefined}
 */
function uncloneable(value, path, above) {
  if (typeof value === 'function' || typeof value === 'symbol') return path;
  if (typeof value !== 'object' || value === null || above.has(value)) return undefined;
  above.add(value);
  const parts = partsOf(value);
  for (const [name, part] of parts) {
    const found = uncloneable(part, joined(path, name), above);
    if (found !== undefined) return found;
  }
  if (parts.length) return undefined;
  try {
    structuredClone(value);
  } catch {
    return path;
  }
}

const kindOf = (/** @type {unknown} */ value) => Object.prototype.toString.call(value).slice(8, -1);

/**
 * The parts of a container by name: fields, elements, entries of a Map or a Set.
 *
 * @param {object} value
 * @returns {[name: string, part: unknown][]}
 */
function partsOf(value) {
  switch (kindOf(value)) {
    case 'Array':
      return /** @type {List} */ (value).map((item, index) => [`[${index}]`, item]);
    case 'Map':
      return [.../** @type {Map<unknown, unknown>} */ (value)].map(([key, item], index) => [
        typeof key === 'string' ? key : `[${index}]`,
        item,
      ]);
    case 'Set':
      return [.../** @type {Set<unknown>} */ (value)].map((item, index) => [`[${index}]`, item]);
    case 'Object':
      return Object.entries(value);
    default:
      return [];
  }
}

/**
 * `items` and `[0]` make `items[0]`.
 *
 * @type {(path: string, name: string) => string}
 */
const joined = (path, name) => (name.startsWith('[') || !path ? `${path}${name}` : `${path}.${name}`);

/**
 * The first place where two values differ, as `items[0].price`; `''` is the whole value, `null`: nowhere.
 *
 * @param {unknown} left
 * @param {unknown} right
 * @param {string} [path] to these values
 * @param {Map<object, object>} [pairs] that are compared further up
 * @returns {string | null}
 */
export function difference(left, right, path = '', pairs = new Map()) {
  if (Object.is(left, right)) return null;
  if (typeof left !== 'object' || typeof right !== 'object' || !left || !right) return path;
  if (pairs.get(left) === right) return null; // a cycle, compared further up
  pairs.set(left, right);
  const kind = kindOf(left);
  if (kind !== kindOf(right)) return path;
  /** @type {(names: Iterable<string>, of: (container: Fields, name: string) => unknown) => string | null} */
  const each = (names, of) => {
    for (const name of names) {
      const found = difference(
        of(/** @type {Fields} */ (left), name),
        of(/** @type {Fields} */ (right), name),
        joined(path, String(name)),
        pairs,
      );
      if (found !== null) return found;
    }
    return null;
  };
  if (kind === 'Object') {
    const names = new Set([...Object.keys(left), ...Object.keys(right)]);
    for (const name of names) if (Object.hasOwn(left, name) !== Object.hasOwn(right, name)) return joined(path, name);
    return each(names, (of, name) => of[name]);
  }
  if (kind === 'Array') {
    const both = Math.min(/** @type {List} */ (left).length, /** @type {List} */ (right).length);
    const found = each(Array.from({ length: both }, (_, index) => `[${index}]`), (of, name) => of[name.slice(1, -1)]);
    return found ?? (/** @type {List} */ (left).length === /** @type {List} */ (right).length ? null : joined(path, `[${both}]`));
  }
  if (kind === 'Map' || kind === 'Set') {
    const [ours, theirs] = [[.../** @type {Iterable<unknown>} */ (left)], [.../** @type {Iterable<unknown>} */ (right)]];
    return ours.length === theirs.length && difference(ours, theirs, '', pairs) === null ? null : path;
  }
  if (kind === 'Date') return /** @type {Date} */ (left).getTime() === /** @type {Date} */ (right).getTime() ? null : path;
  if (kind === 'RegExp') return String(left) === String(right) ? null : path;
  if (left instanceof Error)
    return `${left.name}${left.message}` === `${/** @type {Error} */ (right).name}${/** @type {Error} */ (right).message}`
      ? null
      : path;
  if (ArrayBuffer.isView(left) || kind === 'ArrayBuffer' || kind === 'SharedArrayBuffer') {
    const [ours, theirs] = [bytesOf(/** @type {Bytes} */ (left)), bytesOf(/** @type {Bytes} */ (right))];
    return ours.length === theirs.length && ours.every((byte, at) => byte === theirs[at]) ? null : path;
  }
  if (/^(Number|String|Boolean|BigInt)$/.test(kind)) return Object.is(left.valueOf(), right.valueOf()) ? null : path;
  return path; // blobs and the like cannot be looked into here
}

/**
 * The first field, element or entry of `before` that is not in `after`, as `items[0].price`; `''` is the whole value, `null`: none.
 *
 * @param {unknown} before
 * @param {unknown} after
 * @param {string} [path] to these values
 * @param {Set<object>} [seen] that are looked into already
 * @returns {string | null}
 */
export function missing(before, after, path = '', seen = new Set()) {
  if (typeof before !== 'object' || !before || seen.has(before)) return null;
  seen.add(before);
  const parts = partsOf(before);
  if (kindOf(before) !== kindOf(after)) return parts.length ? path : null;
  const left = new Map(partsOf(/** @type {object} */ (after)));
  for (const [name, part] of parts) {
    if (part === undefined) continue;
    const place = joined(path, name);
    if (!left.has(name)) return place;
    const found = missing(part, left.get(name), place, seen);
    if (found !== null) return found;
  }
  return null;
}

/** @param {Bytes} value */
const bytesOf = (value) => (ArrayBuffer.isView(value) ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : new Uint8Array(value));

const same = (/** @type {unknown} */ left, /** @type {unknown} */ right) => difference(left, right) === null;

/**
 * Brings together what two schemas know of one record: `ours` was written in this schema, `base` is what became of it on
 * its way through the other schema and back, and `theirs` is what the other schema says now, translated. What `theirs` has
 * changed against `base` is news and wins; everything else is taken from `ours`. The same as `reconcile` of the engine,
 * for values that JSON cannot hold.
 *
 * @param {unknown} base
 * @param {unknown} ours
 * @param {unknown} theirs
 * @returns {unknown}
 */
export function merge(base, ours, theirs) {
  if (same(base, theirs)) return ours;
  const kinds = [base, ours, theirs].map((value) => (value && typeof value === 'object' ? kindOf(value) : ''));
  if (kinds.every((kind) => kind === 'Object'))
    return mergeObjects(/** @type {Fields} */ (base), /** @type {Fields} */ (ours), /** @type {Fields} */ (theirs));
  if (kinds.every((kind) => kind === 'Array') && /** @type {List} */ (base).length === /** @type {List} */ (ours).length)
    return mergeArrays(/** @type {List} */ (base), /** @type {List} */ (ours), /** @type {List} */ (theirs));
  return theirs;
}

/** @type {(base: Fields, ours: Fields, theirs: Fields) => Fields} */
function mergeObjects(base, ours, theirs) {
  const all = {};
  for (const [name, their] of Object.entries(theirs)) {
    const known = Object.hasOwn(base, name);
    if (known && Object.hasOwn(ours, name)) put(all, name, merge(base[name], ours[name], their));
    else if (known && same(base[name], their)) continue; // we took it out, and they have not touched it since
    else put(all, name, their);
  }
  // What is in `base` but not in `theirs`, they took out.
  for (const [name, our] of Object.entries(ours)) if (!Object.hasOwn(theirs, name) && !Object.hasOwn(base, name)) put(all, name, our);
  return all;
}

/**
 * Elements are recognised by equality, then by an `id` or `key`, and by their place only while nothing has moved.
 *
 * @param {List} base
 * @param {List} ours as long as `base`
 * @param {List} theirs
 */
function mergeArrays(base, ours, theirs) {
  const free = base.map(() => true);
  /** @type {(number | null)[]} */
  const partner = theirs.map(() => null);
  /** @param {(one: unknown, other: unknown, here: boolean) => boolean} matches */
  const pair = (matches) => {
    theirs.forEach((their, at) => {
      if (partner[at] !== null) return;
      const found = [at, ...base.keys()].find((place) => free[place] && matches(base[place], their, at === place));
      if (found === undefined) return;
      free[found] = false;
      partner[at] = found;
    });
  };
  pair(same);
  pair((one, other) => identityOf(one) !== undefined && same(identityOf(one), identityOf(other)));
  const moved = base.length !== theirs.length || partner.some((place, at) => place !== null && place !== at);
  if (!moved) pair((one, other, here) => here && identityOf(one) === undefined && identityOf(other) === undefined);
  return theirs.map((their, at) => (partner[at] === null ? their : merge(base[partner[at]], ours[partner[at]], their)));
}

/** @type {(value: unknown) => unknown} */
const identityOf = (value) =>
  value && typeof value === 'object' ? (/** @type {Fields} */ (value).id ?? /** @type {Fields} */ (value).key) : undefined;
