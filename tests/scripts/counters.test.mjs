// The summed line of `npm test` is only as good as its reading of other runners' closing lines.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { COUNTERS, failuresIn } from '../../scripts/lib/counters.mjs';

test('the results of all binaries of a cargo run are added up', () => {
  const output = `
running 2 tests
test a ... ok
test b ... FAILED

test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s

     Running tests/scenarios/main.rs
test result: ok. 41 passed; 0 failed; 3 ignored; 0 measured; 0 filtered out; finished in 1.20s
`;
  assert.deepEqual(COUNTERS.cargo(output), { passed: 42, failed: 1, skipped: 3 });
});

test('a cargo run that did not get as far as its tests counts none', () => {
  assert.deepEqual(COUNTERS.cargo('error: could not compile `changeover`'), { passed: 0, failed: 0, skipped: 0 });
});

test('a line that a test prints is not taken for a result', () => {
  assert.deepEqual(COUNTERS.cargo('printed: test result: ok. 9 passed; 0 failed; 0 ignored'), { passed: 0, failed: 0, skipped: 0 });
});

test('the closing lines of a real node run are read', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'changeover-count-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'sample.test.mjs');
  writeFileSync(file, `
    import { test } from 'node:test';
    test('passes', () => {});
    test('passes as well', () => {});
    test('fails', () => { throw new Error('ℹ pass 99'); });
    test('is skipped', { skip: 'no browser' }, () => {});
    test('is to be done', { todo: true }, () => {});
  `);
  const { NODE_TEST_CONTEXT, ...env } = process.env;
  const { stdout, status } = spawnSync(process.execPath, ['--test', '--test-reporter=spec', file], { encoding: 'utf8', env });
  assert.equal(status, 1);
  assert.deepEqual(COUNTERS.node(stdout), { passed: 2, failed: 1, skipped: 2 });
});

test('a check is one test by its exit code', () => {
  assert.deepEqual(COUNTERS.exit('', 0), { passed: 1, failed: 0, skipped: 0 });
  assert.deepEqual(COUNTERS.exit('', 101), { passed: 0, failed: 1, skipped: 0 });
});

test('the last summed line of one of our own scripts counts', () => {
  assert.deepEqual(COUNTERS.plain('1 passed, 1 failed\nmore\n4 passed, 0 failed, 2 skipped\n'), { passed: 4, failed: 0, skipped: 2 });
  assert.deepEqual(COUNTERS.plain('error: it did not start'), { passed: 0, failed: 0, skipped: 0 });
});

test('what failed is told in a few lines, without stacks', () => {
  const output = `✔ passes (1ms)
✖ fails (2ms)
ℹ fail 1

✖ failing tests:

test at tests/some.test.mjs:3:1
✖ fails (2ms)
  Error: the page shows "one", not "two"
      at async Test.run (node:internal/test_runner/test:797:9)
`;
  assert.deepEqual(failuresIn('node', output), ['test at tests/some.test.mjs:3:1', '✖ fails (2ms)', '  Error: the page shows "one", not "two"']);
  const cargo = 'test a ... FAILED\n\nfailures:\n\n---- a stdout ----\npanicked: no\nstack backtrace:\n   0: begin\n             at ./a.rs:1\n';
  assert.deepEqual(failuresIn('cargo', cargo), ['---- a stdout ----', 'panicked: no']);
  assert.deepEqual(failuresIn('exit', `${'long '.repeat(100)}\nerror: no`, 2), [`${'long '.repeat(100).slice(0, 240)}…`, 'error: no']);
});
