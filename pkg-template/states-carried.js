// The states that came in the envelope: found by name and in all their forms, taken out when a provider has them, and kept as
// backups when it could not take them.
import { fingerprint } from './json-safe.js';
import { failure } from './error.js';
import { own, put } from './own.js';
import { schemaOf } from './step-ids.js';
/** @import { createUsed } from './restored-marks.js' */
/** @import { createKept } from './snapshot-db.js' */
/** @import { About, Captured, Envelope, Form, Why } from './types/state.js' */

/**
 * What came under a name.
 *
 * @typedef {{ token: string, main: Form, others: Form[], original?: Captured }} Found
 */

/** The code of a value that was kept apart and is no longer there. */
export const GONE = 'value_gone';

/**
 * @param {object} port
 * @param {() => Partial<Envelope>} port.carried the envelope that came, to be changed in place
 * @param {() => void} port.keep writes down what has been changed in it
 * @param {ReturnType<typeof createKept>} port.kept
 * @param {ReturnType<typeof createUsed>} port.used
 */
export function createCarried({ carried, keep, kept, used }) {
  /** @type {WeakMap<Form, { value: unknown }>} */
  const loaded = new WeakMap(); // what was kept of a form

  /**
   * What came under this name, unless another tab has taken it.
   *
   * @param {string} name
   * @returns {Found | null}
   */
  const find = (name) => {
    const { states = {}, about = {}, id } = carried();
    const { others = [], original, ...main } = own(about, name) ?? {};
    if (Object.hasOwn(states, name)) main.value = states[name];
    else if (!main.kept) return null;
    const token = /** @type {string} */ (main.token ?? id);
    if (!used.has(token, name)) return { token, main, others, original };
    takeOut(name);
    return null;
  };
  /** @type {(name: string, original?: Form | false) => void} */
  const takeOut = (name, original) => {
    const { states, about } = carried();
    if (states) delete states[name];
    if (about) delete about[name];
    if (original) put(/** @type {Record<string, About>} */ (about), name, { original });
    keep();
  };
  /** @type {(name: string, form: Form) => Promise<unknown>} */
  const load = async (name, form) => {
    if (!form.kept) return copy(form.value);
    const found = loaded.get(form) ?? (await kept.value(form.kept));
    if (!found) throw failure({ code: GONE, store: name, message: `what was kept of state "${name}" is no longer in the browser's database` });
    loaded.set(form, found);
    return found.value;
  };
  /**
   * All forms in which a state has come, the newest schema first.
   *
   * @type {(name: string, found: Found) => Promise<Form[]>}
   */
  const formsOf = async (name, { main, others, original }) => {
    await load(name, main);
    const all = [main, ...others];
    if (original && original.sum === fingerprint(await load(name, main))) all.push(original);
    return all.sort((one, other) => schemaOf(other) - schemaOf(one));
  };

  /** @type {(name: string, of: Pick<Found, 'token' | 'main'>, why: Why) => Promise<string>} */
  const backUp = async (name, { token, main }, why) => {
    const { from, at } = /** @type {Envelope} */ (carried());
    const { value, kept: id = idOf({ ...main, token }, name), ...head } = main;
    if (main.kept) await kept.note(id, why);
    else await kept.put({ build: from ?? null, at, ...head, ...why, id, token, name }, value);
    const { about } = carried();
    const carriedOn = own(about, name);
    if (carriedOn?.token === token && !carriedOn.kept) {
      carriedOn.backup = id;
      keep();
    }
    return id;
  };
  /** @param {(string | undefined)[]} ids */
  const letGo = (ids) => {
    const there = /** @type {string[]} */ (ids.filter(Boolean));
    if (there.length) kept.remove(there).catch(() => {});
  };

  return { find, takeOut, load, formsOf, backUp, letGo };
}

export const idOf = (/** @type {Form} */ head, /** @type {string} */ name) => `${head.token}:${schemaOf(head)}:${name}`;
export const copy = (/** @type {unknown} */ value) => JSON.parse(JSON.stringify(value));
