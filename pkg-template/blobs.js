// Blobs and files in values that IndexedDB keeps, as bytes: some browsers refuse to store them in private windows, and
// some forget them with their record while they are still in use.
//
// Each is replaced by an empty object that the list of files names; a record keeps what is the same object the same.
/** @import { KeptFile, KeptValue } from './types/state.js' */

/** @typedef {Record<string, unknown>} Fields */

/**
 * `{value, files}` to be kept; the value is a copy if something had to be replaced.
 *
 * @param {unknown} value
 * @returns {Promise<KeptValue>}
 */
export async function filesOut(value) {
  let some = false;
  walk({ value }, (part) => void (some ||= part instanceof Blob));
  if (!some) return { value };
  const box = { value: structuredClone(value) };
  /** @type {Map<Blob, object>} */
  const places = new Map();
  walk(box, (part) => {
    if (!(part instanceof Blob)) return undefined;
    if (!places.has(part)) places.set(part, {});
    return places.get(part);
  });
  /** @type {(place: [Blob, object]) => Promise<KeptFile>} */
  const read = async ([blob, at]) => {
    const { type, name, lastModified } = /** @type {Blob & Partial<File>} */ (blob);
    return { at, bytes: await blob.arrayBuffer(), type, name, lastModified };
  };
  return { ...box, files: await Promise.all([...places].map(read)) };
}

/**
 * The value as it was.
 *
 * @param {KeptValue} kept
 */
export function filesIn({ value, files = [] }) {
  const box = { value };
  /** @param {KeptFile} file */
  const made = ({ bytes, type, name, lastModified }) =>
    name === undefined ? new Blob([bytes], { type }) : new File([bytes], name, { type, lastModified });
  const blobs = new Map(files.map((file) => [file.at, made(file)]));
  if (blobs.size) walk(box, (part) => blobs.get(part));
  return box.value;
}

/**
 * Visits every part of `container`, in place of which comes what `replace` answers with.
 *
 * @param {unknown} container
 * @param {(part: object) => object | undefined} replace
 * @param {Set<object>} [seen]
 */
function walk(container, replace, seen = new Set()) {
  if (typeof container !== 'object' || container === null || seen.has(container)) return;
  seen.add(container);
  /** @type {(part: unknown) => unknown} */
  const visit = (part) => {
    const other = typeof part === 'object' && part !== null ? replace(part) : undefined;
    if (other === undefined) walk(part, replace, seen);
    return other ?? part;
  };
  if (container instanceof Map || container instanceof Set) {
    const keyed = container instanceof Map;
    const before = [...container];
    const after = before.map((part) => (keyed ? /** @type {unknown[]} */ (part).map(visit) : visit(part)));
    if (
      after.every((part, at) =>
        keyed ? /** @type {unknown[]} */ (part).every((half, side) => half === before[at][side]) : part === before[at],
      )
    )
      return;
    container.clear();
    for (const part of after) {
      if (keyed) container.set(.../** @type {[unknown, unknown]} */ (part));
      else container.add(part);
    }
  } else if (Array.isArray(container) || Object.prototype.toString.call(container) === '[object Object]') {
    for (const key of Object.keys(container)) {
      const part = visit(/** @type {Fields} */ (container)[key]);
      if (part !== /** @type {Fields} */ (container)[key]) /** @type {Fields} */ (container)[key] = part;
    }
  }
}
