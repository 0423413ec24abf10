// changeover/slots: where the slots of this page point to, and who has them mounted; and slots for plain DOM.
//
// In order: the document says in a block of JSON which file each slot has (vite-slots.js writes it); `load` brings that
// file with its styles; the code that mounts a slot is its holder; the swap driver opens other files, lets the holders
// prepare, show and drop them, and moves the pointers. There is one registry a page, whatever mix of copies of this module
// runs in it.
import { registry } from './slots-registry.js';

export { keep } from './slots-keep.js';
export { slot } from './slots-mount.js';
export { handOver } from './slots-view.js';
export { registry };

/**
 * Imports what the slot points to now, with its styles. The Vite plugin writes calls of it in place of `import()`.
 *
 * @param {string} id
 */
export const load = (id) => registry().load(id);
