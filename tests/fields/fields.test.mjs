// Form fields as a person fills them, carried over a reload of a real page.
import assert from 'node:assert/strict';
import { build } from 'esbuild';
import { ROOT, send, serve, until, withBrowser } from '../prompt/harness.mjs';
/** @import { BrowserContext, Page } from 'puppeteer-core' */
const BOTH = { engines: /** @type {('chromium' | 'firefox')[]} */ (['chromium', 'firefox']) };

/** The page takes what the one before it captured, as a changeover would, and notes every event the app would see. */
const SCRIPT = `
import { createFields } from '/pkg/form-fields.js';
globalThis.heard = [];
for (const type of ['input', 'change', 'click']) {
  addEventListener(type, ({ target, isTrusted }) => !isTrusted && heard.push(type + ' ' + (target.id || target.name || target.localName)), true);
}
globalThis.fields = createFields({ patience: globalThis.patience ?? 10000 });
globalThis.keep = () => {
  const value = fields.capture();
  sessionStorage.setItem('carried', JSON.stringify(value ?? null));
  return JSON.stringify(value ?? null);
};
globalThis.start = () => {
  const carried = JSON.parse(sessionStorage.getItem('carried'));
  sessionStorage.removeItem('carried');
  if (carried) fields.restore(carried);
};
if (!globalThis.waits) start();
globalThis.ready = true;
`;

/** `forms(n)` is the document of the n-th load. */
async function openForms(/** @type {import('node:test').TestContext} */ t, /** @type {BrowserContext} */ browser, /** @type {string | ((load: number) => string)} */ forms, { headers = {}, answers = {}, before = '' } = {}) {
  let loads = 0;
  const site = await serve({
    '/': (request, response) => {
      loads += 1;
      const body = typeof forms === 'function' ? forms(loads) : forms;
      send(response, 200, `<!doctype html><meta charset="utf-8"><title>form</title><link rel="icon" href="data:,"><body>${body}<script src="/before.js"></script><script type="module" src="/test.js"></script>`, '.html', { 'cache-control': 'no-store', ...headers });
    },
    '/before.js': before,
    '/test.js': SCRIPT,
    ...answers,
  });
  t.after(site.close);
  const page = await browser.newPage();
  await page.goto(site.origin);
  await until(page, () => globalThis.ready);
  return page;
}

/** Captures and loads the page anew; returns what was captured, as text. */
async function changeover(/** @type {Page} */ page) {
  const carried = await page.evaluate(() => keep());
  // A new load rather than reload(): the browser's own restoring of forms must not help.
  const url = page.url();
  await page.goto('about:blank');
  await page.goto(url);
  await until(page, () => globalThis.ready);
  return carried;
}

const value = (/** @type {Page} */ page, /** @type {string} */ selector) => page.$eval(selector, (field) => /** @type {HTMLInputElement} */ (field).value);

const ALL = `
<form id="order"><input name="who"><input name="mail" type="email" value="old@x.y"><input name="count" type="number"><input name="when" type="date">
<textarea name="note">default</textarea>
<select name="size"><option>S<option selected>M<option>L</select>
<select name="tags" multiple><option>a<option selected>b<option>c</select>
<input type="checkbox" name="extra" value="gift"><input type="checkbox" name="extra" value="card" checked>
<input type="radio" name="pay" value="later" checked><input type="radio" name="pay" value="now"></form>
<div id="story" contenteditable="true"><p>Once</p></div>
<input type="range" name="loud"><input type="color" name="tint"><form><input name="who"></form><form name="third"><input name="who"></form><input name="who"><p><input><input class="second"></p><p><input name="line[]"><input name="line[]"><input name="line[]"></p>`;

const snapshot = (/** @type {Page} */ page) =>
  page.evaluate(() => ({
    texts: [.../** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll('input:not([type=checkbox],[type=radio]),textarea'))].map(({ value }) => value),
    size: /** @type {HTMLInputElement} */ (document.querySelector('[name=size]')).value,
    tags: [.../** @type {HTMLSelectElement} */ (document.querySelector('[name=tags]')).selectedOptions].map(({ value }) => value),
    ticked: [.../** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll('[type=checkbox],[type=radio]'))].map(({ checked }) => checked),
    story: /** @type {Element} */ (document.querySelector('#story')).innerHTML,
  }));

withBrowser('every kind of field comes back as the user left it, and says so to the app', BOTH, async (t, browser) => {
  const page = await openForms(t, browser, ALL);
  await page.type('#order [name=who]', 'Ann');
  await page.$eval('[name=mail]', (field) => /** @type {HTMLInputElement} */ (field).select());
  await page.type('[name=mail]', 'new@x.y');
  await page.type('[name=count]', '12');
  await page.$eval('[name=when]', (field) => (/** @type {HTMLInputElement} */ (field).value = '2024-05-06'));
  await page.type('[name=note]', 'Hello, ');
  await page.focus('[name=loud]');
  await page.keyboard.press('ArrowRight');
  await page.select('[name=size]', 'L');
  await page.select('[name=tags]', 'a', 'c');
  await page.click('[value=gift]');
  await page.click('[value=card]');
  await page.click('[value=now]');
  await page.focus('#story');
  await page.keyboard.type('upon ');
  await page.type('form:not([id],[name]) [name=who]', 'second');
  await page.type('form[name=third] [name=who]', 'third');
  await page.type('body > [name=who]', 'outside');
  await page.type('.second', 'by place');
  await page.type('[name="line[]"]:nth-child(2)', 'two');
  await page.type('[name="line[]"]:nth-child(3)', 'three');
  const before = await snapshot(page);
  await changeover(page);
  assert.deepEqual(await snapshot(page), before);
  assert.match(before.story, /upon/);
  const heard = /** @type {string[] & typeof globalThis.heard} */ (await page.evaluate(() => heard));
  for (const name of ['who', 'mail', 'count', 'when', 'note', 'loud', 'size', 'tags', 'story']) {
    for (const type of ['input', 'change']) assert.ok(heard.includes(`${type} ${name}`), `${type} ${name} in ${heard}`);
  }
  for (const name of ['extra', 'pay']) assert.ok(heard.includes(`click ${name}`), `click ${name} in ${heard}`);
  await changeover(page);
  assert.deepEqual(await snapshot(page), before, 'and once more');
});

withBrowser('what the user has not changed is not captured', {}, async (t, browser) => {
  const page = await openForms(t, browser, ALL);
  assert.equal(await page.evaluate(() => keep()), 'null');
});

withBrowser('a box that is disabled meanwhile is ticked all the same', {}, async (t, browser) => {
  const page = await openForms(t, browser, (load) => `<input type="checkbox" id="box"${load > 1 ? ' disabled' : ''}>`);
  await page.click('#box');
  await changeover(page);
  assert.ok(await page.$eval('#box', (box) => /** @type {HTMLInputElement} */ (box).checked));
});

withBrowser('a field that the user has cleared stays cleared', BOTH, async (t, browser) => {
  const page = await openForms(t, browser, '<input id="name" value="from the server"><input id="shown">');
  await page.evaluate(() => (/** @type {HTMLInputElement} */ (document.querySelector('#shown')).value = ''));
  await page.$eval('#name', (field) => /** @type {HTMLInputElement} */ (field).select());
  await page.keyboard.press('Backspace');
  await changeover(page);
  assert.equal(await value(page, '#name'), '');
});

const SECRETS = ['password', 'toggled', 'hidden', 'cc', 'cvc', 'section', 'current', 'fresh', 'code', 'inside', 'shadow'];
withBrowser('no password, code, card, hidden field, file or skipped field is ever captured', BOTH, async (t, browser) => {
  const page = await openForms(t, browser, `<form>
    <input id="password" type="password"><input id="toggled" type="password"><input id="hidden" type="hidden" value="x"><input id="file" type="file">
    <input id="cc" autocomplete="cc-number"><input id="cvc" autocomplete="cc-csc"><input id="section" autocomplete="section-a billing CC-EXP">
    <input id="current" autocomplete="username current-password"><input id="fresh" autocomplete="new-password"><input id="code" autocomplete="one-time-code">
    <div data-changeover-skip><input id="inside"><div contenteditable class="all">notes</div><x-host></x-host></div><div contenteditable class="around">text <b data-changeover-skip>secret</b></div><input id="fine" autocomplete="section-a street-address"></form>
    <script>document.querySelector('x-host').attachShadow({ mode: 'open' }).innerHTML = '<input id="shadow">'</script>`);
  const type = async (/** @type {string} */ id) => {
    if (id === 'hidden') return page.$eval('#hidden', (field) => (/** @type {HTMLInputElement} */ (field).value = 'geheim-hidden'));
    const field = id === 'shadow' ? await page.evaluateHandle(() => /** @type {ShadowRoot} */ (/** @type {Element} */ (document.querySelector('x-host')).shadowRoot).querySelector('input')) : await page.$(`#${id}`);
    await /** @type {import('puppeteer-core').ElementHandle} */ (field).type(`geheim-${id}`);
  };
  for (const id of SECRETS) await type(id);
  for (const where of ['.all', '.around']) await page.type(where, 'geheim');
  await page.$eval('#toggled', (field) => (/** @type {HTMLInputElement} */ (field).type = 'text'));
  await page.focus('#password');
  assert.equal(await page.evaluate(() => keep()), 'null', 'not even that one of them had the focus');
  await page.type('#fine', 'Main Street');
  assert.deepEqual(JSON.parse(await page.evaluate(() => keep())).fields, [['#fine', ['text', 'Main Street']]]);
  // A field that turns out to be secret takes nothing back either.
  await page.evaluate(() => fields.restore({ at: '/', fields: [['#password', ['password', 'x']], ['#cc', ['text', 'x']], ['#inside', ['text', 'x']], ['#fine', ['email', 'x']]], focus: null, scroll: [] }));
  assert.deepEqual(await Promise.all(['#password', '#cc', '#inside', '#fine'].map((id) => value(page, id))), ['geheim-password', 'geheim-cc', 'geheim-inside', 'Main Street']);
});

withBrowser('a value that no field can have is left out, and an element of a class of the app takes its own', {}, async (t, browser) => {
  const page = await openForms(t, browser, '<select id="odd"><option>1</select><input id="fine" is="x-input">', {
    before: "customElements.define('x-input', class extends HTMLInputElement {}, { extends: 'input' })",
  });
  await page.evaluate(() => fields.restore({ at: '/', fields: [['#odd', ['select-one', /** @type {never} */ (5)]], ['#fine', ['text', 'x']]], focus: null, scroll: [['(', 0, 5]] }));
  assert.equal(await value(page, '#fine'), 'x');
});

withBrowser('a field of another type takes nothing, and neither does one that the user has changed meanwhile', {}, async (t, browser) => {
  const page = await openForms(t, browser, (load) => `<input id="a" type="${load === 1 ? 'text' : 'search'}"><input id="b"><input id="c">`, { before: 'globalThis.waits = true' });
  for (const id of ['a', 'b', 'c']) await page.type(`#${id}`, 'before');
  await changeover(page);
  await page.type('#b', 'quicker');
  await page.evaluate(() => start());
  assert.deepEqual([await value(page, '#a'), await value(page, '#b'), await value(page, '#c')], ['', 'quicker', 'before']);
});

withBrowser('what was typed before this code was there is kept', BOTH, async (t, browser) => {
  const page = await openForms(t, browser, '<input id="typed"><input id="other">', {
    answers: { '/test.js': "globalThis.begin = () => import('/late.js'); globalThis.ready = true;", '/late.js': SCRIPT },
  });
  const begin = /** @returns {Promise<void>} */ () => page.evaluate(() => begin().then(() => {}));
  await begin();
  await page.type('#typed', 'before');
  await page.type('#other', 'too');
  await changeover(page);
  await page.type('#typed', 'early');
  await begin();
  assert.deepEqual([await value(page, '#typed'), await value(page, '#other')], ['early', 'too']);
});

withBrowser('a value that the app filled in gives way to what the user had written', {}, async (t, browser) => {
  const page = await openForms(t, browser, '<input id="filled"><script>document.querySelector("#filled").value = "by the app"</script>');
  await page.type('#filled', ' and me');
  await changeover(page);
  assert.equal(await value(page, '#filled'), 'by the app and me');
});

withBrowser('fields that are rendered late are filled when they appear, and only within the time', BOTH, async (t, browser) => {
  const page = await openForms(t, browser, (load) => (load === 1 ? '<form id="f"><input name="a"><select name="s"><option>1<option>2</select></form><div id="late"><input id="b"></div><input id="never">' : '<main></main>'), { before: 'globalThis.patience = 1500' });
  await page.type('[name=a]', 'one');
  await page.type('#b', 'two');
  await page.select('select', '2');
  await page.type('#never', 'three');
  const carried = await changeover(page);
  assert.deepEqual(JSON.parse(await page.evaluate(() => keep())).fields, JSON.parse(carried).fields, 'what still waits travels on');
  await page.evaluate(() => (/** @type {Element} */ (document.querySelector('main')).innerHTML = '<form id="f"><input name="a"><select name="s"><option>1</select></form>'));
  await until(page, () => /** @type {HTMLInputElement} */ (document.querySelector('[name=a]')).value === 'one');
  assert.equal(await value(page, 'select'), '1', 'its option is not there yet');
  assert.deepEqual(JSON.parse(await page.evaluate(() => keep())).fields.find((/** @type {[string]} */ [key]) => key.includes('/s')), ['@f/s', ['select-one', ['2']]]);
  await page.evaluate(() => /** @type {HTMLSelectElement} */ (document.querySelector('select')).add(new Option('2')));
  await until(page, () => /** @type {HTMLSelectElement} */ (document.querySelector('select')).value === '2');
  await page.evaluate(() => /** @type {Element} */ (document.querySelector('main')).insertAdjacentHTML('beforeend', '<div id="late"><input id="b"></div>'));
  await until(page, () => /** @type {HTMLInputElement} */ (document.querySelector('#b')).value === 'two');
  await new Promise((done) => setTimeout(done, 1700));
  await page.evaluate(() => /** @type {Element} */ (document.querySelector('main')).insertAdjacentHTML('beforeend', '<input id="never">'));
  await new Promise((done) => setTimeout(done, 300));
  assert.equal(await value(page, '#never'), '');
});

withBrowser('on another route nothing is filled in', {}, async (t, browser) => {
  const page = await openForms(t, browser, '<input id="q">', { before: 'globalThis.waits = true' });
  await page.evaluate(() => (location.hash = '#/orders/1'));
  await page.type('#q', 'for this order');
  await changeover(page);
  await page.evaluate(() => (location.hash = '#/login', start()));
  assert.equal(await value(page, '#q'), '');
  await page.evaluate(() => (location.hash = '#/orders/1', document.body.append('rendered')));
  await until(page, () => /** @type {HTMLInputElement} */ (document.querySelector('#q')).value === 'for this order');
});

withBrowser('focus and selection come back, in fields, in shadow trees and in editable text', BOTH, async (t, browser) => {
  const page = await openForms(t, browser, '<input id="a"><x-host></x-host><div id="story" contenteditable="true"><b>bold</b> plain</div><button>press</button><script>document.querySelector("x-host").attachShadow({ mode: "open" }).innerHTML = "<p><textarea></textarea></p>"</script>');
  const inside = () => page.evaluateHandle(() => /** @type {ShadowRoot} */ (/** @type {Element} */ (document.querySelector('x-host')).shadowRoot).querySelector('textarea'));
  await /** @type {import('puppeteer-core').ElementHandle} */ (await inside()).type('some words');
  await page.evaluate(() => /** @type {HTMLTextAreaElement} */ (/** @type {ShadowRoot} */ (/** @type {Element} */ (document.querySelector('x-host')).shadowRoot).querySelector('textarea')).setSelectionRange(2, 6, 'backward'));
  await changeover(page);
  assert.deepEqual(
    await page.evaluate(() => {
      const { activeElement } = /** @type {{shadowRoot: {activeElement: HTMLInputElement}}} */ (/** @type {unknown} */ (document.activeElement)).shadowRoot;
      return [activeElement.value, activeElement.selectionStart, activeElement.selectionEnd, activeElement.selectionDirection];
    }),
    ['some words', 2, 6, 'backward'],
  );
  await page.evaluate(() => {
    /** @type {HTMLElement} */ (document.querySelector('#story')).focus();
    /** @type {Selection} */ (getSelection()).setBaseAndExtent(/** @type {{firstChild: Node}} */ (/** @type {unknown} */ (document.querySelector('#story b'))).firstChild, 1, /** @type {{lastChild: Node}} */ (/** @type {unknown} */ (document.querySelector('#story'))).lastChild, 3);
  });
  await changeover(page);
  assert.deepEqual(await page.evaluate(() => [/** @type {Element} */ (document.activeElement).id, /** @type {Selection} */ (getSelection()).toString()]), ['story', 'old pl']);
  await page.focus('button');
  await changeover(page);
  assert.equal(await page.evaluate(() => /** @type {Element} */ (document.activeElement).localName), 'button');
});

withBrowser('a selection outside the text that has the focus is left out, and the fields are carried', BOTH, async (t, browser) => {
  const page = await openForms(t, browser, '<input id="a"><div id="story" contenteditable="true">plain</div><p id="other">elsewhere</p>');
  await page.type('#a', 'half a sentence');
  await page.evaluate(() => {
    /** @type {HTMLElement} */ (document.querySelector('#story')).focus();
    /** @type {Selection} */ (getSelection()).setBaseAndExtent(/** @type {{firstChild: Node}} */ (/** @type {unknown} */ (document.querySelector('#other'))).firstChild, 0, /** @type {{firstChild: Node}} */ (/** @type {unknown} */ (document.querySelector('#other'))).firstChild, 4);
  });
  await changeover(page);
  assert.equal(await page.evaluate(() => /** @type {HTMLInputElement} */ (document.querySelector('#a')).value), 'half a sentence');
});

withBrowser('the focus is not taken from a user who is somewhere already', BOTH, async (t, browser) => {
  const page = await openForms(t, browser, '<input id="a"><input id="b">', { before: 'globalThis.waits = true' });
  await page.type('#a', 'x');
  await changeover(page);
  await page.click('#b');
  await page.evaluate(() => start());
  assert.equal(await page.evaluate(() => /** @type {Element} */ (document.activeElement).id), 'b');
  assert.equal(await value(page, '#a'), 'x');
});

const SCROLLS = (/** @type {number} */ load) => `<div id="list" style="height:100px;overflow:auto;scroll-behavior:smooth"><div class="grow" style="height:${load === 1 ? 2000 : 50}px"></div></div><div style="height:5000px;width:4000px"></div>`;
withBrowser('scroll positions come back when there is enough to scroll, unless the user scrolls first', BOTH, async (t, browser) => {
  const page = await openForms(t, browser, SCROLLS);
  await page.evaluate(() => {
    /** @type {Element} */ (document.querySelector('#list')).scrollTo({ top: 700, behavior: 'instant' });
    scrollTo(30, 900);
  });
  await changeover(page);
  assert.deepEqual(await page.evaluate(() => [scrollX, scrollY]), [30, 900]);
  assert.ok(await page.evaluate(() => /** @type {Element} */ (document.querySelector('#list')).scrollTop < 100));
  await page.evaluate(() => {
    /** @type {HTMLElement} */ (document.querySelector('.grow')).style.height = '2000px';
    /** @type {Element} */ (document.querySelector('#list')).append('rendered');
  });
  await until(page, () => /** @type {Element} */ (document.querySelector('#list')).scrollTop === 700);
  await changeover(page);
  await page.keyboard.press('PageDown');
  await page.evaluate(() => {
    /** @type {HTMLElement} */ (document.querySelector('.grow')).style.height = '2000px';
    /** @type {Element} */ (document.querySelector('#list')).append('rendered');
  });
  await new Promise((done) => setTimeout(done, 300));
  assert.ok(await page.evaluate(() => /** @type {Element} */ (document.querySelector('#list')).scrollTop < 100));
});

const REACT = `
import { createElement as h, useState } from 'react';
import { createRoot } from 'react-dom/client';
function App() {
  const [text, setText] = useState('');
  const [note, setNote] = useState('server');
  const [on, setOn] = useState(false);
  const [pay, setPay] = useState('later');
  const [size, setSize] = useState('M');
  globalThis.state = { text, note, on, pay, size };
  const radio = (value) => h('input', { key: value, type: 'radio', name: 'pay', value, checked: pay === value, onChange: () => setPay(value) });
  return h('form', { id: 'f' },
    h('input', { name: 'text', value: text, onChange: (event) => setText(event.target.value) }),
    h('textarea', { name: 'note', value: note, onChange: (event) => setNote(event.target.value) }),
    h('input', { type: 'checkbox', name: 'on', checked: on, onChange: (event) => setOn(event.target.checked) }),
    radio('later'), radio('now'),
    h('select', { name: 'size', value: size, onChange: (event) => setSize(event.target.value) }, ['S', 'M', 'L'].map((name) => h('option', { key: name }, name))));
}
setTimeout(() => createRoot(document.querySelector('main')).render(h(App)), 100);
`;
const VUE = `
import { createApp, h, reactive, vModelCheckbox, vModelRadio, vModelSelect, vModelText, withDirectives } from 'vue';
const state = (globalThis.state = reactive({ text: '', note: 'server', on: false, pay: 'later', size: 'M' }));
const model = (tag, key, directive, props, children) => withDirectives(h(tag, { name: key, 'onUpdate:modelValue': (value) => (state[key] = value), ...props }, children), [[directive, state[key]]]);
setTimeout(() => createApp({ render: () => h('form', { id: 'f' }, [
  model('input', 'text', vModelText), model('textarea', 'note', vModelText), model('input', 'on', vModelCheckbox, { type: 'checkbox' }),
  model('input', 'pay', vModelRadio, { type: 'radio', value: 'later' }), model('input', 'pay', vModelRadio, { type: 'radio', value: 'now' }),
  model('select', 'size', vModelSelect, {}, ['S', 'M', 'L'].map((name) => h('option', { value: name }, name))),
]) }).mount('main'), 100);
`;
for (const [framework, source] of Object.entries({ React: REACT, Vue: VUE })) {
  withBrowser(`a controlled form of ${framework} takes the values into its own state`, BOTH, async (t, browser) => {
    const define = { 'process.env.NODE_ENV': '"production"', __VUE_OPTIONS_API__: 'true', __VUE_PROD_DEVTOOLS__: 'false', __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false' };
    const { outputFiles } = await build({ stdin: { contents: source, resolveDir: ROOT }, bundle: true, format: 'iife', write: false, define, logLevel: 'warning' });
    const page = await openForms(t, browser, '<main></main>', { before: outputFiles[0].text });
    await page.waitForSelector('[name=text]');
    await page.type('[name=text]', 'words');
    await page.type('[name=note]', 'my ');
    await page.click('[name=on]');
    await page.click('[value=now]');
    await page.select('[name=size]', 'L');
    const want = await page.evaluate(() => ({ ...state }));
    assert.equal(want.text, 'words');
    for (const time of ['once', 'twice']) {
      await changeover(page);
      await until(page, () => /** @type {HTMLInputElement} */ (document.querySelector('[name=size]'))?.value === 'L');
      assert.deepEqual(await page.evaluate(() => ({ ...state })), want, time);
    }
  });
}

withBrowser('it works where trusted types are demanded, and carries no code in editable text', {}, async (t, browser) => {
  const page = await openForms(t, browser, '<div id="story" contenteditable="true"></div><input id="a">', { headers: { 'content-security-policy': "require-trusted-types-for 'script'" } });
  await page.type('#story', 'x');
  await page.type('#a', 'y');
  await changeover(page);
  assert.deepEqual([await page.$eval('#story', (story) => story.textContent), await value(page, '#a')], ['x', 'y']);
  const made = await page.evaluate(() => {
    const story = ['written ', ['i', [['onclick', 'hacked = true'], ['title', 'kept']], 'here'], ['script', [], 'globalThis.hacked = true'], ['iframe', [['srcdoc', 'x']]]];
    const clean = document.body.appendChild(Object.assign(document.createElement('div'), { id: 'clean', contentEditable: 'true' }));
    fields.restore({ at: '/', fields: [['#clean', ['contenteditable', story]]], focus: null, scroll: [] });
    return [clean.innerHTML, globalThis.hacked ?? null];
  });
  assert.deepEqual(made, ['written <i title="kept">here</i>', null]);
});

withBrowser('nothing is left behind: no listener, timer or observer', {}, async (t, browser) => {
  const page = await openForms(t, browser, '<input id="a">');
  const left = await page.evaluate(async () => {
    fields.dispose();
    const { createFields } = /** @type {typeof import('../../pkg-template/form-fields.js')} */ (await import(/** @type {string} */ ('/pkg/form-fields.js')));
    const counts = { listeners: 0, observers: 0, timers: 0 };
    const watch = (/** @type {any} */ object, /** @type {string} */ name, /** @type {keyof typeof counts} */ key, /** @type {number} */ by) => {
      const original = object[name];
      object[name] = function (/** @type {unknown[]} */ ...given) {
        counts[key] += by;
        return original.apply(this, given);
      };
    };
    watch(EventTarget.prototype, 'addEventListener', 'listeners', 1);
    watch(EventTarget.prototype, 'removeEventListener', 'listeners', -1);
    watch(globalThis, 'setTimeout', 'timers', 1);
    watch(globalThis, 'clearTimeout', 'timers', -1);
    const made = createFields();
    made.restore({ at: '/', fields: [['#absent', ['text', 'x']]], focus: null, scroll: [] });
    document.body.append('something');
    const during = { ...counts };
    made.dispose();
    const sealed = { ...counts };
    document.body.append('<input id="absent">');
    await new Promise((done) => setTimeout(done, 200));
    return [during.listeners > 0 && during.timers > 0, sealed.listeners];
  });
  assert.deepEqual(left, [true, 0]);
});
