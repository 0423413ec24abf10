import './Cart.css';
import mark from './mark.svg';
import { count } from './store.js';
import { badge } from './widget.js';

export const schema = 2;

export function mount(host, { state = { n: 0, note: '' }, signal }) {
  const cart = Object.assign(document.createElement('div'), { className: 'cart' });
  const image = Object.assign(document.createElement('img'), { src: mark, alt: '' });
  const text = Object.assign(document.createElement('p'), { textContent: 'cart' });
  const button = Object.assign(document.createElement('button'), { textContent: state.n });
  const note = Object.assign(document.createElement('input'), { name: 'note', value: state.note });
  const list = Object.assign(document.createElement('div'), { id: 'list' });
  list.style.cssText = 'height: 40px; overflow: auto';
  list.append(Object.assign(document.createElement('div'), { style: 'height: 400px' }));
  button.addEventListener('click', () => (button.textContent = Number(button.textContent) + 1), { signal });
  cart.append(image, text, badge(count()), button, note, list);
  host.append(cart);
  return { snapshot: () => ({ n: Number(button.textContent), note: note.value }) };
}
