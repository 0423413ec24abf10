import React, { useEffect } from 'react';
import { useSlotState } from 'changeover/react';
import { star } from '../widgets.js';
import { useUser } from '../store.js';
import './Counter.css';

copies.add(React);

export const schema = 1;

export default function Counter() {
  const [state, setState] = useSlotState('counter', { count: 0 });
  const [ticks, setTicks] = useSlotState('ticks', 0);
  const [user] = useUser();
  useEffect(() => {
    globalThis.timers = (globalThis.timers ?? 0) + 1;
    const timer = setInterval(() => setTicks((before) => before + 1), 100);
    return () => {
      globalThis.timers -= 1;
      clearInterval(timer);
    };
  }, []);
  return (
    <div className="counter">
      <p id="says">{star('counter one')} of {user}</p>
      <button id="count" onClick={() => setState((before) => ({ ...before, count: before.count + 1 }))}>{state.count}</button>
      <output id="ticks">{ticks}</output>
      <input id="note" name="note" defaultValue="" />
      <div id="box" style={{ height: 60, overflow: 'auto' }}><div style={{ height: 600 }}>tall</div></div>
    </div>
  );
}
