import { dash, star } from '../widgets.js';

export default class Cart extends HTMLElement {
  connectedCallback() {
    this.items = this.changeover.state ?? [];
    this.innerHTML = `<p id="cart-says">${dash('cart one')}</p><ul></ul><button id="add">add</button>`;
    this.querySelector('#add').onclick = () => {
      this.items.push(`item ${this.items.length + 1}`);
      this.render();
    };
    this.render();
  }

  render() {
    this.querySelector('ul').innerHTML = this.items.map((item) => `<li>${star(item)}</li>`).join('');
  }

  snapshot() {
    return this.items;
  }
}
