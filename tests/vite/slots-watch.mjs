import { join } from 'node:path';
import { changeover, makeLogger, readOutput, until } from './support.mjs';

/** Watches `root`; gives a function that waits for the n-th build. */
export async function watchBuilds(t, vite, root) {
  const out = join(root, 'dist');
  const { logger, messages } = makeLogger(vite);
  const watcher = await vite.build({ root, configFile: false, customLogger: logger, logLevel: 'warn', plugins: [changeover()], build: { outDir: out, watch: {}, assetsInlineLimit: 0 } });
  t.after(() => watcher.close());
  return async (count) => {
    await until(() => messages.info.filter((text) => text.startsWith('changeover: build')).length >= count, () => messages);
    return readOutput(out);
  };
}
