// Built apps with slots in real browsers: they run as before, and a slot takes the file of another build.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { inBrowsers } from '../e2e/browsers.mjs';
import { VITES, build, changeover, edit, makeLogger } from '../vite/support.mjs';
import { listIn, makeSlots, optionsOf, twice } from '../vite/slots-support.mjs';
import { installSteps, startSite } from './site.mjs';

const EDITS = (/** @type {string} */ root) => {
  edit(root, 'src/Cart.js', "textContent: 'cart'", "textContent: 'basket'");
  edit(root, 'src/Cart.css', 'rgb(10, 20, 30)', 'rgb(30, 20, 10)');
};

for (const { name, vite } of VITES) {
  for (const app of ['react', 'vue']) {
    inBrowsers(`${name}: an app with ${app} runs with its routes as slots, on one copy of the framework`, { only: ['chromium'] }, async (t, browser) => {
      const { out, manifest } = await build(vite, makeSlots(t, app), optionsOf(app, vite));
      const site = await startSite(t, { folders: [out] });
      const tab = await browser.open(site.url);
      await tab.waitFor(() => document.querySelector('p')?.textContent.startsWith('home'));
      await tab.click('button');
      await tab.waitFor(() => /** @type {Element} */ (document.querySelector('button')).textContent === '1');
      const about = /** @type {[string, {file: string}]} */ (Object.entries(manifest.slots).find(([id]) => id.includes('About')))[1].file;
      assert.ok(!site.asked.includes(about), 'a route is fetched when it is shown');
      await tab.click('nav');
      await tab.waitFor(() => Boolean(document.querySelector('.about')));
      assert.deepEqual(await tab.eval(() => [boots, (window.reacts ?? window.vues).size, getComputedStyle(/** @type {Element} */ (document.querySelector('.about'))).color]), [1, 1, 'rgb(40, 50, 60)']);
      assert.ok(site.asked.includes(about));
    });
  }

  inBrowsers(`${name}: a slot takes the next build with its state, keeps what the user's hands are on, and goes back`, { only: name === 'Vite 8' ? undefined : ['chromium'] }, async (t, browser) => {
    const { before, after } = await twice(t, vite, 'plain', EDITS);
    const site = await startSite(t, { folders: [before.out, after.out] });
    const tab = await browser.open(site.url);
    await tab.waitFor(() => Boolean(window.views?.cart) && /** @type {string} */ (/** @type {Element} */ (document.querySelector('aside')).textContent).includes('tip'));
    await tab.eval(installSteps);
    assert.deepEqual(await tab.eval(() => [slots.build, slots.mounted().sort()]), [before.manifest.id, ['cart', 'help', 'tip']]);
    await tab.click('button');
    await tab.click('button');
    await tab.type('input', 'milk and honey');
    await tab.eval(() => {
      const input = document.querySelector('input');
      /** @type {NonNullable<typeof input>} */ (input).focus();
      /** @type {NonNullable<typeof input>} */ (input).setSelectionRange(5, 8, 'backward');
      /** @type {Element} */ (document.getElementById('list')).scrollTop = 77;
    });
    const { cart } = listIn(after.html()).slots;
    const look = () => tab.eval(() => {
      const shown = [...document.querySelectorAll('.cart')].filter((cart) => cart.getClientRects().length);
      const [cart] = shown;
      const input = cart.querySelector('input');
      return {
        shown: shown.length, all: document.querySelectorAll('.cart').length, text: /** @type {Element} */ (cart.querySelector('p')).textContent, n: /** @type {Element} */ (cart.querySelector('button')).textContent,
        note: /** @type {NonNullable<typeof input>} */ (input).value, focus: document.activeElement === input, selection: [/** @type {NonNullable<typeof input>} */ (input).selectionStart, /** @type {NonNullable<typeof input>} */ (input).selectionEnd], scroll: /** @type {Element} */ (cart.querySelector('#list')).scrollTop,
        color: getComputedStyle(cart).color, inert: /** @type {HTMLElement} */ (cart.parentElement).inert, styles: styles(), boots, stores,
      };
    });
    const hands = { focus: true, selection: [5, 8], scroll: 77, inert: false, boots: 1, stores: 1, n: '2', note: 'milk and honey' };
    const old = { text: 'cart', color: 'rgb(10, 20, 30)' };
    const fresh = { text: 'basket', color: 'rgb(30, 20, 10)' };

    await tab.eval(async (pointer) => void (/** @type {{attempt: unknown}} */ (window).attempt = await prepare('cart', pointer)), cart);
    assert.deepEqual(await look(), { ...hands, ...old, shown: 1, all: 2, styles: ['index', 'Cart', 'Cart off'] }, 'prepared: nothing is to be seen');
    assert.equal(await tab.eval(() => attempt.isEmpty()), false);
    await tab.eval(() => attempt.show());
    assert.deepEqual(await look(), { ...hands, ...fresh, shown: 1, all: 2, styles: ['index', 'Cart off', 'Cart'] }, 'shown');
    await tab.click('button');
    await tab.eval(() => attempt.back());
    assert.deepEqual({ ...(await look()), focus: true, selection: [5, 8] }, { ...hands, ...old, shown: 1, all: 1, styles: ['index', 'Cart'] }, 'back, as it was');

    await tab.eval(async (pointer) => void (/** @type {{attempt: unknown}} */ (window).attempt = await prepare('cart', pointer)), cart);
    await tab.eval(() => attempt.discard());
    assert.deepEqual(await tab.eval(() => [document.querySelectorAll('.cart').length, styles()]), [1, ['index', 'Cart']]);
    await tab.eval(async (pointer) => {
      /** @type {{attempt: unknown}} */ (window).attempt = await prepare('cart', pointer);
      attempt.show();
      attempt.drop();
    }, cart);
    const after_ = await look();
    assert.deepEqual({ ...after_, focus: true, selection: [5, 8] }, { ...hands, ...fresh, shown: 1, all: 1, styles: ['index', 'Cart'] }, 'dropped');
    assert.equal(await tab.eval(() => slots.files().cart.file), cart.file);
    await tab.click('button');
    assert.equal((await look()).n, '3');
    const scripts = site.asked.filter((path) => path.endsWith('.js') && !path.includes('changeover'));
    assert.equal(scripts.length, new Set(scripts).size, 'no script was asked for twice');
    await tab.eval(() => views.cart.unmount());
    assert.deepEqual(await tab.eval(() => [/** @type {Element} */ (document.querySelector('main')).childNodes.length, slots.mounted().sort()]), [0, ['help', 'tip']]);
  });
}

for (const { name, vite } of VITES) {
  inBrowsers(`${name}: in a dev server a slot takes its changed module with its state, and without a reload`, { only: ['chromium'] }, async (t, browser) => {
    const root = makeSlots(t);
    const { logger, messages } = makeLogger(vite);
    const server = await vite.createServer({ root, configFile: false, customLogger: logger, cacheDir: join(root, '.cache'), plugins: [changeover()], server: { port: 0, host: '127.0.0.1' } });
    t.after(() => server.close());
    await server.listen();
    const tab = await browser.open(`http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (/** @type {NonNullable<typeof server.httpServer>} */ (server.httpServer).address()).port}/`);
    await tab.waitFor(() => Boolean(window.views?.cart));
    await tab.eval(() => void (window.same = true));
    await tab.click('button');
    await tab.type('input', 'milk');
    edit(root, 'src/Cart.js', "textContent: 'cart'", "textContent: 'basket'");
    await tab.waitFor(() => /** @type {Element} */ (document.querySelector('main p')).textContent === 'basket');
    assert.deepEqual(await tab.eval(() => [same, /** @type {Element} */ (document.querySelector('main button')).textContent, /** @type {HTMLInputElement} */ (document.querySelector('main input')).value, document.querySelectorAll('.cart').length]), [true, '1', 'milk', 1]);
    edit(root, 'src/Tip.js', "'tip'", "'hint'");
    await tab.waitFor(() => /** @type {string} */ (/** @type {Element} */ (document.querySelector('aside')).textContent).includes('hint'));
    assert.equal(await tab.eval(() => same), true);
    await tab.eval(() => addEventListener('unhandledrejection', (event) => {
      event.preventDefault();
      /** @type {{said: unknown}} */ (window).said = String(event.reason);
    }));
    edit(root, 'src/Tip.js', 'host.textContent', 'null.textContent');
    await tab.waitFor(() => /TypeError/.test(/** @type {string} */ (/** @type {unknown} */ (window.said))));
    assert.ok(await tab.eval(() => same && /** @type {string} */ (/** @type {Element} */ (document.querySelector('aside')).textContent).includes('hint')), 'what cannot be mounted leaves the old one in place');
    edit(root, 'src/Tip.js', 'null.textContent', 'host.title = host.textContent');
    await tab.waitFor(() => Boolean(document.querySelector('aside [title=hint]')));
    assert.equal(await tab.eval(() => same), true);
    assert.deepEqual(messages.error, []);
  });
}

const { vite } = VITES[0];

inBrowsers('a slot whose file is gone is asked for again by the next call, and moved by who comes to its rescue', {}, async (t, browser) => {
  const { before, after } = await twice(t, vite, 'plain', EDITS);
  const site = await startSite(t, { folders: [before.out, after.out] });
  const [gone, there] = [before, after].map(({ html }) => listIn(html()).slots.cart);
  site.gone.add(gone.file);
  const tab = await browser.open(site.url);
  // The app waits for the cart at its top.
  await tab.waitFor(() => /** @type {Record<symbol, typeof slots | undefined>} */ (/** @type {unknown} */ (globalThis))[Symbol.for('changeover.slots')]?.mounted().includes('help'));
  await tab.eval(installSteps);
  const failed = await tab.eval(async () => {
    /** @type {string[]} */
    const heard = [];
    addEventListener('vite:preloadError', (event) => heard.push(/** @type {Event & {payload: Error}} */ (event).payload.message));
    const error = await slots.load('cart').catch((error) => error);
    return { heard, message: error.message, isError: error instanceof Error };
  });
  // The app has waited for the guard with its own call, and may be told at the same time.
  assert.ok(failed.heard.length > 0 && failed.heard.every((message) => message === failed.message), failed.heard.join());
  assert.match(failed.message, /failed to fetch dynamically imported module|error loading dynamically imported module|importing a module script failed/i);
  const saved = await tab.eval(async (pointer) => {
    /** @type {unknown[][]} */
    const calls = [];
    slots.rescue = async (id, pointer_, error) => {
      calls.push([id, pointer_.file, /** @type {Error} */ (error).message.length > 0]);
      await new Promise((later) => setTimeout(later, 20));
      slots.pointTo(id, pointer);
    };
    const { schema } = await slots.load('cart');
    return { calls, schema, file: slots.files().cart.file, color: styles() };
  }, there);
  // The call of the app may wait still, and ask for rescue too.
  assert.ok(saved.calls.length > 0);
  for (const call of saved.calls) assert.deepEqual(call, ['cart', gone.file, true]);
  assert.deepEqual([saved.schema, saved.file], [2, there.file]);
  assert.ok(saved.color.filter((style) => style === 'Cart').length === 1, saved.color.join());
  const stubborn = await tab.eval(async (pointer) => {
    let calls = 0;
    slots.rescue = (id) => void (calls++, slots.pointTo(id, { ...pointer }));
    slots.pointTo('cart', pointer);
    const error = await slots.load('cart').catch((error) => error);
    slots.rescue = () => {
      throw new Error('no help');
    };
    const again = await slots.load('cart').catch((error) => error);
    return [calls, error instanceof Error, again.message === 'no help'];
  }, { file: 'assets/nowhere.js' });
  assert.deepEqual(stubborn, [1, true, false]);
  site.gone.clear();
  if (browser.engine === 'chromium') {
    assert.equal(await tab.eval(async (pointer) => {
      slots.rescue = null;
      slots.pointTo('cart', pointer);
      return (await slots.load('cart')).schema;
    }, gone), 2, 'the file is back');
  }
});

inBrowsers('a style that cannot be had fails the load as it does in Vite', {}, async (t, browser) => {
  const { out, html } = await build(vite, makeSlots(t));
  const site = await startSite(t, { folders: [out] });
  const [style] = listIn(html()).slots.cart.css;
  site.gone.add(style);
  const tab = await browser.open(site.url);
  await tab.waitFor(() => /** @type {Record<symbol, typeof slots | undefined>} */ (/** @type {unknown} */ (globalThis))[Symbol.for('changeover.slots')]?.mounted().includes('help'));
  await tab.eval(installSteps);
  const said = await tab.eval(() => slots.load('cart').catch(({ message }) => message));
  assert.equal(said, `Unable to preload CSS for ${site.url}/${style}`);
  site.gone.clear();
  assert.equal(await tab.eval(async () => (await slots.load('cart')).schema), 2);
  assert.match(await tab.eval(() => slots.load('carte').catch(({ message }) => message)), /^changeover: this page has no slot "carte"; it has cart, help, tip\.$/);
});

inBrowsers('a relative base holds after the address of the page has changed', {}, async (t, browser) => {
  const root = makeSlots(t);
  edit(root, 'src/main.js', "const app", "history.pushState(null, '', '/shop/eu/vienna');\nconst app");
  const { out } = await build(vite, root, { base: './' });
  const site = await startSite(t, { folders: [out] });
  const tab = await browser.open(site.url);
  await tab.waitFor(() => Boolean(window.views?.cart));
  assert.equal(await tab.eval(() => getComputedStyle(/** @type {Element} */ (document.querySelector('.cart'))).color), 'rgb(10, 20, 30)');
});
