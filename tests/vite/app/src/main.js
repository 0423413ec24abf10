import './main.css';
import { store } from './store.js';

const routes = { cart: () => import('./routes/cart.js'), help: () => import('./routes/help.js'), about: () => import('./routes/about.js') };
const route = routes[location.hash.slice(1)] ?? routes.cart;
route().then(({ show }) => show(document.getElementById('app'), store));
