import React, { StrictMode, Suspense, lazy, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { useUser } from './store.js';

const Home = lazy(() => import('./routes/Home.jsx'));
const About = React.lazy(() => import('./routes/About.jsx').then((module) => ({ default: module.About })));

window.reacts = new Set([React.useState]);
window.boots = (window.boots ?? 0) + 1;

function App() {
  const [route, setRoute] = useState('home');
  const user = useUser();
  return (
    <Suspense fallback="loading">
      <nav onClick={() => setRoute(route === 'home' ? 'about' : 'home')}>{user}</nav>
      {route === 'home' ? <Home /> : <About />}
    </Suspense>
  );
}

createRoot(document.getElementById('app')).render(<StrictMode><App /></StrictMode>);
