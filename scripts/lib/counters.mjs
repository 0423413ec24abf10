/** @import { CountedAs, Counts } from './types.d.ts' */

/**
 * How a runner's own closing lines are read: `{ passed, failed, skipped }`.
 *
 * @satisfies {Record<CountedAs, (output: string, code: number) => Counts>}
 */
export const COUNTERS = {
  cargo(output) {
    const sum = { passed: 0, failed: 0, skipped: 0 };
    for (const [, passed, failed, ignored] of output.matchAll(/^test result: .*? (\d+) passed; (\d+) failed; (\d+) ignored/gm)) {
      sum.passed += Number(passed);
      sum.failed += Number(failed);
      sum.skipped += Number(ignored);
    }
    return sum;
  },
  node(output) {
    const number = (/** @type {string} */ word) => Number([...output.matchAll(new RegExp(`^ℹ ${word} (\\d+)$`, 'gm'))].pop()?.[1] ?? 0);
    return { passed: number('pass'), failed: number('fail') + number('cancelled'), skipped: number('skipped') + number('todo') };
  },
  /** Our own scripts: `2 passed, 0 failed, 1 skipped` on the last line that says so. */
  plain(output) {
    const [, passed = 0, failed = 0, skipped = 0] = [...output.matchAll(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm)].pop() ?? [];
    return { passed: Number(passed), failed: Number(failed), skipped: Number(skipped) };
  },
  exit: (_, code) => ({ passed: Number(code === 0), failed: Number(code !== 0), skipped: 0 }),
};

/**
 * What each runner prints of its failed tests, from the first of them on.
 *
 * @type {Partial<Record<CountedAs, RegExp>>}
 */
const FAILURES = { node: /^✖ failing tests:$/m, cargo: /^failures:$/m };
const STACK = /^\s*(at |\d+: |stack backtrace|$)/;

/**
 * The failed tests of a step in a few lines each, for the end of a run: what a runner prints of them stands far above.
 *
 * @param {CountedAs} kind the step's `counts`
 * @param {string} output what the step printed
 * @param {number} most lines
 * @returns {string[]}
 */
export function failuresIn(kind, output, most = 40) {
  const start = FAILURES[kind] ? output.search(FAILURES[kind]) : -1;
  const lines = (start < 0 ? output : output.slice(start)).split('\n').filter((line) => !STACK.test(line));
  const told = start < 0 ? lines.slice(-most) : lines.slice(1, most + 1);
  return told.map((line) => (line.length > 240 ? `${line.slice(0, 240)}…` : line));
}
