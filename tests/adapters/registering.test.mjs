// One line for each library: registered, captured by one build, migrated and restored by the next.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { combineReducers, configureStore, createSlice } from '@reduxjs/toolkit';
import { QueryClient } from '@tanstack/query-core';
import { createStores } from 'changeover/stores.js';
import { createPinia, defineStore } from 'pinia';
import { createStore } from 'zustand/vanilla';
import { object, pinia, query, redux, zustand } from '../../pkg-template/adapters.js';
import { makeDisk, sealed, setUp } from '../browser/states.mjs';

const rename = (from, to) => ({ [from]: moved, ...rest }) => ({ ...rest, [to]: moved });
/** The second build calls `n` `count`. */
const schema = (build, at = (change) => change) =>
  build === 1 ? { schema: 1 } : { schema: 2, migrations: [{ from: 1, to: 2, up: at(rename('n', 'count')), down: at(rename('count', 'n')) }] };

/** The states of a page of this build, with the value `start` in them, and a look at what is there. */
function page(build, start) {
  const key = build === 1 ? 'n' : 'count';
  const cart = createStore(() => ({ [key]: start, add() {} }));
  const slice = createSlice({ name: 'view', initialState: { [key]: start }, reducers: {} });
  const reducer = combineReducers({ view: slice.reducer });
  const store = configureStore({ reducer });
  const options = defineStore('options', { state: () => ({ [key]: start, since: new Map([['a', start]]) }) })(createPinia());
  const client = new QueryClient();
  if (start) client.setQueryData(['n'], { [key]: start });
  const settings = { [key]: start };
  const inSlice = (change) => ({ view, ...rest }) => ({ ...rest, view: change(view) });
  const inQueries = (change) => ({ queries, ...rest }) => ({ ...rest, queries: queries.map((one) => ({ ...one, state: { ...one.state, data: change(one.state.data) } })) });
  return {
    states: {
      cart: zustand(cart, schema(build)),
      view: redux(store, reducer, schema(build, inSlice)),
      options: pinia(options, schema(build)),
      queries: query(client, schema(build, inQueries)),
      settings: object(settings, schema(build)),
    },
    look: () => ({
      cart: cart.getState()[key], view: store.getState().view[key], options: [options[key], options.since.get('a')],
      queries: client.getQueryData(['n'])?.[key], settings: settings[key], action: typeof cart.getState().add,
    }),
    close: () => client.clear(),
  };
}

/** The migrations of the real engine. */
const runs = async () => (await createStores({ options: {} })).states;

for (const [from, to] of [[1, 2], [2, 1]]) {
  test(`from the build with schema ${from} to the one with schema ${to}`, async () => {
    const disk = makeDisk();
    const before = page(from, 7);
    const leaving = setUp(undefined, { disk, build: 'a', runs });
    for (const [name, state] of Object.entries(before.states)) leaving.states.register(name, state);
    await leaving.states.restored();
    const target = Object.fromEntries(Object.keys(before.states).map((name) => [name, { schema: to, reads: [to] }]));
    const captured = await leaving.states.capture(from > to ? target : undefined);

    const after = page(to, 0);
    const arriving = setUp(sealed(captured), { disk, build: 'b', runs });
    const report = arriving.states.restored();
    for (const [name, state] of Object.entries(after.states)) arriving.states.register(name, state);
    assert.deepEqual(await report, { restored: Object.keys(after.states), failed: [] });
    assert.deepEqual(arriving.problems, []);
    assert.deepEqual(after.look(), { cart: 7, view: 7, options: [7, 7], queries: 7, settings: 7, action: 'function' });
    before.close();
    after.close();
  });
}
