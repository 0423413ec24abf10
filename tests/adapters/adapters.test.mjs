// The adapters against the libraries themselves: a page captures, the value travels as a clone, the next page restores.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instrument } from '@redux-devtools/instrument';
import { combineReducers, configureStore, createListenerMiddleware, createSlice } from '@reduxjs/toolkit';
import { dehydrate, hydrate, onlineManager, QueryClient, QueryObserver } from '@tanstack/query-core';
import { createPinia, defineStore } from 'pinia';
import { applyMiddleware, combineReducers as plainCombine, legacy_createStore } from 'redux';
import { computed, createApp, effect, nextTick, reactive, ref, shallowRef } from 'vue';
import { create } from 'zustand';
import { devtools, persist, subscribeWithSelector } from 'zustand/middleware';
import { createStore } from 'zustand/vanilla';
import { object, pinia, query, redux, zustand } from '../../pkg-template/adapters.js';

/** What reaches the next page. */
async function travel(from, to) {
  const value = structuredClone(await from.capture());
  await to.restore(structuredClone(value));
  return value;
}

test('an adapter hands the schema and the migrations on, and keeps its own options', () => {
  const migrations = [{ from: 1, to: 2, up: (value) => value }];
  const { capture, restore, ...schema } = zustand(createStore(() => ({})), { schema: 2, migrations, pick: ['items'] });
  assert.deepEqual(schema, { schema: 2, migrations });
  assert.deepEqual([typeof capture, typeof restore], ['function', 'function']);
});

// zustand

const cart = () =>
  create(
    subscribeWithSelector((set, get) => ({
      items: [],
      note: '',
      add: (item) => set({ items: [...get().items, item] }),
      view: { open: false, toggle: () => set({ view: { ...get().view, open: !get().view.open } }) },
    })),
  );

test('a zustand store gets its values back and keeps its actions, also those in slices', async () => {
  const before = cart();
  before.getState().add({ id: 1, at: new Date(5) });
  before.getState().view.toggle();
  const after = cart();
  const seen = [];
  after.subscribe((state) => state.items.length, (count) => seen.push(count));
  const { add, view } = after.getState();
  const value = await travel(zustand(before), zustand(after));
  assert.deepEqual(value, { items: [{ id: 1, at: new Date(5) }], note: '', view: { open: true } });
  assert.equal(after.getState().add, add);
  assert.equal(after.getState().view.toggle, view.toggle);
  assert.deepEqual(seen, [1]);
  after.getState().add({ id: 2 });
  after.getState().view.toggle();
  assert.deepEqual([after.getState().items.length, after.getState().view.open], [2, false]);
});

test('what a zustand store has beyond the captured value stays; an action is never replaced by data', async () => {
  const after = createStore(() => ({ items: [], fresh: 'default', clear() {}, sub: { made: { go() {} } } }));
  const { clear, sub } = after.getState();
  zustand(after).restore({ items: [1], clear: 'poison', sub: { kept: 1 }, ['__proto__']: { poisoned: true } });
  assert.deepEqual(Object.keys(after.getState()), ['items', 'fresh', 'clear', 'sub']);
  assert.equal(after.getState().fresh, 'default');
  assert.equal(after.getState().clear, clear);
  assert.equal(after.getState().sub.made, sub.made, 'an object of actions is no data that could have been dropped');
  assert.equal(after.getState().sub.kept, 1);
  zustand(after).restore(JSON.parse('{"__proto__": {"poisoned": true}}'));
  assert.equal(after.getState().poisoned, undefined);
});

test('`pick` and `omit` hold for capturing and for restoring', async () => {
  const store = createStore(() => ({ a: 1, b: 2, c: 3 }));
  assert.deepEqual(zustand(store, { pick: ['a', 'b'] }).capture(), { a: 1, b: 2 });
  assert.deepEqual(zustand(store, { omit: ['a'] }).capture(), { b: 2, c: 3 });
  zustand(store, { omit: ['c'] }).restore({ a: 10, c: 30 });
  assert.deepEqual(store.getState(), { a: 10, b: 2, c: 3 });
});

test('a zustand store whose state is no object is replaced as a whole', async () => {
  const before = createStore(() => new Map([['a', { n: 1 }]]));
  const after = createStore(() => new Map());
  await travel(zustand(before), zustand(after));
  assert.deepEqual(after.getState(), new Map([['a', { n: 1 }]]));
});

test('zustand middlewares see the restored state as any other', async () => {
  const saved = new Map();
  const storage = { getItem: (key) => saved.get(key) ?? null, setItem: (key, value) => saved.set(key, value), removeItem: (key) => saved.delete(key) };
  const store = create(devtools(persist(() => ({ n: 1 }), { name: 'kept', storage }), { enabled: false }));
  zustand(store).restore({ n: 2 });
  assert.deepEqual(saved.get('kept').state, { n: 2 });
});

test('a cycle in a state survives', async () => {
  const node = { name: 'a' };
  node.self = node;
  const after = createStore(() => ({ node: null }));
  await travel(zustand(createStore(() => ({ node }))), zustand(after));
  assert.equal(after.getState().node.self, after.getState().node);
});

// redux

const slices = () => {
  const items = createSlice({ name: 'items', initialState: [], reducers: { added: (state, { payload }) => void state.push(payload) } });
  const view = createSlice({ name: 'view', initialState: { page: 1 }, reducers: { turned: (state) => void state.page++ } });
  return { items, view, reducer: combineReducers({ items: items.reducer, view: view.reducer }) };
};

test('a Redux Toolkit store gets its slices back without an action of the app', async () => {
  const { items, view, reducer } = slices();
  const before = configureStore({ reducer });
  before.dispatch(items.actions.added('book'));
  before.dispatch(view.actions.turned());

  const actions = [];
  const listening = createListenerMiddleware();
  const heard = [];
  listening.startListening({ actionCreator: items.actions.added, effect: ({ payload }) => void heard.push(payload) });
  const after = configureStore({
    reducer,
    middleware: (defaults) => defaults().prepend(listening.middleware).concat(() => (next) => (action) => (actions.push(action.type), next(action))),
  });
  const told = [];
  after.subscribe(() => told.push(after.getState().items.length));
  const value = await travel(redux(before, reducer), redux(after, reducer));
  assert.deepEqual(value, { items: ['book'], view: { page: 2 } });
  assert.deepEqual(after.getState(), value);
  assert.deepEqual(actions, [], 'no middleware has seen anything');
  assert.ok(told.length > 0 && told.every((count) => count === 1), 'every subscriber was told');

  after.dispatch(items.actions.added('pen'));
  await new Promise((done) => setTimeout(done));
  assert.deepEqual([after.getState().items, actions, heard], [['book', 'pen'], ['items/added'], ['pen']]);
});

test('a slice that is not captured keeps its state, and one that no longer exists leaves no trace', () => {
  const { reducer } = slices();
  const store = legacy_createStore(reducer);
  redux(store, reducer, { omit: ['view'] }).restore({ items: [1], view: { page: 9 }, gone: 1 });
  assert.deepEqual(store.getState(), { items: [1], view: { page: 1 } });
});

test('a reducer that cannot live with the value refuses it, and everything is as before', () => {
  const reducer = plainCombine({ items: (state = [], action) => (action.type === 'add' ? [...state, action.item] : state.map((item) => item)) });
  const store = legacy_createStore(reducer, applyMiddleware(() => (next) => next));
  store.dispatch({ type: 'add', item: 1 });
  assert.throws(() => redux(store, reducer).restore({ items: 'no list' }), TypeError);
  assert.deepEqual(store.getState(), { items: [1] });
  store.dispatch({ type: 'add', item: 2 });
  assert.deepEqual(store.getState(), { items: [1, 2] });
});

test('the Redux developer tools do not undo what was restored', () => {
  const { items, reducer } = slices();
  const store = legacy_createStore(reducer, instrument());
  store.dispatch(items.actions.added('before'));
  redux(store, reducer).restore({ items: ['book'] });
  assert.deepEqual(store.getState().items, ['book']);
  store.dispatch(items.actions.added('pen'));
  assert.deepEqual(store.getState().items, ['book', 'pen']);
  store.liftedStore.dispatch({ type: 'ROLLBACK', timestamp: 0 });
  assert.deepEqual(store.getState().items, ['book']);
});

test("redux-persist's mark stays the page's own", () => {
  const reducer = (state = { n: 1, _persist: { version: 1, rehydrated: false } }) => state;
  const store = legacy_createStore(reducer);
  assert.deepEqual(redux(store, reducer).capture(), { n: 1 });
  redux(store, reducer).restore({ n: 2, _persist: { version: 1, rehydrated: true } });
  assert.deepEqual(store.getState(), { n: 2, _persist: { version: 1, rehydrated: false } });
});

// pinia

const useCart = defineStore('cart', { state: () => ({ items: [], note: '' }), getters: { count: (state) => state.items.length }, actions: { add(item) { this.items.push(item); } } });
const useForm = defineStore('form', () => {
  const text = ref('');
  const tags = shallowRef([]);
  const options = reactive({ wrap: false, sizes: new Map() });
  const loud = computed(() => text.value.toUpperCase());
  return { text, tags, options, loud, write: (value) => (text.value = value) };
});

test('Pinia stores of both kinds get their state back, seen by their watchers', async () => {
  const [one, two] = [createPinia(), createPinia()];
  const [cart, form] = [useCart(one), useForm(one)];
  cart.add({ id: 1, more: ref('inside') });
  form.write('hello');
  form.tags = [{ name: 'new' }];
  form.options.wrap = true;
  form.options.sizes.set('a', { px: 1 });

  const [cart2, form2] = [useCart(two), useForm(two)];
  const { options } = form2;
  const seen = [];
  effect(() => seen.push([cart2.count, form2.loud, form2.tags.length, form2.options.wrap, form2.options.sizes.size]));
  const patches = [];
  form2.$subscribe(({ storeId }) => patches.push(storeId), { flush: 'sync' });
  await nextTick(); // until then the store counts its own making as the change
  assert.deepEqual(await travel(pinia(cart), pinia(cart2)), { items: [{ id: 1, more: 'inside' }], note: '' });
  assert.deepEqual(await travel(pinia(form), pinia(form2)), { text: 'hello', tags: [{ name: 'new' }], options: { wrap: true, sizes: new Map([['a', { px: 1 }]]) } });
  assert.deepEqual(seen.at(-1), [1, 'HELLO', 1, true, 1]);
  assert.equal(form2.options, options, 'a reactive object that a setup store made is the one its functions hold');
  assert.ok(patches.includes('form'));
});

for (const when of ['before', 'after']) {
  test(`a whole Pinia restores stores that are used later, ${when} it is installed`, async () => {
    const one = createPinia();
    useCart(one).add({ id: 1 });
    useForm(one).write('later');
    const two = createPinia();
    const install = () => createApp({}).use(two);
    if (when === 'after') install();
    useCart(two);
    const adapter = pinia(two);
    await travel(pinia(one), adapter);
    assert.equal(useCart(two).count, 1);
    assert.equal(two.state.value.form, undefined);
    assert.equal(adapter.capture().form.text, 'later', 'until it is used it travels on');
    if (when === 'before') {
      useForm(two);
      install();
    }
    assert.equal(useForm(two).text, 'later');
    useForm(two).write('and only once');
    assert.equal(adapter.capture().form.text, 'and only once');
    adapter.restore({ cart: { items: [] } });
    assert.equal(useCart(two).count, 0);
  });
}

test('a field that a build adds to a Pinia store keeps its default when older state comes', () => {
  const two = createPinia();
  createApp({}).use(two);
  pinia(two).restore({ cart: { items: [1] } });
  assert.deepEqual({ ...useCart(two).$state }, { items: [1], note: '' });
});

// TanStack Query

for (const functions of [{}, { dehydrate, hydrate }]) {
  const how = functions.hydrate ? "with the library's functions" : 'with the plain structures';
  test(`a query cache travels ${how}, without what is pending, failed or cannot be cloned`, async () => {
    const before = new QueryClient({ defaultOptions: { queries: { retry: false } } });
    before.setQueryData(['todos', 1], { title: 'buy milk' });
    before.setQueryData(['session'], 'secret');
    before.setQueryData(['socket'], { send() {} });
    before.prefetchQuery({ queryKey: ['slow'], queryFn: () => new Promise(() => {}) });
    await before.prefetchQuery({ queryKey: ['broken'], queryFn: async () => Promise.reject(new Error('500')) });
    const options = { ...functions, omit: ['session'] };
    const after = new QueryClient();
    const seen = [];
    new QueryObserver(after, { queryKey: ['todos', 1], enabled: false }).subscribe(({ data }) => data && seen.push(data.title));
    const value = await travel(query(before, options), query(after, options));
    assert.deepEqual(value.queries.map(({ queryKey }) => queryKey), [['todos', 1]]);
    assert.deepEqual(after.getQueryData(['todos', 1]), { title: 'buy milk' });
    assert.equal(after.getQueryState(['todos', 1]).dataUpdatedAt, before.getQueryState(['todos', 1]).dataUpdatedAt);
    assert.equal(after.getQueryState(['todos', 1]).fetchStatus, 'idle');
    assert.deepEqual(seen, ['buy milk']);
    before.clear();
    after.clear();
  });

  test(`newer data of the page itself stays ${how}`, async () => {
    const before = new QueryClient();
    before.setQueryData(['n'], 'old', { updatedAt: 1 });
    before.setQueryData(['m'], 'new', { updatedAt: 9 });
    const after = new QueryClient();
    after.setQueryData(['n'], 'newer', { updatedAt: 2 });
    after.setQueryData(['m'], 'older', { updatedAt: 2 });
    await travel(query(before, functions), query(after, functions));
    assert.deepEqual([after.getQueryData(['n']), after.getQueryData(['m'])], ['newer', 'new']);
    before.clear();
    after.clear();
  });

  test(`a mutation that waits for a connection is not lost ${how}`, async () => {
    const sent = [];
    const client = () => {
      const made = new QueryClient();
      made.setMutationDefaults(['save'], { mutationFn: async (given) => void sent.push(given) });
      return made;
    };
    onlineManager.setOnline(false);
    const before = client();
    before.getMutationCache().build(before, { mutationKey: ['save'] }).execute({ text: 'offline' });
    await new Promise((done) => setTimeout(done));
    const after = client();
    await travel(query(before, functions), query(after, functions));
    before.clear();
    onlineManager.setOnline(true);
    await after.resumePausedMutations();
    assert.deepEqual(sent, [{ text: 'offline' }]);
    after.clear();
  });
}

test('a page that passes the functions and one that does not understand each other', async () => {
  const before = new QueryClient();
  before.setQueryData(['a'], 1);
  for (const [from, to] of [[{}, { dehydrate, hydrate }], [{ dehydrate, hydrate }, {}]]) {
    const after = new QueryClient();
    await travel(query(before, from), query(after, to));
    assert.equal(after.getQueryData(['a']), 1);
    after.clear();
  }
  before.clear();
});

// plain objects

test('an object is filled in place: references to it and into it stay valid', async () => {
  const before = { user: { name: 'Ann' }, list: [{ n: 1 }], seen: new Set(['a']), sizes: new Map([['s', 1]]), greet() {} };
  const after = { user: { name: '', old: 1, hello() {} }, list: [0, 0], seen: new Set(), sizes: new Map([['x', 0]]), greet: () => 'mine', fresh: 1, get both() { return this.fresh; } };
  const { user, list, seen, sizes, greet } = after;
  await travel(object(before), object(after));
  assert.equal(after.user, user);
  assert.deepEqual(Object.keys(user), ['name', 'hello']);
  assert.deepEqual([user.name, list, seen, sizes, after.greet, after.fresh], ['Ann', [{ n: 1 }], new Set(['a']), new Map([['s', 1]]), greet, 1]);
  object(after).restore({ both: 5, list: null });
  assert.deepEqual([after.both, after.list], [1, null]);
});

test('an object of a class keeps its class, and a very long list fits', async () => {
  class Counter { count = 0; items = []; bump = () => this.count++; twice() { return this.count * 2; } }
  const [before, after] = [new Counter(), new Counter()];
  before.bump();
  before.items = Array.from({ length: 300_000 }, (_, n) => n);
  await travel(object(before), object(after));
  after.bump();
  assert.deepEqual([after.twice(), after.items.length], [4, 300_000]);
});

test('an object without a prototype and a reactive one are captured as what they hold', () => {
  const bare = Object.assign(Object.create(null), { a: 1 });
  assert.deepEqual(object(bare).capture(), { a: 1 });
  const state = reactive({ deep: { list: [ref(1), { n: 2 }], when: new Map([['k', reactive({ v: 1 })]]) } });
  assert.deepEqual(structuredClone(object(state).capture()), { deep: { list: [1, { n: 2 }], when: new Map([['k', { v: 1 }]]) } });
});

// what is no store

test('what is no store is refused, naming what came', () => {
  const table = [
    [() => zustand(undefined), 'zustand() needs a store with getState() and setState() and got undefined'],
    [() => zustand({ state: 1, other: 2 }), 'zustand() needs a store with getState() and setState() and got an object with state, other'],
    [() => redux(createStore(() => ({}))), 'redux() needs a store with getState(), dispatch() and replaceReducer() and got an object with setState, getState, getInitialState, subscribe'],
    [() => redux(legacy_createStore(() => 1), { items: () => [] }), 'redux() needs the root reducer, which combineReducers() makes of several, and got an object with items'],
    [() => pinia(useCart), 'pinia() needs a store with $state and $patch(), or a pinia, and got the function useStore'],
    [() => query('client'), 'query() needs a QueryClient with getQueryCache() and getMutationCache() and got the string "client"'],
    [() => object([1, 2]), 'object() needs an object and got a list of 2'],
    [() => object(null), 'object() needs an object and got null'],
  ];
  for (const [make, message] of table) assert.throws(make, { name: 'ChangeoverError', code: 'not_a_store', message });
});

test('a value that is no object any more is refused before anything is touched', () => {
  const store = createStore(() => ({ a: 1 }));
  const target = { a: 1 };
  const made = useCart(createPinia());
  for (const adapter of [zustand(store), object(target), pinia(made), pinia(createPinia()), query(new QueryClient())]) {
    assert.throws(() => adapter.restore([1]), { code: 'invalid_value', message: 'an object is to be restored, and a list of 1 came' });
  }
  assert.deepEqual([store.getState(), target], [{ a: 1 }, { a: 1 }]);
});
