import { useSlotState } from 'changeover/react';
import { star, dash } from '../widgets.js';

export default function Cart() {
  const [items, setItems] = useSlotState('items', []);
  return (
    <div>
      <p id="cart-says">{dash('cart one')}</p>
      <ul>{items.map((item) => <li key={item}>{star(item)}</li>)}</ul>
      <button id="add" onClick={() => setItems((before) => [...before, `item ${before.length + 1}`])}>add</button>
    </div>
  );
}
