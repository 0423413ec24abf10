// Everything the app asks of changeover.
import { useSyncExternalStore } from 'react';
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

/** A store whose value survives a changeover, under a name. It may be made late, by a route that is loaded late. */
export function makeTabState(name, initial) {
  const store = makeStore(initial);
  guard.state(name, { capture: store.read, restore: store.write });
  return store;
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
