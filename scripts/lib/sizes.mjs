// What a page pays for: the size of each file of the package on the wire, and what a page of each kind fetches of them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/** The files by what they are for. @type {Record<string, string>} */
const PARTS = {
  loader: 'changeover.js',
  runtime: 'runtime-slim.js',
  runtimeSlots: 'runtime-slots-slim.js',
  wasm: 'changeover.wasm',
  wasmSlots: 'changeover-slots.wasm',
  prompt: 'prompt.js',
  states: 'states.js',
  stores: 'stores-slim.js',
  storesWasm: 'stores.wasm',
  runtimeInlined: 'runtime.js',
  storesInlined: 'stores.js',
};

/** What is fetched together. @type {Record<string, string[]>} */
const CASES = {
  idle: ['runtime', 'wasm'],
  idleSlots: ['runtimeSlots', 'wasmSlots'],
  idleScriptTag: ['runtimeInlined'],
  sighting: ['prompt', 'states'],
  stores: ['stores', 'storesWasm'],
  storesScriptTag: ['storesInlined'],
};

/** The cases as the docs and the benchmark call them. @type {Record<string, string>} */
export const TITLES = {
  loader: 'the loader, on the critical path (gzip)',
  idle: 'when idle, without slots',
  idleSlots: 'when idle, with slots',
  idleScriptTag: 'when idle, script tag without the plugin',
  sighting: 'when another build is in sight: prompt and state',
  stores: 'when stores or migrations are first used',
  storesScriptTag: 'the same, without the plugin',
};

/**
 * The budgets, in bytes. `today` stands where one is not met yet: the budget is the goal, and until it is met nothing may grow
 * by more than `SLACK` over that figure. A change that makes it smaller writes down the new figure; a budget that is met has none.
 *
 * @type {Record<string, { budget: number, today?: number }>}
 */
export const BUDGETS = {
  loader: { budget: 1_500 },
  idle: { budget: 95_000, today: 134_020 },
  idleSlots: { budget: 115_000, today: 159_896 },
  stores: { budget: 70_000, today: 104_652 },
};
export const SLACK = 0.01;

/** @param {Buffer} bytes */
const brotli = (bytes) =>
  brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }).length;

/**
 * @param {string} folder of the built package
 * @returns {{ parts: Record<string, { file: string, raw: number, gzip: number, brotli: number }>, cases: Record<string, number> }}
 *   `cases`: brotli bytes, but for the loader, which is gzip
 */
export function measure(folder) {
  const parts = Object.fromEntries(
    Object.entries(PARTS).map(([name, file]) => {
      const bytes = readFileSync(join(folder, file));
      return [name, { file, raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length, brotli: brotli(bytes) }];
    }),
  );
  const sum = (/** @type {string[]} */ names) => names.reduce((total, name) => total + parts[name].brotli, 0);
  const cases = Object.fromEntries(Object.entries(CASES).map(([name, names]) => [name, sum(names)]));
  return { parts, cases: { loader: parts.loader.gzip, ...cases } };
}

/**
 * What is wrong with a size, or null.
 *
 * @param {number} size
 * @param {{ budget: number, today?: number }} allowed
 */
export function judge(size, { budget, today }) {
  if (today === undefined) return size > budget ? `${size} bytes are over the budget of ${budget}` : null;
  if (size <= budget) return `${size} bytes meet the budget of ${budget}: the figure of today, ${today}, is to go`;
  const most = Math.floor(today * (1 + SLACK));
  return size > most ? `${size} bytes are over the budget of ${budget}, and over the ${most} that are allowed until it is met` : null;
}
