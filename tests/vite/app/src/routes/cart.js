import './cart.css';
import { sum } from '../sums.js';

export function show(place, store) {
  place.textContent = `cart ${sum(store.items)}`;
}
