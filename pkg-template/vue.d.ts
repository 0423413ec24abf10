// changeover/vue: slots in a Vue 3 tree.
import type { Component, Ref } from 'vue';

/**
 * `defineAsyncComponent` whose component can be replaced while it is mounted. The bundler plugin finds it and passes the slot's
 * id; without the plugin it is `defineAsyncComponent`. Beside its `default`, the module may export `schema`, `migrations` and
 * `validate` for the values of `useSlotState`.
 */
export function lazy<T extends Component>(load: () => Promise<T | { default: T }>, id?: string): T;

/** A `ref` whose value goes along when the slot is swapped; `key` names it within the slot. */
export function useSlotState<T>(key: string, initial: T | (() => T)): Ref<T>;
