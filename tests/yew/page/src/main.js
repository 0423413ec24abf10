import { slot } from 'changeover/slots';

const counter = slot('counter', () => import('../pkg/counter.js?wasm-slot'));

window.boots = (window.boots ?? 0) + 1;
window.mount = (props) => counter.mount(document.getElementById('app'), props);
window.mount({ title: 'from the page' }).then((view) => (window.view = view), (error) => (window.failed = error));
