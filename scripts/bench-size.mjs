// npm run bench:size: the sizes a page pays for.
//
//   loader_gzip     the script tag's loader, gzip -9 (budget 1500 bytes)
//   runtime_brotli  the wasm file and the minified JavaScript around it, brotli 11 each (budget 95 kB)
//   wasm_raw        the wasm file as it is
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { entry, terminal } from './lib/run.mjs';
import { build, packageFolder } from './build.mjs';

const json = process.argv.includes('--json');

await entry(async () => {
  if (json) terminal.stream = process.stderr; // the answer alone goes to the standard output
  await build();

  const read = (/** @type {string} */ name) => readFileSync(join(packageFolder, name));
  const brotli = (/** @type {Buffer} */ bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }).length;
  const sizes = {
    loader_gzip: gzipSync(read('changeover.js'), { level: 9 }).length,
    runtime_brotli: brotli(read('changeover.wasm')) + brotli(read('runtime-slim.js')),
    wasm_raw: read('changeover.wasm').length,
  };
  if (json) return console.log(JSON.stringify(sizes));
  for (const [name, bytes] of Object.entries(sizes)) console.log(`${name.padEnd(16)}${String(bytes).padStart(8)} bytes`);
});
