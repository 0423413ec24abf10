import type { Plugin } from 'vite';

export interface ChangeoverPluginOptions {
  /** URL of the site's `release.json`, seen from the page. Default: `changeover/release.json` under Vite's `base`. */
  release?: string;
  /** Name of the app, 1 to 64 letters, digits, `.`, `_` or `-`. Pages then ignore releases for another app. Default: the name in package.json, not checked by pages. */
  app?: string;
  /** Pages ignore releases of another channel. Default: not checked. */
  channel?: string;
  /**
   * Number of the build's release; pages take a release only when its number is above all they have seen. Default: the
   * time in seconds (of `SOURCE_DATE_EPOCH`, if set), or one more than that of the build before in the output folder.
   */
  sequence?: number;
  /** `'soon'`: pages ask without waiting for a better moment. `'now'`: they count down, save and reload. Default `'routine'`. */
  urgency?: 'routine' | 'soon' | 'now';
  /** What people read in the prompt, at most 500 characters of plain text. */
  message?: string;
  /** Milliseconds between two checks of `release.json`, per origin, before jitter. Default 60000, least 1000. */
  interval?: number;
  /** `'auto'`: pages use the event stream the server announces. `'off'`, or a URL. Default `'auto'`. */
  stream?: string;
  /** `false`: no built-in prompt. Default true. */
  prompt?: boolean;
  /** BCP 47 tag for the prompt. Default: the document's language, else the browser's. */
  lang?: string;
  /** Pages carry form fields, focus, selection and scroll positions through a reload, but no passwords or card fields. Default false. */
  fields?: boolean;
  /** Pages keep a trace of inputs and outputs, read with `changeover.trace()`. Default false. */
  trace?: boolean;
  /** `'inline'` puts the loader into the HTML instead of a file of its own: one request less, but it needs a nonce or a hash under a strict CSP. Default `'file'`. */
  loader?: 'file' | 'inline';
  /** Raised by one when pages must never take over code from builds before it without a reload. Default 1. */
  epoch?: number;
  /**
   * What this build does with its stores, by name, or the path of a JSON file that says so, relative to Vite's `root`.
   * `changeover publish` then refuses a build that cannot read what open tabs hold. Default: the file
   * `changeover.stores.json` in `root`, if there is one.
   */
  stores?: Record<string, ChangeoverPluginStore> | string;
  /**
   * Which dynamic imports are slots, beside those of `slot()` and `lazy()` of this package:
   *
   * - modules by path from Vite's `root`: `{ 'route:*': 'src/routes/*.jsx' }`, where `*` goes into the id of the slot, `**`
   *   and `{a,b}` may be used, and every `import()` of such a module counts;
   * - `'auto'`: what the lazy wrappers and routes of React, Vue, Solid and Preact take, with the module's path as the id;
   * - both, as a list; or `false`: none at all, not even those of `slot()`.
   *
   * Default: those of `slot()` and `lazy()` alone.
   */
  slots?: false | 'auto' | ChangeoverPluginSlots | readonly ('auto' | ChangeoverPluginSlots)[];
  /**
   * Packages, and modules of the app as `./src/store.js` from `root`, that get a file of their own with all they export: then a
   * slot may start to use another of their exports and still be swapped. React needs `react`, `react-dom/client` and
   * `react/jsx-runtime`; in an app that imports `changeover/react` or `react-dom/client` they are pinned anyway, as is this package.
   */
  pinned?: readonly string[];
  /** A manifest of an earlier build, or the folder of a published site: the build then says what a deploy of it would mean for open tabs. */
  compareWith?: string;
}

/** By the id of the slot. */
export type ChangeoverPluginSlots = Record<string, string | readonly string[] | ChangeoverPluginSlot>;

export interface ChangeoverPluginSlot {
  module: string | readonly string[];
  /** The schema of its state. Default: what the module exports as `schema`, when that is a plain number. */
  schema?: number;
}

export interface ChangeoverPluginStore {
  /** The schema this build works with: a whole number from 1. */
  schema: number;
  /** The schemas this build can read. Default: `schema` alone, which is always among them. */
  reads?: readonly number[];
}

/**
 * For each build: writes the manifest `changeover/builds/<id>.json` and the release `changeover/release.json` that points
 * to it into the output folder, so that a copy of that folder is a deploy; adds the loader, the runtime and what its stores
 * need to it, and puts the changeover script tag first into every HTML file. Does nothing in SSR and library builds;
 * in a dev server `createChangeover()` gives an instance that does nothing.
 *
 * Works with Vite 7 and 8. Throws an `Error` with a `code` when an option or the configuration cannot be right.
 */
export default function changeover(options?: ChangeoverPluginOptions): Plugin[];
