// npm run fuzz: coverage-guided fuzzing of the parsers, with libFuzzer.
//
//   npm run fuzz                              each target for ten minutes, as many at once as there are cores
//   npm run fuzz -- --seconds 60 html stores  these targets, for a minute each
//
// Compiled with rustc's stable coverage flags, so that it needs no nightly compiler; libFuzzer itself needs a C++ compiler.
// What was found in earlier runs lies in target/fuzz/corpus, seeds and mended findings in fuzz/seeds: both are tried first.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { capture, entry, inCi, quietly, root, say, targetDir, which, Stop } from './lib/run.mjs';
import { ensure } from './setup.mjs';

/** @import { Toolchain } from './lib/types.d.ts' */

const folder = join(root, 'fuzz');
const work = join(targetDir, 'fuzz');
const SECONDS = 600;
/** A target that takes this long for one input is a finding (seconds). */
const SLOW_INPUT = 20;
/** The flags of cargo-fuzz, without the sanitizers: they look for wrong use of memory, and the parsers are safe Rust. */
const COVERAGE = [
  '-Cpasses=sancov-module',
  ...['level=4', 'inline-8bit-counters', 'pc-table', 'trace-compares'].map((name) => `-Cllvm-args=-sanitizer-coverage-${name}`),
].join(' ');

await entry(async () => {
  const { seconds, targets } = choose(process.argv.slice(2));
  if (!which('c++') && !which('g++') && !which('clang++')) return skip(targets, 'there is no C++ compiler, which libFuzzer is made with');
  const { rust } = /** @type {{rust: Toolchain}} */ (await ensure(['rust']));
  const host = /** @type {RegExpMatchArray} */ (/** @type {string} */ (capture('rustc', ['-vV'], { env: rust.env })).match(/^host: (\S+)/m))[1];
  const env = { ...rust.env, RUSTFLAGS: COVERAGE, CARGO_TARGET_DIR: work };
  // With --target, the flags are for the fuzz targets alone and not for build scripts.
  const args = ['build', '--release', '--manifest-path', join(folder, 'Cargo.toml'), '--target', host, ...targets.flatMap((name) => ['--bin', name])];
  await quietly('compile the fuzz targets', 'cargo', args, { env, hint: 'the fuzz targets do not compile' });

  const queue = [...targets];
  /** @type {string[]} */
  const failed = [];
  const worker = async () => {
    for (let name = queue.shift(); name; name = queue.shift()) if (!(await fuzz(name, join(work, host, 'release', name), seconds))) failed.push(name);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  say(`\n${targets.length - failed.length} passed, ${failed.length} failed`);
  return failed.length ? 1 : 0;
});

/** @type {(words: string[]) => {seconds: number, targets: string[]}} */
function choose(words) {
  const known = readdirSync(join(folder, 'src', 'bin')).map((file) => file.replace(/\.rs$/, '')).sort();
  const at = words.indexOf('--seconds');
  const seconds = at < 0 ? SECONDS : Number(words.splice(at, 2)[1]);
  if (!(seconds >= 1)) throw new Stop('--seconds takes the time for one target, in whole seconds from 1.');
  for (const name of words) if (!known.includes(name)) throw new Stop(`there is no fuzz target "${name}"; the targets are ${known.join(', ')}.`);
  return { seconds: Math.round(seconds), targets: words.length ? words : known };
}

/** @type {(targets: string[], why: string) => number} */
function skip(targets, why) {
  if (inCi) throw new Stop(`${why}; CI needs one.`);
  say(`SKIP fuzz: ${why}`);
  say(`\n0 passed, 0 failed, ${targets.length} skipped`);
  return 0;
}

/**
 * Runs one target; a finding is shown as the program says it, with the input that it wrote.
 *
 * @param {string} name
 * @param {string} program
 * @param {number} seconds
 */
async function fuzz(name, program, seconds) {
  const corpus = join(work, 'corpus', name);
  const findings = join(work, 'findings', name);
  const seeds = join(folder, 'seeds', name);
  rmSync(findings, { recursive: true, force: true });
  for (const place of [corpus, findings]) mkdirSync(place, { recursive: true });
  const args = [`-max_total_time=${seconds}`, `-timeout=${SLOW_INPUT}`, `-artifact_prefix=${findings}/`, '-print_final_stats=1', corpus, ...(existsSync(seeds) ? [seeds] : [])];
  const { code, output } = await new Promise((/** @type {(end: {code: number, output: string}) => void} */ settle) => {
    let output = '';
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('error', (error) => settle({ code: 127, output: String(error) }));
    child.on('close', (code) => settle({ code: code ?? 128, output }));
  });
  const runs = Number(output.match(/stat::number_of_executed_units:\s+(\d+)/)?.[1] ?? 0);
  const covered = output.match(/.*cov: (\d+)/s)?.[1] ?? '?';
  const passed = code === 0 && runs > 0;
  say(`  ${passed ? '✔' : '✖'} ${name}: ${runs} inputs, ${covered} edges`);
  if (passed) return true;
  say(output.split('\n').filter((line) => !/^#\d+\s/.test(line)).slice(-40).join('\n'));
  for (const file of readdirSync(findings)) {
    const input = join(findings, file);
    say(`the input is ${input}: ${JSON.stringify(readFileSync(input).subarray(0, 400).toString('latin1'))}`);
  }
  say(`try it again with \`${program} INPUT\`; once mended, put the input into ${seeds}`);
  return false;
}
