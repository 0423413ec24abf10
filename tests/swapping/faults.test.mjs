// New code that is broken in every way there is: the page stays as it was, says what happened, does not try the build again,
// asks, and takes the next good build.
import assert from 'node:assert/strict';

import { inBrowsers } from '../e2e/browsers.mjs';
import { odd } from '../e2e/server.mjs';
import { promptIsUp } from '../e2e/site.mjs';
import { startSwapSite } from './site.mjs';
import { CLEAN, committed, ending, keepsWork, leftovers, openWork, showsText } from './work.mjs';

/** @import { TestContext } from 'node:test' */
/** @import { Answer, Browser, SwapSite, Tab } from '../e2e/types.d.ts' */
/** @import { Status } from '../../pkg-template/index.js' */

const COUNTER = 'src/routes/Counter.jsx';
const BEGIN = 'export default function Counter() {';
const says = (/** @type {string} */ text) => ['counter one', text];

/** What is in the new build, how the swap ends, and with which words. */
/** @type {Record<string, {code?: string[][], answer?: 'flip' | 'half' | Answer, ends: (string | string[])[], message?: RegExp, shown?: boolean}>} */
const broken = {
  'throws when it is evaluated': { code: [[BEGIN, `throw new Error('bad at evaluation');\n${BEGIN}`]], ends: ['aborted', 'importFailed'], message: /bad at evaluation/ },
  'throws as it mounts': { code: [[BEGIN, `${BEGIN}\n  useEffect(() => { throw new Error('bad at mount'); }, []);`]], ends: ['aborted', ['mountFailed', 'threw']], message: /bad at mount/ },
  'throws as it renders': { code: [[BEGIN, `${BEGIN}\n  throw new Error('bad at render');`]], ends: ['aborted', ['mountFailed', 'threw']], message: /bad at render/ },
  'throws a moment after it has mounted': { code: [[BEGIN, `${BEGIN}\n  useEffect(() => { setTimeout(() => { throw new Error('bad soon'); }); }, []);`]], ends: [['aborted', 'rolledBack'], 'threw'], message: /bad soon/ },
  'throws in a timer three seconds later': { code: [[BEGIN, `${BEGIN}\n  useEffect(() => { setTimeout(() => { throw new Error('bad later'); }, 3000); }, []);`]], ends: ['rolledBack', 'threw'], message: /bad later/, shown: true },
  'breaks a promise three seconds later': { code: [[BEGIN, `${BEGIN}\n  useEffect(() => { setTimeout(async () => { throw new Error('bad promise'); }, 3000); }, []);`]], ends: ['rolledBack', 'threw'], message: /bad promise/, shown: true },
  'throws in a render three seconds later': { code: [[BEGIN, `${BEGIN}\n  const [bad, setBad] = React.useState(false);\n  useEffect(() => void setTimeout(() => setBad(true), 3000), []);\n  if (bad) throw new Error('bad render later');`]], ends: ['rolledBack', 'threw'], message: /bad render later/, shown: true },
  'suspends for ever': { code: [[BEGIN, `const never = new Promise(() => {});\n${BEGIN}\n  React.use(never);`]], ends: ['aborted', 'notReady'] },
  'renders nothing': { code: [[BEGIN, `${BEGIN}\n  if (schema) return null;`]], ends: ['aborted', 'empty'] },
  'arrives with a wrong byte': { answer: 'flip', ends: ['aborted', 'fetchFailed'] },
  'arrives cut short': { answer: 'half', ends: ['aborted', 'fetchFailed'] },
  'is missing': { answer: odd.status(404), ends: ['aborted', 'fetchFailed'] },
  'is a page of HTML': { answer: odd.html(), ends: ['aborted', 'fetchFailed'] },
};

/**
 * Publishes a faulty build to a page that works, and sees the page as before. Returns the files that came with it.
 *
 * @param {SwapSite} site
 * @param {Tab} tab
 * @param {string} what
 */
async function suffers(site, tab, what) {
  const { code = [], answer, ends, message, shown } = broken[what];
  site.restore();
  const files = new Set(Object.keys(site.manifest(site.first).chunks));
  const isNew = (/** @type {string} */ path) => path.endsWith('.js') && path.startsWith('/assets/') && !files.has(path.slice(1));
  const undo = answer && site.edge.answer(isNew, typeof answer === 'function' ? answer : spoil(answer));
  const build = await site.publish({ [COUNTER]: [...code, says(`counter that ${what}`)] });
  if (shown) await showsText(tab, '#says', `counter that ${what}`);
  const ended = await ending(tab, build);
  const [outcome, reason] = ends.map((one) => [one].flat());
  assert.ok(outcome.includes(ended.outcome) && reason.includes(/** @type {string} */ (ended.reason)), `${ended.outcome}, ${ended.reason}: ${ended.message}`);
  if (message) assert.match(/** @type {string} */ (ended.message), message);
  // A refresh would load what has just failed, so the user is not asked for one; what proves nothing is tried again later.
  const isBad = !['fetchFailed', 'notReady', 'empty'].includes(/** @type {string} */ (ended.reason));
  const decision = isBad ? 'badBuild' : 'swapPaused';
  await tab.waitFor((build, decision) => guard.status.decision.reason === decision && /** @type {NonNullable<Status['release']>} */ (guard.status.release).build === build, build, decision, { timeout: 15_000, what: 'the decision to wait' });
  assert.deepEqual(await tab.eval(() => [guard.status.decision.kind, guard.status.prompt]), ['wait', null]);
  assert.equal(await tab.eval(() => guard.status.build), site.first);
  await keepsWork(tab);
  assert.deepEqual(await tab.eval(leftovers), CLEAN);
  const fresh = Object.keys(site.manifest(build).chunks).filter((file) => !files.has(file));
  assert.ok(fresh.length > 0, 'the build has a file of its own');
  undo?.();
  return { build, fresh, isBad };
}

/** @type {(how: 'flip' | 'half') => Answer} */
const spoil = (how) => async ({ request, response, pass }) => {
  delete request.headers['accept-encoding']; // a bit of what is compressed may mean nothing
  /** @type {Buffer[]} */
  const chunks = [];
  const end = response.end.bind(response);
  response.write = (chunk) => (chunks.push(Buffer.from(chunk)), true);
  response.end = (chunk) => {
    if (chunk) chunks.push(Buffer.from(chunk));
    const body = Buffer.concat(chunks);
    if (how === 'flip') body[body.length - 2] ^= 1;
    return end(how === 'half' ? body.subarray(0, body.length / 2) : body);
  };
  const writeHead = response.writeHead;
  response.writeHead = (status, headers) => {
    const { 'content-length': _length, ...rest } = /** @type {import('node:http').OutgoingHttpHeaders} */ (headers);
    return writeHead.call(response, status, rest);
  };
  await pass();
};

/**
 * @param {TestContext} t
 * @param {Browser} browser
 * @param {string[]} which
 */
async function survives(t, browser, which) {
  const site = await startSwapSite(t);
  const tab = await openWork(browser, site);
  /** @type {Awaited<ReturnType<typeof suffers>>[]} */
  const seen = [];
  for (const what of which) await t.test(what, async () => void seen.push(await suffers(site, tab, what)));
  // Nothing of bad code is asked for again, whenever the page looks; a file that is whole by then is taken.
  const counts = () => seen.filter(({ isBad }) => isBad).flatMap(({ fresh }) => fresh.map((/** @type {string} */ file) => site.edge.count(`/${file}`)));
  const before = counts();
  await tab.eval(() => guard.check());
  await committed(tab, /** @type {typeof seen[0]} */ (seen.at(-1)).build);
  assert.deepEqual(counts(), before, 'a bad build is not fetched again');
  for (const { build, isBad } of seen) if (isBad) assert.equal(await tab.eval((build) => news.filter(({ type, to }) => type === 'swapEnded' && to === build).length, build), 1);
  site.restore();
  const good = await site.publish({ [COUNTER]: [says('counter of a good build')] });
  await showsText(tab, '#says', 'counter of a good build');
  await committed(tab, good);
  assert.equal(await tab.eval(promptIsUp), false);
  await keepsWork(tab);
  assert.deepEqual(await tab.eval(leftovers), CLEAN);
}

const all = Object.keys(broken);

inBrowsers('a build that is broken in any way leaves the page and the work in it as they were', { only: ['chromium'], timeout: 180_000 }, (t, browser) => survives(t, browser, all));

inBrowsers('a page goes back, and refuses, in other browsers too', { only: ['firefox', 'webkit'], timeout: 120_000 }, (t, browser) =>
  survives(t, browser, ['throws as it renders', 'throws in a timer three seconds later', 'arrives with a wrong byte']));
