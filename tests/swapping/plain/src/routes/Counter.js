import { user } from '../store.js';
import { star } from '../widgets.js';
import './Counter.css';

copies.add(user);

export const schema = 1;

export function mount(host, { state, signal }) {
  const data = state ?? { counter: { count: 0 }, ticks: 0 };
  host.innerHTML = `<div class="counter">
    <p id="says">${star('counter one')} of ${user.name}</p>
    <button id="count"></button>
    <output id="ticks"></output>
    <input id="note" name="note" />
    <div id="box" style="height: 60px; overflow: auto"><div style="height: 600px">tall</div></div>
  </div>`;
  const find = (id) => host.querySelector(`#${id}`);
  const render = () => {
    find('count').textContent = data.counter.count;
    find('ticks').textContent = data.ticks;
  };
  find('count').onclick = () => {
    data.counter.count += 1;
    render();
  };
  let timer;
  const resume = () => {
    globalThis.timers = (globalThis.timers ?? 0) + 1;
    timer = setInterval(() => {
      data.ticks += 1;
      render();
    }, 100);
  };
  const pause = () => {
    if (timer) globalThis.timers -= 1;
    clearInterval(timer);
    timer = null;
  };
  signal.addEventListener('abort', pause);
  render();
  resume();
  return { snapshot: () => data, pause, resume };
}
