import * as Vue from 'vue';
import { createApp, defineAsyncComponent, h, ref } from 'vue';

const Home = defineAsyncComponent(() => import('./routes/Home.js'));
const About = defineAsyncComponent({ loader: () => import('./routes/About.js'), delay: 0 });
const route = ref('home');

window.vues = new Set([Vue.ref]);
window.boots = (window.boots ?? 0) + 1;

createApp({
  setup: () => () => [h('nav', { onClick: () => (route.value = route.value === 'home' ? 'about' : 'home') }, 'go'), h(route.value === 'home' ? Home : About)],
}).mount('#app');
