import { useSlotState } from 'changeover/vue';
import { defineComponent, h } from 'vue';
import { dash, star } from '../widgets.js';

export default defineComponent({
  setup() {
    const items = useSlotState('items', () => []);
    return () =>
      h('div', [
        h('p', { id: 'cart-says' }, dash('cart one')),
        h('ul', items.value.map((item) => h('li', { key: item }, star(item)))),
        h('button', { id: 'add', onClick: () => (items.value = [...items.value, `item ${items.value.length + 1}`]) }, 'add'),
      ]);
  },
});
