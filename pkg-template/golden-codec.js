// Values of the structured clone algorithm as JSON and as short texts.

const TAG = '$changeover';
const VIEWS = ['Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array'];
/** Longest excerpt in a sentence. */
const LONGEST = 80;

/** @type {(value: unknown) => string} */
const kindOf = (value) => Object.prototype.toString.call(value).slice(8, -1);
/** @type {(path: string, key: string | number) => string} */
const joined = (path, key) => (typeof key === 'number' ? `${path}[${key}]` : path ? `${path}.${key}` : key);

/**
 * What JSON can hold of a value: the rest is tagged. Throws a sentence naming what has no form.
 *
 * @param {any} value whose kind only a text tells
 * @param {string} [path]
 * @param {object[]} [above]
 * @returns {unknown}
 */
export function encode(value, path = '', above = []) {
  /** @type {(kind: string, content?: unknown) => unknown} */
  const tagged = (kind, content) => ({ [TAG]: kind, ...(content !== undefined && { value: content }) });
  if (value === undefined) return tagged('undefined');
  if (typeof value === 'bigint') return tagged('BigInt', String(value));
  if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))) return tagged('number', Object.is(value, -0) ? '-0' : String(value));
  if (typeof value === 'function' || typeof value === 'symbol') throw new TypeError(`a ${typeof value} at ${path || 'the top'} has no form in JSON`);
  if (value === null || typeof value !== 'object') return value;
  if (above.includes(value)) throw new TypeError(`a reference back to what contains it, at ${path || 'the top'}, has no form in JSON`);
  /** @type {(item: unknown, key: string | number) => unknown} */
  const inside = (item, key) => encode(item, joined(path, key), [...above, value]);
  const kind = kindOf(value);
  if (kind === 'Array') return Array.from(value, inside);
  if (kind === 'Object') {
    /** @type {Record<string, unknown>} */
    const fields = {};
    for (const key of Object.keys(value)) Object.defineProperty(fields, key, { value: inside(value[key], key), enumerable: true });
    return TAG in fields ? tagged('Object', Object.entries(fields)) : fields;
  }
  if (kind === 'Date') return tagged('Date', Number.isNaN(value.getTime()) ? null : value.toISOString());
  if (kind === 'Map') return tagged('Map', [...value].map(([key, item], at) => [inside(key, at), inside(item, at)]));
  if (kind === 'Set') return tagged('Set', [...value].map(inside));
  if (kind === 'RegExp') return tagged('RegExp', [value.source, value.flags]);
  if (VIEWS.includes(kind)) return tagged(kind, base64(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)));
  if (kind === 'ArrayBuffer') return tagged(kind, base64(new Uint8Array(value)));
  throw new TypeError(`${kind} at ${path || 'the top'} has no form in JSON`);
}

/**
 * @param {any} value as JSON has it
 * @returns {unknown}
 */
export function decode(value) {
  if (Array.isArray(value)) return value.map(decode);
  if (value === null || typeof value !== 'object') return value;
  const content = value.value;
  switch (Object.hasOwn(value, TAG) ? value[TAG] : '') {
    case '':
      return fieldsOf(Object.entries(value));
    case 'Object':
      return fieldsOf(content);
    case 'undefined':
      return undefined;
    case 'BigInt':
      return BigInt(content);
    case 'number':
      return Number(content);
    case 'Date':
      return new Date(content ?? NaN);
    case 'Map':
      return new Map(content.map((/** @type {[unknown, unknown]} */ [key, item]) => [decode(key), decode(item)]));
    case 'Set':
      return new Set(content.map(decode));
    case 'RegExp':
      return new RegExp(.../** @type {[string, string]} */ (content));
    case 'ArrayBuffer':
      return bytes(content).buffer;
    default:
      if (!VIEWS.includes(value[TAG])) throw new TypeError(`${JSON.stringify(value[TAG])} is no kind of value`);
      return new globalThis[/** @type {'Uint8Array'} */ (value[TAG])](bytes(content).buffer);
  }
}

/** @param {[string, unknown][]} entries */
function fieldsOf(entries) {
  /** @type {Record<string, unknown>} */
  const object = {};
  for (const [key, item] of entries) Object.defineProperty(object, key, { value: decode(item), enumerable: true, writable: true, configurable: true });
  return object;
}

/**
 * A value as it is shown in a sentence.
 *
 * @param {unknown} value
 */
export function shown(value, longest = 1_000) {
  let text;
  try {
    text = JSON.stringify(encode(value));
  } catch {
    text = `a ${kindOf(value)}`;
  }
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}

/**
 * What is at `path`, short enough for a sentence.
 *
 * @param {unknown} value
 * @param {string} path
 */
export function excerpt(value, path) {
  let at = value;
  for (const [key] of path.matchAll(/[^.[\]]+/g)) {
    if (at === null || typeof at !== 'object' || !Object.hasOwn(at, key)) return 'nothing';
    at = /** @type {Record<string, unknown>} */ (at)[key];
  }
  return at === undefined ? 'undefined' : shown(at, LONGEST);
}

/** @type {(view: Uint8Array) => string} */
const base64 = (view) => btoa(Array.from(view, (byte) => String.fromCharCode(byte)).join(''));
/** @type {(text: string) => Uint8Array} */
const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
