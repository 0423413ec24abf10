// The script tag: <script src="changeover.js" data-release="/changeover/release.json"></script>
import { KEY, openPage } from './loader.js';
/** @import { ApiPlace } from './types/page.js' */

try {
  const { dataset } = /** @type {HTMLScriptElement} */ (document.currentScript);
  if (!(/** @type {ApiPlace} */ (self)[KEY]))
    /** @type {ApiPlace} */ (self)[KEY] = /** @type {ApiPlace} */ (self).changeover = openPage(dataset, async ({ runtime, base }) =>
      import(/** @type {string} */ ((runtime && new URL(runtime, base)) || './runtime.js')),
    ).api;
} catch {}
