// Fetches our own modules so that only we hear of a failure.

/**
 * Vite announces a failed import to the whole app, and many apps answer with a reload. A missing module of ours is our own
 * trouble, after which the page goes on without it.
 *
 * @template {object} Module
 * @param {string} name of the module, as it stands in its file name
 * @param {() => Promise<Module>} load
 */
export async function quietly(name, load) {
  /** @param {Event & { payload?: Error }} event */
  const keepQuiet = (event) => {
    if (!new RegExp(`\\b${name}\\b[^/]*\\.js`).test(/** @type {string} */ (event.payload?.message))) return;
    event.stopImmediatePropagation();
    event.preventDefault();
  };
  addEventListener('vite:preloadError', keepQuiet, true);
  try {
    const loaded = await load();
    if (!loaded) throw new Error(`the module ${name} could not be loaded`);
    return loaded;
  } finally {
    removeEventListener('vite:preloadError', keepQuiet, true);
  }
}
