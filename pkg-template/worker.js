// A service worker that answers for the page: it has to take its next version before a reload brings the new document. When
// that is, and for how long it is waited for, the engine decides.

/**
 * @param {{
 *   seen: (controls: boolean) => void,
 *   renewed: (changeover: string, outcome: 'activated' | 'unchanged' | 'failed') => void,
 * }} guard
 */
export function createWorker({ seen, renewed }) {
  let container;
  try {
    container = navigator.serviceWorker; // throws in a sandboxed frame
  } catch {}
  const look = () => seen(Boolean(container.controller));
  container?.addEventListener('controllerchange', look);
  if (container?.controller) look();
  return {
    renew(changeover) {
      const done = (outcome) => renewed(changeover, outcome);
      renew(container).then(done, () => done('failed'));
    },
    dispose() {
      container?.removeEventListener('controllerchange', look);
    },
  };
}

async function renew(container) {
  const registration = await container.getRegistration();
  await registration.update();
  const next = registration.installing ?? registration.waiting;
  return next ? new Promise((done) => takes(next, done)) : 'unchanged';
}

/** `SKIP_WAITING` is what Workbox and vite-plugin-pwa listen to. */
function takes(worker, done) {
  const look = () => {
    if (worker.state === 'installed') worker.postMessage({ type: 'SKIP_WAITING' });
    if (worker.state === 'activated') done('activated');
    if (worker.state === 'redundant') done('failed');
  };
  worker.addEventListener('statechange', look);
  look();
}
