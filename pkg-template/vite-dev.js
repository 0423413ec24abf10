// In development: pages of a dev server get a changeover that is there and does nothing.
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

/** @import { Plugin } from 'vite' */

/** @returns {Plugin} */
export function guardInDevelopment() {
  return {
    name: 'changeover:development',
    apply: (_config, { command, isPreview }) => command === 'serve' && !isPreview,

    config(user) {
      const root = resolve(user.root ?? process.cwd());
      // Found late, the package would make the dev server reload the page.
      return canResolve(root) ? { optimizeDeps: { include: ['changeover', 'changeover/slots'] } } : undefined;
    },

    transformIndexHtml(_html, context) {
      if (!context.server) return;
      return [{ tag: 'script', children: `(${installInert})()`, injectTo: 'head-prepend' }];
    },
  };
}

/** @param {string} root */
function canResolve(root) {
  try {
    createRequire(join(root, 'package.json')).resolve('changeover');
    return true;
  } catch {
    return false;
  }
}

/**
 * Runs in the page of a dev server: an instance that is there and does nothing, so that the page asks for no release. It
 * has no `store`: stores work without a guard, and the package adds them.
 */
function installInert() {
  const nothing = () => {};
  const undo = () => nothing;
  const status = {
    level: 'off', levelReason: 'devServer', build: null, release: null, skew: false,
    decision: { kind: 'ignore', reason: 'noReleaseYet' }, leader: false, stream: 'off',
    lastCheck: null, failures: 0, lastFailure: null, holds: [], prompt: null, changeover: null,
  };
  /** @type {Record<symbol, unknown>} */ (/** @type {unknown} */ (globalThis))[Symbol.for('changeover')] ??= {
    status, on: undo, hold: undo, state: undo, snooze: nothing, dispose: nothing,
    check: async () => status, reload: async () => 'noSkew', backups: async () => [], trace: () => '',
  };
}
