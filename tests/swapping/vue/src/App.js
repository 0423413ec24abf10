import { lazy } from 'changeover/vue';
import { defineComponent, h } from 'vue';
import { user } from './store.js';
import { label } from './util.js';

const Counter = lazy(() => import('./routes/Counter.js'));
const Cart = lazy(() => import('./routes/Cart.js'));

/** The shell: a title, who is here, and two slots. */
export const App = defineComponent({
  render: () => [
    h('h1', { id: 'title' }, label('shell')),
    h('input', { id: 'user', value: user.value, onInput: (event) => (user.value = event.target.value) }),
    h('section', { id: 'counter' }, h(Counter)),
    h('section', { id: 'cart' }, h(Cart)),
  ],
});
