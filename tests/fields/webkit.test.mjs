// The core of it in WebKit: every kind of field, focus, late fields, and nothing secret.
import assert from 'node:assert/strict';
import { inBrowsers } from '../e2e/browsers.mjs';
import { send, serve } from '../prompt/harness.mjs';

const PAGE = (/** @type {string} */ body) => `<!doctype html><meta charset="utf-8"><title>form</title><link rel="icon" href="data:,"><body>${body}<script type="module">
import { createFields } from '/pkg/form-fields.js';
globalThis.fields = createFields();
globalThis.keep = () => sessionStorage.setItem('carried', JSON.stringify(fields.capture() ?? null));
const carried = JSON.parse(sessionStorage.getItem('carried'));
if (carried) fields.restore(carried);
globalThis.ready = true;
</script>`;
const FORM = `<form id="f"><input name="who"><input name="secret" type="password"><textarea name="note">default</textarea>
<select name="size"><option>S<option selected>M</select><input type="checkbox" id="gift"><input type="radio" name="pay" value="later" checked><input type="radio" name="pay" value="now">
<div id="story" contenteditable="true">Once </div></form>`;

inBrowsers('what was typed and chosen comes back, also where it is rendered late, and no password', { only: ['webkit'] }, async (t, browser) => {
  let loads = 0;
  const site = await serve({ '/': (request, response) => send(response, 200, PAGE((loads += 1) === 1 ? FORM : '<main></main>'), '.html', { 'cache-control': 'no-store' }) });
  t.after(site.close);
  const tab = await browser.open(site.origin);
  await tab.waitFor(() => globalThis.ready);
  await tab.type('[name=who]', 'Ann');
  await tab.type('[name=secret]', 'geheim');
  await tab.type('[name=note]', 'my ');
  await tab.click('#gift');
  await tab.click('[value=now]');
  await tab.eval(() => {
    /** @type {HTMLInputElement} */ (document.querySelector('[name=size]')).value = 'S';
  });
  await tab.type('#story', 'upon');
  await tab.click('[name=who]');
  const read = () =>
    tab.eval(() => ({
      who: /** @type {HTMLInputElement} */ (document.querySelector('[name=who]')).value,
      note: /** @type {HTMLInputElement} */ (document.querySelector('[name=note]')).value,
      size: /** @type {HTMLInputElement} */ (document.querySelector('[name=size]')).value,
      ticked: [.../** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll('[type=checkbox],[type=radio]'))].map(({ checked }) => checked),
      story: /** @type {Element} */ (document.querySelector('#story')).textContent,
      focus: /** @type {HTMLInputElement} */ (document.activeElement).name,
    }));
  const before = await read();
  assert.equal(before.who, 'Ann');
  assert.match(before.story, /upon/);
  await tab.eval(() => keep());
  assert.ok(!/** @type {string} */ (await tab.eval(() => sessionStorage.getItem('carried'))).includes('geheim'));
  await tab.goto(site.origin);
  await tab.waitFor(() => globalThis.ready);
  await tab.eval((form) => {
    /** @type {Element} */ (document.querySelector('main')).innerHTML = form;
  }, FORM);
  await tab.waitFor(() => /** @type {HTMLInputElement} */ (document.querySelector('[name=who]')).value === 'Ann');
  assert.deepEqual(await read(), before);
  assert.equal(await tab.eval(() => /** @type {HTMLInputElement} */ (document.querySelector('[name=secret]')).value), '');
});
