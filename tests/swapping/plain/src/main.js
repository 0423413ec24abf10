import { createChangeover } from 'changeover';
import { slot } from 'changeover/slots';
import * as store from './store.js';
import { label } from './util.js';
import './shell.css';

globalThis.copies ??= new Set();
copies.add(store.user);
globalThis.boots = (globalThis.boots ?? 0) + 1;
globalThis.guard = createChangeover();
globalThis.news = [];
guard.on('*', (event) => news.push(event));

const Counter = slot('counter', () => import('./routes/Counter.js'));
const Cart = slot('cart', () => import('./routes/Cart.js'));

document.getElementById('app').innerHTML = `
  <h1 id="title">${label('shell')}</h1>
  <input id="user" />
  <section id="counter"></section>
  <section id="cart"></section>`;
document.getElementById('user').value = store.user.name;
Counter.mount(document.getElementById('counter'));
Cart.mount(document.getElementById('cart'));
