import { label } from './label.js';

export function mount(host, { state }) {
  let count = state?.count ?? 0;
  host.innerHTML = `<p id="says">${label('route one')}</p><button id="count"></button><input id="note" name="note">`;
  const button = host.querySelector('button');
  const render = () => void (button.textContent = count);
  button.onclick = () => {
    count += 1;
    render();
  };
  render();
  return { snapshot: () => ({ count }) };
}
