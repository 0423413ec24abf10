// The registered pieces of tab state: what is captured, what is refused, who gets what back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setUp } from './states.mjs';

/** @import { StateProvider } from '../../pkg-template/index.js' */

/** @type {(value: unknown, restore?: (value: any) => void) => StateProvider<any>} */
const provider = (value, restore = () => {}) => ({ capture: () => value, restore });
const aTurn = () => new Promise((done) => setImmediate(done));

test('everything registered is captured, with promises awaited', async () => {
  const { states } = setUp();
  states.register('draft', provider('hello'));
  states.register('cart', { capture: async () => ({ items: [1, { sku: 'a' }] }), restore() {} });
  states.register('nothing', provider(undefined));
  states.register('null', provider(null));
  const captured = await states.capture();
  assert.deepEqual([captured.states, captured.failed], [{ draft: 'hello', cart: { items: [1, { sku: 'a' }] }, null: null }, null]);
});

test('a captured value is a copy', async () => {
  const { states } = setUp();
  const cart = { items: [1] };
  states.register('cart', provider(cart));
  const captured = await states.capture();
  cart.items.push(2);
  assert.deepEqual(captured.states.cart, { items: [1] });
});

test('a provider that throws is named, and the others are captured all the same', async () => {
  const { states } = setUp();
  states.register('broken', { capture() { throw new TypeError('no store'); }, restore() {} });
  states.register('rejected', { capture: () => Promise.reject('later'), restore() {} });
  states.register('draft', provider('hello'));
  const captured = await states.capture();
  assert.deepEqual(captured.states, { draft: 'hello' });
  assert.equal(captured.failed, 'state "broken" could not be captured: TypeError: no store; state "rejected" could not be captured: later');
});

test('a provider that hangs is named after three seconds', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { states } = setUp();
  states.register('slow', { capture: () => new Promise(() => {}), restore() {} });
  const captured = states.capture();
  await aTurn();
  t.mock.timers.tick(2_999);
  assert.equal(await Promise.race([captured, 'not yet']), 'not yet');
  t.mock.timers.tick(1);
  assert.equal((await captured).failed, 'state "slow" could not be captured: no answer within 3 s');
});

for (const [value, reason] of [
  [{ items: [{ run() {} }] }, 'it cannot be cloned at items[0].run: DataCloneError: run() {} could not be cloned.'],
  [() => {}, 'it cannot be cloned: DataCloneError: () => {} could not be cloned.'],
  [{ a: Symbol('x') }, 'it cannot be cloned at a: DataCloneError: Symbol(x) could not be cloned.'],
  [new Map([['rows', [new WeakMap()]]]), 'it cannot be cloned at rows[0]: DataCloneError: #<WeakMap> could not be cloned.'],
]) {
  test(`a value is refused with its path: ${reason}`, async () => {
    const { states } = setUp();
    states.register('cart', provider(value));
    const captured = await states.capture();
    assert.deepEqual([captured.states, captured.failed], [{}, `state "cart" could not be captured: ${reason}`]);
  });
}

test('the same object in two places is no cycle, and a field without a value is left out', async () => {
  const { states } = setUp();
  const shared = { a: 1, b: undefined };
  states.register('cart', provider({ left: shared, right: shared, own: { toJSON: () => [shared] } }));
  assert.deepEqual((await states.capture()).states.cart, { left: { a: 1 }, right: { a: 1 }, own: [{ a: 1 }] });
});

test('a state is restored when its provider comes, once, and taken out of the envelope', () => {
  const { states, told, carried } = setUp({ states: { draft: 'hello', lazy: 2 } });
  /** @type {string[]} */
  const restored = [];
  const undo = states.register('draft', provider('', (value) => restored.push(value)));
  assert.deepEqual(restored, ['hello']);
  assert.deepEqual(carried.states, { lazy: 2 });
  undo();
  states.register('draft', provider('', (value) => restored.push(value)));
  assert.deepEqual(restored, ['hello']);
  assert.deepEqual(told, [{ restored: ['draft'], failed: [] }]);
});

test('what the provider does with the value does not reach the envelope', () => {
  const { states, carried } = setUp({ states: { cart: { items: [1] } } });
  states.register('cart', { capture() {}, restore(value) { value.items.push(2); throw new Error('half way'); } });
  assert.deepEqual(carried.states, { cart: { items: [1] } });
});

test('a state whose provider throws or rejects stays in the envelope and is told of', async (t) => {
  t.mock.method(console, 'error', () => {});
  const { states, told, carried } = setUp({ states: { draft: 'hello', cart: 1 } });
  states.register('draft', { capture() {}, restore() { throw new Error('not yet'); } });
  states.register('cart', { capture() {}, restore: () => Promise.reject(new Error('no')) });
  await new Promise((done) => setTimeout(done));
  assert.deepEqual(carried.states, { draft: 'hello', cart: 1 });
  assert.deepEqual(told, [{ restored: [], failed: ['draft'] }, { restored: [], failed: ['cart'] }]);
  const said = /** @type {import('node:test').Mock<typeof console.error>} */ (console.error).mock.calls.map(({ arguments: [text] }) => text).filter((text) => text.startsWith('changeover'));
  assert.deepEqual(said, ['changeover: state "draft" was not restored', 'changeover: state "cart" was not restored']);
});

test('an arrival reports all that the first providers restored, in one go', async () => {
  const { states, told } = setUp({ states: { draft: 'hello', cart: 1, late: 2 } });
  const report = states.restored();
  states.register('draft', provider(''));
  states.register('cart', { capture() {}, restore: () => new Promise((done) => setTimeout(done, 30)) });
  assert.deepEqual(await report, { restored: ['draft', 'cart'], failed: [] });
  assert.deepEqual(told, []);
  states.register('late', provider(''));
  assert.deepEqual(told, [{ restored: ['late'], failed: [] }]);
});

test('of two providers of one name the later counts, and the undo of the earlier does not remove it', async () => {
  const { states } = setUp();
  const undo = states.register('draft', provider('old'));
  const undoLater = states.register('draft', provider('new'));
  undo();
  assert.deepEqual((await states.capture()).states, { draft: 'new' });
  undoLater();
  undoLater();
  assert.deepEqual((await states.capture()).states, {});
});
