import { Suspense, useEffect } from 'react';
import { createRoot } from 'react-dom/client';
import { lazy } from 'changeover/react';
import { label } from './label.js';
import { Router, useRouter } from './router.js';

const ROUTES = {
  cart: lazy(() => import('./routes/Cart.jsx')),
  home: lazy(() => import('./routes/Home.jsx')),
};

function Shell({ arrived }) {
  const { path, go } = useRouter();
  const Route = ROUTES[path];
  useEffect(() => arrived(), [arrived]);
  return (
    <>
      <h1 id="title">{label('shell one')}</h1>
      <nav>{Object.keys(ROUTES).map((name) => <button key={name} id={`to-${name}`} onClick={() => go(name)}>{name}</button>)}</nav>
      <Suspense fallback={<p className="loading">loading</p>}><main id="route"><Route /></main></Suspense>
    </>
  );
}

/** The whole app is a slot, and its routes are slots inside it. */
export function mount(host, { signal }) {
  const root = createRoot(host);
  const ready = new Promise((arrived) => root.render(<Router><Shell arrived={arrived} /></Router>));
  signal.addEventListener('abort', () => root.unmount());
  return { ready };
}
