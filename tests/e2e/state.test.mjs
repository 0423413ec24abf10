// Tab state with schemas: migrated on the way forward, taken down on the way back, and never lost in between.

import assert from 'node:assert/strict';

import { inBrowsers, until } from './browsers.mjs';
import { openApp, promptIsUp, RELOAD_BUTTON, shows, startSite, writeApp } from './site.mjs';
import { arrives, asks, backups, draft, DRAFT, moves, openDraft, runs, startStateSite, STORES, told } from './state-site.mjs';

/** @import { Events } from '../../pkg-template/index.js' */

const ONE = { stores: STORES.one, app: DRAFT.one };
const TWO = { stores: STORES.two, app: DRAFT.two() };
const broken = (/** @type {object} */ how) => ({ stores: STORES.two, app: DRAFT.two(how) });

inBrowsers('a draft typed on schema 1 is migrated to 2, taken down to 1 again, and keeps what 1 does not know', {}, async (t, browser) => {
  const site = await startStateSite(t, { one: ONE, two: TWO, three: TWO });
  const tab = await openDraft(browser, site);
  await tab.type('#draft', 'tea and');
  await tab.press('Enter');
  await tab.typeText('biscuits');

  await moves(tab, site, 'two');
  assert.deepEqual(await tab.eval(() => restored.draft), { lines: ['tea and', 'biscuits'], mark: 'none' });
  assert.deepEqual(await told(tab), [{ type: 'stateRestored', restored: ['draft'], failed: [] }]);
  await tab.eval(() => setMark('urgent'));

  await moves(tab, site, 'one', { back: true });
  assert.deepEqual(await tab.eval(() => restored.draft), { text: 'tea and\nbiscuits' });

  await moves(tab, site, 'three');
  assert.deepEqual(await tab.eval(() => restored.draft), { lines: ['tea and', 'biscuits'], mark: 'urgent' });
  assert.deepEqual(await backups(tab), []);
  assert.deepEqual(await tab.eval(() => errors()), []);
});

inBrowsers('when the manifests say nothing of the stores, an older build still gets the draft', { only: ['chromium'] }, async (t, browser) => {
  const site = await startStateSite(t, { one: { app: DRAFT.one }, two: { app: DRAFT.two() } });
  const tab = await openDraft(browser, site);
  await tab.type('#draft', 'tea');
  await moves(tab, site, 'two');
  await moves(tab, site, 'one', { back: true });
  assert.deepEqual(await tab.eval(() => restored.draft), { text: 'tea' });
});

inBrowsers('without a way back the page asks, keeps the draft as a backup, and a later build has it again', {}, async (t, browser) => {
  const site = await startStateSite(t, { one: ONE, two: broken({ down: '' }), three: broken({ down: '' }) });
  const tab = await openDraft(browser, site);
  await moves(tab, site, 'two');
  await tab.type('#draft', 'tea');
  await asks(tab, site, null);
  assert.equal(await tab.eval(() => changeover.reload()), 'stateNotSaved');
  const [problem] = await tab.eval(() => news.filter(({ type }) => type === 'problem'));
  assert.equal(problem.code, 'state_not_saved');
  assert.match(/** @type {string} */ (problem.message), /^state "draft" could not be saved: there is no way back: store "draft": no path leads from schema 2 to 1/);
  assert.deepEqual(await until(async () => (await backups(tab)).length === 0 && 'none', { what: 'the backups of a page that stays to go' }), 'none');
  assert.equal(await draft(tab), 'tea');

  await tab.click(RELOAD_BUTTON); // "Reload anyway"
  await arrives(tab, 'one');
  assert.equal(await draft(tab), '');
  assert.deepEqual(await tab.eval(() => /** @type {Events['stateRestored']} */ (news.find(({ type }) => type === 'stateRestored')).failed), ['draft']);
  const [backup, ...others] = await backups(tab);
  assert.deepEqual([backup.name, backup.schema, backup.reason, others], ['draft', 2, 'no_path', []]);
  const refusal = await tab.eval(async () => (await changeover.backups())[0].restore().catch(({ name, code }) => [name, code]));
  assert.deepEqual(refusal, ['ChangeoverError', 'unknown_schema']);

  await moves(tab, site, 'three');
  assert.deepEqual(await tab.eval(() => restored.draft), { lines: ['tea'], mark: 'none' });
  assert.deepEqual(await backups(tab), []);
});

for (const [what, how, code, sentence] of /** @type {[string, {up?: string, more?: string}, string, RegExp][]} */ ([
  ['throws', { up: '({ text }) => { throw Object.assign(new Error("no lines"), { path: "text" }); }' }, 'step_failed', /the step 1 -> 2 \(up\) failed at text: Error: no lines/],
  ['hangs', { up: '() => new Promise(() => {})' }, 'step_timed_out', /the step 1 -> 2 \(up\) took longer than 3000 ms/],
  ['makes something invalid', { more: 'validate: ({ lines }) => { if (lines.length < 9) throw Object.assign(new Error("too few"), { path: "lines" }); },' }, 'invalid_value', /not valid as schema 2 at lines: .*too few/],
])) {
  inBrowsers(`a migration that ${what} restores nothing, is named, and the way back has the draft again`, { only: ['chromium'] }, async (t, browser) => {
    const other = "let count = 0; globalThis.setCount = (value) => { count = value; }; changeover.state('count', { schema: 1, capture: () => count, restore: (value) => { count = value; restored.count = value; } });";
    const site = await startStateSite(t, { one: { stores: STORES.one, app: DRAFT.one + other }, two: { stores: STORES.two, app: DRAFT.two(how) + other } });
    const tab = await openDraft(browser, site);
    await tab.type('#draft', 'tea');
    await tab.eval(() => setCount(7));
    await moves(tab, site, 'two');
    assert.deepEqual(await tab.eval(() => restored), {}, 'all or nothing');
    const [problem, report] = await told(tab);
    assert.deepEqual([problem.code, /** @type {NonNullable<typeof report.failed>} */ (report.failed).sort()], [code, ['count', 'draft']]);
    assert.match(/** @type {string} */ (problem.message), /^states "(draft", "count|count", "draft)" were not restored: store "draft"/);
    assert.match(/** @type {string} */ (problem.message), sentence);
    assert.deepEqual((await backups(tab)).map(({ name, schema, reason }) => [name, schema, reason]).sort(), [['count', 1, code], ['draft', 1, code]]);
    await tab.type('#draft', 'x');
    assert.equal(await draft(tab), 'x', 'the app runs');
    await tab.eval(() => { /** @type {HTMLInputElement} */ (document.getElementById('draft')).value = ''; });

    await moves(tab, site, 'one', { back: true });
    assert.deepEqual(await tab.eval(() => restored), { draft: { text: 'tea' }, count: 7 });
    assert.deepEqual(await backups(tab), []);
  });
}

inBrowsers('a draft of the same schema is validated all the same, and one of another branch is refused', { only: ['chromium'] }, async (t, browser) => {
  const strict = DRAFT.one.replace('schema: 1,', 'schema: 1, validate: ({ text }) => text === "",');
  const branch = DRAFT.two().replace("id: 'text to lines'", "id: 'text to rows'");
  const site = await startStateSite(t, { one: { app: DRAFT.one }, two: { app: strict }, three: { app: DRAFT.two() }, four: { app: branch } });
  const tab = await openDraft(browser, site);
  await tab.type('#draft', 'tea');
  await moves(tab, site, 'two');
  assert.deepEqual((await told(tab)).map(({ type, code, failed }) => [type, code ?? failed]), [['problem', 'invalid_value'], ['stateRestored', ['draft']]]);
  await moves(tab, site, 'three');
  assert.deepEqual(await tab.eval(() => restored.draft.lines), ['tea']);
  await moves(tab, site, 'four');
  const [problem] = await told(tab);
  assert.deepEqual([problem.code, await draft(tab)], ['foreign_schema', '']);
  assert.match(/** @type {string} */ (problem.message), /its step 1 -> 2 has hash .* two branches call different things schema 2$/);
  assert.deepEqual((await backups(tab)).map(({ schema, reason }) => [schema, reason]), [[2, 'foreign_schema']]);
});

inBrowsers('a backup is put in place by hand, with its migrations', { only: ['chromium'] }, async (t, browser) => {
  const flag = 'fails = true; globalThis.heal = () => { fails = false; }';
  const up = '({ text }) => { if (fails) throw new Error("not yet"); return { lines: [text], mark: "none" }; }';
  const site = await startStateSite(t, { one: ONE, two: { stores: STORES.two, app: `let ${flag};${DRAFT.two({ up })}` } });
  const tab = await openDraft(browser, site);
  await tab.type('#draft', 'tea');
  await moves(tab, site, 'two');
  await tab.eval(() => heal());
  const values = await tab.eval(async () => {
    const [backup] = await changeover.backups();
    const value = await backup.value();
    await backup.restore();
    return [value, restored.draft, (await changeover.backups()).length];
  });
  assert.deepEqual(values, [{ text: 'tea' }, { lines: ['tea'], mark: 'none' }, 0]);
  await tab.reload();
  await runs(tab, 'two');
  assert.deepEqual(await tab.eval(() => restored), {}, 'it is not restored again');
});

const ODD = `
const make = () => {
  const value = { map: new Map([['a', new Set([1, 'x'])]]), date: new Date(1e12), bytes: new Uint8Array([1, 2, 255]), big: 2n ** 70n, blob: new Blob(['text'], { type: 'text/plain' }), hole: [1, , NaN] };
  value.set = new Set([value.blob, new File(['more'], 'a.txt', { lastModified: 5 })]);
  value.self = value;
  return value;
};
let odd = null;
let large = null;
globalThis.fill = () => { odd = make(); large = 'é'.repeat(5_000_000); };
changeover.state('odd', { capture: () => odd ?? undefined, restore: (value) => { odd = restored.odd = value; } });
changeover.state('odd in schema 1', { schema: 1, capture: () => odd ?? undefined, restore: (value) => { restored.odd1 = value; } });
changeover.state('large', { capture: () => large ?? undefined, restore: (value) => { large = restored.large = value; } });
`;

inBrowsers('Maps, dates, blobs, bytes, cycles and five million characters arrive, and nothing is left of them', {}, async (t, browser) => {
  const site = await startStateSite(t, { one: { app: ODD }, two: { app: ODD } });
  const tab = await openDraft(browser, site);
  await tab.eval(() => fill());
  await moves(tab, site, 'two');
  const seen = await tab.eval(async () => {
    const look = async (/** @type {Odd} */ { map, date, bytes, big, blob, set, hole, self }, /** @type {unknown} */ value) => [
      [.../** @type {Set<unknown>} */ (map.get('a'))], date.getTime(), bytes instanceof Uint8Array && [...bytes], String(big), blob.type, await blob.text(), ...(await Promise.all([...set].map(async (blob) => [blob.name ?? '', await blob.text()]))), [...set][1].lastModified, 1 in hole, String(hole), self === value,
    ];
    return [await look(restored.odd, restored.odd), await look(restored.odd1, restored.odd1), restored.large.length, restored.large[4_999_999]];
  });
  const expected = [[1, 'x'], 1e12, [1, 2, 255], String(2n ** 70n), 'text/plain', 'text', ['', 'text'], ['a.txt', 'more'], 5, false, '1,,NaN', true];
  assert.deepEqual(seen, [expected, expected, 5_000_000, 'é']);
  await tab.waitFor(async () => {
    const request = indexedDB.open('changeover:/changeover/release.json:kept');
    const database = await new Promise((done) => { request.onsuccess = () => done(request.result); });
    const count = database.transaction('values').objectStore('values').count();
    const left = await new Promise((done) => { count.onsuccess = () => done(count.result); });
    database.close();
    return left === 0 && Object.keys(sessionStorage).every((key) => !key.endsWith(':envelope'));
  }, { what: 'envelope and database to be empty' });
  assert.deepEqual(await tab.eval(() => errors()), []);
});

inBrowsers('a duplicated tab does not restore what the first has restored, and restores what it has not', { only: ['chromium', 'firefox'] }, async (t, browser) => {
  const lazy = "globalThis.openLazy = () => changeover.state('lazy', { schema: 1, capture: () => 'lazy', restore: (value) => { restored.lazy = value; } });";
  const set = "changeover.state('tags', { capture: () => new Set(['a']), restore: (value) => { restored.tags = [...value]; } });";
  const site = await startStateSite(t, { one: { app: DRAFT.one + set + lazy }, two: { app: DRAFT.one + set + lazy } });
  const tab = await openDraft(browser, site);
  await tab.eval(() => openLazy());
  await tab.type('#draft', 'tea');
  await asks(tab, site, 'two');
  // The envelope as it is between the two pages: the session of a tab that is duplicated in this moment.
  await tab.eval(() => addEventListener('pagehide', () => { localStorage.copied = JSON.stringify({ ...sessionStorage }); }));
  await tab.click(RELOAD_BUTTON);
  await arrives(tab, 'two');
  assert.deepEqual(await tab.eval(() => restored), { draft: { text: 'tea' }, tags: ['a'] });

  const other = await browser.open(`${site.url}/empty.html`);
  await other.eval(() => Object.assign(sessionStorage, JSON.parse(localStorage.copied)));
  assert.ok(await other.eval(() => sessionStorage['changeover:/changeover/release.json:envelope']));
  await openDraft(browser, site, { tab: other });
  await other.eval(() => openLazy());
  await other.waitFor(() => restored.lazy, { what: 'what the first tab has not taken' });
  assert.deepEqual(await other.eval(() => restored), { lazy: 'lazy' });
  assert.equal(await draft(other), '');
  await tab.eval(() => openLazy());
  await tab.eval(() => new Promise((done) => setTimeout(done, 500)));
  assert.equal(await tab.eval(() => restored.lazy), undefined);
});

inBrowsers('a page that is killed between its arrival and the restore still gets everything after a reload', { only: ['chromium'] }, async (t, browser) => {
  const slow = "const slow = sessionStorage.hang ? new Promise(() => {}) : null;";
  const app = DRAFT.one.replace('restore: (value) => {', 'restore: async (value) => { globalThis.began = true; await slow;');
  const set = "changeover.state('tags', { capture: () => new Set(['a']), restore: async (value) => { await slow; restored.tags = [...value]; } });";
  const site = await startStateSite(t, { one: { app: slow + app + set }, two: { app: slow + app + set } });
  const tab = await openDraft(browser, site);
  await tab.type('#draft', 'tea');
  await asks(tab, site, 'two');
  await tab.eval(() => { sessionStorage.hang = 'yes'; });
  await tab.click(RELOAD_BUTTON);
  await tab.waitFor(() => document.getElementById('build')?.textContent === 'two' && globalThis.began, { what: 'the restore to begin' });
  const crashed = new Promise((done) => tab.page.once('error', done));
  const devtools = await tab.devtools();
  devtools.send('Page.crash').catch(() => {});
  await crashed;
  await tab.goto(`${site.url}/empty.html`);
  await tab.eval(() => { delete sessionStorage.hang; });
  await openDraft(browser, site, { tab });
  await tab.waitFor(() => restored.draft && restored.tags, { what: 'everything' });
  assert.deepEqual(await tab.eval(() => restored), { draft: { text: 'tea' }, tags: ['a'] });
});

inBrowsers('with a database that never opens, what needs it is not lost: the page asks', { only: ['chromium'], timeout: 90_000 }, async (t, browser) => {
  const block = 'indexedDB.open = () => ({});';
  const set = "changeover.state('tags', { capture: () => new Set(['a']), restore() {} });";
  const site = await startStateSite(t, { one: { app: `${block}${set}${DRAFT.one}` }, two: TWO });
  const tab = await openDraft(browser, site);
  await tab.type('#draft', 'tea');
  await asks(tab, site, 'two');
  assert.equal(await tab.eval(() => changeover.reload()), 'stateNotSaved');
  const [problem] = await told(tab);
  assert.match(/** @type {string} */ (problem.message), /^state "tags" could not be saved: the browser's database "changeover:\/changeover\/release\.json:kept" does not work \(no answer within 6 s\)$/);
  await tab.waitFor(promptIsUp);
  await tab.click(RELOAD_BUTTON); // "Reload anyway"
  await arrives(tab, 'two');
  assert.deepEqual(await tab.eval(() => restored.draft.lines), ['tea']);
});

inBrowsers('without WebAssembly the same schema comes along, another stays and is a backup', { only: ['chromium'], flags: ['--js-flags=--jitless'] }, async (t, browser) => {
  const count = "changeover.state('count', { schema: 1, capture: () => 7, restore: (value) => { restored.count = value; } });";
  const site = await startStateSite(t, { one: { app: DRAFT.one + count }, two: { app: DRAFT.two() + count }, three: { app: DRAFT.one + count } });
  const tab = await openDraft(browser, site, { level: 'loader' });
  await tab.type('#draft', 'tea');
  const move = async (/** @type {string} */ build) => {
    await site.publish(build);
    await tab.waitFor(promptIsUp, { timeout: 20_000 });
    await tab.click(RELOAD_BUTTON);
    await runs(tab, build, 'loader');
    await tab.waitFor(() => restored.count === 7, { what: 'what has the same schema' });
  };
  await move('two');
  assert.equal(await draft(tab), '');
  await tab.waitFor(async () => (await changeover.backups()).length === 1, { what: 'the backup' });
  assert.deepEqual((await backups(tab)).map(({ name, schema, reason }) => [name, schema, reason]), [['draft', 1, 'unknown_schema']]);
  await move('three');
  await tab.waitFor(() => restored.draft?.text === 'tea', { what: 'the draft' });
});

inBrowsers('builds, states and fields may be called what every object inherits', { only: ['chromium', 'firefox'] }, async (t, browser) => {
  const names = ['__proto__', 'constructor', 'toString'];
  const app = `
    globalThis.got = {};
    for (const name of ${JSON.stringify(names)}) {
      changeover.state(name, { capture: () => name + ' of ' + BUILD, restore: (value) => (got['a ' + name] = value) });
      changeover.state('of ' + name, { capture: () => new Set([name]), restore: (value) => (got['set of ' + name] = [...value]) });
    }
    $('field').name = '__proto__';
  `;
  const site = await startSite(t, {
    first: 'constructor',
    build: (name, dist) => writeApp(name, dist, { attributes: { 'data-build': name, 'data-fields': 'on' }, app }),
  });
  const tab = await openApp(browser, site, { stream: null });
  assert.equal(await tab.eval(() => changeover.status.build), 'constructor');
  await tab.type('#field', 'typed');
  await site.publish('__proto__');
  await tab.waitFor(promptIsUp, { timeout: 20_000 });
  await tab.click(RELOAD_BUTTON);
  await shows(tab, '__proto__');
  const expected = Object.fromEntries(names.flatMap((name) => [[`a ${name}`, `${name} of constructor`], [`set of ${name}`, [name]]]));
  await tab.waitFor((count) => Object.keys(globalThis.got ?? {}).length === count, 6, { what: 'all states' });
  assert.deepEqual(await tab.eval(() => got), expected);
  await tab.waitFor(() => /** @type {HTMLInputElement} */ (document.getElementById('field')).value === 'typed', { what: 'the field' });
  assert.deepEqual(await tab.eval(() => [Object.keys(Object.prototype), changeover.status.build, loads]), [[], '__proto__', 2]);
});
