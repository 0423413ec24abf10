import * as React from 'react';
import { Card } from '../card.jsx';
import { useUser } from '../store.js';

window.reacts.add(React.useState);

export default function Home() {
  const [n, setN] = React.useState(0);
  return <Card><p>home of {useUser()}</p><button onClick={() => setN(n + 1)}>{n}</button></Card>;
}
