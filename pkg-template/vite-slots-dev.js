// Slots in a dev server: when the module of a slot changes, the holders of the slot take the new one with their state, as in
// production; one that cannot be mounted is an error in the console and leaves the old one in place.
//
// Only slots of plain DOM: frameworks bring their own way to take a changed component.
import { applyEdits } from './vite-slots-edit.js';
import { findEdges, specifierOf, textOf } from './vite-slots-find.js';

const TAKE = 'virtual:changeover-slots-take';

const TAKE_CODE = `
import { registry } from 'changeover/slots';
export async function take(id, module) {
  const parts = [];
  try {
    for (const holder of registry().holders(id)) parts.push(await holder.prepare(module, await holder.snapshot()));
    await Promise.all(parts.map(({ ready }) => ready));
  } catch (error) {
    for (const part of parts) part.discard();
    throw error;
  }
  for (const part of parts) part.show();
  for (const part of parts) part.drop();
}
`;

/** @returns {import('vite').Plugin} */
export const slotsInDevelopment = () => ({
  name: 'changeover:slots-development',
  enforce: 'post',
  apply: (_config, { command, isPreview }) => command === 'serve' && !isPreview,

  resolveId: { order: 'pre', handler: (source) => (source === TAKE ? `\0${TAKE}` : undefined) },
  load: (id) => (id === `\0${TAKE}` ? TAKE_CODE : undefined),

  transform(code, importer) {
    if ((this.environment?.config.consumer ?? 'client') !== 'client' || !code.includes('changeover') || /[\\/]node_modules[\\/]/.test(importer)) return;
    let program;
    try {
      program = this.parse(code);
    } catch {
      return;
    }
    const taking = findEdges(program, false).calls.flatMap(({ kind, id, imports }) => {
      const [name, module] = [textOf(id), imports.length === 1 ? specifierOf(imports[0]) : null];
      if (kind !== 'slot' || name === null || module === null) return [];
      return `  import.meta.hot.accept(${JSON.stringify(module)}, (module) => module && __changeover_take(${JSON.stringify(name)}, module));\n`;
    });
    if (!taking.length) return;
    const tail = `\nimport { take as __changeover_take } from "${TAKE}";\nif (import.meta.hot) {\n${[...new Set(taking)].join('')}}\n`;
    return applyEdits(code, [], { tail, source: importer });
  },
});
