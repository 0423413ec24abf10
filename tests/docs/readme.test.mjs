// The README, followed to the letter: what a newcomer types is what runs here.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { ROOT, launch, selected, until } from '../e2e/browsers.mjs';
import { packageDir } from '../e2e/site.mjs';
import { attributes, blocks, commands, example, links } from './examples.mjs';

const run = promisify(execFile);
const RELOAD = 'changeover-prompt >>> [part~="reload"]';
const noChromium = selected(['chromium']).length === 0;

test('each example is known to a test, and each link leads somewhere', () => {
  const unnamed = blocks.filter((block) => !block.name).map((block) => block.text.trim().split('\n')[0]);
  assert.deepEqual(unnamed, ['npm run demo', 'changeover/release.json        which build to run; tiny, never cached, the only file that is polled', 'npm test']);
  assert.deepEqual(
    blocks.filter((block) => block.name).map((block) => block.name).sort(),
    ['changeover.stores.json', 'hold', 'install', 'prompt', 'publish', 'schema', 'serve', 'state', 'store', 'tag', 'testing', 'vite.config.js'],
  );
  for (const link of links) assert.ok(existsSync(join(ROOT, link)), `README.md links to ${link}`);
});

test('the commands and attributes that the README names exist', async () => {
  const { stdout } = await run(cli(), ['--help']);
  assert.ok(commands.length >= 4, `only ${commands} found`);
  for (const command of commands) assert.match(stdout, new RegExp(`^\\s+${command}\\b`, 'm'), `changeover --help names ${command}`);
  const sources = ['loader.js', 'global.js', 'options.js'].map((name) => readFileSync(join(ROOT, 'pkg-template', name), 'utf8')).join();
  for (const name of attributes) {
    const key = name.slice('data-'.length);
    assert.match(sources, new RegExp(`\\b${key}\\b`), `the loader knows ${name}`);
  }
  const scripts = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).scripts;
  for (const script of ['demo', 'test', 'build', 'bench:size', 'bench:state']) assert.ok(scripts[script], `npm run ${script} exists`);
});

test('five minutes with Vite: install, plugin, publish, serve; a draft and an upload survive the next build', { skip: noChromium && 'no Chromium' }, async (t) => {
  const app = await newProject(t);
  app.write('index.html', '<!doctype html><html lang="en"><head><title>app</title></head><body><h1 id="title"></h1><textarea></textarea><script type="module" src="/main.js"></script></body></html>');
  app.write('vite.config.js', example('vite.config.js'));
  app.write('state.js', example('state'));
  app.write('hold.js', example('hold'));
  const main = (title) => `import './state.js';\nimport { upload } from './hold.js';\nglobalThis.upload = upload;\ndocument.getElementById('title').textContent = '${title}';\n`;

  app.write('main.js', main('first'));
  await app.shell(example('publish'));
  const url = await app.serve();
  const browser = await openBrowser(t);
  const tab = await browser.open(`${url}/?q=1#part`);
  await tab.waitFor(() => globalThis.changeover?.status.level === 'full', { what: 'the full level' });
  await tab.type('textarea', 'half a sentence');

  // The example's upload, to a server that takes its time.
  await tab.eval(() => {
    globalThis.fetch = ((real) => (to, ...rest) => (to === '/upload' ? new Promise((resolve) => (globalThis.uploaded = resolve)) : real(to, ...rest)))(fetch);
    globalThis.upload({ name: 'cat.png' });
  });
  assert.deepEqual(await tab.eval(() => changeover.status.holds.map((hold) => hold.reason)), ['uploading cat.png']);

  app.write('main.js', main('second'));
  await app.shell(example('publish'));
  await tab.click(RELOAD, { timeout: 10_000 });
  await tab.waitFor(() => /cat\.png/.test(document.querySelector('changeover-prompt').shadowRoot.textContent), { what: 'the prompt naming the upload' });
  assert.equal(await tab.text('#title'), 'first', 'the page waits for the upload');
  await tab.eval(() => globalThis.uploaded());

  await tab.waitFor(() => document.getElementById('title')?.textContent === 'second', { what: 'the second build' });
  await tab.waitFor(() => document.querySelector('textarea').value === 'half a sentence', { what: 'the draft' });
  assert.equal(await tab.eval(() => location.search + location.hash), '?q=1#part');
});

test('a state and a store whose shape changes: the draft is migrated, and two builds share the notes', { skip: noChromium && 'no Chromium' }, async (t) => {
  const app = await newProject(t);
  app.write('index.html', '<!doctype html><html lang="en"><head><title>app</title></head><body><h1 id="title"></h1><script type="module" src="/main.js"></script></body></html>');
  app.write('vite.config.js', example('vite.config.js'));
  // The build before the change: the same examples on schema 1, with the other shape.
  const older = (text) => text.replace('schema: 2', 'schema: 1').replace(/ {2}migrations: \[\n.*?\n {2}\],\n/s, '').replace(/ {2}validate: .*\n/, '');
  app.write('draft.js', `${older(example('schema')).replace("{ paragraphs: [''] }", "{ text: 'One.\\nTwo.', kept: 1 }")}globalThis.draft = () => draft;\n`);
  app.write('notes.js', older(example('store')));
  app.write('changeover.stores.json', '{ "note": { "schema": 1 }, "notes": { "schema": 1 } }');
  const main = (title) => `import './draft.js';\nimport * as notes from './notes.js';\nglobalThis.notes = notes;\ndocument.getElementById('title').textContent = '${title}';\n`;
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
  const main = (title) => `import './prompt.js';\ndocument.getElementById('title').textContent = '${title}';\n`;

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

test('five minutes with a script tag: two files, one tag, publish', { skip: noChromium && 'no Chromium' }, async (t) => {
  const app = await newProject(t);
  mkdirSync(join(app.dir, 'dist'));
  for (const name of ['changeover.js', 'runtime.js']) cpSync(join(app.dir, 'node_modules/changeover', name), join(app.dir, 'dist', name));
  const page = (title) => `<!doctype html><html lang="en"><head>${example('tag')}<title>plain</title></head><body><h1 id="title">${title}</h1></body></html>`;
  const publish = example('publish').split('\n').find((line) => line.includes('publish'));

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

/** A project below the repository, so that it finds Vite, with the packed package installed as the README says. */
async function newProject(t) {
  const parent = join(ROOT, 'target/docs');
  mkdirSync(parent, { recursive: true });
  const dir = mkdtempSync(join(parent, 'app-'));
  t.after(() => rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
  const bin = [join(dir, 'node_modules/.bin'), join(ROOT, 'node_modules/.bin'), process.env.PATH].join(delimiter);
  const app = {
    dir,
    write: (name, text) => writeFileSync(join(dir, name), text),
    shell: (text) => run('sh', ['-ec', text], { cwd: dir, env: { ...process.env, PATH: bin }, timeout: 120_000 }),
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
  };
  app.write('package.json', '{"name": "app", "private": true, "type": "module"}\n');
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', dir], { cwd: packageDir() });
  const [{ filename }] = JSON.parse(stdout);
  const install = example('install').trim();
  assert.equal(install, 'npm install changeover');
  await app.shell(`${install.replace('changeover', `./${filename}`)} --offline --no-audit --no-fund`);
  return app;
}

async function openBrowser(t) {
  const browser = await launch('chromium');
  t.after(() => browser.close());
  return browser;
}

function cli() {
  return join(packageDir(), 'native', `${process.platform}-${process.arch}`, process.platform === 'win32' ? 'changeover.exe' : 'changeover');
}
