// npm test: runs the suites, all or those that are named.
//
//   npm test                     all
//   npm test -- engine cli       these two
//   npm test -- e2e firefox      one browser; other words after a suite select tests by name
//   npm test -- --list           what there is
//
// Suites run side by side: one after the other of those that only compute, and two at a time of those that drive pages,
// the longest first. A browser test mostly waits, so that these share two cores well.
import { spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { entry, inCi, root, say, Stop } from './lib/run.mjs';
import { browserEnv, howToGet } from './lib/browsers.mjs';
import { COUNTERS, failuresIn } from './lib/counters.mjs';
import { SUITES, browsersIn } from './lib/suites.mjs';
import { build } from './build.mjs';
import { ensure } from './setup.mjs';

/** @import { BrowserName, Counts, Env, Suite } from './lib/types.d.ts' */
/** @typedef {{name: string, suite: Suite, rest: string[]}} Chosen a suite and the words after its name */
/** @typedef {Counts & {name: string, note: string, told: string[]}} Result */
/** @typedef {{live: boolean, write(text: string): void, flush(): void}} Screen */

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
  const building = chosen.some(({ suite }) => suite.builds) ? attempt(build) : null;

  const pages = chosen.filter(({ suite }) => drivesPages(suite));
  const queue = [...pages.filter(({ suite }) => suite.long), ...pages.filter(({ suite }) => !suite.long)];
  const computing = chosen.filter((one) => !pages.includes(one));
  /** @type {Map<Chosen, Result & {seconds: number}>} */
  const results = new Map();
  const work = async (/** @type {Chosen[]} */ queue, /** @type {boolean} */ live) => {
    const screen = screenOf(live);
    for (let one = queue.shift(); one; one = queue.shift()) {
      const { name, suite, rest } = one;
      const broken = suite.builds && (await building);
      if (!screen.live) say(`(${name} begins)`);
      screen.write(`\n──── ${name}: ${suite.about}\n`);
      const started = Date.now();
      /** @type {Result} */
      const result = { name, passed: 0, failed: 0, skipped: 0, note: '', told: [] };
      try {
        if (broken) throw broken;
        await runSuite(name, suite, rest, { missing, base, screen, background: pages.length > 0 && queue === computing }, result);
      } catch (error) {
        if (!(error instanceof Stop)) throw error;
        result.failed += 1;
        result.note = error.message;
        screen.write(`error: ${error.message}\n`);
      }
      if (result.passed + result.failed + result.skipped === 0) {
        result.failed = 1;
        result.note = 'ran no test';
      }
      screen.flush();
      results.set(one, { ...result, seconds: (Date.now() - started) / 1000 });
    }
  };
  await Promise.all([work(computing, pages.length === 0), work(queue, true), work(queue, false)]);
  return report(chosen.map((one) => /** @type {Result & {seconds: number}} */ (results.get(one))));
});

/** @param {Suite} suite */
function drivesPages(suite) {
  return Boolean(suite.builds || suite.needsFor);
}

/**
 * Where suites write: whole lines as they come, or (not live) a suite when it is over.
 *
 * @type {(live: boolean) => Screen}
 */
function screenOf(live) {
  let waiting = '';
  const flush = () => {
    process.stdout.write(waiting);
    waiting = '';
  };
  const write = (/** @type {string} */ text) => {
    waiting += text;
    if (!live) return;
    const end = waiting.lastIndexOf('\n') + 1;
    process.stdout.write(waiting.slice(0, end));
    waiting = waiting.slice(end);
  };
  return { live, write, flush };
}

/**
 * `engine e2e firefox` is `[engine, []], [e2e, [firefox]]`.
 *
 * @type {(words: string[]) => Chosen[]}
 */
function choose(words) {
  if (words.length === 0) return Object.entries(SUITES).map(([name, suite]) => ({ name, suite, rest: [] }));
  /** @type {Chosen[]} */
  const chosen = [];
  for (const word of words) {
    if (Object.hasOwn(SUITES, word)) chosen.push({ name: word, suite: SUITES[word], rest: [] });
    else if (chosen.length) /** @type {Chosen} */ (chosen.at(-1)).rest.push(word);
    else throw new Stop(`there is no test suite "${word}"; the suites are ${Object.keys(SUITES).join(', ')}.`);
  }
  return chosen;
}

/** @type {(work: () => Promise<unknown>) => Promise<Stop | null>} */
async function attempt(work) {
  try {
    await work();
    return null;
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    return new Stop(`the package could not be built, which this suite needs: ${error.message}`);
  }
}

/**
 * @param {string} name
 * @param {Suite} suite
 * @param {string[]} rest
 * @param {{missing: string[], base: Env, screen: Screen, background: boolean}} setting
 * @param {Result} result is added to
 */
async function runSuite(name, suite, rest, { missing, base, screen, background }, result) {
  const absent = /** @type {BrowserName[]} */ (
    suite.needsFor ? browsersIn(rest).wanted.filter((browser) => missing.includes(browser)) : suite.needs.filter((need) => missing.includes(need))
  );
  for (const browser of absent) {
    screen.write(`SKIP ${name} in ${browser}: not installed${howToGet(browser) ? `; get it with \`${howToGet(browser)}\`` : ''}\n`);
    result.skipped += 1;
  }
  if (absent.length && !suite.needsFor) return;
  for (const step of suite.steps(rest, missing)) {
    const { code, output, said } = await spawnShown(step.command, step.args, { env: { ...base, ...step.env }, screen, background });
    const counted = COUNTERS[step.counts](output, code);
    for (const key of /** @type {const} */ (['passed', 'failed', 'skipped'])) result[key] += counted[key];
    if (code !== 0) {
      if (counted.failed === 0) result.failed += 1; // it broke before or outside its tests
      result.told.push(...failuresIn(step.counts, said));
      result.note ||= `\`${step.title ?? [step.command, ...step.args].join(' ')}\` ended with code ${code}`;
    } else if (counted.passed + counted.skipped === 0 && rest.length === 0) {
      result.failed += 1;
      result.note ||= 'a step ran no test';
    }
  }
}

/**
 * Runs a command with its output both shown and kept (`output` what it printed, `said` its errors too); in the background it yields to what drives pages.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{env: Env, screen: Screen, background: boolean}} setting
 * @returns {Promise<{code: number, output: string, said: string}>}
 */
function spawnShown(command, args, { env, screen, background }) {
  return new Promise((settle) => {
    let output = '';
    let said = '';
    const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    if (background && child.pid) yieldTo(child.pid);
    for (const from of [child.stdout, child.stderr]) {
      from.setEncoding('utf8');
      from.on('data', (/** @type {string} */ text) => {
        output += from === child.stdout ? text : '';
        said += text;
        screen.write(text);
      });
    }
    child.on('error', (error) => settle({ code: 127, output, said: `${said}${error}` }));
    child.on('close', (code) => settle({ code: code ?? 128, output, said }));
  });
}

/** @param {number} pid */
function yieldTo(pid) {
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {} // it has ended already, or may not
}

/** @param {(Result & {seconds: number})[]} results */
function report(results) {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const { name, told } of results) if (told.length) say(`\n──── ${name}: what failed\n${told.join('\n')}`);
  say(`\n${'suite'.padEnd(12)} ${'passed'.padStart(7)} ${'failed'.padStart(7)} ${'skipped'.padStart(7)} ${'seconds'.padStart(8)}`);
  for (const { name, seconds, note, told: _, ...counts } of results) {
    for (const key of /** @type {(keyof Counts)[]} */ (Object.keys(sum))) sum[key] += counts[key];
    say(`${name.padEnd(12)} ${/** @type {(keyof Counts)[]} */ (Object.keys(sum)).map((key) => String(counts[key]).padStart(7)).join(' ')} ${seconds.toFixed(1).padStart(8)}${note ? `  ${note}` : ''}`);
  }
  if (inCi && sum.skipped) say(`note: ${sum.skipped} skipped in CI`);
  say(`\n${sum.passed} passed, ${sum.failed} failed${sum.skipped ? `, ${sum.skipped} skipped` : ''}`);
  return sum.failed > 0 || sum.passed === 0 ? 1 : 0;
}
