import { lazy, useSlotState } from 'changeover/react';
import { label } from '../label.js';
import { useRouter } from '../router.js';

const Badge = lazy(() => import('./Badge.jsx'));

export default function Cart() {
  const [count, setCount] = useSlotState('count', 0);
  const { path } = useRouter();
  return (
    <div>
      <p id="says">{label('cart one')} at {path}</p>
      <button id="count" onClick={() => setCount((before) => before + 1)}>{count}</button>
      <input id="note" name="note" defaultValue="" />
      <aside><Badge /></aside>
    </div>
  );
}
