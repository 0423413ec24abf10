import { largest } from '../sums.js';

export function show(place, store) {
  place.textContent = `help ${largest(store.items)}`;
}
