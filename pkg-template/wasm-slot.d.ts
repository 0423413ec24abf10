// changeover/wasm-slot: WebAssembly made by wasm-bindgen as the module of a slot.
import type { Migration } from './index.js';

/** Glue and WebAssembly of one build, as the bundler plugin puts them together for `import('./pkg/app.js?wasm-slot')`. */
export interface WasmParts {
  /** What errors call it. */
  name: string;
  /** Makes glue for one instance. */
  create(): WasmGlue;
  /** The full address of the module that has the glue: errors in it are the app's. */
  glue?: string;
  /** The full address of the WebAssembly. */
  wasm: string;
  /** Names the pair of glue and WebAssembly; stands in the custom section `changeover.pair` of the latter. Without it nothing is compared. */
  id?: string;
  /** Of the WebAssembly, as for `fetch`. */
  integrity?: string;
  /** The schema of the state. */
  schema: number;
  /** The older schemas that it can read. */
  reads?: readonly number[];
}

export interface WasmGlue {
  exports: any;
  imports: any;
  start(instance: any, module: any): void;
  /** Puts `nothing` in the place of the instance. */
  drop(nothing: any): void;
}

export interface WasmSlot {
  mount(host: any, context?: any): Promise<{ ready: Promise<void>; snapshot(): unknown; unmount(): void }>;
  readonly migrations: readonly Migration[];
  readonly schema: number;
  /** Fetches and compiles, so that mounting is quick. Does not fail: `mount` tries again. */
  ahead(): Promise<void>;
}

/**
 * Makes the module of a slot: `mount` makes an instance with memory of its own each time, and frees it after `unmount`.
 *
 * Errors have a `code`: `wasm_missing`, `wasm_mismatch`, `wasm_corrupt`, `slot_panicked`.
 */
export function wasmSlot(parts: WasmParts): WasmSlot;
