// Short names between the wasm and its glue.
//
// wasm-bindgen names every import with a hash of 16 digits, in both files, where no compression can help. wasm-opt
// renames them in the wasm and prints the table; this applies the table to the glue.
import { Stop } from './run.mjs';

/**
 * Renames imports, exports and the import module in the glue.
 *
 * @param {string} glue text of bindings.js
 * @param {{imports: [string, string, string][], exports: [string, string][]}} table as wasm-opt prints it: module, old, new
 * @param {string[]} modules the module names that the renamed wasm imports from
 * @returns {string}
 * @throws {Stop} when the glue and the table do not fit each other
 */
export function shorten(glue, { imports, exports }, modules) {
  const oldModules = new Set(imports.map(([module]) => module));
  if (oldModules.size !== 1 || modules.length !== 1) throw new Stop(`the wasm imports from ${oldModules.size} modules where one was expected; look at ${[...oldModules].join(', ')}.`);
  /** @type {(text: string, old: string, fresh: string) => string} */
  const replaceOnce = (text, old, fresh) => {
    const parts = text.split(old);
    if (parts.length !== 2) throw new Stop(`the glue has ${parts.length - 1} places that read ${JSON.stringify(old.trim())} where one was expected; wasm-bindgen's output has changed.`);
    return parts.join(fresh);
  };
  let text = replaceOnce(glue, `${JSON.stringify([...oldModules][0])}: `, `${JSON.stringify(modules[0])}: `);
  for (const [, old, fresh] of imports) text = replaceOnce(text, `\n${old}: `, `\n${JSON.stringify(fresh)}: `);
  const names = new Map(exports);
  return text.replace(/\bwasm\.([\w$]+)/g, (/** @type {string} */ _, /** @type {string} */ old) => {
    if (!names.has(old)) throw new Stop(`the glue uses the export ${old}, which the wasm does not have; wasm-bindgen's output has changed.`);
    return `wasm[${JSON.stringify(names.get(old))}]`;
  });
}
