// What the modules of a page tell each other. None of it is public, and none of it is shipped.
import type {
  AbortReason, Backup, Changeover, ChangeoverEvent, Decision, Labels, Level, Migration, Options, Prompt, Reason, Status, StateProvider, Store, StoreSpec, Undo, Validator,
} from '../index.js';

/** Something went wrong while code was loaded or run: an event as the browser made it, or what is passed on in its shape. */
export interface LoadEvent {
  readonly type: string;
  readonly target?: unknown;
  readonly error?: unknown;
  readonly message?: unknown;
  readonly filename?: string;
  /** Of an `unhandledrejection`. */
  readonly reason?: unknown;
  /** Of a `vite:preloadError`. */
  readonly payload?: unknown;
}

/** What the engine judges of it. */
export interface LoadFailure {
  kind: 'script' | 'style' | 'import' | 'error';
  message: string;
  url: string | null;
}
