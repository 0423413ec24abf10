import { defineComponent, h, ref } from 'vue';
import { frame } from '../frame.js';

window.vues.add(ref);

export default defineComponent({
  setup() {
    const n = ref(0);
    return () => frame(h('p', 'home'), h('button', { onClick: () => (n.value += 1) }, n.value));
  },
});
