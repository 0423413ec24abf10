// changeover/wasm-slot as a slot without the bundler plugin would use it.
import { slot } from 'changeover/slots';
import { wasmSlot, type WasmGlue, type WasmSlot } from 'changeover/wasm-slot';

declare const create: () => WasmGlue;
const app: WasmSlot = wasmSlot({ name: 'app.wasm', create, wasm: 'https://shop.example/app.wasm', id: '0500143a11b3c458', schema: 2, reads: [1] });

slot('app', async () => {
  await app.ahead();
  return app;
});

const instance = await app.mount({}, { props: { user: 'ada' } });
await instance.ready;
instance.snapshot() satisfies unknown;
instance.unmount();
app.migrations.map(({ from, to }) => [from, to] satisfies [number, number]);

// @ts-expect-error a build of wasm-bindgen is named by its glue and its WebAssembly
wasmSlot({ name: 'app.wasm', schema: 1 });
// @ts-expect-error a schema is a number
wasmSlot({ name: 'app.wasm', create, wasm: '/app.wasm', schema: '1' });
