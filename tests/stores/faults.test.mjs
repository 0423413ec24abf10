// Migrations that go wrong: nothing has changed for the builds before, and the error says what and where.
import assert from 'node:assert/strict';

import { inBrowsers } from '../e2e/browsers.mjs';
import { openBuild, startStoreSite } from './site.mjs';

/** @import { Tab } from '../e2e/types.d.ts' */
/** @import { StoreSpec } from '../../pkg-template/index.js' */

const FAST = { dwell: 0, census: 50 };
const START = { initial: JSON.stringify({ ada: { name: 'Ada Byron', born: 1815 }, bob: { name: 'Bob Dylan', born: 1941 } }) };

/** The records of schema 1 as they lie in the database, with their stamps. */
const readRaw = () =>
  new Promise((done) => {
    const request = indexedDB.open('changeover:/none/release.json:store:people');
    request.onsuccess = () => {
      const store = request.result.transaction('entries').objectStore('entries');
      const read = store.getAll(IDBKeyRange.bound('1:', '1;'));
      read.onsuccess = () => {
        request.result.close();
        done(JSON.stringify(read.result));
      };
    };
  });

const FAULTS = {
  throws: { step: '1 -> 2 (up)', path: 'name', message: 'store "people": "ada" could not be translated: the step 1 -> 2 (up) failed at name: Error: a bad day' },
  hangs: { step: '1 -> 2 (up)', message: 'store "people": "ada" could not be translated: the step 1 -> 2 (up) failed: Error: a step gave no answer within 300 ms' },
  invalid: { path: 'first', message: 'store "people": "ada" could not be translated: its value is not valid as schema 2 at first: Error: first is no text' },
  nothing: { step: '1 -> 2 (up)', message: 'store "people": "ada" could not be translated: the step 1 -> 2 (up) failed: it gave undefined' },
};

for (const [build, expected] of Object.entries(FAULTS)) {
  inBrowsers(`a step that ${{ throws: 'throws', hangs: 'never ends', invalid: 'makes an invalid value', nothing: 'makes nothing' }[build]} changes nothing and is named, and the old build goes on`, { only: build === 'throws' ? undefined : ['chromium'] }, async (t, browser) => {
    const site = await startStoreSite(t);
    await browser.open(`${site.url}/blank`);
    const first = await openBuild(browser, site, 1, START);
    const before = await first.eval(readRaw);
    await first.close();

    const broken = await openBuild(browser, site, build, FAST);
    assert.deepEqual(await broken.eval(() => attempt(() => store.get('ada'))), { code: 'untranslated', store: 'people', ...expected });
    await broken.waitFor(() => globalThis.warnings.length > 0, { what: 'a warning about the migration' });
    assert.equal(await broken.eval(() => warnings[0]), `changeover: ${expected.message}`);

    const old = await openBuild(browser, site, 1);
    assert.equal(await old.eval(readRaw), before, 'not a byte has changed');
    await old.eval(() => store.set('ada', { name: 'Ada Lovelace', born: 1815 }));
    assert.deepEqual(await old.eval(() => everything()), { ada: { name: 'Ada Lovelace', born: 1815 }, bob: { name: 'Bob Dylan', born: 1941 } });
    assert.equal(await old.eval(async () => (await readHead()).schema), 1);

    // A good build of the same schema goes on where the broken one was.
    await broken.close();
    await old.close();
    const good = await openBuild(browser, site, 2, FAST);
    await good.waitFor(async () => (await readHead()).schema === 2, { what: 'the migration to complete' });
    assert.deepEqual(await good.eval(() => store.get('ada')), { first: 'Ada', last: 'Lovelace', note: '', born: 1815 });
  });
}

inBrowsers('a step that loses a field without saying so keeps the old schema, and is named with the field', {}, async (t, browser) => {
  const site = await startStoreSite(t);
  await browser.open(`${site.url}/blank`);
  const first = await openBuild(browser, site, 1, START);
  const before = await first.eval(readRaw);
  await first.close();
  const losing = await openBuild(browser, site, 'loses', FAST);
  await losing.waitFor(() => globalThis.warnings.length > 0, { what: 'a warning about the migration' });
  assert.equal(
    await losing.eval(() => warnings[0]),
    'changeover: store "people": "ada" could not be translated: the step 1 -> 2 (up) failed at born: going back does not bring back born, and the step is not marked lossy',
  );
  assert.equal(await losing.eval(readRaw), before);
  assert.equal(await losing.eval(async () => (await readHead()).schema), 1);
});

inBrowsers('two branches that both call something schema 2: the second is refused, and touches nothing', {}, async (t, browser) => {
  const site = await startStoreSite(t);
  await browser.open(`${site.url}/blank`);
  const ours = await openBuild(browser, site, 2, { ...FAST, initial: JSON.stringify({ ada: { first: 'Ada', last: 'Byron', note: 'x' } }) });
  const theirs = await openBuild(browser, site, 'branch', FAST);
  const found = await theirs.eval(async () => ({ failed, mode: store.mode, read: await attempt(() => store.get('ada')), list: await attempt(() => store.list()), write: await attempt(() => store.set('ada', {})), remove: await attempt(() => store.delete('ada')) }));
  assert.equal(/** @type {{code: string, message: string}} */ (found.failed).code, 'refused');
  assert.deepEqual([found.mode.kind, found.mode.reason], ['refused', 'foreign_schema']);
  assert.match(/** @type {{code: string, message: string}} */ (found.failed).message, /^store "people" is refused to this build: it holds schema 2 of another lineage: .*two branches call different things schema 2/);
  for (const error of [found.read, found.list, found.write, found.remove]) assert.deepEqual([error.code, error.message], ['refused', /** @type {{code: string, message: string}} */ (found.failed).message]);
  assert.deepEqual(await ours.eval(() => everything()), { ada: { first: 'Ada', last: 'Byron', note: 'x' } });
});

inBrowsers('a spec that cannot work is refused when it is registered, with what is wrong in it', { only: ['chromium'] }, async (t, browser) => {
  const site = await startStoreSite(t);
  const tab = await openBuild(browser, site, 1);
  const errors = await tab.eval(async () => {
    const up = (/** @type {unknown} */ value) => value;
    const specs = {
      gap: { schema: 3, migrations: [{ from: 1, to: 2, up }], reads: [1, 2, 3] },
      'no schema': {},
      'no step': { schema: 2, migrations: [{ from: 1, to: 2 }] },
      'no list': { schema: 2, migrations: {} },
      'no number': { schema: 2, migrations: [{ from: '1', to: 2, up }] },
      'no down': { schema: 2, migrations: [{ from: 1, to: 2, up, down: 'x' }] },
      'no loss': { schema: 2, migrations: [{ from: 1, to: 2, up, lossy: true }] },
      'no validator': { schema: 1, validate: 5 },
      twice: { schema: 2, migrations: [{ from: 1, to: 2, up }, { from: 1, to: 2, up }] },
    };
    /** @type {Record<string, unknown[]>} */
    const answers = {};
    for (const [name, spec] of Object.entries(specs)) {
      const { code, message } = await attempt(() => changeover.store(name, /** @type {StoreSpec} */ (spec)).ready());
      answers[name] = [code, message];
    }
    answers['another schema'] = Object.values(await attempt(() => changeover.store('people', { schema: 9 }))).slice(0, 2);
    return answers;
  });
  const codes = Object.fromEntries(Object.entries(errors).map(([name, [code]]) => [name, code]));
  const { gap, twice, 'another schema': other, ...invalid } = codes;
  assert.ok(Object.values(invalid).every((code) => code === 'invalid_spec'), JSON.stringify(errors));
  assert.deepEqual([gap, twice, other], ['no_path', 'duplicate_step', 'duplicate_store']);
  assert.equal(errors.gap[1], 'store "gap": no path leads from schema 1 to 3; from 1 the steps reach 2');
  assert.equal(errors['no number'][1], 'store "no number": "from" of migration 0 is "1"; it must be a whole number from 1');
  for (const [, message] of Object.values(errors)) assert.match(/** @type {string} */ (message), /^store "/);
});

inBrowsers('twenty versions forward, back and over a skipped release keep every value', { timeout: 120_000 }, async (t, browser) => {
  const site = await startStoreSite(t);
  const tab = await openBuild(browser, site, 1);
  const found = await tab.eval(async () => {
    const steps = Array.from({ length: 19 }, (_, at) => {
      const from = at + 1;
      return { from, to: from + 1, id: `step ${from}`, up: (/** @type {any} */ value) => ({ ...value, [`v${from + 1}`]: value.n * from, trail: [...value.trail, from + 1] }), down: ({ [`v${from + 1}`]: gone, ...value }) => ({ ...value, trail: value.trail.slice(0, -1) }), lossy: 'down' };
    });
    const wait = async (/** @type {() => unknown} */ probe) => {
      for (const end = Date.now() + 20_000; !(await probe()); await new Promise((go) => setTimeout(go, 20))) if (Date.now() > end) throw new Error(`in vain: ${probe}`);
    };
    const spec = (/** @type {number} */ schema) => ({ schema, migrations: steps.slice(0, schema - 1), dwell: 0, census: 30 });
    const schemaOf = async () => (await readHead('chain')).schema;
    const visit = async (/** @type {number} */ schema, /** @type {(store: import('../../pkg-template/index.js').Store<Person>) => unknown} */ run) => {
      const store = /** @type {typeof chain} */ (changeover.store('chain', /** @type {StoreSpec} */ (spec(schema))));
      await store.ready();
      const value = await run(store);
      store.close();
      return value;
    };
    await visit(1, (store) => store.set('k', { n: 3, trail: [1] }));
    /** @type {unknown[]} */
    const trails = [];
    // Every release in turn, but for a few that this user never saw.
    for (const schema of [2, 3, 4, 7, 8, 12, 13, 14, 19, 20]) {
      await visit(schema, async (store) => {
        await wait(async () => (await schemaOf()) === schema);
        trails.push(/** @type {{trail: number[]}} */ (/** @type {unknown} */ (await store.get('k'))).trail.at(-1));
      });
    }
    const head = await readHead('chain');
    const far = await visit(20, (store) => store.get('k'));
    // The other way: the oldest build reads its backup, and the newest one brings its schema back.
    const backup = await visit(14, async (store) => [store.mode.kind, await store.get('k')]);
    return { trails, far, backup, backups: head.backups.map((/** @type {{schema: number}} */ { schema }) => schema), namespaces: head.namespaces.length };
  });
  const trail = (/** @type {number} */ to) => Array.from({ length: to }, (_, at) => at + 1);
  const values = (/** @type {number} */ to) => Object.fromEntries(trail(to).slice(1).map((schema) => [`v${schema}`, 3 * (schema - 1)]));
  assert.deepEqual(found.trails, [2, 3, 4, 7, 8, 12, 13, 14, 19, 20]);
  assert.deepEqual(found.far, { n: 3, trail: trail(20), ...values(20) });
  assert.deepEqual(found.backup, ['backup', { n: 3, trail: trail(14), ...values(14) }]);
  assert.deepEqual(found.backups, [1, 2, 3, 4, 7, 8, 12, 13, 14, 19]);
  assert.equal(found.namespaces, 1);

  // Two pages for the way back: one that asks and one that answers.
  const newest = await browser.open(`${site.url}/app?build=1&store=none`);
  await newest.waitFor(() => document.title === 'ready');
  const open = (/** @type {Tab} */ tab, /** @type {number} */ schema) =>
    tab.eval(async (schema) => {
      const steps = Array.from({ length: 19 }, (_, at) => {
        const from = at + 1;
        return { from, to: from + 1, id: `step ${from}`, up: (/** @type {any} */ value) => ({ ...value, [`v${from + 1}`]: value.n * from, trail: [...value.trail, from + 1] }), down: ({ [`v${from + 1}`]: gone, ...value }) => ({ ...value, trail: value.trail.slice(0, -1) }), lossy: 'down' };
      });
      globalThis.chain = /** @type {typeof chain} */ (changeover.store('chain', /** @type {StoreSpec} */ ({ schema, migrations: steps.slice(0, schema - 1), dwell: 0, census: 30 })));
      await attempt(() => chain.ready());
    }, schema);
  await open(newest, 20);
  await newest.eval(() => chain.set('new', { n: 1, trail: Array.from({ length: 20 }, (_, at) => at + 1) }));
  await open(tab, 1);
  await tab.waitFor(() => chain.mode.kind === 'readWrite', { timeout: 20_000, what: 'schema 1 to come back over nineteen steps' });
  assert.deepEqual(await tab.eval(async () => [await chain.get('k'), /** @type {Person} */ (await chain.get('new')).trail]), [{ n: 3, trail: [1] }, [1]]);
});

inBrowsers('adoption and first records happen once, also when two tabs open a store at the same time', {}, async (t, browser) => {
  const site = await startStoreSite(t);
  const tabs = [await openBuild(browser, site, 1), await openBuild(browser, site, 1)];
  await tabs[0].eval(() => localStorage.setItem('old', JSON.stringify({ name: 'Old Data' })));
  const open = (/** @type {Tab} */ tab, /** @type {string} */ who) =>
    tab.eval(async (who) => {
      let ran = 0;
      globalThis.box = openStore('box', {
        initial: () => ((ran += 1), { [`from ${who}`]: { name: `First ${who}` } }),
        adopt: async () => ((ran += 1), { schema: 1, records: [['adopted', JSON.parse(/** @type {string} */ (localStorage.getItem('old')))]] }),
      });
      await box.ready();
      return [ran, await box.list()];
    }, who);
  const [one, two] = await Promise.all([open(tabs[0], 'one'), open(tabs[1], 'two')]);
  assert.deepEqual(one[1], two[1], 'both see the same first records');
  assert.equal(/** @type {unknown[]} */ (one[1]).length, 2, JSON.stringify(one[1]));
  assert.deepEqual(/** @type {unknown[]} */ (one[1])[0], ['adopted', { name: 'Old Data' }]);
  await tabs[0].eval(() => box.delete('adopted'));
  await tabs[1].eval(() => box.close());
  const again = await open(tabs[1], 'three');
  assert.deepEqual([again[0], /** @type {unknown[]} */ (again[1]).length], [0, 1], 'nothing is asked for or taken over a second time');
});

inBrowsers('an adoption that fails refuses the store and does not make it, so that nothing is shut out for ever', { only: ['chromium'] }, async (t, browser) => {
  const site = await startStoreSite(t);
  const tab = await openBuild(browser, site, 1);
  const found = await tab.eval(async () => {
    const failing = openStore('box', { adopt: () => { throw Object.assign(new Error('not today'), { path: 'a.b' }); } });
    const error = await attempt(() => failing.ready());
    const invalid = openStore('box', { adopt: () => ({ schema: 1, records: [['ada', { name: 5 }]] }) });
    const wrong = await attempt(() => invalid.ready());
    const uncloneable = openStore('box', { initial: { ada: { name: 'x', go() {} } } });
    const raw = await attempt(() => uncloneable.ready());
    const head = await readHead('box');
    const good = openStore('box', { adopt: () => ({ schema: 1, records: [['ada', { name: 'Ada Byron' }]] }) });
    return { error, mode: failing.mode.kind, wrong, raw, head, adopted: await good.list() };
  });
  assert.deepEqual(found.error, { code: 'adoption_failed', message: 'store "box" could not take over what was there before it: Error: not today', store: 'box', path: 'a.b' });
  assert.equal(found.mode, 'refused');
  assert.deepEqual([found.wrong.code, found.wrong.path], ['invalid_value', 'name'], JSON.stringify(found.wrong));
  assert.deepEqual([found.raw.code, found.raw.path], ['not_cloneable', 'go'], JSON.stringify(found.raw));
  assert.equal(found.head, null);
  assert.deepEqual(found.adopted, [['ada', { name: 'Ada Byron' }]]);
});
