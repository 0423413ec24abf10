// A service worker that answers for the page: it has to take its next version before a reload brings the new document. When
// that is, and for how long it is waited for, the engine decides.

/** @typedef {'activated' | 'unchanged' | 'failed'} Outcome of a renewal */

/**
 * @param {{
 *   seen: (controls: boolean) => void,
 *   renewed: (changeover: string, outcome: Outcome) => void,
 * }} guard
 */
export function createWorker({ seen, renewed }) {
  /** @type {ServiceWorkerContainer | undefined} */
  let container;
  try {
    container = navigator.serviceWorker; // throws in a sandboxed frame
  } catch {}
  const look = () => seen(Boolean(/** @type {ServiceWorkerContainer} */ (container).controller));
  container?.addEventListener('controllerchange', look);
  if (container?.controller) look();
  return {
    /** @param {string} changeover */
    renew(changeover) {
      const done = (/** @type {Outcome} */ outcome) => renewed(changeover, outcome);
      renew(/** @type {ServiceWorkerContainer} */ (container)).then(done, () => done('failed'));
    },
    dispose() {
      container?.removeEventListener('controllerchange', look);
    },
  };
}

/** @type {(container: ServiceWorkerContainer) => Promise<Outcome>} */
async function renew(container) {
  const registration = /** @type {ServiceWorkerRegistration} */ (await container.getRegistration());
  await registration.update();
  const next = registration.installing ?? registration.waiting;
  return next ? new Promise((done) => takes(next, done)) : 'unchanged';
}

/**
 * `SKIP_WAITING` is what Workbox and vite-plugin-pwa listen to.
 *
 * @param {ServiceWorker} worker
 * @param {(outcome: Outcome) => void} done
 */
function takes(worker, done) {
  const look = () => {
    if (worker.state === 'installed') worker.postMessage({ type: 'SKIP_WAITING' });
    if (worker.state === 'activated') done('activated');
    if (worker.state === 'redundant') done('failed');
  };
  worker.addEventListener('statechange', look);
  look();
}
