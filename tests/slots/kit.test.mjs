// The registry and slots of plain DOM by themselves, in a page that no plugin has made.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { transform } from 'esbuild';
import { inBrowsers } from '../e2e/browsers.mjs';
import { PACKAGE } from '../vite/support.mjs';
import { installSteps, startSite } from './site.mjs';

/** @import { TestContext } from 'node:test' */
/** @import { Browser } from '../e2e/types.d.ts' */

const KIT = readFileSync(join(PACKAGE, 'slots.js'), 'utf8');

const PAGE = (list = '') => `<!doctype html><link rel="icon" href="data:,">${list}<body><div id="a"></div><script type="module">
import * as kit from '/slots.js';
window.kit = kit;
window.host = document.getElementById('a');
window.ready = true;
</script>`;

const LIST = JSON.stringify({ build: 'one', base: '/', slots: { s: { file: 'one.js' } } });
const MODULE = (/** @type {string} */ text, more = '') => `export function mount(host, context) {
  (window.contexts ??= []).push(context);
  const log = (word) => (window.log ??= []).push('${text} ' + word);
  host.innerHTML = '<p>${text}</p><label><input type="radio" name="r" value="1">1</label><label><input type="radio" name="r" value="2" checked>2</label>';
  return { snapshot: () => ({ from: '${text}' }), unmount: () => log('unmount'), pause: () => log('pause'), resume: () => log('resume'), ${more} };
}\n`;

/**
 * @param {TestContext} t
 * @param {Browser} browser
 */
async function open(t, browser, files = {}, list = `<script type="application/json" id="changeover-slots">${LIST}</script>`) {
  const site = await startSite(t, { files: { 'index.html': PAGE(list), 'slots.js': KIT, 'one.js': MODULE('one'), 'two.js': MODULE('two'), ...files } });
  const tab = await browser.open(site.url);
  await tab.waitFor(() => window.ready === true);
  await tab.eval(() => kit.registry());
  await tab.eval(installSteps);
  return tab;
}

test('the kit is small', async () => {
  const { code } = await transform(KIT, { minify: true, format: 'esm', target: 'es2020' });
  const size = gzipSync(code, { level: 9 }).length;
  assert.ok(size <= 4_850, `${size} bytes`);
});

test('importing the kit on a server does nothing, and its registry is empty', async () => {
  const { registry, slot, keep } = await import(join(PACKAGE, 'slots.js'));
  assert.equal(/** @type {Record<symbol, unknown>} */ (/** @type {unknown} */ (globalThis))[Symbol.for('changeover.slots')], undefined);
  assert.equal(slot('a', () => {}).id, 'a');
  assert.deepEqual([registry().build, registry().files(), registry().mounted()], [null, {}, []]);
  assert.equal(keep('k', 1, () => 3), 3);
  delete /** @type {Record<symbol, unknown>} */ (/** @type {unknown} */ (globalThis))[Symbol.for('changeover.slots')];
});

inBrowsers('modules mount by their mount, their default, or as an element', {}, async (t, browser) => {
  const tab = await open(t, browser);
  const seen = await tab.eval(async () => {
    /** @type {(module: any, props?: object) => Promise<unknown[]>} */
    const show = async (module, props) => {
      const view = await kit.slot('x', async () => module).mount(host, props);
      const html = host.textContent;
      const { tagName } = /** @type {Element} */ (host.firstElementChild).firstElementChild ?? {};
      const { instance } = view;
      view.unmount();
      return [html, tagName?.toLowerCase().replace(/\d+$/, '#') ?? null, host.childNodes.length, typeof instance.snapshot];
    };
    const mount = (/** @type {HTMLElement} */ place, /** @type {{props: {word: string}, state: unknown}} */ { props, state }) => void (place.textContent = `${props.word} ${state}`);
    class Plain extends HTMLElement {
      connectedCallback() { this.textContent = `${/** @type {{word?: string}} */ (this).word} ${/** @type {{changeover: {state: unknown}}} */ (/** @type {unknown} */ (this)).changeover.state} ${this.isConnected}`; }
      snapshot() {}
    }
    class Named extends HTMLElement {
      connectedCallback() { this.textContent = 'named'; }
    }
    customElements.define('my-named', Named);
    class Wrong extends HTMLElement { constructor() { super(); throw new TypeError('mine'); } }
    const found = [
      await show({ mount }, { word: 'a' }), await show({ default: { mount } }, { word: 'b' }), await show({ default: mount }, { word: 'c' }),
      await show({ default: Plain }, { word: 'd' }), await show({ default: Plain }, { word: 'e' }), await show({ default: Named }),
    ];
    for (const module of [{ default: Wrong }, { other: 1 }, { mount() { throw new Error('no'); } }, { mount: () => Promise.reject(new Error('later')) }]) {
      found.push([await show(module).catch(({ message }) => message), host.childNodes.length, slots.mounted().length]);
    }
    return found;
  });
  assert.deepEqual(seen, [
    ['a undefined', null, 0, 'undefined'], ['b undefined', null, 0, 'undefined'], ['c undefined', null, 0, 'undefined'],
    ['d undefined true', 'changeover-slot-#', 0, 'function'], ['e undefined true', 'changeover-slot-#', 0, 'function'], ['named', 'my-named', 0, 'undefined'],
    ['mine', 0, 0], ['changeover: the module of a slot exports neither mount(host, ctx) nor a default that can be mounted.', 0, 0], ['no', 0, 0], ['later', 0, 0],
  ]);
});

inBrowsers('generations live side by side and end one by one; radio buttons keep what was chosen in each', {}, async (t, browser) => {
  const tab = await open(t, browser);
  const chosen = () => tab.eval(() => [...host.children].map((place) => `${/** @type {Element} */ (place.querySelector('p')).textContent} ${/** @type {HTMLInputElement} */ (place.querySelector(':checked'))?.value ?? '-'}${/** @type {HTMLElement} */ (place).inert ? ' hidden' : ''}`));
  await tab.eval(async () => {
    /** @type {{view: unknown}} */ (window).view = await kit.slot('s', () => kit.load('s')).mount(host, { a: 1 });
    /** @type {HTMLElement} */ (host.querySelector('input')).click();
    /** @type {{attempt: unknown}} */ (window).attempt = await prepare('s', { file: 'two.js' });
  });
  assert.deepEqual(await chosen(), ['two - hidden', 'one 1']);
  await tab.eval(() => attempt.show());
  assert.deepEqual(await chosen(), ['two 2', 'one - hidden']);
  await tab.eval(() => attempt.back());
  assert.deepEqual(await chosen(), ['one 1']);
  const facts = await tab.eval(() => ({ log, contexts: contexts.map(({ state, props, signal }) => JSON.stringify([state, props, signal.aborted])) }));
  assert.deepEqual(facts, { log: ['one pause', 'two pause', 'one resume', 'two unmount'], contexts: ['[null,{"a":1},false]', '[{"from":"one"},{"a":1},true]'] });
  await tab.eval(async () => {
    /** @type {{attempt: unknown}} */ (window).attempt = await prepare('s', { file: 'two.js' });
    view.unmount();
    attempt.show();
    attempt.drop();
  });
  assert.deepEqual(await tab.eval(() => [host.childNodes.length, slots.mounted(), contexts.map(({ signal }) => signal.aborted)]), [0, [], [true, true, true]]);
});

inBrowsers('a new generation that cannot be mounted, or renders nothing, is told apart and leaves nothing', {}, async (t, browser) => {
  const tab = await open(t, browser, { 'bad.js': "export function mount(host, { signal }) { window.signal_ = signal; host.textContent = 'half'; throw new Error('broken'); }\n", 'empty.js': 'export const mount = () => ({});\n', 'slow.js': MODULE('slow', 'ready: new Promise((done, fail) => (window.fail_ = fail))') });
  const seen = await tab.eval(async () => {
    await kit.slot('s', () => kit.load('s')).mount(host);
    const broken = await prepare('s', { file: 'bad.js' }).catch(({ message }) => message);
    const left = [host.children.length, signal_.aborted];
    const empty = await prepare('s', { file: 'empty.js' });
    const isEmpty = empty.isEmpty();
    empty.discard();
    const slow = prepare('s', { file: 'slow.js' }).catch((error) => `ready: ${error}`);
    while (!window.fail_) await new Promise((later) => setTimeout(later));
    /** @type {(why: string) => void} */ (fail_)('not yet');
    return [broken, left, isEmpty, await slow, slots.files().s.file];
  });
  assert.deepEqual(seen, ['broken', [1, true], true, 'ready: not yet', 'one.js']);
});

inBrowsers('what a loader makes of a module is made of the next one too', {}, async (t, browser) => {
  const tab = await open(t, browser, { 'one.js': "export const A = { mount: (host) => void (host.textContent = 'A1') };\n", 'two.js': "export const A = { mount: (host) => void (host.textContent = 'A2') };\n" });
  const seen = await tab.eval(async () => {
    await kit.slot('s', () => kit.load('s').then(({ A }) => ({ default: A }))).mount(host);
    const attempt = await prepare('s', { file: 'two.js' });
    attempt.show();
    attempt.drop();
    const other = await slots.through('s', 'whole', async () => 'not asked');
    const nested = await slots.through('s', 'new', () => Promise.all([slots.load('s'), Promise.resolve().then(() => slots.load('s'))]));
    return [host.textContent, other, nested[0], typeof nested[1]];
  });
  assert.deepEqual(seen, ['A2', 'whole', 'new', 'object']);
});

inBrowsers('the registry is one a page, tells its news, and an undo undoes once', {}, async (t, browser) => {
  const tab = await open(t, browser, { 'copy.js': KIT });
  const seen = await tab.eval(async () => {
    const copy = /** @type {typeof kit} */ (await import(/** @type {string} */ ('/copy.js')));
    /** @type {string[]} */
    const news = [];
    const stop = slots.subscribe(({ kind, id }) => news.push(`${kind} ${id}`));
    slots.subscribe(() => { throw new Error('listener'); });
    addEventListener('error', (event) => event.preventDefault());
    const holder = /** @type {Parameters<typeof slots.hold>[1]} */ (/** @type {unknown} */ ({ snapshot() {}, prepare() {} }));
    const undos = [slots.hold('s', holder), slots.hold('s', holder)];
    const held = slots.holders('s').length;
    undos[0]();
    undos[0]();
    const left = slots.holders('s').length;
    undos[1]();
    slots.pointTo('s', { file: 'two.js', build: 'two' });
    stop();
    slots.pointTo('s', { file: 'one.js' });
    return { same: copy.registry() === kit.registry(), news, held, left, files: slots.files(), build: slots.build, loaded: [slots.isLoaded('s'), await slots.load('s').then(() => slots.isLoaded('s'))], has: [slots.has('s'), slots.has('t')] };
  });
  assert.deepEqual(seen, {
    same: true, news: ['held s', 'held s', 'released s', 'released s', 'moved s'], held: 2, left: 1, files: { s: { file: 'one.js', css: [], build: null } }, build: 'one',
    loaded: [false, true], has: [true, false],
  });
});

inBrowsers('keep makes a thing once, and anew from the old one for another schema', {}, async (t, browser) => {
  const tab = await open(t, browser);
  const seen = await tab.eval(() => {
    const first = kit.keep('cache', 1, () => ({ n: 1 }));
    const again = kit.keep('cache', 1, () => ({ n: 2 }));
    const next = kit.keep('cache', 2, (before) => ({ n: before.n + 10 }));
    let failed;
    try { kit.keep('cache', 3, () => { throw new Error('no'); }); } catch (error) { failed = /** @type {Error} */ (error).message; }
    return [first === again, { ...next }, failed, kit.keep('cache', 2, () => 'lost') === /** @type {unknown} */ (next), kit.keep('none', 1, (before) => typeof before)];
  });
  assert.deepEqual(seen, [true, { n: 11 }, 'no', true, 'undefined']);
});

inBrowsers('focus and scroll positions find their element by id, by name, or by place', {}, async (t, browser) => {
  const tab = await open(t, browser);
  const seen = await tab.eval(() => {
    const make = (/** @type {string} */ html) => {
      const place = host.appendChild(document.createElement('div'));
      place.innerHTML = html;
      return place;
    };
    const move = (/** @type {string} */ before, /** @type {string} */ after, /** @type {(place: HTMLElement) => any} */ pick) => {
      host.replaceChildren();
      const [from, to] = [make(before), make(after)];
      to.hidden = true;
      const element = pick(from);
      element.focus();
      if (element.setSelectionRange && element.type !== 'email') element.setSelectionRange(1, 2);
      kit.handOver(from, to, () => {
        from.hidden = true;
        to.hidden = false;
      });
      const { activeElement: active } = document;
      return to.contains(active) ? `${/** @type {HTMLElement} */ (active).title}${/** @type {HTMLInputElement} */ (active).selectionStart ?? ''}` : null;
    };
    const input = (/** @type {string} */ title, more = '') => `<input title="${title}" value="abc" ${more}>`;
    const first = (/** @type {HTMLElement} */ place) => place.querySelector('input');
    return [
      move(input('x', 'id="i:1"'), `<p>${input('other')}</p>${input('x', 'id="i:1"')}`, first),
      move(input('x', 'name="n[]"') + input('y', 'name="n[]"'), input('z') + input('x', 'name="n[]"') + input('y', 'name="n[]"'), (/** @type {HTMLElement} */ place) => place.children[1]),
      move(`<p></p><p>${input('x')}</p>`, `<p></p><p>${input('x')}</p>`, first),
      move(input('x', 'id="gone"'), input('y'), first),
      move(input('x', 'type="email" name="e"'), input('x', 'type="email" name="e"'), first),
      move(`<button title="b">b</button>`, `<button title="b">b</button>`, (/** @type {HTMLElement} */ place) => place.firstChild),
    ];
  });
  assert.deepEqual(seen, ['x1', 'y1', 'x1', null, 'x', 'b']);
  const scrolled = await tab.eval(() => {
    document.body.innerHTML = '<div style="height: 4000px" id="a"><div id="f"><div style="height: 3000px"><ul style="height: 50px; overflow: auto"><li style="height: 500px"></ul></div></div><div id="t" hidden><div style="height: 3000px"><ul style="height: 50px; overflow: auto; scroll-behavior: smooth"><li style="height: 500px"></ul></div></div></div>';
    const [from, to] = ['f', 't'].map((id) => /** @type {HTMLElement} */ (document.getElementById(id)));
    /** @type {Element} */ (/** @type {NonNullable<typeof from>} */ (from).querySelector('ul')).scrollTop = 120;
    window.scrollTo(0, 1500);
    kit.handOver(from, to, () => {
      /** @type {NonNullable<typeof from>} */ (from).hidden = true;
      /** @type {NonNullable<typeof to>} */ (to).hidden = false;
    });
    return [/** @type {Element} */ (/** @type {NonNullable<typeof to>} */ (to).querySelector('ul')).scrollTop, scrollY];
  });
  assert.deepEqual(scrolled, [120, 1500]);
});
