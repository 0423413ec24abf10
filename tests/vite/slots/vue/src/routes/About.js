import { defineComponent, h, ref } from 'vue';
import { frame } from '../frame.js';
import './about.css';

window.vues.add(ref);

export default defineComponent({ setup: () => () => frame(h('p', { class: 'about' }, 'about')) });
