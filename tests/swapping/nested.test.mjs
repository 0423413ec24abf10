// Slots in one another: the whole app is a slot, its routes are slots in it, and a route has a slot of its own.
import assert from 'node:assert/strict';

import { inBrowsers } from '../e2e/browsers.mjs';
import { promptIsUp } from '../e2e/site.mjs';
import { startSwapSite } from './site.mjs';
import { committed, ending, showsText } from './work.mjs';

/** @import { Browser, Engine, SwapSite, Tab } from '../e2e/types.d.ts' */

const PINNED = { pinned: ['./src/router.js', './src/store.js'] };
/** The driver for WebKit hangs when two pages of such an app take turns; what has one page runs there too. */
/** @type {Engine[]} */
const TWO_TABS = ['chromium', 'firefox'];
const LABEL = { 'src/label.js': [['[${text}]', '{${text}}']] };

/** What the page shows, without what the user has done in it. */
const picture = () => {
  /** @type {(root: Node) => string[]} */
  const shown = (root) => [...root.childNodes].flatMap((node) => (node.nodeType === 3 ? [/** @type {Text} */ (node).data.replace(/\d+/g, '#')] : node.nodeType !== 1 || /** @type {Element} */ (node).matches('script, [inert]') ? [] : [`<${/** @type {Element} */ (node).localName}${/** @type {Element} */ (node).id && ` #${/** @type {Element} */ (node).id}`}>`, ...shown(node)]));
  return shown(/** @type {Element} */ (document.getElementById('app'))).filter((/** @type {string} */ text) => text.trim() && !['<div>', '<span>'].includes(text));
};

const work = () => ({
  count: document.querySelector('#app :not([inert]) #count')?.textContent,
  stars: document.querySelector('#stars')?.textContent.match(/\d+/)?.[0],
  note: /** @type {HTMLInputElement} */ (document.querySelector('#note'))?.value,
  focus: document.activeElement?.id,
  hidden: document.querySelectorAll('#app [inert]').length,
  boots,
});

/**
 * @param {Browser} browser
 * @param {SwapSite} site
 */
async function openNested(browser, site) {
  const tab = await browser.open(site.url);
  await tab.waitFor(() => Boolean(document.querySelector('#count') && document.querySelector('#stars')), { what: 'the app' });
  await tab.waitFor(() => guard.status.level === 'full' && guard.status.release, { what: 'the guard' });
  for (let i = 0; i < 3; i += 1) await tab.click('#count');
  for (let i = 0; i < 2; i += 1) await tab.click('#stars');
  await tab.type('#note', 'half a sent');
  await tab.eval(() => {
    // Whatever is painted: nothing may be missing, be there twice, or be of two builds.
    globalThis.glimpses = new Set();
    const shown = (/** @type {string} */ selector) => [...document.querySelectorAll(selector)].filter((element) => element.checkVisibility());
    const look = () => {
      const [titles, says] = [shown('#title'), shown('#says')];
      if (titles.length !== 1 || says.length !== 1) /** @type {Set<string>} */ (glimpses).add(`${titles.length} titles, ${says.length} routes`);
      else if (titles[0].textContent[0] !== says[0].textContent[0]) /** @type {Set<string>} */ (glimpses).add(`${titles[0].textContent} with ${says[0].textContent}`);
      requestAnimationFrame(look);
    };
    look();
  });
  return tab;
}

const WORK = { count: '3', stars: '2', note: 'half a sent', focus: 'note', hidden: 0, boots: 1 };

/**
 * @param {Browser} browser
 * @param {SwapSite} site
 * @param {Tab} tab
 */
async function equalsFreshLoad(browser, site, tab) {
  const fresh = await browser.open(site.url);
  await fresh.waitFor(() => Boolean(document.querySelector('#says')), { what: 'the app of the fresh page' });
  await fresh.waitFor(() => Boolean(!document.querySelector('#count') || document.querySelector('#stars')), { what: 'all of it' });
  for (const route of [null, 'home', 'cart']) {
    if (route) {
      for (const one of [tab, fresh]) {
        await one.bringToFront();
        await one.click(`#to-${route}`);
        await showsText(one, '#says', route);
        if (route === 'cart') await one.waitFor(() => Boolean(document.querySelector('#stars')));
      }
    }
    assert.deepEqual(await tab.eval(picture), await fresh.eval(picture), `on ${route ?? 'the route of the swap'}`);
  }
  await fresh.close();
  await tab.bringToFront();
}

for (const [title, options] of /** @type {[string, object][]} */ ([['router and store pinned', PINNED], ['nothing pinned', {}]])) {
  inBrowsers(`an app with its routes inside takes code that all of them use, as a whole (${title})`, { only: TWO_TABS, timeout: 120_000 }, async (t, browser) => {
    const site = await startSwapSite(t, { app: 'nested', options });
    const tab = await openNested(browser, site);
    let build = await site.publish(LABEL);
    await committed(tab, build);
    assert.deepEqual(await tab.eval(work), WORK);
    assert.deepEqual(await tab.eval(() => [...glimpses]), []);
    await equalsFreshLoad(browser, site, tab);

    await t.test('the route alone', async () => {
      await tab.click('#to-cart');
      await tab.click('#count');
      build = await site.publish({ 'src/routes/Cart.jsx': [['cart one', 'cart two']] });
      await showsText(tab, '#says', 'cart two');
      await committed(tab, build);
      assert.equal((await tab.eval(work)).count, '1');
    });
    await t.test('the shell alone, and a route that is new in it', async () => {
      build = await site.publish({
        'src/root.jsx': [['shell one', 'shell two'], ["  home: lazy(", "  help: lazy(() => import('./routes/Help.jsx')),\n  home: lazy("]],
        'src/routes/Help.jsx': "import { label } from '../label.js';\nexport default function Help() { return <p id=\"says\">{label('help one')}</p>; }\n",
      });
      await showsText(tab, '#title', 'shell two');
      await committed(tab, build);
      assert.equal((await tab.eval(work)).count, '1', 'the state of a route that did not change');
      await equalsFreshLoad(browser, site, tab);
      await tab.click('#to-help');
      await showsText(tab, '#says', 'help one');
      build = await site.publish({ 'src/routes/Help.jsx': [['help one', 'help two']] });
      await showsText(tab, '#says', 'help two');
      await committed(tab, build);
    });
    // A route that comes for the first time is waited for; nothing of two builds is ever seen.
    assert.deepEqual(await tab.eval(() => [boots, ...[...glimpses].filter((seen) => seen.includes(' with '))]), [1]);
    assert.deepEqual(tab.errors, []);
  });
}

inBrowsers('a page whose new app breaks on trial has its old app again, with all that is inside', { only: TWO_TABS, timeout: 90_000 }, async (t, browser) => {
  const site = await startSwapSite(t, { app: 'nested', options: PINNED });
  const tab = await openNested(browser, site);
  const before = await tab.eval(picture);
  const build = await site.publish({ ...LABEL, 'src/root.jsx': [["  useEffect(() => arrived(), [arrived]);", "  useEffect(() => void setTimeout(() => { throw new Error('bad later'); }, 1500), []);\n  useEffect(() => arrived(), [arrived]);"]] });
  await showsText(tab, '#says', '{cart one}');
  const ended = await ending(tab, build);
  assert.deepEqual([ended.outcome, ended.reason], ['rolledBack', 'threw'], /** @type {string} */ (ended.message));
  await tab.waitFor((build) => guard.status.build === build && !guard.status.changeover, site.first);
  assert.deepEqual(await tab.eval(picture), before);
  assert.deepEqual(await tab.eval(work), WORK);
  assert.deepEqual(await tab.eval(() => [...glimpses]), []);
  await tab.click('#count');
  await tab.click('#stars');
  await tab.click('#to-home');
  await showsText(tab, '#says', '[home one]');

  const good = await site.restore().publish({ 'src/label.js': [['[${text}]', '(${text})']] });
  await committed(tab, good);
  await tab.click('#to-cart');
  await showsText(tab, '#says', '(cart one)');
  await tab.waitFor(() => Boolean(document.querySelector('#stars')));
  await equalsFreshLoad(browser, site, tab);
});

inBrowsers('a page whose new app has no place for a slot with work in it asks instead', { timeout: 90_000 }, async (t, browser) => {
  const site = await startSwapSite(t, { app: 'nested', options: PINNED });
  const tab = await openNested(browser, site);
  const build = await site.publish({ ...LABEL, 'src/routes/Cart.jsx': [['<aside><Badge /></aside>', '<aside>{path === \'badge\' && <Badge />}</aside>']] });
  const ended = await ending(tab, build);
  assert.deepEqual([ended.outcome, ended.reason, ended.slot], ['aborted', 'notShown', 'src/routes/Badge.jsx']);
  await tab.waitFor(promptIsUp, { what: 'the prompt' });
  assert.deepEqual(await tab.eval(work), WORK);
  assert.equal(await tab.text('#says'), '[cart one] at cart');
  assert.deepEqual(await tab.eval(() => [...glimpses]), []);
});

for (const app of /** @type {const} */ (['nested-plain', 'nested-vue'])) {
  inBrowsers(`the same in ${app.slice(7)}: a slot in a slot goes along, and comes back`, { timeout: 90_000 }, async (t, browser) => {
    const site = await startSwapSite(t, { app });
    const tab = await browser.open(site.url);
    await tab.waitFor(() => Boolean(document.querySelector('#count')), { what: 'the app' });
    await tab.waitFor(() => guard.status.level === 'full' && guard.status.release, { what: 'the guard' });
    for (let i = 0; i < 3; i += 1) await tab.click('#count');
    await tab.type('#note', 'half a sent');
    const seen = () => {
      const shown = (/** @type {string} */ selector) => [...document.querySelectorAll(selector)].filter((element) => element.checkVisibility()).map((element) => /** @type {HTMLInputElement} */ (element).value || element.textContent);
      return [shown('#title'), shown('#says'), shown('#count'), shown('#note'), document.querySelectorAll('#app [inert]').length, boots];
    };
    const build = await site.publish(LABEL);
    await committed(tab, build);
    assert.deepEqual(await tab.eval(seen), [['{shell one}'], ['{route one}'], ['3'], ['half a sent'], 0, 1]);
    await tab.click('#count');
    const bad = await site.publish({ 'src/label.js': [['{${text}}', '(${text})']], 'src/root.js': [['export ', "if (label('') === '()') setTimeout(() => { if (document.querySelector('#title:not([inert] *)')?.textContent[0] === '(') throw new Error('bad later'); }, 3000);\nexport "]] });
    await showsText(tab, '#says', '(route one)');
    const ended = await ending(tab, bad);
    assert.deepEqual([ended.outcome, ended.reason], ['rolledBack', 'threw'], /** @type {string} */ (ended.message));
    await tab.waitFor(() => !guard.status.changeover);
    assert.deepEqual(await tab.eval(seen), [['{shell one}'], ['{route one}'], ['4'], ['half a sent'], 0, 1]);
    await tab.click('#count');
    assert.equal(/** @type {string[]} */ ((await tab.eval(seen))[2])[0], '5');
  });
}
