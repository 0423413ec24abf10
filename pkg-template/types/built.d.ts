// The two modules that exist only after a build.

declare module '*/bindings.js' {
  /** Runs the glue of wasm-bindgen: `start` connects it with an instance, after which `exports` has the classes of the engine. */
  export function createBindings(): {
    exports: unknown;
    imports: WebAssembly.Imports;
    start(instance: Pick<WebAssembly.Instance, 'exports'>, module: WebAssembly.Module): void;
  };
}

declare module '*/wasm.js' {
  /** The WebAssembly in base64; null in the slim modules, which fetch it. */
  export const inlined: string | null;
}
