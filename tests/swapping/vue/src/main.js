import { createChangeover } from 'changeover';
import { createApp, h } from 'vue';
import { App } from './App.js';
import './shell.css';

globalThis.copies ??= new Set();
copies.add(h);
globalThis.boots = (globalThis.boots ?? 0) + 1;
globalThis.guard = createChangeover();
globalThis.news = [];
guard.on('*', (event) => news.push(event));
createApp(App).mount('#app');
