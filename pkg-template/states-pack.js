// How one captured value goes into an envelope: inline or kept apart, in the schema that the next build reads, with what an older
// schema would drop.
import { fingerprint, plain } from './json-safe.js';
import { codeOf, failure } from './error.js';
import { textOf } from './load-errors.js';
import { idOf } from './states-carried.js';
import { schemaOf, stepsOf } from './step-ids.js';
/** @import { createKept } from './snapshot-db.js' */
/** @import { createCarried } from './states-carried.js' */
/** @import { Entry } from './states.js' */
/** @import { About, Captured, Form, StateRuns, Taker, Why } from './types/state.js' */

/** Characters of one value, and of all of them: session storage holds some five million. */
const LARGE = 256 * 1024;
export const ROOM = 4 * LARGE;

/**
 * @param {object} port
 * @param {string | null} port.build
 * @param {ReturnType<typeof createKept>} port.kept
 * @param {ReturnType<typeof createCarried>['backUp']} port.backUp
 * @param {(id: string) => void} port.note told of each value that was kept apart
 */
export function createPacking({ build, kept, backUp, note }) {
  /**
   * Everything that is known of one captured value, and the ways to put it into an envelope.
   *
   * @param {string} token
   * @param {number} room characters of session storage
   */
  return (token, room) => {
    /** @type {(name: string, form: Form, value: unknown, spare?: boolean) => Promise<Captured>} */
    const pack = async (name, form, value, spare = false) => {
      const json = plain(value);
      const text = json === undefined ? null : JSON.stringify(json);
      const head = { token, build, at: Date.now(), ...form };
      if (text && text.length <= LARGE && text.length <= room) {
        room -= text.length;
        return { ...head, value: json };
      }
      const id = idOf(head, name);
      try {
        await kept.put({ ...head, id, name, spare }, value);
        note(id);
        return { ...head, kept: id };
      } catch (error) {
        if (text) return { ...head, value: json }; // session storage may have the room
        throw error;
      }
    };
    /**
     * What an older schema dropped comes back with a later build, if the value has not changed in between.
     *
     * @param {string} name
     * @param {Captured | undefined} original what came along with the state
     * @param {unknown} value
     * @param {Form} own what is captured
     * @param {Form} main what the next build gets
     * @returns {Promise<Captured | undefined>}
     */
    const withOriginal = async (name, original, value, own, main) => {
      const goesBack = schemaOf(main) < schemaOf(own);
      const stands = original && original.sum === fingerprint(value);
      if (original && !stands) await backUp(name, { token: original.token, main: original }, supplanted(name, original)).catch(() => {});
      if (!goesBack) return stands ? original : undefined;
      const next = stands ? original : await pack(name, own, value);
      const sum = fingerprint(main.value);
      if (sum) return { ...next, sum };
      await backUp(name, { token: next.token, main: next }, supplanted(name, next)).catch(() => {});
    };
    /**
     * @param {string} name
     * @param {Entry} entry
     * @param {unknown} value
     * @param {{able: StateRuns | null, reader: Taker | undefined, original: Captured | undefined}} around
     * @returns {Promise<About & {trouble?: any}>} `trouble`: why a build of that schema cannot take it
     */
    return async (name, { provider, broken }, value, { able, reader, original }) => {
      if (provider.schema === undefined) return pack(name, {}, value);
      const steps = stepsOf(provider);
      /** @type {Form & { schema: number }} */
      const own = { schema: provider.schema, steps };
      /** @type {{ main: Form, others: Form[] }} */
      let handed = { main: { value }, others: [] };
      /** @type {any} */
      let trouble;
      const canRun = able && !broken;
      try {
        own.lineage = canRun ? able.lineage(name) : undefined;
        if (canRun) handed = await able.hand(name, value, reader);
      } catch (error) {
        trouble = error;
      }
      if (!canRun || trouble?.code === 'panic') {
        const isOlder =
          /** @type {Taker} */ (reader)?.schema < own.schema && !/** @type {Taker} */ (reader).reads.includes(own.schema);
        trouble = isOlder && failure({ code: 'unavailable', message: `the steps from schema ${own.schema} down to ${/** @type {Taker} */ (reader).schema} cannot run here` });
      }
      /** @type {(form: Form, spare?: boolean) => Promise<Captured>} */
      const packed = async ({ value, ...form }, spare) => pack(name, { ...own, ...form }, value, spare);
      const main = await packed(handed.main);
      const others = await Promise.all(handed.others.map((form) => packed(form, true)));
      const about = { ...main, others, original: await withOriginal(name, original, value, own, { ...own, ...handed.main }) };
      if (!trouble) return about;
      const why = { reason: codeOf(trouble, 'step_failed'), message: messageOf(trouble) };
      const backup = await backUp(name, { token, main }, why).catch(() => undefined);
      if (backup) note(backup);
      return { ...about, backup, trouble };
    };
  };
}

export const messageOf = (/** @type {any} */ error) => (codeOf(error, null) ? error.message : textOf(error));

/** @type {(name: string, original: Form) => Why} */
const supplanted = (name, { schema }) => ({
  reason: 'rolled_back',
  message: `state "${name}" was taken back from schema ${schema} and changed since`,
});
