// The errors that apps see: a sentence, a stable code, and where it happened.

/**
 * @param {{code: string, message: string, store?: string | null, step?: string | null, path?: string | null}} what
 * @returns {import('./index.js').ChangeoverError}
 */
export function failure({ code, message, store, step, path }) {
  const error = /** @type {Error & { code: string, [more: string]: unknown }} */ (Object.assign(new Error(message), { code }));
  for (const [name, value] of Object.entries({ store, step, path })) if (value != null && value !== '') error[name] = value;
  Object.defineProperty(error, 'name', { value: 'ChangeoverError', configurable: true, writable: true });
  return error;
}

/**
 * The code of what was thrown; `usual` where it has none, or a number as every DOMException has.
 *
 * @template {string | null} T
 * @param {any} error anything may be thrown
 * @param {T} usual
 * @returns {string | T}
 */
export const codeOf = (error, usual) => (typeof error?.code === 'string' ? error.code : usual);
