import { join } from 'node:path';
import { changeover, makeLogger, readOutput, until } from './support.mjs';

/** @import { Vite } from '../vite/support.mjs' */
/** @import { TestContext } from 'node:test' */

/**
 * Watches `root`; gives a function that waits for the n-th build.
 *
 * @param {TestContext} t
 * @param {Vite} vite
 * @param {string} root
 */
export async function watchBuilds(t, vite, root) {
  const out = join(root, 'dist');
  const { logger, messages } = makeLogger(vite);
  const watcher = await vite.build({ root, configFile: false, customLogger: logger, logLevel: 'warn', plugins: [changeover()], build: { outDir: out, watch: {}, assetsInlineLimit: 0 } });
  t.after(() => /** @type {{close(): Promise<void>}} */ (watcher).close());
  return async (/** @type {number} */ count) => {
    await until(() => messages.info.filter((text) => text.startsWith('changeover: build')).length >= count, () => messages);
    return readOutput(out);
  };
}
