// The shield around an instance, with a module that is not ours: it stands around exports, whatever crate they come from.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import binaryen from 'binaryen';

import { createShield } from '../../pkg-template/trap-shield.js';

/** `around` calls the host and then notes that it goes on; `inside` is what a closure is to the browser. */
const MODULE = `(module
  (import "host" "call" (func $call))
  (import "host" "note" (func $note))
  (memory (export "memory") 1)
  (func (export "around") (call $call) (call $note))
  (func (export "inside") unreachable)
  (func (export "well") (result i32) (i32.const 7))
)`;

async function open({ listens = true } = {}) {
  /** @type {any[]} */
  const traps = [];
  const seen = { notes: 0, call: () => {} };
  const shield = createShield();
  const bytes = binaryen.parseText(MODULE).emitBinary();
  const imports = shield.imports({ host: { call: () => seen.call(), note: () => (seen.notes += 1) } });
  const { instance } = await WebAssembly.instantiate(/** @type {BufferSource} */ (bytes), imports);
  const exports = /** @type {Record<'around' | 'inside' | 'well', () => unknown> & { memory: WebAssembly.Memory }} */ (shield.instance(instance).exports);
  if (listens) shield.onTrap = (error) => traps.push(error);
  return { exports, shield, seen, traps };
}

test('what does not trap goes through, and the memory stays what it is', async () => {
  const { exports, seen, traps } = await open();
  assert.equal(exports.well(), 7);
  exports.around();
  assert.equal(seen.notes, 1);
  assert.ok(exports.memory instanceof WebAssembly.Memory);
  assert.deepEqual(traps, []);
});

test('a trap is told once, its caller sees no exception, and nothing enters any more', async () => {
  const { exports, seen, traps } = await open();
  assert.deepEqual(exports.inside(), [], 'glue may read values out of it');
  assert.ok(traps[0] instanceof WebAssembly.RuntimeError);
  assert.deepEqual([exports.inside(), exports.well(), exports.around()], [[], [], []]);
  assert.equal(seen.notes, 0);
  assert.equal(traps.length, 1);
});

test('what JavaScript throws through the instance is a trap as well', async () => {
  const { exports, seen, traps } = await open();
  seen.call = () => {
    throw new TypeError('patched');
  };
  exports.around();
  assert.deepEqual(traps.map(({ message }) => message), ['patched']);
  assert.equal(seen.notes, 0);
});

test('a frame that waits for JavaScript, in which another one traps, never goes on', async () => {
  const { exports, seen, traps } = await open();
  let wentOn = false;
  seen.call = () => {
    exports.inside();
    wentOn = true;
  };
  exports.around();
  assert.ok(wentOn, 'the JavaScript in between sees nothing');
  assert.equal(seen.notes, 0, 'the instance is not used again');
  assert.equal(traps.length, 1);
});

test('close() gets in after a trap, imports included, and keeps to itself what goes wrong', async () => {
  const { exports, shield, seen, traps } = await open();
  exports.inside();
  shield.close(() => exports.around());
  assert.equal(seen.notes, 1);
  shield.close(() => exports.inside());
  assert.equal(traps.length, 1);
  assert.deepEqual(exports.well(), []);
});

test('without a listener, a trap is thrown to the caller', async () => {
  const { exports } = await open({ listens: false });
  assert.throws(exports.inside, WebAssembly.RuntimeError);
});
