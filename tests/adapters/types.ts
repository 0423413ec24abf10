// The adapters and validators against the types of the libraries themselves.
import { createChangeover } from 'changeover';
import { pinia, query, redux, zustand } from 'changeover/adapters';
import { roundTrip } from 'changeover/testing';
import { combineReducers, configureStore, createSlice } from '@reduxjs/toolkit';
import { dehydrate, hydrate, QueryClient } from '@tanstack/query-core';
import fc from 'fast-check';
import { createPinia, defineStore } from 'pinia';
import { legacy_createStore } from 'redux';
import * as v from 'valibot';
import { z } from 'zod';
import { create } from 'zustand';
import { devtools, persist, subscribeWithSelector } from 'zustand/middleware';
import { createStore } from 'zustand/vanilla';

interface Cart { items: string[]; note: string; add(item: string): void }
const changeover = createChangeover();

const cart = createStore<Cart>()((set) => ({ items: [], note: '', add: (item) => set(({ items }) => ({ items: [...items, item] })) }));
const useCart = create<Cart>()(devtools(persist(subscribeWithSelector((): Cart => ({ items: [], note: '', add() {} })), { name: 'cart' })));
for (const store of [cart, useCart]) {
  const { restore } = zustand(store, { schema: 2, omit: ['note'], validate: z.object({ items: z.array(z.string()) }) });
  restore({ items: ['a'] });
  // @ts-expect-error: actions are no part of it
  restore({ add() {} });
}
changeover.state('cart', zustand(useCart, { validate: v.object({ items: v.array(v.string()) }) }));

const view = createSlice({ name: 'view', initialState: { page: 1 }, reducers: { turned: (state) => void state.page++ } });
const reducer = combineReducers({ view: view.reducer });
const store = configureStore({ reducer });
changeover.state('redux', redux(store, reducer, { pick: ['view'] }));
// @ts-expect-error: no such slice
redux(store, reducer, { pick: ['cart'] });
changeover.state('plain', redux(legacy_createStore(view.reducer), view.reducer));

const useOptions = defineStore('options', { state: () => ({ items: [] as string[] }), actions: { add() {} } });
const all = createPinia();
changeover.state('options', pinia(useOptions(all), { pick: ['items'] }));
changeover.state('pinia', pinia(all, { omit: ['session'] }));

const client = new QueryClient();
changeover.state('queries', query(client, { omit: ['session'] }));
changeover.state('queries', query(client, { dehydrate, hydrate, schema: 2 }));

void roundTrip({ schema: 1 }, { arbitrary: { 1: fc.record({ n: fc.integer() }) }, sample: fc.sample });
