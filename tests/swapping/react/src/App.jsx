import { Suspense, useState } from 'react';
import { lazy } from 'changeover/react';
import { label } from './util.js';
import { useUser } from './store.js';

const Counter = lazy(() => import('./routes/Counter.jsx'));
const Cart = lazy(() => import('./routes/Cart.jsx'));
const Help = lazy(() => import('./routes/Help.jsx'));

/** The shell: a title, who is here, and two slots at a time; help comes when it is asked for. */
export function App() {
  const [help, setHelp] = useState(false);
  const [user, setUser] = useUser();
  return (
    <>
      <h1 id="title">{label('shell')}</h1>
      <input id="user" value={user} onChange={(event) => setUser(event.target.value)} />
      <Suspense fallback={<p className="loading">loading</p>}>
        <section id="counter"><Counter /></section>
        <section id="cart"><Cart /></section>
        {help && <section id="help"><Help /></section>}
      </Suspense>
      <button id="ask" onClick={() => setHelp(true)}>Help</button>
    </>
  );
}
