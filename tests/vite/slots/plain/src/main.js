import './main.css';
import { slot } from 'changeover/slots';
import { store } from './store.js';

const slots = { cart: slot('cart', () => import('./Cart.js')), help: slot('help', () => import('./Help.js')) };
const app = document.getElementById('app');
const [title, cart, help] = ['h1', 'main', 'aside'].map((name) => app.appendChild(document.createElement(name)));
title.textContent = 'Shop';
window.store = store;
window.boots = (window.boots ?? 0) + 1;
window.views = {};
const mounted = [slots.cart.mount(cart, { store }), slots.help.mount(help)];
[window.views.cart, window.views.help] = await Promise.all(mounted);
