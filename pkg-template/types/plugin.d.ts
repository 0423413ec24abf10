// What the modules of the plugin for Vite hand to each other.
import type { Environment, MinimalPluginContextWithoutEnvironment, Rolldown } from 'vite';
import type { ChangeoverPluginOptions } from '../vite.js';

/** Checked options, complete where a default is no matter of the page. */
export type Settings = ChangeoverPluginOptions & { epoch: number; loader: 'file' | 'inline' };

/** `this` of any hook. Vite declares none where there was no environment in older versions. */
export type Context = MinimalPluginContextWithoutEnvironment & { environment?: Environment };

/** What is copied of a chunk of the bundle. Names are those of files, but for `id`, `name` and `last`. */
export interface ChunkFacts {
  asset?: undefined;
  /** The module that it is made for. */
  id: string | null;
  pinned: boolean;
  name: string;
  /** Its file name without the hash. */
  stem: string;
  /** The last of its modules. */
  last: string | null;
  entry: boolean;
  exports: string[];
  imports: string[];
  dynamicImports: string[];
  css: string[];
  assets: string[];
}

export type AssetFacts = { asset: true; id: string | null } & { [K in Exclude<keyof ChunkFacts, 'asset' | 'id'>]?: undefined };

/** By file. */
export type Graph = Map<string, ChunkFacts | AssetFacts>;

export type StoresFacts = Record<string, { schema: number; reads: number[] }>;

/** By the id of the slot. */
export type SlotsFacts = Record<string, { file: string; kind: 'module'; schema?: number }>;

/** What a running build has told the plugin. */
export interface BuildState {
  /** When it began. */
  since: number;
  /** Where it writes to. */
  folder: string | null;
  /** The release of the build before. */
  previous: PreviousRelease | null;
  /** The documents. */
  pages: Set<string>;
  graph: Graph;
  /** How many times it has written its chunks. */
  outputs: number;
  stores: StoresFacts;
  slots: SlotsFacts;
  /** The entries of documents, which Vite may delete. */
  starts: Map<string, ChunkFacts>;
  /** The documents with a list of slots. */
  listed: Set<string>;
}

/** A file as it lies on disk. */
export interface Seal {
  integrity: string;
  size: number;
}

export interface Digest extends Seal {
  code: string;
}

export interface ManifestChunk extends Digest {
  id: string;
  kind: 'script' | 'style' | 'wasm' | 'asset';
  imports?: string[];
  dynamicImports?: string[];
  css?: string[];
  assets?: string[];
  exports?: string[];
  owner: Owner;
}

export type Owner = 'pinned' | 'slot' | 'shell' | 'shared';

/** `changeover/builds/<id>.json` */
export interface Manifest {
  format: 1;
  app: string;
  id: string;
  version?: string;
  created: string;
  base: string;
  commit?: { sha: string; author: string; message: string; time: string };
  epoch: number;
  entries: string[];
  html?: string | undefined;
  documents: Record<string, Seal>;
  slots: SlotsFacts;
  chunks: Record<string, ManifestChunk>;
  stores: StoresFacts;
}

/** `changeover/release.json` */
export interface Release {
  format: 1;
  app: string;
  channel: string;
  sequence: number;
  issued: string;
  build: { id: string; manifest: string; integrity: string };
  urgency: 'routine' | 'soon' | 'now';
  message?: string;
}

/** One that lies in the folder: only its number was checked. */
export type PreviousRelease = Partial<Release> & { sequence: number };

/** The number that the documents of a build get, by the build's id and the time it was made. */
export type NumberOf = (id: string, date: Date) => number;

/** What `describe` has made. */
export interface Described {
  manifest: Manifest;
  text: string;
  date: Date;
}

export type Bundle = Rolldown.OutputBundle;
