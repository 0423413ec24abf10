// Types of what the browser tests share: browsers and tabs, the edge in front of a site, sites.
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { CDPSession, KeyInput, Page, Viewport } from 'puppeteer-core';
import type { ChangeoverPluginOptions } from '../../pkg-template/vite.js';

export type Engine = 'chromium' | 'firefox' | 'webkit';

export interface LaunchOptions {
  /** Added to the browser's command line. */
  flags?: string[];
  /** Of Firefox. */
  prefs?: Record<string, boolean | number | string>;
  /** A folder that is kept. Default: one of its own, which is not. */
  profile?: string;
}

export interface TabOptions {
  /** In WebKit a tab beside the first one is never visible; a window of its own is. */
  window?: boolean;
  viewport?: Viewport;
}

export interface WaitOptions {
  /** In ms, on a machine of its own. */
  timeout?: number;
  /** Time between two looks, in ms. */
  every?: number;
  /** What is waited for, in words. */
  what?: string;
}

/** The words that the module of an engine gives a tab. */
export interface EngineTab {
  readonly engine: Engine;
  closed: boolean;
  /** What the page's console called an error, and every uncaught exception; always empty in WebKit. */
  readonly errors: string[];
  goto(url: string): Promise<unknown>;
  /** Runs a function in the page. It takes nothing along but its arguments, which must be JSON, as must be its value. */
  eval<Args extends unknown[], Value>(fn: (...args: Args) => Value, ...args: Args): Promise<Awaited<Value>>;
  /** Whether an error of `eval` only says that the page was just going away. */
  isBetweenPages(error: unknown): boolean;
  clickAt(x: number, y: number): Promise<unknown>;
  typeText(text: string): Promise<unknown>;
  press(key: KeyInput): Promise<unknown>;
  reload(): Promise<unknown>;
  back(): Promise<unknown>;
  bringToFront(): Promise<unknown>;
  /** Saves a picture of what is visible. */
  screenshot(path: string): Promise<unknown>;
  close(): Promise<void>;
}

/** A tab of Chromium or Firefox. */
export interface PuppeteerTab extends EngineTab {
  readonly page: Page;
  /** Requests the page made. */
  readonly requests: { at: number; url: string }[];
  /** Dialogs that came up. */
  readonly dialogs: { type: string; message: string }[];
  /** What to do with the dialogs from now on. */
  answerDialogs(answer: 'accept' | 'dismiss'): void;
  /** The DevTools session of the page; Chromium only. */
  devtools(): Promise<CDPSession>;
  session?: CDPSession;
}

/** What a wait ends with: anything that is not falsy. */
export type Truthy<Value> = Exclude<Value, false | 0 | '' | null | undefined>;

/** A tab as tests have it. Those that run in WebKit leave the words of `PuppeteerTab` alone. */
export interface Tab extends PuppeteerTab {
  /** Waits until `fn(...args)` is truthy in the page; a navigation in between is no failure, nor is what is not there yet. */
  waitFor<Args extends unknown[], Value>(fn: (...args: Args) => Value, ...rest: [...args: Args, options: WaitOptions]): Promise<Truthy<Awaited<Value>>>;
  waitFor<Args extends unknown[], Value>(fn: (...args: Args) => Value, ...args: Args): Promise<Truthy<Awaited<Value>>>;
  /** Waits for an element and returns the middle of what is visible of it, in CSS pixels of the viewport. */
  locate(selector: string, options?: WaitOptions): Promise<{ x: number; y: number }>;
  click(selector: string, options?: WaitOptions): Promise<void>;
  type(selector: string, text: string): Promise<void>;
  /** Scrolls to `y` CSS pixels from the top, as far as the document goes. */
  scroll(y: number): Promise<void>;
  /** The text of an element, through shadow roots; '' while it is not there. */
  text(selector: string): Promise<string>;
}

/** A browser as the module of an engine gives it. */
export interface EngineBrowser {
  newTab(options?: TabOptions): Promise<EngineTab>;
  close(): Promise<void>;
  /** Closes every tab; a blank one stays, with which the next test begins. */
  empty?(): Promise<void>;
  /** Ends it as a power cut would: no page is told. */
  kill?(): Promise<void>;
  /** Ends a page whose script never ends; Chromium only. */
  killPage?(url: string): Promise<void>;
}

/** A browser as tests have it. WebKit has no `empty`, `kill` and `killPage`; tests that use one name their engines. */
export interface Browser extends Required<Omit<EngineBrowser, 'newTab'>> {
  readonly engine: Engine;
  readonly profile: string;
  /** All tabs opened so far, closed ones included. */
  readonly tabs: Tab[];
  /** Opens a tab of this profile; resolves when `url` has loaded. */
  open(url?: string, options?: TabOptions): Promise<Tab>;
}

/** A request that came to the edge; times in ms since the epoch, `null` for what is not yet. */
export interface EdgeRequest {
  at: number;
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  status: number | null;
  endedAt: number | null;
}

export interface Asked {
  request: IncomingMessage;
  response: ServerResponse;
  path: string;
  /** Answers as if there were no rule, or as the server at a URL does. */
  pass(to?: string): Promise<void>;
  /** How many requests the rule has answered, with this one. */
  nth: number;
}

export type Answer = (asked: Asked) => unknown;

/** See `startEdge`. */
export interface Edge {
  readonly url: string;
  /** Every request so far. */
  readonly requests: EdgeRequest[];
  count(path: string, since?: number): number;
  open(path: string): number;
  sendTo(url: string): void;
  addHeaders(more: OutgoingHttpHeaders): void;
  answer(path: string | ((path: string, request: IncomingMessage) => boolean), answer: Answer): () => void;
  cut(path: string): void;
  goDown(): Promise<void>;
  comeBack(): Promise<void>;
  close(): Promise<void>;
}

/** The pointer of a site, `changeover/release.json`. */
export interface ReleaseFile {
  format: number;
  app?: string;
  channel?: string;
  sequence: number;
  issued: string;
  build: { id: string; manifest: string; integrity?: string };
  message?: string;
}

/** A server that was started. */
export interface Served {
  readonly url: string;
  readonly pid: number | undefined;
  close(): Promise<void>;
}

/** Attributes of the script tag beside the usual ones; null drops one. */
export type Attributes = Record<string, string | number | boolean | null>;

/** See `startSite`. */
export interface Site {
  readonly dir: string;
  readonly folder: string;
  /** The server behind the edge. */
  origin: string;
  edge: Edge;
  /** The edge, which browsers are sent to. */
  url: string;
  write(name: string): Promise<string>;
  /** `at`: when the pointer was renamed; `output`: what the CLI said. */
  publish(name: string, options?: { to?: string; more?: string[] }): Promise<{ output: string; at: number; release: ReleaseFile }>;
  rollback(build?: string): Promise<string>;
  readRelease(): ReleaseFile;
  releaseText(of?: string): string;
  serve(served?: string): Promise<string>;
}

/** A file of a build. */
export interface ChunkEntry {
  id: string;
  code: string;
  integrity: string;
  size: number;
  kind: string;
  owner?: string;
  imports: string[];
  dynamicImports: string[];
  css: string[];
  assets: string[];
  exports?: string[];
}

/** The manifest of a build, `changeover/builds/<id>.json`, as far as tests look into it. */
export interface ManifestFile {
  id: string;
  slots: Record<string, { file: string; kind: string; schema: number }>;
  chunks: Record<string, ChunkEntry>;
  base?: string;
  documents: Record<string, { integrity: string; size: number }>;
  entries: string[];
  html?: string;
  created?: string;
  app?: string;
  version?: string;
  commit: { sha: string; time: string; author: string; message: string };
  epoch?: number;
  stores?: Record<string, { schema: number; reads: number[] }>;
}

/** What to change in files, by path: pairs of a text and what replaces it, the whole new text, or null for a file to remove. */
export type Edits = Record<string, string[][] | string | null>;

/** See `startSwapSite`. */
export interface SwapSite {
  /** The folder of the app. */
  readonly root: string;
  /** The folder of the site. */
  readonly site: string;
  /** Holds both. */
  readonly folder: string;
  /** The id of the first build. */
  first: string;
  edge: Edge;
  url: string;
  close(): Promise<void>;
  edit(edits: Edits): SwapSite;
  text(path: string): string;
  restore(): SwapSite;
  build(more?: ChangeoverPluginOptions): Promise<string>;
  put(dist: string, more?: string[]): Promise<string>;
  /** `more`: words for `changeover publish`. */
  publish(edits?: Edits, options?: { more?: string[]; plugin?: ChangeoverPluginOptions }): Promise<string>;
  rollback(): Promise<string>;
  release(): ReleaseFile;
  manifest(id?: string): ManifestFile;
}
