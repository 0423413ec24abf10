// A name that is wrong on one side makes the runtime fail to start, so the renaming refuses whatever it does not know.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shorten } from '../../scripts/lib/shorten.mjs';

const GLUE = `
const import0 = {
__wbg_now_0123456789abcdef: function() {
return Date.now();
},
};
return { "./changeover_bg.js": import0 };
wasm.core_new(1);
wasm.memory.buffer;
`;
/** @type {Parameters<typeof shorten>[1]} */
const TABLE = {
  imports: [['./changeover_bg.js', '__wbg_now_0123456789abcdef', 'a']],
  exports: [['core_new', 'b'], ['memory', 'c']],
};

test('imports, exports and the module get their short names', () => {
  assert.equal(shorten(GLUE, TABLE, ['a']), `
const import0 = {
"a": function() {
return Date.now();
},
};
return { "a": import0 };
wasm["b"](1);
wasm["c"].buffer;
`);
});

test('an import the glue does not have, or has twice, is refused', () => {
  /** @type {typeof TABLE} */
  const unknown = { ...TABLE, imports: [...TABLE.imports, ['./changeover_bg.js', '__wbg_gone_0', 'd']] };
  assert.throws(() => shorten(GLUE, unknown, ['a']), /0 places that read "__wbg_gone_0:"/);
  assert.throws(() => shorten(GLUE + GLUE, TABLE, ['a']), /2 places/);
});

test('an export the wasm does not have is refused', () => {
  assert.throws(() => shorten(`${GLUE}wasm.core_gone(1);`, TABLE, ['a']), /export core_gone/);
});

test('imports from a second module are refused', () => {
  /** @type {typeof TABLE} */
  const two = { ...TABLE, imports: [...TABLE.imports, ['env', 'now', 'd']] };
  assert.throws(() => shorten(GLUE, two, ['a']), /imports from 2 modules/);
});
