// npm run bench:size: the sizes a page pays for, by part and by case, beside their budgets (scripts/lib/sizes.mjs).
//
//   loader_gzip     the script tag's loader, gzip -9
//   runtime_brotli  the wasm file and the minified JavaScript around it, brotli 11 each, of a page without slots
//   wasm_raw        the wasm file as it is
import { entry, terminal } from './lib/run.mjs';
import { BUDGETS, TITLES, judge, measure } from './lib/sizes.mjs';
import { build, packageFolder } from './build.mjs';

const json = process.argv.includes('--json');

await entry(async () => {
  if (json) terminal.stream = process.stderr; // the answer alone goes to the standard output
  await build();

  const { parts, cases } = measure(packageFolder);
  const sizes = { loader_gzip: cases.loader, runtime_brotli: cases.idle, wasm_raw: parts.wasm.raw };
  if (json) return console.log(JSON.stringify({ ...sizes, parts, cases }));
  const row = (/** @type {(string | number)[]} */ [name, ...cells]) => console.log(String(name).padEnd(52) + cells.map((cell) => String(cell).padStart(9)).join(''));
  for (const [name, bytes] of Object.entries(sizes)) row([name, bytes]);
  console.log();
  row(['part', 'raw', 'gzip', 'brotli']);
  for (const { file, raw, gzip, brotli } of Object.values(parts)) row([file, raw, gzip, brotli]);
  console.log();
  row(['fetched', 'bytes', 'budget']);
  for (const [name, bytes] of Object.entries(cases)) {
    const allowed = BUDGETS[name];
    row([TITLES[name], bytes, allowed?.budget ?? '-']);
    const wrong = allowed && judge(bytes, allowed);
    if (wrong || (allowed && bytes > allowed.budget)) console.log(`  ${wrong ?? `not met yet; no more than 1 % over ${allowed.today}`}`);
  }
});
