// The small app that is built with the package of an earlier commit and with today's: the builds of a site that is upgraded.
//
// A build keeps its scripts in a folder of its own, so that a page of an earlier build finds its files after the next one is
// published. It has two registered states (`draft` with a schema, `album` with values that only IndexedDB carries), form
// fields that the guard carries, two scroll positions, and a durable store that is opened when a test asks for it.
//
// The old build was written by this file once, and its output is a fixture: what is changed here reaches new builds alone.

import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the package needs in a page with a script tag. The stores are the two files that bundler plugins deliver as well. */
const PACKAGE = ['changeover.js', 'runtime.js', 'stores-slim.js', 'stores.wasm'];
/** Files that the earlier version had inside of its runtime. */
const LATER = ['prompt.js', 'states.js'];

/** What each schema knows of a draft and of a note: 1 is a text, 2 its lines. What else a record holds passes. */
const SCHEMAS = {
  1: `
const schema = { schema: 1 };
const toText = ({ text }) => text;
const ofText = (text) => ({ text });`,
  2: `
const schema = {
  schema: 2,
  migrations: [{
    from: 1, to: 2, id: 'text to lines',
    up: ({ text, ...rest }) => ({ lines: text.split('\\n'), ...rest }),
    down: ({ lines, ...rest }) => ({ text: lines.join('\\n'), ...rest }),
  }],
};
const toText = ({ lines }) => lines.join('\\n');
const ofText = (text) => ({ lines: text.split('\\n') });`,
};
const READS = { 1: { schema: 1, reads: [1] }, 2: { schema: 2, reads: [1, 2] } };

/** @type {(name: string, schema: 1 | 2) => string} */
const script = (name, schema) => `'use strict';
const $ = (id) => document.getElementById(id);
$('build').textContent = ${JSON.stringify(name)};
globalThis.news = [];
changeover.on('*', (event) => news.push(event));
${SCHEMAS[schema]}

globalThis.came = {};
changeover.state('draft', {
  ...schema,
  capture: () => ofText($('draft').value),
  restore(value) {
    $('draft').value = toText(value);
    came.draft = value;
  },
});
globalThis.album = undefined;
changeover.state('album', {
  capture: () => globalThis.album,
  restore: (value) => (came.album = globalThis.album = value),
});

// On a script tag the stores are there once the runtime is.
globalThis.openNotes = async () => {
  while (!changeover.store) await new Promise((go) => setTimeout(go, 20));
  if (globalThis.notes) return;
  globalThis.steps = [];
  globalThis.changes = [];
  const store = changeover.store('notes', { ...schema, dwell: 400, census: 100 });
  store.onProgress(({ phase }) => steps.push(phase));
  store.subscribe((change) => changes.push(change));
  // A store that is just on its way from one schema to another refuses at first.
  await store.ready().catch(() => {});
  while (store.mode.kind !== 'readWrite') await new Promise((go) => setTimeout(go, 20));
  globalThis.notes = store;
};
globalThis.textOf = (note) => note && toText(note);
globalThis.noteOf = (text, rest) => ({ ...ofText(text), ...rest });
globalThis.allNotes = async () => {
  const all = {};
  for await (const [key, value] of notes.entries()) all[key] = value;
  return all;
};

for (let at = 1; at <= 80; at += 1) {
  const row = document.createElement('li');
  row.textContent = 'Order ' + at;
  $('list').append(row);
}
globalThis.ready = true;
`;

/**
 * Writes a build into an empty folder.
 *
 * @param {string} dist
 * @param {{name: string, schema: 1 | 2, from: string, report?: string}} build
 *   `from`: the folder of the package; `report`: what stands in a file that no page has loaded
 */
export function writeBuild(dist, { name, schema, from, report = 'none' }) {
  const folder = join(dist, name);
  mkdirSync(folder);
  for (const file of [...PACKAGE, ...LATER.filter((file) => existsSync(join(from, file)))]) cpSync(join(from, file), join(folder, file));
  writeFileSync(join(folder, 'app.js'), script(name, schema));
  writeFileSync(join(folder, 'report.js'), `export const report = ${JSON.stringify(report)};\n`);
  writeFileSync(join(dist, 'changeover.stores.json'), JSON.stringify({ draft: READS[schema], notes: READS[schema] }));
  writeFileSync(
    join(dist, 'index.html'),
    `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width" />
    <title>Orders</title>
    <link rel="icon" href="data:," />
    <style>
      #box { height: 60px; overflow: auto; }
      #box div { height: 600px; }
      #list li { height: 40px; }
    </style>
    <script>
      globalThis.errors = [];
      addEventListener('error', (event) => errors.push(event.message ?? event.target.src), true);
      addEventListener('unhandledrejection', (event) => errors.push(String(event.reason)));
    </script>
    <script src="/${name}/changeover.js" data-release="/changeover/release.json" data-lang="en" data-interval="1000" data-fields="on" data-stores="/${name}/stores-slim.js" data-stores-wasm="/${name}/stores.wasm"></script>
  </head>
  <body>
    <h1>Orders, build <span id="build">?</span></h1>
    <textarea id="draft" rows="3" data-changeover-skip></textarea>
    <form id="order">
      <input name="who" autocomplete="off" />
      <select name="size"><option>S</option><option>M</option><option>L</option></select>
      <label><input type="checkbox" name="gift" /> gift</label>
    </form>
    <div id="box"><div>tall</div></div>
    <ol id="list"></ol>
    <script src="/${name}/app.js"></script>
  </body>
</html>
`,
  );
}
