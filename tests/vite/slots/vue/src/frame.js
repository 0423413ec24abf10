import { h } from 'vue';

export const frame = (...children) => h('section', { class: 'frame' }, children);
