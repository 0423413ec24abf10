// What the options `slots` and `pinned` mean, and which slot a module is.
import { failure } from './vite-common.js';

/**
 * @typedef {{ id: string, pattern: RegExp, schema?: number, text: string }} SlotPattern `text`: as the app has written it
 * @typedef {(what: string) => Error} Wrong
 */

/** Most characters of an id; it is shown, logged and put into code. */
const LONGEST = 200;

/**
 * @param {unknown} option `false`, `'auto'`, an object of patterns by id, or a list of these two
 * @returns {{ off: boolean, auto: boolean, patterns: SlotPattern[] }}
 */
export function readSlots(option) {
  /** @type {Wrong} */
  const wrong = (what) => failure('badOption', `the option "slots" ${what}.`);
  if (option === false) return { off: true, auto: false, patterns: [] };
  /** @type {ReturnType<typeof readSlots>} */
  const read = { off: false, auto: false, patterns: [] };
  for (const part of Array.isArray(option) ? option : [option]) {
    if (part === undefined) continue;
    if (part === 'auto') read.auto = true;
    else if (typeof part !== 'object' || part === null) throw wrong(`is ${JSON.stringify(part)}; it must be "auto", false, or an object such as { "route:*": "src/routes/*.jsx" }`);
    else for (const [id, value] of Object.entries(part)) read.patterns.push(...patternsOf(id, value, wrong));
  }
  return read;
}

/**
 * @param {string} id
 * @param {unknown} value
 * @param {Wrong} wrong
 * @returns {SlotPattern[]}
 */
function patternsOf(id, value, wrong) {
  const { module: modules = value, schema, ...rest } = /** @type {{ module?: unknown, schema?: number }} */ (typeof value === 'object' && !Array.isArray(value) && value ? value : {});
  const [field] = Object.keys(rest);
  if (field !== undefined) throw wrong(`gives "${id}" the field "${field}"; there are only module and schema`);
  if (schema !== undefined && !isSchema(schema)) throw wrong(`gives "${id}" the schema ${JSON.stringify(schema)}; it must be a whole number from 1`);
  checkId(id, wrong);
  return [modules].flat().map((text) => {
    if (typeof text !== 'string' || !text) throw wrong(`gives "${id}" the module ${JSON.stringify(text)}; it must be a path from the root such as "src/routes/*.jsx"`);
    const [stars, place] = [text.includes('*'), id.split('*').length - 1];
    if (place > 1) throw wrong(`names a slot "${id}"; an id takes one "*" at most`);
    if (stars !== (place === 1)) throw wrong(`gives "${id}" the module "${text}"; both or neither must have a "*", or several modules would be one slot`);
    return { id, text, schema, pattern: expressionOf(text.replace(/^\.?\//, '')) };
  });
}

/**
 * @param {any} value
 * @returns {value is number}
 */
export const isSchema = (value) => Number.isInteger(value) && value >= 1 && value < 2 ** 32;

/**
 * Throws what `wrong` makes of it when `id` cannot be the name of a slot.
 *
 * @param {unknown} id
 * @param {Wrong} wrong
 */
export function checkId(id, wrong) {
  if (typeof id === 'string' && id && id.length <= LONGEST && !/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u.test(id)) return;
  throw wrong(`names a slot ${JSON.stringify(id)}; an id is 1 to ${LONGEST} characters of plain text`);
}

// `*` stands for a name, `**/` for any folders, `{a,b}` for one of these; what the stars match is one group.
/** @param {string} text */
function expressionOf(text) {
  const parts = text.split(/(\*\*\/|\*+|\{[^{}]*\})/);
  const stars = parts.flatMap((part, nth) => (part.startsWith('*') ? [nth] : []));
  const escape = (/** @type {string} */ part) => part.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  const source = parts.map((part, nth) => {
    const body = part === '**/' ? '(?:[^/]+/)*' : part.startsWith('*') ? '[^/]+' : /^\{.*\}$/.test(part) ? `(?:${part.slice(1, -1).split(',').map(escape).join('|')})` : escape(part);
    return `${nth === stars[0] ? '(' : ''}${body}${nth === stars.at(-1) ? ')' : ''}`;
  });
  return new RegExp(`^${source.join('')}$`);
}

/**
 * The slot that the patterns make of a module, by its path from the root; undefined when none does.
 *
 * @param {string} path
 * @param {SlotPattern[]} patterns
 */
export function slotOf(path, patterns) {
  for (const { id, pattern, schema } of patterns) {
    const match = pattern.exec(path);
    if (match) return { id: id.replace('*', () => match[1]), schema };
  }
}
