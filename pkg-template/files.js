// Blobs and files in values that IndexedDB keeps, as bytes: some browsers refuse to store them in private windows, and
// some forget them with their record while they are still in use.
//
// Each is replaced by an empty object that the list of files names; a record keeps what is the same object the same.

/** `{value, files}` to be kept; the value is a copy if something had to be replaced. */
export async function filesOut(value) {
  let some = false;
  walk({ value }, (part) => void (some ||= part instanceof Blob));
  if (!some) return { value };
  const box = { value: structuredClone(value) };
  const places = new Map();
  walk(box, (part) => {
    if (!(part instanceof Blob)) return undefined;
    if (!places.has(part)) places.set(part, {});
    return places.get(part);
  });
  const read = async ([blob, at]) => {
    const { type, name, lastModified } = blob;
    return { at, bytes: await blob.arrayBuffer(), type, name, lastModified };
  };
  return { ...box, files: await Promise.all([...places].map(read)) };
}

/** The value as it was. */
export function filesIn({ value, files = [] }) {
  const box = { value };
  const made = ({ bytes, type, name, lastModified }) =>
    name === undefined ? new Blob([bytes], { type }) : new File([bytes], name, { type, lastModified });
  const blobs = new Map(files.map((file) => [file.at, made(file)]));
  if (blobs.size) walk(box, (part) => blobs.get(part));
  return box.value;
}

/** Visits every part of `container`, in place of which comes what `replace` answers with. */
function walk(container, replace, seen = new Set()) {
  if (typeof container !== 'object' || container === null || seen.has(container)) return;
  seen.add(container);
  const visit = (part) => {
    const other = typeof part === 'object' && part !== null ? replace(part) : undefined;
    if (other === undefined) walk(part, replace, seen);
    return other ?? part;
  };
  if (container instanceof Map || container instanceof Set) {
    const keyed = container instanceof Map;
    const before = [...container];
    const after = before.map((part) => (keyed ? part.map(visit) : visit(part)));
    if (after.every((part, at) => (keyed ? part.every((half, side) => half === before[at][side]) : part === before[at]))) return;
    container.clear();
    for (const part of after) {
      if (keyed) container.set(...part);
      else container.add(part);
    }
  } else if (Array.isArray(container) || Object.prototype.toString.call(container) === '[object Object]') {
    for (const key of Object.keys(container)) {
      const part = visit(container[key]);
      if (part !== container[key]) container[key] = part;
    }
  }
}
