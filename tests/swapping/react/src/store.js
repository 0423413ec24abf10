import { useSyncExternalStore } from 'react';

let user = 'ada';
const listeners = new Set();
globalThis.stores = (globalThis.stores ?? 0) + 1;
const subscribe = (listener) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};
export function useUser() {
  const value = useSyncExternalStore(subscribe, () => user);
  return [value, (next) => {
    user = next;
    listeners.forEach((listener) => listener());
  }];
}
export const nameOf = () => user;
export const shout = () => user.toUpperCase();
