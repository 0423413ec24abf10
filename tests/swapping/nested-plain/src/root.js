import { slot } from 'changeover/slots';
import { label } from './label.js';

const Route = slot('route', () => import('./route.js'));

export async function mount(host) {
  host.innerHTML = `<h1 id="title">${label('shell one')}</h1><main></main>`;
  const route = await Route.mount(host.querySelector('main'));
  return { unmount: () => route.unmount() };
}
