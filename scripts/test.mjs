// npm test: runs the suites, all or those that are named.
//
//   npm test                     all
//   npm test -- engine cli       these two
//   npm test -- e2e firefox      one browser; other words after a suite select tests by name
//   npm test -- --list           what there is
import { spawn } from 'node:child_process';
import { entry, inCi, root, say, Stop } from './lib/run.mjs';
import { browserEnv, howToGet } from './lib/browsers.mjs';
import { COUNTERS } from './lib/counters.mjs';
import { SUITES, browsersIn } from './lib/suites.mjs';
import { build } from './build.mjs';
import { ensure } from './setup.mjs';

await entry(async () => {
  const words = process.argv.slice(2);
  if (words.includes('--list')) {
    for (const [name, { about }] of Object.entries(SUITES)) say(`${name.padEnd(12)} ${about}`);
    return 0;
  }
  const chosen = choose(words);
  const needs = chosen.flatMap(({ suite, rest }) => suite.needsFor?.(rest) ?? suite.needs);
  const { rust, missing } = await ensure([...new Set(needs)]);
  const base = { ...(rust?.env ?? process.env), ...browserEnv() };
  delete base.NODE_TEST_CONTEXT; // inside `node --test` the inner runner would report to the outer one
  const built = chosen.some(({ suite }) => suite.builds) ? await attempt(build) : null;

  const results = [];
  for (const { name, suite, rest } of chosen) {
    say(`\n──── ${name}: ${suite.about}`);
    const started = Date.now();
    const result = { name, passed: 0, failed: 0, skipped: 0, note: '' };
    try {
      if (suite.builds && built) throw built;
      await runSuite(name, suite, rest, missing, base, result);
    } catch (error) {
      if (!(error instanceof Stop)) throw error;
      result.failed += 1;
      result.note = error.message;
      say(`error: ${error.message}`);
    }
    if (result.passed + result.failed + result.skipped === 0) {
      result.failed = 1;
      result.note = 'ran no test';
    }
    results.push({ ...result, seconds: (Date.now() - started) / 1000 });
  }
  return report(results);
});

/** `engine e2e firefox` is `[engine, []], [e2e, [firefox]]`. */
function choose(words) {
  if (words.length === 0) return Object.entries(SUITES).map(([name, suite]) => ({ name, suite, rest: [] }));
  const chosen = [];
  for (const word of words) {
    if (Object.hasOwn(SUITES, word)) chosen.push({ name: word, suite: SUITES[word], rest: [] });
    else if (chosen.length) chosen.at(-1).rest.push(word);
    else throw new Stop(`there is no test suite "${word}"; the suites are ${Object.keys(SUITES).join(', ')}.`);
  }
  return chosen;
}

async function attempt(work) {
  try {
    await work();
    return null;
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    return new Stop(`the package could not be built, which this suite needs: ${error.message}`);
  }
}

async function runSuite(name, suite, rest, missing, base, result) {
  const absent = suite.needsFor ? browsersIn(rest).wanted.filter((browser) => missing.includes(browser)) : suite.needs.filter((need) => missing.includes(need));
  for (const browser of absent) {
    say(`SKIP ${name} in ${browser}: not installed${howToGet(browser) ? `; get it with \`${howToGet(browser)}\`` : ''}`);
    result.skipped += 1;
  }
  if (absent.length && !suite.needsFor) return;
  for (const step of suite.steps(rest, missing)) {
    const { code, output } = await spawnShown(step.command, step.args, { ...base, ...step.env });
    const counted = COUNTERS[step.counts](output, code);
    for (const key of ['passed', 'failed', 'skipped']) result[key] += counted[key];
    if (code !== 0) {
      if (counted.failed === 0) result.failed += 1; // it broke before or outside its tests
      result.note ||= `\`${step.title ?? [step.command, ...step.args].join(' ')}\` ended with code ${code}`;
    } else if (counted.passed + counted.skipped === 0 && rest.length === 0) {
      result.failed += 1;
      result.note ||= 'a step ran no test';
    }
  }
}

/** Runs a command with its output both shown as it comes and kept. */
function spawnShown(command, args, env) {
  return new Promise((settle) => {
    let output = '';
    const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const [from, to] of [[child.stdout, process.stdout], [child.stderr, process.stderr]]) {
      from.setEncoding('utf8');
      from.on('data', (text) => {
        output += from === child.stdout ? text : '';
        to.write(text);
      });
    }
    child.on('error', (error) => settle({ code: 127, output: `${output}${error}` }));
    child.on('close', (code) => settle({ code: code ?? 128, output }));
  });
}

function report(results) {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  say(`\n${'suite'.padEnd(12)} ${'passed'.padStart(7)} ${'failed'.padStart(7)} ${'skipped'.padStart(7)} ${'seconds'.padStart(8)}`);
  for (const { name, seconds, note, ...counts } of results) {
    for (const key of Object.keys(sum)) sum[key] += counts[key];
    say(`${name.padEnd(12)} ${Object.keys(sum).map((key) => String(counts[key]).padStart(7)).join(' ')} ${seconds.toFixed(1).padStart(8)}${note ? `  ${note}` : ''}`);
  }
  if (inCi && sum.skipped) say(`note: ${sum.skipped} skipped in CI`);
  say(`\n${sum.passed} passed, ${sum.failed} failed${sum.skipped ? `, ${sum.skipped} skipped` : ''}`);
  return sum.failed > 0 || sum.passed === 0 ? 1 : 0;
}
