// The pieces of tab state that the app has registered: captured before a reload, restored after it.
//
// Small plain JSON travels in the envelope's `states` by name; anything else is kept apart, and the envelope points to
// it. `about` says of each name: the token it was captured under, its schema, where it is kept, the same in `others`
// (older schemas, for a build of which nothing was known) and the `original` that was taken down to an older schema. A
// state leaves the envelope when its provider has taken it; what could not be put in place stays, and becomes a backup.
//
// States with a schema go through `stores.js`; where that does not run they are taken by a build of the same schema.
import { fingerprint, plain } from './json-safe.js';
import { codeOf, failure } from './error.js';
import { textOf } from './load-errors.js';
import { createKept } from './snapshot-db.js';
import { own, put } from './own.js';
import { agree, schemaOf, stepsOf } from './step-ids.js';
import { createUsed } from './restored-marks.js';
import { GONE, copy, createCarried, idOf } from './states-carried.js';
import { ROOM, createPacking, messageOf } from './states-pack.js';
import { cloned } from './clone.js';
import { within as limited } from './within.js';
export { createFields } from './form-fields.js';
export { stamp } from './stamp.js';
/** @import { Backup, StateProvider } from './index.js' */
/** @import { Found } from './states-carried.js' */
/** @import { Envelope, Form, KeptHead, ProviderWithSchema, Restored, StateRuns, Taker } from './types/state.js' */

/**
 * What the app has registered under a name.
 *
 * @typedef {object} Entry
 * @property {StateProvider} provider
 * @property {boolean} [known] to `stores.js`
 * @property {any} [broken] what is wrong with its steps
 * @property {string | null} [untouched] the fingerprint of what the app had instead of what was not restored
 */
/** @typedef {{ name: string, entry: Entry, found: Found, forms?: Form[] }} Arrival */
/** @typedef {Required<Arrival>} Job */

/** The name of the form fields among the states, for apps that ask for them. */
export const FIELDS = 'changeover:fields';
/** How long a provider may take. Longer, and the user wonders whether the button did anything. */
const PATIENCE = 3_000;
/** The guard waits 15 s for all of it. */
const ENOUGH = 8_000;
/** How long an arriving page waits for `stores.js` on a slow line. */
const LOADING = 15_000;
const NO_WAY = ['no_path', 'lossy_path'];

/**
 * @param {object} port
 * @param {string} port.scope the path of the site's `release.json`
 * @param {string | null} port.build
 * @param {() => Partial<Envelope>} port.carried the envelope that came, to be changed in place
 * @param {() => void} port.keep writes down what has been changed in it
 * @param {(names: Restored) => void} port.tell told of late arrivals
 * @param {(code: string, message: string) => void} port.problem
 * @param {(() => Promise<StateRuns>) | null} port.runs loads what `state-migrations.js` makes; null where it cannot run
 * @param {ReturnType<typeof createKept>} [port.kept]
 * @param {ReturnType<typeof createUsed>} [port.used]
 */
export function createStates({ scope, build, carried, keep, tell, problem, runs, kept = createKept(scope), used = createUsed(scope) }) {
  /** @type {Map<string, Entry>} */
  const providers = new Map();
  /** @type {Set<Promise<unknown>>} */
  const underWay = new Set();
  /** @type {Restored | null} */
  let gathered = null; // while an arrival is being reported: {restored, failed}
  /** @type {string[]} */
  let queue = []; // what is to be restored together
  /** @type {Set<string>} */
  const pending = new Set(); // what is being restored: the provider has something else as yet
  /** @type {string[]} */
  const made = []; // what the last capture has kept apart
  /** @type {Promise<StateRuns> | null} */
  let loading = null;

  const { find, takeOut, load, formsOf, backUp, letGo } = createCarried({ carried, keep, kept, used });
  const packing = createPacking({ build, kept, backUp, note: (id) => made.push(id) });

  /** @param {Promise<unknown>} work */
  const track = (work) => {
    const tracked = work.finally(() => underWay.delete(tracked));
    underWay.add(tracked);
  };
  /** @type {(names: string[], error: { message: string }) => void} */
  const report = (names, error) => {
    const who = names.length > 1 ? `states ${names.map((name) => `"${name}"`).join(', ')} were` : `state "${names[0]}" was`;
    problem(codeOf(error, 'restore_failed'), `${who} not restored: ${messageOf(error)}`);
  };
  /** @type {(list: keyof Restored, name: string) => void} */
  const finished = (list, name) => {
    pending.delete(name);
    if (gathered) gathered[list].push(name);
    else tell({ restored: [], failed: [], [list]: [name] });
  };

  /** What `stores.js` does for states, with all of them registered; null when it is not to be had. */
  const ready = async (patience = LOADING) => {
    if (![...providers.values()].some(hasSchema) || !runs) return null;
    try {
      const able = await within((loading ??= runs()), patience);
      providers.forEach((entry, name) => {
        if (!hasSchema(entry) || entry.known) return;
        entry.known = true;
        try {
          able.add(name, /** @type {ProviderWithSchema} */ (entry.provider));
        } catch (/** @type {any} */ error) {
          entry.broken = error;
          console.error(`changeover: state "${name}" is not registered`, error);
          problem(codeOf(error, 'not_registered'), `state "${name}" is not registered: ${messageOf(error)}`);
        }
      });
      return able;
    } catch (/** @type {any} */ error) {
      if (loading) problem(codeOf(error, 'unavailable'), `states with a schema are carried but not migrated: ${messageOf(error)}`);
      loading = null; // the next one tries again
      return null;
    }
  };
  /** @type {(name: string, entry: Entry) => Promise<void>} */
  const retire = async (name, entry) => {
    const was = entry.known && !entry.broken && loading;
    if (was) (await was).remove(name);
  };

  /**
   * Takes states to the schemas of their providers, all or none: `[{form, value}]`.
   *
   * @param {Pick<Job, 'name' | 'entry' | 'forms'>[]} jobs
   * @param {StateRuns | null} able
   * @returns {Promise<{form: Form, value: unknown}[]>}
   */
  const take = async (jobs, able) => {
    const together = able && jobs.every(({ entry }) => hasSchema(entry));
    if (together) return able.take(jobs.map(({ name, forms }) => ({ name, forms, load: (form) => load(name, form) })));
    return Promise.all(
      jobs.map(async ({ name, entry: { provider }, forms }) => {
        const form = forms.find((form) => schemaOf(form) === schemaOf(provider));
        const why = form ? 'of other steps' : `and ${provider.schema ? `this page takes ${provider.schema} only` : 'it is registered without one'}`;
        const fits = form && agree(stepsOf(provider), form.steps);
        if (!fits) throw failure({ code: form ? 'foreign_schema' : 'unknown_schema', store: name, message: `it has schema ${schemaOf(form ?? forms[0])}, ${why}` });
        return { form, value: await load(name, form) };
      }),
    );
  };

  /** @type {(name: string, entry: Entry) => unknown} */
  const restore = (name, entry) => {
    const found = find(name);
    if (!found) return;
    const { main } = found;
    if (!hasSchema(entry) && !main.kept && schemaOf(main) === 1) return place(name, entry, found, main, copy(main.value));
    pending.add(name);
    queue.push(name);
    if (queue.length === 1) track(bring());
  };
  const bring = async () => {
    // Providers that register in this task, or while the steps are being loaded, go along.
    await new Promise((done) => setTimeout(done));
    /** @type {StateRuns | null} */
    let able;
    do able = await ready();
    while (able && [...providers.values()].some((entry) => hasSchema(entry) && !entry.known));
    const names = [...new Set(queue)];
    queue = [];
    await used.alone(/** @type {Envelope} */ (carried()).id, async () => {
      const jobs = /** @type {Arrival[]} */ (
        names.map((name) => ({ name, entry: providers.get(name), found: find(name) })).filter(({ entry, found }) => entry && found)
      );
      const joins = (/** @type {Job} */ { entry }) => able && hasSchema(entry) && !entry.broken;
      // What is not there cannot be taken, and is no reason to refuse the others.
      const there = await Promise.all(
        jobs.map(async (job) => {
          try {
            if (job.entry.broken) throw job.entry.broken;
            job.forms = await formsOf(job.name, job.found);
            return [job];
          } catch (error) {
            refuse([job], error);
            return [];
          }
        }),
      );
      const all = /** @type {Job[]} */ (there.flat());
      const alone = all.filter((job) => !joins(job)).map((job) => [job]);
      await Promise.all([all.filter(joins), ...alone].map((group) => group.length && bringGroup(group, able)));
    });
    for (const name of names) pending.delete(name);
  };
  /** @type {(jobs: Job[], able: StateRuns | null) => Promise<void>} */
  const bringGroup = async (jobs, able) => {
    try {
      const taken = await take(jobs, able);
      await Promise.all(jobs.map(({ name, entry, found }, index) => place(name, entry, found, taken[index].form, taken[index].value)));
    } catch (error) {
      refuse(jobs, error);
    }
  };
  /**
   * What came is not put in place after all: the user has begun something else. It becomes a backup.
   *
   * @type {(name: string) => void}
   */
  const comeTooLate = (name) => {
    const found = find(name);
    if (!found) return;
    const why = { reason: 'came_late', message: 'the page could not restore it in time' };
    report([name], failure({ code: why.reason, message: why.message }));
    finished('failed', name);
    backUp(name, found, why).catch(() => {});
  };
  /** @type {(jobs: Arrival[], error: any) => void} */
  const refuse = (jobs, error) => {
    report(jobs.map(({ name }) => name), error);
    for (const { name, entry, found } of jobs) failed(name, entry, found, error);
  };

  /** @type {(name: string, entry: Entry, found: Found, form: Form, value: unknown) => void | Promise<void>} */
  const place = (name, entry, found, form, value) => {
    const took = () => {
      confirm(name, found, form);
      finished('restored', name);
    };
    const refused = (/** @type {unknown} */ error) => {
      if (hasSchema(entry)) report([name], failure({ code: 'restore_failed', message: textOf(error) }));
      failed(name, entry, found, error);
    };
    try {
      const answer = /** @type {Promise<void> | undefined} */ (entry.provider.restore(value));
      if (typeof answer?.then !== 'function') return took();
      pending.add(name);
      const work = within(answer).then(took, refused);
      track(work);
      return work;
    } catch (error) {
      refused(error);
    }
  };
  /** @type {(name: string, found: Found, form: Form) => void} */
  const confirm = (name, { token, main, others, original }, form) => {
    used.add(token, name);
    entryOf(name).untouched = null;
    const stays = original && form !== original;
    takeOut(name, stays && original);
    const ids = [main, ...others].flatMap((form) => [form.kept, form.backup]);
    if (original && !stays) ids.push(idOf(original, name));
    letGo(ids);
  };
  /** @type {(name: string) => Partial<Entry>} */
  const entryOf = (name) => providers.get(name) ?? {};
  /** @type {(name: string, entry: Entry, found: Found, error: any) => void} */
  const failed = (name, entry, found, error) => {
    // The state stays in the envelope: nothing is lost because of a provider's mistake.
    console.error(`changeover: state "${name}" was not restored`, error);
    finished('failed', name);
    noteUntouched(entry);
    if (error?.code === GONE) return takeOut(name);
    const taken = (/** @type {string} */ id) => used.has(found.token, name) && letGo([id]); // by another provider, meanwhile
    backUp(name, found, { reason: codeOf(error, 'restore_failed'), message: messageOf(error) }).then(taken, () => {});
  };
  /**
   * What the app has instead must not replace what is still in the envelope, unless the user has worked on it.
   *
   * @param {Entry} entry
   */
  const noteUntouched = async (entry) => {
    try {
      entry.untouched = fingerprint(await within(entry.provider.capture()));
    } catch {}
  };

  return {
    /**
     * @param {string} name
     * @param {StateProvider} provider
     * @param {boolean} [late] the provider has been there for so long that it takes nothing from before
     */
    register(name, provider, late = false) {
      /** @type {Entry} */
      const entry = { provider };
      if (providers.has(name)) retire(name, /** @type {Entry} */ (providers.get(name)));
      providers.set(name, entry);
      if (late) comeTooLate(name);
      else restore(name, entry);
      if (hasSchema(entry)) ready();
      return () => {
        if (providers.get(name) !== entry) return;
        providers.delete(name);
        retire(name, entry);
      };
    },

    /**
     * Captures everything for a build that reads `stores`; what could be captured is there even when something else
     * `failed`. What no provider has claimed goes along.
     *
     * @param {Record<string, Taker> | null} [stores]
     */
    async capture(stores) {
      letGo(made.splice(0));
      const { states, about } = carried();
      const next = { states: { ...states }, about: { ...about } };
      /** @type {string[]} */
      const failed = [];
      await within(Promise.all(underWay)).catch(() => {});
      const able = await ready(PATIENCE);
      const token = newToken();
      const pack = packing(token, ROOM);
      /** @param {[string, Entry]} provider */
      const one = async ([name, entry]) => {
        if (pending.has(name)) return;
        let value;
        try {
          const answer = await within(entry.provider.capture());
          if (answer === undefined) return;
          value = plain(answer) ?? cloned(answer, 'it');
        } catch (error) {
          return failed.push(`state "${name}" could not be captured: ${messageOf(error)}`);
        }
        if (entry.untouched && entry.untouched === fingerprint(value) && find(name)) return;
        try {
          const { value: inline, trouble, ...more } = await pack(name, entry, value, { able, reader: own(stores, name), original: own(about, name)?.original });
          delete next.states[name];
          if (!more.kept) put(next.states, name, inline);
          put(next.about, name, more);
          if (trouble) throw trouble;
        } catch (/** @type {any} */ error) {
          const noWay = NO_WAY.includes(error?.code) ? 'there is no way back: ' : '';
          failed.push(`state "${name}" could not be saved: ${noWay}${messageOf(error)}`);
        }
      };
      await within(Promise.all([...providers].map(one)), ENOUGH).catch((late) => failed.push(`not all state could be saved: ${late}`));
      return { ...next, failed: failed.length ? failed.join('; ') : null };
    },

    /** The page stays after all: what was captured is old now. */
    stays: () => letGo(made.splice(0)),

    /** Forgets all providers; what they have not taken stays in the envelope. */
    dispose() {
      providers.forEach((entry, name) => retire(name, entry));
      providers.clear();
    },

    /**
     * Reports what the providers that are there from the start have restored.
     *
     * @returns {Promise<Restored>}
     */
    async restored() {
      const names = (gathered = { restored: [], failed: [] });
      await new Promise((done) => setTimeout(done));
      await Promise.all(underWay);
      gathered = null;
      return names;
    },

    /** @returns {Promise<Backup[]>} */
    async backups() {
      /** @param {KeptHead} head */
      const remove = async ({ id, token, name }) => {
        if (find(name)?.token === token) takeOut(name);
        await kept.remove([id]);
      };
      /** @param {KeptHead} head */
      const restore = async (head) => {
        const { id, token, name } = head;
        const entry = providers.get(name);
        if (!entry) throw failure({ code: 'no_provider', store: name, message: `state "${name}" is not registered in this page` });
        if (entry.broken) throw entry.broken;
        const [{ value }] = await take([{ name, entry, forms: [{ ...head, kept: id }] }], await ready());
        await within(entry.provider.restore(value));
        used.add(token, name);
        entry.untouched = null;
        await remove(head);
      };
      return (await kept.list()).map((head) => {
        const { id, name, build = null, at, reason, message } = head;
        return {
          ...{ id, kind: /** @type {const} */ ('state'), name, schema: schemaOf(head), build, at, reason, message },
          value: () => load(name, { kept: id }),
          restore: () => restore(head),
          remove: () => remove(head),
        };
      });
    },
  };
}

const hasSchema = (/** @type {Entry} */ { provider }) => provider.schema !== undefined;
const newToken = () => [...crypto.getRandomValues(new Uint32Array(3))].map((part) => part.toString(36)).join('');
/** @type {<T>(answer: T, patience?: number) => Promise<Awaited<T>>} */
const within = (answer, patience = PATIENCE) => limited(answer, patience);
