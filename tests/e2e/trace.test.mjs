// The trace of a real page replays natively: the same inputs give the same outputs outside the browser.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { inBrowsers, ROOT } from './browsers.mjs';
import { odd, RELEASE } from './server.mjs';
import { look, openApp, promptIsUp, startSite } from './site.mjs';

inBrowsers('a trace recorded in a real page replays natively, and a trace that was altered does not', { only: ['chromium'], timeout: 300_000 }, async (t, browser) => {
  const site = await startSite(t, { attributes: { 'data-interval': 1000, 'data-trace': 'on' } });
  const tab = await openApp(browser, site);
  // A life with some of everything: news, trouble, a hold, putting off, an offer, an abort.
  const heal = site.edge.answer(RELEASE, odd.status(503));
  await look(tab);
  heal();
  await tab.waitFor(() => changeover.status.failures === 0, { timeout: 20_000 });
  await site.publish('two');
  await tab.waitFor(promptIsUp);
  await tab.eval(() => changeover.snooze());
  await tab.waitFor(() => !changeover.status.prompt);
  await site.publish('three');
  await tab.waitFor(promptIsUp);
  await site.edge.goDown();
  assert.equal(await tab.eval(() => changeover.reload()), 'unreachable');

  const trace = await tab.eval(() => changeover.trace());
  const lines = trace.trim().split('\n').map((line) => JSON.parse(line));
  assert.ok(lines[0].config, 'the first line holds the configuration');
  assert.ok(lines.slice(1).every((line) => line.input || line.output), 'every other line is an input or an output');
  assert.equal(lines[1].input?.type, 'started');
  assert.ok(lines.every((line, i) => Number.isInteger(line.at) && (i === 0 || line.at >= lines[i - 1].at)), 'time never runs backwards');
  t.diagnostic(`${lines.length} lines, ${lines.filter((line) => line.input).length} of them inputs`);

  const file = join(site.folder, 'page.trace');
  writeFileSync(file, trace);
  const replayed = await replay(file);
  assert.equal(replayed.code, 0, replayed.words);

  // The comparison is real: one changed output is found.
  const at = lines.findLastIndex((line) => line.output?.type === 'promptShown' || line.output?.event?.type === 'promptShown');
  assert.ok(at > 0, 'the trace holds the prompt');
  const altered = lines.toSpliced(at, 1).map((line) => JSON.stringify(line)).join('\n');
  writeFileSync(file, `${altered}\n`);
  const refused = await replay(file);
  assert.equal(refused.code, 1, refused.words);
});

/** @param {string} file */
function replay(file) {
  return new Promise((resolve) => {
    execFile('cargo', ['run', '-q', '-p', 'changeover-sim', '--', 'replay', file], { cwd: ROOT, timeout: 240_000 }, (error, stdout, stderr) => {
      resolve({ code: error ? (error.code ?? 'killed') : 0, words: stdout + stderr });
    });
  });
}
