// The types of the entry points beside the guard. Those of real libraries are tried in tests/adapters/types.ts.
import { createChangeover } from 'changeover';
import { object, pinia, query, redux, zustand } from 'changeover/adapters';
import { fromIndexedDb, fromLocalStorage, fromReduxPersist, fromZustandPersist } from 'changeover/adopt';
import { everySchemaReaches, faultyIndexedDb, faultySteps, golden, rehearse, roundTrip } from 'changeover/testing';
import type { Adoption, Migration, StateProvider, StoreSpec } from 'changeover';
import type { BrokenLaw, Faults, Spec } from 'changeover/testing';

interface Cart { items: string[]; note: string; add(item: string): void }
const changeover = createChangeover();
const migrations: Migration[] = [{ from: 1, to: 2, up: (value) => value, down: (value) => value, lossy: 'down' }];

// Adapters: one line each; actions are no part of what is captured.
declare const cart: { getState(): Cart; setState(state: Partial<Cart>, replace?: boolean): void };
const provider: StateProvider<Partial<{ items: string[]; note: string }>> = zustand(cart, { schema: 2, migrations, omit: ['note'] });
changeover.state('cart', provider);
// @ts-expect-error: the store has no such key
zustand(cart, { pick: ['price'] });
// @ts-expect-error: no store
zustand({ state: 1 });

declare const store: { getState(): { page: number }; dispatch(action: { type: string }): void; replaceReducer(reducer: (state: { page: number }) => { page: number }): void };
const reducer = (state: { page: number }) => state;
changeover.state('view', redux(store, reducer, { pick: ['page'] }));
// @ts-expect-error: the root reducer is needed
redux(store);

declare const piniaStore: { $id: string; $state: { items: string[] }; $patch(change: (state: { items: string[] }) => void): void };
changeover.state('cart', pinia(piniaStore, { omit: ['items'] }));
declare const queryClient: { getQueryCache(): object; getMutationCache(): object };
changeover.state('queries', query(queryClient, { omit: ['session'] }));
changeover.state('settings', object({ dark: true, toggle() {} }, { pick: ['dark'] }));
// @ts-expect-error: an object is needed
object('settings');

// Adoption.
const adopt: Adoption[] = [
  fromLocalStorage('notes', { schema: 1 }),
  fromLocalStorage({ prefix: 'note:' }, { schema: 1, key: (name) => name.slice(5), parse: (text) => text }),
  fromLocalStorage(['a', 'b'], { schema: 1 }),
  fromIndexedDb({ database: 'localforage', store: 'keyvaluepairs', schema: 1, key: (key: number) => `n${key}` }),
  fromReduxPersist('root', { slices: ['cart'], schema: (version) => version + 2 }),
  fromReduxPersist(),
  fromZustandPersist('cart', { schema: 3 }),
];
const spec: StoreSpec<{ text: string }> = { schema: 2, migrations, adopt };
changeover.store('notes', spec);
// @ts-expect-error: what is adopted has a schema
fromLocalStorage('notes', {});
// @ts-expect-error: a database and a store
fromIndexedDb({ database: 'a', schema: 1 });

// The test kit takes what `state()` and `store()` take.
const named: Spec = { ...spec, name: 'notes' };
export async function tests() {
  await everySchemaReaches(2, spec);
  const { checks }: { checks: number } = await roundTrip(named, { samples: { 1: [{}] }, arbitrary: { 2: (nth) => ({ nth }) }, runs: 5 });
  const { written }: { written: number[] } = await golden(named, 'tests/golden', { update: true, values: { 2: {} } });
  const { stores } = await rehearse([named], [{ from: 1, value: {} }]);
  const code: string | null = stores[0]?.error?.code ?? null;
  const steps: Migration[] = faultySteps(migrations, { throwAt: 2, hangAt: (nth) => nth > 3 });
  const factory = faultyIndexedDb({ open: (name: string) => name }, { quotaAt: 3, blockOpen: true });
  const opened: string = factory.open('a');
  const faults: Faults = factory.faults;
  faults.failAt = 5;
  // @ts-expect-error: a count is read only
  faults.writes = 1;
  // @ts-expect-error: no such fault
  faultyIndexedDb({}, { explodeAt: 1 });
  // @ts-expect-error: a law needs something to be tried on
  roundTrip(named);
  return [checks, written, code, steps, opened];
}
export const sampleOf = ({ sample, step, path }: BrokenLaw): unknown[] => [sample, step, path];
