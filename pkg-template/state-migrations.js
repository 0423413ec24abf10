// What states with a schema need of `stores.js`: their steps, taken all or nothing, and the way back to an older build.
import { failure } from './error.js';
import { agree, schemaOf, stepsOf } from './step-ids.js';
/** @import { Form, Migrated, ProviderWithSchema, StateJob, StateRuns, Stores, Taker } from './types/state.js' */

/** A page that leaves does not wait longer for schemas that perhaps no build will ask for. */
const SPARE = 1_000;

/**
 * @param {Omit<Stores, 'states'>} stores what `createStores` makes
 * @returns {StateRuns}
 */
export function createStateRuns(stores) {
  /** @type {Map<string, ProviderWithSchema>} */
  const specs = new Map();

  /** @type {(name: string, from: number) => boolean} */
  const clean = (name, from) => {
    try {
      const { schema, allowLossy } = /** @type {ProviderWithSchema} */ (specs.get(name));
      return allowLossy || !stores.way(name, from, schema).lossy;
    } catch {
      return false;
    }
  };

  return {
    /** Throws what is wrong with the steps. */
    add(name, provider) {
      const { schema, reads, migrations, validate, allowLossy, accepts } = provider;
      stores.register({ name, schema, reads, migrations, validate, allowLossy, accepts });
      specs.set(name, provider);
    },

    remove(name) {
      if (specs.delete(name)) stores.unregister(name);
    },

    lineage: (name, schema) => stores.lineage(name, schema),

    /**
     * Migrates states to the schemas of their providers, all or none of them.
     *
     * @param {StateJob[]} jobs the forms of each, the newest schema first: the first that this build can read is taken
     * @returns {Promise<{form: Form, value: unknown}[]>} in the same order
     */
    async take(jobs) {
      const chosen = await Promise.all(
        jobs.map(async ({ name, forms, load }) => {
          const form = forms.find((form) => clean(name, schemaOf(form))) ?? forms[0];
          const from = schemaOf(form);
          // Without WebAssembly the page before this one knew the steps only by their ids.
          if (form.lineage === undefined && !agree(stepsOf(/** @type {ProviderWithSchema} */ (specs.get(name))), form.steps)) {
            throw failure({ code: 'foreign_schema', store: name, message: `store "${name}" holds schema ${from} of another lineage: its steps have other ids` });
          }
          return { form, job: { store: name, from, lineage: form.lineage ?? '', value: await load(form) } };
        }),
      );
      const all = chosen.every(({ job }) => clean(job.store, job.from));
      const migrated = await stores.migrate(chosen.map(({ job }) => job), { lossy: all });
      return chosen.map(({ form, job }) => ({
        form,
        value: /** @type {Migrated} */ (migrated.find(({ store }) => store === job.store)).value,
      }));
    },

    /**
     * Brings a value into what the next build reads.
     *
     * @param {string} name
     * @param {unknown} value
     * @param {Taker | undefined} taker what that build's manifest says
     * @returns {Promise<{main: Form, others: Form[]}>} throws when there is no way back
     */
    async hand(name, value, taker) {
      const { schema } = /** @type {ProviderWithSchema} */ (specs.get(name));
      const { to, also } = stores.handover(name, taker);
      const lineage = stores.lineage(name);
      /** @type {(to: number, how?: { budget: number }) => Promise<Form>} */
      const translated = async (to, how) => {
        const [made] = await stores.migrate([{ store: name, from: schema, lineage, value, to }], how);
        return { schema: to, lineage: stores.lineage(name, to), value: made.value };
      };
      if (to !== null) return { main: await translated(to), others: [] };
      /** @type {Form[]} */
      const others = [];
      const until = Date.now() + SPARE;
      for (const older of also) {
        const budget = until - Date.now();
        if (budget <= 0) break;
        await translated(older, { budget }).then((form) => others.push(form), () => {});
      }
      return { main: { schema, lineage, value }, others };
    },
  };
}
