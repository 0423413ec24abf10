// Real apps of others, with no change but the script tag: two consecutive releases, published one after the other.

import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { inBrowsers, ROOT, screenshotPath } from './browsers.mjs';
import { addPackage, promptIsUp, RELOAD_BUTTON, scriptTag, startSite } from './site.mjs';

/** @import { Tab } from './types.d.ts' */

const SPEC = {
  openapi: '3.0.3',
  info: { title: 'Tea Shop', version: '1.0.0', description: 'Orders of tea.' },
  paths: {
    '/orders': {
      get: { operationId: 'listOrders', tags: ['orders'], summary: 'Lists the orders', responses: { 200: { description: 'the orders' } } },
      post: { operationId: 'placeOrder', tags: ['orders'], summary: 'Places an order', responses: { 201: { description: 'placed' } } },
    },
  },
};

inBrowsers('an old tab of Swagger UI prompts and moves to the next release', { timeout: 90_000 }, async (t, browser) => {
  const [previous, next] = versions('swagger-ui');
  const site = await startSite(t, {
    first: 'previous',
    build(name, dist) {
      copyWithTag(`swagger-ui-${name}`, dist);
      // The petstore of the sample is out of reach without a network; this file is there to be configured.
      const initializer = join(dist, 'swagger-initializer.js');
      const text = readFileSync(initializer, 'utf8');
      assert.ok(text.includes('https://petstore.swagger.io/v2/swagger.json'));
      writeFileSync(initializer, text.replace('https://petstore.swagger.io/v2/swagger.json', '/tea.json'));
      writeFileSync(join(dist, 'tea.json'), JSON.stringify(SPEC));
    },
  });
  const version = () => globalThis.versions?.swaggerUI?.version;
  const rendered = async (/** @type {Tab} */ tab) => {
    await tab.waitFor(() => document.querySelectorAll('.swagger-ui .opblock').length === 2, { timeout: 20_000 });
    assert.match(await tab.text('.swagger-ui .info .title'), /^Tea Shop/);
  };

  const tab = await browser.open(`${site.url}/?deep=1#/orders/placeOrder`);
  await rendered(tab);
  assert.equal(await tab.eval(version), previous);
  await tab.waitFor(() => changeover.status.level === 'full' && changeover.status.stream === 'open', { timeout: 15_000 });

  const { output } = await site.publish('next', { more: ['--json'] });
  const note = JSON.parse(output).notes.find((/** @type {{code: string}} */ note) => note.code === 'colliding-names');
  assert.ok(note?.files.includes('swagger-ui-bundle.js'), output);
  assert.match(note.message, /static host/);
  await tab.waitFor(promptIsUp);
  await tab.locate(RELOAD_BUTTON);
  await tab.screenshot(screenshotPath(`swagger-ui-prompt-${browser.engine}`));

  // The old tab goes on working while it is asked.
  await tab.click('#operations-orders-listOrders .opblock-summary-control');
  await tab.waitFor(() => Boolean(document.querySelector('#operations-orders-listOrders.is-open')));
  assert.equal(await tab.eval(version), previous);

  const href = await tab.eval(() => location.href);
  await tab.click(RELOAD_BUTTON);
  await tab.waitFor((next) => globalThis.versions?.swaggerUI?.version === next, next, { timeout: 20_000, what: `version ${next}` });
  await rendered(tab);
  assert.equal(await tab.eval(() => location.href), href);
  await tab.waitFor(() => changeover.status.level === 'full' && !changeover.status.skew && !changeover.status.prompt);
  assert.deepEqual(tab.errors, []);
  await tab.screenshot(screenshotPath(`swagger-ui-moved-${browser.engine}`));
});

inBrowsers('an old tab of Swagger Editor prompts and moves to the next release', { timeout: 120_000 }, async (t, browser) => {
  const [previous, next] = versions('swagger-editor');
  const site = await startSite(t, { first: 'previous', build: (name, dist) => copyWithTag(`swagger-editor-${name}`, dist) });
  const version = () => globalThis.versions?.swaggerEditor?.split('/')[0];
  const rendered = async (/** @type {Tab} */ tab, /** @type {string} */ title) => {
    await tab.waitFor(
      (title) => /** @type {HTMLElement} */ (document.querySelector('.swagger-ui .info .title'))?.innerText.includes(title),
      title,
      { timeout: 30_000, what: `"${title}" in the preview` },
    );
    await tab.waitFor(() => /** @type {HTMLElement} */ (document.querySelector('.ace_content'))?.innerText.includes('openapi: 3.0'));
  };

  const tab = await browser.open(`${site.url}/?from=test`);
  await rendered(tab, 'Swagger Petstore');
  assert.equal(await tab.eval(version), previous);
  await tab.waitFor(() => changeover.status.level === 'full' && changeover.status.stream === 'open', { timeout: 15_000 });
  // The user edits; the editor keeps its text in local storage by itself.
  await tab.eval(() => {
    const content = editor.specSelectors.specStr();
    editor.specActions.updateSpec(content.replace('Swagger Petstore', 'Tea Shop'));
  });
  await rendered(tab, 'Tea Shop');

  const { output } = await site.publish('next');
  t.diagnostic(collisionNote(output, 'swagger-editor-bundle.js'));
  await tab.waitFor(promptIsUp);
  await tab.locate(RELOAD_BUTTON);
  await tab.screenshot(screenshotPath(`swagger-editor-prompt-${browser.engine}`));
  assert.equal(await tab.eval(version), previous);

  await tab.click(RELOAD_BUTTON);
  await tab.waitFor((next) => globalThis.versions?.swaggerEditor?.startsWith(`${next}/`), next, { timeout: 30_000, what: `version ${next}` });
  await rendered(tab, 'Tea Shop');
  assert.match(await tab.eval(() => location.href), /\?from=test$/);
  await tab.waitFor(() => changeover.status.level === 'full' && !changeover.status.skew && !changeover.status.prompt);
  // It asks a generator on the internet for its menu, which is its own affair.
  const foreign = /generator3\.swagger\.io|failed to fetch|NetworkError|load failed/i;
  assert.deepEqual(tab.errors.filter((text) => !foreign.test(text)), []);
  await tab.screenshot(screenshotPath(`swagger-editor-moved-${browser.engine}`));
});

/** @param {string} app */
function versions(app) {
  return ['previous', 'next'].map((name) => {
    const file = join(ROOT, 'node_modules', `${app}-${name}`, 'package.json');
    if (!existsSync(file)) throw new Error(`${app}-${name} is not installed; \`npm ci\` gets it`);
    return JSON.parse(readFileSync(file, 'utf8')).version;
  });
}

/**
 * Copies a package's dist and puts the script tag first into its <head>; nothing else changes.
 *
 * @param {string} dist
 * @param {string} alias
 */
function copyWithTag(alias, dist) {
  cpSync(join(ROOT, 'node_modules', alias), dist, { recursive: true, filter: (path) => !path.endsWith('.map') });
  addPackage(dist);
  const index = join(dist, 'index.html');
  const text = readFileSync(index, 'utf8');
  const parts = text.split('<head>');
  assert.equal(parts.length, 2);
  writeFileSync(index, parts.join(`<head>\n    ${scriptTag()}`));
}

/**
 * Checks that publish said which names two builds share, and what that means.
 *
 * @param {string} file
 * @param {string} output
 */
function collisionNote(output, file) {
  assert.ok(output.includes(file), `publish names ${file}:\n${output}`);
  const note = output.split('\n').find((/** @type {string} */ line) => /static/i.test(line));
  assert.ok(note, `publish says what a static host cannot do:\n${output}`);
  return note.trim();
}
