// Inside the booth's frames the page says what happens to it; anywhere else it says nothing.
import { guard } from './guard.js';

export function reportToBooth() {
  if (window.parent === window) return;
  const origin = boothOrigin();
  if (!origin) return;
  const tell = (event) => {
    const { build, level, skew, decision, prompt, holds, changeover, leader, stream } = guard.status;
    const where = location.pathname + location.search + location.hash;
    window.parent.postMessage({ aster: 1, event, where, status: { build, level, skew, decision, prompt, holds, changeover, leader, stream } }, origin);
  };
  guard.on('*', tell);
  window.addEventListener('popstate', () => tell({ type: 'moved' }));
  window.addEventListener('aster:moved', () => tell({ type: 'moved' }));
  tell({ type: 'opened' });
}

/** The booth names its frames after its origin, and a name outlives a reload. Only this machine is told anything. */
function boothOrigin() {
  try {
    const { origin, hostname } = new URL(window.name);
    return /^(localhost|127\.0\.0\.1)$/.test(hostname) ? origin : null;
  } catch {
    return null;
  }
}
