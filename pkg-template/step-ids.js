// Schema numbers and steps as they travel with a state, in the form that needs no WebAssembly.
/** @import { Schema } from './index.js' */

/**
 * What was captured or registered without a schema counts as the first one.
 *
 * @param {{schema?: number}} of
 */
export const schemaOf = ({ schema }) => schema ?? 1;

/**
 * Each step as `from-to-id`.
 *
 * @param {Pick<Partial<Schema>, 'migrations'>} of
 */
export const stepsOf = ({ migrations = [] }) => migrations.map(({ from, to, id = '' }) => `${from}-${to}-${id}`);

/**
 * Whether two lists of steps mean the same by the schemas they share: a step without an id agrees with any.
 *
 * @param {string[]} ours
 * @param {string[]} [theirs]
 */
export function agree(ours, theirs = []) {
  const known = new Map(ours.map(split));
  return theirs.map(split).every(([step, id]) => !id || !known.get(step) || known.get(step) === id);
}

/**
 * @param {string} text
 * @returns {[step: string, id: string]}
 */
function split(text) {
  const [step] = text.match(/^\d+-\d+/) ?? [text];
  return [step, text.slice(step.length + 1)];
}
