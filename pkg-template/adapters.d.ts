// What state libraries hold, as states of changeover. Needs none of the libraries: each is known by its shape.
import type { Schema, StateProvider } from './index.js';

/** The schema of what is captured, and which of its keys are: all, those of `pick`, those that `omit` does not name. */
export interface More<Key extends PropertyKey = string> extends Partial<Schema> {
  pick?: readonly Key[];
  omit?: readonly Key[];
}

/** What is captured of a state: everything but its functions. */
export type Fields<S> = S extends object ? { [K in keyof S as S[K] extends (...given: any[]) => unknown ? never : K]: S[K] } : S;

/** A store of `zustand`, or the hook made from one. */
export interface ZustandStore<S> {
  getState(): S;
  setState(state: any, replace?: any): unknown;
}
export function zustand<S>(store: ZustandStore<S>, more?: More<keyof S>): StateProvider<Partial<Fields<S>>>;

/** A store of `redux` or `@reduxjs/toolkit`. */
export interface ReduxStore<S> {
  getState(): S;
  dispatch(action: any): unknown;
  replaceReducer(reducer: any): unknown;
}
/** `reducer` is the root reducer the store was made with. Puts the value in place without an action of the app. */
export function redux<S>(store: ReduxStore<S>, reducer: (state: any, action: any) => any, more?: More<keyof S>): StateProvider<Partial<S>>;

/** A store of `pinia`. */
export interface PiniaStore<S> {
  $state: S;
  $patch(change: (state: any) => any): void;
}
/** All stores of a `pinia`; `pick` and `omit` name their ids. */
export interface Pinia {
  state: { value: Record<string, any> };
  use(plugin: any): unknown;
}
export function pinia<S>(store: PiniaStore<S>, more?: More<keyof S>): StateProvider<Partial<S>>;
export function pinia(pinia: Pinia, more?: More): StateProvider<Record<string, unknown>>;

/** A `QueryClient` of TanStack Query. */
export interface QueryClient {
  getQueryCache(): unknown;
  getMutationCache(): unknown;
}
/** The fetched queries and the paused mutations of a cache. */
export interface QueryCache { queries: any[]; mutations: any[] }
export interface QueryMore extends More<PropertyKey> {
  /** `dehydrate` and `hydrate` of TanStack Query, for apps that set options of them. Default: the same in short. */
  dehydrate?(client: any, options?: any): { queries: any[]; mutations: any[] };
  hydrate?(client: any, state: any, options?: any): void;
}
/** `pick` and `omit` name first elements of query keys. Pending and failed queries are left out. */
export function query(client: QueryClient, more?: QueryMore): StateProvider<QueryCache>;

/** An object of the app; filled in place, so that references to it and into it stay valid. */
export function object<S extends object>(object: S, more?: More<keyof S>): StateProvider<Partial<Fields<S>>>;
