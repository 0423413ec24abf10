/** How a runner's own closing lines are read: `{ passed, failed, skipped }`. */
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
    const number = (word) => Number([...output.matchAll(new RegExp(`^ℹ ${word} (\\d+)$`, 'gm'))].pop()?.[1] ?? 0);
    return { passed: number('pass'), failed: number('fail') + number('cancelled'), skipped: number('skipped') + number('todo') };
  },
  exit: (_, code) => ({ passed: Number(code === 0), failed: Number(code !== 0), skipped: 0 }),
};
