// A build on a host that has no release is told so, once, where those who built it look.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { inBrowsers } from './browsers.mjs';
import { odd, RELEASE, startEdge } from './server.mjs';
import { look, openApp, writeApp } from './site.mjs';

/** Before the app: every word on the console, by method. */
const LISTENING = `<script>
globalThis.words = [];
for (const method of ['info', 'log', 'warn', 'error']) {
  const say = console[method];
  console[method] = (...given) => (words.push([method, given.join(' ')]), say.apply(console, given));
}
</script>`;
const WAYS = {
  'answers 404': { answer: odd.status(404), says: 'was answered with status 404' },
  'answers its page for every address': { answer: odd.html(), says: 'answered HTML instead of JSON' },
};

for (const [name, { answer, says }] of Object.entries(WAYS)) {
  inBrowsers(`where the host ${name} instead of a release, the console says once what to do`, {}, async (t, browser) => {
    const root = mkdtempSync(join(tmpdir(), 'changeover-silent-'));
    writeApp('one', root, { head: LISTENING, attributes: { 'data-build': 'one', 'data-interval': 1000 } });
    const edge = await startEdge({ root });
    t.after(async () => {
      await edge.close();
      rmSync(root, { recursive: true, force: true });
    });
    edge.answer(RELEASE, answer);
    const tab = await openApp(browser, edge, { stream: null });
    const told = () => tab.eval(() => words.filter(([, text]) => text.includes('changeover')));
    await tab.waitFor(() => words.some(([, text]) => text.includes('changeover')), { what: 'the word on the console' });
    for (let round = 0; round < 3; round++) await look(tab);
    assert.deepEqual(await told(), [
      ['info', `changeover: release.json ${says} at ${edge.url}${RELEASE}, so this page hears of no new build; the Vite plugin, \`changeover stamp\` and \`changeover publish\` write that file`],
    ]);
    assert.deepEqual(await tab.eval(() => news.filter(({ type }) => type === 'problem')), []);
  });
}
