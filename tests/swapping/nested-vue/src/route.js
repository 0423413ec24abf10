import { h } from 'vue';
import { useSlotState } from 'changeover/vue';
import { label } from './label.js';

export default {
  setup() {
    const count = useSlotState('count', 0);
    return () => [h('p', { id: 'says' }, label('route one')), h('button', { id: 'count', onClick: () => (count.value += 1) }, count.value), h('input', { id: 'note', name: 'note' })];
  },
};
