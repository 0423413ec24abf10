// changeover/react: slots in a React tree, for React 18.2 and later.
import type { ComponentType, LazyExoticComponent, ReactNode } from 'react';

/**
 * `React.lazy` whose component can be replaced while it is mounted. The bundler plugin finds it and passes the slot's id;
 * without the plugin it is `React.lazy`. Beside its `default`, the module may export `schema`, `migrations` and `validate` for
 * the values of `useSlotState`.
 */
export function lazy<T extends ComponentType<any>>(load: () => Promise<{ default: T }>, id?: string): LazyExoticComponent<T>;

/** The slot `id` of this page by name; every other prop goes to its component. */
export function Slot(props: { id: string; fallback?: ReactNode; [prop: string]: unknown }): ReactNode;

/** `useState` whose value goes along when the slot is swapped; `key` names it within the slot. Outside a slot it is `useState`. */
export function useSlotState<T>(key: string, initial: T | (() => T)): [T, (next: T | ((before: T) => T)) => void];
