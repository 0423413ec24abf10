// States with a schema, in memory: who is migrated with whom, what stays when it fails, what goes along on the way back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check, readSpec } from '../../pkg-template/spec.js';
import { arrive, first, holder, leave, makeDisk, oneWay, quiet, sealed, second, setUp, split } from './states.mjs';

/** @import { StateRuns } from '../../pkg-template/types/state.js' */

test('a state is migrated to the schema of its provider, and taken out once it is restored', async () => {
  const left = await leave({ who: first({ name: 'Ada Lovelace' }) });
  const who = second();
  const page = await arrive({ who }, left);
  assert.deepEqual(page.report, { restored: ['who'], failed: [] });
  assert.deepEqual(who.value, { first: 'Ada', last: 'Lovelace' });
  assert.deepEqual([page.carried.states, page.carried.about, page.problems], [{}, {}, []]);
});

test('what was captured without a schema counts as schema 1, and the other way round', async () => {
  const who = second();
  await arrive({ who }, await leave({ who: holder({ name: 'Ada Lovelace' }) }));
  assert.deepEqual(who.value, { first: 'Ada', last: 'Lovelace' });
  const bare = holder();
  await arrive({ who: bare }, await leave({ who: first({ name: 'Ada Lovelace' }) }));
  assert.deepEqual(bare.value, { name: 'Ada Lovelace' });
});

test('a provider without a schema is not given a later one', async (t) => {
  quiet(t);
  const bare = holder('empty');
  const page = await arrive({ who: bare }, await leave({ who: second({ first: 'Ada', last: 'Lovelace' }, [oneWay]) }));
  assert.deepEqual([page.report, bare.value], [{ restored: [], failed: ['who'] }, 'empty']);
  assert.deepEqual(page.problems, [{ code: 'unknown_schema', message: 'state "who" was not restored: it has schema 2, and it is registered without one' }]);
});

test('when one of several fails, none is restored; all stay, are backed up, and the next build takes them', async (t) => {
  quiet(t);
  const left = await leave({ who: first({ name: 'Ada Lovelace' }), cart: first({ items: 2 }), draft: holder('plain') });
  const broken = { from: 1, to: 2, up: () => { throw new Error('no items'); } };
  const [who, cart, draft] = [second('mine'), second('mine', [broken]), holder('mine')];
  const page = await arrive({ who, cart, draft }, left);
  assert.deepEqual(page.report, { restored: ['draft'], failed: ['who', 'cart'] });
  assert.deepEqual([who.value, cart.value, draft.value], ['mine', 'mine', 'plain']);
  assert.deepEqual(page.problems, [{ code: 'step_failed', message: 'states "who", "cart" were not restored: store "cart": a step failed: no items' }]);
  assert.deepEqual(Object.keys(page.carried.states), ['who', 'cart']);
  const backups = await page.states.backups();
  assert.deepEqual(backups.map(({ name, schema, build, reason }) => ({ name, schema, build, reason })), [
    { name: 'who', schema: 1, build: 'a', reason: 'step_failed' },
    { name: 'cart', schema: 1, build: 'a', reason: 'step_failed' },
  ]);

  const captured = await page.states.capture();
  assert.deepEqual(captured.states, { who: { name: 'Ada Lovelace' }, cart: { items: 2 }, draft: 'plain' }, 'untouched values do not replace it');
  const [good, better] = [second(), second(undefined, [{ ...split, up: (/** @type {unknown} */ value) => value }])];
  const next = await arrive({ who: good, cart: better }, { envelope: sealed(captured), disk: left.disk });
  assert.deepEqual(next.report, { restored: ['who', 'cart'], failed: [] });
  assert.deepEqual([good.value, better.value], [{ first: 'Ada', last: 'Lovelace' }, { items: 2 }]);
  assert.deepEqual(await next.states.backups(), [], 'a backup that was put in place is none');
});

test('work done since a failure goes along, and what failed stays as a backup', async (t) => {
  quiet(t);
  const left = await leave({ who: first({ name: 'Ada Lovelace' }) });
  const who = second('mine', [{ ...split, up() { throw new Error('no'); } }]);
  const page = await arrive({ who }, left);
  who.value = { first: 'Grace', last: 'Hopper' };
  assert.deepEqual((await page.states.capture()).states, { who: { first: 'Grace', last: 'Hopper' } });
  const [backup] = await page.states.backups();
  assert.deepEqual(await backup.value(), { name: 'Ada Lovelace' });
});

test('a value that is not valid is not restored, and one whose provider throws stays', async (t) => {
  quiet(t);
  const left = await leave({ who: first({ name: 'Ada Lovelace' }) });
  const strict = second('mine');
  strict.validate = () => false;
  const page = await arrive({ who: strict }, left);
  assert.deepEqual([page.problems[0].code, strict.value], ['invalid_value', 'mine']);
  const thrower = second('mine');
  thrower.restore = () => { throw new TypeError('not now'); };
  const next = await arrive({ who: thrower }, left);
  assert.deepEqual([next.report.failed, next.problems], [['who'], [{ code: 'restore_failed', message: 'state "who" was not restored: TypeError: not now' }]]);
  assert.ok('who' in next.carried.states);
  // The `code` of a DOMException is a number, 0 for most.
  for (const [name, code] of /** @type {[string, number][]} */ ([['DataError', 0], ['InvalidStateError', 11]])) {
    thrower.restore = () => { throw new DOMException('not now', name); };
    const { report, problems, states } = await arrive({ who: thrower }, await leave({ who: first({ name: 'Ada Lovelace' }) }));
    assert.deepEqual([report.failed, problems], [['who'], [{ code: 'restore_failed', message: `state "who" was not restored: ${name}: not now` }]]);
    assert.deepEqual((await states.backups()).map(({ reason, message }) => [reason, message]), [['restore_failed', `${name}: not now`]], `${name} has code ${code}`);
  }
});

test('a promise of any kind may say whether a value is valid', async () => {
  const saying = (/** @type {boolean} */ answer) => () => ({ then: (/** @type {(answer: boolean) => void} */ settle) => void settle(answer) });
  assert.equal(await check(/** @type {() => Promise<boolean>} */ (/** @type {unknown} */ (saying(true))), 'value'), null);
  assert.deepEqual(await check(/** @type {() => Promise<boolean>} */ (/** @type {unknown} */ (saying(false))), 'value'), { message: 'the validator returned false' });
});

test('a migration that is not an object with steps is refused with a code', () => {
  for (const migrations of /** @type {never[][]} */ (/** @type {unknown} */ ([[null], [undefined], [{}]]))) {
    assert.throws(() => readSpec({ name: 'cart', schema: 2, migrations }), { name: 'ChangeoverError', code: 'invalid_spec' });
  }
});

test('a provider that comes later is migrated by itself', async () => {
  const left = await leave({ who: first({ name: 'Ada Lovelace' }), cart: first(1) });
  const page = await arrive({ cart: first() }, left);
  const who = second();
  page.states.register('who', who);
  await new Promise((done) => setTimeout(done, 20));
  assert.deepEqual([who.value.first, page.told], ['Ada', [{ restored: ['who'], failed: [] }]]);
});

test('a registration that is wrong is told; the state is carried, neither migrated nor lost', async (t) => {
  quiet(t);
  const left = await leave({ who: first({ name: 'Ada Lovelace' }) });
  const who = second('mine', [{ from: 2, to: 2, up() {} }]);
  const page = await arrive({ who, cart: first() }, left);
  assert.deepEqual(page.problems.map(({ code }) => code), ['self_step', 'self_step']);
  assert.match(page.problems[0].message, /^state "who" is not registered: store "who": a step leads nowhere/);
  assert.deepEqual([page.report.failed, who.value], [['who'], 'mine']);
  assert.deepEqual((await page.states.capture()).states.who, { name: 'Ada Lovelace' });
});

test('undo forgets the steps, so that the name can be registered anew', async () => {
  const page = setUp();
  for (let round = 0; round < 3; round += 1) {
    const undo = page.states.register('who', second({ first: 'Ada', last: 'Lovelace' }));
    await page.states.capture();
    if (round < 2) undo();
  }
  page.states.register('who', second({ first: 'Grace', last: 'Hopper' }));
  const captured = await page.states.capture({ who: { schema: 1, reads: [1] } });
  assert.deepEqual([captured.states, captured.failed, page.problems], [{ who: { name: 'Grace Hopper' } }, null, []]);
});

test('a disposed page forgets its steps, and the next guard of this document registers them anew', async () => {
  let made;
  const runs = async () => (made ??= (await setUp().runs()));
  const old = setUp({}, { runs });
  old.states.register('who', second({ first: 'Ada', last: 'Lovelace' }));
  await old.states.capture();
  old.states.dispose();
  const page = setUp({}, { runs });
  page.states.register('who', second({ first: 'Grace', last: 'Hopper' }));
  const captured = await page.states.capture({ who: { schema: 1, reads: [] } });
  assert.deepEqual([captured.states, page.problems], [{ who: { name: 'Grace Hopper' } }, []]);
  assert.deepEqual((await old.states.capture()).states, {});
});

test('an older build gets what it reads, and a later one gets back what that dropped', async () => {
  const value = { first: 'Ada', last: 'Lovelace', nick: 'Countess' };
  const stores = { who: { schema: 1, reads: [1] } };
  const left = await leave({ who: second(value) }, { stores });
  assert.deepEqual(left.captured.states, { who: { name: 'Ada Lovelace' } });
  const older = first();
  const page = await arrive({ who: older }, left);
  assert.deepEqual([page.report.restored, older.value], [['who'], { name: 'Ada Lovelace' }]);
  const onwards = { envelope: sealed(await page.states.capture({ who: { schema: 2, reads: [] } })), disk: left.disk };
  const who = second();
  const next = await arrive({ who }, onwards);
  assert.deepEqual(who.value, value);
  assert.deepEqual([next.carried.about, await next.states.backups()], [{}, []]);
});

test('what the older build has changed since counts, and what it dropped becomes a backup', async () => {
  const value = { first: 'Ada', last: 'Lovelace', nick: 'Countess' };
  const left = await leave({ who: second(value) }, { stores: { who: { schema: 1, reads: [1] } } });
  const older = first();
  const page = await arrive({ who: older }, left);
  older.value = { name: 'Ada Byron' };
  const onwards = { envelope: sealed(await page.states.capture({ who: { schema: 2, reads: [] } })), disk: left.disk };
  const who = second();
  const next = await arrive({ who }, onwards);
  assert.deepEqual(who.value, { first: 'Ada', last: 'Byron' });
  const [backup, ...others] = await next.states.backups();
  assert.deepEqual([backup.reason, backup.schema, await backup.value(), others], ['rolled_back', 2, value, []]);
  await backup.restore();
  assert.deepEqual([who.value, await next.states.backups()], [value, []]);
});

test('without a way back the capture fails with both schemas, the snapshot is a backup, and a later build takes it', async (t) => {
  quiet(t);
  const value = { first: 'Ada', last: 'Lovelace' };
  const left = await leave({ who: second(value, [oneWay]) }, { stores: { who: { schema: 1, reads: [1] } } });
  assert.equal(left.captured.failed, 'state "who" could not be saved: there is no way back: store "who": no path leads from schema 2 to 1');
  const [backup] = await left.page.states.backups();
  assert.deepEqual([backup.reason, backup.schema, await backup.value()], ['no_path', 2, value]);

  const older = first('empty');
  const page = await arrive({ who: older }, left);
  assert.deepEqual([page.report.failed, older.value], [['who'], 'empty']);
  assert.deepEqual((await page.states.backups()).map(({ reason }) => reason), ['no_path']);
  await assert.rejects((await page.states.backups())[0].restore(), { code: 'unknown_schema' });
  const again = second();
  const next = await arrive({ who: again }, { envelope: sealed(await page.states.capture()), disk: left.disk });
  assert.deepEqual([again.value, await next.states.backups()], [value, []]);
});

test('when the page stays, what its capture has kept is let go', async () => {
  const left = await leave({ who: second({ first: 'Ada', last: 'Lovelace' }, [oneWay]), tags: holder(new Set(['a'])) }, { stores: { who: { schema: 1, reads: [1] } } });
  assert.equal(left.disk.records.size, 2);
  left.page.states.stays();
  await new Promise((done) => setTimeout(done));
  assert.deepEqual([left.disk.records.size, await left.page.states.backups()], [0, []]);
});

test('when nothing is known of the next build, the state goes along in older schemas too', async () => {
  const left = await leave({ who: second({ first: 'Ada', last: 'Lovelace', nick: 'Countess' }) });
  assert.deepEqual([/** @type {{nick: string}} */ (left.captured.states.who).nick, /** @type {{schema: number, value: unknown}[]} */ (left.captured.about.who.others).map(({ schema, value }) => [schema, value])], ['Countess', [[1, { name: 'Ada Lovelace' }]]]);
  const [older, same, bare] = [first(), second(), holder()];
  for (const who of [older, same, bare]) await arrive({ who }, { ...left, disk: makeDisk() });
  assert.deepEqual([older.value, same.value.nick, bare.value], [{ name: 'Ada Lovelace' }, 'Countess', { name: 'Ada Lovelace' }]);
});

test('what is still being restored is not captured over: it goes along as it came', async () => {
  const left = await leave({ who: first({ name: 'Ada Lovelace' }), slow: holder('came') });
  let go;
  const page = setUp(left.envelope, { disk: left.disk, runs: () => new Promise((done) => { go = done; }) });
  const report = page.states.restored();
  page.states.register('who', second('mine'));
  page.states.register('slow', { capture: () => 'mine', restore: () => new Promise(() => {}) });
  page.states.register('other', holder('mine'));
  const captured = await page.states.capture();
  assert.deepEqual(captured.states, { who: { name: 'Ada Lovelace' }, slow: 'came', other: 'mine' });
  /** @type {(value: unknown) => void} */ (/** @type {unknown} */ (go))(Promise.reject(new Error('no')));
  await report;
});

test('a capture ends in time, whatever the database does', async (t) => {
  const page = setUp();
  page.disk.kept.put = () => new Promise(() => {});
  page.states.register('tags', holder(new Set()));
  page.states.register('draft', holder('mine'));
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const captured = page.states.capture();
  for (let n = 0; n < 9; n += 1) {
    await new Promise((done) => setImmediate(done));
    t.mock.timers.tick(1_000);
  }
  assert.deepEqual([(await captured).failed, (await captured).states], ['not all state could be saved: no answer within 8 s', { draft: 'mine' }]);
});

test('a duplicated tab does not restore what another tab has', async () => {
  const left = await leave({ who: first({ name: 'Ada Lovelace' }), draft: holder('plain'), tags: holder(new Set(['a'])) });
  const made = () => ({ who: second('mine'), draft: holder('mine'), tags: holder('mine') });
  const [one, other] = [made(), made()];
  const restored = await arrive(one, left);
  assert.deepEqual(restored.report.restored.sort(), ['draft', 'tags', 'who']);
  const page = await arrive(other, left);
  assert.deepEqual(page.report, { restored: [], failed: [] });
  assert.deepEqual(Object.values(other).map(({ value }) => value), ['mine', 'mine', 'mine']);
  assert.deepEqual([page.carried.states, page.carried.about], [{}, {}]);
});

test('the mark belongs to the capture: a state that no provider took goes on under its own, what is captured anew under a new one', async () => {
  const left = await leave({ lazy: holder('plain'), draft: holder('one') });
  const page = await arrive({ draft: holder() }, left);
  const onwards = { envelope: sealed(await page.states.capture(), 'e3'), disk: left.disk };
  const duplicate = await arrive({ lazy: holder() }, left);
  assert.deepEqual(duplicate.report.restored, ['lazy']);
  const next = await arrive({ lazy: holder(), draft: holder() }, onwards);
  assert.deepEqual(next.report, { restored: ['draft'], failed: [] });
});

test('where stores.js does not run, the same schema is restored, any other stays, and nothing is lost', async (t) => {
  quiet(t);
  const left = await leave({ who: second({ first: 'Ada', last: 'Lovelace' }), cart: first(1) }, { runs: null });
  const [who, cart] = [second(), second('mine')];
  const page = await arrive({ who, cart }, left, { runs: null });
  assert.deepEqual(page.report, { restored: ['who'], failed: ['cart'] });
  assert.deepEqual([who.value.first, cart.value], ['Ada', 'mine']);
  assert.deepEqual(page.problems, [{ code: 'unknown_schema', message: 'state "cart" was not restored: it has schema 1, and this page takes 2 only' }]);
  const [backup] = await page.states.backups();
  assert.deepEqual([backup.name, await backup.value()], ['cart', 1]);
  const full = second('mine', [{ ...split, up: (/** @type {unknown} */ items) => ({ items }) }]);
  await arrive({ cart: full }, { envelope: sealed(await page.states.capture()), disk: left.disk });
  assert.deepEqual(full.value, { items: 1 });
});

for (const [where, runs] of [['without WebAssembly', null], ['with it', undefined]]) {
  test(`a schema 2 that another branch built is refused ${where} when it was captured without`, async (t) => {
    quiet(t);
    const left = await leave({ who: second({ first: 'Ada', last: 'Lovelace' }, [{ ...split, id: 'another branch' }]) }, { runs: null });
    const who = second('mine');
    const page = await arrive({ who }, left, { runs: /** @type {(() => Promise<StateRuns>) | null | undefined} */ (runs) });
    assert.deepEqual([page.report.failed, who.value, page.problems[0].code], [['who'], 'mine', 'foreign_schema']);
  });
}

test('when stores.js does not come, the problem is told, and a page that goes back asks', async (t) => {
  quiet(t);
  const runs = () => Promise.reject(Object.assign(new Error('404'), { code: 'unavailable' }));
  const who = second({ first: 'Ada', last: 'Lovelace' });
  const onwards = await leave({ who }, { runs, stores: { who: { schema: 3, reads: [2] } } });
  assert.deepEqual([onwards.captured.failed, onwards.captured.states.who], [null, who.value]);
  assert.deepEqual(onwards.page.problems.map(({ code }) => code), ['unavailable', 'unavailable'], 'once when it comes, once when it leaves');
  const back = await leave({ who }, { runs, stores: { who: { schema: 1, reads: [1] } } });
  assert.equal(back.captured.failed, 'state "who" could not be saved: the steps from schema 2 down to 1 cannot run here');
});

test('a backup is restored by hand, not twice, and not without a provider; removing it drops it everywhere', async (t) => {
  quiet(t);
  const left = await leave({ who: first({ name: 'Ada Lovelace' }), cart: first(1) });
  const fails = { ...split, up() { throw new Error('no'); } };
  const page = await arrive({ who: second('mine', [fails]), cart: second('mine', [fails]) }, left);
  await page.states.capture();

  const later = setUp({}, { disk: left.disk });
  const [cart, who] = (await later.states.backups()).sort((one, other) => (one.name < other.name ? -1 : 1));
  await assert.rejects(who.restore(), { code: 'no_provider', message: 'state "who" is not registered in this page' });
  const mine = second();
  later.states.register('who', mine);
  await who.restore();
  assert.deepEqual(mine.value, { first: 'Ada', last: 'Lovelace' });
  await cart.remove();
  assert.deepEqual(await later.states.backups(), []);

  const old = await arrive({ who: second('mine') }, left);
  assert.deepEqual(old.report, { restored: [], failed: [] }, 'the tab that failed to take it does not take it later');
});
