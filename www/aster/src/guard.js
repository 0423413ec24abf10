// Everything the app asks of changeover.
import { useEffect, useRef, useSyncExternalStore } from 'react';
import { createChangeover } from 'changeover';

export const guard = createChangeover();

/** A value that components can watch with `useStore`. */
export function makeStore(value) {
  const listeners = new Set();
  return {
    read: () => value,
    write(next) {
      value = typeof next === 'function' ? next(value) : next;
      listeners.forEach((listener) => listener());
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/**
 * A store whose value survives a changeover, under a name. It may be made late, by a route that is loaded late. With a
 * schema the value is migrated on the way.
 */
export function makeTabState(name, initial, schema = {}) {
  const store = makeStore(initial);
  guard.state(name, { ...schema, capture: store.read, restore: store.write });
  return store;
}

const carriers = new Map(); // name -> the components that have it, the youngest last

/** Carries what a slot holds through a reload. While a slot is swapped there are two of it, and the older may come back. */
export function useCarried(name, schema, value, write) {
  const now = useRef();
  now.current = { value, write };
  useEffect(() => {
    const own = { ...schema, capture: () => now.current.value, restore: (carried) => now.current.write(carried) };
    const all = carriers.get(name) ?? [];
    carriers.set(name, all);
    all.push(own);
    const release = guard.state(name, own);
    return () => {
      all.splice(all.indexOf(own), 1);
      release();
      if (all.length) guard.state(name, all.at(-1));
    };
  }, []);
}

/** All records of a durable store that every tab shares, whatever its build; kept up to date. */
export function makeSharedStore(name, spec) {
  const shared = guard.store(name, spec);
  const records = makeStore({});
  const readAll = async () => {
    try {
      records.write(Object.fromEntries(await shared.list()));
    } catch (error) {
      console.warn(error.message); // this browser keeps nothing, or another build does not let us in
    }
  };
  shared.subscribe(({ key, value }) => {
    if (key === null) return readAll();
    records.write(({ [key]: _before, ...rest }) => (value === undefined ? rest : { ...rest, [key]: value }));
  });
  readAll();
  return { ...records, set: shared.set, remove: shared.delete };
}

export function useStore(store) {
  return [useSyncExternalStore(store.subscribe, store.read), store.write];
}

const status = makeStore({ ...guard.status });
guard.on('*', () => status.write({ ...guard.status }));

/** What the guard knows, rendered again whenever it changes. */
export function useGuardStatus() {
  return useStore(status)[0];
}
