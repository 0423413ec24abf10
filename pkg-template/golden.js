// Golden fixtures: a value of each released schema as a released build stored it, kept for ever.
import { failure } from './error.js';
import { textOf } from './load-errors.js';
import { decode, encode, excerpt } from './golden-codec.js';
import { engineWith, named, reaches, schemasOf } from './testing-engine.js';
import { difference } from './clone.js';

/**
 * @import { GoldenOptions, Spec } from './testing.js'
 * @typedef {{ schema: number, lineage: string, value: unknown, head?: { schema: number, value: unknown } }} Fixture
 */

/**
 * Checks `<folder>/<store>/<schema>.json`: `{schema, lineage, value, head: {schema, value}}`. Each must arrive at the head,
 * and as what was recorded; every released schema must have one.
 *
 * @param {Spec} spec
 * @param {string} folder
 * @param {GoldenOptions} [options]
 *   `update`: writes what is missing, never over what differs. `values`: by schema, what missing fixtures are made of;
 *   that of the head is by default what the newest other one becomes. `released`: default every schema the spec reads
 *   or names
 * @returns {Promise<{checked: number[], written: number[]}>} schemas
 */
export async function golden(spec, folder, { update = false, values = {}, released } = {}) {
  const files = filesIn(folder, named(spec).name);
  const { name, schema: head } = named(spec);
  const stores = await engineWith([named(spec)]);
  /** @type {Map<number, Fixture>} */
  const fixtures = new Map();
  /** @type {string[]} */
  const problems = [];
  /** @type {number[]} */
  const written = [];
  /** @type {(schema: number, why: string) => void} */
  const wrong = (schema, why) => problems.push(`schema ${schema} (${files.path(schema)}): ${why}`);
  /** @type {(schema: number, fixture: Fixture) => void} */
  const write = (schema, fixture) => {
    files.write(schema, fixture);
    fixtures.set(schema, fixture);
    written.push(schema);
  };

  for (const schema of files.schemas()) {
    try {
      fixtures.set(schema, files.read(schema));
    } catch (error) {
      wrong(schema, textOf(error));
    }
  }
  for (const [schema, value] of update ? Object.entries(values) : []) {
    if (!files.schemas().includes(Number(schema))) write(Number(schema), { schema: Number(schema), lineage: stores.lineage(name, Number(schema)), value });
  }
  /** @type {Map<number, unknown>} */
  const results = new Map();
  for (const [schema, fixture] of fixtures) {
    try {
      const migrated = async (/** @type {number} */ to) => (await stores.migrate([{ store: name, from: schema, lineage: fixture.lineage, value: fixture.value, to }], { lossy: true }))[0].value;
      const result = await migrated(head);
      results.set(schema, result);
      const recorded = fixture.head;
      if (!recorded) continue;
      // What was recorded for an older head still tells whether a step has changed since.
      const again = recorded.schema === head ? result : reaches(stores, name, schema, recorded.schema) ? await migrated(recorded.schema) : undefined;
      const path = again === undefined ? null : difference(recorded.value, again);
      if (path !== null) {
        wrong(schema, `as schema ${recorded.schema} it was recorded to become ${excerpt(recorded.value, path)}${path ? ` at ${path}` : ''} and now becomes ${excerpt(again, path)}`);
        results.delete(schema);
      }
    } catch (error) {
      wrong(schema, `it does not arrive at schema ${head}: ${textOf(error)}`);
    }
  }

  if (update && !files.schemas().includes(head)) {
    const newest = [...results.keys()].sort((one, other) => one - other).at(-1);
    if (newest !== undefined) write(head, { schema: head, lineage: stores.lineage(name, head), value: results.get(newest) });
  }
  for (const [schema, result] of update ? results : []) {
    const fixture = /** @type {Fixture} */ (fixtures.get(schema));
    if (schema !== head && fixture.head?.schema !== head) write(schema, { ...fixture, head: { schema: head, value: result } });
  }
  for (const schema of released ?? spec.reads?.concat(head) ?? schemasOf(spec)) {
    if (!files.schemas().includes(schema)) wrong(schema, 'it was released and has no fixture; `update: true` makes one of `values`');
  }
  if (problems.length) {
    const message = `store ${JSON.stringify(name)}: ${problems.length === 1 ? 'a golden fixture is' : `${problems.length} golden fixtures are`} broken:${problems.map((problem) => `\n  ${problem}`).join('')}`;
    throw Object.assign(failure({ code: 'golden', message, store: name }), { problems });
  }
  return { checked: [...fixtures.keys()].sort((one, other) => one - other), written: [...new Set(written)] };
}

/**
 * @param {string} folder
 * @param {string} name of the store
 */
function filesIn(folder, name) {
  // Not an import: bundlers for browsers would try to resolve it, for the sake of a function that no browser calls.
  const builtin = globalThis.process?.getBuiltinModule;
  if (!builtin) throw failure({ code: 'unavailable', message: 'golden() reads and writes files, which needs Node.js 20.16 or newer' });
  const [fs, { join }] = [builtin('node:fs'), builtin('node:path')];
  const place = join(folder, encodeURIComponent(name).replace(/^\.+$/, (dots) => '%2E'.repeat(dots.length)));
  const path = (/** @type {number} */ schema) => join(place, `${schema}.json`);
  return {
    path,
    schemas() {
      const names = fs.existsSync(place) ? fs.readdirSync(place) : [];
      return names.flatMap((file) => /^(\d+)\.json$/.exec(file)?.[1] ?? []).map(Number).sort((one, other) => one - other);
    },
    /** @type {(schema: number) => Fixture} */
    read(schema) {
      const { value, head, ...rest } = JSON.parse(fs.readFileSync(path(schema), 'utf8'));
      if (rest.schema !== schema) throw failure({ code: 'golden', message: `the file says schema ${rest.schema}` });
      return { ...rest, value: decode(value), ...(head && { head: { ...head, value: decode(head.value) } }) };
    },
    /** @type {(schema: number, fixture: Fixture) => void} */
    write(schema, { value, head, ...rest }) {
      fs.mkdirSync(place, { recursive: true });
      const text = JSON.stringify({ ...rest, value: encode(value), ...(head && { head: { ...head, value: encode(head.value) } }) }, null, 2);
      fs.writeFileSync(path(schema), `${text}\n`);
    },
  };
}
