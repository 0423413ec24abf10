// The budgets of what a page fetches, and the table of sizes in the docs.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BUDGETS, TITLES, judge, measure } from '../../scripts/lib/sizes.mjs';
import { PACKAGE, ROOT } from './support.mjs';

const { cases } = measure(PACKAGE);

for (const [name, allowed] of Object.entries(BUDGETS)) {
  const goal = allowed.today === undefined ? `at most ${allowed.budget} bytes` : `not met yet (${allowed.budget} bytes); no more than 1 % over ${allowed.today}`;
  test(`${TITLES[name]}: ${goal}`, () => assert.equal(judge(cases[name], allowed), null));
}

test('a size over its budget, one that has grown over its figure of today, and a figure that is no longer needed are found', () => {
  assert.equal(judge(1500, { budget: 1500 }), null);
  assert.match(judge(1501, { budget: 1500 }) ?? '', /^1501 bytes are over the budget of 1500$/);
  assert.equal(judge(2020, { budget: 1500, today: 2000 }), null);
  assert.match(judge(2021, { budget: 1500, today: 2000 }) ?? '', /over the 2020 that are allowed/);
  assert.match(judge(1500, { budget: 1500, today: 2000 }) ?? '', /the figure of today, 2000, is to go/);
});

test('the table of sizes in the docs is no more than 3 % off', () => {
  const text = readFileSync(join(ROOT, 'docs/how-it-works.md'), 'utf8').split('## What a page fetches')[1].split('\n## ')[0];
  const said = Object.fromEntries([...text.matchAll(/^\| ([^|]+) \|.*\| ([\d.]+) kB \|$/gm)].map(([, what, size]) => [what, Number(size) * 1000]));
  assert.deepEqual(Object.keys(said).sort(), Object.values(TITLES).sort());
  for (const [name, title] of Object.entries(TITLES)) assert.ok(Math.abs(said[title] - cases[name]) <= 0.03 * cases[name] + 50, `${title}: the docs say ${said[title]}, it has ${cases[name]} bytes`);
});
