// A script for the page that lets a test make every WebAssembly instance in it trap: it fills their memory with ones, over
// which no engine runs for long. It must run before the instances are made.

export const WOUND = `<script>(${prepare})()</script>`;

/* Runs in the page. */
function prepare() {
  /** @type {WebAssembly.Memory[]} */
  const memories = [];
  for (const name of /** @type {const} */ (['instantiate', 'instantiateStreaming'])) {
    const make = /** @type {(...given: unknown[]) => Promise<WebAssembly.WebAssemblyInstantiatedSource>} */ (WebAssembly[name]);
    Object.assign(WebAssembly, {
      [name]: async (/** @type {unknown[]} */ ...given) => {
        const result = await make.apply(WebAssembly, given);
        for (const part of Object.values(result.instance.exports)) if (part instanceof WebAssembly.Memory) memories.push(part);
        return result;
      },
    });
  }
  globalThis.destroy = () => {
    for (const memory of memories) new Uint8Array(memory.buffer).fill(255);
  };
}
