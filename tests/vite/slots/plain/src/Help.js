import { slot } from 'changeover/slots';
import { badge } from './widget.js';

const tip = slot('tip', () => import('./Tip.js'));

export function mount(host) {
  host.append('help', badge('?'));
  const inside = host.appendChild(document.createElement('div'));
  return { ready: tip.mount(inside) };
}
