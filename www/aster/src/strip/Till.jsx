import { useSlotState } from 'changeover/react';
import { useCarried } from '../guard.js';

export const schema = 1;

/** Tickets sold at the door, counted by hand. */
export default function Till() {
  const [till, setTill] = useSlotState('till', { tickets: 0 });
  useCarried('till', { schema }, { till }, (state) => setTill(state.till));
  return (
    <p className="till">
      <button type="button" aria-label="Sell a ticket" onClick={() => setTill(({ tickets }) => ({ tickets: tickets + 1 }))}>+</button>
      <span>Sold <b>{till.tickets}</b></span>
    </p>
  );
}
