import { createChangeover } from 'changeover';
import { slot } from 'changeover/slots';

globalThis.boots = (globalThis.boots ?? 0) + 1;
globalThis.guard = createChangeover();
globalThis.news = [];
guard.on('*', (event) => news.push(event));
slot('app', () => import('./root.jsx')).mount(document.getElementById('app'));
