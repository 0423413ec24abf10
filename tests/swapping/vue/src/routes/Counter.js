import { useSlotState } from 'changeover/vue';
import { defineComponent, h, onMounted, onUnmounted } from 'vue';
import { user } from '../store.js';
import { star } from '../widgets.js';
import './Counter.css';

copies.add(h);

export const schema = 1;

export default defineComponent({
  setup() {
    const state = useSlotState('counter', () => ({ count: 0 }));
    const ticks = useSlotState('ticks', 0);
    let timer;
    onMounted(() => {
      globalThis.timers = (globalThis.timers ?? 0) + 1;
      timer = setInterval(() => (ticks.value += 1), 100);
    });
    onUnmounted(() => {
      if (!timer) return; // it broke before it was there
      globalThis.timers -= 1;
      clearInterval(timer);
    });
    return () =>
      h('div', { class: 'counter' }, [
        h('p', { id: 'says' }, `${star('counter one')} of ${user.value}`),
        h('button', { id: 'count', onClick: () => (state.value.count += 1) }, String(state.value.count)),
        h('output', { id: 'ticks' }, String(ticks.value)),
        h('input', { id: 'note', name: 'note' }),
        h('div', { id: 'box', style: 'height: 60px; overflow: auto' }, h('div', { style: 'height: 600px' }, 'tall')),
      ]);
  },
});
