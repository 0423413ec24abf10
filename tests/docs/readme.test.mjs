// The README, followed to the letter: what a newcomer types is what runs here.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { ROOT, launch, selected, until } from '../e2e/browsers.mjs';
import { packageDir } from '../e2e/site.mjs';
import { attributes, blocks, commands, example, hostBlocks, links } from './examples.mjs';

/** @import { TestContext } from 'node:test' */

const run = promisify(execFile);
const RELOAD = 'changeover-prompt >>> [part~="reload"]';
const noChromium = selected(['chromium']).length === 0;

test('each example is known to a test, and each link leads somewhere', () => {
  const unnamed = blocks.filter((block) => !block.name).map((block) => block.text.trim().split('\n')[0]);
  assert.deepEqual(unnamed, ['npm run demo', 'changeover/release.json        which build to run; tiny, never cached, the only file that is polled', 'npm test']);
  assert.deepEqual(
    blocks.filter((block) => block.name).map((block) => block.name).sort(),
    ['adopt', 'build', 'changeover.stores.json', 'hold', 'install', 'preview', 'prompt', 'publish', 'schema', 'serve', 'src/routes/Cart.jsx', 'state', 'store', 'swap-events', 'tag', 'testing', 'vite.config.js'],
  );
  assert.deepEqual(hostBlocks.map((block) => block.name).sort(), [null, null, 'nginx', 'release-by-hand', 'tag-by-hand'].sort());
  for (const link of links) assert.ok(existsSync(join(ROOT, link)), `README.md links to ${link}`);
});

test('the commands and attributes that the README names exist', async () => {
  const { stdout } = await run(cli(), ['--help']);
  assert.ok(commands.length >= 4, `only ${commands} found`);
  for (const command of commands) assert.match(stdout, new RegExp(`^\\s+${command}\\b`, 'm'), `changeover --help names ${command}`);
  const sources = ['loader.js', 'script-tag.js', 'options.js'].map((name) => readFileSync(join(ROOT, 'pkg-template', name), 'utf8')).join();
  for (const name of attributes) {
    const key = name.slice('data-'.length);
    assert.match(sources, new RegExp(`\\b${key}\\b`), `the loader knows ${name}`);
  }
  const scripts = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).scripts;
  for (const script of ['demo', 'test', 'build', 'bench:size', 'bench:state', 'bench:swap']) assert.ok(scripts[script], `npm run ${script} exists`);
});

test('the codes of problems in the docs are those of the sources', () => {
  const source = (/** @type {string[]} */ ...names) => names.map((name) => readFileSync(join(ROOT, name), 'utf8')).join('\n');
  const guard = source(...['checks', 'moves', 'odd', 'ready'].map((name) => `src/engine/guard/${name}.rs`), ...['no-swapping', 'runtime', 'states', 'states-on-demand', 'prompt-on-demand'].map((name) => `pkg-template/${name}.js`));
  const parser = source('src/engine/format/error.rs').split('pub fn code')[1].split('pub fn ')[0];
  const shapes = [/code(?: =|:) "(\w+)"/g, /"(\w+)",\s+format!\(/g, /differs\(\s*"(\w+)"/g, /trouble\(\s*"(\w+)"/g, /IMPLAUSIBLE: &str = "(\w+)"/g, /problem\('(\w+)'/g, /problem\(codeOf\(error, '(\w+)'/g];
  const told = new Set(shapes.flatMap((shape) => [...guard.matchAll(shape)].map(([, code]) => code)));
  for (const [, code] of parser.matchAll(/=> "(\w+)"/g)) told.add(code);
  for (const code of ['wrong_build', 'integrity', 'length']) told.delete(code); // what is wrong with manifests and files stands in the sentence
  const tables = readFileSync(join(ROOT, 'docs/how-it-works.md'), 'utf8').split('## The codes of problems')[1].split('\n## ')[0];
  const listed = tables.split('\n').filter((line) => /^\| `[a-z_]+`/.test(line) && !line.startsWith('| `problem` |')).flatMap((line) => [...line.split(' | ')[0].matchAll(/`(\w+)`/g)].map(([, code]) => code));
  assert.ok(listed.length > 15, `only ${listed} found`);
  assert.deepEqual([...listed].sort(), [...told].sort());
});

test('five minutes with Vite: install, plugin, build; a folder that is copied is enough', { skip: noChromium && 'no Chromium' }, async (t) => {
  const app = await newProject(t);
  app.write('index.html', '<!doctype html><html lang="en"><head><title>app</title></head><body><h1 id="title"></h1><script type="module" src="/main.js"></script></body></html>');
  app.write('vite.config.js', example('vite.config.js'));
  const main = (/** @type {string} */ title) => `document.getElementById('title').textContent = '${title}';\n`;

  app.write('main.js', main('first'));
  await app.shell(example('build'));
  const browser = await openBrowser(t);
  const tab = await browser.open(await app.preview());
  await tab.waitFor(() => globalThis.changeover?.status.level === 'full' && changeover.status.release, { what: 'the full level, and the release' });
  app.write('main.js', main('second'));
  await app.shell(example('build'));
  await tab.eval(() => changeover.check()); // the minute is over
  await tab.click(RELOAD, { timeout: 10_000 });
  await tab.waitFor(() => document.getElementById('title')?.textContent === 'second', { what: 'the second build' });
  await tab.waitFor(() => changeover.status.release && !changeover.status.skew);
});

test('with the command line: publish, serve; a draft and an upload survive the next build', { skip: noChromium && 'no Chromium' }, async (t) => {
  const app = await newProject(t);
  app.write('index.html', '<!doctype html><html lang="en"><head><title>app</title></head><body><h1 id="title"></h1><textarea></textarea><script type="module" src="/main.js"></script></body></html>');
  app.write('vite.config.js', example('vite.config.js'));
  app.write('state.js', example('state'));
  app.write('hold.js', example('hold'));
  const main = (/** @type {string} */ title) => `import './state.js';\nimport { upload } from './hold.js';\nglobalThis.upload = upload;\ndocument.getElementById('title').textContent = '${title}';\n`;

  app.write('main.js', main('first'));
  await app.shell(example('publish'));
  const url = await app.serve();
  const browser = await openBrowser(t);
  const tab = await browser.open(`${url}/?q=1#part`);
  await tab.waitFor(() => globalThis.changeover?.status.level === 'full', { what: 'the full level' });
  await tab.type('textarea', 'half a sentence');

  // The example's upload, to a server that takes its time.
  await tab.eval(() => {
    globalThis.fetch = ((real) => (/** @type {Parameters<typeof fetch>} */ ...[to, how]) => (to === '/upload' ? new Promise((resolve) => (globalThis.uploaded = resolve)) : real(to, how)))(fetch);
    globalThis.upload({ name: 'cat.png' });
  });
  assert.deepEqual(await tab.eval(() => changeover.status.holds.map((hold) => hold.reason)), ['uploading cat.png']);

  app.write('main.js', main('second'));
  await app.shell(example('publish'));
  await tab.click(RELOAD, { timeout: 10_000 });
  await tab.waitFor(() => /cat\.png/.test(document.querySelector('changeover-prompt')?.shadowRoot?.textContent ?? ''), { what: 'the prompt naming the upload' });
  assert.equal(await tab.text('#title'), 'first', 'the page waits for the upload');
  await tab.eval(() => globalThis.uploaded(new Response()));

  await tab.waitFor(() => document.getElementById('title')?.textContent === 'second', { what: 'the second build' });
  await tab.waitFor(() => document.querySelector('textarea')?.value === 'half a sentence', { what: 'the draft' });
  assert.equal(await tab.eval(() => location.search + location.hash), '?q=1#part');
});

test('a state and a store whose shape changes: the draft is migrated, and two builds share the notes', { skip: noChromium && 'no Chromium' }, async (t) => {
  const app = await newProject(t);
  app.write('index.html', '<!doctype html><html lang="en"><head><title>app</title></head><body><h1 id="title"></h1><script type="module" src="/main.js"></script></body></html>');
  app.write('vite.config.js', example('vite.config.js'));
  // The build before the change: the same examples on schema 1, with the other shape.
  const older = (/** @type {string} */ text) => text.replace('schema: 2', 'schema: 1').replace(/ {2}migrations: \[\n.*?\n {2}\],\n/s, '').replace(/ {2}validate: .*\n/, '');
  app.write('draft.js', `${older(example('schema')).replace("{ paragraphs: [''] }", "{ text: 'One.\\nTwo.', kept: 1 }")}globalThis.draft = () => draft;\n`);
  app.write('notes.js', older(example('store')));
  app.write('changeover.stores.json', '{ "note": { "schema": 1 }, "notes": { "schema": 1 } }');
  const main = (/** @type {string} */ title) => `import './draft.js';\nimport * as notes from './notes.js';\nglobalThis.notes = notes;\ndocument.getElementById('title').textContent = '${title}';\n`;
  app.write('main.js', main('first'));
  await app.shell(example('publish'));
  const url = await app.serve();
  const browser = await openBrowser(t);
  const old = await browser.open(url);
  const tab = await browser.open(url);
  await tab.waitFor(() => globalThis.changeover?.status.level === 'full', { what: 'the full level' });
  await tab.eval(() => notes.notes.set('a', { text: 'milk', by: 'Ada' }));

  app.write('draft.js', `${example('schema')}globalThis.draft = () => draft;\n`);
  app.write('notes.js', example('store'));
  app.write('changeover.stores.json', example('changeover.stores.json'));
  app.write('main.js', main('second'));
  await app.shell(example('publish'));
  await tab.click(RELOAD, { timeout: 10_000 });
  await tab.waitFor(() => document.getElementById('title')?.textContent === 'second', { what: 'the second build' });
  await tab.waitFor(() => draft().kept, { what: 'the draft' });
  assert.deepEqual(await tab.eval(() => draft()), { kept: 1, paragraphs: ['One.', 'Two.'] });
  await tab.eval(() => notes.append('a', 'bread'));
  assert.deepEqual(await tab.eval(() => notes.notes.get('a')), { by: 'Ada', paragraphs: ['milk', 'bread'] });
  assert.deepEqual(await old.eval(() => notes.notes.get('a')), { by: 'Ada', text: 'milk\nbread' });
  assert.equal(await old.text('#title'), 'first', 'the other tab stays on its build');
});

test('steps are tested as the README says, and a step that loses something is found', async (t) => {
  const app = await newProject(t);
  app.write('laws.mjs', example('testing'));
  await app.shell('node laws.mjs');
  app.write('laws.mjs', example('testing').replace('paragraphs.join', "['' + paragraphs[0]].join"));
  await assert.rejects(app.shell('node laws.mjs'), /note/);
});

test('a prompt of one\'s own replaces the built-in one', { skip: noChromium && 'no Chromium' }, async (t) => {
  const app = await newProject(t);
  app.write('index.html', '<!doctype html><html lang="en"><head><title>app</title></head><body><h1 id="title"></h1><script type="module" src="/main.js"></script></body></html>');
  app.write('vite.config.js', example('vite.config.js'));
  app.write('prompt.js', example('prompt'));
  const main = (/** @type {string} */ title) => `import './prompt.js';\ndocument.getElementById('title').textContent = '${title}';\n`;

  app.write('main.js', main('first'));
  await app.shell(example('publish'));
  const browser = await openBrowser(t);
  const tab = await browser.open(await app.serve());
  await tab.waitFor(() => globalThis.changeover?.status.level === 'full', { what: 'the full level' });
  app.write('main.js', main('second'));
  await app.shell(example('publish'));
  await tab.waitFor(() => document.querySelector('body > button')?.textContent === 'A new version is ready', { what: 'the app\'s own button' });
  assert.equal(await tab.eval(() => document.querySelector('changeover-prompt')), null);
  await tab.click('body > button');
  await tab.waitFor(() => document.getElementById('title')?.textContent === 'second', { what: 'the second build' });
});

test('a React app with lazy routes takes the diff, and its open page takes the next code of a route', { skip: noChromium && 'no Chromium' }, async (t) => {
  const app = await newProject(t);
  mkdirSync(join(app.dir, 'src/routes'), { recursive: true });
  app.write('index.html', '<!doctype html><html lang="en"><head><title>shop</title><link rel="icon" href="data:,"></head><body><div id="root"></div><script type="module" src="/src/main.jsx"></script></body></html>');
  app.write('vite.config.js', REACT_APP.config);
  app.write('src/main.jsx', REACT_APP.main);
  app.write('src/App.jsx', REACT_APP.shell);
  app.write('src/routes/Home.jsx', REACT_APP.home('Welcome'));
  app.write('src/routes/Cart.jsx', REACT_APP.cart);
  app.write('src/swap-events.js', example('swap-events'));
  await app.shell('npx vite build'); // it is an app without changeover, too

  app.write('adopt.diff', example('adopt'));
  await app.shell('git apply adopt.diff');
  await app.shell(example('publish'));
  const browser = await openBrowser(t);
  const tab = await browser.open(await app.serve());
  await tab.waitFor(() => globalThis.changeover?.status.level === 'full' && changeover.status.release, { what: 'the full level' });
  await tab.type('#name', 'Ada Lov');
  await tab.eval(() => (globalThis.witness = 'the page that was opened'));
  /** Publishes the folder; returns the build's id. */
  const publish = async () => {
    await app.shell(example('publish'));
    return JSON.parse(readFileSync(join(app.dir, 'site/changeover/release.json'), 'utf8')).build.id;
  };
  const committed = (/** @type {string} */ build) => tab.waitFor((build) => changeover.status.build === build && !changeover.status.changeover, build, { timeout: 20_000, what: 'the end of the trial' });
  const shown = (/** @type {string} */ selector, /** @type {string} */ text) =>
    tab.waitFor((selector, text) => [...document.querySelectorAll(selector)].some((element) => element.checkVisibility() && element.textContent === text), selector, text, { timeout: 15_000, what: `"${text}"` });

  app.write('src/routes/Home.jsx', REACT_APP.home('Welcome back'));
  await app.shell('npx vite build');
  assert.match((await app.shell('npx changeover diff site dist')).stdout, /1 slot swaps .*no refresh/);
  const second = await publish();
  await shown('h1', 'Welcome back');
  await committed(second);
  assert.deepEqual(await tab.eval(() => [/** @type {HTMLInputElement | null} */ (document.querySelector('#name'))?.value, document.activeElement?.id, globalThis.witness]), ['Ada Lov', 'name', 'the page that was opened']);

  await tab.click('#to-cart');
  for (let round = 0; round < 3; round += 1) await tab.click('#add');
  app.write('src/routes/Cart.jsx', example('src/routes/Cart.jsx'));
  const third = await publish();
  await shown('#add', '3 in the cart');
  await committed(third);
  await tab.click('#add');
  await shown('#add', '4 in the cart');

  app.write('src/App.jsx', readFileSync(join(app.dir, 'src/App.jsx'), 'utf8').replace('To the cart', 'The cart'));
  await publish();
  await tab.waitFor(() => document.querySelector('changeover-prompt'), { timeout: 15_000, what: 'the prompt' });
  const { said, witness } = await tab.eval(() => ({ said: /** @type {string[]} */ (globalThis.said), witness: globalThis.witness }));
  assert.equal(witness, 'the page that was opened');
  assert.deepEqual(said.slice(0, 2).map((line) => line.trim()), [`${second} committed src/routes/Home.jsx`, `${third} committed src/routes/Cart.jsx`]);
  assert.match(said[2], /needs a refresh: entryChanged by index\.html/);
  assert.deepEqual(tab.errors, []);
});

test('five minutes with a script tag: four files, one tag, publish', { skip: noChromium && 'no Chromium' }, async (t) => {
  const app = await newProject(t);
  mkdirSync(join(app.dir, 'dist'));
  for (const name of ['changeover.js', 'runtime.js', 'prompt.js', 'states.js']) cpSync(join(app.dir, 'node_modules/changeover', name), join(app.dir, 'dist', name));
  const page = (/** @type {string} */ title) => `<!doctype html><html lang="en"><head>${example('tag')}<title>plain</title></head><body><h1 id="title">${title}</h1></body></html>`;
  const publish = example('publish').split('\n').find((line) => line.includes('publish'));
  assert.ok(publish);

  app.write('dist/index.html', page('first'));
  await app.shell(publish);
  const browser = await openBrowser(t);
  const tab = await browser.open(await app.serve());
  await tab.waitFor(() => globalThis.changeover?.status.level === 'full', { what: 'the full level' });
  app.write('dist/index.html', page('second'));
  await app.shell(publish);
  await tab.click(RELOAD, { timeout: 10_000 });
  await tab.waitFor(() => document.getElementById('title')?.textContent === 'second', { what: 'the second build' });
});

/** An app that has never heard of changeover: its routes are lazy, and its events go to all listeners. */
const REACT_APP = {
  config: `import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({ plugins: [react()] });
`,
  main: `import { createRoot } from 'react-dom/client';
import App from './App.jsx';
import './swap-events.js';

globalThis.said = [];
console.log = (...words) => said.push(words.join(' '));
createRoot(document.getElementById('root')).render(<App />);
`,
  shell: `import { Suspense, lazy, useState } from 'react';

const Home = lazy(() => import('./routes/Home.jsx'));
const Cart = lazy(() => import('./routes/Cart.jsx'));

export default function App() {
  const [page, setPage] = useState('home');
  return (
    <>
      <nav><button id="to-cart" onClick={() => setPage('cart')}>To the cart</button></nav>
      <Suspense fallback={<p>Loading</p>}>{page === 'home' ? <Home /> : <Cart />}</Suspense>
    </>
  );
}
`,
  home: (/** @type {string} */ title) => `export default function Home() {
  return <main><h1>${title}</h1><input id="name" /></main>;
}
`,
  /** As it was before it kept items: schema 1, with a count. */
  cart: `import { useSlotState } from 'changeover/react';

export const schema = 1;

export default function Cart() {
  const [count, setCount] = useSlotState('count', 0);
  return <button id="add" onClick={() => setCount((before) => before + 1)}>{count}</button>;
}
`,
};

/**
 * A project below the repository, so that it finds Vite, with the packed package installed as the README says.
 *
 * @param {TestContext} t
 */
async function newProject(t) {
  const parent = join(ROOT, 'target/docs');
  mkdirSync(parent, { recursive: true });
  const dir = mkdtempSync(join(parent, 'app-'));
  t.after(() => rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
  const bin = [join(dir, 'node_modules/.bin'), join(ROOT, 'node_modules/.bin'), process.env.PATH].join(delimiter);
  const app = {
    dir,
    write: (/** @type {string} */ name, /** @type {string} */ text) => writeFileSync(join(dir, name), text),
    // The repository around it is none of its own.
    shell: (/** @type {string} */ text) => run('sh', ['-ec', text], { cwd: dir, env: { ...process.env, PATH: bin, GIT_CEILING_DIRECTORIES: parent }, timeout: 120_000 }),
    /** Runs the README's serve command on a free port. */
    async serve() {
      const words = example('serve').trim().replace(/--port \d+/, '--port 0').split(' ').slice(1);
      assert.equal(words[0], 'changeover');
      const child = spawn(cli(), words.slice(1), { cwd: dir, stdio: ['ignore', 'pipe', 'inherit'] });
      t.after(() => child.kill());
      let text = '';
      child.stdout.on('data', (chunk) => (text += chunk));
      return until(() => text.match(/http:\/\/127\.0\.0\.1:\d+/)?.[0], { what: 'the address of the server' });
    },
    /** Runs the README's preview command, on this machine alone and on another port than its own. */
    async preview() {
      assert.equal(example('preview').trim(), 'npx vite preview');
      const child = spawn(process.execPath, [join(ROOT, 'node_modules/vite/bin/vite.js'), 'preview', '--host', '127.0.0.1', '--port', String(20_000 + (process.pid % 10_000))], { cwd: dir, stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NO_COLOR: '1' } });
      t.after(() => child.kill());
      let text = '';
      child.stdout.on('data', (chunk) => (text += chunk));
      return until(() => text.match(/http:\/\/127\.0\.0\.1:\d+/)?.[0], { what: 'the address of the preview' });
    },
  };
  app.write('package.json', '{"name": "app", "private": true, "type": "module"}\n');
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', dir], { cwd: packageDir() });
  const [{ filename }] = JSON.parse(stdout);
  const install = example('install').trim();
  assert.equal(install, 'npm install changeover');
  await app.shell(`${install.replace('changeover', `./${filename}`)} --offline --no-audit --no-fund`);
  return app;
}

/** @param {TestContext} t */
async function openBrowser(t) {
  const browser = await launch('chromium');
  t.after(() => browser.close());
  return browser;
}

function cli() {
  return join(packageDir(), 'native', `${process.platform}-${process.arch}`, process.platform === 'win32' ? 'changeover.exe' : 'changeover');
}
