import { createApp, h } from 'vue';
import { lazy } from 'changeover/vue';
import { label } from './label.js';

const Route = lazy(() => import('./route.js'));

export function mount(host, { signal }) {
  const app = createApp({ render: () => [h('h1', { id: 'title' }, label('shell one')), h('main', h(Route))] });
  app.mount(host);
  signal.addEventListener('abort', () => app.unmount());
}
