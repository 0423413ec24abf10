// What is done with the values of states beside cloning them: what JSON can carry, and whether one has changed.

/**
 * A copy that JSON can carry without loss; undefined when it cannot.
 *
 * @param {unknown} value
 * @returns {unknown}
 */
export function plain(value) {
  const above = new Set();
  const refuse = () => {
    throw above;
  };
  /** @type {(value: unknown) => unknown} */
  const visit = (value) => {
    switch (typeof value) {
      case 'number':
        return Number.isFinite(value) ? value : refuse();
      case 'string':
      case 'boolean':
        return value;
      case 'object':
        return value === null ? null : visitObject(value);
      default:
        return refuse();
    }
  };
  /** @type {(value: object & { toJSON?: () => unknown }) => unknown} */
  const visitObject = (value) => {
    if (above.has(value)) refuse();
    const kind = kindOf(value);
    if (kind === 'Object' && typeof value.toJSON === 'function') return visit(value.toJSON());
    above.add(value);
    let result;
    if (kind === 'Array') result = Array.from(/** @type {unknown[]} */ (value), visit);
    else if (kind === 'Object') result = Object.fromEntries(fields(value).map(([key, field]) => [key, visit(field)]));
    else refuse();
    above.delete(value);
    return result;
  };
  try {
    return visit(value);
  } catch (error) {
    if (error === above) return undefined;
    throw error;
  }
}

/**
 * The same text for what is equal in value, whatever the order of fields; null when that cannot be told at once, as for
 * files. Against accidents, not against attackers.
 *
 * @param {unknown} value
 */
export function fingerprint(value) {
  let one = 0x811c9dc5;
  let other = 0x41c6ce57;
  /** @type {Map<object, number>} */
  const above = new Map();
  const add = (/** @type {number} */ number) => {
    one = Math.imul(one ^ number, 0x01000193);
    other = Math.imul(other ^ number, 0x9e3779b1) + one;
  };
  const addText = (/** @type {string} */ text) => {
    add(text.length);
    for (let at = 0; at < text.length; at += 1) add(text.charCodeAt(at));
  };
  /** @type {(value: unknown) => void} */
  const visit = (value) => {
    if (typeof value !== 'object' || value === null) return addText(`${typeof value} ${String(value)}`);
    // The same thing in two places is what JSON makes two of; only a cycle must end.
    if (above.has(value)) return addText(`up ${above.get(value)}`);
    above.set(value, above.size);
    const kind = kindOf(value);
    addText(kind);
    if (kind === 'Object') {
      for (const [key, field] of fields(value).sort(([left], [right]) => (left < right ? -1 : 1))) {
        addText(key);
        visit(field);
      }
    } else if (kind === 'Array' || kind === 'Set' || kind === 'Map') {
      add(/** @type {unknown[]} */ (value).length ?? /** @type {Set<unknown>} */ (value).size);
      for (const part of /** @type {Iterable<unknown>} */ (value)) visit(part);
    } else if (kind === 'ArrayBuffer' || ArrayBuffer.isView(value)) {
      const { buffer = value, byteOffset = 0, byteLength } = /** @type {ArrayBuffer & Partial<ArrayBufferView>} */ (value);
      add(byteLength);
      new Uint8Array(/** @type {ArrayBuffer} */ (buffer), byteOffset, byteLength).forEach(add);
    } else if (kind === 'Date') addText(String(/** @type {Date} */ (value).getTime()));
    else if (/^(RegExp|Number|String|Boolean|BigInt)$/.test(kind)) addText(String(value));
    else throw above;
    above.delete(value);
  };
  try {
    visit(value);
    return `${(one >>> 0).toString(36)}-${(other >>> 0).toString(36)}`;
  } catch {
    return null;
  }
}

const kindOf = (/** @type {unknown} */ value) => Object.prototype.toString.call(value).slice(8, -1);
const fields = (/** @type {object} */ value) => Object.entries(value).filter(([, field]) => field !== undefined);
